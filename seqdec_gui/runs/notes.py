"""The name and the note that a user gives to a run: `RUN/note.json`, beside what the run itself writes. No Qt."""

from __future__ import annotations

import re
import time
from pathlib import Path

import msgspec

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs.files import pretty_json, read_bytes, write_atomically

FILE = "note.json"
"""Name of the file in a run folder."""
FORMAT = 1
_FOLDER = re.compile(r"(\d{8})-(\d{6})-(.+)")


class Note(msgspec.Struct, frozen=True):
    """`name` is shown in place of the folder's; `note` is free text. Both may be empty. Unknown fields are left unread."""

    format: int = FORMAT
    name: str = ""
    note: str = ""


def read_note(run: Path) -> Note:
    """Return the note of a run; an empty one where there is none or it is damaged."""
    try:
        return msgspec.json.decode(read_bytes(run / FILE), type=Note)
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


def display_name(run: Path) -> str:
    """Return the name that the user gave, else the folder's in words: `roman · 23 Nov 14:05:09`."""
    return read_note(run).name or plain_name(run.name)


def plain_name(folder: str) -> str:
    """Return the name of a run folder as text; a name that the user chose stays as it is."""
    match = _FOLDER.fullmatch(folder)
    if match is None:
        return folder
    try:
        moment = time.strptime(match.group(1) + match.group(2), "%Y%m%d%H%M%S")
    except ValueError:
        return folder
    return f"{match.group(3)} · {moment.tm_mday} {time.strftime('%b %H:%M:%S', moment)}"
