"""The names that a screen reader hears, as Qt works them out: PyQt5 has no access to Qt's own."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QComboBox,
    QFrame,
    QGroupBox,
    QLabel,
    QTabBar,
    QToolButton,
    QWidget,
)


def name_of(widget: QWidget) -> str:
    """The accessible name of a widget (QAccessibleWidget::text): its own, its text, its label, or the title around it."""
    if widget.accessibleName() and not isinstance(widget, QComboBox):  # on Linux a box tells what is chosen in it
        return widget.accessibleName()
    if isinstance(widget, QToolButton) and widget.defaultAction() is not None:
        return widget.defaultAction().text()
    if isinstance(widget, QAbstractButton):
        return widget.text().replace("&", "")
    if isinstance(widget, QLabel):
        return widget.text()
    parent = widget.parentWidget()
    if parent is None:
        return widget.windowTitle()
    labels = [label for label in parent.findChildren(QLabel) if label.buddy() is widget]
    if labels:
        return labels[0].text().replace("&", "")
    return parent.title() if isinstance(parent, QGroupBox) else ""


def controls_of(window: QWidget) -> list[QWidget]:
    """The widgets of a window that take keys or clicks, and can be seen, in the order in which Tab reaches them."""
    found, widget = [], window.nextInFocusChain()
    while widget is not window:
        if (
            widget.window() is window
            and widget.isVisibleTo(window)
            and widget.focusPolicy() & Qt.TabFocus
            and not _is_part(widget)
        ):
            found.append(widget)
        widget = widget.nextInFocusChain()
    return found


def _is_part(widget: QWidget) -> bool:
    """Whether a widget is only a part of another control: the viewport, the line edit of a box, a hidden tab bar."""
    if widget.focusProxy() is not None:
        return True
    parent = widget.parentWidget()
    if isinstance(parent, QAbstractScrollArea) and widget is parent.viewport():
        return True
    return isinstance(widget, QTabBar) and not widget.count()


def nameless(window: QWidget) -> list[str]:
    """The controls of a window without a name, each with what finds it."""
    return [_place(widget) for widget in controls_of(window) if not name_of(widget).strip()]


def roleless(window: QWidget) -> list[str]:
    """Return what takes the focus in a window and is nothing that Qt has a role for: a screen reader says only its name."""
    found = [widget for widget in window.findChildren(QWidget) if widget.focusPolicy() != Qt.NoFocus and not _is_part(widget)]
    shown = [widget for widget in found if widget.window() is window and widget.isVisibleTo(window)]
    return [_place(widget) for widget in shown if _qt_class(widget) in (QWidget, QFrame)]


def _qt_class(widget: QWidget) -> type:
    return next(base for base in type(widget).__mro__ if base.__module__.startswith("PyQt5."))


def _place(widget: QWidget) -> str:
    parts: list[str] = []
    at: QWidget | None = widget
    while at is not None and len(parts) < 4:
        parts.append(f"{type(at).__name__} {at.objectName()}".strip())
        at = at.parentWidget()
    return " in ".join(parts)
