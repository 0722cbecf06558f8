"""The file `samples.jsonl` of a run: some validation rows with what the model generated for them, report after report."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import msgspec

from seqdec_gui.runs.files import open_to_write, opener, write_atomically

MOST_BYTES = 1 << 20
"""Size above which the older half of the file is dropped, in bytes."""
LONGEST_LINE = 256 << 10
"""A line that is longer is not read, in bytes."""
LONGEST_TEXT = 500
"""Characters of a text that are kept."""


class SampledRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row, counted from 0 in the data, and what was generated for it. `target` is None for a sample that has no target."""

    row: int
    input: str
    target: str | None
    generated: str


class Sampled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was generated at one report: after `step` optimizer steps, in epoch `epoch`."""

    epoch: int
    step: int
    rows: tuple[SampledRow, ...]
    time: float = msgspec.field(default_factory=time.time)


def shortened(text: str) -> str:
    """Return a text, cut where it is longer than the file keeps."""
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def append(path: Path, sampled: Sampled) -> None:
    """Append a report, and drop the oldest ones where the file has grown too large. Raises OSError."""
    line = msgspec.json.encode(sampled) + b"\n"
    file = open_to_write(path, os.O_RDWR | os.O_APPEND)
    try:
        os.write(file, line)
        size = os.fstat(file).st_size
    finally:
        os.close(file)
    if size > MOST_BYTES:
        lines = _lines(path)
        kept, total = list[bytes](), 0
        for each in reversed(lines):
            total += len(each)
            if kept and total > MOST_BYTES // 2:
                break
            kept.append(each)
        write_atomically(path, b"".join(reversed(kept)))


def drop_after(path: Path, step: int) -> None:
    """Drop what was reported after a step, which a resumed run takes again, and a line that is damaged. Raises OSError."""
    lines = _lines(path)
    kept = [line for line in lines if (read := _read(line)) is not None and read.step <= step]
    if len(kept) < len(lines):
        write_atomically(path, b"".join(kept))


def read_last(path: Path) -> Sampled | None:
    """Return the latest report, or None where there is none that can be read."""
    with contextlib.suppress(OSError):
        for line in reversed(_lines(path, 2 * LONGEST_LINE)):
            if (read := _read(line)) is not None:
                return read
    return None


def read_all(path: Path) -> list[Sampled]:
    """Return all reports that can be read, oldest first."""
    with contextlib.suppress(OSError):
        return [read for line in _lines(path) if (read := _read(line)) is not None]
    return []


def _lines(path: Path, most: int = 4 * MOST_BYTES) -> list[bytes]:
    """Return the complete lines among the last `most` bytes of the file. Raises OSError."""
    try:
        with open(path, "rb", opener=opener) as file:
            start = max(0, os.fstat(file.fileno()).st_size - most)
            file.seek(start)
            lines = file.read(most).splitlines(keepends=True)
    except FileNotFoundError:
        return []
    return [line for line in lines[start > 0 :] if line.endswith(b"\n")]


def _read(line: bytes) -> Sampled | None:
    try:
        return msgspec.json.decode(line, type=Sampled)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
