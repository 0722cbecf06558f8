"""Copied blocks on the clipboard, as the text of a design file that other windows and people can read."""

from __future__ import annotations

from PyQt5.QtCore import QMimeData, QObject, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QApplication

from seqdec_gui.domain import document as design_file
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput

MIME = "application/x-seqdec-design+json"
"""The clipboard format of copied blocks: the text of a design file."""

MAX_TEXT = 16 << 20
"""The largest text that is read as a design, in characters; a design of 20,000 blocks is no longer."""

MAX_BLOCKS = 2_000
"""The largest number of blocks that are pasted at once; more would hold the window for seconds."""

NO_BLOCKS = "The clipboard holds no blocks: copy some in a design first."


def put(text: str) -> None:
    """Put the text of a design on the clipboard."""
    content = QMimeData()
    content.setData(MIME, text.encode())
    content.setText(text)
    QApplication.clipboard().setMimeData(content)


class ClipboardWatch(QObject):
    """Knows whether the clipboard seems to hold blocks. It is asked only after a change: it may belong to another program."""

    changed = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._holds: bool | None = None
        QApplication.clipboard().dataChanged.connect(self._on_clipboard_data_changed)

    def holds_blocks(self) -> bool:
        """Return whether a paste may add blocks. The text is not read to its end: `design_on` may still refuse it."""
        if self._holds is None:
            self._holds = _seems_to_hold_blocks()
        return self._holds

    @pyqtSlot()
    def _on_clipboard_data_changed(self) -> None:
        self._holds = None
        self.changed.emit()


def watch() -> ClipboardWatch:
    """Return the one watch of this program."""
    application = QApplication.instance()
    found = application.findChild(ClipboardWatch)
    return found if isinstance(found, ClipboardWatch) else ClipboardWatch(application)


def _seems_to_hold_blocks() -> bool:
    content = QApplication.clipboard().mimeData()
    if content is None:  # no program owns the clipboard
        return False
    if content.hasFormat(MIME):
        return True
    text = content.text() if content.hasText() else ""
    return text.lstrip()[:1] == "{" and '"format"' in text and len(text) <= MAX_TEXT


def design_on() -> Design:
    """Return what the clipboard holds, as a design. Raises InvalidInput, whose text is a sentence, if it holds no blocks."""
    content = QApplication.clipboard().mimeData()
    if content is None:  # no program owns the clipboard
        raise InvalidInput(NO_BLOCKS)
    raw = bytes(content.data(MIME)) if content.hasFormat(MIME) else content.text().encode(errors="replace")
    if len(raw) > MAX_TEXT:
        raise InvalidInput(f"The clipboard holds no blocks but a text of {len(raw) >> 20} MiB.")
    try:
        design = design_file.loads(raw)
    except InvalidInput as error:
        first = error.problems[0]
        if first.code in ("not_json", "not_a_design"):
            raise InvalidInput(NO_BLOCKS) from None
        raise InvalidInput(f"The clipboard holds no blocks that can be pasted. {first.sentence()}") from None
    if not design.blocks and not design.annotations:
        raise InvalidInput(NO_BLOCKS)
    if len(design.blocks) > MAX_BLOCKS:
        raise InvalidInput(f"The clipboard holds {len(design.blocks):,} blocks, and at most {MAX_BLOCKS:,} can be pasted.")
    return design
