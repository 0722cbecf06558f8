"""The runs that go on now, wherever they lie. No Qt."""

from __future__ import annotations

import msgspec

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import lock
from seqdec_gui.runs.folder import DesignKey, RunFolder
from seqdec_gui.runs.hosts import record
from seqdec_gui.runs.known import Places
from seqdec_gui.runs.listing import run_folders
from seqdec_gui.runs.notes import display_name


class ActiveRun(msgspec.Struct, frozen=True):
    """A run that goes on, with its name and what tells whose it is."""

    run: RunFolder
    name: str
    design_id: str
    design_path: str


def active_runs(places: Places) -> list[ActiveRun]:
    """Return the runs that are active now, wherever they lie, the latest first. Runs in a thread."""
    found = []
    for run in run_folders(places):
        if is_alive(run):
            try:
                asked = run.read_spec()
            except InvalidInput:
                continue
            active = ActiveRun(run, display_name(run.path), asked.design_id, asked.design_path)
            found.append((asked.created, active))
    return [active for _, active in sorted(found, key=lambda pair: -pair[0])]


def active_run(design: DesignKey, places: Places) -> RunFolder | None:
    """Return the latest active run of a design. Runs in a thread."""
    found = active_runs(places)
    return next((each.run for each in found if design.owns(each.run.path, each.design_id, each.design_path)), None)


def is_alive(run: RunFolder) -> bool:
    """Return whether a run goes on, on another machine too; false where its lock may not be read."""
    try:
        return lock.is_held(run.lock) or record.goes_on(run.path)
    except OSError:
        return False
