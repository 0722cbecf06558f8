"""Sends the files of a design to a host, each once, and says where they lie there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runs.hosts.session import Session
from seqdec_gui.runs.hosts.store import PIECE_BYTES, SUMS, Sums
from seqdec_gui.runs.known import data_folder
from seqdec_gui.runs.run_design import with_paths

Tell = Callable[[str, int, int], None]
"""Is called with what is done, how much of it, and of how much (0: unknown)."""


def say_nothing(_text: str, _done: int, _total: int) -> None:
    """Take no notice."""


class Sent(msgspec.Struct, frozen=True):
    """A file of the design: its path here, its path there, and the bytes that had to be sent for it."""

    here: str
    there: str
    sent: int


def files_of(design: Design, folder: Path) -> tuple[str, ...]:
    """Return the absolute path of every file that a design names, each once: data, imported models, weights."""
    found: dict[str, None] = {}

    def note(name: str) -> str:
        if name:
            found[str(folder / expanded(name))] = None
        return name

    with_paths(design, note)
    return tuple(found)


def only_there(session: Session, paths: Sequence[str]) -> tuple[str, ...]:
    """Return those of the paths that are no files here, and files on the host. Raises as `Session.ask`."""
    absent = [path for path in paths if not Path(path).exists()]
    if not absent:
        return ()
    asked = msgspec.json.encode([(path, -1, "") for path in absent])
    there = session.ask("there", asked).get("there", list)
    return tuple(path for path, is_there in zip(absent, there, strict=True) if is_there is True)


def send_files(session: Session, paths: Sequence[str], tell: Tell = say_nothing) -> tuple[Sent, ...]:
    """Have these files on the host: where they lie already, at the same path or from an earlier time, or send them.

    A path that leads nowhere here is taken to mean the host's own. Raises InvalidInput, LinkLost, SeqdecError.
    """
    sums = Sums(data_folder() / SUMS)
    known: dict[str, tuple[int, str]] = {}
    for path in paths:
        if Path(path).is_dir():
            text = f"{path} is a folder; only files are sent to a host."
            raise InvalidInput([Problem("error", "folder_to_host", "", text, "Give the model as a .keras file.")])
        if Path(path).is_file():
            tell(f"Reading {Path(path).name}", 0, 0)
            summed = sums.of(Path(path))
            known[path] = (summed.size, summed.sha256)
    listed = list(known)
    asked = msgspec.json.encode([(path, *known[path]) for path in listed])
    there = session.ask("there", asked).get("there", list) if listed else []
    placed = {path: path for path, same in zip(listed, there, strict=True) if same is True}
    rest = [path for path in listed if path not in placed]
    asked = msgspec.json.encode([(known[path][1], Path(path).name, known[path][0]) for path in rest])
    places = session.ask("have", asked).get("places", list) if rest else []
    sent = {}
    for path, place in zip(rest, places, strict=True):
        placed[path] = str(place) or _send(session, Path(path), *known[path], tell)
        sent[path] = 0 if place else known[path][0]
    return tuple(Sent(path, placed.get(path, path), sent.get(path, 0)) for path in paths)


def moved(design: Design, folder: Path, files: Sequence[Sent]) -> Design:
    """Return the design with the paths that its files have there."""
    places = {file.here: file.there for file in files}
    return with_paths(design, lambda name: places.get(str(folder / expanded(name)), name) if name else "")


def _send(session: Session, path: Path, size: int, sha256: str, tell: Tell) -> str:
    """Send a file from where an earlier attempt ended, and return its path there."""
    begun = session.ask("put", sha256=sha256, name=path.name, length=size)
    with path.open("rb") as file:
        at = file.seek(begun.integer("at"))
        while at < size and (piece := file.read(min(PIECE_BYTES, size - at))):
            session.send("piece", piece)
            at += len(piece)
            tell(f"Sending {path.name}", at, size)
    return session.ask("whole").text("path")


def fetch(session: Session, there: str, here: Path, size: int, tell: Tell = say_nothing) -> None:
    """Get a file, from where an earlier attempt ended if one was broken off. Raises as `Session.ask`, OSError."""
    with open(here, "ab") as file:  # noqa: PTH123
        if file.tell() > size:
            file.truncate(0)
        at = file.seek(0, 2)
        session.send("fetch", path=there, at=at)
        for frame in session.until_answer():
            if frame.kind == "piece":
                file.write(frame.data)
                at += len(frame.data)
                tell(f"Getting {Path(there).name}", at, size)
