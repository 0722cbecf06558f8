"""Dialogs on a screen that is too small for them: their contents scroll, so that every field and button can be reached."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QObject, QSize, Qt, QTimer, pyqtSlot
from PyQt5.QtWidgets import QApplication, QDialog, QFrame, QScrollArea, QVBoxLayout, QWidget

FRAME = QSize(8, 40)
"""Room for the title bar and the borders that a window manager puts around a dialog, in pixels."""


def fit_to_screen(dialog: QDialog) -> None:
    """Keep a dialog that is about to be opened within the screen, also when its contents grow."""
    parent = dialog.parentWidget()
    screen = QApplication.primaryScreen() if parent is None else parent.screen()
    room = screen.availableGeometry().size()
    if parent is not None:
        room = room.expandedTo(parent.window().size())  # over a window that is larger than the screen as much is seen of both
    _FitsScreen(dialog, room - FRAME)


class _FitsScreen(QObject):
    """Puts the contents of a dialog into an area that scrolls as soon as they need more than `room`."""

    def __init__(self, dialog: QDialog, room: QSize) -> None:
        super().__init__(dialog)
        self._dialog = dialog
        self._room = room
        self._wrapped = False
        dialog.installEventFilter(self)
        self._look()

    def eventFilter(self, _watched: QObject | None, event: QEvent) -> bool:
        if event.type() in (QEvent.LayoutRequest, QEvent.Show):
            self._look()
        if event.type() in (QEvent.Resize, QEvent.Show):
            QTimer.singleShot(0, self._bring_back)
        return False

    @pyqtSlot()
    def _bring_back(self) -> None:
        """Move a dialog that has grown over an edge of the screen back, as far as there is room."""
        frame, screen = self._dialog.frameGeometry(), self._dialog.screen().availableGeometry()
        x = max(screen.left(), min(frame.left(), screen.right() - frame.width() + 1))
        y = max(screen.top(), min(frame.top(), screen.bottom() - frame.height() + 1))
        if self._dialog.isVisible() and (x, y) != (frame.left(), frame.top()):
            self._dialog.move(x, y)

    def _look(self) -> None:
        dialog, room = self._dialog, self._room
        layout = dialog.layout()
        if self._wrapped or layout is None:
            return
        needed = layout.totalMinimumSize().expandedTo(dialog.minimumSize())
        if layout.hasHeightForWidth():
            width = max(needed.width(), min(dialog.width(), room.width()))
            needed.setHeight(max(needed.height(), layout.totalHeightForWidth(width)))
        dialog.setMaximumSize(room)
        if needed.width() <= room.width() and needed.height() <= room.height():
            return
        self._wrapped = True
        dialog.setMinimumSize(0, 0)
        focused = dialog.focusWidget()
        contents = QWidget()
        contents.setLayout(layout)
        area = QScrollArea(widgetResizable=True, frameShape=QFrame.NoFrame)
        area.setFocusPolicy(Qt.NoFocus)
        area.setWidget(contents)
        around = QVBoxLayout(dialog)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(area)
        dialog.resize(needed.boundedTo(room))
        if focused is not None:
            focused.setFocus()
