"""Locks on open files, which end with the process: `flock` where the system has it, byte ranges of Windows elsewhere."""

from __future__ import annotations

import errno
import os
import time
from importlib import import_module
from typing import Any

fcntl: Any
try:
    fcntl = import_module("fcntl")
except ImportError:  # Windows
    fcntl = None

PLACE = 1 << 40
"""Where the byte lies that is locked on Windows: far behind the content, which others may then read."""
POLL_S = 0.02
"""Seconds between two attempts to take a lock that another has."""


def take(file: int, shared: bool = False) -> None:
    """Lock an open file without waiting; `shared` is for a look at whether it is locked. Raises BlockingIOError if it is."""
    if fcntl is not None:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        return
    msvcrt: Any = import_module("msvcrt")
    before = os.lseek(file, 0, os.SEEK_CUR)
    try:
        os.lseek(file, PLACE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            raise
        raise BlockingIOError(*error.args) from None
    finally:
        os.lseek(file, before, os.SEEK_SET)


def wait_and_take(file: int) -> None:
    """Lock an open file as soon as nobody else has."""
    while True:
        try:
            return take(file)
        except BlockingIOError:
            time.sleep(POLL_S)


def read_at(file: int, size: int, offset: int) -> bytes:
    """Return up to `size` bytes of an open file from a place, as `os.pread` does where there is one."""
    if hasattr(os, "pread"):
        return os.pread(file, size, offset)
    before = os.lseek(file, 0, os.SEEK_CUR)
    try:
        os.lseek(file, offset, os.SEEK_SET)
        return os.read(file, size)
    finally:
        os.lseek(file, before, os.SEEK_SET)


def write_at(file: int, data: bytes, offset: int) -> None:
    """Write bytes at a place of an open file, as `os.pwrite` does where there is one."""
    if hasattr(os, "pwrite"):
        os.pwrite(file, data, offset)
        return
    os.lseek(file, offset, os.SEEK_SET)
    os.write(file, data)
