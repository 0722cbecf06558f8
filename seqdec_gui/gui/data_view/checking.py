"""Trying the bindings on the data in a thread, whenever one of them changes."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QObject, QTimer, pyqtSignal, pyqtSlot

from seqdec_gui.data.dataset import Trial, try_fit
from seqdec_gui.data.tables import inspect
from seqdec_gui.domain.bindings import DataSource
from seqdec_gui.domain.dataflow import DataPort, data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.gui import background
from seqdec_gui.gui.workspace import Workspace

DELAY_MS = 150


class Checking(QObject):
    """Keeps the newest `Trial` of the open design. One is under way at a time; the last change wins."""

    started = pyqtSignal()
    checked = pyqtSignal(object)  # Trial
    failed = pyqtSignal(object)

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._asked: tuple[DataSource, tuple[DataPort, ...], Path] | None = None
        self._running: background.Operation | None = None
        self._again = False
        self.active = False
        self.trial: Trial | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self._on_timer_timeout)
        workspace.document.design_changed.connect(self._on_document_design_changed)

    @property
    def busy(self) -> bool:
        return self._running is not None or self._timer.isActive()

    def activate(self, active: bool) -> None:
        """Check while the page is shown; a hidden page costs nothing."""
        self.active = active
        if active:
            self._timer.start(0)

    def again(self) -> None:
        """Check even though the design is the same: the file changed."""
        self._asked = None
        self._timer.start(0)

    @pyqtSlot(object, object)
    def _on_document_design_changed(self, _old: Design, _new: Design) -> None:
        if self.active:
            self._timer.start(DELAY_MS)

    @pyqtSlot()
    def _on_timer_timeout(self) -> None:
        document = self._workspace.document
        ports = data_ports(document.design, document.report.inference)
        asked = (document.design.data, ports, self._workspace.folder)
        if asked == self._asked and self.trial is not None:
            return
        if self._running is not None:
            self._again = True
            return
        self._asked = asked
        self.started.emit()
        self._running = background.run(
            lambda: try_fit(*asked, opened=lambda path, _names: inspect(path)), self._on_tried, self._on_not_tried, self
        )

    def _on_tried(self, trial: Trial) -> None:
        self._running = None
        self.trial = trial
        if not self._continue():
            self.checked.emit(trial)

    def _on_not_tried(self, error: Exception) -> None:
        self._running = None
        self.trial = None
        if not self._continue():
            self.failed.emit(error)

    def _continue(self) -> bool:
        again, self._again = self._again, False
        if again:
            self._timer.start(0)
        return again
