"""What is to be searched in the open design: filled by the inspector and the Sweep page, until a sweep is begun."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.quality import larger_is_better
from seqdec_gui.gui.workspace.launch import Request, fail_if_there, prepared
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs import known
from seqdec_gui.runs.environment import with_package, working_folder
from seqdec_gui.runs.folder import DesignKey, default_parent
from seqdec_gui.runs.sweep.folder import PrunerName, SamplerName, SweepFolder, SweepSpec
from seqdec_gui.runs.sweep.parallel import default_parallel
from seqdec_gui.runs.sweep.space import parse_space, proposed_search

COMMAND = (sys.executable, "-P", "-m", "seqdec_gui", "sweep")
"""The command of a process that works on a sweep, without the sweep's folder."""


class SweepDraft(QObject):
    """The searched parameters of the open design, by name, as texts such as `training.learning_rate=1e-4..1e-2:log`."""

    changed = pyqtSignal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self.texts: dict[str, str] = {}

    def add(self, name: str) -> None:
        """Search a parameter, around its present value."""
        if not any(name in each.split(",") for each in self.texts):
            text = proposed_search(self._workspace.document.design, name)
            self.texts[text.partition("=")[0]] = text
            self.changed.emit()

    def set_text(self, name: str, text: str) -> None:
        """Search other values of a parameter."""
        if self.texts.get(name) != text:
            self.texts[name] = text
            self.changed.emit()

    def remove(self, name: str) -> None:
        if self.texts.pop(name, None) is not None:
            self.changed.emit()


def make_sweep(
    request: Request, texts: tuple[str, ...], trials: int, sampler: SamplerName, prune: PrunerName, goal: str
) -> SweepFolder:
    """Check the request and make the folder of a sweep. For a thread. Raises InvalidInput with all problems, SeqdecError."""
    fail_if_there(request)
    axes = parse_space(texts, request.design)
    asked = prepared(request)
    parent = request.design_path.parent if request.design_path is not None else known.data_folder()
    sweep = SweepFolder(parent / "sweeps" / f"{time.strftime('%Y%m%d-%H%M%S')}-{request.name}")
    if sweep.path.exists():
        raise InvalidInput(f"{sweep.path} is there already: wait a second, and begin again.", "sweep_exists")
    parallel = default_parallel(asked.devices, 1)
    sweep.write_spec(
        SweepSpec(run=asked, axes=axes, trials=trials, goal=goal, maximize=larger_is_better(goal), sampler=sampler,
                  prune=prune, seed=request.design.training.seed, parallel=parallel)
    )  # fmt: skip
    known.remember_folders([sweep.runs])
    return sweep


def go_on(sweep: SweepFolder, command: tuple[str, ...] = ()) -> bool:
    """Start a process that works on a sweep, which outlives this program; returns false where one does. For a thread."""
    if sweep.worked_on:
        return False
    with sweep.log.open("ab") as log:
        child = subprocess.Popen(
            [*(command or COMMAND), str(sweep.path)], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            env=with_package(os.environ), cwd=working_folder(), start_new_session=True,
        )  # fmt: skip
    child.returncode = 0  # it outlives this program, and keeps Popen from warning that it still runs
    return True


def sweeps_of(design: DesignKey) -> list[SweepFolder]:
    """Return the sweeps of a design, wherever it was when they began, the latest first."""
    beside = design.path.parent / "sweeps" if design.path is not None else None
    parents = [folder for folder in (known.data_folder() / "sweeps", beside) if folder is not None and folder.is_dir()]
    listed = [path for parent in parents for path in parent.iterdir()]
    listed += [Path(runs).parent for runs in known.read().folders]
    found = [sweep for sweep in map(SweepFolder, dict.fromkeys(listed)) if sweep.exists]
    own = [sweep for sweep in found if _belongs(sweep, design, sweep.path.parent == beside)]
    return sorted(own, key=lambda sweep: sweep.path.name, reverse=True)


def _belongs(sweep: SweepFolder, design: DesignKey, beside: bool) -> bool:
    """Return whether a sweep is one of this design; one whose file cannot be read is where it lies, so that it can be seen."""
    try:
        asked = sweep.read_spec().run
    except InvalidInput:
        return beside
    place = default_parent(design.path) if beside else sweep.path.parent
    return design.owns(place / sweep.path.name, asked.design_id, asked.design_path)
