"""Second copies of the files of a run without which it cannot go on, `spec.json` and `data.json`, with check sums.

`copies/<name>` begins with a line that holds the check sum (CRC-32) of what follows, which is the file. Runs of earlier
versions have no copies.
"""

from __future__ import annotations

import contextlib
import zlib
from pathlib import Path

from seqdec_gui.runs.files import read_bytes, write_atomically

FOLDER = "copies"
"""The folder of the copies in that of the run."""
_HEAD = b"seqdec-gui copy crc32="


def copy_of(path: Path) -> Path:
    """Return where the copy of a file lies."""
    return path.parent / FOLDER / path.name


def write(path: Path, data: bytes) -> None:
    """Write a file and its copy, each whole or not at all; the copy first, because it is believed. Raises OSError."""
    copy = copy_of(path)
    copy.parent.mkdir(exist_ok=True)
    write_atomically(copy, _HEAD + f"{zlib.crc32(data):08x}\n".encode() + data)
    write_atomically(path, data)


def read(path: Path) -> tuple[bytes, str]:
    """Return the content of a file, and a sentence if its copy was used because the file is not what was written.

    A copy that is damaged, or is not there, is not used. Raises OSError.
    """
    kept = _whole(copy_of(path))
    try:
        data = read_bytes(path)
    except OSError as error:
        if kept is None:
            raise
        return kept, f"{path.name} cannot be read ({(error.strerror or str(error)).lower()}): its copy is used."
    if kept is None or kept == data:
        return data, ""
    return kept, f"{path.name} is not what was written, damaged or changed by hand: its copy {copy_of(path)} is used."


def _whole(copy: Path) -> bytes | None:
    with contextlib.suppress(OSError):
        first, _, data = read_bytes(copy).partition(b"\n")
        if first == _HEAD + f"{zlib.crc32(data):08x}".encode():
            return data
    return None
