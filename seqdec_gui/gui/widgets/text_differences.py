"""Cells that show how a text differs from another: wrong characters are bold and underlined, and a caret is where some lack."""

from __future__ import annotations

from typing import NamedTuple

from PyQt5.QtCore import QModelIndex, QPointF, Qt
from PyQt5.QtGui import QPainter, QPalette, QTextCharFormat, QTextLayout
from PyQt5.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from seqdec_gui.gui.look import theme
from seqdec_gui.runs.quality.edits import alignment

CARET = "\N{CARET INSERTION POINT}"
"""What stands where characters of the target are missing."""
OTHER = int(Qt.UserRole) + 1
"""The role of the text with which a cell is compared; None for a cell that is not compared."""
LONGEST = 300
"""Characters up to which texts are compared; longer ones are shown plainly."""


class Marked(NamedTuple):
    """A text with carets, and the places (first, count) of what differs in it."""

    text: str
    wrong: tuple[tuple[int, int], ...]


def marked(target: str, generated: str) -> Marked:
    """Return the generated text with a caret for each run of missing characters, and where it differs from the target."""
    text, wrong, missing = "", list[tuple[int, int]](), False
    for edit in alignment(target, generated):
        if edit.name == "deletion" and missing:
            continue
        missing = edit.name == "deletion"
        piece = CARET if missing else edit.generated or ""
        if edit.name != "same":
            wrong.append((len(text), len(piece)))
        text += piece
    return Marked(text, tuple(wrong))


class DifferenceCells(QStyledItemDelegate):
    """Paints the text of a cell with the marks of its differences from the text of the role `OTHER`."""

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        target = index.data(OTHER)
        if painter is None or target is None or index.data() == target or max(len(target), len(index.data())) > LONGEST:
            super().paint(painter, option, index)
            return
        shown = QStyleOptionViewItem(option)
        self.initStyleOption(shown, index)
        found, shown.text = marked(target, index.data()), ""
        style = shown.widget.style() if shown.widget is not None else QApplication.style()
        style.drawControl(QStyle.CE_ItemViewItem, shown, painter, shown.widget)
        area = style.subElementRect(QStyle.SE_ItemViewItemText, shown, shown.widget)
        margin = style.pixelMetric(QStyle.PM_FocusFrameHMargin, None, shown.widget) + 1
        selected = bool(shown.state & QStyle.State_Selected)
        painter.save()
        painter.setClipRect(area)
        painter.setPen(shown.palette.color(QPalette.HighlightedText if selected else QPalette.Text))
        layout = self._laid_out(found, shown, selected)
        height = layout.boundingRect().height()
        layout.draw(painter, QPointF(area.left() + margin, area.top() + (area.height() - height) / 2))
        painter.restore()

    def _laid_out(self, found: Marked, option: QStyleOptionViewItem, selected: bool) -> QTextLayout:
        layout = QTextLayout(found.text, option.font)
        wrong = QTextCharFormat()
        wrong.setFontWeight(75)
        wrong.setFontUnderline(True)
        if not selected:
            wrong.setForeground(theme.color(theme.current().error))
        ranges = []
        for first, count in found.wrong:
            piece = QTextLayout.FormatRange()
            piece.start, piece.length, piece.format = first, count, wrong
            ranges.append(piece)
        layout.setFormats(ranges)
        layout.beginLayout()
        line = layout.createLine()
        line.setLineWidth(100_000)
        layout.endLayout()
        return layout
