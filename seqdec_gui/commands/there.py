"""`--there`: runs a command with a trained run on the host of that run, and brings what it writes back."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from seqdec_gui.commands.train_on_host import telling
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.domain.wording import printable
from seqdec_gui.runs.folder import open_run
from seqdec_gui.runs.hosts import record, trusted
from seqdec_gui.runs.hosts.sending import Tell, fetch, send_files
from seqdec_gui.runs.hosts.session import Session, fail_unless_same_version

_FILES = ("input", "data", "feed_map", "codes", "properties_file")
"""The arguments of such commands that name files to read."""


def run_there(command: str, words: Sequence[str], arguments: argparse.Namespace) -> int:
    """Run a command on the host of its run, and return its exit status. Raises InvalidInput, LinkLost, SeqdecError."""
    run = open_run(arguments.run)
    at = record.read(run.path)
    if at is None:
        raise InvalidInput(f"{run.path} was trained on this machine; --there is for runs on a host.", "not_there")
    words = [word for word in words if word != "--there"]
    places = {arguments.run: at.run}
    output = getattr(arguments, "output", None)
    if output is None and command == "export" and not arguments.all:
        from seqdec_gui.runs.export_formats import export_format

        output = str(run.exports / f"{arguments.part}{export_format(arguments.format).proposed_ending}")
        words += ["--output", output]
    if output not in (None, "-"):
        places[output] = f"@out/{expanded(output).name}"
    elif command == "export":
        raise InvalidInput("Expected --output FOLDER: where the files are to be put here.", "no_output")
    with Session(trusted.host_of(at)) as session, telling() as tell:
        fail_unless_same_version(session)
        named = {name: value for name in _FILES if isinstance(value := getattr(arguments, name, None), str)}
        if "-" in named.values():
            raise InvalidInput("Standard input is not sent to a host: write it to a file.", "stdin_there")
        sent = send_files(session, [str(expanded(value).absolute()) for value in named.values()], tell)
        places |= {value: file.there for value, file in zip(named.values(), sent, strict=True)}
        session.send("task", msgspec.json.encode([command, *(_placed(word, places) for word in words)]))
        return _told(session, Path(output).absolute() if output not in (None, "-") else None, tell)


def _placed(word: str, places: dict[str, str]) -> str:
    """Return a word with the path that its file has there: the word may be the path, or an option with it."""
    if word in places:
        return places[word]
    option, equals, value = word.partition("=")
    return f"{option}={places[value]}" if equals and option.startswith("--") and value in places else word


def _told(session: Session, output: Path | None, tell: Tell) -> int:
    """Print what the command prints, and get what it wrote."""
    for frame in session.until_answer():
        if frame.kind == "said":
            stream = sys.stdout if frame.text("stream") == "out" else sys.stderr
            stream.write(printable(frame.data.decode("utf-8", "replace")))
            stream.flush()
        elif frame.kind == "done":
            files = msgspec.json.decode(frame.data, type=list[tuple[str, str, int]])
            for name, there, size in files if output is not None else ():
                assert output is not None
                _bring(session, name, there, size, output, tell)
            session.ask("leave")
            return int(frame.get("status", int))
    raise SeqdecError("The command there did not end.")


def _bring(session: Session, name: str, there: str, size: int, output: Path, tell: Tell) -> None:
    """Get one file: the output itself, one beside it, or one of a folder."""
    if name.startswith("/") or ".." in Path(name).parts:
        raise SeqdecError(f"The host names a file {name!r:.80} that would be put elsewhere.")
    target = output.parent / name
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        fetch(session, there, part, size, tell)
        shutil.move(part, target)
    except OSError as error:
        raise SeqdecError(f"{target} cannot be written: {error.strerror}.") from error
    sys.stdout.write(f"brought {printable(str(target))}\n")
