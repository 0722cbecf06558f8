"""Records what a run reads, in a thread: the files are hashed while the model is built and trained.

They stand in the cache of the system by then, so that hashing them costs no reading, and hashing leaves the interpreter free.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np

from seqdec_gui.data.dataset import Dataset
from seqdec_gui.data.storage import write_whole
from seqdec_gui.domain.bindings import DataSource
from seqdec_gui.domain.problems import Problem, SeqdecError
from seqdec_gui.runs.data_record import FORMAT, DataFile, DataRecord

_HASHED_BYTES = 2**30
"""The largest file, in bytes, that is hashed though its size and time have not changed."""

_PIECE_BYTES = 2**20
"""The number of bytes that are hashed at a time."""


def files_of(source: DataSource, folder: Path) -> tuple[Path, ...]:
    """Return the files that the dataset of a design reads, each once; relative paths start at `folder`."""
    names = [source.file, *(binding.file for binding in source.bindings)]
    return tuple(folder / name for name in dict.fromkeys(names) if name)


def changes(before: DataRecord | None, files: Sequence[Path]) -> list[Problem]:
    """Return a warning if files are not those that a run recorded, by their checksums.

    Files of more than 1 GiB whose size and time are the same are taken for the same. A run without checksums cannot tell.
    """
    return _changes(before, [_described(file) for file in files])


def _changes(before: DataRecord | None, files: Sequence[DataFile]) -> list[Problem]:
    if before is None or len(before.files) != len(files):
        return []
    for old, now in zip(before.files, files, strict=True):
        is_same = (old.bytes, old.modified) == (now.bytes, now.modified)
        if not old.sha256 or (is_same and now.bytes > _HASHED_BYTES):
            continue
        if _hashed(now).sha256 not in ("", old.sha256):
            text = f"{now.path} is not the file that the run began with: its checksum is another."
            hint = (
                "Restore the file if it has other rows, since those that were set apart may be others too; the same rows in "
                "another format, or with other columns beside them, do no harm."
            )
            return [Problem("warning", "data_not_the_same", "data", text, hint)]
    return []


class Recorder:
    """Writes the record of a dataset to a file, from a thread. Make it before the files are read, and `start` it after.

    A file whose size or time of change is another at the end than at the start has no checksum.
    """

    def __init__(self, path: Path, files: Sequence[Path]) -> None:
        self._path = path
        self._files = [_described(file) for file in files]
        self._thread: threading.Thread | None = None

    def changes_since(self, before: DataRecord | None) -> list[Problem]:
        """Return a warning if the files are not those of an earlier start; see `changes`."""
        return _changes(before, self._files)

    def start(self, source: DataSource, dataset: Dataset) -> None:
        self._thread = threading.Thread(target=self._record, args=(source, dataset), name="data record", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until the record is written."""
        if self._thread is not None:
            self._thread.join()

    def _record(self, source: DataSource, dataset: Dataset) -> None:
        hashed = tuple(_hashed(file) for file in self._files)
        made = made_of(source, dataset, hashed)
        with suppress(SeqdecError):  # the training does not depend on it, and says itself that the disk is full
            write_whole(self._path, msgspec.json.format(msgspec.json.encode(made), indent=1))


def made_of(source: DataSource, dataset: Dataset, files: tuple[DataFile, ...]) -> DataRecord:
    """Return the record of a dataset that was read from these files."""
    record = DataRecord(
        files=files,
        rows=dataset.rows,
        training=len(dataset.training),
        validation=len(dataset.validation),
        test=len(dataset.test),
        columns={port.port: port.columns for port in dataset.fitted.ports},
        options={**msgspec.to_builtins(source.reading), "faulty_rows": source.faulty_rows},
        split=msgspec.to_builtins(source.split),
        fit=_sum_of_fit(source, dataset),
        format=FORMAT,
    )
    if not record.file_sha256:
        return record
    said = msgspec.to_builtins(record)
    content = {name: said[name] for name in said if name not in ("files", "sha256")}
    plain = msgspec.json.encode([record.file_sha256, content], order="sorted")
    return msgspec.structs.replace(record, sha256=hashlib.sha256(plain).hexdigest())


def _sum_of_fit(source: DataSource, dataset: Dataset) -> str:
    """Return the checksum of all that decides which numbers are made of the files, in hexadecimal; names of files are no part.

    What was fitted is summed, not what was asked for: an option enters when it is added, and `auto` by what it became.
    """
    fitted = dataset.fitted
    made = [
        {port.port: [port.role, port.taught, port.generated, port.codec] for port in fitted.ports},
        fitted.feeds,
        [msgspec.structs.replace(reading, file="") for reading in fitted.files],
        source.feed_map,
    ]
    digest = hashlib.sha256(msgspec.json.encode(made, order="sorted"))
    for rows in (dataset.training, dataset.validation, dataset.test):
        digest.update(np.ascontiguousarray(rows, dtype="<i8").tobytes())
    return digest.hexdigest()


def _described(path: Path) -> DataFile:
    try:
        status = path.stat()
    except OSError:
        return DataFile(str(path), 0, 0.0)
    return DataFile(str(path), status.st_size, status.st_mtime)


def _hashed(file: DataFile) -> DataFile:
    """Return the file with its checksum, unless it has changed."""
    path, digest = Path(file.path), hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE_BYTES):
                digest.update(piece)
    except OSError:
        return file
    return msgspec.structs.replace(file, sha256=digest.hexdigest()) if _described(path) == file else file
