"""The process of a run on a host, as its copy here stands for it; and `attach`, for runs here and there."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid

import msgspec

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs import lock
from seqdec_gui.runs.control import append_line
from seqdec_gui.runs.crash import KILLED
from seqdec_gui.runs.environment import with_package, working_folder
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.hosts import record
from seqdec_gui.runs.process import RunProcess
from seqdec_gui.runs.process import unverified as unverified_here

FOLLOWER = (sys.executable, "-P", "-m", "seqdec_gui.runs.hosts.follower")
"""The command of the process that follows a run, without the folder of the copy."""
AGAIN_S = 3.0
"""Seconds between two starts of a follower."""
BEGIN_S = 20.0
"""Seconds that a follower gets to take the lock of the copy."""
_followers: list[subprocess.Popen[bytes]] = []
"""Those that were started here, so that they are waited for when they have ended."""


class CopiedProcess(RunProcess):
    """A run on a host. While it goes on, a process here follows it, which is started again whenever it is missing."""

    def __init__(self, run: RunFolder) -> None:
        super().__init__(run)
        self._again_at = 0.0

    def running(self) -> bool:
        """Whether the run goes on as far as is known; also starts what follows it, and sends the next signal of a stop."""
        alive = lock.is_held(self.run.lock)
        if not alive and record.goes_on(self.run.path):
            alive = True
            if time.monotonic() >= self._again_at:
                self._again_at = time.monotonic() + AGAIN_S
                start_follower(self.run)
        if not alive:
            self._signals_due.clear()
        while self._signals_due and time.monotonic() >= self._signals_due[0][0]:
            self.signal(self._signals_due.pop(0)[1])
        return alive

    @property
    def pid(self) -> int | None:
        """The id of the process here that follows the run, 0 while there is none; None if the run does not go on."""
        return lock.holder(self.run.lock) or (0 if record.goes_on(self.run.path) else None)

    def kill(self) -> None:
        """Have the run ended at once on its host, as soon as that is reached."""
        self.killed = True
        self.signal(KILLED)

    def signal(self, number: int) -> None:
        """Have a signal sent to the run on its host."""
        request = {"signal": number, "id": uuid.uuid4().hex[:12]}
        try:
            append_line(self.run.path / record.REQUESTS, msgspec.json.encode(request))
        except OSError as error:
            raise SeqdecError(f"The run cannot be ended from here: {error.filename}: {error.strerror}.") from error

    def news(self) -> str:
        """Return a sentence about the link to the host; empty while it holds."""
        return link_of(self.run)


def attach(run: RunFolder) -> RunProcess:
    """Return the process of a run that was started elsewhere; it need not be alive."""
    return CopiedProcess(run) if record.is_copy(run.path) else RunProcess(run)


def unverified(run: RunFolder) -> str:
    """Return why a run that was asked to end goes on, and what to do."""
    if not record.is_copy(run.path):
        return unverified_here(run)
    known = record.read(run.path)
    on = known.host if known is not None else "its host"
    return link_of(run) or f"it has not ended on {on} yet. End it at once: seqdec-gui stop --kill {run.path}."


def link_of(run: RunFolder) -> str:
    """Return a sentence about the link to the host of a run that goes on; empty while it holds, and for a run of here."""
    if not record.goes_on(run.path):
        return ""
    known = record.read(run.path)
    return record.read_link(run.path).sentence(known.host) if known is not None else ""


def start_follower(run: RunFolder) -> None:
    """Start the process that follows a run, for as long as it goes on. One that finds another at work ends at once."""
    _followers[:] = [each for each in _followers if each.poll() is None]
    with open(run.path / "follower.log", "ab") as log:  # noqa: PTH123
        _followers.append(
            subprocess.Popen(
                [*FOLLOWER, str(run.path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=with_package(os.environ),
                cwd=working_folder(),
                start_new_session=True,
            )
        )


def await_follower(run: RunFolder, timeout_s: float = BEGIN_S) -> None:
    """Wait until somebody follows a run, or it is over."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until and not lock.is_held(run.lock) and record.goes_on(run.path):
        time.sleep(0.05)


def look_again(run: RunFolder) -> None:
    """Follow a run once more that was thought to be gone. Raises InvalidInput."""
    known = record.read(run.path)
    if known is not None and known.gone:
        record.write(run.path, msgspec.structs.replace(known, gone=""))
