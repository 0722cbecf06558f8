"""The bar with the names of the open designs."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QPoint, QSize, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QContextMenuEvent, QIcon, QMouseEvent
from PyQt5.QtWidgets import QTabBar, QToolButton, QWidget

from seqdec_gui.domain.menu_text import literal
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon

WIDEST = 220
"""The greatest width of a tab, in pixels; longer names are shortened."""


class DesignBar(QTabBar):
    """Tabs that can be dragged, closed by their cross or by the middle button, and that show unsaved changes and training.

    Object names `design_tabs`, and `close_tab` for each cross.
    """

    menu_requested = pyqtSignal(int, QPoint)  # the tab, and where in the screen

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("design_tabs")
        self.setAccessibleName("Open designs")
        self.setExpanding(False)
        self.setMovable(True)
        self.setElideMode(Qt.ElideMiddle)
        self.setUsesScrollButtons(True)
        self.setSelectionBehaviorOnRemove(QTabBar.SelectPreviousTab)
        self.setFocusPolicy(Qt.TabFocus)

    def add(self) -> None:
        """Add a tab at the right; `describe` gives it its texts."""
        index = self.addTab("")
        cross = QToolButton(objectName="close_tab", toolTip="Close (Ctrl+W)")
        cross.setProperty("kind", "small")
        cross.setIconSize(QSize(14, 14))
        cross.setFocusPolicy(Qt.NoFocus)
        cross.setIcon(icon("close"))
        cross.clicked.connect(self._on_cross_clicked)
        self.setTabButton(index, QTabBar.RightSide, cross)

    def describe(self, index: int, name: str, path: Path | None, clean: bool, training: bool) -> None:
        """Show the name of a design, a star if it has unsaved changes, and a sign while a run of it trains."""
        text = literal(name if clean else f"{name}*")
        if self.tabText(index) != text:
            self.setTabText(index, text)
        words = str(path) if path is not None else "Not saved yet"
        self.setTabToolTip(index, f"{words}\nA run of this design trains." if training else words)
        self.setTabIcon(index, icon("chart-line", theme.current().accent) if training else QIcon())
        cross = self.tabButton(index, QTabBar.RightSide)
        if cross is not None:
            cross.setAccessibleName(f"Close {name}")

    def recolour(self) -> None:
        """Show the crosses in the colours of the theme in use."""
        for index in range(self.count()):
            cross = self.tabButton(index, QTabBar.RightSide)
            if isinstance(cross, QToolButton):
                cross.setIcon(icon("close"))

    def tabSizeHint(self, index: int) -> QSize:
        """Return the size that a tab needs, at most WIDEST."""
        size = super().tabSizeHint(index)
        return QSize(min(size.width(), WIDEST), size.height())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Close the tab under the middle button."""
        index = self.tabAt(event.pos())
        if event.button() == Qt.MiddleButton and index >= 0:
            self.tabCloseRequested.emit(index)
            return
        super().mouseReleaseEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu of the tab under the mouse or, from the keyboard, of the one in front."""
        keyboard = event.reason() == QContextMenuEvent.Keyboard
        index = self.currentIndex() if keyboard else self.tabAt(event.pos())
        if index >= 0:
            at = self.mapToGlobal(self.tabRect(index).bottomLeft()) if keyboard else event.globalPos()
            self.menu_requested.emit(index, at)

    @pyqtSlot()
    def _on_cross_clicked(self) -> None:
        for index in range(self.count()):
            if self.tabButton(index, QTabBar.RightSide) is self.sender():
                self.tabCloseRequested.emit(index)
                return
