"""Short jobs in child processes (export, generate, inspect, measure), which the window follows without blocking."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from PyQt5 import sip
from PyQt5.QtCore import QCoreApplication, QObject, QThreadPool, pyqtSignal, pyqtSlot

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.gui.tasks import background, warm_workers
from seqdec_gui.runs.tasks import TASK_RUNNER, Task, run_task, task_environment

OnProgress = Callable[[object], None]
IsCancelled = Callable[[], bool]


def sentence_of(error: Exception) -> str:
    """Return the message of an error without the place of the problem, for a panel that is that place itself."""
    if isinstance(error, InvalidInput):
        return "\n".join(f"{problem.text} {problem.hint}".strip() for problem in error.problems)
    return str(error)


class Job(QObject):
    """A slow function in a thread, one at a time. `finished` is emitted last in every case.

    Deleting the object cancels the function.
    """

    progressed = pyqtSignal(object)  # a message of the function
    returned = pyqtSignal(object)  # the result of the function
    failed = pyqtSignal(object)  # SeqdecError; runs.tasks.Cancelled after `cancel`
    finished = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._cancelled: threading.Event | None = None

    @property
    def running(self) -> bool:
        return self._cancelled is not None

    def begin(self, function: Callable[[OnProgress, IsCancelled], object]) -> None:
        """Call `function(tell, is_cancelled)` in a thread. Raises RuntimeError while another runs."""
        if self.running:
            raise RuntimeError("a job is under way")
        cancelled = self._cancelled = threading.Event()
        self.destroyed.connect(lambda: cancelled.set())
        QCoreApplication.instance().aboutToQuit.connect(cancelled.set)

        def tell(event: object) -> None:
            if not cancelled.is_set() and not sip.isdeleted(self):
                self.progressed.emit(event)

        def work() -> object:
            pool = QThreadPool.globalInstance()
            pool.releaseThread()  # this thread only waits: others of the pool may go on meanwhile
            try:
                return function(tell, cancelled.is_set)
            finally:
                pool.reserveThread()

        background.run(work, self._on_job_returned, self._on_job_failed, self)

    def cancel(self) -> None:
        """Stop the function and its child process; `failed` is emitted with Cancelled."""
        if self._cancelled is not None:
            self._cancelled.set()

    def _on_job_returned(self, result: object) -> None:
        self._close()
        self.returned.emit(result)
        self.finished.emit()

    def _on_job_failed(self, error: Exception) -> None:
        self._close()
        self.failed.emit(error)
        self.finished.emit()

    def _close(self) -> None:
        if self._cancelled is not None:
            QCoreApplication.instance().aboutToQuit.disconnect(self._cancelled.set)
            self._cancelled = None


class ChildTask(Job):
    """One task in a child process.

    `returned` is emitted with the TaskResult, `progressed` with a Progress, a Notice or another message of the task. `argv` is
    the command that starts the child; tests replace it.
    """

    argv: Sequence[str] = TASK_RUNNER

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._task: Task | None = None
        self.finished.connect(self._on_finished)

    @pyqtSlot()
    def _on_finished(self) -> None:
        """Have another worker warmed for the next task of this kind, where the one that had this one has not come back."""
        task, workers = self._task, warm_workers.current()
        if task is not None and workers is not None and not any(worker.alive for worker in workers.waiting):
            warm_workers.expect(lambda: task_environment(task)[0])

    def start(self, task: Task) -> None:
        """Run the task in a warm worker, or else in a child process. Raises RuntimeError while another runs."""
        argv = tuple(type(self).argv)
        workers = warm_workers.current() if argv == TASK_RUNNER else None
        self._task = None if workers is None else task
        self.begin(lambda tell, cancelled: run_task(task, tell, cancelled=cancelled, argv=argv, workers=workers))
