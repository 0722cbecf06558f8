"""The rows of a data file for a table view, read page by page in a thread."""

from __future__ import annotations

from collections import OrderedDict

from PyQt5.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, pyqtSignal

from seqdec_gui.data.display import cell_text, type_text
from seqdec_gui.data.formats.base import Cell, Column, Table
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.tasks import background

PAGE_BYTES = 2**21
"""The approximate size of a page in memory, in bytes."""
MAX_PAGE_ROWS = 256
"""The number of rows of a page, unless rows are large."""
KEPT_PAGES = 64
"""The number of pages that are kept in memory."""
MAX_WANTED_PAGES = 3
"""The number of pages that wait to be read; older requests are dropped."""
PENDING = "…"
"""The text of a cell that has not been read yet."""

Page = list[list[Cell]]  # column, row


class RowsModel(QAbstractTableModel):
    """A table model for any number of rows. Only pages that are needed are read, and the last `KEPT_PAGES` of them are kept.

    One page is read at a time, the most recently requested first, so that dragging the scroll bar over many rows reads few
    pages.
    """

    page_failed = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table: Table | None = None
        self._pages: OrderedDict[int, Page] = OrderedDict()
        self._wanted: list[int] = []
        self._reading: background.Operation | None = None
        self.page_rows = MAX_PAGE_ROWS

    @property
    def pages(self) -> int:
        """Return the number of pages that are kept."""
        return len(self._pages)

    def show_table(self, table: Table | None) -> None:
        """Show the rows of another file, or none."""
        self.beginResetModel()
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        self._table = table
        self._pages.clear()
        self._wanted.clear()
        self.page_rows = MAX_PAGE_ROWS if table is None else _page_rows(table)
        self.endResetModel()

    # -- methods that Qt calls
    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if self._table is None or (parent is not None and parent.isValid()) else self._table.rows

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if self._table is None or (parent is not None and parent.isValid()) else len(self._table.columns)

    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> object:
        if self._table is None or not index.isValid():
            return None
        if role == Qt.TextAlignmentRole:
            return self._alignment(self._table.columns[index.column()])
        if role not in (Qt.DisplayRole, Qt.ToolTipRole, Qt.UserRole, Qt.ForegroundRole):
            return None
        known, cell = self._cell(index.row(), index.column())
        if role == Qt.DisplayRole:
            return cell_text(cell) if known else PENDING
        if role == Qt.UserRole:
            return cell
        if role == Qt.ForegroundRole:
            return None if known and cell is not None else theme.color(theme.current().text_disabled)
        return cell if isinstance(cell, str) and len(cell) > 24 else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.DisplayRole) -> object:
        if self._table is None:
            return None
        if orientation == Qt.Vertical:
            return f"{section + 1:,}" if role == Qt.DisplayRole else None
        column = self._table.columns[section]
        if role == Qt.DisplayRole:
            return column.name
        if role == Qt.ToolTipRole:
            return f"{column.name}: {type_text(column)}. Drag it onto a port to bind it."
        if role == Qt.TextAlignmentRole:
            return self._alignment(column)
        return None

    @staticmethod
    def _alignment(column: Column) -> int:
        """Return where the cells of a column and its title stand: numbers at the right."""
        return int(Qt.AlignVCenter | (Qt.AlignRight if column.kind in ("integer", "number") else Qt.AlignLeft))

    # -- pages
    def loaded(self, row: int) -> bool:
        """Return whether this row has been read."""
        return row // self.page_rows in self._pages

    def _cell(self, row: int, column: int) -> tuple[bool, Cell]:
        number = row // self.page_rows
        page = self._pages.get(number)
        if page is None:
            self._want(number)
            return False, None
        cells = page[column]
        at = row - number * self.page_rows
        return True, cells[at] if at < len(cells) else None

    def _want(self, number: int) -> None:
        if number in self._wanted:
            if self._wanted[-1] == number:
                return
            self._wanted.remove(number)
        self._wanted.append(number)
        del self._wanted[:-MAX_WANTED_PAGES]  # older requests are repeated when the rows become visible
        if self._reading is None:
            self._read_next()

    def _read_next(self) -> None:
        while self._wanted and self._wanted[-1] in self._pages:
            self._wanted.pop()
        if not self._wanted or self._table is None:
            return
        number, table, count = self._wanted.pop(), self._table, self.page_rows

        def read() -> tuple[int, Page]:
            return number, [table.page(column.name, number * count, count) for column in table.columns]

        self._reading = background.run(read, self._on_page_read, self._on_page_failed, self)

    def _on_page_read(self, numbered_page: tuple[int, Page]) -> None:
        self._reading = None
        number, page = numbered_page
        self._pages[number] = page
        while len(self._pages) > KEPT_PAGES:
            self._pages.popitem(last=False)
        first = number * self.page_rows
        last = min(first + self.page_rows, self.rowCount()) - 1
        self.dataChanged.emit(self.index(first, 0), self.index(last, self.columnCount() - 1))
        self._read_next()

    def _on_page_failed(self, error: Exception) -> None:
        self._reading = None
        self._wanted.clear()
        self.page_failed.emit(error)


def _page_rows(table: Table) -> int:
    """Return the number of rows of a page: fewer if rows are large."""
    row_bytes = 0
    for column in table.columns:
        size = 32
        for length in column.shape:
            size *= length
        row_bytes += size
    return max(8, min(MAX_PAGE_ROWS, PAGE_BYTES // max(1, row_bytes)))
