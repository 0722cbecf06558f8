"""What was settled about a file when it was read for a training, and the options of reading later files in the same way."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from seqdec_gui.data.formats.notation import Notation
from seqdec_gui.domain.bindings import Reading

Answer = Literal["auto", "yes", "no"]


class FileReading(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a file was read: what the design sets, and what was detected where it leaves an option open.

    `auto`, and a column that is missing, stand for what the file left open: quotes in a file without any, the decimal mark of
    whole numbers. `ports` are the names of the ports that are bound to it.
    """

    file: str = ""
    ports: tuple[str, ...] = ()
    encoding: str = "auto"
    delimiter: str = "auto"
    """A word or character of `data.delimiter`."""
    header: Answer = "auto"
    quoting: Answer = "auto"
    comment: str = "auto"
    sheet: str = ""
    columns: tuple[tuple[str, Notation], ...] = ()
    """The columns of numbers, by name, with their notation."""

    def notation(self, column: str) -> Notation | None:
        """Return the notation of the numbers of a column; None if it is open."""
        return next((notation for name, notation in self.columns if name == column), None)


NOTHING_SETTLED = FileReading()


class ReadAs(Reading, frozen=True):
    """The options of a design, and what was settled by an earlier file where they leave an option open."""

    settled: FileReading = NOTHING_SETTLED


def read_as(how: Reading, settled: FileReading | None) -> Reading:
    """Return the options with what was settled, in place of what was settled before; unchanged if nothing was."""
    return how if settled is None else ReadAs(**{**msgspec.structs.asdict(how), "settled": settled})


def of(how: Reading) -> FileReading:
    """Return what was settled beside these options."""
    return how.settled if isinstance(how, ReadAs) else NOTHING_SETTLED


def for_ports(readings: tuple[FileReading, ...], ports: tuple[str, ...]) -> FileReading | None:
    """Return how the file was read that one of these ports is bound to; None if that is not known."""
    return next((each for each in readings if set(each.ports) & set(ports)), None)


def named(reading: FileReading, file: str | Path, ports: tuple[str, ...]) -> FileReading:
    return msgspec.structs.replace(reading, file=str(file), ports=ports)
