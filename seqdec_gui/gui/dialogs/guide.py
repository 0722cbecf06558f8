"""The window of the user guide: the pages under docs/, which are installed with the program."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from PyQt5.QtCore import QSize, Qt, QUrl, pyqtSlot
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
from PyQt5.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QScrollBar,
    QShortcut,
    QTextBrowser,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui import resource_files
from seqdec_gui.gui.look import theme

FIRST_PAGE = "guide/index.md"
"""The page that the guide opens with, relative to docs/."""
MARGIN = 6 * theme.SPACE
"""The space around the text, in pixels."""
SIDE_WIDTH = 250
"""The width of the list of headings, in pixels."""
MAX_MARKS = 300
"""The greatest number of places that a search marks."""
WIDTH = 1120
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

    The list at the left has the headings of all pages; words in the field above it leave those whose text contains them, and
    are marked on the page. Escape empties the field, then closes the window. Object names `guide_window`, `guide_text`,
    `guide_search`, `guide_contents`.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowFlag(Qt.Window)
        self.setObjectName("guide_window")
        self.setWindowTitle("User guide – seqdec-gui")
        self._sections = sections(resource_files.docs(FIRST_PAGE).parent.parent)
        self.search = QLineEdit(objectName="guide_search", placeholderText="Search the guide", clearButtonEnabled=True)
        self.search.setAccessibleName("Search the guide")
        self.contents = QListWidget(objectName="guide_contents")
        self.contents.setAccessibleName("Contents")
        self.contents.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self._nothing = QLabel("No page contains these words.", wordWrap=True, alignment=Qt.AlignCenter)
        self._nothing.setProperty("role", "dim")
        self._nothing.hide()
        self.text = GuideText()
        side = QFrame()
        side.setProperty("role", "panel")
        side.setFixedWidth(SIDE_WIDTH)
        column = QVBoxLayout(side)
        column.setContentsMargins(*4 * (2 * theme.SPACE,))
        column.setSpacing(2 * theme.SPACE)
        column.addWidget(self.search)
        column.addWidget(self._nothing)
        column.addWidget(self.contents, 1)
        line = QFrame()
        line.setProperty("role", "line_upright")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(side)
        layout.addWidget(line)
        layout.addWidget(self.text, 1)
        room = QApplication.primaryScreen().availableGeometry().size()
        self.resize(QSize(WIDTH, HEIGHT).boundedTo(room - QSize(32, 64)))
        QShortcut(QKeySequence.Close, self, self.close)
        QShortcut(QKeySequence.Back, self, self.text.backward)
        QShortcut(QKeySequence.Find, self, self._on_find)
        QShortcut(QKeySequence(Qt.Key_Escape), self, self._on_escape)
        for key, action in (
            (Qt.Key_PageUp, QScrollBar.SliderPageStepSub),
            (Qt.Key_PageDown, QScrollBar.SliderPageStepAdd),
        ):
            turn = partial(self.text.verticalScrollBar().triggerAction, action)
            QShortcut(QKeySequence(key), self.search, turn, context=Qt.WidgetShortcut)
        self.search.textChanged.connect(self._on_search_text_changed)
        self.search.returnPressed.connect(self._show_chosen)
        self.contents.currentItemChanged.connect(lambda *_: self._show_chosen())
        self.contents.itemClicked.connect(lambda _item: self._show_chosen())
        self._on_search_text_changed("")
        self.search.setFocus()

    @pyqtSlot(str)
    def _on_search_text_changed(self, text: str) -> None:
        words = text.lower().split()
        self.contents.blockSignals(True)
        self.contents.clear()
        found = [section for section in self._sections if section.contains(words)]
        found.sort(key=lambda section: 0 if all(word in section.title.lower() for word in words) else 1)
        for section in found:
            indent = "    " * (section.level - 1) if not words else ""
            item = QListWidgetItem(f"{indent}{section.title}")
            item.setToolTip(section.page_title)
            item.setData(Qt.UserRole, section)
            if section.level == 1:
                font = item.font()
                font.setBold(True)
                item.setFont(font)
            self.contents.addItem(item)
        self.contents.blockSignals(False)
        self._nothing.setVisible(not found)
        if words and found:
            self.contents.setCurrentRow(0)
        self.text.mark(words)

    @pyqtSlot()
    def _show_chosen(self) -> None:
        item = self.contents.currentItem()
        if item is not None:
            section = item.data(Qt.UserRole)
            self.text.show_page(section.page, section.anchor)
            self.text.mark(self.search.text().lower().split())

    @pyqtSlot()
    def _on_find(self) -> None:
        self.search.setFocus()
        self.search.selectAll()

    @pyqtSlot()
    def _on_escape(self) -> None:
        if self.search.text():
            self.search.clear()
        else:
            self.close()


class Section(msgspec.Struct, frozen=True):
    """A heading of the guide with the text below it."""

    page: Path
    page_title: str
    title: str
    anchor: str
    level: int
    text: str

    def contains(self, words: Sequence[str]) -> bool:
        """Return whether the section contains all of these words, given in small letters."""
        return all(word in self.text for word in words)


def sections(folder: Path) -> list[Section]:
    """Return the sections of all pages in the folder of the documentation, the guide first."""
    first = folder / FIRST_PAGE
    pages = [first, *sorted(page for page in folder.glob("*.md"))]
    return [section for page in pages if page.is_file() for section in _sections_of(page)]


def _sections_of(page: Path) -> list[Section]:
    found: list[Section] = []
    title, level, lines, page_title = "", 0, list[str](), ""
    in_code = False
    for line in [*page.read_text(encoding="utf-8").splitlines(), "# "]:
        in_code ^= line.startswith("```")
        heading = re.fullmatch("(#{1,2}) (.*)", line) if not in_code else None
        if heading is None:
            lines.append(line)
            continue
        if title:
            found.append(Section(page, page_title, title, _anchor(title), level, " ".join([title, *lines]).lower()))
        level, title, lines = len(heading[1]), heading[2].replace("`", ""), []
        page_title = page_title or title
    return found


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
        self._marked: tuple[str, ...] = ()
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

    def mark(self, words: Sequence[str]) -> None:
        """Mark all places of the words on the page, at most MAX_MARKS."""
        self._marked = tuple(words)
        marks: list[QTextEdit.ExtraSelection] = []
        look = theme.current()
        for word in self._marked:
            cursor = QTextCursor(self.document())
            while len(marks) < MAX_MARKS:
                cursor = self.document().find(word, cursor)
                if cursor.isNull():
                    break
                mark = QTextEdit.ExtraSelection()
                mark.cursor = cursor
                mark.format.setBackground(theme.color(look.warning, 0.35))
                marks.append(mark)
        self.setExtraSelections(marks)

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
        """Return a picture beside the page, scaled down to the page's width: the one of the theme in use, if there is one."""
        path = Path(self._page.parent / name.toLocalFile()) if name.isLocalFile() else self._page.parent / name.path()
        dark = path.with_name(f"{path.stem}-dark{path.suffix}")
        picture = QImage(str(dark if theme.current().dark and dark.is_file() else path))
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
        self.mark(self._marked)

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
