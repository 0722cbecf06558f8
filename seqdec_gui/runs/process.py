"""Starts the process of a run, attaches to it, stops it, and reports how it ended. Only `wait` blocks."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runs import devices, known, lock, spec
from seqdec_gui.runs.cluster import fitting
from seqdec_gui.runs.control import command
from seqdec_gui.runs.crash import KILLED
from seqdec_gui.runs.engine_choice import choose_engine
from seqdec_gui.runs.environment import child_environment, with_package, working_folder
from seqdec_gui.runs.files import open_to_write
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.kept_checkpoints import newest_whole
from seqdec_gui.runs.spec import Placement, RunSpec
from seqdec_gui.runs.state import RunStatus

if TYPE_CHECKING:
    from seqdec_gui.runs.workers import Workers

POSSIBLE = hasattr(os, "killpg") and hasattr(os, "waitid")
"""Whether runs can be started on this system."""
ELSEWHERE = (
    "On this system no run is started: its processes cannot be handed a lock. Train on a host (--on, or Settings > Hosts), or "
    "install seqdec-gui in WSL."
)
"""What is said where they cannot."""
RUNNER = (sys.executable, "-m", "seqdec_gui.runner")
"""Command of the process of a run, without the run folder."""
STOPPED_BY_USER = 130
"""Exit status of a command whose run the user stopped."""
STOP_GRACE_S = 60.0
"""Seconds that a run may take to obey `stop`: an interval, the rest of a validation, a checkpoint."""
RESTART_GRACE_S = 10.0
"""Seconds that a run which is restarted, because it hangs, gets to save, and then to obey SIGTERM, before it is killed."""
TERMINATE_GRACE_S = 10.0
"""Seconds between SIGTERM and SIGKILL for a run that does not stop."""
LAST_WAIT_S = 10.0
"""Seconds to wait for the end of a run that was killed before saying that it goes on."""


class RunProcess:
    """The process of a run: a child of this process, or one that another program started (`child` None).

    It outlives this process. Call `running` every now and then: it notices the end, and sends the next signal of a stop.
    """

    def __init__(self, run: RunFolder, child: subprocess.Popen[bytes] | None = None) -> None:
        self.run = run
        self.child = child
        self.killed = False
        self._signals_due: list[tuple[float, int]] = []
        """The signals of a stop that are still to be sent, each with its time on the monotonic clock."""
        self._fatal = False
        """Whether SIGKILL was sent last."""

    @property
    def pid(self) -> int | None:
        """The process id; None if the run is not running on this host."""
        if self.child is not None:
            return self.child.pid if self.child.returncode is None else None
        return lock.holder(self.run.lock)

    def running(self) -> bool:
        """Whether the process is alive; also sends the next signal of a stop if it is due."""
        alive = self._child_alive(self.child) if self.child is not None else lock.is_held(self.run.lock)
        if not alive:
            self._signals_due.clear()
            if self._fatal and self.child is None:  # no parent may have recorded how it ended
                _record_exit(self.run, -KILLED)
            self._fatal = False
        while self._signals_due and time.monotonic() >= self._signals_due[0][0]:
            self.signal(self._signals_due.pop(0)[1])
        return alive

    def wait(self, timeout_s: float | None = None, poll_s: float = 0.05) -> RunStatus | None:
        """Wait for the end and return the status; None if `timeout_s` passed first."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while self.running():
            if deadline is not None and time.monotonic() >= deadline:
                return None
            time.sleep(poll_s)
        return self.run.status()

    def stop(self, grace_s: float = STOP_GRACE_S, terminate_s: float = TERMINATE_GRACE_S) -> None:
        """Ask the run to save and stop, and plan SIGTERM after `grace_s` and SIGKILL `terminate_s` later. Returns at once."""
        if self._signals_due or not self.running():
            return
        now = time.monotonic()
        self._signals_due = [(now + grace_s, signal.SIGTERM), (now + grace_s + terminate_s, KILLED)]
        with contextlib.suppress(OSError):  # a full disk must not keep a run from being stopped
            self.run.send(command("stop"))

    def pause(self) -> None:
        """Ask the run to save everything and end, to be resumed later. Returns at once. Raises SeqdecError."""
        self.run.send(command("pause"))

    def kill(self) -> None:
        """End the run at once, without saving; its last checkpoint remains."""
        self.killed = True
        self.signal(KILLED)

    def signal(self, number: int) -> None:
        """Send a signal to the run and to the processes that it started."""
        pid = self.pid
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):  # gone, or another user's
            self._fatal = number == KILLED
            if os.getpgid(pid) == pid:
                os.killpg(pid, number)
            else:  # started by hand, in the group of a shell
                os.kill(pid, number)

    def news(self) -> str:
        """Return a sentence if the run cannot be heard at present; it is on another machine then."""
        return ""

    def detach(self) -> None:
        """Stop watching the child, which goes on; its exit status will not be known."""
        if self.child is not None and self.child.returncode is None:
            self.child.returncode = 0  # keeps Popen from warning that the process still runs
        self.child = None

    def _child_alive(self, child: subprocess.Popen[bytes]) -> bool:
        if child.returncode is not None:
            return False
        if os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return True
        with contextlib.suppress(ProcessLookupError, PermissionError):  # processes that it started; the group still exists
            os.killpg(child.pid, signal.SIGKILL)
        _record_exit(self.run, child.wait())
        return False


def start(
    run: RunFolder,
    run_spec: RunSpec,
    nice: int = 0,
    argv: Sequence[str] | None = None,
    workers: Workers | None = None,
    listed: bool = True,
) -> RunProcess:
    """Choose devices and engine, write `spec.json` and start the process of a run.

    Args:
        run: The folder, which is made if it does not exist.
        run_spec: What to train; its `placement` is filled in.
        nice: Added to the niceness of the process, so that it yields to the window on a shared CPU.
        argv: The command, to which the run folder is appended; default: the runner.
        workers: Where to look for a warm worker before a process is started.
        listed: Whether the user is to find the run among all others; false for a run in a temporary folder.

    Raises InvalidInput (devices, engine, folder in use, no checkpoint to go on from) and SeqdecError (disk, permissions).
    """
    if not POSSIBLE:
        raise SeqdecError(ELSEWHERE)
    if run_spec.resume:  # otherwise the child would fail, and the run would count as failed
        newest_whole(run)
    placed = msgspec.structs.replace(run_spec, placement=place(run_spec))
    try:
        run.fail_if_it_leads_out()
        for folder in (run.path, run.checkpoints, run.exports):
            folder.mkdir(parents=True, exist_ok=True)
        finished = run.lock.exists() and run.status().ended
        with lock.acquire(run.lock, timeout_s=15.0 if finished else 0.5) as held:
            if lock.read_record(run.lock) is not None and not run_spec.resume:
                raise InvalidInput(f"{run.path} was started before: resume it (seqdec-gui resume {run.path}).", "run_exists")
            spec.write(placed, run.spec)
            if listed:
                known.remember_run(run.path)
            placement = placed.placement or place(placed)
            child = None if workers is None else _launch_in_worker(run, placement, held, workers)
            child = child or _launch(run, placement, held, argv or RUNNER)
            _yield_to_others(child, nice)
            return RunProcess(run, child)
    except OSError as error:
        raise SeqdecError(f"The run cannot be started in {run.path}: {error.strerror}.") from error


def place(run_spec: RunSpec) -> Placement:
    """Choose devices and engine for a run that starts now. Raises InvalidInput."""
    available = devices.list_devices()
    devices.check_choice(run_spec.devices, available)
    chosen = devices.resolve(run_spec.devices, available)
    if run_spec.cluster is not None:
        chosen = fitting.devices_for(run_spec.cluster, run_spec.devices, chosen)
        return Placement(chosen, fitting.engine_for(run_spec.engine, chosen))
    engine, why = choose_engine(run_spec.engine, chosen, run_spec.load_design())
    return Placement(chosen, engine, why)


def attach(run: RunFolder) -> RunProcess:
    """Return the process of a run that another program started; it need not be alive."""
    return RunProcess(run)


def unverified(run: RunFolder) -> str:
    """Return why a run that holds its lock cannot be ended by a signal from here, and what to do."""
    path = run.lock
    try:
        record = lock.read_record(path)
    except OSError:
        record = None
    if record is None or record.pid <= 0:
        who = f"{path} is locked, and does not say by which process"
    elif record.host != socket.gethostname():
        return f"{path} says that process {record.pid} on {record.host} holds it: end it there (kill {record.pid})."
    elif lock.holder(path) is None:
        who = f"{path} names process {record.pid}, which does not have this file open, so it was not signalled"
    else:
        return f"process {record.pid} may not be ended by you, or does not end: ask its owner, or look at it (ps {record.pid})."
    return f"{who}. Another program holds the lock: find it (fuser {path}) and end it."


def stop_unattended(run: RunFolder, grace_s: float | None = None) -> subprocess.Popen[bytes]:
    """Start a process that stops a run, and kills it after `grace_s`, for a program that is about to end."""
    seconds = STOP_GRACE_S if grace_s is None else grace_s
    return subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "seqdec_gui", "stop", str(run.path)),
            *("--grace", f"{seconds:g}", "--terminate", f"{TERMINATE_GRACE_S:g}"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=with_package(os.environ),
        start_new_session=True,
    )


def exit_status(status: RunStatus) -> int:
    """Return the exit status of a command that waited for the run: 0 finished or paused, 130 stopped, 2 invalid, else 1."""
    if status.state in ("finished", "paused"):
        return 0
    if status.state == "stopped":
        return STOPPED_BY_USER
    return 2 if getattr(status.final, "kind", "") == "invalid" else 1


def _launch(run: RunFolder, placement: Placement, held: lock.RunLock, argv: Sequence[str]) -> subprocess.Popen[bytes]:
    record = lock.record_of(run.path, pid=0)
    held.write(record)
    environment = child_environment(placement, os.environ) | {lock.DESCRIPTOR: str(held.file)}
    with os.fdopen(open_to_write(run.log, os.O_WRONLY | os.O_APPEND), "ab") as log:
        child = subprocess.Popen(
            [*argv, str(run.path)],
            env=environment,
            cwd=working_folder(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(held.file,),
            start_new_session=True,
        )
    held.write(msgspec.structs.replace(record, pid=child.pid))
    return child


def _launch_in_worker(
    run: RunFolder, placement: Placement, held: lock.RunLock, workers: Workers
) -> subprocess.Popen[bytes] | None:
    """Make a warm worker the process of the run; returns None if none fits, or if it did not take the run."""
    worker = workers.take(child_environment(placement, os.environ))
    if worker is None:
        return None
    held.write(lock.record_of(run.path, worker.process.pid))
    with os.fdopen(open_to_write(run.log, os.O_WRONLY | os.O_APPEND), "ab") as log:
        child = worker.train(run.path, log.fileno(), held.file)
    if child is None:
        worker.end()
    return child


def _yield_to_others(child: subprocess.Popen[bytes], nice: int) -> None:
    """Add to the niceness of a run's process, and of what it has started already."""
    if nice:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            own = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PGRP, child.pid, min(19, own + nice))


def _record_exit(run: RunFolder, status: int) -> None:
    """Write the exit status of the run's process into the lock file, unless the run has been started again meanwhile."""
    with contextlib.suppress(lock.RunLocked, OSError), lock.acquire(run.lock) as held:
        record = held.read()
        if record is not None:
            starved = status == -KILLED and lock.oom_kills() > record.oom_kills
            held.write(msgspec.structs.replace(record, exit_status=status, out_of_memory=starved))
