"""Text fields over the canvas: the name of a block, the title of a frame, the text of a note."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import QEvent, QObject, QRect, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QLineEdit, QPlainTextEdit, QToolTip, QWidget

from seqdec_gui.domain.annotations import MAX_TEXT, MAX_TITLE
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.workspace.document import DesignDocument

if TYPE_CHECKING:
    from PyQt5.QtWidgets import QWidget as _Field
else:
    _Field = object  # two classes of Qt cannot be bases of one

ENTERS = (Qt.Key_Return, Qt.Key_Enter)
"""The keys that end a line."""


class FloatingField(_Field):
    """A mixin, before the Qt class, for a field that opens over the canvas, and closes and deletes itself when it is left.

    Escape leaves things as they were, unless `keeps_on_escape`. The key that accepts calls `accept`, and so does a press
    elsewhere if `keeps_on_leave`.
    A subclass defines the signal `closed`. No key of the field reaches the canvas below it, where it would do something else.
    """

    keeps_on_leave = True
    keeps_on_escape = False
    accepts_with_control = False
    closing = False

    def open(self, name: str, place: QRect) -> None:
        """Show the field at this place of its parent, with all of its text selected."""
        self.setObjectName(name)
        room = self.parentWidget().rect()
        place.moveLeft(max(room.left(), min(place.left(), room.right() - place.width())))
        place.moveTop(max(room.top(), min(place.top(), room.bottom() - place.height())))
        self.setGeometry(place)
        self.installEventFilter(self)
        self.selectAll()
        self.show()
        self.raise_()
        self.setFocus()

    def follow(self, document: DesignDocument) -> None:
        """Close without an edit when the design changes: what is written here may be gone, as after an undo."""
        document.design_changed.connect(self.close_field)

    def accept(self) -> None:
        """Carry out what was written, and close unless it is not possible."""
        raise NotImplementedError

    def close_field(self, *_changes: object) -> None:
        """Close the field."""
        if not self.closing:
            self.closing = True
            self.closed.emit()  # takes the focus first: a hidden field would pass it on as Tab does
            self.hide()
            self.deleteLater()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if isinstance(event, QKeyEvent) and event.type() in (QEvent.ShortcutOverride, QEvent.KeyPress):
            control = bool(event.modifiers() & Qt.ControlModifier)
            accepts = event.key() in ENTERS and control == self.accepts_with_control
            if accepts or event.key() == Qt.Key_Escape:
                event.accept()
                if event.type() == QEvent.KeyPress:
                    self.accept() if accepts or self.keeps_on_escape else self.close_field()
                return True
        elif event is not None and event.type() == QEvent.FocusOut and not self.hasFocus() and not self.closing:
            self.accept() if self.keeps_on_leave else self.close_field()
        return bool(super().eventFilter(watched, event))


class NoteField(FloatingField, QPlainTextEdit):
    """A text field over a note. Ctrl+Enter, Escape or a press elsewhere keep what was written, which Undo takes back.

    Escape is the key with which people leave a text of several lines; giving up all of it would lose it for good.
    """

    written = pyqtSignal(str)
    closed = pyqtSignal()
    accepts_with_control = True
    keeps_on_escape = True

    def __init__(self, text: str, place: QRect, parent: QWidget | None) -> None:
        super().__init__(text, parent)
        self.setAccessibleName("Text of the note")
        self.setTabChangesFocus(True)
        self._before = text
        self.setFont(theme.font("small"))
        self.open("note_field", place)

    def accept(self) -> None:
        """Close, and emit `written` if the text is another one."""
        text = self.toPlainText()[:MAX_TEXT]
        self.close_field()
        if text != self._before:
            self.written.emit(text)


class TitleField(FloatingField, QLineEdit):
    """A text field over a frame's title. Enter or a press elsewhere keeps what was written."""

    written = pyqtSignal(str)
    closed = pyqtSignal()

    def __init__(self, text: str, place: QRect, parent: QWidget | None) -> None:
        super().__init__(text, parent)
        self.setAccessibleName("Title of the frame")
        self.setMaxLength(MAX_TITLE)
        self._before = text
        self.setFont(theme.font("body", bold=True))
        self.open("title_field", place)

    def accept(self) -> None:
        """Close, and emit `written` if the title is another one."""
        text = self.text()
        self.close_field()
        if text != self._before:
            self.written.emit(text)


class RenameField(FloatingField, QLineEdit):
    """A text field over a block's title.

    Enter renames the block, and Escape or a click elsewhere closes the field. A name that is not possible is explained, and the
    field stays open.
    """

    closed = pyqtSignal()
    keeps_on_leave = False

    def __init__(self, document: DesignDocument, block_id: str, place: QRect, parent: QWidget | None) -> None:
        super().__init__(block_id, parent)
        self.setAccessibleName(f"New name of {block_id}")
        self._document, self._block_id = document, block_id
        self.setFont(theme.font("body", bold=True))
        self.textEdited.connect(self._on_text_edited)
        self.open("rename_field", place)

    @pyqtSlot(str)
    def _on_text_edited(self, text: str) -> None:
        fault = self._document.rename_fault(self._block_id, text)
        polish(self, "invalid", bool(fault))
        self.setToolTip(fault)

    def accept(self) -> None:
        """Rename the block, or tell why it cannot have this name."""
        fault = self._document.rename_fault(self._block_id, self.text())
        if fault:
            QToolTip.showText(self.mapToGlobal(self.rect().bottomLeft()), fault, self)
            return
        block_id, text = self._block_id, self.text()
        self.close_field()
        self._document.rename(block_id, text)
