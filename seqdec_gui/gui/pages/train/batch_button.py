"""The button that finds the largest batch that fits, after a run that ran out of memory, and trains with it."""

from __future__ import annotations

from pathlib import Path

import msgspec
from PyQt5.QtCore import pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QPushButton, QWidget

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.gui.tasks.child_task import IsCancelled, Job, OnProgress, sentence_of
from seqdec_gui.gui.workspace.launch import design_key
from seqdec_gui.gui.workspace.readiness import readiness
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs.fitting_batch import FittingBatch, largest_batch
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.tasks import Cancelled

NOTHING_FITS = "No smaller batch was found that fits: make the model smaller, or its sequences shorter."


class BatchButton(QPushButton):
    """Finds a batch at the first click, and trains the open design with it at the second. Object name `find_batch`."""

    told = pyqtSignal(str)  # what was found, in a sentence

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent, objectName="find_batch")
        self._workspace = workspace
        self._run: RunFolder | None = None
        self._found: FittingBatch | None = None
        self.job = Job(self)
        self.job.returned.connect(self._on_job_returned)
        self.job.failed.connect(self._on_job_failed)
        self.clicked.connect(self._on_clicked)
        workspace.training_changed.connect(self._on_workspace_training_changed)
        self.hide()

    def show_run(self, run: RunFolder | None) -> None:
        """Offer the search for a run that ran out of memory; None hides the button and ends a search."""
        if run is not None and run == self._run:
            return
        self.job.cancel()
        self._run, self._found = run, None
        self._show("Find a batch that fits", "Try smaller batches on these devices, for a minute at most")
        self.setVisible(run is not None)

    def _show(self, text: str, tip: str) -> None:
        self.setText(text)
        self.setToolTip(tip)
        self.setEnabled(True)

    @pyqtSlot()
    def _on_clicked(self) -> None:
        run = self._run
        if run is None:
            return
        if self.job.running:
            self.setEnabled(False)
            self.job.cancel()
        elif self._found is not None:
            self._train(self._found.batch_size)
        else:
            self._show("Trying batches… Cancel", "Ends the trials")
            self.job.begin(lambda tell, cancelled: _find(run, tell, cancelled))

    def _train(self, batch_size: int) -> None:
        """Set the batch size of the open design, which can be undone, and train."""
        document = self._workspace.document
        training = msgspec.structs.replace(document.design.training, batch_size=batch_size)
        document.edit(document.design.with_training(training), f"Use batch {batch_size:,}")
        state = readiness(self._workspace)
        if state.ready:
            self._workspace.train_requested.emit()
        else:
            self._workspace.status_message.emit(f"The batch size is {batch_size:,} now. {state.reason}")

    @pyqtSlot(object)
    def _on_job_returned(self, result: tuple[RunFolder, FittingBatch | None, str, str]) -> None:
        run, found, design_id, design_path = result
        if run != self._run:
            return
        self.told.emit(NOTHING_FITS if found is None else found.sentence())
        self._found = found
        if found is None or not design_key(self._workspace.document).owns(run.path, design_id, design_path):
            self.hide()  # a run of another design, whose batch is told only
            return
        self._show(
            f"Train with a batch of {found.batch_size:,}", "Sets the batch size of the design and trains; Undo restores it"
        )

    @pyqtSlot(object)
    def _on_job_failed(self, error: Exception) -> None:
        self._show("Find a batch that fits", "Try smaller batches on these devices, for a minute at most")
        if not isinstance(error, SeqdecError):
            raise error
        if not isinstance(error, Cancelled):
            self.told.emit(f"No batch was found that fits. {sentence_of(error)}")

    @pyqtSlot()
    def _on_workspace_training_changed(self) -> None:
        if self._workspace.training.running:
            self.job.cancel()


def _find(run: RunFolder, tell: OnProgress, cancelled: IsCancelled) -> tuple[RunFolder, FittingBatch | None, str, str]:
    """Return the run, what fits where it was trained, and whose run it is. Raises SeqdecError, Cancelled."""
    spec = run.read_spec()
    placement = spec.placement
    if placement is None:
        return run, None, spec.design_id, spec.design_path
    found = largest_batch(
        spec.load_design(), Path(spec.folder), placement.devices, placement.engine, on_progress=tell, cancelled=cancelled
    )
    return run, found, spec.design_id, spec.design_path
