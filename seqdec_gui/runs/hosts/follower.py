"""Follows a run on a host until it has ended: `python -m seqdec_gui.runs.hosts.follower COPY`.

It holds the lock of the copy. It appends what the host sends, whole lines at the place where the copy ends, so that no event is
lost or comes twice however often the link breaks or this process is killed; and it hands on the commands that are given here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import msgspec

from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runs import copies, lock
from seqdec_gui.runs.events import Failed, cut_half_line
from seqdec_gui.runs.files import open_to_write, opener, write_atomically
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.hosts import record, trusted
from seqdec_gui.runs.hosts.frames import Frame, Garbled
from seqdec_gui.runs.hosts.record import Link
from seqdec_gui.runs.hosts.session import Session
from seqdec_gui.runs.hosts.ssh import LinkLost
from seqdec_gui.runs.hosts.telling import CHECKED_BYTES, FILES

WAITS_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0)
"""Seconds until the host is tried again, the last of them for as long as it takes."""
LOOK_S = 0.2
"""Seconds between two looks at the commands that are given here."""
TAKEN_S = 15.0
"""Seconds after which a command counts as lost that the host has not taken."""


class Follower:
    """Follows one run, with its lock held."""

    def __init__(self, run: RunFolder, held: lock.RunLock) -> None:
        known = record.read(run.path)
        if known is None:
            raise InvalidInput(f"{run.path} is no copy of a run on a host.")
        self.run, self.held, self.record = run, held, known
        self._lock_record = lock.record_of(run.path, os.getpid())
        self._note_start(known.events_offset)

    def ended(self) -> bool:
        """Whether there is nothing more to follow."""
        return self.record.over

    def follow(self) -> None:
        """Follow the run until it has ended, however often the link breaks."""
        failures = 0
        while not self.ended():
            try:
                heard = self._talk()
            except (SeqdecError, OSError) as error:
                if self.ended():
                    return
                heard, why = getattr(error, "heard", False), str(error)
                failures = 0 if heard else failures + 1
                wait = WAITS_S[min(failures, len(WAITS_S) - 1)]
                before = record.read_link(self.run.path)
                since = before.since if before.why else time.time()
                record.write_link(self.run.path, Link(why=why, since=since, next_s=wait))
                time.sleep(wait)

    # --
    def _talk(self) -> bool:
        """Follow the run over one session. Raises what broke it, with whether anything was heard."""
        heard = False
        try:
            with Session(trusted.host_of(self.record)) as session:
                session.send("follow", run=self.record.run, **self._places())
                outbox = Outbox(self)
                while not self.ended():
                    frame = session.receive(LOOK_S)
                    if not heard:
                        record.write_link(self.run.path, Link(since=time.time()))
                        heard = True
                    if frame is not None:
                        self._take(frame, outbox)
                    outbox.send(session)
                return heard
        except (SeqdecError, OSError) as error:
            error.heard = heard  # type: ignore[union-attr]
            raise

    def _places(self) -> dict[str, Any]:
        """Return up to where events and log are here, and the check sum of the last events."""
        check = 0
        events = _cut(self.run.events)
        if events:
            with open(self.run.events, "rb", opener=opener) as file:
                file.seek(max(0, events - CHECKED_BYTES))
                check = zlib.crc32(file.read(events - file.tell()))
        return {"events": events, "check": check, "log": _size(self.run.log)}

    def _take(self, frame: Frame, outbox: Outbox) -> None:
        match frame.kind:
            case "events":
                _append(self.run.events, frame)
            case "log":
                _append(self.run.log, frame)
            case "file":
                self._keep(frame.text("name"), frame.data)
            case "state":
                self._note_start(frame.integer("events_offset"))
            case "taken":
                self.note(outbox.taken(frame))
            case "ended":
                self._end(frame)
            case "gone" | "refused":
                if frame.kind == "gone":
                    self._over(gone=f"{self.record.host}: {frame.text('sentence')}")
                raise LinkLost(f"{self.record.host}: {frame.text('sentence')}")

    def _keep(self, name: str, data: bytes) -> None:
        if name not in FILES:
            raise Garbled(f"a file {name!r:.80} was sent that no run has.")
        if name == "data.json":
            copies.write(self.run.data, data)
        else:
            write_atomically(self.run.path / name, data)

    def _note_start(self, events_offset: int) -> None:
        """Say in the lock where the latest start of the run begins in the events: what stands before is of earlier ones."""
        self._lock_record = msgspec.structs.replace(self._lock_record, events_offset=events_offset)
        self.held.write(self._lock_record)
        if events_offset != self.record.events_offset:
            self.note({"events_offset": events_offset})

    def note(self, changes: dict[str, Any]) -> None:
        """Change the record of the copy."""
        self.record = msgspec.structs.replace(self.record, **changes)
        record.write(self.run.path, self.record)

    def _end(self, frame: Frame) -> None:
        failed = None
        if frame.data:
            try:
                failed = msgspec.json.decode(frame.data, type=Failed)
            except msgspec.DecodeError:
                raise Garbled("how the run ended arrived damaged.") from None
        self._over(ended=True, failed=failed)

    def _over(self, **changes: Any) -> None:
        self.note(changes)


class Outbox:
    """Sends the commands and signals that are given here, one after the other, each once.

    Each bears an id, and the host takes an id once: one whose answer was lost may be sent again.
    """

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._waits_until = 0.0

    def send(self, session: Session) -> None:
        """Send the next one, unless the host has not taken the one before. Raises LinkLost."""
        if self._waits_until:
            if time.monotonic() > self._waits_until:
                raise LinkLost(f"{session.host.name}: it takes no command.")
            return
        known, run = self._follower.record, self._follower.run
        if (found := _next_line(run.commands, known.commands_sent)) is not None:
            line, end = found
            session.send("command", _with_id(line, f"{Path(known.run).name}-{known.commands_sent}"), end=end)
        elif (found := _next_line(run.path / record.REQUESTS, known.requests_sent)) is not None:
            line, end = found
            session.send("signal", number=_signal_in(line), end=end)
        else:
            return
        self._waits_until = time.monotonic() + TAKEN_S

    def taken(self, frame: Frame) -> dict[str, Any]:
        """Return what the record is to say now that the host has taken one."""
        self._waits_until = 0.0
        names = {"commands": "commands_sent", "requests": "requests_sent"}
        return {field: frame.integer(name) for name, field in names.items() if name in frame.fields}


def _next_line(path: Path, offset: int) -> tuple[bytes, int] | None:
    """Return the next complete line of a file, and where it ends."""
    with contextlib.suppress(OSError), open(path, "rb", opener=opener) as file:
        file.seek(offset)
        while (line := file.readline(1 << 20)).endswith(b"\n"):
            if line.strip():
                return line, file.tell()
            offset += len(line)
    return None


def _with_id(line: bytes, name: str) -> bytes:
    """Return a command with an id: what was written by hand may have none."""
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
        command = msgspec.json.decode(line, type=dict[str, Any])
        if not command.get("id"):
            return msgspec.json.encode(command | {"id": name})
    return line


class _Request(msgspec.Struct):
    signal: int


def _signal_in(line: bytes) -> int:
    try:
        return msgspec.json.decode(line, type=_Request).signal
    except (msgspec.DecodeError, UnicodeDecodeError):
        return 0  # which ends nothing


def _append(path: Path, frame: Frame) -> None:
    """Append what was sent at the place that it is for. Raises Garbled, OSError."""
    file = open_to_write(path, os.O_RDWR | os.O_APPEND)
    try:
        size = os.fstat(file).st_size
        if frame.integer("offset") != size:
            raise Garbled(f"{path.name} was sent from byte {frame.integer('offset'):,} on, and {size:,} are here.")
        data = memoryview(frame.data)
        while data:
            data = data[os.write(file, data) :]
    finally:
        os.close(file)


def _cut(path: Path) -> int:
    """Cut off half a line that a kill has left, and return the size. Raises OSError."""
    if not path.exists():
        return 0
    file = open_to_write(path, os.O_RDWR)
    try:
        cut_half_line(file)
        return os.fstat(file).st_size
    finally:
        os.close(file)


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


def main(argv: list[str]) -> int:
    """Follow the run of a copy. Another program that follows it already is left to it."""
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    run = RunFolder(argv[0])
    try:
        held = lock.acquire(run.lock, timeout_s=2.0)
    except lock.RunLocked:
        return 0
    with held:
        Follower(run, held).follow()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
