"""The list of a file's columns, with the details of the chosen one below it."""

from __future__ import annotations

from PyQt5.QtCore import QPoint, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QAbstractItemView, QHeaderView, QSplitter, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from seqdec_gui.data.display import type_text
from seqdec_gui.data.formats.base import Column, Table
from seqdec_gui.data.tokens import TokenKind
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.pages.data.column_details import ColumnDetails
from seqdec_gui.gui.pages.data.column_drag import ColumnDrag, Columns
from seqdec_gui.gui.pages.data.measuring import Measurements

ICONS = {"text": "format-text", "integer": "numeric", "number": "decimal", "array": "matrix"}
"""The icon of a column, by the column's kind."""


class ColumnsPanel(QWidget):
    """The list `columns_list`, from which columns are dragged, and the details of the chosen column."""

    column_chosen = pyqtSignal(str)

    def __init__(self, measurements: Measurements, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._measurements = measurements
        self._table: Table | None = None
        self._failures: dict[str, str] = {}
        self._list = QTreeWidget(objectName="columns_list")
        self._list.setAccessibleName("Columns")
        self._list.setHeaderLabels(["Column", "Holds"])
        self._list.setRootIsDecorated(False)
        self._list.setUniformRowHeights(True)
        self._list.setSelectionMode(QAbstractItemView.ExtendedSelection)
        self._list.setTextElideMode(Qt.ElideRight)
        self._list.header().setStretchLastSection(False)
        self._list.header().setSectionResizeMode(0, QHeaderView.Stretch)
        self._list.header().setSectionResizeMode(1, QHeaderView.ResizeToContents)
        self._list.currentItemChanged.connect(self._on_list_current_item_changed)
        self.drag = ColumnDrag(self._list, self._columns_at)
        self.details = ColumnDetails()
        self.details.tokens_changed.connect(self._on_details_tokens_changed)
        splitter = QSplitter(Qt.Vertical)
        layout = QVBoxLayout(self)  # before the splitter is filled: what is moved with its contents is styled once more
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(splitter)
        splitter.addWidget(self._list)
        splitter.addWidget(self.details)
        splitter.setStretchFactor(0, 2)
        splitter.setStretchFactor(1, 3)
        splitter.setSizes([150, 410])
        splitter.setChildrenCollapsible(False)
        measurements.measured.connect(self._on_measurements_measured)
        measurements.failed.connect(self._on_measurements_failed)
        theme.notifier.changed.connect(self._on_theme_changed)

    def show_table(self, table: Table | None) -> None:
        """List the columns of another file."""
        self._table = table
        self._failures.clear()
        self._list.clear()
        for column in () if table is None else table.columns:
            item = QTreeWidgetItem([column.name, type_text(column)])
            item.setToolTip(0, f"{column.name}: {type_text(column)}. Drag it onto a port to bind it.")
            item.setData(0, Qt.UserRole, column.kind)
            self._list.addTopLevelItem(item)
        self._on_theme_changed()
        if self._list.topLevelItemCount():
            self._list.setCurrentItem(self._list.topLevelItem(0))
        else:
            self.details.show_column(None, None)

    def choose(self, name: str) -> None:
        """Make this column the chosen one."""
        matches = self._list.findItems(name, Qt.MatchExactly, 0)
        if matches:
            self._list.setCurrentItem(matches[0])

    @property
    def chosen(self) -> Column | None:
        item = self._list.currentItem()
        return None if item is None or self._table is None else self._table.column(item.text(0))

    def _columns_at(self, position: QPoint) -> Columns:
        item = self._list.itemAt(position)
        if item is None:
            return ()
        if item.isSelected():
            items = (self._list.topLevelItem(row) for row in range(self._list.topLevelItemCount()))
            return tuple(each.text(0) for each in items if each.isSelected())
        return (item.text(0),)

    def _refresh_details(self) -> None:
        column = self.chosen
        if column is None:
            self.details.show_column(None, None)
            return
        tokens: TokenKind = "words" if column.kind == "text" and self.details.tokens == "words" else "characters"
        measured = self._measurements.known(column.name, tokens)
        failure = self._failures.get(column.name, "")
        if measured is None and not failure:
            self._measurements.want(column.name, tokens)
        self.details.show_column(column, measured, failure)

    def _on_list_current_item_changed(self, current: QTreeWidgetItem | None, _previous: QTreeWidgetItem | None) -> None:
        self._refresh_details()
        if current is not None:
            self.column_chosen.emit(current.text(0))

    @pyqtSlot(str)
    def _on_details_tokens_changed(self, _tokens: str) -> None:
        self._refresh_details()

    @pyqtSlot(str)
    def _on_measurements_measured(self, name: str) -> None:
        if self.chosen is not None and self.chosen.name == name:
            self._refresh_details()

    @pyqtSlot(str, object)
    def _on_measurements_failed(self, name: str, error: Exception) -> None:
        self._failures[name] = str(error)
        self._on_measurements_measured(name)

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        for row in range(self._list.topLevelItemCount()):
            item = self._list.topLevelItem(row)
            item.setIcon(0, icon(ICONS[item.data(0, Qt.UserRole)]))
