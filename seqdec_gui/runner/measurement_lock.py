"""A file lock that lets concurrent probes start and compile in parallel but time their training steps one at a time."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

POLL_S = 0.02
"""Seconds between two attempts to take a lock that another process holds."""
_WORKING_BYTE = 0
"""Byte of the file that a process holds, shared, while it starts or compiles, and exclusively while it measures."""
_MEASURING_BYTE = 1
"""Byte of the file that the process that measures, or is next to measure, holds exclusively."""
_UNFINISHED_BYTE = 2
"""Byte of the file that a process holds, shared, until its measurements are done."""


class MeasurementLock:
    """A lock on a file that several probes share, held together while they work and alone while one of them measures.

    Compiling occupies cores and tries kernels on the devices, so a step that is timed meanwhile would look too slow. Entering
    the context counts the process as working.

    Attributes:
        waited_s: Seconds that this process has waited for the others.
    """

    def __init__(self, path: str) -> None:
        """Open and lock the file at `path`; with an empty path nothing is locked, for a probe that runs alone."""
        self._file: BinaryIO | None = Path(path).open("a+b") if path else None  # noqa: SIM115 - locked as long as it is open
        self.waited_s = 0.0
        self._lock(fcntl.LOCK_SH, _WORKING_BYTE)
        self._lock(fcntl.LOCK_SH, _UNFINISHED_BYTE)

    @contextmanager
    def measuring(self, timeout_s: float) -> Iterator[None]:
        """Hold the lock alone: wait until no other process measures, then up to `timeout_s` seconds until none works.

        After `timeout_s` the measurement goes ahead beside the processes that still work, so that one that is slow or hangs
        does not use up the time of all.
        """
        started = time.monotonic()
        self._lock(fcntl.LOCK_UN, _WORKING_BYTE)
        self._lock(fcntl.LOCK_EX, _MEASURING_BYTE)
        while not self._try_lock(fcntl.LOCK_EX, _WORKING_BYTE) and time.monotonic() < started + timeout_s:
            time.sleep(POLL_S)
        self.waited_s += time.monotonic() - started
        try:
            yield
        finally:
            self._lock(fcntl.LOCK_SH, _WORKING_BYTE)
            self._lock(fcntl.LOCK_UN, _MEASURING_BYTE)

    def wait_for_all(self, timeout_s: float) -> None:
        """Mark this process as done, and wait up to `timeout_s` seconds until all others are done too.

        A process that ends shuts CUDA down, which would delay the measurements of the others on the same GPUs.
        """
        end = time.monotonic() + timeout_s
        self._lock(fcntl.LOCK_UN, _WORKING_BYTE)
        self._lock(fcntl.LOCK_UN, _UNFINISHED_BYTE)
        while not self._try_lock(fcntl.LOCK_EX, _UNFINISHED_BYTE) and time.monotonic() < end:
            time.sleep(POLL_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def _lock(self, how: int, byte: int) -> None:
        if self._file is not None:
            fcntl.lockf(self._file, how, 1, byte)

    def _try_lock(self, how: int, byte: int) -> bool:
        """Whether the lock could be taken without waiting."""
        try:
            self._lock(how | fcntl.LOCK_NB, byte)
        except (BlockingIOError, PermissionError):
            return False
        return True
