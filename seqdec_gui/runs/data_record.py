"""What a run read, in `dataset.json` of its folder: the checksums of its data files, and the rows, columns and options."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from seqdec_gui.runs.files import read_bytes

FORMAT = 1
"""The number of the newest format of `dataset.json`."""


class DataFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One data file. `sha256` is empty if the file changed, or was gone, before its checksum was known."""

    path: str
    bytes: int
    modified: float
    sha256: str = ""


class DataRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a run read. `columns` has the bound columns by port; `options` are those of the reading that were set.

    `sha256` is the checksum of the files' checksums, rows, columns, options and split together: runs that have it in common
    trained on the same data, whatever the files are called. It is empty if the checksum of a file is.
    """

    files: tuple[DataFile, ...]
    rows: int
    training: int
    validation: int
    test: int
    columns: dict[str, tuple[str, ...]]
    options: dict[str, Any]
    split: dict[str, Any]
    sha256: str = ""
    format: int = FORMAT

    @property
    def file_sha256(self) -> str:
        """The checksums of the files alone; empty if one is unknown."""
        known = [file.sha256 for file in self.files]
        return " ".join(known) if known and all(known) else ""


Likeness = Literal["same", "same files", "other", "unknown"]


def likeness(one: DataRecord | None, other: DataRecord | None) -> Likeness:
    """Return whether two runs read the same data; `same files` if columns, rows, options or split differ."""
    if one is None or other is None or not one.file_sha256 or not other.file_sha256:
        return "unknown"
    if one.sha256 == other.sha256:
        return "same"
    return "same files" if one.file_sha256 == other.file_sha256 else "other"


def read_record(path: Path) -> DataRecord | None:
    """Read `dataset.json`; None if there is none, or if it is damaged or from a newer version."""
    try:
        if path.is_symlink() or not path.is_file():
            return None
        return msgspec.json.decode(read_bytes(path), type=DataRecord)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
