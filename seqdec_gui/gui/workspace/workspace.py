"""What all pages of one window share. A page is given the workspace and nothing else of the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, pyqtSignal, pyqtSlot

from seqdec_gui.gui.workspace.data_trial import Checking
from seqdec_gui.gui.workspace.devices import DeviceSelection
from seqdec_gui.gui.workspace.document import DesignDocument

if TYPE_CHECKING:
    from seqdec_gui.data.formats.base import Column

CloseGuard = Callable[[Callable[[], None]], bool]


class Workspace(QObject):
    """Pages emit wishes here and listen to those of others.

    `document` is the open design, `devices` the devices of the next run, `checking` what its data is found to be.
    """

    page_requested = pyqtSignal(str)  # show this page: design, code, data, train, runs, generate
    train_requested = pyqtSignal()  # the big button: the Train page exists and is shown when it is emitted
    advice_requested = pyqtSignal()  # show what the chosen devices are worth: the Train page exists and is shown
    training_changed = pyqtSignal()  # `training` says something else now
    port_requested = pyqtSignal(str)  # show the row of this port; the Data page is shown
    data_file_offered = pyqtSignal(object)  # Path of a data file that was dropped or chosen; the Data page is shown
    run_requested = pyqtSignal(object)  # Path of a run folder to show, by the page that is shown
    run_ended = pyqtSignal(object)  # Path of a run folder
    run_certified = pyqtSignal(object)  # Path of a run folder that has a certificate now
    block_requested = pyqtSignal(str)  # show this block in the design view
    field_requested = pyqtSignal(str)  # put the cursor into the inspector's field of this parameter
    status_told = pyqtSignal(str)  # a sentence for the status bar

    def __init__(self, document: DesignDocument, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.devices = DeviceSelection(self)
        self.checking = Checking(self)
        self.close_guards: list[CloseGuard] = []
        self.chosen_run: Path | None = None
        """The run that was shown last: what Export and Generate begin with."""
        self.columns: tuple[Column, ...] = ()
        """The columns of the data file that the Data page shows; empty until it has been shown."""
        self._training = ""
        self.run_requested.connect(self._on_run_requested)

    @property
    def training(self) -> str:
        """What is being trained now, a few words; empty while nothing is."""
        return self._training

    def set_training(self, words: str) -> None:
        """Say what is being trained (`Training on 2 GPUs`), empty when it ended: the train button follows."""
        if words != self._training:
            self._training = words
            self.training_changed.emit()

    def add_close_guard(self, guard: CloseGuard) -> None:
        """Ask `guard(proceed)` before the window closes: True lets it close now, False means that `proceed` is called later.

        This is how a page asks "keep running, stop, cancel" without blocking.
        """
        self.close_guards.append(guard)

    @property
    def folder(self) -> Path:
        """Where relative paths of the design begin."""
        path = self.document.path
        return Path.home() if path is None else path.parent

    @pyqtSlot(object)
    def _on_run_requested(self, run: Path) -> None:
        self.chosen_run = Path(run)
