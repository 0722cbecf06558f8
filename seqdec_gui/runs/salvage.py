"""Reads the events that are whole in a damaged file of events, and counts what is lost."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import TypeVar

import msgspec

from seqdec_gui import __version__
from seqdec_gui.domain.wording import counted
from seqdec_gui.runs.events import DamagedLine, Event, UnreadableLine, decode
from seqdec_gui.runs.files import opener, read_bytes

_T = TypeVar("_T", bound=msgspec.Struct)
LONGEST_LINE = 8 << 20
"""Length from which on a line is no event, in bytes."""
_STARTED = b'{"type":"started"'


class Salvage:
    """Decodes the lines of one file of events; those that are damaged are counted and left out."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._newer: bool | None = None
        self.lost = 0
        """The number of lines that were left out."""
        self.why = ""
        """What is wrong with the first of them."""

    def decode(self, line: bytes) -> Event | None:
        """Return the event of a line; None for a damaged one. Raises UnreadableLine where a newer version wrote the run."""
        try:
            return decode(line)
        except DamagedLine as error:
            if b"\0" in line and (rest := line.strip(b"\0")) != line and rest.strip():  # a block of the disk was never written
                self.skip(str(error))
                self.lost -= 1
                return self.decode(rest)
            self.skip(str(error))
        except UnreadableLine as error:
            if self._newer is None:
                self._newer = is_of_newer_version(self._path)
            if self._newer:
                raise
            self.skip(str(error).partition(". The run was written")[0] + ".")
        return None

    def skip(self, why: str) -> None:
        """Count a line as lost."""
        self.lost += 1
        self.why = self.why or why

    def sentence(self) -> str:
        """Return what was lost, empty if nothing was."""
        return self.sentence_of(self.lost, self._path.name, self.why) if self.why else ""

    @staticmethod
    def sentence_of(lost: int, name: str, why: str) -> str:
        """Return what was lost of a file; 0 where a line could be read in part."""
        verb = "is" if lost == 1 else "are"
        what = f"{counted(lost, 'line')} of {name} {verb} damaged and left out" if lost else f"{name} is damaged"
        return f"{what}. The first: {why}"


def is_of_newer_version(events: Path) -> bool:
    """Whether a newer version of the program, or an unknown one, has written a run, as its other lines and files say."""
    versions = []
    with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
        spec = msgspec.json.decode(read_bytes(events.with_name("spec.json")), type=_Spec)
        versions.append(_numbers(spec.product_version))
    with contextlib.suppress(OSError), open(events, "rb", opener=opener) as file:
        while line := file.readline(LONGEST_LINE):
            if line.startswith(_STARTED):
                with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
                    versions.append(_numbers(msgspec.json.decode(line, type=_Started).versions.get("seqdec-gui", "")))
    return not any(versions) or max(versions) > _numbers(__version__)


def events_of(path: Path, kind: type[_T], most_bytes: int | None = None) -> list[_T]:
    """Return the complete events of one type in the first `most_bytes` bytes of a file, without decoding others.

    Empty where there is no file; damaged lines are left out. Raises UnreadableLine, OSError.
    """
    begin = f'{{"type":"{kind.__struct_config__.tag}"'.encode()
    events: list[_T] = []
    salvage = Salvage(path)
    with contextlib.suppress(FileNotFoundError), open(path, "rb", opener=opener) as file:
        left = os.fstat(file.fileno()).st_size if most_bytes is None else most_bytes
        while left > 0 and (line := file.readline(LONGEST_LINE)):
            left -= len(line)
            if line.startswith(begin) and line.endswith(b"\n") and isinstance(event := salvage.decode(line), kind):
                events.append(event)
    return events


class _Spec(msgspec.Struct):
    product_version: str


class _Started(msgspec.Struct):
    versions: dict[str, str] = {}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
