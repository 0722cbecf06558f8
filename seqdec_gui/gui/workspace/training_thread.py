"""The thread that starts the process of a run and follows it, so that the window never waits for a file or a process."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import QThread, pyqtSignal, pyqtSlot

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs.control import Command, command
from seqdec_gui.runs.events import Event, Started, UnreadableLine
from seqdec_gui.runs.files import opener
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.history import RunHistory
from seqdec_gui.runs.hosts.copied import attach, unverified
from seqdec_gui.runs.overview import is_long, read_overview
from seqdec_gui.runs.process import LAST_WAIT_S, STOP_GRACE_S, TERMINATE_GRACE_S, RunProcess
from seqdec_gui.runs.reader import Follower
from seqdec_gui.runs.state import RunStatus

BATCH_S = 0.05
"""The time between two readings of the events of a run, in seconds."""
MAX_EVENTS = 2000
"""The number of events that are sent to the window at once."""
POLL_BYTES = 1 << 18
"""The part of the events file that is decoded at once, in bytes.

It is small because the window waits for the interpreter meanwhile.
"""
LOG_S = 0.5
"""The time between two readings of the run's log, in seconds."""
LOG_BYTES = 65536
"""The part of a long log that is read, from its end, in bytes."""
EXIT_GRACE_S = 30.0
"""The time that a process gets to end after its last event, in seconds."""
SILENT_S = 2.0
"""The time between two looks at a run that never started, or whose lock cannot be seen from here, in seconds."""
UNSIGNALLED_S = 5.0
"""The time that a run to which no signal can be sent gets to obey a stop, in seconds."""
NICE = 10
"""The niceness of a run on the CPU, where it competes with the window."""

_running: set[TrainingThread] = set()
"""The threads that follow a run, kept referenced until they end."""


class TrainingThread(QThread):
    """Follows one run from its first event to its last.

    Events are sent in lists, at most 20 times a second and 2,000 at once. The next list is sent only after the receiver's event
    loop has handled the one before: a flood of events, or the replay of a long run, waits in the file and not in the window's
    memory. The thread ends when the run has ended, or at `leave()`; the run itself goes on then.
    """

    launched = pyqtSignal(RunFolder)  # its process has been started
    history_read = pyqtSignal(object)  # RunHistory of a long run: an overview, then the whole, from where events go on
    event_received = pyqtSignal(object)  # list[Event]; Qt would convert a `list`, event by event
    log_received = pyqtSignal(str)  # output of the process, with newlines
    begun = pyqtSignal()  # this start of the run begins with the next events; those before were of earlier starts
    link_changed = pyqtSignal(str)  # a sentence while the host of the run is not reached; empty when it is again
    ended = pyqtSignal(RunStatus)
    fell_silent = pyqtSignal(RunStatus)  # not seen alive and not ended; the run may be active on another host
    stop_failed = pyqtSignal(str)  # the run was asked to stop and cannot be ended from here: why, and what to do
    failed = pyqtSignal(Exception)  # the run could not be started
    _events_sent = pyqtSignal()

    def __init__(self, launch: Callable[[], RunProcess]) -> None:
        """Prepare to start a run.

        `launch` is called in the thread and may take long; it raises SeqdecError if the run cannot be started.
        """
        super().__init__()
        self._launch = launch
        self._commands: deque[Command] = deque()
        self._wake = threading.Event()
        self._events_handled = threading.Event()
        self._events_handled.set()
        self._leaving = False
        self._stop_fails_at = math.inf
        self._grace_s: float = STOP_GRACE_S
        self._events_sent.connect(self._on_self_events_sent)
        self.finished.connect(self._on_self_finished)

    @classmethod
    def following(cls, run: RunFolder) -> TrainingThread:
        """Return a thread for a run that was started elsewhere; the run need not be active."""
        return cls(lambda: attach(run))

    def begin(self) -> None:
        """Start the thread, and keep it referenced until it ends even if its owner is deleted."""
        _running.add(self)
        self.start()

    # -- called by the window; none of it blocks
    def stop(self, grace_s: float = STOP_GRACE_S) -> None:
        """Ask the run to save and stop. After `grace_s` it is ended with signals."""
        self._grace_s = grace_s
        self._queue_command(command("stop"))

    def pause(self) -> Command:
        return self._queue_command(command("pause"))

    def resume(self) -> Command:
        """Continue the run after a pause."""
        return self._queue_command(command("continue"))

    def set_learning_rate(self, rate: float) -> Command:
        """Send another learning rate to the run. Raises InvalidInput unless it is above 0 and at most 100."""
        return self._queue_command(command("set_learning_rate", rate))

    def checkpoint(self) -> Command:
        """Ask the run to write its weights now."""
        return self._queue_command(command("checkpoint"))

    def leave(self) -> None:
        """Stop following the run, which goes on; the thread ends soon."""
        self._leaving = True
        self._wake.set()
        self._events_handled.set()

    def _queue_command(self, command: Command) -> Command:
        self._commands.append(command)
        self._wake.set()
        return command

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
            self._send_commands(process)  # a stop requested just before `leave`, which the run completes alone
            process.detach()

    def _follow(self, process: RunProcess) -> None:
        follower = Follower(process.run, alive=process.running)
        log = _LogTail(process.run.log)
        next_log, link = 0.0, ""
        begun, silent = self._replay(follower, process), False
        while not self._leaving:
            self._send_commands(process)
            events = follower.poll(POLL_BYTES)
            self._emit_events(events, process, begins=follower.begun and not begun)
            begun = follower.begun
            if time.monotonic() >= next_log or follower.ended:
                next_log = time.monotonic() + LOG_S
                if text := log.read():
                    self.log_received.emit(text)
                link = self._tell_link(process, link)
            if follower.ended:
                self._finish(process, log)
                return
            if events:
                silent = False
            elif process.running():
                self._look_at_stop(process)
                self._sleep(BATCH_S)
            elif not silent:
                silent = True  # only once; the next poll shows whether the run has ended since this one
                status = process.run.status()
                if not status.ended:
                    self.fell_silent.emit(status)
            else:
                self._sleep(SILENT_S)

    def _replay(self, follower: Follower, process: RunProcess) -> bool:
        """Send the history that a long run has so far, first an overview, and return whether this start of it has begun.

        Of a short run nothing is sent. The window has the interpreter half of the time.
        """
        if not is_long(process.run):
            return False
        self.history_read.emit(read_overview(process.run))
        history, end = RunHistory(), process.run.events.stat().st_size
        while not self._leaving and not follower.ended and follower.offset < end:
            self._send_commands(process)
            began, offset = time.monotonic(), follower.offset
            history.take(follower.poll(POLL_BYTES))
            if follower.offset == offset:  # the rest is half a line
                break
            self._sleep(min(BATCH_S, time.monotonic() - began), until_command=False)
        if self._leaving:
            return False
        if follower.begun:
            self.begun.emit()
        self.history_read.emit(history)
        return follower.begun

    def _send_commands(self, process: RunProcess) -> None:
        while self._commands:
            command = self._commands.popleft()
            if command.command == "stop":
                process.stop(self._grace_s, min(self._grace_s, TERMINATE_GRACE_S))
                self._stop_fails_at = time.monotonic() + stop_patience_s(process)
            else:
                process.run.send(command)

    def _look_at_stop(self, process: RunProcess) -> None:
        """Tell once why a run that was asked to stop goes on, when nothing more will be done about it."""
        if time.monotonic() >= self._stop_fails_at:
            self._stop_fails_at = math.inf
            why = unverified(process.run)
            self.stop_failed.emit(f"The run was asked to stop and goes on: {why}")

    def _tell_link(self, process: RunProcess, before: str) -> str:
        """Tell whether the host of the run is reached, when that has changed, and return it."""
        if (now := process.news()) != before:
            self.link_changed.emit(now)
        return now

    def _emit_events(self, events: list[Event], process: RunProcess, begins: bool) -> None:
        """Send the events in lists. Commands are handled between two lists, so that Stop works during a flood of events.

        With `begins` the last of them that is a start is the one of this start of the run.
        """
        start = max((place for place, event in enumerate(events) if isinstance(event, Started)), default=-1) if begins else -1
        for first in range(0, len(events), MAX_EVENTS):
            while not self._events_handled.wait(BATCH_S) and not self._leaving:
                self._send_commands(process)
                process.running()
            if self._leaving:
                return
            self._events_handled.clear()
            if first <= start < first + MAX_EVENTS:
                self.begun.emit()
            self.event_received.emit(events[first : first + MAX_EVENTS])
            self._events_sent.emit()
            self._send_commands(process)
            self._sleep(BATCH_S, until_command=False)

    def _finish(self, process: RunProcess, log: _LogTail) -> None:
        """Wait for the end of the process after its last event."""
        until = time.monotonic() + EXIT_GRACE_S
        while process.running() and time.monotonic() < until and not self._leaving:
            self._sleep(BATCH_S, until_command=False)
        if text := log.read():
            self.log_received.emit(text)
        if not self._leaving:
            self.ended.emit(process.run.status())

    def _sleep(self, seconds: float, until_command: bool = True) -> None:
        if until_command:
            self._wake.wait(seconds)
            self._wake.clear()
        elif not self._leaving:
            time.sleep(seconds)

    # -- in the window's thread
    @pyqtSlot()
    def _on_self_events_sent(self) -> None:
        self._events_handled.set()

    @pyqtSlot()
    def _on_self_finished(self) -> None:
        self.wait()
        _running.discard(self)


def leave_all(timeout_s: float = 2.0) -> None:
    """Stop following all runs, at the end of the program; the runs go on."""
    threads = list(_running)
    for thread in threads:
        thread.leave()
    for thread in threads:
        thread.wait(int(timeout_s * 1000))


def stop_patience_s(process: RunProcess) -> float:
    """Return how long a run that was asked to stop may go on, in seconds, before the window says that it cannot be ended.

    A run whose process can be signalled is ended by force at the end of the grace period. No signal reaches one whose lock is
    held by a process that cannot be told, or elsewhere: it can only obey.
    """
    return STOP_GRACE_S + TERMINATE_GRACE_S + LAST_WAIT_S if process.pid is not None else UNSIGNALLED_S


class _LogTail:
    """Reads new complete lines of a log; of a long log only its end."""

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
        # A progress bar rewrites its line with carriage returns: only the last text is kept.
        lines = whole.decode("utf-8", "replace").split("\n")
        return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
