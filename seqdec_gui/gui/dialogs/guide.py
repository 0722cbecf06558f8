"""The user guide in a window of its own: the pages under docs/, which are installed with the program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PyQt5.QtCore import Qt, QUrl, pyqtSlot
from PyQt5.QtGui import (
    QDesktopServices,
    QFont,
    QImage,
    QKeySequence,
    QResizeEvent,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
)
from PyQt5.QtWidgets import QShortcut, QTextBrowser, QTextEdit, QVBoxLayout, QWidget

from seqdec_gui import resource_files
from seqdec_gui.gui.look import theme

FIRST = "guide/index.md"
MARGIN = 6 * theme.SPACE
WIDTH = 860
HEIGHT = 900
MOST_WIDTH = 900


def open_guide(parent: QWidget) -> GuideWindow:
    """The guide beside the window; one that is open comes to the front."""
    existing = parent.findChild(GuideWindow)
    window = existing if existing is not None else GuideWindow(parent)
    window.show()
    if existing is not None:
        window.activateWindow()
    return window


class GuideWindow(QWidget):
    """Object name `guide_window`, its text `guide_text`. Links to other pages are followed, others open in a browser."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowFlag(Qt.Window)
        self.setObjectName("guide_window")
        self.setWindowTitle("User guide – seqdec-gui")
        self.text = GuideText()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text)
        self.resize(WIDTH, HEIGHT)
        QShortcut(QKeySequence.Close, self, self.close)
        QShortcut(QKeySequence.Back, self, self.text.backward)
        self.text.setFocus()


class GuideText(QTextBrowser):
    """Shows Markdown; pictures are as wide as the page at most."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("guide_text")
        self.setAccessibleName("User guide")
        self.setProperty("kind", "plain")
        self.setOpenLinks(False)
        self.setFrameShape(QTextEdit.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarAlwaysOn)  # or pictures would be a scroll bar too wide
        self.document().setDocumentMargin(MARGIN)
        self._page = Path()
        self.anchorClicked.connect(self._on_self_anchor_clicked)
        theme.notifier.changed.connect(self._on_theme_changed)
        self.show_page(resource_files.docs(FIRST))

    def show_page(self, page: Path, anchor: str = "") -> None:
        """Show a page, at the heading whose link is `anchor`."""
        if page != self._page:
            self._page = page
            self.document().setBaseUrl(QUrl.fromLocalFile(str(page)))
            source = page.read_text(encoding="utf-8")
            self.setMarkdown(source)
            _mend_looks(self.document(), source)
        if anchor:
            self._go_to(anchor)
        else:
            self.moveCursor(QTextCursor.Start)

    def _go_to(self, anchor: str) -> None:
        """Markdown has no anchors in Qt 5: find the heading that this link is made of."""
        block = self.document().begin()
        while block.isValid():
            if block.blockFormat().headingLevel() and _anchor(block.text()) == anchor:
                top = self.document().documentLayout().blockBoundingRect(block).top()
                self.verticalScrollBar().setValue(int(top))
                return
            block = block.next()

    def loadResource(self, kind: int, name: QUrl) -> Any:
        """Pictures beside the page, scaled to its width."""
        path = Path(self._page.parent / name.toLocalFile()) if name.isLocalFile() else self._page.parent / name.path()
        picture = QImage(str(path))
        room = min(self.viewport().width() - 2 * MARGIN, MOST_WIDTH)
        if picture.isNull() or picture.width() <= room:
            return picture
        ratio = self.devicePixelRatioF()
        scaled = picture.scaledToWidth(int(room * ratio), Qt.SmoothTransformation)
        scaled.setDevicePixelRatio(ratio)
        return scaled

    @pyqtSlot(QUrl)
    def _on_self_anchor_clicked(self, link: QUrl) -> None:
        if link.scheme() not in ("", "file"):
            QDesktopServices.openUrl(link)
            return
        page = self._page if not link.path() or link.path().endswith("/") else (self._page.parent / link.path()).resolve()
        if page.is_file():
            self.show_page(page, link.fragment())

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self._render()

    def _render(self) -> None:
        """The page again, at the same place: with the colours of the theme, and pictures as wide as there is room for."""
        page, at = self._page, self.verticalScrollBar().value()
        self._page = Path()
        self.show_page(page)
        self.verticalScrollBar().setValue(at)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if event is not None and event.size().width() != event.oldSize().width():
            self._render()


def _mend_looks(document: QTextDocument, source: str) -> None:
    """Take the look of a heading from paragraphs after a list: Qt 5.15 lets the last heading's characters leak into them."""
    headings = {_anchor(line.lstrip("#").strip()) for line in source.splitlines() if line.startswith("#")}
    block = document.begin()
    while block.isValid():
        if _anchor(block.text()) not in headings:
            pieces = _pieces(block)
            bold = all(format.fontWeight() > QFont.Normal for _, _, format in pieces)
            for start, length, format in pieces:
                if format.hasProperty(QTextFormat.FontSizeAdjustment):
                    cursor = QTextCursor(document)
                    cursor.setPosition(start)
                    cursor.setPosition(start + length, QTextCursor.KeepAnchor)
                    format.clearProperty(QTextFormat.FontSizeAdjustment)
                    if bold and len(pieces) == 1:
                        format.clearProperty(QTextFormat.FontWeight)
                    cursor.setCharFormat(format)
        block = block.next()


def _pieces(block: QTextBlock) -> list[tuple[int, int, QTextCharFormat]]:
    """Where the fragments of a block begin, how long they are, and their formats."""
    fragments, pieces = block.begin(), []
    while not fragments.atEnd():
        fragment = fragments.fragment()
        pieces.append((fragment.position(), fragment.length(), fragment.charFormat()))
        fragments += 1
    return pieces


def _anchor(heading: str) -> str:
    """`Design` -> `design`, `The run folder` -> `the-run-folder`, as GitHub does."""
    return "".join(letter for letter in heading.lower().replace(" ", "-") if letter.isalnum() or letter in "-_")
