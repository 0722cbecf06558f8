"""Notices that a run gives no sign of life, and has its process write what it is doing into the log.

A sign of life is an event: a run reports several times a second while it trains. The process writes the stacks of its threads
when it receives SIGUSR1 (`faulthandler`, which needs neither the interpreter nor the main thread).
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from seqdec_gui.runs import lock
from seqdec_gui.runs.crash import log_tail
from seqdec_gui.runs.events import Checkpoint, Continued, Epoch, Event, Message, Paused, Started, Step
from seqdec_gui.runs.hosts import record as copied
from seqdec_gui.runs.run_files import RunFiles

QUIET_S = 60.0
"""Seconds without an event after which a run that trains is said to be silent, at least."""
STARTING_S = 180.0
"""Seconds without an event after which a run is said to be silent that has not taken a step: it may be compiling."""
PATIENCE = 20
"""Multiple of the longest time between two events so far after which a run is said to be silent."""
STACK_S = 1.0
"""Seconds that the process gets to write its stacks."""
_FRAME = re.compile(r'^  File "(?P<file>[^"]+)", line (?P<line>\d+) in (?P<name>\S+)', re.MULTILINE)
_THREAD = re.compile(r"^(?:Current thread|Thread) 0x[0-9a-f]+[^\n]*\(most recent call first\):\n", re.MULTILINE)


class Watchdog:
    """Judges the events of one start of a run as they are read. `look` makes a warning out of a silence."""

    def __init__(self, run: RunFiles, clock: Callable[[], float] = time.monotonic) -> None:
        self._run = run
        self._clock = clock
        self._since = clock()
        self._longest = 0.0
        self._steps = False
        self._held = False
        self._devices = 1
        self._told = False
        self._asked: tuple[float, int] | None = None

    def take(self, events: Sequence[Event]) -> None:
        """Take new events: signs of life."""
        now = self._clock()
        for event in events:
            if isinstance(event, Started):
                self._steps, self._held, self._longest, self._devices = False, False, 0.0, len(event.devices)
            elif isinstance(event, Step | Epoch | Checkpoint):
                if self._steps:
                    self._longest = max(self._longest, now - self._since)
                self._steps = True
            elif isinstance(event, Paused | Continued):
                self._held = isinstance(event, Paused)
        if events:
            self._since, self._told, self._asked = now, False, None

    @property
    def limit_s(self) -> float:
        """After how many seconds the run is said to be silent."""
        return max(QUIET_S, PATIENCE * self._longest) if self._steps else STARTING_S

    def look(self) -> Message | None:
        """Return a warning once the run has been silent for long, with what its main thread is doing. Call it now and then."""
        now = self._clock()
        if self._told or self._held or now - self._since < self.limit_s:
            return None
        if copied.read_link(self._run.path).why:  # the run may be well, on a host that is not reached
            return None
        if self._asked is None:
            self._asked = (now, _size(self._run.log))
            if _ask_for_stacks(lock.holder(self._run.lock)):
                return None
        asked_at, offset = self._asked
        if now - asked_at < STACK_S:
            return None
        self._told = True
        return Message(severity="warning", code="silent", text=self._words(now, main_thread(log_tail(self._run.log, offset))))

    def _words(self, now: float, stack: list[str]) -> str:
        text = f"The run has given no sign of life for {now - self._since:.0f} s."
        if stack:
            text += f" Its main thread is in {', called by '.join(stack[:3])}; log.txt has the stacks of all threads."
        if not self._steps:
            text += " It has not taken a step yet: a large model may be compiling."
        if self._devices > 1 and not self._steps:
            text += (
                f" If it waits for the first exchange between its {self._devices} devices: see that no other program uses them "
                "(nvidia-smi), try with one device less, with NCCL_P2P_DISABLE=1, and with NCCL_DEBUG=INFO, which says in "
                "log.txt what it waits for."
            )
        how = f"seqdec-gui resume --restart {self._run.path}, or Restart in the window"
        return f"{text} To end it and go on from its last checkpoint: {how}."


def main_thread(log: str) -> list[str]:
    """Return what the main thread does, the innermost call first, from the stacks that a process has written into its log."""
    parts = _THREAD.split(log)
    if len(parts) < 2:
        return []
    frames = _FRAME.findall(parts[-1])  # the main thread comes last
    return [f"{name} ({Path(file).name}:{line})" for file, line, name in frames]


def _ask_for_stacks(pid: int | None) -> bool:
    """Have a process write its stacks; returns whether it was asked. One that does not expect the signal would die of it."""
    if pid is None or not hasattr(signal, "SIGUSR1"):
        return False
    with contextlib.suppress(OSError, ValueError):
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
        caught = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt:"))
        if caught >> (signal.SIGUSR1 - 1) & 1:
            os.kill(pid, signal.SIGUSR1)
            return True
    return False


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0
