"""What a run read, in `dataset.json` of its folder: the checksums of its data files, and the rows, columns and options."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from seqdec_gui.runs.files import read_bytes

FORMAT = 2
"""The number of the newest format of `dataset.json`. Format 1 did not know what the codecs made of the data."""


class DataFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One data file. `sha256` is empty if the file changed, or was gone, before its checksum was known."""

    path: str
    bytes: int
    modified: float
    sha256: str = ""


class DataRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a run read. `columns` has the bound columns by port; `options` are those of the reading that were set.

    `fit` is the checksum of all that decides which numbers are made of the files: the fitted codecs with every option, how the
    files were read where that was detected, what feeds the model, and which rows train, validate and test. Format 1 has none.

    `sha256` is the checksum of the files' checksums, rows, columns, options, split and fit together: runs that have it in
    common trained on the same numbers, whatever the files are called. It is empty if the checksum of a file is. In format 1 it
    leaves the fit out, so that having it in common says nothing of the numbers.
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
    fit: str = ""
    format: int = 1

    @property
    def file_sha256(self) -> str:
        """The checksums of the files alone; empty if one is unknown."""
        known = [file.sha256 for file in self.files]
        return " ".join(known) if known and all(known) else ""

    @property
    def known_sha256(self) -> str:
        """The checksum by which runs are compared; empty if it is unknown, or of a format that left the codecs out."""
        return self.sha256 if self.fit else ""

    @property
    def _asked(self) -> tuple[object, ...]:
        """What every format knows beside the files."""
        return (self.rows, self.training, self.validation, self.test, self.columns, self.options, self.split)

    def likeness(self, other: DataRecord) -> Likeness:
        """Return whether this record and another are of the same data; see `likeness`."""
        if not self.file_sha256 or not other.file_sha256:
            return "unknown"
        if self.file_sha256 != other.file_sha256:
            return "other"
        if self._asked != other._asked:
            return "same files"
        if not self.fit or not other.fit:
            return "unknown codecs"
        return "same" if self.sha256 == other.sha256 else "same files"


Likeness = Literal["same", "same files", "unknown codecs", "other", "unknown"]


def likeness(one: DataRecord | None, other: DataRecord | None) -> Likeness:
    """Return whether two runs read the same data.

    "same files": columns, rows, options, split or codecs differ. "unknown codecs": all that is known is the same, but a run of
    an earlier version did not record what its codecs made of the data. "unknown": files changed before they were summed.
    """
    return "unknown" if one is None or other is None else one.likeness(other)


def read_record(path: Path) -> DataRecord | None:
    """Read `dataset.json`; None if there is none, or if it is damaged or from a newer version."""
    try:
        if path.is_symlink() or not path.is_file():
            return None
        record = msgspec.json.decode(read_bytes(path), type=DataRecord)
        return record if record.format <= FORMAT else None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
