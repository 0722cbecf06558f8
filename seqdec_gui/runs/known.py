"""Where the runs of this user lie: a small file in the user's data folder, so that every run can be listed. No Qt.

It says where to look and nothing about the runs, which the folders themselves tell. Without the file the places are learnt
again from the designs that are opened and from the runs that are started; only folders that were added by hand have to be added
again.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from seqdec_gui.domain import document
from seqdec_gui.runs import file_lock
from seqdec_gui.runs.files import open_to_write, pretty_json, read_bytes, write_atomically

FILE = "known_runs.json"
"""The name of the file in the user's data folder."""
FORMAT = 1
MOST_PLACES = 5000
"""The number of folders, runs and designs of each sort that are remembered; the oldest are dropped."""
_OWN_NAME = re.compile(r"\d{8}-\d{6}-.+")
"""The names of run folders that the program chose itself."""


class Known(msgspec.Struct, frozen=True):
    """`folders` contain run folders, `runs` are single run folders, `designs` are design files with their ids when last seen.

    `copies` are design files that are known to share their id with another and were left so. Each is in order of age.
    """

    format: int = FORMAT
    folders: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    designs: dict[str, str] = {}
    copies: tuple[str, ...] = ()


class Places(msgspec.Struct, frozen=True):
    """Where to look for runs: folders that contain them, and single run folders."""

    folders: tuple[Path, ...] = ()
    runs: tuple[Path, ...] = ()


def data_folder() -> Path:
    """Return the user's data folder."""
    import platformdirs

    return Path(platformdirs.user_data_dir("seqdec-gui"))


def read() -> Known:
    """Return what is known; nothing where there is no file, or none that can be read."""
    try:
        known = msgspec.json.decode(read_bytes(data_folder() / FILE), type=Known)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Known()
    return known if known.format == FORMAT else Known()


def places(more: Iterable[Path] = ()) -> Places:
    """Return every place where runs of this user may lie: `more`, then what is known, with `runs` beside each known design."""
    known = read()
    beside = [Path(design).parent / "runs" for design in known.designs]
    folders = [*more, data_folder() / "runs", *map(Path, known.folders), *beside]
    return Places(tuple(dict.fromkeys(folders)), tuple(dict.fromkeys(map(Path, known.runs))))


def remember_run(run: Path) -> None:
    """Remember where a run lies, or the folder that it lies in if that is a folder of runs. Never raises for files."""
    run = run.absolute()
    if run.parent.name == "runs" or _OWN_NAME.fullmatch(run.name):
        remember_folders([run.parent])
    else:
        _change(lambda known: msgspec.structs.replace(known, runs=_with(known.runs, [run])))


def remember_folders(folders: Iterable[Path]) -> None:
    """Remember folders that contain runs. Never raises for files."""
    added = [folder.absolute() for folder in folders]
    _change(lambda known: msgspec.structs.replace(known, folders=_with(known.folders, added)))


def remember_designs(designs: Iterable[tuple[Path, str]]) -> None:
    """Remember design files with their ids, which may be empty. Never raises for files."""
    seen = {str(path.absolute()): id for path, id in designs}

    def change(known: Known) -> Known:
        merged = {path: id for path, id in known.designs.items() if seen.get(path, id) == id} | seen
        return msgspec.structs.replace(known, designs=dict(list(merged.items())[-MOST_PLACES:]))

    _change(change)


def leave_copy(design: Path) -> None:
    """Remember that a design file shares its id with another, and is to be left so."""
    _change(lambda known: msgspec.structs.replace(known, copies=_with(known.copies, [design.absolute()])))


def forget(paths: Iterable[Path]) -> None:
    """Look no more in these folders of runs, or for these runs."""
    gone = {str(path) for path in paths}

    def change(known: Known) -> Known:
        folders, runs = (tuple(path for path in names if path not in gone) for names in (known.folders, known.runs))
        designs = {path: id for path, id in known.designs.items() if str(Path(path).parent / "runs") not in gone}
        return msgspec.structs.replace(known, folders=folders, runs=runs, designs=designs)

    _change(change)


def files_of(design_id: str) -> list[Path]:
    """Return the known design files that have this id now, the latest first."""
    if not design_id:
        return []
    known = read().designs
    return [Path(path) for path, id in reversed(known.items()) if id == design_id and document.id_in(path) == design_id]


def _with(names: tuple[str, ...], added: Iterable[Path]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*names, *map(str, added))))[-MOST_PLACES:]


def _change(change: Callable[[Known], Known]) -> None:
    """Change the file, one program at a time. A full disk, or a path that is no text, costs only what was to be kept."""
    if change(before := read()) == before:
        return
    with contextlib.suppress(OSError, UnicodeEncodeError), _alone():
        write_atomically(data_folder() / FILE, pretty_json(change(read())))


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock beside the file. Raises OSError."""
    folder = data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    file = open_to_write(folder / f".{FILE}.lock", os.O_RDWR)
    try:
        file_lock.wait_and_take(file)
        yield
    finally:
        os.close(file)
