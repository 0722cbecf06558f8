"""Starting a run of the open design. What to train is fixed at the click; the slow part happens in the run's thread."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from seqdec_gui.domain import document as design_file
from seqdec_gui.domain.codes import hint_in_window
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput, Problem, errors
from seqdec_gui.gui.look import preferences
from seqdec_gui.gui.tasks import background, warm_workers
from seqdec_gui.gui.workspace.devices import DeviceSelection
from seqdec_gui.gui.workspace.document import DesignDocument
from seqdec_gui.gui.workspace.training_thread import NICE
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs import folder, known, process
from seqdec_gui.runs.batches import batch_problems
from seqdec_gui.runs.environment import child_environment
from seqdec_gui.runs.folder import DesignKey, RunFolder
from seqdec_gui.runs.hosts import book, record, starting
from seqdec_gui.runs.hosts.answering import Resumption
from seqdec_gui.runs.hosts.fetching import have_checkpoint
from seqdec_gui.runs.known import Places
from seqdec_gui.runs.readiness import Stamps, problems_in_data, readiness, stamps
from seqdec_gui.runs.spec import DeviceChoice, FitChoice, RunSpec


class Request(msgspec.Struct, frozen=True):
    """What to train: the design with every edit, saved or not. The run keeps this copy whatever happens to the file.

    `title` is what a design without a file is called. `initial_run` is a run whose weights the training starts with, and `fit`
    says which of its fitted values to keep. `passed` are the data files that have been checked against the design.
    """

    design: Design
    design_path: Path | None
    base: Path
    devices: DeviceChoice
    parent: Path
    initial_run: Path | None = None
    initial_checkpoint: Literal["best", "last"] = "best"
    fit: FitChoice = "initial"
    passed: Stamps | None = None
    title: str = ""
    host: str = ""
    """The host that is to train; empty for this machine."""

    @property
    def name(self) -> str:
        return self.design_path.stem if self.design_path else self.title or "untitled"


def request(
    workspace: Workspace,
    initial_run: Path | None = None,
    checkpoint: Literal["best", "last"] = "best",
    fit: FitChoice = "initial",
) -> Request:
    """Return what the Train button would train now."""
    document = workspace.document
    return Request(
        design=document.design,
        design_path=document.path,
        base=workspace.folder,
        devices=workspace.devices.resolved,
        parent=runs_parent(document.path),
        initial_run=initial_run,
        initial_checkpoint=checkpoint,
        fit=fit,
        passed=workspace.checking.passed,
        title=document.title,
        host=workspace.devices.host,
    )


def runs_parent(design_path: Path | None) -> Path:
    """Return the folder of a design's runs: the preferred one, else `runs` beside the design, else the user's data folder."""
    return preferences.run_folder() or folder.default_parent(design_path)


def runs_places(design_path: Path | None) -> Places:
    """Return every place where runs of this user may lie, the folder for new runs of this design first. Reads a file."""
    return known.places((runs_parent(design_path), folder.default_parent(design_path)))


def design_key(document: DesignDocument) -> DesignKey:
    """Return what identifies the runs of the open design."""
    return DesignKey(document.design.id, document.path)


def launch(request: Request) -> process.RunProcess:
    """Check the request, make the run's folder and start its process. This may take long.

    Raises InvalidInput with all problems, SeqdecError.
    """
    spec = prepared(request)
    if request.initial_run is not None and not request.host:
        have_checkpoint(RunFolder(request.initial_run), request.initial_checkpoint)
    run = folder.create(None, request.design_path, parent=request.parent, name=request.title)
    if request.host:
        return _launch_there(run, spec, request.host)
    try:
        return process.start(run, spec, nice=nice(request.devices), workers=warm_workers.current())
    except BaseException:
        if not run.events.exists():
            shutil.rmtree(run.path, ignore_errors=True)  # nothing has run, so nothing is lost
        raise


def prepared(request: Request) -> RunSpec:
    """Return the specification of the run. This may take long. Raises InvalidInput with all problems."""
    problems = errors(readiness(request.design, request.base, request.devices))
    source = request.design.data
    initial_run = str(request.initial_run or "")
    checked = stamps(source, request.base) == request.passed  # False if the check had not ended or a file was written since
    if not problems and (not checked or initial_run):  # the window has not tried the fit of the earlier run
        problems = errors(
            background.result(lambda: problems_in_data(request.design, request.base, request.devices, initial_run, request.fit))
        )
    if problems:
        raise InvalidInput(tuple(_for_window(problem) for problem in problems))
    return _spec(request)


def fail_if_there(request: Request) -> None:
    """Raise InvalidInput if the request is for a host: only runs of this machine wait in its queue."""
    if request.host:
        raise InvalidInput(
            f"Runs on {request.host} do not wait in the queue of this machine. Choose devices of this machine, or train on "
            f"{request.host} now.",
            "queue_there",
        )


def _launch_there(run: RunFolder, spec: RunSpec, host: str) -> process.RunProcess:
    try:
        return starting.start(run, spec, book.find(host)).process
    except BaseException:
        folder.discard_unstarted(run)
        raise


def environment(request: Request) -> dict[str, str]:
    """Return the environment that the process of a run would get now. Raises InvalidInput."""
    return child_environment(process.place(_spec(request)), os.environ)


def _spec(request: Request) -> RunSpec:
    file = request.design.data.file
    return RunSpec(
        design=design_file.to_builtins(request.design),
        design_path=str(request.design_path or ""),
        design_name=request.title,
        folder=str(request.base),
        data_file=str(request.base / expanded(file)) if file else "",
        devices=request.devices,
        initial_run=str(request.initial_run or ""),
        initial_checkpoint=request.initial_checkpoint,
        fit=request.fit,
    )


def relaunching(run: RunFolder, selection: DeviceSelection) -> Callable[[], process.RunProcess]:
    """Return a function that continues an ended run on the devices that are chosen now."""
    devices, host = selection.resolved, selection.host
    return lambda: relaunch(run, devices, host)


def relaunch(run: RunFolder, devices: DeviceChoice, host: str = "") -> process.RunProcess:
    """Continue an ended run from its last checkpoint on these devices of this machine, or of a host.

    A run on a host goes on there; where the devices are those of another machine, it does so on its own. Raises InvalidInput,
    SeqdecError.
    """
    at = record.read(run.path)
    if at is not None:
        return starting.resume(run, Resumption(devices=devices if at.host == host else None))
    if host:
        text = f"The run was trained on this machine and goes on here; the devices that are chosen are those of {host}."
        raise InvalidInput(text, "other_machine")
    spec = run.read_spec()
    problems = errors(batch_problems(spec.load_design().training, devices))
    if problems:
        raise InvalidInput(problems)
    resumed = msgspec.structs.replace(spec, devices=devices, resume=True, placement=None)
    return process.start(run, resumed, nice=nice(devices), workers=warm_workers.current())


def nice(devices: DeviceChoice) -> int:
    """Return the niceness of a run's process: a run on the CPU yields to the window."""
    return NICE if devices.kind == "cpu" else 0


def _for_window(problem: Problem) -> Problem:
    """Return the problem with a hint for the window instead of one for the command line."""
    return msgspec.structs.replace(problem, hint=hint_in_window(problem.code, problem.hint))
