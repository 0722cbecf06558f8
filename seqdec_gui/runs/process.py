"""Starting the process of a run, attaching to one, stopping it, and saying how it ended. Nothing here blocks but `wait`."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

import msgspec

from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runs import devices, lock, spec
from seqdec_gui.runs.checkpoint_file import fail_if_gone
from seqdec_gui.runs.control import command
from seqdec_gui.runs.engine_choice import choose_engine
from seqdec_gui.runs.environment import child_environment, with_package, working_folder
from seqdec_gui.runs.files import open_to_write
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.spec import Placement, RunSpec
from seqdec_gui.runs.state import RunStatus

RUNNER = (sys.executable, "-m", "seqdec_gui.runner")
STOPPED_BY_USER = 130
STOP_GRACE_S = 60.0
"""How long a run may take to obey `stop`: an epoch's last part, its validation, a checkpoint."""
TERMINATE_GRACE_S = 10.0
LAST_WAIT_S = 10.0
"""How long the end of a run that was killed is waited for, before it is said that it goes on."""


class RunProcess:
    """The process of a run: our child, or one that another program started (`child` None).

    It does not die with us. `poll` must be called now and then: it notices the end and takes the next step of a stop.
    """

    def __init__(self, run: RunFolder, child: subprocess.Popen[bytes] | None = None) -> None:
        self.run = run
        self.child = child
        self.killed = False
        self._ladder: list[tuple[float, signal.Signals]] = []
        self._fatal = False  # whether SIGKILL was sent

    @property
    def pid(self) -> int | None:
        """The process id, None where the run does not run on this host."""
        if self.child is not None:
            return self.child.pid if self.child.returncode is None else None
        return lock.holder(self.run.lock)

    def running(self) -> bool:
        """Whether the process is alive; also climbs the ladder of a stop."""
        alive = self._child_alive(self.child) if self.child is not None else lock.is_held(self.run.lock)
        if not alive:
            self._ladder.clear()
            if self._fatal and self.child is None:  # nobody else may have seen how it ended, and we know
                _record_exit(self.run, -signal.SIGKILL)
            self._fatal = False
        while self._ladder and time.monotonic() >= self._ladder[0][0]:
            self.signal(self._ladder.pop(0)[1])
        return alive

    def wait(self, timeout_s: float | None = None, poll_s: float = 0.05) -> RunStatus | None:
        """Wait for the end and say how it was; None where the time was up first."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while self.running():
            if deadline is not None and time.monotonic() >= deadline:
                return None
            time.sleep(poll_s)
        return self.run.status()

    def stop(self, grace_s: float = STOP_GRACE_S, terminate_s: float = TERMINATE_GRACE_S) -> None:
        """Ask the run to stop and save; after `grace_s` SIGTERM, `terminate_s` later SIGKILL. Returns at once."""
        if self._ladder or not self.running():
            return
        now = time.monotonic()
        self._ladder = [(now + grace_s, signal.SIGTERM), (now + grace_s + terminate_s, signal.SIGKILL)]
        with contextlib.suppress(OSError):  # a full disk must not keep a run from being stopped
            self.run.send(command("stop"))

    def kill(self) -> None:
        """End the run at once; only its last checkpoint stays."""
        self.killed = True
        self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the run and to the processes that it started."""
        pid = self.pid
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):  # gone, or another user's
            self._fatal = number == signal.SIGKILL
            if os.getpgid(pid) == pid:
                os.killpg(pid, number)
            else:  # started by hand, in the group of a shell
                os.kill(pid, number)

    def detach(self) -> None:
        """Let go of the child: it goes on, and its exit status will not be known."""
        if self.child is not None and self.child.returncode is None:
            self.child.returncode = 0  # keeps Popen from warning that the process still runs
        self.child = None

    def _child_alive(self, child: subprocess.Popen[bytes]) -> bool:
        if child.returncode is not None:
            return False
        if os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return True
        with contextlib.suppress(ProcessLookupError, PermissionError):  # what it left behind; the group is still ours
            os.killpg(child.pid, signal.SIGKILL)
        _record_exit(self.run, child.wait())
        return False


def start(run: RunFolder, run_spec: RunSpec, nice: int = 0, argv: Sequence[str] | None = None) -> RunProcess:
    """Write `spec.json` and start the process of a run, `argv` (default: the runner) followed by the run folder.

    It gets an environment of its own. Devices and engine are decided here (`placement` of the spec). `nice` makes it yield to
    the window on a shared CPU.
    Raises InvalidInput (devices, engine, folder in use, no checkpoint to go on from) and SeqdecError (disk, permissions).
    """
    if run_spec.resume:
        fail_if_gone(run)
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
            return RunProcess(run, _launch(run, placed.placement or place(placed), held, nice, argv or RUNNER))
    except OSError as error:
        raise SeqdecError(f"The run cannot be started in {run.path}: {error.strerror}.") from error


def place(run_spec: RunSpec) -> Placement:
    """Devices and engine for a run that starts now. Raises InvalidInput."""
    available = devices.list_devices()
    devices.check_choice(run_spec.devices, available)
    chosen = devices.resolve(run_spec.devices, available)
    engine, why = choose_engine(run_spec.engine, chosen, run_spec.load_design())
    return Placement(chosen, engine, why)


def attach(run: RunFolder) -> RunProcess:
    """The process of a run that somebody else started; it need not be alive."""
    return RunProcess(run)


def unverified(run: RunFolder) -> str:
    """Why a run that holds its lock cannot be ended by a signal from here, and what to do."""
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
    """Let a process of its own stop a run, and end it by force after a time of grace: for a program that is about to go."""
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
    """What a command that waited for the run returns: 0 finished, 130 stopped, 2 invalid design or data, else 1."""
    if status.state == "finished":
        return 0
    if status.state == "stopped":
        return STOPPED_BY_USER
    return 2 if getattr(status.final, "kind", "") == "invalid" else 1


def _launch(
    run: RunFolder, placement: Placement, held: lock.RunLock, nice: int, argv: Sequence[str]
) -> subprocess.Popen[bytes]:
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
    if nice:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            own = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, child.pid, min(19, own + nice))
    return child


def _record_exit(run: RunFolder, status: int) -> None:
    """Note how our child ended, unless the run has been started again meanwhile."""
    with contextlib.suppress(lock.RunLocked, OSError), lock.acquire(run.lock) as held:
        record = held.read()
        if record is not None:
            held.write(msgspec.structs.replace(record, exit_status=status))
