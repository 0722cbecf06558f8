"""Training rows that every epoch writes anew, by processes beside the training: molecules in random orders of their atoms."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, NamedTuple

import msgspec
import numpy as np

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.dataset import Dataset
from seqdec_gui.data.formats.base import Array
from seqdec_gui.data.random_orders import Rewriting
from seqdec_gui.domain.problems import SeqdecError

MOST_WORKERS = 4
"""The most processes for one column; fewer where the machine has fewer cores, and for few rows."""
ROWS_A_WORKER = 2000
"""The number of rows for which a further process is worth its start."""


class _Part(NamedTuple):
    """A process, the rows that it writes, and the arrays of ports that it writes them for."""

    process: subprocess.Popen[bytes]
    rows: Array
    ports: tuple[str, ...]
    errors: IO[bytes]


def ports_with_orders(dataset: Dataset) -> dict[tuple[str, ...], list[str]]:
    """Return the ports whose rows are written anew, by the columns that they take."""
    found: dict[tuple[str, ...], list[str]] = {}
    for port in dataset.fitted.ports:
        if isinstance(port.codec, FittedText) and port.codec.random_order and port.name in dataset.arrays:
            found.setdefault(port.columns, []).append(port.name)
    return found


class RowOrders:
    """The arrays of each epoch. While an epoch trains, processes write the rows of the next."""

    def __init__(self, dataset: Dataset, seed: int) -> None:
        """Start the processes; there are none if no port asks for random orders."""
        self._dataset = dataset
        self._asked = 0
        self._parts: list[_Part] = []
        for names in ports_with_orders(dataset).values():
            self._parts += self._workers(names, seed)

    def _workers(self, names: list[str], seed: int) -> Iterator[_Part]:
        codecs = [self._dataset.fitted.port(name).codec for name in names]
        texts = [codec for codec in codecs if isinstance(codec, FittedText)]
        rows = self._dataset.training
        count = max(1, min(MOST_WORKERS, (os.cpu_count() or 2) - 1, len(rows) // ROWS_A_WORKER))
        for part in np.array_split(rows, count):
            decoded = tuple(texts[0].decode(ids) for ids in self._dataset.arrays[names[0]][part].tolist())
            what = Rewriting(decoded, tuple(part.tolist()), tuple(texts), seed)
            errors = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
            command = [sys.executable, "-m", "seqdec_gui.data.order_worker"]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
            yield _Part(process, part, tuple(names), errors)
            _tell(process, msgspec.json.encode(what))

    def of_epoch(self, epoch: int, last: int) -> Mapping[str, Array]:
        """Return the arrays of the ports that are written anew, in which the training rows are those of an epoch.

        The next epoch, up to `last`, is begun at once. Raises SeqdecError if a process ended.
        """
        if self._asked not in (0, epoch):
            self._answers()  # of an epoch that is not trained
        if self._asked != epoch:
            self._ask(epoch)
        arrays = self._answers()
        if epoch < last:
            self._ask(epoch + 1)
        return arrays

    def _answers(self) -> dict[str, Array]:
        """Return the arrays of the epoch that was asked for."""
        names = {name for part in self._parts for name in part.ports}
        arrays = {name: np.array(self._dataset.arrays[name]) for name in names}
        for part in self._parts:
            for name in part.ports:
                like = arrays[name]
                size = len(part.rows) * int(np.prod(like.shape[1:], dtype=np.int64)) * like.itemsize
                assert part.process.stdout is not None
                content = part.process.stdout.read(size)
                if len(content) < size:
                    raise SeqdecError(f"The process that writes molecules in random orders ended: {_said(part)}")
                like[part.rows] = np.frombuffer(content, like.dtype).reshape(-1, *like.shape[1:])
        self._asked = 0
        return arrays

    def _ask(self, epoch: int) -> None:
        self._asked = epoch
        for part in self._parts:
            _tell(part.process, str(epoch).encode())

    def close(self) -> None:
        """End the processes."""
        for part in self._parts:
            for stream in (part.process.stdin, part.process.stdout):
                if stream is not None:
                    with suppress(BrokenPipeError):
                        stream.close()
            part.process.kill()
            part.process.wait()
            part.errors.close()
        self._parts.clear()


@contextmanager
def row_orders(dataset: Dataset, seed: int) -> Iterator[RowOrders | None]:
    """Return a context with the arrays of each epoch; None if no row is written anew."""
    if not ports_with_orders(dataset):
        yield None
        return
    orders = RowOrders(dataset, seed)
    try:
        yield orders
    finally:
        orders.close()


def _tell(process: subprocess.Popen[bytes], line: bytes) -> None:
    """Write a line to a process; that it has ended is found when its answer is read."""
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        process.stdin.write(line + b"\n")
        process.stdin.flush()


def _said(part: _Part) -> str:
    part.errors.seek(0)
    lines = part.errors.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"exit status {part.process.wait()}"
