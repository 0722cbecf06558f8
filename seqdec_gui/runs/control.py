"""The commands to a run: one JSON object a line in `commands.jsonl`. Any program may append; the run reads."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Literal, get_args

import msgspec

from seqdec_gui.domain.json_lines import repetition
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.file_lock import read_at
from seqdec_gui.runs.files import open_to_write, opener

CommandName = Literal["stop", "pause", "hold", "continue", "set_learning_rate", "checkpoint"]
COMMANDS: tuple[CommandName, ...] = get_args(CommandName)


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One command. `value` is the new rate for `set_learning_rate`, else None; the answer is a `command` event with the id."""

    command: CommandName
    value: float | None = None
    id: str = msgspec.field(default_factory=lambda: uuid.uuid4().hex[:12])

    def __post_init__(self) -> None:
        rate = self.command == "set_learning_rate"
        if rate and not (self.value is not None and 0 < self.value <= 100):
            raise ValueError(f"set_learning_rate expects a value above 0 and at most 100, got {self.value}")
        if not rate and self.value is not None:
            raise ValueError(f"{self.command} takes no value, got {self.value}")


class Unreadable(msgspec.Struct, frozen=True):
    """A line that is no command, with the reason in `text`. `id` and `command` are empty where they could not be read."""

    line: str
    text: str
    id: str = ""
    command: str = ""


_decoder = msgspec.json.Decoder(Command)


def append(path: Path, command: Command) -> None:
    """Append a command with one write. Raises OSError."""
    append_line(path, msgspec.json.encode(command))


def append_line(path: Path, line: bytes) -> None:
    """Append a line without its end with one write. Raises OSError."""
    file = open_to_write(path, os.O_RDWR | os.O_APPEND)
    try:
        size = os.fstat(file).st_size
        after_half_line = size > 0 and read_at(file, 1, size - 1) != b"\n"
        os.write(file, (b"\n" if after_half_line else b"") + line + b"\n")
    finally:
        os.close(file)


def command(name: str, value: float | None = None) -> Command:
    """Return a command with a new id. Raises InvalidInput for an unknown command or a wrong value."""
    if name not in COMMANDS:
        raise InvalidInput(f"Expected one of the commands {', '.join(COMMANDS)}, received {name!r}.", "unknown_command")
    try:
        return Command(name, value)
    except ValueError as error:
        raise InvalidInput(f"{error}.", "command_value") from None


class CommandReader:
    """Reads new commands from a file. A line that is still being written is left for the next call.

    `offset` is where to begin: the size of the file when the run started, so that old commands are not obeyed again.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        self._path = path
        self.offset = offset

    def read(self) -> list[Command | Unreadable]:
        """Return the commands since the last call, in order; none while there is no file."""
        try:
            with open(self._path, "rb", opener=opener) as file:
                file.seek(self.offset)
                data = file.read()
        except FileNotFoundError:
            return []
        end = data.rfind(b"\n") + 1
        self.offset += end
        return [_parse(line) for line in data[:end].split(b"\n") if line.strip()]


class _Loose(msgspec.Struct):
    id: str = ""
    command: str = ""


def _parse(line: bytes) -> Command | Unreadable:
    text, why = line[:200].decode("utf-8", "replace"), ""
    try:
        command = _decoder.decode(line)
        if not (why := repetition(line.decode())):
            return command
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        why = str(error)
    try:
        loose = msgspec.json.decode(line, type=_Loose)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        loose = _Loose()
    return Unreadable(text, f"Expected a command ({', '.join(COMMANDS)}), received {text!r}: {why}.", loose.id, loose.command)
