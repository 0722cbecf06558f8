"""What all pages of one open design share. A page gets the workspace and knows nothing else of the window."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

import msgspec
from PyQt5.QtCore import QObject, pyqtSignal, pyqtSlot

from seqdec_gui.domain.paths import is_lasting
from seqdec_gui.gui.workspace.data_trial import Checking
from seqdec_gui.gui.workspace.devices import DeviceSelection
from seqdec_gui.gui.workspace.document import DesignDocument
from seqdec_gui.gui.workspace.proposals import Proposals

if TYPE_CHECKING:
    from seqdec_gui.data.formats.base import Column
    from seqdec_gui.runs.state import State

Part = TypeVar("Part", bound=QObject)
CloseGuard: TypeAlias = Callable[[Callable[[], None]], bool]
Phase: TypeAlias = "State | Literal['starting', 'stopping', 'ending']"
"""The state of a run as its folder shows it, or a state known only to the program that follows the run."""


class PageName(StrEnum):
    """The pages that other parts of the window can show."""

    DESIGN = "design"
    CODE = "code"
    DATA = "data"
    TRAIN = "train"
    RUNS = "runs"
    QUEUE = "queue"
    SWEEP = "sweep"
    GENERATE = "generate"


class TrainingState(msgspec.Struct, frozen=True):
    """The run that trains. `phase` is None if nothing trains; `devices` are empty until they are known."""

    phase: Phase | None = None
    devices: tuple[str, ...] = ()

    @property
    def running(self) -> bool:
        """Return whether a run has been started and has not ended; it may be paused."""
        return self.phase is not None


class Notice(msgspec.Struct, frozen=True):
    """A sentence for the bar above the pages, with buttons: the name, the label and the function of each.

    A notice takes the place of an earlier one of the same `topic`; one with an empty text takes that away. With `corrects` it
    is shown only where an earlier one still is: what was closed stays closed.
    """

    topic: str
    text: str = ""
    actions: dict[str, tuple[str, Callable[[], None]]] = {}
    corrects: bool = False


class Workspace(QObject):
    """The shared state of one open design, and the signals by which its pages ask for something and listen to each other.

    `document` is the design, `devices` the devices of the next run, which all designs of a window share, `checking` checks
    the design's data, `proposals` says which of its columns the ports may be meant for. The workspace owns the document and
    everything that `part` makes.
    """

    page_requested = pyqtSignal(PageName)  # show this page
    train_requested = pyqtSignal()  # the Train button was clicked; the Train page is already shown
    advice_requested = pyqtSignal()  # open the scaling advisor; the Train page is already shown
    training_changed = pyqtSignal(TrainingState)  # another run, phase or devices
    port_requested = pyqtSignal(str)  # show the row of this port; the Data page is shown
    data_file_offered = pyqtSignal(Path)  # a data file was dropped or chosen; the Data page is shown
    columns_changed = pyqtSignal()  # the Data page shows another file
    run_requested = pyqtSignal(Path)  # show the run in this folder; for the page that is shown
    run_ended = pyqtSignal(Path)  # the run in this folder
    run_certified = pyqtSignal(Path)  # the run in this folder has a certificate now
    block_requested = pyqtSignal(str)  # show this block in the design view
    whole_design_requested = pyqtSignal()  # show all blocks in the design view
    field_requested = pyqtSignal(str)  # put the cursor into the inspector's field of this parameter
    status_message = pyqtSignal(str)  # a sentence for the status bar
    notice = pyqtSignal(Notice)  # something to decide or to know before going on, for the bar above the pages
    design_as_it_was_requested = pyqtSignal(Path)  # open the design of the run in this folder as it was trained
    design_of_run_requested = pyqtSignal(Path)  # open the design of the run in this folder as it is now
    closing = pyqtSignal()  # every question was answered, and the design closes now
    all_runs_requested = pyqtSignal(str)  # show all runs, or those of this state; the Runs page is shown

    def __init__(self, document: DesignDocument, parent: QObject | None = None, devices: DeviceSelection | None = None) -> None:
        super().__init__(parent)
        self.document = document
        if document.parent() is None:
            document.setParent(self)
        self.devices = DeviceSelection(self) if devices is None else devices
        self._parts: dict[type[QObject], QObject] = {}
        self.checking = Checking(document, self.devices, self)
        self.proposals = Proposals(document, self)
        self.close_guards: list[CloseGuard] = []
        self._chosen_run: Path | None = None
        self._columns: tuple[Column, ...] = ()
        self._training = TrainingState()
        self.run_requested.connect(self._on_run_requested)
        self.checking.failed.connect(self._on_checking_failed)

    def part(self, kind: type[Part]) -> Part:
        """Return the workspace's only object of this class, which is made from the workspace at the first call.

        What several pages share and not every design needs, such as the session of its runs, is made when it is first used.
        """
        found = self._parts.get(kind)
        if found is None:
            found = self._parts[kind] = kind(self)
        assert isinstance(found, kind)
        return found

    def has_part(self, kind: type[QObject]) -> bool:
        """Return whether `part` has made an object of this class."""
        return kind in self._parts

    @property
    def chosen_run(self) -> Path | None:
        """Return the folder of the run that was requested last, which Export and Generate select at first."""
        return self._chosen_run

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return the columns of the data file on the Data page; empty until the page has shown one."""
        return self._columns

    def set_columns(self, columns: tuple[Column, ...]) -> None:
        """Set the columns that the Data page shows."""
        if columns != self._columns:
            self._columns = columns
            self.columns_changed.emit()

    @property
    def training(self) -> TrainingState:
        """Return the state of training."""
        return self._training

    def set_training(self, state: TrainingState) -> None:
        """Set the state of training; `TrainingState()` if it ended."""
        if state != self._training:
            self._training = state
            self.training_changed.emit(state)

    def add_close_guard(self, guard: CloseGuard) -> None:
        """Ask `guard(proceed)` before the design closes: True lets it close now, False means that `proceed` is called later.

        This is how a page asks "keep running, stop, cancel" without blocking.
        """
        self.close_guards.append(guard)

    @property
    def folder(self) -> Path:
        """Return the folder that relative paths of the design start from."""
        return self.document.folder

    def proposed_file(self, name: str) -> Path:
        """Return where to propose to write a file: beside the design or, if its folder is hidden or temporary, at home."""
        return (self.folder if is_lasting(self.folder) else Path.home()) / name

    @pyqtSlot(Path)
    def _on_run_requested(self, run: Path) -> None:
        self._chosen_run = run

    @pyqtSlot(Exception)
    def _on_checking_failed(self, error: Exception) -> None:
        self.status_message.emit(f"The data could not be checked: {error}")
