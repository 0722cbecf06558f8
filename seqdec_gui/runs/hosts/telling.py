"""Tells another machine what a run of this one says, from where the copy there ends, and takes commands. Runs on the host."""

from __future__ import annotations

import contextlib
import os
import queue
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runs import lock, process
from seqdec_gui.runs.control import append_line
from seqdec_gui.runs.crash import KILLED
from seqdec_gui.runs.events import Failed
from seqdec_gui.runs.files import opener, read_bytes
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.hosts.frames import Frame

POLL_S = 0.1
"""Seconds between two looks at the files of the run."""
PART_BYTES = 1 << 20
"""Most bytes of a file that one message carries."""
CHECKED_BYTES = 4096
"""Bytes before the place where a copy goes on, whose check sum says that it is a copy of this run."""
FILES = ("data.json", "model.py", "dataset.json", "samples.jsonl", "certificate.json")
"""Files that are sent whole whenever they change, besides events and log."""
MOST_BYTES = 8 << 20
"""Size up to which such a file is sent, in bytes."""

Send = Callable[..., None]


class Gone(SeqdecError):
    """The run is not there, or is another one."""


def tell(run: RunFolder, asked: Frame, send: Send, arrived: queue.Queue[Frame | None]) -> None:
    """Send what the run says until it has ended and all is sent, or until the other side leaves. Raises Gone, OSError."""
    if not run.looks_like_a_run:
        raise Gone(f"There is no run at {run.path} any more: it was moved or removed.")
    events = _Tail(run.events, asked.integer("events"), lines=True)
    events.check(asked.integer("check"), run)
    log = _Tail(run.log, asked.integer("log"), lines=False)
    files, said, sent_ids = dict.fromkeys(FILES, (-1, -1)), b"", _ids_in(run.commands)
    while True:
        alive = lock.is_held(run.lock)  # before reading: a run that ends in between has then written its last event
        record = lock.read_record(run.lock)
        state = msgspec.json.encode([alive, record])
        if state != said:
            said = state
            send("state", events_offset=record.events_offset if record else 0, host=record.host if record else "")
        moved = events.send("events", send)
        moved |= log.send("log", send)
        moved |= _send_files(run, files, send)
        if not alive and not moved:
            final = run.status().final
            failed = msgspec.json.encode(final) if isinstance(final, Failed) else b""
            send("ended", failed, state=run.status().state)
            return
        with contextlib.suppress(queue.Empty):
            while True:
                frame = arrived.get(timeout=0.0 if moved else POLL_S)
                if frame is None:  # the other side has left
                    arrived.put(None)
                    return
                _take(run, frame, sent_ids, send)


def _take(run: RunFolder, frame: Frame, sent_ids: set[str], send: Send) -> None:
    """Hand a command on to the run, once; or signal its process."""
    if frame.kind == "command":
        known = _id_of(frame.data)
        if not known or known not in sent_ids:
            append_line(run.commands, frame.data.rstrip(b"\n"))
            sent_ids.add(known)
        send("taken", commands=frame.integer("end"))
    elif frame.kind == "signal":
        going = process.attach(run)
        number = frame.integer("number")
        if number == KILLED:
            going.kill()
            going.wait(process.LAST_WAIT_S)
        else:
            going.signal(number)
        send("taken", requests=frame.integer("end"))


class _Id(msgspec.Struct):
    id: str = ""


def _id_of(line: bytes) -> str:
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
        return msgspec.json.decode(line, type=_Id).id
    return ""


def _ids_in(path: Path) -> set[str]:
    with contextlib.suppress(OSError):
        return {_id_of(line) for line in read_bytes(path).splitlines()} - {""}
    return set()


class _Tail:
    """A growing file, sent from an offset on; of a file of lines only whole ones."""

    def __init__(self, path: Path, offset: int, lines: bool) -> None:
        self._path, self._offset, self._lines = path, offset, lines

    def check(self, check_sum: int, run: RunFolder) -> None:
        """Raise Gone unless the bytes before the offset are those of the copy."""
        if self._offset == 0:
            return
        first = max(0, self._offset - CHECKED_BYTES)
        data = b""
        with contextlib.suppress(FileNotFoundError), open(self._path, "rb", opener=opener) as file:
            file.seek(first)
            data = file.read(self._offset - first)
        if len(data) != self._offset - first or zlib.crc32(data) != check_sum:
            text = f"The events at {run.path} are no longer those that were copied: they were changed, or it is another run."
            raise Gone(f"{text} What was copied stays here; begin another run.")

    def send(self, kind: str, send: Send) -> bool:
        """Send what is new, a part at a time; returns whether there was something."""
        try:
            with open(self._path, "rb", opener=opener) as file:
                file.seek(self._offset)
                data = file.read(PART_BYTES)
                if self._lines:
                    while b"\n" not in data and (more := file.read(PART_BYTES)) and len(data) < MOST_BYTES - PART_BYTES:
                        data += more
                    data = data[: data.rfind(b"\n") + 1]
        except FileNotFoundError:
            return False
        if data:
            send(kind, data, offset=self._offset)
            self._offset += len(data)
        return bool(data)


def _send_files(run: RunFolder, known: dict[str, tuple[int, int]], send: Send) -> bool:
    sent = False
    for name, before in known.items():
        path = run.path / name
        try:
            status = path.stat()
        except OSError:
            continue
        stamp = (status.st_size, status.st_mtime_ns)
        if stamp == before:
            continue
        with contextlib.suppress(OSError, InvalidInput):
            data = run.read_fit().dumps() if name == "data.json" else read_bytes(path, MOST_BYTES)
            send("file", data, name=name)
        known[name] = stamp
        sent = True
    return sent


def head_of(run: RunFolder, name: str) -> tuple[Path, int, bytes]:
    """Return path, size and first 512 bytes of a checkpoint. Raises InvalidInput."""
    path = run.checkpoint(name)
    try:
        with open(path, "rb", opener=opener) as file:
            return path, os.fstat(file.fileno()).st_size, file.read(512)
    except OSError:
        raise InvalidInput(f"{run.path} has no checkpoint {name!r} yet.", "no_checkpoint") from None
