"""Ends a run that is told to stop before it has trained a step, whatever it is doing: importing, reading, compiling, exporting.

Nothing is lost then, so nothing has to be waited for: a thread looks at the commands and at signals, writes the final event and
ends the process. From the first step on the training loop obeys.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import threading
import time
from pathlib import Path

from seqdec_gui.runner.commands import Commands
from seqdec_gui.runner.import_trimming import exit_at_once
from seqdec_gui.runs.control import Command, CommandReader
from seqdec_gui.runs.events import Checkpoint, EventWriter, Stopped
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.salvage import events_of

LOOK_S = 0.03
"""Seconds between two looks at the commands."""
WITHOUT_THREAD_S = 0.03
"""Seconds that the main thread has to obey by itself, as it does where it waits."""
STOPPED = 130
"""Exit status of a run that the user stopped."""


class EarlyStop:
    """Looks for a stop until `over` is called. Make it in the main thread, once the run's events can be written."""

    def __init__(self, run: RunFolder, events: EventWriter, commands: Commands, offset: int) -> None:
        self._run = run
        self._events = events
        self._commands = commands
        self._reader = CommandReader(run.commands, offset)
        self._alone = threading.Lock()
        self._over = threading.Event()
        self._signals, written = os.pipe()
        os.set_blocking(written, False)
        signal.set_wakeup_fd(written, warn_on_full_buffer=False)  # a handler in Python waits for the main thread
        commands.when_training_begins = self.over
        threading.Thread(target=self._look, daemon=True, name="early stop").start()

    def over(self) -> None:
        """Leave it to the training loop to stop, from now on."""
        if not self._over.is_set():
            with self._alone:
                self._over.set()

    def _look(self) -> None:
        while not self._over.is_set():
            paused = self._asked()
            if paused is not None:
                time.sleep(WITHOUT_THREAD_S)
                self._end(paused)
                return

    def _asked(self) -> bool | None:
        """Wait a moment for a stop; returns whether it is a pause, None if there is none."""
        if select.select([self._signals], [], [], LOOK_S)[0]:
            numbers = os.read(self._signals, 64)
            if any(number in numbers for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)):
                return False
        with contextlib.suppress(OSError):
            for command in self._reader.read():
                if isinstance(command, Command) and command.command in ("stop", "pause"):
                    self._command = command
                    return command.command == "pause"
        return None

    _command: Command | None = None

    def _end(self, paused: bool) -> None:
        with self._alone:
            if self._over.is_set():
                return
            epoch, step = self._trained()
            with contextlib.suppress(OSError):  # the disk may be full
                if self._command is not None and self._command.id not in self._commands.answered:
                    self._commands.answer_stop(self._command)
                self._events.write_last(Stopped(epoch=epoch, step=step, paused=paused))
            kill_children()
            remove_temporary(self._run)
            exit_at_once(0 if paused else STOPPED)

    def _trained(self) -> tuple[int, int]:
        """Return epoch and step of the checkpoint that the run goes on from."""
        with contextlib.suppress(Exception):
            if saved := events_of(self._run.events, Checkpoint):
                last = max(saved, key=lambda event: event.time)
                return last.epoch, last.step
        return 1, 0


def kill_children() -> None:
    """Kill the processes that this one has started, where the system tells them."""
    for task in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for number in task.read_text().split():
                with contextlib.suppress(OSError):
                    os.kill(int(number), signal.SIGKILL)


def remove_temporary(run: RunFolder) -> None:
    """Remove what a start or a crash has left half-written in the run's folder: files and folders that begin with a dot."""
    for folder in (run.path, run.checkpoints, run.copies):
        with contextlib.suppress(OSError):
            for path in folder.iterdir():
                if path.name.startswith(".dry-run-") and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                elif _is_half_written(path):
                    with contextlib.suppress(OSError):
                        path.unlink()


_WRITTEN = ("spec.json", "data.json", "dataset.json", "model.py", "best.weights.h5", "last.weights.h5")


def _is_half_written(path: Path) -> bool:
    """Whether this is the temporary name of a file that the run writes as a whole (`runs.files.write_atomically`)."""
    return any(path.name.startswith(f".{name}.") for name in _WRITTEN)
