"""The Runs page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from PyQt5.QtCore import QItemSelectionModel, QPoint, Qt, QTimer, QUrl, pyqtSlot
from PyQt5.QtGui import QDesktopServices, QHideEvent, QShowEvent
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QSplitter,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.runs.columns import ColumnChooser
from seqdec_gui.gui.pages.runs.details import Details
from seqdec_gui.runs.data_record import read_record
from seqdec_gui.runs.differences import Difference, differences, run_differences
from seqdec_gui.runs.listing import Entry, Listing
from seqdec_gui.gui.pages.runs.no_runs import NoRuns
from seqdec_gui.runs.notes import Note, read_note, write_note
from seqdec_gui.gui.pages.runs.table import ENTRY_ROLE, RunsModel, SortedRuns
from seqdec_gui.gui.pages.runs.tools import Tools
from seqdec_gui.gui.pages.runs.trash import move_to_trash
from seqdec_gui.gui.widgets.table_style import fit_columns, show_as_list
from seqdec_gui.gui.dialogs.begin_from_weights import ask_what_to_keep
from seqdec_gui.gui.workspace.launch import design_key, runs_parents
from seqdec_gui.gui.workspace.training_session import session_of
from seqdec_gui.gui.workspace.workspace import PageName, Workspace
from seqdec_gui.runs.folder import RunFolder

REFRESH_MS = 1000
"""The time between two readings of the folder while a run is active, in milliseconds."""
NAME_WIDTHS = (96, 200)
"""The least and the greatest width of the column of names, in pixels."""


class RunsPage(QWidget):
    """The table of runs with its tools and details.

    The folder is read in a thread: when the page is shown, when a run starts or ends, and every second while a run is active.
    """

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "page")
        self.setAttribute(Qt.WA_StyledBackground)
        self._workspace = workspace
        self._session = session_of(workspace)
        self._listing = Listing()
        self._asked: background.Operation | None = None
        self._ask_again = False
        self._wanted: Path | None = None
        self.model = RunsModel(self)
        self.sorted = SortedRuns(self.model, self)
        self.table = QTableView(objectName="runs_table")
        self.tools = Tools()
        self.details = Details()
        self.empty = NoRuns(workspace)
        self._set_up_table()
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self._connect()
        self._show_design()
        self._show_selection()

    # -- building
    def _set_up_table(self) -> None:
        table = self.table
        table.setAccessibleName("Runs")
        table.setModel(self.sorted)
        show_as_list(table, 7 * theme.SPACE)
        table.setSelectionBehavior(QAbstractItemView.SelectRows)
        table.setSelectionMode(QAbstractItemView.ExtendedSelection)
        table.setSortingEnabled(True)
        table.setContextMenuPolicy(Qt.CustomContextMenu)
        table.horizontalHeader().setSectionsMovable(True)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.Interactive)
        self.columns = ColumnChooser(table)
        self._sort_by_start()

    def _sort_by_start(self) -> None:
        """Sort the runs by their start, the latest first."""
        self.table.sortByColumn(len(self.model.columns) - 1, Qt.DescendingOrder)

    def _lay_out(self) -> None:
        split = QSplitter(Qt.Vertical)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(1)
        split.addWidget(self.table)
        split.addWidget(self.details)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        split.setSizes([600, 320])
        filled = QWidget()
        layout = QVBoxLayout(filled)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.tools)
        layout.addWidget(split, 1)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(filled)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._stack)

    def _connect(self) -> None:
        workspace = self._workspace
        self.table.selectionModel().selectionChanged.connect(self._on_selection_changed)
        self.table.doubleClicked.connect(self._on_table_activated)
        self.table.customContextMenuRequested.connect(self._on_table_menu_requested)
        self.model.modelReset.connect(self._on_model_reset)
        self.details.note_written.connect(self._on_details_note_written)
        self.tools.all_designs_toggled.connect(self._show_design)
        self.empty.others.clicked.connect(self.tools.show_all_designs)
        actions: dict[str, Callable[[], None]] = {
            "show": self.show_curves, "overlay": self.overlay, "generate": self.generate, "export": self.export,
            "begin": self.begin, "certify": self.certify, "reuse": self.reuse, "folder": self.open_folder,
            "rename": self.rename, "trash": self.trash,
        }  # fmt: skip
        for name, function in actions.items():
            self.tools.actions_by_name[name].triggered.connect(lambda _checked, act=function: act())
            self.table.addAction(self.tools.actions_by_name[name])
        workspace.document.path_changed.connect(self._show_design)
        workspace.document.replaced.connect(self._show_design)
        workspace.document.design_changed.connect(self._on_document_design_changed)
        workspace.run_ended.connect(self._on_workspace_run_ended)
        workspace.run_certified.connect(self._on_workspace_run_ended)
        workspace.run_requested.connect(self._on_workspace_run_requested)
        self._session.active_changed.connect(self.refresh)

    # -- the list
    @property
    def selected(self) -> list[Entry]:
        """Return the selected runs, the oldest first."""
        rows = self.table.selectionModel().selectedRows()
        return sorted((row.data(ENTRY_ROLE) for row in rows), key=lambda entry: entry.summary.created or 0)

    @pyqtSlot()
    def refresh(self, *_changes: object) -> None:
        """Read the folder again in a thread, unless it is being read already."""
        if not self.isVisible():
            return
        if self._asked is not None:
            self._ask_again = True
            return
        document = self._workspace.document
        parents, key = runs_parents(document.path), design_key(document)
        self._asked = background.run(
            lambda: self._listing.read(parents, key), self._on_listing_read, self._on_listing_failed, self
        )

    def _on_listing_read(self, entries: list[Entry]) -> None:
        self._asked = None
        before = {entry.path for entry in self.selected}
        self.model.update(entries)
        self._select(before)
        shown = self.sorted.rowCount()
        self._stack.setCurrentIndex(1 if shown else 0)
        self.empty.show_others(bool(entries))
        self.tools.set_count(shown, self._workspace.document.name, len(entries))
        self.empty.show_readiness()
        if any(entry.alive for entry in entries) and self.isVisible():
            self._timer.start()
        else:
            self._timer.stop()
        chosen = self.selected
        if len(chosen) == 1:
            self.details.show_entry(chosen[0])
        self._show_tools(chosen)
        if self._wanted is not None and any(entry.path == self._wanted for entry in entries):
            wanted, self._wanted = self._wanted, None
            self._select({wanted})
        if self._ask_again:
            self._ask_again = False
            self.refresh()

    def _on_listing_failed(self, error: Exception) -> None:
        self._asked = None
        raise error

    def _select(self, paths: set[Path]) -> None:
        """Select these runs after the rows were made again."""
        if paths == {entry.path for entry in self.selected}:
            return
        flags = QItemSelectionModel.Select | QItemSelectionModel.Rows
        self.table.clearSelection()
        for row in range(self.sorted.rowCount()):
            index = self.sorted.index(row, 0)
            if index.data(ENTRY_ROLE).path in paths:
                self.table.selectionModel().select(index, flags)
                self.table.scrollTo(index)

    @pyqtSlot()
    def _show_design(self, *_changes: object) -> None:
        self.sorted.show_own(not self.tools.all_designs)
        self.refresh()

    @pyqtSlot()
    def _on_model_reset(self) -> None:
        fit_columns(self.table)
        least, most = NAME_WIDTHS  # keeps other columns visible; a long name has a tooltip
        self.table.setColumnWidth(0, min(most, max(least, self.table.columnWidth(0))))
        self._sort_by_start()

    @pyqtSlot(Path)
    def _on_workspace_run_ended(self, _run: Path) -> None:
        self.refresh()

    @pyqtSlot(Path)
    def _on_workspace_run_requested(self, run: Path) -> None:
        if self.isVisible():
            self._wanted = Path(run)
            self.refresh()

    # -- selection
    @pyqtSlot()
    def _on_selection_changed(self, *_selections: object) -> None:
        self._show_selection()

    def _show_selection(self) -> None:
        chosen = self.selected
        self._show_tools(chosen)
        self.details.show_entry(chosen[0] if len(chosen) == 1 else None)
        if not chosen or len(chosen) > 2:
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

    def _show_tools(self, chosen: list[Entry]) -> None:
        self.tools.show_for(len(chosen), any(entry.alive for entry in chosen), any(entry.summary.epochs for entry in chosen))

    # -- actions
    def show_curves(self) -> None:
        """Open the first selected run on the Train page."""
        if chosen := self.selected:
            self._workspace.page_requested.emit(PageName.TRAIN)
            self._session.show(RunFolder(chosen[0].path), chosen[0].name)

    def overlay(self) -> None:
        """Draw the curves of the selected runs beside those of the run on the Train page."""
        chosen = self.selected
        if chosen and self._session.shown is None:
            self._session.show(RunFolder(chosen[0].path), chosen[0].name)
        shown = self._session.shown.run.path if self._session.shown and self._session.shown.run else None
        for entry in chosen:
            if entry.path != shown:
                self._session.overlay(entry.path, entry.name)
        self._workspace.page_requested.emit(PageName.TRAIN)

    def generate(self) -> None:
        if chosen := self.selected:
            self._workspace.page_requested.emit(PageName.GENERATE)
            self._workspace.run_requested.emit(chosen[0].path)

    def export(self) -> None:
        if chosen := self.selected:
            from seqdec_gui.gui.dialogs.export import open_export_of

            open_export_of(self._workspace, chosen[0].path)

    def begin(self) -> None:
        """Train the open design from the weights of the selected run, after asking which fitted values to keep."""
        if chosen := self.selected:
            ask_what_to_keep(self._session, chosen[0].path, chosen[0].name)

    def certify(self) -> None:
        """Open the dialog of the run's certificate."""
        if chosen := self.selected:
            from seqdec_gui.gui.dialogs.certificate.dialog import open_certificate

            open_certificate(self._workspace, chosen[0].path)

    def reuse(self) -> None:
        """Replace the open design by that of the run. This can be undone."""
        if chosen := self.selected:
            entry = chosen[0]
            background.run(lambda: RunFolder(entry.path).read_spec().load_design(), lambda d: self._use(d, entry), owner=self)

    def _use(self, design: Design, entry: Entry) -> None:
        self._workspace.document.edit(design, f"Use the settings of {entry.name}")
        self._workspace.status_message.emit(f"The design now has the settings of {entry.name}; Undo restores the former ones.")
        self._workspace.page_requested.emit(PageName.DESIGN)

    def open_folder(self) -> None:
        if chosen := self.selected:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(chosen[0].path)))

    def rename(self) -> None:
        """Change the displayed name of the run. The folder keeps its name, for scripts and processes that use it."""
        if chosen := self.selected:
            entry = chosen[0]
            notify.ask_text(self, "Rename run", "Name", entry.name, lambda name: self._keep(entry.path, name=name.strip()))

    def trash(self) -> None:
        """Ask, then move the selected runs to the trash."""
        chosen = self.selected
        if not chosen:
            return
        paths = [entry.path for entry in chosen]
        which = chosen[0].name if len(chosen) == 1 else f"{len(chosen)} runs"

        def then(answer: notify.Answer) -> None:
            if answer == "accept":
                for path in paths:
                    self._session.forget(path)
                background.run(lambda: move_to_trash(paths), lambda _count: self.refresh(), self._on_trash_failed, self)

        notify.ask(
            self,
            f"Move {which} to the trash?",
            "Curves, weights and exports are moved too. They can be restored from the trash.",
            then,
            accept="Move to Trash",
            destructive=True,
        )

    def _on_trash_failed(self, error: Exception) -> None:
        notify.failure(self, error, "Not deleted")
        self.refresh()

    @pyqtSlot(object, str)
    def _on_details_note_written(self, path: Path, text: str) -> None:
        self._keep(path, note=text)

    def _keep(self, path: Path, **changes: str) -> None:
        """Save a changed name or note of the run, in a thread."""

        def write() -> Note:
            note = msgspec.structs.replace(read_note(path), **changes)
            write_note(path, note)
            return note

        background.run(write, lambda _note: self.refresh(), owner=self)

    # --
    @pyqtSlot()
    def _on_table_activated(self, *_index: object) -> None:
        self.show_curves()

    @pyqtSlot(QPoint)
    def _on_table_menu_requested(self, at: QPoint) -> None:
        if not self.selected:
            return
        menu = QMenu(self.table)
        menu.setAttribute(Qt.WA_DeleteOnClose)
        for name, action in self.tools.actions_by_name.items():
            if name in ("certify", "trash"):
                menu.addSeparator()
            menu.addAction(action)
        menu.popup(self.table.viewport().mapToGlobal(at))

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        self.refresh()

    def hideEvent(self, event: QHideEvent | None) -> None:
        super().hideEvent(event)
        self._timer.stop()
        self.details.save_note()


def _compare(old: Entry, new: Entry | None, design: Design) -> tuple[Difference, ...]:
    first = RunFolder(old.path).read_spec()
    if new is None:
        return differences(first.load_design(), design)
    read = read_record(RunFolder(old.path).dataset), read_record(RunFolder(new.path).dataset)
    return run_differences(first, RunFolder(new.path).read_spec(), read)
