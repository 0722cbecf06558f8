"""The measurement of the chosen devices in child processes. The result is kept together with the shapes of the design."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
from PyQt5.QtCore import QObject, QTimer, pyqtSignal, pyqtSlot

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import SeqdecError, errors
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.tasks.child_task import IsCancelled, Job, OnProgress, sentence_of
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs import advice_cache
from seqdec_gui.runs.advice import Advice, advise, batches, divisible_batch
from seqdec_gui.runs.measurement import Measurement
from seqdec_gui.runs.probe_cache import shape_of
from seqdec_gui.runs.spec import DeviceChoice
from seqdec_gui.runs.tasks import Cancelled, Progress

LOOK_MS = 200
"""The time from a change of the design or the devices to the search for kept advice, in milliseconds."""
Subject = tuple[str, DeviceChoice]
"""What an advice is about: a text that identifies the design's shapes, and the devices."""


class MeasurementStart(msgspec.Struct, frozen=True):
    """The batches that will be measured, and the number of device choices that each is measured on."""

    sizes: tuple[int, ...]
    choices: int


class Advisor(QObject):
    """Measures devices and keeps the results.

    `advice` is the last result; `measured` holds the measurements made so far while `running`. `changed` is emitted after each
    change.
    """

    changed = pyqtSignal()

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self.job = Job(self)
        self.advice: Advice | None = None
        self.measured_at = 0.0
        self.measured: list[Measurement] = []
        self.expected = 0
        self.words = ""
        self.fault = ""
        self.active = False
        self._about: Subject | None = None
        self._asked: Subject | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)
        self.job.progressed.connect(self._on_job_progressed)
        self.job.returned.connect(self._on_job_returned)
        self.job.failed.connect(self._on_job_failed)
        for signal in (workspace.document.design_changed, workspace.devices.choice_changed, workspace.devices.devices_changed):
            signal.connect(self._on_subject_changed)
        workspace.training_changed.connect(self._on_workspace_training_changed)

    @property
    def running(self) -> bool:
        return self.job.running

    @property
    def fits(self) -> bool:
        """Return whether the advice is about the present design and devices."""
        return self.advice is not None and self._about == self._subject()

    @property
    def reason(self) -> str:
        """Return why nothing can be measured now, in a sentence; empty if measuring is possible."""
        workspace = self._workspace
        if workspace.training.running:
            return "A run is training: a measurement now would slow it down, and its times would be wrong."
        if not workspace.devices.known:
            return "Looking for devices."
        if workspace.devices.host:
            return f"Measuring is done on this machine, and the chosen devices are those of {workspace.devices.host}."
        design = workspace.document.design
        if not design.blocks:
            return "The design is empty: there is nothing to measure."
        faults = errors(workspace.document.report.problems)
        return faults[0].sentence() if faults else ""

    def activate(self, active: bool) -> None:
        """Start or stop looking for kept advice; a hidden panel needs none."""
        self.active = active
        if active:
            self._timer.start(0)

    def measure(self) -> None:
        """Start measuring, unless a measurement is running or none is possible."""
        if self.running or self.reason:
            return
        design, folder = self._workspace.document.design, self._workspace.folder
        devices = self._workspace.devices.here
        self.measured = []
        self.expected = 0
        self.fault = ""
        self.words = "Starting"
        self._about = self._subject()
        self.advice = None
        self.job.begin(lambda tell, cancelled: _measure(design, folder, devices, tell, cancelled))
        self.changed.emit()

    def cancel(self) -> None:
        """Cancel the measurement and show the former advice again."""
        self.job.cancel()

    def use_batch(self, batch_size: int) -> None:
        """Set the design's batch size. This can be undone."""
        document = self._workspace.document
        training = msgspec.structs.replace(document.design.training, batch_size=batch_size)
        document.edit(document.design.with_training(training), f"Use batch {batch_size:,}")
        self._workspace.status_message.emit(f"The batch size is {batch_size:,} now; Undo restores the former one.")

    @property
    def batch_size(self) -> int:
        """Return the design's batch size, rounded so that the devices can share it equally."""
        training, devices = self._workspace.document.design.training, self._workspace.devices.here
        return divisible_batch(training.batch_size, devices.replicas * training.micro_batches)

    @property
    def devices(self) -> DeviceChoice:
        return self._workspace.devices.here

    def partial(self) -> Advice:
        """Return the measurements made so far, as an advice without a sentence."""
        devices = self.devices if self._about is None else self._about[1]
        return Advice(
            engine="", why="", devices=devices, alone=devices.first, batch_size=self.batch_size,
            measurements=tuple(self.measured), sentence="",
        )  # fmt: skip

    def _subject(self) -> Subject:
        return shape_of(self._workspace.document.design), self._workspace.devices.here

    # -- incoming events
    @pyqtSlot(object)
    def _on_job_progressed(self, event: object) -> None:
        if isinstance(event, MeasurementStart):
            self.expected = len(event.sizes) * event.choices
        elif isinstance(event, Measurement):
            self.measured.append(event)
        elif isinstance(event, Progress):
            self.words = event.text
        self.changed.emit()

    @pyqtSlot(object)
    def _on_job_returned(self, kept: advice_cache.KeptAdvice) -> None:
        self._take(kept)
        if not self.active:
            self._workspace.status_message.emit(kept.advice.sentence)

    def _take(self, kept: advice_cache.KeptAdvice) -> None:
        self.advice = kept.advice
        self.measured_at = kept.time
        self.fault = ""
        self.changed.emit()

    @pyqtSlot(object)
    def _on_job_failed(self, error: Exception) -> None:
        self._about = self._asked = None
        if not isinstance(error, SeqdecError):
            self.changed.emit()
            raise error
        if not isinstance(error, Cancelled):
            self.fault = sentence_of(error)
        self.changed.emit()
        if self.active:
            self._timer.start(0)

    # -- the subject
    @pyqtSlot()
    def _on_subject_changed(self, *_changes: object) -> None:
        if self.active:
            self._timer.start(LOOK_MS)

    @pyqtSlot()
    def _on_workspace_training_changed(self) -> None:
        if self._workspace.training.running and self.running:
            self.cancel()
            self._workspace.status_message.emit("The measurement was cancelled because a run has started.")
        self.changed.emit()

    @pyqtSlot()
    def _look(self) -> None:
        """Look, in a thread, for kept advice about the present design and devices."""
        self.changed.emit()
        if self.running or not self._workspace.devices.known:
            return
        subject = self._subject()
        if subject in (self._about, self._asked):
            return
        self._asked = subject
        design = self._workspace.document.design
        background.run(
            lambda: advice_cache.kept_advice(design, subject[1]), lambda kept: self._on_looked(subject, kept), owner=self
        )

    def _on_looked(self, subject: Subject, kept: advice_cache.KeptAdvice | None) -> None:
        if kept is not None and not self.running and subject == self._subject():
            self._about = subject
            self._take(kept)


def _measure(
    design: Design, folder: Path, devices: DeviceChoice, tell: OnProgress, cancelled: IsCancelled
) -> advice_cache.KeptAdvice:
    sizes = batches(design, folder, devices)
    tell(MeasurementStart(sizes, 2 if devices.replicas > 1 else 1))
    advice = advise(design, folder, devices, batch_sizes=sizes, on_progress=tell, on_measured=tell, cancelled=cancelled)
    return advice_cache.keep(design, advice)


def age(moment: float, now: float | None = None) -> str:
    """Return how long ago a moment was: `just now`, `12 min ago`, `3 h ago`, `2 d ago`."""
    seconds = max(0.0, (time.time() if now is None else now) - moment)
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"
