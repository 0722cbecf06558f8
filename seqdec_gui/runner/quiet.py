"""Quiet for who measures: probes of the same devices start and compile together, and measure one by one."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self


class Quiet:
    """Locks a file that several processes share ("" for a process that is alone): together with the others while it works,
    alone while it measures. Compiling takes cores, and tries kernels on the devices; a step beside it would take too long.

    Within it the process counts as at work.
    """

    def __init__(self, path: str) -> None:
        self._file: BinaryIO | None = Path(path).open("ab") if path else None  # noqa: SIM115 - locked as long as it is open
        self._lock(fcntl.LOCK_SH)

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """Waits until nobody else works or measures."""
        self._lock(fcntl.LOCK_EX)
        try:
            yield
        finally:
            self._lock(fcntl.LOCK_SH)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def _lock(self, how: int) -> None:
        if self._file is not None:
            fcntl.flock(self._file, how)
