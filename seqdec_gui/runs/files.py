"""Writes files so that a crash leaves the old or the new one, never a part; opens files in folders from elsewhere."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from pathlib import Path

import msgspec

from seqdec_gui.domain.paths import mode_of_new_files


def _flags(*names: str) -> int:
    """Return these flags of `os.open`, as far as the system has them."""
    return sum(getattr(os, name, 0) for name in names)


_PLAIN = _flags("O_NONBLOCK", "O_CLOEXEC", "O_BINARY", "O_NOINHERIT")
_NO_LINK = _flags("O_NOFOLLOW")
DISK_FULL = tuple(getattr(errno, name) for name in ("ENOSPC", "EDQUOT") if hasattr(errno, name))
"""Error numbers of a full disk or an exhausted quota."""


class NotOrdinary(OSError):
    """A pipe or a device lies where a file was expected."""


def open_to_write(path: Path, flags: int) -> int:
    """Return a descriptor of a regular file, which is made if it does not exist and is not inherited by children.

    Raises OSError for a symbolic link, because another file would be written, and for pipes and devices.
    """
    try:
        file = os.open(path, flags | os.O_CREAT | _NO_LINK | _PLAIN, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "It is a symbolic link, and would have another file written to", str(path)) from None
        raise
    return _ordinary(file, path)


def open_to_read(path: Path) -> int:
    """Return a descriptor of a regular file; symbolic links are followed. Raises OSError; NotOrdinary for pipes and devices."""
    return _ordinary(os.open(path, os.O_RDONLY | _PLAIN), path)


def opener(path: str, _flags: int) -> int:
    """`open_to_read` in the form that `open(path, "rb", opener=...)` takes."""
    return open_to_read(Path(path))


MOST_BYTES = 64 << 20
"""Size up to which a file is read as a whole, in bytes: a hundred times the largest that the program writes."""


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return the content of a regular file of at most `most` bytes. Raises OSError."""
    with open(path, "rb", opener=opener) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"It is larger than {most:,} bytes", str(path))
    return data


def _ordinary(file: int, path: Path) -> int:
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    is_folder = stat.S_ISDIR(os.fstat(file).st_mode)
    os.close(file)
    if is_folder:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise NotOrdinary(errno.EINVAL, "It is no ordinary file", str(path))


def copy_atomically(source: Path, target: Path) -> None:
    """Copy a file under a temporary, unpredictable name, then rename it. Raises OSError."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with open(source, "rb", opener=opener) as original, os.fdopen(handle, "wb") as file:
            shutil.copyfileobj(original, file, 1 << 20)
        temporary.chmod(mode_of_new_files())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_atomically(path: Path, data: bytes) -> None:
    """Write under a temporary name, flush to the disk, rename. Raises OSError, about `path`; then nothing has changed."""
    try:
        _write_atomically(path, data)
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def _write_atomically(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode_of_new_files())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def pretty_json(value: object) -> bytes:
    """Return indented JSON with a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
