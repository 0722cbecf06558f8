"""The choice of the columns that the table of runs shows, made in the header's menu and kept between starts."""

from __future__ import annotations

from PyQt5.QtCore import QObject, QPoint, Qt, pyqtSlot
from PyQt5.QtWidgets import QAction, QMenu, QTableView

from seqdec_gui.gui.look import preferences

ALWAYS_SHOWN = "Run"
"""The title of the column that cannot be hidden."""


class ColumnChooser(QObject):
    """Shows and hides columns of `table`. The menu is `columns_menu`, its actions `column_<title>` with underscores for spaces.
    """

    def __init__(self, table: QTableView) -> None:
        super().__init__(table)
        self._table = table
        header = table.horizontalHeader()
        header.setContextMenuPolicy(Qt.CustomContextMenu)
        header.customContextMenuRequested.connect(self._on_header_menu_requested)
        table.model().modelReset.connect(self.apply)
        self.apply()

    @property
    def titles(self) -> list[str]:
        model = self._table.model()
        return [str(model.headerData(place, Qt.Horizontal)) for place in range(model.columnCount())]

    @pyqtSlot()
    def apply(self) -> None:
        """Hide the columns that the user has hidden; also needed after the columns were made again."""
        hidden = preferences.hidden_run_columns()
        for place, title in enumerate(self.titles):
            self._table.setColumnHidden(place, title in hidden and title != ALWAYS_SHOWN)

    def show_column(self, title: str, shown: bool) -> None:
        """Show or hide a column, now and at the next starts."""
        hidden = set(preferences.hidden_run_columns())
        preferences.set_hidden_run_columns(hidden - {title} if shown else hidden | {title})
        self.apply()

    @pyqtSlot(QPoint)
    def _on_header_menu_requested(self, at: QPoint) -> None:
        menu = QMenu(self._table)
        menu.setObjectName("columns_menu")
        menu.setAttribute(Qt.WA_DeleteOnClose)
        hidden = preferences.hidden_run_columns()
        for title in self.titles:
            if title == ALWAYS_SHOWN:
                continue
            action = QAction(title, menu, checkable=True, checked=title not in hidden)
            action.setObjectName(f"column_{title.replace(' ', '_')}")
            action.toggled.connect(lambda on, title=title: self.show_column(title, on))
            menu.addAction(action)
        menu.addSeparator()
        everything = menu.addAction("Show All")
        everything.setObjectName("column_all")
        everything.setEnabled(bool(hidden))
        everything.triggered.connect(self._on_all_triggered)
        menu.popup(self._table.horizontalHeader().mapToGlobal(at))

    @pyqtSlot()
    def _on_all_triggered(self) -> None:
        preferences.set_hidden_run_columns(())
        self.apply()
