"""The rows of the file as a table, and dragging its columns by their headers."""

from __future__ import annotations

from PyQt5.QtCore import QPoint, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from seqdec_gui.data.formats.base import Table
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.data.column_drag import ColumnDrag, Columns
from seqdec_gui.gui.pages.data.rows_model import RowsModel
from seqdec_gui.gui.widgets.whole_values import WholeValues

ROW_HEIGHT = 24
"""The height of a row, in pixels."""
MIN_WIDTH = 72
"""The least width that a column gets from its contents, in pixels."""
MAX_WIDTH = 320
"""The greatest width that a column gets from its contents, in pixels."""


class Preview(QTableView):
    """The table of the file's rows. Its cost does not depend on the number of rows. Object name `data_table`."""

    column_chosen = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("data_table")
        self.setAccessibleName("Rows of the data file")
        self.rows = RowsModel(self)
        self._table: Table | None = None
        self._fitted = False
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setShowGrid(True)
        self.setSelectionMode(QAbstractItemView.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollPerItem)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollPerPixel)
        self.setCornerButtonEnabled(False)
        self.setEditTriggers(QAbstractItemView.NoEditTriggers)
        vertical = self.verticalHeader()
        vertical.setSectionResizeMode(QHeaderView.Fixed)
        vertical.setDefaultSectionSize(ROW_HEIGHT)
        vertical.setHighlightSections(False)
        vertical.setDefaultAlignment(Qt.AlignRight | Qt.AlignVCenter)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(True)
        header.setDefaultAlignment(Qt.AlignLeft | Qt.AlignVCenter)
        header.setTextElideMode(Qt.ElideRight)
        header.sectionPressed.connect(self._on_header_section_pressed)
        self.setModel(self.rows)
        self.setItemDelegate(WholeValues(self._is_number, self))
        self.drag = ColumnDrag(header, self._columns_at)
        self.rows.dataChanged.connect(self._on_rows_data_changed)
        theme.notifier.changed.connect(self.viewport().update)

    def show_table(self, table: Table | None) -> None:
        """Show the rows of another file, from the first row on."""
        self._table = table
        self._fitted = False
        self.rows.show_table(table)
        digits = len(f"{0 if table is None else table.rows:,}")
        self.verticalHeader().setFixedWidth(self.fontMetrics().horizontalAdvance("0") * max(digits, 3) + 4 * theme.SPACE)
        self._fit_columns()
        self.scrollToTop()

    def _is_number(self, column: int) -> bool:
        return self._table is not None and column < len(self._table.columns) and self._table.columns[column].kind != "text"

    def _columns_at(self, position: QPoint) -> Columns:
        header = self.horizontalHeader()
        section = header.logicalIndexAt(position)
        if section < 0 or self._table is None or header.cursor().shape() == Qt.SplitHCursor:
            return ()
        chosen = [index.column() for index in self.selectionModel().selectedColumns()]
        names = [self._table.columns[column].name for column in sorted(chosen)]
        name = self._table.columns[section].name
        return tuple(names) if name in names else (name,)

    @pyqtSlot(int)
    def _on_header_section_pressed(self, section: int) -> None:
        if self._table is not None:
            self.column_chosen.emit(self._table.columns[section].name)

    def _on_rows_data_changed(self) -> None:
        if not self._fitted and self.rows.loaded(0):
            self._fitted = True
            self._fit_columns()

    def _fit_columns(self) -> None:
        """Set the widths of the columns by their headers and first rows, so that most cells are shown in full."""
        count = self.rows.columnCount()
        if not count:
            return
        metrics, shown = self.fontMetrics(), min(self.rows.rowCount(), 30)
        loaded = self.rows.loaded(0)
        for column in range(min(count, 200)):
            words = [str(self.rows.headerData(column, Qt.Horizontal))]
            if loaded:
                words += [str(self.rows.data(self.rows.index(row, column))) for row in range(shown)]
            width = max(metrics.horizontalAdvance(word[:80]) for word in words) + 6 * theme.SPACE
            self.setColumnWidth(column, max(MIN_WIDTH, min(MAX_WIDTH, width)))
        self.horizontalHeader().setStretchLastSection(True)
