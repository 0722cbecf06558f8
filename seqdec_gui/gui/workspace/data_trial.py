"""Checks in a thread whether the bound data suits the design, whenever the bindings, the design or the file change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PyQt5.QtCore import QFileSystemWatcher, QObject, QTimer, pyqtSignal, pyqtSlot

from seqdec_gui.domain.bindings import DataSource
from seqdec_gui.domain.codes import about
from seqdec_gui.domain.dataflow import DataPort, data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import Problem, errors
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.workspace.devices import DeviceSelection
from seqdec_gui.gui.workspace.document import DesignDocument
from seqdec_gui.runs.batches import problems_of_trial

if TYPE_CHECKING:
    from seqdec_gui.data.dataset import Trial
    from seqdec_gui.runs.readiness import Stamps

DELAY_MS = 150
"""The time from an edit to the check of the data, in milliseconds."""
SETTLE_MS = 300
"""The time from a change of a data file to looking at it again, in milliseconds: files are written in pieces."""


class Question(NamedTuple):
    """Everything that the result of a trial depends on."""

    source: DataSource
    ports: tuple[DataPort, ...]
    folder: Path


class Checking(QObject):
    """Keeps the newest `Trial` of the open design. One trial runs at a time, and the last change decides the next.

    The modules that read data are imported in the thread, with the first file.
    """

    started = pyqtSignal()
    checked = pyqtSignal(object)  # Trial, or None where there is nothing to try
    failed = pyqtSignal(Exception)
    changed = pyqtSignal()  # `problems` may have changed
    file_changed = pyqtSignal()  # another program wrote a data file, and it has been tried again

    def __init__(self, document: DesignDocument, devices: DeviceSelection, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._devices = devices
        self._tried_question: Question | None = None
        self._running: background.Operation | None = None
        self._checking_files: background.Operation | None = None
        self._try_again = False
        self._stamps: Stamps | None = None
        self.trial: Trial | None = None
        """The newest trial. The bindings or the file may have changed since then."""
        self._answered_question: Question | None = None
        self._fit_result: tuple[Trial, Design, tuple[Problem, ...]] | None = None
        self._timer = QTimer(self, singleShot=True, timeout=self._on_timer_timeout)
        self._watcher = QFileSystemWatcher(self)
        self._settling = QTimer(self, singleShot=True, interval=SETTLE_MS, timeout=self.look)
        for signal in (self._watcher.fileChanged, self._watcher.directoryChanged):
            signal.connect(self._on_watcher_changed)
        for changed in (devices.devices_changed, devices.choice_changed):
            changed.connect(self.changed)
        document.design_changed.connect(self._on_document_design_changed)
        document.path_changed.connect(self._on_document_path_changed)

    @property
    def trying(self) -> bool:
        """Return whether the data is being read now."""
        return self._running is not None

    @property
    def busy(self) -> bool:
        """Return whether a trial runs or is about to."""
        return self.trying or self._checking_files is not None or self._timer.isActive() or self._settling.isActive()

    @property
    def current(self) -> bool:
        """Return whether the newest trial is about the present bindings and ports."""
        return self.trial is not None and self._answered_question is not None and self._answered_question == self._question()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return what is wrong with the data for the present design, errors first; empty until that is known."""
        if not self.current:
            return ()
        assert self.trial is not None
        design, devices = self._document.design, self._devices.resolved
        problems = (*problems_of_trial(self.trial, design.training, devices), *self._fit_problems(self.trial, design))
        # Problems of the bindings themselves come from the check of the design.
        relevant = [problem for problem in problems if about(problem.code) != "binding" and problem.severity != "info"]
        return tuple(sorted(dict.fromkeys(relevant), key=lambda problem: problem.severity != "error"))

    def _fit_problems(self, trial: Trial, design: Design) -> tuple[Problem, ...]:
        """Return where the data does not suit the design. The result is kept for this trial and this design."""
        if not self._document.report.ok:
            return ()
        if self._fit_result is None or self._fit_result[0] is not trial or self._fit_result[1] is not design:
            from seqdec_gui.runs.data_check import fit_problems

            self._fit_result = (trial, design, fit_problems(trial, design))
        return self._fit_result[2]

    @property
    def passed(self) -> Stamps | None:
        """Return the files that suit the present design, with their stamps at that time; None until that is known."""
        if self.trial is None or self._answered_question != self._question():
            return None
        return None if errors((*self.trial.problems, *self.problems)) else self._stamps

    def again(self) -> None:
        """Check again although the design is the same, because the file changed."""
        self._mark_stale()
        self._timer.start(0)

    @pyqtSlot()
    def look(self) -> None:
        """Check again if one of the files is not the one that was tried."""
        question = self._question()
        if self._checking_files is not None or question is None:
            return
        self._checking_files = background.run(lambda: _stamps(question), self._on_looked, self._on_not_looked, self)

    def _question(self) -> Question | None:
        """Return what to try now; None without a file or without a binding."""
        document = self._document
        source = document.design.data
        if not source.bindings or not (source.file or any(binding.file for binding in source.bindings)):
            return None
        return Question(source, data_ports(document.design, document.report.inference), document.folder)

    def _mark_stale(self) -> None:
        """Drop the results, which are out of date."""
        self._tried_question = self._answered_question = None
        self.changed.emit()

    def _drop_results(self) -> None:
        """Drop everything, because there is nothing to try."""
        had_trial = self.trial is not None
        self.trial = self._stamps = None
        self._watch(())
        if had_trial:
            self._mark_stale()
            self.checked.emit(None)

    # -- events
    @pyqtSlot(Design, Design)
    def _on_document_design_changed(self, old: Design, new: Design) -> None:
        if old.data is not new.data or old.blocks is not new.blocks or old.links is not new.links:
            self._timer.start(DELAY_MS)

    @pyqtSlot(object)
    def _on_document_path_changed(self, _path: Path | None) -> None:
        self._timer.start(DELAY_MS)

    @pyqtSlot(str)
    def _on_watcher_changed(self, _path: str) -> None:
        if not self._settling.isActive():
            self._settling.start()

    @pyqtSlot()
    def _on_timer_timeout(self) -> None:
        question = self._question()
        if question == self._tried_question and self.trial is not None:
            return
        if self._running is not None:
            self._try_again = True
            return
        self._tried_question = question
        if question is None:
            self._drop_results()
            return
        self._running = background.run(lambda: _try(question), self._on_tried, self._on_not_tried, self)
        self.started.emit()

    def _on_tried(self, result: tuple[Trial, Stamps]) -> None:
        self._running = None
        before = {stamp.path: stamp for stamp in self._stamps or ()}
        self.trial, self._stamps = result
        self._answered_question = self._tried_question
        if self._watch(self._stamps):
            self.look()  # written while it was read, before it was watched
        if not self._continue():
            self.checked.emit(self.trial)
            self.changed.emit()
            if any(before.get(stamp.path, stamp) != stamp for stamp in self._stamps):
                self.file_changed.emit()

    def _on_not_tried(self, error: Exception) -> None:
        self._running = None
        self.trial = self._answered_question = None
        if not self._continue():
            self.failed.emit(error)
            self.changed.emit()

    def _continue(self) -> bool:
        again, self._try_again = self._try_again, False
        if again:
            self._timer.start(0)
        return again

    def _on_looked(self, stamps: Stamps) -> None:
        self._checking_files = None
        if self._stamps is not None and stamps != self._stamps:
            self._watch(())  # the path may lead to another file now
            self.again()
        self._watch(stamps)

    def _on_not_looked(self, _error: Exception) -> None:
        self._checking_files = None

    def _watch(self, stamps: Stamps) -> bool:
        """Watch these files for changes. Return whether one of them was not watched before."""
        files = {stamp.path for stamp in stamps if stamp.size >= 0}
        paths = files | {str(Path(stamp.path).parent) for stamp in stamps if stamp.folder}
        watched = {*self._watcher.files(), *self._watcher.directories()}
        if watched - paths:
            self._watcher.removePaths(list(watched - paths))
        if paths - watched:
            self._watcher.addPaths(list(paths - watched))
        return bool(paths - watched)


def _try(question: Question) -> tuple[Trial, Stamps]:
    from seqdec_gui.runs.readiness import try_data

    return try_data(*question)


def _stamps(question: Question) -> Stamps:
    from seqdec_gui.runs.readiness import stamps

    return stamps(question.source, question.folder)
