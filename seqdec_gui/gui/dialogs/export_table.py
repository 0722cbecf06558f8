"""The table of all export formats: what each is for, and what came of it. Object name `export_table`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from PyQt5.QtCore import QModelIndex, QSize, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QTextLayout
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.scheme import color
from seqdec_gui.runs.export_formats import EXPORT_FORMATS, ExportFormat, not_installed
from seqdec_gui.runs.format_result import FormatResult

COLUMNS = ("Format", "For", "Result", "Size", "File, or why there is none")
LEAST_ROWS = 6
"""The rows that are seen at least, on a screen however low."""


class _Wrapped(QStyledItemDelegate):
    """Makes rows as high as a text of several lines needs; a tree view draws such a text, and leaves one line for it."""

    def __init__(self, table: QTreeWidget) -> None:
        super().__init__(table)
        self._table = table

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        size = super().sizeHint(option, index)
        width = max(60, self._table.columnWidth(index.column()) - 5 * theme.SPACE)
        layout = QTextLayout(str(index.data() or ""), option.font)
        layout.beginLayout()
        further = 0.0
        while (line := layout.createLine()).isValid():
            line.setLineWidth(width)
            further += line.height() if line.textStart() else 0.0
        layout.endLayout()
        return QSize(min(size.width(), width), size.height() + math.ceil(further))


class ExportTable(QTreeWidget):
    """A row per format; `show_results` fills in the last three columns."""

    height_changed = pyqtSignal()
    """All rows need another height."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("export_table")
        self.setAccessibleName("Formats and results")
        self.setColumnCount(len(COLUMNS))
        self.setHeaderLabels(COLUMNS)
        self.setRootIsDecorated(False)
        self.setWordWrap(True)
        self.setItemDelegateForColumn(len(COLUMNS) - 1, _Wrapped(self))
        self.setSelectionMode(QAbstractItemView.NoSelection)
        self.setEditTriggers(QAbstractItemView.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.ElideRight)
        header = self.header()
        header.setSectionResizeMode(QHeaderView.ResizeToContents)
        header.setStretchLastSection(True)
        self._asked = 0
        self._items: dict[str, QTreeWidgetItem] = {}
        for row in EXPORT_FORMATS.values():
            item = QTreeWidgetItem(self, [row.title.partition(",")[0], row.use])
            item.setToolTip(0, row.help)
            item.setToolTip(1, row.help)
            self._items[row.name] = item
        self.setMinimumHeight(self._height(LEAST_ROWS))
        header.sectionResized.connect(self._on_section_resized)

    def sizeHint(self) -> QSize:
        """All rows, with every line of the reasons."""
        return QSize(super().sizeHint().width(), self._height())

    @pyqtSlot()
    def _on_section_resized(self, *_sizes: int) -> None:
        self.scheduleDelayedItemsLayout()  # reasons take more lines, or fewer

    def updateGeometries(self) -> None:
        super().updateGeometries()
        if (height := self._height()) != self._asked:
            self._asked = height
            self.updateGeometry()
            self.height_changed.emit()

    def clear_results(self, rows: Iterable[ExportFormat]) -> None:
        """Show no results; formats that are not among `rows` cannot hold the part, and some are not installed."""
        possible = {row.name for row in rows}
        for name, item in self._items.items():
            missing = not_installed(EXPORT_FORMATS[name])
            words, why = ("", "") if name in possible else ("not for this part", "")
            if missing:
                words, why = "not installed", missing.rpartition(". ")[2]
            self._fill(item, words, "", why, "text_dim", missing)

    def show_results(self, results: Iterable[FormatResult]) -> None:
        """Fill in what came of each format."""
        for result in results:
            item = self._items[result.format]
            if result.sentence:
                words, role = ("not possible", "warning") if result.limit else ("failed", "error")
                self._fill(item, words, "", result.sentence, role, result.sentence)
            else:
                words = f"equal, {result.difference:.1g}" if result.difference else "equal"
                tip = f"Largest difference on {result.rows:,} rows: {result.difference:.3g}"
                self._fill(item, words, f"{result.bytes / 1000:,.0f} kB", Path(result.paths[0]).name, "ok", tip)

    def _fill(self, item: QTreeWidgetItem, result: str, size: str, file: str, role: str, tip: str) -> None:
        for column, text in enumerate((result, size, file), 2):
            item.setText(column, text)
            item.setToolTip(column, tip or text)
        item.setForeground(2, color(getattr(theme.current(), role)))

    def _height(self, rows: int | None = None) -> int:
        """Return the height of the header and so many rows, of all if None."""
        shown = list(self._items.values())[:rows]
        heights = (self.rowHeight(self.indexFromItem(item)) for item in shown)
        return int(self.header().sizeHint().height() + sum(max(height, 20) for height in heights) + 2 * self.frameWidth())
