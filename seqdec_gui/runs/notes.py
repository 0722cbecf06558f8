"""The name, the note and the tags that a user gives to a run: `RUN/note.json`, beside what the run itself writes. No Qt."""

from __future__ import annotations

import re
import time
from functools import lru_cache
from pathlib import Path

import msgspec

from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runs import spec
from seqdec_gui.runs.files import pretty_json, read_bytes, write_atomically

FILE = "note.json"
"""Name of the file in a run folder."""
FORMAT = 1
MOST_NOTE_BYTES = 1 << 20
"""Size up to which a note is read, in bytes."""
MOST_TAGS = 20
"""The number of tags that a run keeps."""
LONGEST_TAG = 40
"""The number of characters that a tag keeps."""
_FOLDER = re.compile(r"(\d{8})-(\d{6})-(.+)")
_TRIAL = re.compile(r"trial-(\d+)")


class Note(msgspec.Struct, frozen=True):
    """`name` is shown in place of the folder's; `note` is free text. All may be empty. Unknown fields are left unread."""

    format: int = FORMAT
    name: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()


def read_note(run: Path) -> Note:
    """Return the note of a run; an empty one where there is none or it is damaged."""
    try:
        return msgspec.json.decode(read_bytes(run / FILE, MOST_NOTE_BYTES), type=Note)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Note()


def write_note(run: Path, note: Note) -> None:
    """Write a note; an empty one removes the file. Raises SeqdecError."""
    try:
        if note == Note():
            (run / FILE).unlink(missing_ok=True)
        else:
            write_atomically(run / FILE, pretty_json(note))
    except OSError as error:
        raise SeqdecError(f"The note cannot be written into {run}: {error.strerror}.") from error


def tags_of(text: str) -> tuple[str, ...]:
    """Return the tags that a user has typed, `seed 3, good`, without repetitions, whatever their case."""
    tags: dict[str, str] = {}
    for part in re.split(r"[,;\n]", text):
        if tag := " ".join(part.split()).lstrip("#")[:LONGEST_TAG].strip():
            tags.setdefault(tag.casefold(), tag)
    return tuple(tags.values())[:MOST_TAGS]


def display_name(run: Path) -> str:
    """Return the name that the user gave, else the design's and the time: `Roman numerals · 23 Nov 14:05:09`."""
    if name := read_note(run).name:
        return name
    try:
        design = spec.read(run / "spec.json").name
    except InvalidInput:
        design = ""
    return plain_name(run.name, design)


def folder_stem(design: str) -> str:
    """Return the name of a design as it stands in the names of its run folders: `Roman_numerals`."""
    return re.sub(r"[^\w.-]+", "_", design)


@lru_cache(maxsize=1 << 14)
def plain_name(folder: str, design: str = "") -> str:
    """Return the name of a run folder as text; a name that the user chose stays as it is.

    `design` is the name of the run's design, which a folder's name may have to write in another way, and which a trial of a
    sweep is called after: `Roman numerals · trial 3`.
    """
    match = _FOLDER.fullmatch(folder)
    if match is None:
        trial = _TRIAL.fullmatch(folder)
        return f"{design} · trial {int(trial.group(1))}" if trial and design else folder
    try:
        moment = time.strptime(match.group(1) + match.group(2), "%Y%m%d%H%M%S")
    except ValueError:
        return folder
    stem = match.group(3)
    if design and re.fullmatch(re.escape(folder_stem(design)) + r"(-\d+)?", stem):
        stem = design + stem[len(folder_stem(design)) :].replace("-", " ")
    return f"{stem} · {moment.tm_mday} {time.strftime('%b %H:%M:%S', moment)}"
