"""The thread that starts a run's process and follows it, so that the window never waits for a file or a process."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import QThread, pyqtSignal, pyqtSlot

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs.control import Command, command
from seqdec_gui.runs.events import Event, UnreadableLine
from seqdec_gui.runs.files import opener
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.process import RunProcess, attach
from seqdec_gui.runs.reader import Follower
from seqdec_gui.runs.state import RunStatus

BATCH_S = 0.05
"""The time between two readings of the events of a run, in seconds."""
MAX_EVENTS = 2000
"""The number of events that are sent to the window at once."""
POLL_BYTES = 1 << 18
"""Decoded in one go. Small, because the window waits for the interpreter meanwhile."""
LOG_S = 0.5
"""The time between two readings of the run's log, in seconds."""
LOG_BYTES = 65536
"""The part of a long log that is read, from its end, in bytes."""
EXIT_GRACE_S = 30.0
"""The time that a process gets to end after its last event, in seconds."""
SILENT_S = 2.0
"""Between two looks at a run that was never started, or that goes on where its lock cannot be seen."""
NICE = 10
"""How much a run yields to the window where both compute on the CPU."""

_running: set[TrainingThread] = set()
"""The threads that follow a run, kept referenced until they end."""


class TrainingThread(QThread):
    """Follows one run from its first event to its last.

    Events come in lists, at most 20 times a second and 2,000 at once, and never a second list before the receiver's event loop
    has turned to the first: a flood of events, or the replay of a long run, waits in the file and not in the window's memory.
    The thread ends when the run has ended, or at `leave()`; the run itself goes on then.
    """

    launched = pyqtSignal(RunFolder)  # its process has been started
    event_received = pyqtSignal(object)  # list[Event]; Qt would convert a `list`, event by event
    log_received = pyqtSignal(str)  # what the process printed, with newlines
    ended = pyqtSignal(RunStatus)
    fell_silent = pyqtSignal(RunStatus)  # not alive as far as is known, without an end; it may still go on elsewhere
    failed = pyqtSignal(Exception)  # the run could not be started
    _sent = pyqtSignal()

    def __init__(self, launch: Callable[[], RunProcess]) -> None:
        """`launch` is called in the thread and may take its time; it raises SeqdecError where the run cannot be started."""
        super().__init__()
        self._launch = launch
        self._commands: deque[Command] = deque()
        self._wake = threading.Event()
        self._taken = threading.Event()
        self._taken.set()
        self._left = False
        self._sent.connect(self._on_self_sent)
        self.finished.connect(self._on_self_finished)

    @classmethod
    def following(cls, run: RunFolder) -> TrainingThread:
        """For a run that somebody else has started; it need not be alive."""
        return cls(lambda: attach(run))

    def begin(self) -> None:
        """Start, and stay referenced until the end whatever becomes of the owner."""
        _running.add(self)
        self.start()

    # -- what the window wants; all of it returns at once
    def stop(self) -> None:
        """Ask the run to save and stop; after a grace time it is ended with signals."""
        self._tell(command("stop"))

    def pause(self) -> Command:
        return self._tell(command("pause"))

    def resume(self) -> Command:
        """Go on after a pause."""
        return self._tell(command("continue"))

    def set_learning_rate(self, rate: float) -> Command:
        """Raises InvalidInput for a rate that is not above 0 and at most 100."""
        return self._tell(command("set_learning_rate", rate))

    def checkpoint(self) -> Command:
        """Write the weights now."""
        return self._tell(command("checkpoint"))

    def leave(self) -> None:
        """Let the run go on alone and end this thread soon."""
        self._left = True
        self._wake.set()
        self._taken.set()

    def _tell(self, order: Command) -> Command:
        self._commands.append(order)
        self._wake.set()
        return order

    # -- in the thread
    def run(self) -> None:
        try:
            process = self._launch()
        except (SeqdecError, OSError) as error:
            self.failed.emit(error)
            return
        self.launched.emit(process.run)
        try:
            self._follow(process)
        except UnreadableLine as error:
            self.ended.emit(RunStatus("unreadable", str(error)))
        except OSError as error:
            self.ended.emit(RunStatus("unreadable", f"The run's folder cannot be read: {error.strerror or error}."))
        finally:
            self._obey(process)  # a stop wished for just before `leave`; the run goes through with it alone
            process.detach()

    def _follow(self, process: RunProcess) -> None:
        follower = Follower(process.run, alive=process.running)
        log = _LogTail(process.run.log)
        next_log = 0.0
        silent = False
        while not self._left:
            self._obey(process)
            events = follower.poll(POLL_BYTES)
            self._send(events, process)
            if time.monotonic() >= next_log or follower.ended:
                next_log = time.monotonic() + LOG_S
                if text := log.read():
                    self.log_received.emit(text)
            if follower.ended:
                self._finish(process, log)
                return
            if events:
                silent = False
            elif process.running():
                self._rest(BATCH_S)
            elif not silent:
                silent = True  # only once; it may have ended since the poll, which the next one tells
                status = process.run.status()
                if not status.ended:
                    self.fell_silent.emit(status)
            else:
                self._rest(SILENT_S)

    def _obey(self, process: RunProcess) -> None:
        while self._commands:
            order = self._commands.popleft()
            if order.command == "stop":
                process.stop()
            else:
                process.run.send(order)

    def _send(self, events: list[Event], process: RunProcess) -> None:
        """One list at a time; between two of them commands are obeyed, so that Stop works in a flood."""
        for first in range(0, len(events), MAX_EVENTS):
            while not self._taken.wait(BATCH_S) and not self._left:
                self._obey(process)
                process.running()
            if self._left:
                return
            self._taken.clear()
            self.event_received.emit(events[first : first + MAX_EVENTS])
            self._sent.emit()
            self._obey(process)
            self._rest(BATCH_S, until_command=False)

    def _finish(self, process: RunProcess, log: _LogTail) -> None:
        """The last event is there; the end of the process follows soon."""
        until = time.monotonic() + EXIT_GRACE_S
        while process.running() and time.monotonic() < until and not self._left:
            self._rest(BATCH_S, until_command=False)
        if text := log.read():
            self.log_received.emit(text)
        if not self._left:
            self.ended.emit(process.run.status())

    def _rest(self, seconds: float, until_command: bool = True) -> None:
        if until_command:
            self._wake.wait(seconds)
            self._wake.clear()
        elif not self._left:
            time.sleep(seconds)

    # -- in the window's thread
    @pyqtSlot()
    def _on_self_sent(self) -> None:
        self._taken.set()

    @pyqtSlot()
    def _on_self_finished(self) -> None:
        self.wait()
        _running.discard(self)


def leave_all(timeout_s: float = 2.0) -> None:
    """Before the program ends: let all runs go on alone."""
    threads = list(_running)
    for thread in threads:
        thread.leave()
    for thread in threads:
        thread.wait(int(timeout_s * 1000))


class _LogTail:
    """What is appended to the log, in whole lines; of a long log only the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = -1

    def read(self) -> str:
        try:
            with open(self._path, "rb", opener=opener) as file:
                size = file.seek(0, 2)
                if self._offset < 0 or size - self._offset > LOG_BYTES:
                    self._offset = max(0, size - LOG_BYTES)
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return ""
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        # A progress bar rewrites its line with carriage returns: what stood there last counts.
        lines = whole.decode("utf-8", "replace").split("\n")
        return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
