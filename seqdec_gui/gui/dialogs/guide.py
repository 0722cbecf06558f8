"""The window of the user guide: the pages under docs/, which are installed with the program."""

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

FIRST_PAGE = "guide/index.md"
"""The page that the guide opens with, relative to docs/."""
MARGIN = 6 * theme.SPACE
"""The space around the text, in pixels."""
WIDTH = 860
"""The first width of the window, in pixels."""
HEIGHT = 900
"""The first height of the window, in pixels."""
MAX_PICTURE_WIDTH = 900
"""The greatest width of a picture, in pixels."""


def open_guide(parent: QWidget) -> GuideWindow:
    """Return the guide window beside the main window, made at the first call and brought to the front at later ones."""
    existing = parent.findChild(GuideWindow)
    window = existing if existing is not None else GuideWindow(parent)
    window.show()
    if existing is not None:
        window.activateWindow()
    return window


class GuideWindow(QWidget):
    """The window of the guide. Links to other pages open in it, all other links in a browser.

    Object names `guide_window` and `guide_text`.
    """

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
    """A view of Markdown pages. Pictures are scaled down to the width of the page."""

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
        self.show_page(resource_files.docs(FIRST_PAGE))

    def show_page(self, page: Path, anchor: str = "") -> None:
        """Show a page, scrolled to the heading whose link is `anchor`."""
        if page != self._page:
            self._page = page
            self.document().setBaseUrl(QUrl.fromLocalFile(str(page)))
            source = page.read_text(encoding="utf-8")
            self.setMarkdown(source)
            _repair_formats(self.document(), source)
        if anchor:
            self._go_to(anchor)
        else:
            self.moveCursor(QTextCursor.Start)

    def _go_to(self, anchor: str) -> None:
        """Scroll to a heading. Markdown has no anchors in Qt 5, so the heading is searched whose link is this."""
        block = self.document().begin()
        while block.isValid():
            if block.blockFormat().headingLevel() and _anchor(block.text()) == anchor:
                top = self.document().documentLayout().blockBoundingRect(block).top()
                self.verticalScrollBar().setValue(int(top))
                return
            block = block.next()

    def loadResource(self, kind: int, name: QUrl) -> Any:
        """Return a picture beside the page, scaled down to the page's width."""
        path = Path(self._page.parent / name.toLocalFile()) if name.isLocalFile() else self._page.parent / name.path()
        picture = QImage(str(path))
        room = min(self.viewport().width() - 2 * MARGIN, MAX_PICTURE_WIDTH)
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
        """Show the page again at the same place, after a change of the theme or the width."""
        page, at = self._page, self.verticalScrollBar().value()
        self._page = Path()
        self.show_page(page)
        self.verticalScrollBar().setValue(at)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if event is not None and event.size().width() != event.oldSize().width():
            self._render()


def _repair_formats(document: QTextDocument, source: str) -> None:
    """Give paragraphs after a list their own format again: Qt 5.15 gives them that of the last heading."""
    headings = {_anchor(line.lstrip("#").strip()) for line in source.splitlines() if line.startswith("#")}
    block = document.begin()
    while block.isValid():
        if _anchor(block.text()) not in headings:
            pieces = _fragments(block)
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


def _fragments(block: QTextBlock) -> list[tuple[int, int, QTextCharFormat]]:
    """Return position, length and format of each fragment of a text block."""
    fragments, pieces = block.begin(), []
    while not fragments.atEnd():
        fragment = fragments.fragment()
        pieces.append((fragment.position(), fragment.length(), fragment.charFormat()))
        fragments += 1
    return pieces


def _anchor(heading: str) -> str:
    """Return the link of a heading, as GitHub makes it: `The run folder` -> `the-run-folder`."""
    return "".join(letter for letter in heading.lower().replace(" ", "-") if letter.isalnum() or letter in "-_")
