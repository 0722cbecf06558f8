"""Writing files so that a crash leaves the old one or the new one, never half of one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import msgspec


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
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def pretty_json(value: object) -> bytes:
    """JSON that people can read, with a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
