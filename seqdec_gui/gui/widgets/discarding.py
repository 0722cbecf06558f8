"""Removing widgets from a layout at once, so that they can no longer be found by name."""

from __future__ import annotations

from PyQt5.QtWidgets import QLayout, QWidget


def discard(widget: QWidget) -> None:
    """Remove the widget from its parent at once. It is deleted after its own signals have been handled."""
    widget.hide()
    widget.setParent(None)
    widget.deleteLater()


def discard_all(layout: QLayout) -> None:
    """Discard every widget of a layout, and remove its spacers."""
    while layout.count():
        item = layout.takeAt(0)
        if item.widget() is not None:
            discard(item.widget())
