"""The folder of a run: its paths, and functions that create, open and list run folders."""

from __future__ import annotations

import contextlib
import shutil
import time
from pathlib import Path

import msgspec

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import lock, state
from seqdec_gui.runs.notes import folder_stem
from seqdec_gui.runs.run_files import RunFiles
from seqdec_gui.runs.state import RunStatus, RunSummary


class RunFolder(RunFiles):
    """A run: its files, and what they say of it. Making the object touches nothing."""

    def status(self) -> RunStatus:
        """Return what the run is doing or how it ended, from its events and its lock. Never raises for damaged files."""
        return state.status(self)

    def summary(self) -> RunSummary:
        """Return the entry of the run in a table of runs. Never raises for damaged files."""
        return state.summary(self)


def open_run(path: Path | str) -> RunFolder:
    """Return an existing run folder. Raises InvalidInput."""
    run = RunFolder(path)
    if not run.exists:
        what = "a folder without spec.json" if run.path.is_dir() else "no such folder"
        raise InvalidInput(f"Expected a run folder, found {what}: {path}. `seqdec-gui runs FOLDER` lists runs.", "no_run")
    return run


def create(
    path: Path | str | None,
    design_path: Path | str | None,
    now: float | None = None,
    parent: Path | None = None,
    name: str = "",
) -> RunFolder:
    """Make the folder for a new run: `path`, or `<design folder>/runs/<time>-<design>`, made unique by a number.

    A `path` given must not exist, or be empty. `parent` stands for `<design folder>/runs`, and `name` for the name of a design
    without a file. Raises InvalidInput.
    """
    try:
        return _create_default(design_path, now, parent, name) if path is None else _create_at(RunFolder(path))
    except OSError as error:
        place = error.filename or path
        raise InvalidInput(
            f"The run folder cannot be made at {place}: {error.strerror}. Choose another place with --run.", "run_folder"
        ) from None


def discard(run: RunFolder, started: bool = True) -> None:
    """Remove the folder of a run that could not begin, and the `runs` around it if nothing else is there.

    With `started` false only a folder in which no run was ever started: two programs may have been told the same folder, and
    what the other one started there must stay.
    """
    try:
        with lock.acquire(run.lock) as held:
            record = held.read()
            if started or record is None or not record.pid:
                shutil.rmtree(run.path, ignore_errors=True)
    except (lock.RunLocked, OSError):
        return
    if run.path.parent.name == "runs":
        with contextlib.suppress(OSError):
            run.path.parent.rmdir()


def discard_unstarted(run: RunFolder) -> None:
    """Remove the folder of a run that was to be started elsewhere, and was not; what holds anything of a run stays."""
    if not run.looks_like_a_run:
        for path in (run.checkpoints, run.exports, run.path):
            with contextlib.suppress(OSError):
                path.rmdir()


def default_parent(design_path: Path | str | None) -> Path:
    """Return the folder for runs of a design: `runs` beside it, or the user's data folder if it was never saved."""
    if design_path is not None:
        return Path(design_path).absolute().parent / "runs"
    import platformdirs

    return Path(platformdirs.user_data_dir("seqdec-gui")) / "runs"


class DesignKey(msgspec.Struct, frozen=True):
    """What tells the runs of one design from those of others: its id, and its file; either may be missing."""

    id: str = ""
    path: Path | None = None

    def owns(self, run: Path | str, design_id: str, design_path: str) -> bool:
        """Whether the run at `run`, which was started with this id and this design file, is one of this design.

        Ids decide where both have one. Otherwise the file does, or its name where the run lies in `runs` beside the design.
        """
        if self.id and design_id:
            return self.id == design_id
        if self.path is None or not design_path:
            return False
        if str(self.path) == design_path:
            return True
        return Path(run).parent == default_parent(self.path) and Path(design_path).stem == self.path.stem


def list_runs(folder: Path | str) -> list[RunSummary]:
    """Return summaries of the runs in a folder, or in its `runs`, oldest first; `folder` may be a run. Raises InvalidInput."""
    path = Path(folder)
    if not path.is_dir():
        raise InvalidInput(f"Expected a folder with runs, found nothing at {path}.", "no_folder")
    try:
        if RunFolder(path).looks_like_a_run:
            return [RunFolder(path).summary()]
        children = [child for parent in (path, path / "runs") if parent.is_dir() for child in parent.iterdir()]
        runs = [run for run in map(RunFolder, children) if _is_visible_run(run)]
    except PermissionError:
        raise InvalidInput(f"The runs in {path} may not be read: permission denied.", "permission_denied") from None
    return sorted((run.summary() for run in runs), key=lambda summary: (summary.created or 0, summary.run))


def _is_visible_run(run: RunFolder) -> bool:
    """Whether this is a run folder that may be read; one without permission must not hide the others."""
    with contextlib.suppress(PermissionError):
        return run.looks_like_a_run
    return False


def _create_at(run: RunFolder) -> RunFolder:
    run.path.mkdir(parents=True, exist_ok=True)
    if run.exists:
        raise InvalidInput(
            f"{run.path} already holds a run: resume it (seqdec-gui resume {run.path}) or choose another folder.", "run_exists"
        )
    if any(run.path.iterdir()):
        raise InvalidInput(f"{run.path} is not empty and holds no run: choose an empty or a new folder.", "not_empty")
    return run


def _create_default(design_path: Path | str | None, now: float | None, parent: Path | None, name: str) -> RunFolder:
    parent = parent or default_parent(design_path)
    parent.mkdir(parents=True, exist_ok=True)
    stem = folder_stem(Path(design_path).stem if design_path is not None else name or "untitled")
    first = f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{stem}"
    number = 1
    while True:
        run = RunFolder(parent / (first if number == 1 else f"{first}-{number}"))
        try:
            run.path.mkdir()
            return run
        except FileExistsError:
            number += 1
