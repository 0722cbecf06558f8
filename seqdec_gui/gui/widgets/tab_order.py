"""The order in which Tab moves through a window that is made of parts, some of which are built late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QAbstractButton, QScrollArea, QWidget

if TYPE_CHECKING:
    from PyQt5.QtWidgets import QWidget as _Window
else:
    _Window = object  # two classes of Qt cannot be bases of one


class TabsByPart(_Window):
    """A mixin for windows, before the Qt class: Tab goes from part to part as one reads, and within each as it was made.

    Qt's order is that in which widgets were made, so that a page which is built when it is first shown would come last.
    """

    def tab_parts(self) -> Sequence[QWidget]:
        """Return the parts in their order. What lies in none of them comes after the first."""
        raise NotImplementedError

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Move the focus to the next control, or to the one before."""
        controls, now = tab_order(self, self.tab_parts()), self.focusWidget()
        if now is None or now not in controls or len(controls) < 2:
            return bool(super().focusNextPrevChild(forward))
        following = controls[(controls.index(now) + (1 if forward else -1)) % len(controls)]
        following.setFocus(Qt.TabFocusReason if forward else Qt.BacktabFocusReason)
        _scroll_to(following)
        return True


def _scroll_to(control: QWidget) -> None:
    """Scroll so that the control is seen. Qt does so only between controls of one scroll area, and not for the way into it."""
    around = control.parentWidget()
    while around is not None and not around.isWindow():
        if isinstance(around, QScrollArea):
            around.ensureWidgetVisible(control)
        around = around.parentWidget()


def tab_order(window: QWidget, parts: Sequence[QWidget]) -> list[QWidget]:
    """Return the controls of a window that Tab reaches, in the order of its parts."""
    found, widget = [], window.nextInFocusChain()
    while widget is not window:
        if _takes_tab(widget, window):
            found.append(widget)
        widget = widget.nextInFocusChain()
    return sorted(found, key=lambda control: _rank(control, parts))


def _takes_tab(widget: QWidget, window: QWidget) -> bool:
    group = widget.group() if isinstance(widget, QAbstractButton) else None
    if group is not None and group.exclusive() and group.checkedButton() not in (None, widget):
        return False  # arrow keys move within the group, which Tab enters at what is chosen
    reached = int(widget.focusPolicy()) & Qt.TabFocus and widget.focusProxy() is None
    return bool(reached and widget.isEnabled() and widget.isVisible() and widget.window() is window)


def _rank(control: QWidget, parts: Sequence[QWidget]) -> int:
    return next((2 * place for place, part in enumerate(parts) if part is control or part.isAncestorOf(control)), 1)
