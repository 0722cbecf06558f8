"""The files that were sent to a host, each kept once under its check sum, in `<folder>/files/<sha256>/<name>`. Used there."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from pathlib import Path

import msgspec

from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.domain.wording import format_bytes
from seqdec_gui.runs import lock
from seqdec_gui.runs.files import DISK_FULL, open_to_write, pretty_json, read_bytes, write_atomically

PIECE_BYTES = 1 << 20
"""Bytes of a file that are sent or summed at a time."""
_SUM = re.compile(r"[0-9a-f]{64}")
SUMS = "sums.json"
"""Check sums of files that were summed before, with what their size and time were."""
MOST_SUMS = 1000


class Summed(msgspec.Struct, frozen=True):
    """A file whose check sum is known, as long as size and time stay."""

    size: int
    modified: int
    sha256: str


def sha256_of(path: Path) -> str:
    """Return the check sum of a file. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Sums:
    """Check sums of files, remembered in a file, so that a large one is read once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Summed] = {}
        with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
            self._known = msgspec.json.decode(read_bytes(path), type=dict[str, Summed])

    def of(self, path: Path) -> Summed:
        """Return size, time and check sum of a file. Raises OSError; SeqdecError where it changes meanwhile."""
        before = path.stat()
        known = self._known.get(str(path))
        if known is not None and (known.size, known.modified) == (before.st_size, before.st_mtime_ns):
            return known
        summed = Summed(before.st_size, before.st_mtime_ns, sha256_of(path))
        after = path.stat()
        if (after.st_size, after.st_mtime_ns) != (summed.size, summed.modified):
            raise SeqdecError(f"{path} is being written: wait until it is complete.")
        self._known.pop(str(path), None)
        self._known[str(path)] = summed
        with contextlib.suppress(OSError, UnicodeEncodeError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path, pretty_json(dict(list(self._known.items())[-MOST_SUMS:])))
        return summed


class Store:
    """The files that were sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "files"
        self._part: _Part | None = None

    def place(self, sha256: str, name: str) -> Path:
        """Return where a file lies or will lie. Raises InvalidInput for a name that leads elsewhere."""
        if not _SUM.fullmatch(sha256) or name in ("", ".", "..") or "/" in name or "\\" in name or "\0" in name:
            raise InvalidInput(f"Expected a check sum and the name of a file, received {sha256!r:.80} and {name!r:.80}.")
        return self.folder / sha256 / name

    def find(self, sha256: str, name: str, size: int) -> Path | None:
        """Return the file if it was sent before, under this name or another. Raises OSError."""
        wanted = self.place(sha256, name)
        if _has_size(wanted, size):
            return wanted
        for other in wanted.parent.glob("*") if wanted.parent.is_dir() else ():
            if _has_size(other, size):
                wanted.unlink(missing_ok=True)
                try:
                    os.link(other, wanted)
                except OSError:
                    shutil.copyfile(other, wanted)
                return wanted
        return None

    def begin(self, sha256: str, name: str, size: int) -> int:
        """Begin to receive a file; returns how many bytes of it are here from an earlier attempt. Raises SeqdecError."""
        self.close()
        self._part = _Part(self.place(sha256, name), sha256, size)
        return self._part.at

    def take(self, data: bytes) -> None:
        """Take the next piece. Raises SeqdecError."""
        if self._part is None:
            raise SeqdecError("A piece of a file arrived that was not announced.")
        self._part.take(data)

    def end(self) -> Path:
        """Return the file, which is whole. Raises SeqdecError if it is not what was announced."""
        part, self._part = self._part, None
        if part is None:
            raise SeqdecError("A file ended that had not begun.")
        return part.end()

    def close(self) -> None:
        """Leave a file that is not complete for the next attempt."""
        if self._part is not None:
            self._part.close()
            self._part = None


class _Part:
    """A file that is being received."""

    def __init__(self, place: Path, sha256: str, size: int) -> None:
        self._place, self._sha256, self._size = place, sha256, size
        self._path = place.parent / f".{sha256[:16]}.part"
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            self._lock = lock.acquire(place.parent / ".lock", timeout_s=10.0)
        except lock.RunLocked:
            raise SeqdecError(f"{place.name} is being sent by another program too: try again when that is done.") from None
        except OSError as error:
            raise _of_disk(error, place, size) from error
        try:
            self._file = os.fdopen(open_to_write(self._path, os.O_RDWR), "r+b")
        except OSError as error:
            self._lock.close()
            raise _of_disk(error, place, size) from error
        self.at = self._file.seek(0, os.SEEK_END)
        if self.at > size:
            self._file.truncate(0)
            self.at = self._file.seek(0)

    def take(self, data: bytes) -> None:
        try:
            self._file.write(data)
        except OSError as error:
            self.close()
            raise _of_disk(error, self._place, self._size - self.at) from error
        self.at += len(data)

    def end(self) -> Path:
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            if self.at != self._size or sha256_of(self._path) != self._sha256:
                self._path.unlink()
                raise SeqdecError(f"{self._place.name} did not arrive as it was sent, or changed meanwhile: send it again.")
            self._path.replace(self._place)
        except OSError as error:
            raise _of_disk(error, self._place, 0) from error
        finally:
            self.close()
        return self._place

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        self._lock.close()


def _of_disk(error: OSError, place: Path, needed: int) -> SeqdecError:
    if error.errno in DISK_FULL:
        room = f" {format_bytes(needed)} more are needed for {place.name}." if needed else ""
        return SeqdecError(f"The disk is full.{room} Free some space below {place.parent.parent}, or choose another folder.")
    return SeqdecError(f"{place} cannot be written: {error.strerror or error}.")


def _has_size(path: Path, size: int) -> bool:
    with contextlib.suppress(OSError):
        return path.is_file() and path.stat().st_size == size and not path.name.startswith(".")
    return False
