"""The other processes of a run on several hosts, as process 0 sees them: starts them, watches them, says which one is gone."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Protocol

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runner.early_stop import kill_children
from seqdec_gui.runner.import_trimming import exit_at_once
from seqdec_gui.runs.cluster import addresses, launching
from seqdec_gui.runs.cluster.choice import Cluster
from seqdec_gui.runs.events import EventWriter, Failed
from seqdec_gui.runs.spec import DeviceChoice

LOOK_S = 0.5
"""Seconds between two looks at the processes that were started here."""
OWN_WORDS_S = 8.0
"""Seconds that process 0 has to notice by itself that another one is gone, and those in which it learns which."""
END_S = 10.0
"""Seconds that the others have to end after the last call."""
FAILED = 1


class Meeting(Protocol):
    """What the engine has of the others."""

    def watch(self, when_silent: Callable[[int], None]) -> None:
        """Have `when_silent` called with the number of a process that is silent."""

    def said(self, key: str) -> bytes | None:
        """Return what a process has said under a key."""


class Party:
    """The other processes. `begin` starts them, the engine meets them, `end` ends them."""

    def __init__(self, cluster: Cluster, devices: DeviceChoice, events: EventWriter, where: str) -> None:
        """`where` is the run folder, for the sentence that says how to go on."""
        self.cluster = cluster
        self.processes = cluster.processes
        self.only_here = cluster.one_host
        self._devices = devices
        self._events = events
        self._run = where
        port = cluster.port or addresses.free_port(addresses.LOOPBACK if self.only_here else "")
        names = (addresses.LOOPBACK,) if self.only_here else (*cluster.at, *addresses.own_addresses())
        self.at = tuple(f"[{name}]:{port}" if ":" in name else f"{name}:{port}" for name in dict.fromkeys(names))
        self._started: list[launching.Started] = []
        self._gone: dict[int, str] = {}
        self._over = threading.Event()
        self._meeting: Meeting | None = None
        self.tell_the_end: Callable[[], None] = lambda: None
        """Tells the others that nothing more is to be done; set by the engine."""

    def begin(self) -> None:
        """Start the other processes, where that is for process 0 to do. Raises SeqdecError."""
        if not self.at:
            raise SeqdecError("This host has no address that others could reach: connect it to a network, or use local:N.")
        if self.cluster.kind == "slurm" and "SLURM_JOB_ID" not in os.environ:
            raise SeqdecError(f"This is no job of SLURM. {self._how_to_go_on()}")
        misleading = "" if self.only_here or self._devices.kind == "gpu" else addresses.name_that_misleads()
        if misleading:
            raise SeqdecError(misleading)
        self._started = launching.start(self.cluster, str(self._devices), self.at)
        threading.Thread(target=self._look, daemon=True, name="the other processes").start()

    def has_met(self, meeting: Meeting) -> None:
        """Watch processes that were started elsewhere, too."""
        self._meeting = meeting
        meeting.watch(lambda number: self._is_gone(number, "has given no sign of life for a while"))

    def end(self) -> None:
        """Have the others end, and wait for those that were started here."""
        self._over.set()
        with contextlib.suppress(Exception):  # one may be gone, which is why it ends
            self.tell_the_end()
        until = time.monotonic() + END_S
        while self._meeting is not None and not self._gone and time.monotonic() < until and not self._have_ended():
            time.sleep(0.05)  # they need this process until they have heard it
        for started in self._started:
            try:
                started.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                started.process.kill()
                started.process.wait()

    def _have_ended(self) -> bool:
        assert self._meeting is not None
        return all(self._meeting.said(f"ended/{number}") is not None for number in range(1, self.processes))

    # -- who is gone
    def explained(self, error: Exception) -> Exception:
        """Return the error with which a call ended: one that names the process that is gone, where one is."""
        until = time.monotonic() + OWN_WORDS_S
        while time.monotonic() < until:
            self._hear_last_words()
            if self._gone or not _is_about_others(error):
                break
            time.sleep(0.1)
        if self._gone:
            return SeqdecError(self._sentence())
        if _is_about_others(error):
            return SeqdecError(f"One of {self._all()} is gone. {self._how_to_go_on()}")
        return error

    def _hear_last_words(self) -> None:
        """Take what processes that failed have said of it."""
        for number in range(1, self.processes):
            words = self._meeting.said(f"ended/{number}") if self._meeting is not None else None
            if words:
                self._gone[number] = f"failed: {words.decode('utf-8', 'replace')}"

    def _look(self) -> None:
        while not self._over.wait(LOOK_S):
            for started in self._started:
                status = started.process.poll()
                if status is not None and not self._over.is_set():
                    self._is_gone(started.numbers[0], f"has ended (exit status {status})")
                    return

    def _is_gone(self, number: int, what: str) -> None:
        """End the run if process 0 does not do so by itself: a sum may wait for ever for who is gone."""
        self._gone.setdefault(number, what)
        if self._over.wait(OWN_WORDS_S + 1.0):
            return
        self._hear_last_words()
        with contextlib.suppress(OSError):  # the disk may be full
            self._events.write_last(Failed(kind="crashed", sentence=self._sentence()))
        sys.stderr.write(f"{self._sentence()}\n")
        kill_children()
        exit_at_once(FAILED)

    def _sentence(self) -> str:
        number, what = next(iter(self._gone.items()))
        return f"Process {number} ({self.cluster.places[number]}) of {self._all()} {what.rstrip('.')}. {self._how_to_go_on()}"

    def _all(self) -> str:
        return f"the {self.processes} processes of the run"

    def _how_to_go_on(self) -> str:
        fewer = (
            f"--cluster {self.cluster.kind}:{self.processes - 1}"
            if self.only_here
            else "--cluster with the hosts that are left"
        )
        return f"The log says more. Go on from the last checkpoint: seqdec-gui resume {self._run} {fewer}, or --cluster none."


def _is_about_others(error: Exception) -> bool:
    return any(
        word in str(error) for word in ("Gloo", "gloo", "NCCL", "nccl", "CoordinationService", "Connection", "UNAVAILABLE")
    )
