"""Writes a file of results row by row, whole or not at all: CSV, JSON Lines or SMILES by its ending."""

from __future__ import annotations

import contextlib
import csv
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import msgspec

from seqdec_gui.data.name_evidence import names_rows
from seqdec_gui.data.storage import not_written

JSON_LINES, SMILES = ".jsonl", ".smi"

_own: set[Path] = set()
"""The files that this process has begun."""


def remove_begun() -> None:
    """Remove the files that this process has begun; it is about to end in the middle of something. Never raises."""
    for path in tuple(_own):
        with contextlib.suppress(OSError):
            path.unlink()


def remove_begun_by(pid: int, output: Path) -> None:
    """Remove what a process that was killed has begun of a file, or of the files in a folder. Never raises."""
    for folder in (output, output.parent):
        with contextlib.suppress(OSError):
            for path in folder.glob(f".*.{pid}-{'[0-9a-f]' * 8}"):
                path.unlink()


class RowFile:
    """A file with named columns, which is there once the context ends without an error. Raises SeqdecError.

    Values are text, numbers, truth values, None, and lists of numbers; floats have six decimals. CSV writes None as an empty
    cell, truth as 0 and 1, and numbers of a list with spaces between them. SMILES is `text`, a tab and a name: the first
    column of ids, or the row, and the number of the sample; rows without a text are left out.
    """

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self._path, self._names = path, names

    def __enter__(self) -> RowFile:
        path = self._path
        self._special = path.exists() and not path.is_file()  # a pipe or a device is written to, never replaced by a file
        self._partial = path if self._special else path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
        if not self._special:
            _own.add(self._partial)
        try:
            self._file = self._partial.open("w", encoding="utf-8", newline="")
            self._write = _WRITERS.get(path.suffix.lower(), _csv)(self._file, self._names)
        except OSError as error:
            raise not_written(path, error) from error
        return self

    def write(self, rows: Iterable[Sequence[object]]) -> None:
        """Write some rows."""
        self._write(rows)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self._file.flush()
                if not self._special:
                    os.fsync(self._file.fileno())
            self._file.close()
            if kind is None and not self._special:
                self._partial.replace(self._path)
        except OSError as failed:
            error = error or failed
        finally:
            if not self._special:
                self._partial.unlink(missing_ok=True)
                _own.discard(self._partial)
        if isinstance(error, OSError):
            raise not_written(self._path, error) from error


Write = Callable[[Iterable[Sequence[Any]]], None]


def _csv(file: TextIO, names: Sequence[str]) -> Write:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)

    def cell(value: Any) -> object:
        if isinstance(value, list):
            return " ".join(str(cell(each)) for each in value)
        if isinstance(value, bool):
            return int(value)
        return f"{value:.6f}" if isinstance(value, float) else value

    return lambda rows: writer.writerows([cell(value) for value in row] for row in rows)


def _json_lines(file: TextIO, names: Sequence[str]) -> Write:
    def write(rows: Iterable[Sequence[Any]]) -> None:
        for row in rows:
            values = [round(value, 6) if isinstance(value, float) else value for value in row]
            file.write(msgspec.json.encode(dict(zip(names, values, strict=True))).decode() + "\n")

    return write


def _smiles(file: TextIO, names: Sequence[str]) -> Write:
    text, row_number = names.index("text"), names.index("row")
    sample = names.index("sample") if "sample" in names else None
    carried = (at for at, name in enumerate(names) if at not in (row_number, sample) and names_rows(name))
    named_by = next(carried, row_number)

    def write(rows: Iterable[Sequence[Any]]) -> None:
        for row in rows:
            if row[text]:
                name = "_".join(str(row[named_by]).split())
                file.write(f"{row[text]}\t{name}{'' if sample is None else f'_{row[sample]}'}\n")

    return write


_WRITERS: Mapping[str, Callable[[TextIO, Sequence[str]], Write]] = {JSON_LINES: _json_lines, SMILES: _smiles}
