"""The lock of a run folder: held as long as the run is alive, from before its process starts until that process ends.

The lock is `flock` on `RUN/lock`, which belongs to the open file, not to a process: the parent takes it and hands the
descriptor to the child, so that there is no moment in between. The file says who holds it, as JSON.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from pathlib import Path

import msgspec

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs import file_lock
from seqdec_gui.runs.events import Count, Seconds, cut_half_line
from seqdec_gui.runs.files import NotOrdinary, open_to_read, open_to_write, opener, read_bytes

DESCRIPTOR = "SEQDEC_GUI_LOCK_FD"
"""Environment variable that tells the child the number of the descriptor that it inherits."""


MOST_BYTES = 1 << 16
"""Size up to which a lock file is read, in bytes."""


class RunLocked(SeqdecError):
    """The run is alive, or another program holds its lock."""


class LockRecord(msgspec.Struct, frozen=True):
    """Who holds, or last held, the lock.

    `events_offset`, `commands_offset` and `log_offset` are the sizes of those files at the start: what stands before belongs
    to earlier starts of the run. `exit_status` is what the parent saw, in the way of `subprocess` (-9: killed by signal 9),
    None if nobody waited for the process. `oom_kills` is how many processes the system had killed at the start because main
    memory ran out, and `out_of_memory` whether there were more when the parent saw this one killed.
    """

    pid: Count
    host: str
    started: Seconds
    events_offset: Count = 0
    commands_offset: Count = 0
    log_offset: Count = 0
    exit_status: int | None = None
    oom_kills: Count = 0
    out_of_memory: bool = False


class RunLock:
    """A held lock. Closing it releases the run, unless another process has inherited it."""

    def __init__(self, file: int) -> None:
        self.file = file

    def write(self, record: LockRecord) -> None:
        data = msgspec.json.encode(record) + b"\n"
        file_lock.write_at(self.file, data, 0)
        os.ftruncate(self.file, len(data))

    def read(self) -> LockRecord | None:
        return _parse(file_lock.read_at(self.file, 65536, 0))

    def close(self) -> None:
        if self.file >= 0:
            os.close(self.file)
            self.file = -1

    def __enter__(self) -> RunLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def acquire(path: Path, timeout_s: float = 0.5) -> RunLock:
    """Take the lock. A look at whether it is free holds it for microseconds, so trying takes up to `timeout_s`.

    Raises RunLocked, OSError.
    """
    lock = RunLock(open_to_write(path, os.O_RDWR))
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            file_lock.take(lock.file)
            return lock
        except BlockingIOError:
            if time.monotonic() >= deadline:
                holder = lock.read()
                lock.close()
                raise RunLocked(_who(path, holder)) from None
            time.sleep(0.02)


def adopt(path: Path) -> RunLock:
    """For the run itself: keep the lock that the parent handed over, or take it where there is no parent.

    Processes that the run starts do not inherit it. Keep the result for as long as the process lives.
    """
    number = os.environ.pop(DESCRIPTOR, "")
    if number:
        os.set_inheritable(int(number), False)
        lock = RunLock(int(number))
        record = lock.read()
    else:
        lock = acquire(path)
        record = record_of(path.parent, os.getpid())
    if record is not None:  # the parent may have died before it could note our number
        lock.write(msgspec.structs.replace(record, pid=os.getpid()))
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lock.close)
    return lock


def record_of(run: Path, pid: int) -> LockRecord:
    """Return the record of a start that happens now. Call with the lock held: a half event that a crash left is cut off."""
    with contextlib.suppress(FileNotFoundError), open(run / "events.jsonl", "rb", opener=opener):
        file = open_to_write(run / "events.jsonl", os.O_RDWR)
        try:
            cut_half_line(file)
        finally:
            os.close(file)
    events, commands, log = (_size(run / name) for name in ("events.jsonl", "commands.jsonl", "log.txt"))
    return LockRecord(pid, socket.gethostname(), time.time(), events, commands, log, oom_kills=oom_kills())


def oom_kills() -> int:
    """Return how many processes the system has killed because main memory ran out; 0 where it does not say."""
    with contextlib.suppress(OSError, ValueError):
        lines = Path("/proc/vmstat").read_text(encoding="ascii", errors="replace").splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
    return 0


def is_held(path: Path) -> bool:
    """Whether some process holds the lock now."""
    try:
        file = open_to_read(path)
    except (FileNotFoundError, IsADirectoryError, NotOrdinary):
        return False
    try:
        file_lock.take(file, shared=True)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(file)


def read_record(path: Path) -> LockRecord | None:
    """Who holds or last held the lock; None where the run was never started (or the record is half written)."""
    try:
        return _parse(read_bytes(path, MOST_BYTES))
    except FileNotFoundError:
        return None


def holder(path: Path) -> int | None:
    """Return the id of the process that holds the lock, as the file says; None where it is free or held on another host.

    The file may come from elsewhere: on Linux the process must really have it open, so that no other is ever signalled.
    """
    try:
        record = read_record(path)
    except OSError:
        return None
    if record is None or record.host != socket.gethostname() or record.pid <= 0 or not is_held(path):
        return None
    return record.pid if _has_open(record.pid, path) else None


def _has_open(pid: int, path: Path) -> bool:
    """Whether a process has this file open; True where that cannot be seen (other systems, other users)."""
    descriptors = Path(f"/proc/{pid}/fd")
    if not Path("/proc/self/fd").is_dir():
        return True
    wanted = path.stat()
    try:
        for descriptor in descriptors.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(descriptor.stat(), wanted):
                    return True
    except (FileNotFoundError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return False


def _parse(data: bytes) -> LockRecord | None:
    try:
        return msgspec.json.decode(data.split(b"\n", 1)[0], type=LockRecord)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _who(path: Path, holder: LockRecord | None) -> str:
    by = f" by process {holder.pid} on {holder.host}" if holder else ""
    return f"The run {path.parent} is being used{by}: stop it first (seqdec-gui stop {path.parent}), or choose another folder."


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
