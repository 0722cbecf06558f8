"""Slow functions in a thread of the pool; their results come back in the window's thread.

`run(list_devices, done=self._on_devices_listed, owner=self)`: without `failed`, an error is shown by `notify`. Results for an
owner that has been deleted are dropped, so a page can be closed at any time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from PyQt5 import sip
from PyQt5.QtCore import QObject, QRunnable, QThreadPool, pyqtSignal, pyqtSlot

from seqdec_gui.domain.problems import SeqdecError

Result = TypeVar("Result")
_running: set[Operation] = set()
"""The operations under way, kept referenced until they end."""


class Operation(QObject):
    """A function that runs in a thread. `finished` is emitted last in every case.

    `cancel()` drops the result; it does not stop the function.
    """

    finished = pyqtSignal()
    _returned = pyqtSignal(object)
    _raised = pyqtSignal(object)

    def __init__(
        self, done: Callable[[Any], None] | None, failed: Callable[[Exception], None] | None, owner: QObject | None
    ) -> None:
        super().__init__()
        self._done = done
        self._failed = failed
        self._owner = owner
        self._cancelled = False
        self._returned.connect(self._on_returned)
        self._raised.connect(self._on_raised)

    def cancel(self) -> None:
        """Drop the result when it arrives."""
        self._cancelled = True

    @property
    def wanted(self) -> bool:
        return not self._cancelled and (self._owner is None or not sip.isdeleted(self._owner))

    @pyqtSlot(object)
    def _on_returned(self, result: object) -> None:
        try:
            if self.wanted and self._done is not None:
                self._done(result)
        finally:
            self._close()

    @pyqtSlot(object)
    def _on_raised(self, error: Exception) -> None:
        try:
            if self.wanted:
                self._tell(error)
        finally:
            self._close()

    def _tell(self, error: Exception) -> None:
        if self._failed is not None:
            self._failed(error)
        elif isinstance(error, SeqdecError):
            from seqdec_gui.gui.tasks import notify

            notify.failure(self._owner, error)
        else:
            sys.excepthook(type(error), error, error.__traceback__)

    def _close(self) -> None:
        _running.discard(self)
        self.finished.emit()


class _Work(QRunnable):
    """Runs the function of an Operation in a thread of the pool."""

    def __init__(self, function: Callable[[], Any], operation: Operation) -> None:
        super().__init__()
        self._function = function
        self._operation = operation

    def run(self) -> None:
        try:
            name, value = "_returned", self._function()
        except Exception as error:
            name, value = "_raised", error
        if not sip.isdeleted(self._operation):  # the application may be closing
            getattr(self._operation, name).emit(value)


def run(
    function: Callable[[], Result],
    done: Callable[[Result], None] | None = None,
    failed: Callable[[Exception], None] | None = None,
    owner: QObject | None = None,
) -> Operation:
    """Call `function` in a thread. `done(result)` or `failed(error)` is called in the window's thread."""
    operation = Operation(done, failed, owner)
    _running.add(operation)
    QThreadPool.globalInstance().start(_Work(function, operation))
    return operation


class _Call(QRunnable):
    """Runs a function in a thread of the pool for `result`."""

    def __init__(self, function: Callable[[], Any], future: Future[Any]) -> None:
        super().__init__()
        self._function = function
        self._future = future

    def run(self) -> None:
        try:
            self._future.set_result(self._function())
        except Exception as error:
            self._future.set_exception(error)


def result(function: Callable[[], Result]) -> Result:
    """Call `function` in a thread of the pool and wait for its result.

    It serves threads that will end and must not create threads of libraries.
    """
    future: Future[Result] = Future()
    QThreadPool.globalInstance().start(_Call(function, future))
    return future.result()


def busy() -> int:
    """Return the number of operations that run."""
    return len(_running)
