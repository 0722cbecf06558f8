"""Short jobs in a child process (export, generate, inspect), followed from the window without blocking it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from PyQt5 import sip
from PyQt5.QtCore import QCoreApplication, QObject, QThreadPool, pyqtSignal

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.gui import background
from seqdec_gui.runs.tasks import TASK_RUNNER, Task, TaskResult, run_task


def sentence_of(error: Exception) -> str:
    """What a job failed for, as a panel of its own says it: without the place, which is the panel itself."""
    if isinstance(error, InvalidInput):
        return "\n".join(f"{problem.text} {problem.hint}".strip() for problem in error.problems)
    return str(error)


class ChildTask(QObject):
    """One job at a time. `finished` comes last, whatever happened; deleting the object ends the child.

    `argv` is the command that starts the child; tests put a stand-in there.
    """

    progressed = pyqtSignal(object)  # Progress, Notice or what else the task tells
    returned = pyqtSignal(object)  # the TaskResult
    failed = pyqtSignal(object)  # SeqdecError; runs.tasks.Cancelled after `cancel`
    finished = pyqtSignal()

    argv: Sequence[str] = TASK_RUNNER

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._cancelled: threading.Event | None = None

    @property
    def running(self) -> bool:
        return self._cancelled is not None

    def start(self, task: Task) -> None:
        """Do the task in a child. Raises RuntimeError while another runs."""
        if self.running:
            raise RuntimeError("a task is under way")
        cancelled = self._cancelled = threading.Event()
        self.destroyed.connect(lambda: cancelled.set())
        QCoreApplication.instance().aboutToQuit.connect(cancelled.set)
        argv = tuple(type(self).argv)

        def follow(event: object) -> None:
            if not cancelled.is_set() and not sip.isdeleted(self):
                self.progressed.emit(event)

        def work() -> TaskResult:
            pool = QThreadPool.globalInstance()
            pool.releaseThread()  # this thread only waits: others of the pool may go on meanwhile
            try:
                return run_task(task, follow, cancelled=cancelled.is_set, argv=argv)
            finally:
                pool.reserveThread()

        background.run(work, self._on_task_returned, self._on_task_failed, self)

    def cancel(self) -> None:
        """End the child; `failed` hears Cancelled."""
        if self._cancelled is not None:
            self._cancelled.set()

    def _on_task_returned(self, result: TaskResult) -> None:
        self._close()
        self.returned.emit(result)
        self.finished.emit()

    def _on_task_failed(self, error: Exception) -> None:
        self._close()
        self.failed.emit(error)
        self.finished.emit()

    def _close(self) -> None:
        if self._cancelled is not None:
            QCoreApplication.instance().aboutToQuit.disconnect(self._cancelled.set)
            self._cancelled = None
