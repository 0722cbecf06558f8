"""Which columns the table of runs shows, and how wide they are; what the user has chosen is kept between starts."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from PyQt5.QtCore import QEvent, QObject, QPoint, Qt, QTimer, pyqtSlot
from PyQt5.QtGui import QFontMetrics, QResizeEvent
from PyQt5.QtWidgets import QAction, QHeaderView, QMenu, QTableView

from seqdec_gui.domain.menu_text import literal
from seqdec_gui.gui.look import preferences, theme
from seqdec_gui.gui.pages.runs.table import RunsModel
from seqdec_gui.gui.widgets.number_cells import cell_padding
from seqdec_gui.gui.widgets.table_style import title_width
from seqdec_gui.runs.listing import Entry

ALWAYS_SHOWN = "Run"
"""The title of the column that cannot be hidden."""
WIDEST = {"Run": 240, "Design": 160, "Tags": 160}
"""The width up to which a column of texts grows with them, in pixels."""
LEAST_NAME = 96
"""The width that the column of names has at least, in pixels."""
AT_ONCE = 400
"""The number of runs whose texts are measured at once; more are measured when the window is idle."""


class ColumnChooser(QObject):
    """Shows and hides columns of `table`. The menu is `columns_menu`, its actions `column_<title>`, with `_` for spaces."""

    def __init__(self, table: QTableView, model: RunsModel) -> None:
        super().__init__(table)
        self._table = table
        self._model = model
        header = table.horizontalHeader()
        header.setContextMenuPolicy(Qt.CustomContextMenu)
        header.customContextMenuRequested.connect(self._on_header_menu_requested)
        model.columns_changed.connect(self.apply)
        self.apply()

    @pyqtSlot()
    def apply(self) -> None:
        """Hide the columns that the user has hidden; also needed after the columns were made again."""
        hidden = preferences.hidden_run_columns()
        for place, title in enumerate(self._model.titles):
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
        for title in self._model.titles:
            if title == ALWAYS_SHOWN:
                continue
            action = QAction(literal(title), menu, checkable=True, checked=title not in hidden)
            action.setObjectName(f"column_{title.replace(' ', '_')}")
            action.toggled.connect(lambda on, title=title: self.show_column(title, on))
            menu.addAction(action)
        menu.addSeparator()
        everything = menu.addAction("Show All")
        everything.setObjectName("column_all")
        everything.setEnabled(bool(hidden))
        everything.triggered.connect(self._on_all_triggered)
        widths = menu.addAction("Fit Widths to Contents")
        widths.setObjectName("column_fit")
        widths.setEnabled(bool(preferences.run_column_widths()))
        widths.triggered.connect(self._on_fit_triggered)
        menu.popup(self._table.horizontalHeader().mapToGlobal(at))

    @pyqtSlot()
    def _on_all_triggered(self) -> None:
        preferences.set_hidden_run_columns(())
        self.apply()

    @pyqtSlot()
    def _on_fit_triggered(self) -> None:
        preferences.set_run_column_widths({})
        self._model.columns_changed.emit()


class ColumnWidths(QObject):
    """Keeps the columns of `table` as wide as their numbers, and the column of names as wide as the rest of the table.

    A column of numbers cannot be made narrower than its numbers; one of texts can, and its texts then end in dots. The column
    of names ends where, without scrolling, the last column that is seen is seen whole, unless the user has given it a width.
    """

    def __init__(self, table: QTableView, model: RunsModel) -> None:
        super().__init__(table)
        self._table = table
        self._model = model
        self._needed: dict[str, int] = {}
        self._waiting: deque[Entry] = deque()
        self._setting = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_timer_timeout)
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.Interactive)
        header.setMinimumSectionSize(40)
        header.sectionResized.connect(self._on_section_resized)
        table.viewport().installEventFilter(self)
        model.columns_changed.connect(self._on_columns_changed)
        model.entries_changed.connect(self._on_entries_changed)
        theme.notifier.changed.connect(self._on_columns_changed)

    def apply(self) -> None:
        """Set the widths."""
        chosen, padding = preferences.run_column_widths(), cell_padding(self._table)
        self._setting = True
        for place, column in enumerate(self._model.columns):
            needed = max(self._needed.get(column.title, 0) + padding, title_width(column.title))
            width = needed if column.number else min(needed, WIDEST.get(column.title, needed))
            wish = chosen.get(column.title)
            if wish is not None:
                width = max(wish, needed) if column.number else max(wish, 40)
            self._table.setColumnWidth(place, width)
        if ALWAYS_SHOWN not in chosen:
            self._table.setColumnWidth(0, self._name_width(self._needed.get(ALWAYS_SHOWN, 0) + padding))
        self._setting = False

    def stop(self) -> None:
        """Measure no more, as the table is not seen."""
        self._timer.stop()

    def _name_width(self, needed: int) -> int:
        """Return a width of the column of names with which the columns end at the edge of the table, or as many as can."""
        room = self._table.viewport().width()
        header = self._table.horizontalHeader()
        places = sorted(range(1, len(self._model.columns)), key=header.visualIndex)
        widths = [self._table.columnWidth(place) for place in places if not self._table.isColumnHidden(place)]
        wanted = min(WIDEST["Run"], max(LEAST_NAME, needed))
        for count in range(len(widths), 0, -1):  # as many columns as leave the names what they need
            if room - sum(widths[:count]) >= wanted:
                return room - sum(widths[:count]) if count < len(widths) else wanted
        return max(LEAST_NAME, wanted)

    def _measure(self, entries: Iterable[Entry]) -> None:
        """Learn how wide the texts of these runs are."""
        metrics = QFontMetrics(self._table.font())
        every = list(entries)
        for column in self._model.columns:
            texts = {column.text(entry) for entry in every}
            widest = max(map(metrics.horizontalAdvance, sorted(texts, key=len)[-16:]), default=0)
            self._needed[column.title] = max(widest, self._needed.get(column.title, 0))

    @pyqtSlot()
    def _on_columns_changed(self) -> None:
        self._needed = {}
        self._waiting.clear()
        self._on_entries_changed(self._model.entries)

    @pyqtSlot(object)
    def _on_entries_changed(self, entries: Sequence[Entry]) -> None:
        self._measure(entries[:AT_ONCE])
        self._waiting.extend(entries[AT_ONCE:])
        if self._waiting:
            self._timer.start(0)
        self.apply()

    @pyqtSlot()
    def _on_timer_timeout(self) -> None:
        self._measure([self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))])
        if self._waiting:
            self._timer.start(0)
        else:
            self.apply()

    @pyqtSlot(int, int, int)
    def _on_section_resized(self, place: int, _old: int, new: int) -> None:
        """Keep what the user has dragged, but no column of numbers narrower than they are."""
        if self._setting or new == 0 or place >= len(self._model.columns):
            return
        column = self._model.columns[place]
        least = self._needed.get(column.title, 0) + cell_padding(self._table)
        preferences.set_run_column_widths(preferences.run_column_widths() | {column.title: new})
        if column.number and new < least:
            self._setting = True
            self._table.setColumnWidth(place, least)
            self._setting = False

    def eventFilter(self, _watched: QObject | None, event: QEvent) -> bool:
        if isinstance(event, QResizeEvent) and event.size().width() != event.oldSize().width():
            self.apply()
        return False
