"""The area below the table of runs: the note of a run, and the differences between two runs."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QEvent, QObject, Qt, QTimer, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QLabel, QLineEdit, QPlainTextEdit, QSplitter, QVBoxLayout, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.pages.runs.differences_table import DifferencesTable
from seqdec_gui.runs.differences import Difference
from seqdec_gui.runs.listing import Entry
from seqdec_gui.runs.notes import tags_of

SAVE_MS = 1500
"""The time from the last key to saving the note, in milliseconds."""
MIN_NOTE_WIDTH = 180
"""The least width of the note, in pixels."""
NO_ENTRY = "Select one run to write a note."
"""The text in place of the note while not exactly one run is selected."""


class Details(QSplitter):
    """Shows the fields `run_tags` and `run_note` and the table `differences_table`."""

    note_written = pyqtSignal(object, str)  # Path, text
    tags_written = pyqtSignal(object, object)  # Path, tuple of tags

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Horizontal, parent)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(1)
        self._entry: Entry | None = None
        self.note = QPlainTextEdit(objectName="run_note")
        self.note.setAccessibleName("Note")
        self.note.setTabChangesFocus(True)
        self.note.setMinimumWidth(MIN_NOTE_WIDTH)
        self.note.setEnabled(False)
        self.note.installEventFilter(self)
        self.tags = QLineEdit(objectName="run_tags")
        self.tags.setAccessibleName("Tags")
        self.tags.setEnabled(False)
        self.tags.editingFinished.connect(self.save_tags)
        self._outcome = QLabel(NO_ENTRY, objectName="run_outcome", wordWrap=True)
        self._outcome.setProperty("role", "small")
        self.differences = DifferencesTable()
        self._changes = QLabel(objectName="differences_title", wordWrap=True)
        self.addWidget(_titled(QLabel("Note"), self._outcome, self.tags, self.note, margin=3 * theme.SPACE))
        self.addWidget(_titled(self._changes, self.differences))
        self.setStretchFactor(0, 2)
        self.setStretchFactor(1, 3)
        self.setSizes([400, 600])
        self._save = QTimer(self)
        self._save.setSingleShot(True)
        self._save.setInterval(SAVE_MS)
        self._save.timeout.connect(self.save_note)
        self.note.textChanged.connect(self._on_note_text_changed)

    def show_entry(self, entry: Entry | None) -> None:
        """Show the note of this run; None if not exactly one run is selected."""
        if entry is not None and self._entry is not None and entry.path == self._entry.path:
            self._entry = entry
            self._outcome.setText(_outcome(entry))
            if not self.tags.isModified():
                self.tags.setText(", ".join(entry.note.tags))
            return
        self.save_note()
        self.save_tags()
        self._entry = entry
        self.tags.setText(", ".join(entry.note.tags) if entry else "")
        self.tags.setModified(False)
        self.tags.setEnabled(entry is not None and not entry.missing)
        self.tags.setPlaceholderText("Tags, with commas between them" if entry else "")
        self.note.blockSignals(True)
        self.note.setPlainText(entry.note.note if entry else "")
        self.note.blockSignals(False)
        self.note.setEnabled(entry is not None and not entry.missing)
        self.note.setPlaceholderText("What was tried, and the result" if entry else "")
        self._outcome.setText(_outcome(entry) if entry else NO_ENTRY)

    def show_differences(self, title: str, old: str, new: str, differences: Sequence[Difference]) -> None:
        """Show the changes from `old` to `new`. The table is hidden if there are none, and the title says so."""
        self._changes.setText(title)
        polish(self._changes, "role", "section" if differences else "small")
        self.differences.setVisible(bool(differences))
        self.differences.show_differences(old, new, differences)

    def save(self) -> None:
        """Save what was typed."""
        self.save_note()
        self.save_tags()

    @pyqtSlot()
    def save_tags(self) -> None:
        """Save the tags."""
        tags = tags_of(self.tags.text())
        if self._entry is not None and self.tags.isModified() and tags != self._entry.note.tags:
            self.tags.setModified(False)
            self.tags_written.emit(self._entry.path, tags)

    @pyqtSlot()
    def save_note(self) -> None:
        """Save the note."""
        self._save.stop()
        text = self.note.toPlainText().rstrip()
        if self._entry is not None and self.note.document().isModified() and text != self._entry.note.note:
            self.note.document().setModified(False)
            self.note_written.emit(self._entry.path, text)

    @pyqtSlot()
    def _on_note_text_changed(self) -> None:
        self._save.start()

    def eventFilter(self, watched: QObject | None, event: QEvent) -> bool:
        if watched is self.note and event.type() == QEvent.FocusOut:
            self.save_note()
        return False


def _outcome(entry: Entry) -> str:
    if entry.missing:
        return f"Its folder is gone, or cannot be reached from here: {entry.path}. When it was last seen: {entry.summary.text}"
    return entry.summary.text


def _titled(title: QLabel, *widgets: QWidget, margin: int = 0) -> QWidget:
    title.setProperty("role", "section")
    box = QWidget()
    layout = QVBoxLayout(box)
    layout.setContentsMargins(margin, 2 * theme.SPACE, margin, margin)
    layout.setSpacing(theme.SPACE)
    if not margin:
        title.setContentsMargins(3 * theme.SPACE, 0, 3 * theme.SPACE, 0)
    layout.addWidget(title)
    for widget in widgets:
        layout.addWidget(widget, 0 if isinstance(widget, QLabel | QLineEdit) else 1)
    if not margin:
        layout.addStretch(0)
    return box
