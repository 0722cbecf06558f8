"""Quiet for who measures: probes of the same devices start and compile together, and measure one by one."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

POLL_S = 0.02
_WORK, _MEASURING, _UNDONE = 0, 1, 2  # bytes of the file, locked by who works, measures, has still to measure


class Quiet:
    """Locks a file that several processes share ("" for a process that is alone): together with the others while it works,
    alone while it measures. Compiling takes cores, and tries kernels on the devices; a step beside it would take too long.

    Within it the process counts as at work. `waited_s` is how long it has waited for the others.
    """

    def __init__(self, path: str) -> None:
        self._file: BinaryIO | None = Path(path).open("a+b") if path else None  # noqa: SIM115 - locked as long as it is open
        self.waited_s = 0.0
        self._lock(fcntl.LOCK_SH, _WORK)
        self._lock(fcntl.LOCK_SH, _UNDONE)

    @contextmanager
    def measuring(self, patience_s: float) -> Iterator[None]:
        """Waits until nobody else measures, and until nobody else works, the latter no longer than this: one that is slow or
        hangs must not take everybody's time.
        """
        began = time.monotonic()
        self._lock(fcntl.LOCK_UN, _WORK)
        self._lock(fcntl.LOCK_EX, _MEASURING)
        while not self._try(fcntl.LOCK_EX, _WORK) and time.monotonic() < began + patience_s:
            time.sleep(POLL_S)
        self.waited_s += time.monotonic() - began
        try:
            yield
        finally:
            self._lock(fcntl.LOCK_SH, _WORK)
            self._lock(fcntl.LOCK_UN, _MEASURING)

    def wait_for_all(self, patience_s: float) -> None:
        """Wait until the others have measured, too, and no longer than this.

        A process that ends takes CUDA down, which holds up whoever measures on the same GPUs.
        """
        end = time.monotonic() + patience_s
        self._lock(fcntl.LOCK_UN, _WORK)
        self._lock(fcntl.LOCK_UN, _UNDONE)
        while not self._try(fcntl.LOCK_EX, _UNDONE) and time.monotonic() < end:
            time.sleep(POLL_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def _lock(self, how: int, byte: int) -> None:
        if self._file is not None:
            fcntl.lockf(self._file, how, 1, byte)

    def _try(self, how: int, byte: int) -> bool:
        try:
            self._lock(how | fcntl.LOCK_NB, byte)
        except (BlockingIOError, PermissionError):
            return False
        return True
