"""Trains the run of a folder: opens design and data, builds the model, loads initial weights, and runs the loop."""

from __future__ import annotations

import contextlib
import os
import platform
import socket
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from seqdec_gui import __version__
from seqdec_gui.domain.bindings import DataSource
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput, Problem, SeqdecError, errors
from seqdec_gui.domain.training import Training
from seqdec_gui.domain.validation import check
from seqdec_gui.runner import engines
from seqdec_gui.runner.commands import Commands, StopRequested
from seqdec_gui.runner.data_recorder import Recorder, files_of
from seqdec_gui.runner.import_trimming import garbage_collection_paused
from seqdec_gui.runner.reading_ahead import Ahead
from seqdec_gui.runs import copies, devices
from seqdec_gui.runs.batches import batch_problems, row_problems
from seqdec_gui.runs.data_record import read_record
from seqdec_gui.runs.engines import engine_info
from seqdec_gui.runs.events import EventWriter, FinalEvent, Message, ParameterCount, RowCount, Started, Stopped
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.kept_checkpoints import continued_from, newest_whole, what_was_lost
from seqdec_gui.runs.run_words import device_names
from seqdec_gui.runs.spec import DeviceChoice, Fork, Placement, RunSpec
from seqdec_gui.runs.task_names import checkpoint_in, weights_in

if TYPE_CHECKING:
    from seqdec_gui.data.dataset import Dataset
    from seqdec_gui.data.earlier import EarlierFit
    from seqdec_gui.data.fitted import Fitted
    from seqdec_gui.runner.checkpoints import Progress
    from seqdec_gui.runner.cluster import Party
    from seqdec_gui.runner.engines.base import Engine
    from seqdec_gui.runner.program import Program
    from seqdec_gui.runner.quality.reports import QualityReports

_REPORTED_PACKAGES = ("keras", "numpy", "h5py")
"""Packages whose versions the event `started` reports, besides those of the engine."""


def train(run: RunFolder, events: EventWriter, commands: Commands) -> FinalEvent:
    """Train the run and return its final event, which is not written yet.

    Raises SeqdecError, OSError, and whatever Keras and the framework raise.
    """
    spec = run.read_spec()
    placement = spec.placement
    assert placement is not None  # `__main__` writes it
    if placement.why and spec.engine == "auto":
        _report(events, [Problem("info", "engine", "", placement.why)])
    _report(events, devices.check_choice(placement.devices, devices.list_devices()))
    with _party(run, spec, placement, events) as party:
        return _trained(run, spec, placement, events, commands, party)


@contextlib.contextmanager
def _party(run: RunFolder, spec: RunSpec, placement: Placement, events: EventWriter) -> Iterator[Party | None]:
    """Start the processes on other hosts, and end them behind the training; None for a run of this host alone."""
    if spec.cluster is None:
        yield None
        return
    from seqdec_gui.runner.cluster import Party

    party = Party(spec.cluster, placement.devices, events, str(run.path))
    try:
        party.begin()
        yield party
    finally:
        party.end()


def _trained(
    run: RunFolder, spec: RunSpec, placement: Placement, events: EventWriter, commands: Commands, party: Party | None
) -> FinalEvent:
    """Train under a placement, with the processes of other hosts, and return the final event."""
    with garbage_collection_paused():
        if party is None:  # several processes must meet before one looks at its devices
            engines.begin(placement)
        design = _checked_design(spec, events)
        earlier = _earlier_fit(run, spec, design)
        recorder = Recorder(run.dataset, files_of(_source(spec, design), run.path / spec.folder))
        _report(events, recorder.changes_since(read_record(run.dataset) if spec.resume else None))
        framework = engines.ImportAhead(placement)
        reading = _begin_reading(run, spec, design, earlier)
        reading.fail_early(framework.thread)  # bad data is told without waiting for the framework

        from seqdec_gui.runner.loop import Loop
        from seqdec_gui.runner.row_orders import row_orders
        from seqdec_gui.runner.steps_trial import fail_unless_steps_fit
        from seqdec_gui.runner.trial_export import TrialExport

        program = _write_script(run, spec, design)
    with TrialExport(program.model_file, run.path) as trial:
        with garbage_collection_paused():
            engine = _build(program, placement, party) if reading.thread.is_alive() else None  # while large files are read
            dataset = reading.result()
            _keep_fit(run, spec, design, dataset, events)
            recorder.start(_source(spec, design), dataset)
            _report(events, _fail_unless_batches_fit(design.training, spec.shared_by, len(dataset.training)))
            engine = engine or _build(program, placement, party)
            fail_unless_steps_fit(program, engine.models, dataset.fitted)
            _report(events, _regularizers(engine))
            progress, saved_step = _begin(run, spec, engine, dataset, events, earlier)
            engine.load()
            engine.start(dataset)
            if not progress.ended:
                engine.compile_ahead()
        try:
            _report(events, trial.result(commands.look_for_stop))
        except StopRequested as request:
            return Stopped(epoch=progress.epoch, step=progress.total_steps, paused=request.paused)
    events.write(_started(engine, dataset, spec, placement, progress))
    try:
        loop = Loop(engine, dataset, run, events, commands, progress, spec.report_every_s, spec.checkpoint_every_s, saved_step)
        if design.training.measures:
            loop.quality = _begin_quality(run, engine, dataset, events, progress)
        with row_orders(dataset, design.training.seed) as loop.orders:
            return loop.run()
    finally:
        recorder.wait()


# -- design and data
def _checked_design(spec: RunSpec, events: EventWriter) -> Design:
    design = spec.load_design()
    report = check(design)
    if errors(report.problems):
        raise InvalidInput(errors(report.problems))
    _report(events, report.problems)
    return design


def _earlier_fit(run: RunFolder, spec: RunSpec, design: Design) -> EarlierFit | None:
    """Return the fitted codecs of the initial run, or None without an initial run, or if all is fitted anew.

    A run that continues from its own checkpoint has no initial run any more. Raises InvalidInput.
    """
    from seqdec_gui.runs.initial import earlier_fit

    if not spec.initial_run or spec.fit != "initial" or _continues(run, spec):
        return None
    return earlier_fit(run.path / spec.initial_run, design)


def _continues(run: RunFolder, spec: RunSpec) -> bool:
    """Whether this start continues from the run's own checkpoint."""
    return spec.resume and bool(continued_from(run))


def _source(spec: RunSpec, design: Design) -> DataSource:
    """Return the dataset of the design, with the file that the run was given."""
    return msgspec.structs.replace(design.data, file=spec.data_file) if spec.data_file else design.data


def _begin_reading(run: RunFolder, spec: RunSpec, design: Design, earlier: EarlierFit | None) -> Ahead[Dataset]:
    """Begin to read the data, in a thread.

    Codecs that this run has fitted before, or otherwise those of its initial run (`earlier`), are used unchanged. Raises
    InvalidInput.
    """
    from seqdec_gui.data.dataset import open_dataset

    if _continues(run, spec) and not run.has_fit:
        text = (
            f"{run.path} has weights and no data.json, so the alphabets, lengths and scalers of their training are not known."
        )
        raise InvalidInput([Problem("error", "no_fit", "data", text, "Restore data.json, or train another run.")])
    known, source, ports = _known_fit(run, spec), _source(spec, design), data_ports(design)
    return Ahead(lambda: open_dataset(source, ports, run.path / spec.folder, known, run.cache, earlier), "read the data")


def _known_fit(run: RunFolder, spec: RunSpec) -> Fitted | None:
    """Return what this run has fitted before, at an earlier start. Raises InvalidInput."""
    return run.read_fit() if spec.resume and run.has_fit else None


def _keep_fit(run: RunFolder, spec: RunSpec, design: Design, dataset: Dataset, events: EventWriter) -> None:
    """Write `data.json` if this run has none, and report what is to be said about the data. Raises InvalidInput."""
    from seqdec_gui.data.teaching import samples_of
    from seqdec_gui.runs.data_check import generation_warnings, length_problems
    from seqdec_gui.runs.quality.applying import quality_problems

    wrong = length_problems(design, dataset.fitted) or quality_problems(design, dataset.fitted)
    if design.training.measures and not len(dataset.validation):
        text = "The quality of validation rows is to be measured, and no rows validate."
        wrong = (Problem("error", "no_validation", "training.quality", text, "Keep rows for validation, or measure nothing."),)
    if wrong:
        raise InvalidInput(wrong)
    if spec.resume and run.has_fit:
        if damage := run.damage():
            _report(events, [Problem("warning", "copy_used", "", damage)])
            copies.write(run.data, dataset.fitted.dumps())
    else:
        copies.write(run.data, dataset.fitted.dumps())
        rows = samples_of(dataset.arrays, dataset.training)
        _report(events, generation_warnings(design, dataset.fitted, rows))
    _report(events, dataset.problems)


def _fail_unless_batches_fit(training: Training, shared_by: DeviceChoice, rows: int) -> tuple[Problem, ...]:
    """Return warnings about batch and rows. Raises InvalidInput where batch, devices and rows do not fit together."""
    problems = batch_problems(training, shared_by) or row_problems(training, shared_by, rows)
    if errors(problems):
        raise InvalidInput(errors(problems))
    return problems


# -- model
def _write_script(run: RunFolder, spec: RunSpec, design: Design) -> Program:
    """Write `model.py`, which is generated anew at each start, with the imported Keras files beside it; returns the program."""
    from seqdec_gui.runner.program import Program
    from seqdec_gui.runner.script_files import write_script

    write_script(design, run.model, (run.path, run.path / spec.folder))
    return Program.of(design, run.model)


def _build(program: Program, placement: Placement, party: Party | None) -> Engine:
    engine = engines.create(placement, program, leads=party)
    engine.build()
    return engine


def _regularizers(engine: Engine) -> list[Problem]:
    """A warning for every imported block that would train otherwise by itself; frozen weights have none to lose."""
    from seqdec_gui.runner.keras_files import regularised, regularizers_left_out

    kinds = {block.id: block.parameters for block in engine.program.design.blocks}
    imported = [name for name, kind in kinds.items() if kind.imported is not None and kind.is_trainable]
    regularised_layers = {name: regularised(engine.models[name]) for name in imported}
    return [regularizers_left_out(name, layers) for name, layers in regularised_layers.items() if layers]


def _begin(
    run: RunFolder, spec: RunSpec, engine: Engine, dataset: Dataset, events: EventWriter, earlier: EarlierFit | None
) -> tuple[Progress, int | None]:
    """Load the weights to begin with; returns the progress of the training, and the step of the checkpoint `last`, if any.

    The run continues from its own checkpoint, or begins with the weights of an initial run, or with new weights.
    """
    from seqdec_gui.runner import checkpoints, forking
    from seqdec_gui.runner.block_weights import load_block_weights

    training = engine.program.training
    steps = len(dataset.training) // training.batch_size
    fresh = checkpoints.Progress(steps_per_epoch=steps, batch_size=training.batch_size)
    if _continues(run, spec):
        stored, path = _newest(run, engine, spec.fork)
        lost = what_was_lost(run, path)
        _report(events, [lost] if lost is not None else [])
        if spec.fork is not None and path == run.fork_checkpoint:
            stored, said = forking.begun(spec.fork, stored, training)
            _report(events, said)
        return _continued(stored, fresh, training, events), stored.total_steps if path == run.checkpoint("last") else None
    if spec.resume:
        newest_whole(run)  # raises if it was there and is gone
        _report(events, [Problem("info", "begins_anew", "", "The run had not written a checkpoint yet; it begins anew.")])
    _report(events, load_block_weights(engine.program.design, engine.models, (run.path, run.path / spec.folder)))
    if spec.initial_run:
        _report(events, _begin_with_weights(run, spec, engine, dataset, earlier))
    return fresh, None


def _newest(run: RunFolder, engine: Engine, fork: Fork | None = None) -> tuple[Progress, Path]:
    """Load the newest whole checkpoint; returns its progress and its path. Raises InvalidInput where none is whole."""
    from seqdec_gui.runner import checkpoints

    newest_whole(run)
    candidates = continued_from(run)
    steps: dict[Path, int] = {}
    for path in candidates:
        with contextlib.suppress(InvalidInput):
            steps[path] = checkpoints.progress_of(path).total_steps
    last = run.checkpoint("last")
    damage: InvalidInput | None = None
    begin = run.fork_checkpoint  # its steps may be counted otherwise
    for path in sorted(steps, key=lambda path: (path == last, path != begin, steps[path]), reverse=True) or candidates:
        with_optimizer = fork is None or path != begin or fork.keeps_optimizer
        try:
            return checkpoints.load(path, engine.models, engine.optimizer, with_optimizer), path
        except InvalidInput as error:  # a file of an earlier version has no check sum, so damage shows late
            if any(problem.code != "damaged_checkpoint" for problem in error.problems):
                raise
            damage = damage or error
    raise damage or InvalidInput(f"{run.path} has no checkpoint to go on from.", "checkpoint_gone")


def _begin_with_weights(
    run: RunFolder, spec: RunSpec, engine: Engine, dataset: Dataset, earlier: EarlierFit | None
) -> list[Problem]:
    """Load the weights of the initial run; returns messages about them. Raises InvalidInput."""
    from seqdec_gui.runner.initial_weights import load_initial_weights

    design = engine.program.design
    path = RunFolder(run.path / spec.initial_run).checkpoint(checkpoint_in(spec.initial_checkpoint))
    which = weights_in(spec.initial_checkpoint)
    growths = earlier.growths(dataset.fitted, data_ports(design)) if earlier is not None else ()
    files = (run.path, run.path / spec.folder)
    blocks, remarks = load_initial_weights(path, engine.models, design, growths, files, which)
    weights = f"Begins with the weights of {spec.initial_run} (checkpoint {spec.initial_checkpoint}) in {', '.join(blocks)}"
    if earlier is not None:
        text = f"{weights}; alphabets, lengths and scalers are those of that run."
        return [Problem("info", "initial_weights", "", text), *remarks]
    text = f"{weights}; alphabets, lengths and scalers were fitted anew."
    return [Problem("info", "initial_weights", "", text), *_compared_with(run.path / spec.initial_run, design, dataset)]


def _compared_with(initial_run: Path, design: Design, dataset: Dataset) -> list[Problem]:
    """Return a warning if codecs that were fitted anew differ from those with which the weights were trained."""
    from seqdec_gui.runs.initial import earlier_fit

    try:
        differences = earlier_fit(initial_run, design).compared(dataset.fitted)
    except InvalidInput:
        differences = ["what the earlier run had fitted is not known"]
    if not differences:
        return []
    text = f"The weights do not know what was fitted anew: {'; '.join(differences)}."
    hint = "They were trained with other ids or scales and may have to learn them again; without --fit anew these are kept."
    return [Problem("warning", "fitted_anew", "", text, hint)]


def _continued(stored: Progress, fresh: Progress, training: Training, events: EventWriter) -> Progress:
    """Return the progress from which a stored one continues, which may have fewer epochs, or other rows, than the run now."""
    replace = msgspec.structs.replace
    if stored.ended == "epochs" and stored.epoch < training.epochs:  # the user asked for more epochs
        stored = replace(stored, ended="", epoch=stored.epoch + 1, step=0, part=0)
    elif stored.ended:
        _report(events, [_nothing_left(stored)])
    if (stored.steps_per_epoch, stored.batch_size) == (fresh.steps_per_epoch, fresh.batch_size):
        return stored
    text = (
        f"Rows or batch size have changed ({stored.steps_per_epoch} steps of {stored.batch_size} rows before, "
        f"{fresh.steps_per_epoch} of {fresh.batch_size} now): epoch {stored.epoch} begins again."
    )
    _report(events, [Problem("warning", "epoch_begins_again", "", text)])
    sizes = {"steps_per_epoch": fresh.steps_per_epoch, "batch_size": fresh.batch_size}
    return replace(stored, step=0, part=0, sums={}, losses=(0.0, 0), **sizes)


def _nothing_left(progress: Progress) -> Problem:
    if progress.ended == "epochs":
        text = f"Nothing is left to train: the run has had epoch {progress.epoch}, its last."
        return Problem(
            "info", "nothing_left", "", text, f"Ask for more epochs to go on: --epochs {progress.epoch + 1} or more."
        )
    text = f"Nothing is left to train: the run was stopped early, after epoch {progress.epoch}."
    return Problem("info", "nothing_left", "", text, "Start another run with its weights: train --initial RUN.")


def _begin_quality(run: RunFolder, engine: Engine, dataset: Dataset, events: EventWriter, progress: Progress) -> QualityReports:
    """Return what measures the quality of what is generated at the reports, and say what that is."""
    from seqdec_gui.runner.quality.free_running import FreeRunning
    from seqdec_gui.runner.quality.reports import QualityReports

    free = FreeRunning(engine, dataset)
    _report(events, [Problem("info", "quality", "", free.words())])
    if doubts := free.doubts():
        _report(events, [Problem("warning", "quality_of_no_molecules", "", doubts)])
    return QualityReports(free, run, events, engine.program.training, progress.total_steps)


# -- events
def _started(engine: Engine, dataset: Dataset, spec: RunSpec, placement: Placement, progress: Progress) -> Started:
    program = engine.program
    inference = program.inference
    return Started(
        epochs=program.training.epochs,
        steps_per_epoch=progress.steps_per_epoch,
        batch_size=program.training.batch_size,
        devices=device_names(placement.devices, spec.cluster),
        engine=engine.name,
        precision=program.precision,
        mini_epochs=min(program.training.mini_epochs, progress.steps_per_epoch),
        parameters=ParameterCount(inference.parameters, inference.trainable),
        rows=RowCount(len(dataset.training), len(dataset.validation)),
        versions=_versions(placement),
        pid=os.getpid(),
        host=socket.gethostname(),
        first_epoch=progress.epoch,
        first_step=progress.total_steps,
    )


def _versions(placement: Placement) -> dict[str, str]:
    versions = {"seqdec-gui": __version__, "python": platform.python_version(), "system": platform.platform()}
    for name in (*_REPORTED_PACKAGES, *engine_info(placement.engine).distributions):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:  # for example tensorflow-cpu in place of tensorflow
            versions[name] = str(getattr(sys.modules.get(name), "__version__", "unknown"))
    driver = devices.driver_version()
    return versions | ({"nvidia driver": driver} if driver else {})


def _report(events: EventWriter, problems: list[Problem] | tuple[Problem, ...]) -> None:
    """Write each problem as a message. Raises SeqdecError for an error."""
    for problem in problems:
        if problem.severity == "error":
            raise SeqdecError(problem.sentence())
        events.write(Message(text=problem.sentence(), severity=problem.severity, code=problem.code))
