"""Taking widgets out of a layout so that nobody finds them any more."""

from __future__ import annotations

from PyQt5.QtWidgets import QLayout, QWidget


def discard(widget: QWidget) -> None:
    """Remove the widget from its parent at once, and delete it when its own signals are done with."""
    widget.hide()
    widget.setParent(None)
    widget.deleteLater()


def discard_all(layout: QLayout) -> None:
    """Discard every widget of a layout; spacers go too."""
    while layout.count():
        item = layout.takeAt(0)
        if item.widget() is not None:
            discard(item.widget())
