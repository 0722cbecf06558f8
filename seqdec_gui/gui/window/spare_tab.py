"""The tab for the next design that is opened, built in advance in steps too short to notice, so that it opens at once."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QObject, Qt, QTimer, pyqtSlot
from PyQt5.QtWidgets import QApplication, QWidget

from seqdec_gui.gui.window.design_tab import DesignTab

BEGIN_MS = 1500
"""The time from the opening of a design to the first step of the next tab, in milliseconds."""
STEP_MS = 60
"""The time between two steps, in milliseconds, in which the window handles events."""


class SpareTab(QObject):
    """Keeps an empty tab at hand, hidden in `stack`, once `keep` was called. Waits while a mouse button is pressed."""

    def __init__(self, make: Callable[[], DesignTab], stack: QWidget) -> None:
        super().__init__(stack)
        self._make = make
        self._stack = stack
        self._kept = False
        self._tab: DesignTab | None = None
        self._timer = QTimer(self, singleShot=True, timeout=self._on_timer_timeout)

    @property
    def ready(self) -> bool:
        """Return whether the next tab is built."""
        return self._tab is not None and not self._timer.isActive()

    def keep(self) -> None:
        """Build a tab in advance now, and another one each time that one was taken."""
        self._kept = True
        self._timer.start(BEGIN_MS)

    def put_off(self) -> None:
        """Wait for a while with the next step: the user is changing from one design to another."""
        if self._timer.isActive():
            self._timer.start(BEGIN_MS)

    def take(self) -> DesignTab:
        """Return an empty tab: the one at hand, as far as it is built, or a new one."""
        tab, self._tab = self._tab, None
        if self._kept:
            self._timer.start(BEGIN_MS)
        return self._make() if tab is None else tab

    @pyqtSlot()
    def _on_timer_timeout(self) -> None:
        if QApplication.mouseButtons() != Qt.NoButton:
            self._timer.start(STEP_MS)
        elif self._tab is None:
            self._tab = self._make()
            self._tab.setParent(self._stack)
            self._tab.hide()
            self._timer.start(STEP_MS)
        elif self._tab.take_step():
            self._timer.start(STEP_MS)
