"""The Runs page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PyQt5.QtCore import QItemSelection, QItemSelectionModel, QPoint, Qt, QTimer, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QHideEvent, QShowEvent
from PyQt5.QtWidgets import QAbstractItemView, QMenu, QSplitter, QStackedWidget, QTableView, QVBoxLayout, QWidget

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.runs.acts import RunActs
from seqdec_gui.gui.pages.runs.columns import ColumnChooser, ColumnWidths
from seqdec_gui.gui.pages.runs.details import Details
from seqdec_gui.gui.pages.runs.no_runs import NoRuns
from seqdec_gui.gui.pages.runs.table import RunsModel
from seqdec_gui.gui.pages.runs.tools import Tools
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.widgets.number_cells import NumberCells
from seqdec_gui.gui.widgets.table_style import show_as_list, title_height
from seqdec_gui.gui.workspace.launch import design_key, runs_places
from seqdec_gui.gui.workspace.training_session import session_of
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs import known, listing
from seqdec_gui.runs.data_record import read_record
from seqdec_gui.runs.differences import Difference, differences, run_differences
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.listing import Entry
from seqdec_gui.runs.run_search import Found, find_runs

REFRESH_MS = 1000
"""The time between two looks at the active runs, in milliseconds."""


class RunsPage(QWidget):
    """The table of runs with its tools and details: those of the open design, or all of this user.

    The folders are read in a thread: when the page is shown, and when a run starts or ends. While runs are active, these are
    read every second.
    """

    _part_read = pyqtSignal(object)  # list[Entry]

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "page")
        self.setAttribute(Qt.WA_StyledBackground)
        self._workspace = workspace
        self._session = session_of(workspace)
        self._asked: background.Operation | None = None
        self._ask_again = False
        self._wanted: Path | None = None
        self.model = RunsModel(self)
        self.table = QTableView(objectName="runs_table")
        self.tools = Tools()
        self.details = Details()
        self.empty = NoRuns(workspace)
        self.acts = RunActs(workspace, self, lambda: self.selected)
        self._set_up_table()
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self._look_again)
        self._connect()
        self._show_filter()
        self._show_selection()

    # -- building
    def _set_up_table(self) -> None:
        table = self.table
        table.setAccessibleName("Runs")
        table.setModel(self.model)
        for header in (table.horizontalHeader(), table.verticalHeader()):
            # With that of the table a header asks of every cell whether it is selected: half a second for 5,000 runs.
            header.setSelectionModel(QItemSelectionModel(self.model, header))
        show_as_list(table, 7 * theme.SPACE)
        table.setItemDelegate(NumberCells(table))
        table.setTextElideMode(Qt.ElideMiddle)
        table.setSelectionBehavior(QAbstractItemView.SelectRows)
        table.setSelectionMode(QAbstractItemView.ExtendedSelection)
        table.setContextMenuPolicy(Qt.CustomContextMenu)
        table.horizontalHeader().setFixedHeight(title_height())
        table.horizontalHeader().setSectionsMovable(True)
        self.columns = ColumnChooser(table, self.model)
        self.widths = ColumnWidths(table, self.model)
        self._show_order()
        table.setSortingEnabled(True)

    @pyqtSlot()
    def _show_order(self) -> None:
        """Show the arrow at the column that the runs are sorted by, which may stand elsewhere now."""
        self.table.horizontalHeader().setSortIndicator(*self.model.sorted_by)

    def _lay_out(self) -> None:
        self._stack = QStackedWidget()
        split = QSplitter(Qt.Vertical)
        outer = QVBoxLayout(self)  # before the splitter is filled: what is moved with its contents is styled once more
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.tools)
        outer.addWidget(self._stack, 1)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(split)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(1)
        split.addWidget(self.table)
        split.addWidget(self.details)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        split.setSizes([600, 320])

    def _connect(self) -> None:
        workspace = self._workspace
        self.table.selectionModel().selectionChanged.connect(self._on_selection_changed)
        self.table.doubleClicked.connect(self._on_table_activated)
        self.table.customContextMenuRequested.connect(self._on_table_menu_requested)
        self.model.columns_changed.connect(self._show_order)
        self.details.note_written.connect(self._on_details_note_written)
        self.details.tags_written.connect(self._on_details_tags_written)
        self.tools.scope_changed.connect(self._show_scope)
        self.tools.folder_requested.connect(self.add_folder)
        self.tools.filter_bar.changed.connect(self._show_filter)
        self.empty.others.clicked.connect(self.tools.show_all_designs)
        self.acts.changed.connect(self.refresh)
        for name, function in self.acts.by_name.items():
            self.tools.actions_by_name[name].triggered.connect(lambda _checked, act=function: act())
            self.table.addAction(self.tools.actions_by_name[name])
        self._part_read.connect(self._on_part_read)
        workspace.document.path_changed.connect(self.refresh)
        workspace.document.replaced.connect(self.refresh)
        workspace.document.design_changed.connect(self._on_document_design_changed)
        workspace.run_ended.connect(self._on_workspace_run_ended)
        workspace.run_certified.connect(self._on_workspace_run_ended)
        workspace.run_requested.connect(self._on_workspace_run_requested)
        workspace.all_runs_requested.connect(self._on_workspace_all_runs_requested)
        self._session.active_changed.connect(self.refresh)

    # -- the list
    @property
    def selected(self) -> list[Entry]:
        """Return the selected runs, the oldest first."""
        entries = self.model.entries
        rows = {row for part in self.table.selectionModel().selection() for row in range(part.top(), part.bottom() + 1)}
        return sorted((entries[row] for row in rows), key=lambda entry: entry.summary.created or 0)

    @property
    def reading(self) -> bool:
        """Return whether the folders are being read."""
        return self._asked is not None

    @pyqtSlot()
    def refresh(self, *_changes: object) -> None:
        """Read all folders in a thread, unless they are being read already."""
        if not self.isVisible():
            return
        if self._asked is not None:
            self._ask_again = True
            return
        key, path = design_key(self._workspace.document), self._workspace.document.path
        told = self._part_read.emit
        self._asked = background.run(
            lambda: listing.shared().read(runs_places(path), key, told), self._on_listing_read, self._on_listing_failed, self
        )

    @pyqtSlot()
    def _look_again(self) -> None:
        """Read the active runs again in a thread."""
        if not self.isVisible() or self._asked is not None:
            return
        key, alive = design_key(self._workspace.document), [entry.path for entry in self.model.every if entry.alive]
        self._asked = background.run(
            lambda: listing.shared().look_again(alive, key), self._on_listing_read, self._on_listing_failed, self
        )

    @pyqtSlot(object)
    def _on_part_read(self, entries: list[Entry]) -> None:
        if self._asked is not None:
            self._show(entries)

    def _on_listing_read(self, entries: list[Entry]) -> None:
        self._asked = None
        self._show(entries)
        if any(entry.alive for entry in entries) and self.isVisible():
            self._timer.start()
        else:
            self._timer.stop()
        if self._wanted is not None and any(entry.path == self._wanted for entry in entries):
            wanted, self._wanted = self._wanted, None
            self._select({wanted})
        if self._ask_again:
            self._ask_again = False
            self.refresh()

    def _on_listing_failed(self, error: Exception) -> None:
        self._asked = None
        raise error

    def _show(self, entries: list[Entry]) -> None:
        """Show these runs, as far as the scope and the filter let them pass; the selection stays."""
        if not _are_same(entries, self.model.every) or any(entry.alive for entry in entries):
            at = self.table.verticalScrollBar().value()
            self._keep_selection(lambda: self.model.update(entries))
            self.table.verticalScrollBar().setValue(at)
            self._show_choices()
        self._show_count()
        chosen = self.selected
        if len(chosen) == 1:
            self.details.show_entry(chosen[0])
        self.tools.show_for(chosen)

    def _show_choices(self) -> None:
        self.tools.filter_bar.show_choices(entry for entry in self.model.every if entry.own or self.tools.all_designs)

    def _show_count(self) -> None:
        every, shown = self.model.every, len(self.model.entries)
        of = len(every) if self.tools.all_designs else sum(entry.own for entry in every)
        self._stack.setCurrentIndex(1 if of else 0)
        self.empty.show_others(bool(every) and not self.tools.all_designs)
        self.empty.show_readiness()
        self.tools.set_count(shown, of, self._workspace.document.name, self.reading)

    def _keep_selection(self, change: Callable[[], None]) -> None:
        """Change the rows, after which the same runs are selected as far as they are there."""
        before = {entry.path for entry in self.selected}
        change()
        self._select(before)
        if before and {entry.path for entry in self.selected} != before:
            self._show_selection()  # rows that are made again take their selection with them, and nobody is told

    def _select(self, paths: set[Path]) -> None:
        """Select these runs after the rows were made again, all in one step."""
        if paths == {entry.path for entry in self.selected}:
            return
        rows = [row for row, entry in enumerate(self.model.entries) if entry.path in paths]
        chosen, last = QItemSelection(), self.model.columnCount() - 1
        for first, end in _stretches(rows):
            chosen.select(self.model.index(first, 0), self.model.index(end, last))
        self.table.selectionModel().select(chosen, QItemSelectionModel.ClearAndSelect)
        if rows:
            self.table.scrollTo(self.model.index(rows[0], 0))

    @pyqtSlot()
    def _show_scope(self) -> None:
        self._show_choices()
        self._show_filter()
        self.refresh()

    @pyqtSlot()
    def _show_filter(self) -> None:
        self._keep_selection(lambda: self.model.set_filter(self.tools.filter_bar.filter))
        self._show_count()

    @pyqtSlot(Path)
    def _on_workspace_run_ended(self, _run: Path) -> None:
        self.refresh()

    @pyqtSlot(Path)
    def _on_workspace_run_requested(self, run: Path) -> None:
        if self.isVisible():
            self._wanted = Path(run)
            self.refresh()

    @pyqtSlot(str)
    def _on_workspace_all_runs_requested(self, state: str) -> None:
        self.tools.show_all_designs()
        self.tools.filter_bar.choose_state(state)

    def add_folder(self) -> None:
        """Ask for a folder, look for runs in it and below, and list them from now on."""

        def remember(found: Found) -> Found:
            known.remember_folders(found.folders)
            return found

        def then(folder: Path) -> None:
            self._workspace.status_message.emit(f"Looking for runs in {folder}…")
            background.run(
                lambda: remember(find_runs(folder)), lambda found: self._on_folder_searched(folder, found), owner=self
            )

        notify.choose_folder(self, "Add a folder of runs", then)

    def _on_folder_searched(self, folder: Path, found: Found) -> None:
        if not found.runs:
            text = (
                f"Neither {folder} nor the folders in it hold a run: a folder with spec.json and what a training has written."
            )
            notify.message(self, "No runs found", text)
            return
        where = counted(len(found.folders), "folder")
        more = "" if found.complete else " There may be more: the search ended before all folders had been seen."
        self._workspace.status_message.emit(f"{counted(found.runs, 'run')} in {where}.{more}")
        self.refresh()

    # -- selection
    @pyqtSlot()
    def _on_selection_changed(self, *_selections: object) -> None:
        self._show_selection()

    def _show_selection(self) -> None:
        chosen = self.selected
        self.tools.show_for(chosen)
        self.details.show_entry(chosen[0] if len(chosen) == 1 else None)
        if not chosen or len(chosen) > 2 or any(entry.missing for entry in chosen):
            text = "Select two runs to see what changed between them, or one to compare it with the open design."
            self.details.show_differences(text, "", "", ())
            return
        old = chosen[0]
        new = chosen[1] if len(chosen) == 2 else None
        design = self._workspace.document.design
        background.run(
            lambda: _compare(old, new, design),
            lambda differences: self._on_compared(chosen, differences),
            lambda error: self.details.show_differences(str(error), "", "", ()),
            self,
        )

    def _on_compared(self, entries: list[Entry], differences: tuple[Difference, ...]) -> None:
        if [entry.path for entry in entries] != [entry.path for entry in self.selected]:
            return  # the selection has changed meanwhile
        old, new = entries[0].name, entries[1].name if len(entries) == 2 else "Open design"
        count = counted(len(differences), "change") if differences else "Nothing changed"
        compared = "between the two runs" if len(entries) == 2 else "since this run"
        self.details.show_differences(f"{count} {compared}", old, new, differences)

    @pyqtSlot(Design, Design)
    def _on_document_design_changed(self, _old: Design, _new: Design) -> None:
        if self.isVisible():
            self._show_selection()
        self.empty.show_readiness()

    # -- actions
    @pyqtSlot(object, str)
    def _on_details_note_written(self, path: Path, text: str) -> None:
        self.acts.keep(path, note=text)

    @pyqtSlot(object, object)
    def _on_details_tags_written(self, path: Path, tags: tuple[str, ...]) -> None:
        self.acts.keep(path, tags=tags)

    @pyqtSlot()
    def _on_table_activated(self, *_index: object) -> None:
        if self.tools.actions_by_name["show"].isEnabled():
            self.acts.show_curves()

    @pyqtSlot(QPoint)
    def _on_table_menu_requested(self, at: QPoint) -> None:
        chosen = self.selected
        if not chosen:
            return
        menu = QMenu(self.table)
        menu.setAttribute(Qt.WA_DeleteOnClose)
        for name, action in self.tools.actions_by_name.items():
            if name in ("certify", "rename", "trash"):
                menu.addSeparator()
            if name != "forget" or any(entry.missing for entry in chosen):
                menu.addAction(action)
        menu.popup(self.table.viewport().mapToGlobal(at))

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        self.refresh()

    def hideEvent(self, event: QHideEvent | None) -> None:
        super().hideEvent(event)
        self._timer.stop()
        self.widths.stop()
        self.details.save()


def _stretches(rows: Iterable[int]) -> list[tuple[int, int]]:
    """Return the first and the last of each stretch of rows that follow each other. The rows are in order."""
    stretches: list[tuple[int, int]] = []
    for row in rows:
        if stretches and stretches[-1][1] == row - 1:
            stretches[-1] = (stretches[-1][0], row)
        else:
            stretches.append((row, row))
    return stretches


def _are_same(first: list[Entry], second: list[Entry]) -> bool:
    """Return whether both lists have the same objects, which a listing gives as long as nothing has changed."""
    return len(first) == len(second) and all(one is other for one, other in zip(first, second, strict=True))


def _compare(old: Entry, new: Entry | None, design: Design) -> tuple[Difference, ...]:
    first = RunFolder(old.path).read_spec()
    if new is None:
        return differences(first.load_design(), design)
    read = read_record(RunFolder(old.path).dataset), read_record(RunFolder(new.path).dataset)
    return run_differences(first, RunFolder(new.path).read_spec(), read)
