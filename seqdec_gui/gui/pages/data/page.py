"""The page of the Data tab."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import Qt, QUrl, pyqtSlot
from PyQt5.QtGui import QDragEnterEvent, QDropEvent, QHideEvent, QShowEvent
from PyQt5.QtWidgets import QFrame, QSplitter, QStackedLayout, QTabWidget, QVBoxLayout, QWidget

from seqdec_gui.data.dataset import Trial
from seqdec_gui.data.display import size_text
from seqdec_gui.data.formats.base import Table
from seqdec_gui.data.formats.registry import data_suffixes, format_of
from seqdec_gui.data.tables import inspect
from seqdec_gui.domain import data_edits as edits
from seqdec_gui.domain.bindings import DataSource, Reading
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.pages.data.columns_panel import ColumnsPanel
from seqdec_gui.gui.pages.data.file_bar import FileBar
from seqdec_gui.gui.pages.data.measuring import Measurements
from seqdec_gui.gui.pages.data.ports_panel import PortsPanel
from seqdec_gui.gui.pages.data.preview import Preview
from seqdec_gui.gui.pages.data.reading_bar import ReadingBar
from seqdec_gui.gui.pages.data.recent_data import remember_data
from seqdec_gui.gui.pages.data.sample_panel import SamplePanel
from seqdec_gui.gui.pages.data.split_panel import SplitPanel
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.widgets.empty_state import EmptyState
from seqdec_gui.gui.widgets.wrapped_label import WrappedLabel
from seqdec_gui.gui.workspace.workspace import Workspace

SETTABLE_CODES = frozenset(("open_quote", "wrong_encoding", "ragged_rows", "duplicate_column", "not_text", "unknown_sheet"))
"""The problem codes of refused files that a setting of the reading bar can correct."""
EMPTY = f"Rows of numbers or text to train on: {' '.join(data_suffixes())}. Drop a file here, or open one."
"""The text of the page while the design has no data file."""
LEAST_PREVIEW = 140
"""The least height of the preview, in pixels: its header and four rows, however many bars are above and below it."""


class DataPage(QWidget):
    """Shows the file that the design names. Opening another file is an edit of the design, which can be undone.

    The page reads no row before it is first shown.
    """

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("data_page")
        self.setProperty("role", "page")
        self.setAttribute(Qt.WA_StyledBackground)
        self.setAcceptDrops(True)
        self._workspace = workspace
        self._path: Path | None = None
        self._reading = Reading()
        self._looked_at = False
        self._opening: background.Operation | None = None
        self._trial: Trial | None = None
        self.table: Table | None = None
        self.measurements = Measurements(self)
        self.checking = workspace.checking
        self._bar = FileBar()
        self._reading_bar = ReadingBar(workspace)
        self.columns = ColumnsPanel(self.measurements)
        self.preview = Preview()
        self.ports = PortsPanel(workspace)
        self.split = SplitPanel(workspace)
        self.sample = SamplePanel()
        self.tabs = QTabWidget(objectName="data_tabs", documentMode=True)
        self.tabs.tabBar().setAccessibleName("Ports, split and sample")
        self._empty = EmptyState("table", "No data yet", EMPTY, "Open data file…")
        self._empty.button.setObjectName("open_first_data_button")
        self._waiting = WrappedLabel(name="data_waiting")
        self._waiting.setAlignment(Qt.AlignCenter)
        self._waiting.setProperty("role", "dim")
        self._head = QWidget()
        head = QVBoxLayout(self._head)
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(0)
        line = QFrame()
        line.setProperty("role", "line")
        for widget in (self._bar, self._reading_bar, line):
            head.addWidget(widget)
        self._head.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._head)
        self._stack = QStackedLayout()
        column.addLayout(self._stack, 1)  # before it has pages: it shows the first at once, which would be a window of its own
        across = QSplitter()
        for page in (self._empty, self._waiting, across):
            self._stack.addWidget(page)
        self._arrange(across)
        self._connect()

    def _arrange(self, across: QSplitter) -> None:
        """Put the parts into their places, from the outermost inwards: what is moved with its contents is styled once more."""
        lower = QSplitter(Qt.Vertical)
        across.addWidget(self.columns)
        across.addWidget(lower)
        lower.addWidget(self.preview)
        lower.addWidget(self.tabs)
        lower.setSizes([240, 360])
        lower.setStretchFactor(0, 2)
        lower.setStretchFactor(1, 3)
        lower.setChildrenCollapsible(False)
        across.setSizes([220, 640])
        across.setStretchFactor(1, 1)
        across.setChildrenCollapsible(False)
        self.columns.setMinimumWidth(200)
        self.preview.setMinimumHeight(LEAST_PREVIEW)
        for part, title in ((self.ports, "Ports"), (self.split, "Split"), (self.sample, "Sample batch")):
            self.tabs.addTab(part, title)

    def _connect(self) -> None:
        self._empty.button.clicked.connect(self._on_open_requested)
        self._bar.open_requested.connect(self._on_open_requested)
        self._bar.reload_requested.connect(self._on_reload_requested)
        self._bar.file_chosen.connect(self.open_file)
        self._workspace.data_file_offered.connect(self.open_file)
        self._workspace.port_requested.connect(self._on_workspace_port_requested)
        self._workspace.document.design_changed.connect(self._on_document_design_changed)
        self._workspace.document.path_changed.connect(self._on_document_path_changed)
        self.preview.column_chosen.connect(self.columns.choose)
        self.preview.rows.page_failed.connect(self._on_preview_page_failed)
        self.preview.selectionModel().currentRowChanged.connect(self._on_preview_current_row_changed)
        self.checking.started.connect(self._on_checking_started)
        self.checking.checked.connect(self._on_checking_checked)
        self.checking.failed.connect(self._on_checking_failed)
        self.checking.file_changed.connect(self._on_checking_file_changed)
        self.ports.errors_counted.connect(self._on_ports_errors_counted)

    # -- the file
    @pyqtSlot(object)
    def open_file(self, path: Path) -> None:
        """Read a file and make it the design's data file. If it cannot be read, say why and leave the design as it is."""
        self._read(Path(path), choose=True)

    def _follow_design(self) -> None:
        """Show the file that the design names now."""
        if not self._looked_at:
            return
        data = self._workspace.document.design.data
        path = self._workspace.folder / data.file if data.file else None
        if path != self._path or data.reading != self._reading:
            same, self._path, self._reading = path == self._path, path, data.reading
            if path is None:
                self._show_table(None)
            else:
                self._read(path, choose=False, quiet=same)

    def _read(self, path: Path, choose: bool, quiet: bool = False) -> None:
        """Read a file in a thread and show it. With `quiet` the present contents stay visible until then."""
        if self._opening is not None:
            self._opening.cancel()

        def done(table: Table) -> None:
            self._opening = None
            remember_data(path)
            if choose:
                self._choose(path)
            if table is not self.table or not quiet:
                self._show_table(table)

        def failed(error: Exception) -> None:
            self._opening = None
            self._on_not_read(path, error, choose)

        if self.table is None or not (choose or quiet):
            self._waiting.setText(f"Reading {path.name}…")
            self._stack.setCurrentIndex(1)
        data = self._workspace.document.design.data
        how, names = (Reading(), []) if choose and path != self._path else (data.reading, _main_columns(data))
        self._opening = background.run(lambda: inspect(path, how, names), done, failed, self)

    def _choose(self, path: Path) -> None:
        document = self._workspace.document
        folder = None if document.path is None else document.path.parent
        new = edits.with_file(document.design, path, folder)
        self._path = self._workspace.folder / new.data.file
        self._reading = new.data.reading
        document.edit(new, f"Use {path.name} as data")

    def _on_not_read(self, path: Path, error: Exception, chosen: bool) -> None:
        if chosen and isinstance(error, InvalidInput) and any(problem.code in SETTABLE_CODES for problem in error.problems):
            self._choose(path)  # the reading bar, whose settings may help, is shown for the file of the design
        elif chosen:
            self._stack.setCurrentIndex(2 if self.table is not None else 0)
            notify.failure(self, error, f"{path.name} was not opened")
            return
        self._show_table(None)
        self._bar.show_file(path, "")
        self._reading_bar.show_options_of(path)
        self._reading_bar.show_refusal(error.problems if isinstance(error, InvalidInput) else ())
        self._head.show()
        self._empty.heading.setText("The data file cannot be read")
        sentences = (
            [notify.without_place(problem) for problem in error.problems] if isinstance(error, InvalidInput) else [str(error)]
        )
        self._empty.words.setText("\n".join(sentences))

    def _show_table(self, table: Table | None) -> None:
        self.table = table
        self.preview.show_table(table)
        self.measurements.show_table(table)
        self.columns.show_table(table)
        columns = () if table is None else table.columns
        self._workspace.set_columns(columns)
        self._workspace.proposals.show_table(table)
        self.ports.show_columns(columns)
        self.split.show_columns(columns)
        self._empty.heading.setText("No data yet")
        self._empty.words.setText(EMPTY)
        self._bar.show_file(None if table is None else table.path, "" if table is None else _figures(table))
        self._reading_bar.show_table(table)
        self._reading_bar.show_options_of(None if table is None else table.path)
        self._head.setVisible(table is not None)
        self._stack.setCurrentIndex(0 if table is None else 2)
        self._show_trial()
        self.checking.look()

    def _show_trial(self) -> None:
        """Show the results of the newest trial if the page is visible."""
        trial = None if self.table is None else self.checking.trial
        if not self.isVisible():
            return
        self.ports.show_trial(trial)
        if trial is not self._trial:
            self._trial = trial
            self.split.show_trial(trial)
            self.sample.show_trial(trial)

    # -- events
    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        if not self._looked_at:
            self._looked_at = True
            self._follow_design()
        self.ports.activate(True)
        self._show_trial()

    def hideEvent(self, event: QHideEvent | None) -> None:
        super().hideEvent(event)
        self.ports.activate(False)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped_file(event.mimeData().urls()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = _dropped_file(event.mimeData().urls())
        if path is not None:
            event.acceptProposedAction()
            self.open_file(path)

    @pyqtSlot(str)
    def _on_workspace_port_requested(self, port: str) -> None:
        self.tabs.setCurrentWidget(self.ports)
        self.ports.reveal(port)

    @pyqtSlot()
    def _on_open_requested(self) -> None:
        start = None if self.table is None else self.table.path.parent
        notify.choose_file(self, "Open data file", [notify.data_filter()], self.open_file, start)

    @pyqtSlot()
    def _on_reload_requested(self) -> None:
        if self._path is not None:
            self._read(self._path, choose=False)

    @pyqtSlot(Design, Design)
    def _on_document_design_changed(self, _old: Design, _new: Design) -> None:
        self._follow_design()

    @pyqtSlot(object)
    def _on_document_path_changed(self, _path: Path | None) -> None:
        self._follow_design()

    @pyqtSlot(object)
    def _on_preview_page_failed(self, error: Exception) -> None:
        self._workspace.status_message.emit(str(error))

    def _on_preview_current_row_changed(self, current: object, _previous: object) -> None:
        self.sample.show_row(max(0, current.row()))  # type: ignore[attr-defined]

    @pyqtSlot()
    def _on_checking_started(self) -> None:
        self._show_trial()

    @pyqtSlot(object)
    def _on_checking_checked(self, _trial: Trial | None) -> None:
        self._show_trial()

    @pyqtSlot(object)
    def _on_checking_failed(self, _error: Exception) -> None:
        self._show_trial()

    @pyqtSlot()
    def _on_checking_file_changed(self) -> None:
        if self._looked_at and self._path is not None:
            self._read(self._path, choose=False, quiet=True)

    @pyqtSlot(int)
    def _on_ports_errors_counted(self, count: int) -> None:
        self.tabs.setTabText(0, f"Ports ({counted(count, 'error')})" if count else "Ports")


def _figures(table: Table) -> str:
    try:
        size = f" · {size_text(table.path.stat().st_size)}"
    except OSError:
        size = ""
    return f"{counted(table.rows, 'row')} · {counted(len(table.columns), 'column')}{size}"


def _main_columns(data: DataSource) -> list[str]:
    """Return the bound columns of the main file."""
    return [name for binding in data.bindings if not binding.file or binding.file == data.file for name in binding.columns]


def _dropped_file(urls: list[QUrl]) -> Path | None:
    paths = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
    return next((path for path in paths if format_of(path) is not None), None)
