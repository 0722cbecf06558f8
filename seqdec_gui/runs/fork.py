"""Makes the folder of a run that goes on from a checkpoint of another one, under other settings.

The fork is a run like any other that is resumed: it begins with a copy of the checkpoint (`checkpoints/fork.weights.h5`), of
what was fitted to the data, and of the parent's curve up to there. It needs the parent no more.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import msgspec

from seqdec_gui import __version__
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.document import to_builtins
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput, Problem, SeqdecError
from seqdec_gui.domain.shapes import BlockInference, infer
from seqdec_gui.domain.training import Training
from seqdec_gui.domain.wording import counted
from seqdec_gui.runs import copies, known, spec
from seqdec_gui.runs.differences import Difference, differences
from seqdec_gui.runs.engine_names import EngineChoice
from seqdec_gui.runs.events import Message, Started
from seqdec_gui.runs.files import copy_atomically, write_atomically
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.fork_points import StoredProgress, choose_point, stored_progress
from seqdec_gui.runs.inherited_events import Recount, lines_of, read_inherited, recounted
from seqdec_gui.runs.notes import display_name
from seqdec_gui.runs.salvage import events_of
from seqdec_gui.runs.spec import DeviceChoice, Fork, RunSpec

_OTHER_MEASURE = ("monitor", "average_decay", "use_weights", "quality", "quality_rows")
"""The settings of the training that change what its best value is measured by."""


def changed_settings(parent: RunFolder, design: Design) -> tuple[Difference, ...]:
    """Return what a fork with this design would change of the parent's. Raises InvalidInput: the parent is unreadable."""
    return differences(parent.read_spec().load_design(), design)


def fork_problems(before: Design, now: Design, progress: StoredProgress | None = None) -> tuple[Problem, ...]:
    """Return why a run of `now` cannot go on from a checkpoint of `before`, and what else is to be known about it."""
    return (*_other_weights(before, now), *_nothing_left(now.training, progress), *_data_changes(before, now))


def _other_weights(before: Design, now: Design) -> list[Problem]:
    old, new = infer(before).blocks, infer(now).blocks
    hint = "Keep the sizes of the run; to use its weights in another model: seqdec-gui train DESIGN --initial RUN."
    found = []
    for name in dict.fromkeys((*old, *new)):
        first, second = _weights(old.get(name)), _weights(new.get(name))
        if first == second:
            continue
        if name not in new or name not in old:
            what = f"the block {'is gone' if name in old else 'is new'}"
        else:
            what = f"it had {_in_words(first)}, and would have {_in_words(second)}"
        text = f"A run that goes on from a checkpoint needs the same weights, and {what}."
        found.append(Problem("error", "fork_other_weights", name, text, hint))
    return found


def _weights(block: BlockInference | None) -> tuple[tuple[str, str, int], ...]:
    """Return name, class and number of weights of the layers of a block that have any; of an imported one those of its file."""
    if block is None:
        return ()
    imported = block.block.parameters.imported
    if imported is not None:
        return ((str(imported.file), "file", imported.parameter_count),)
    layers = block.submodel or block.presumed
    calls = layers.calls if layers is not None else ()
    kinds = {call.layer.name: (call.layer.name, call.layer.type, call.parameters) for call in calls}
    return tuple(sorted(kind for kind in kinds.values() if kind[2]))


def _in_words(weights: tuple[tuple[str, str, int], ...]) -> str:
    return f"{counted(sum(count for *_, count in weights), 'weight')} in {counted(len(weights), 'layer')}"


def _nothing_left(training: Training, progress: StoredProgress | None) -> list[Problem]:
    if progress is None or progress.ended == "early_stopping":
        return []
    done = progress.epoch - 1 if progress.step < progress.steps_per_epoch else progress.epoch
    if done < training.epochs:
        return []
    text = f"The checkpoint is at the end of epoch {progress.epoch}, and training.epochs is {training.epochs}."
    hint = "Give it more epochs, or go on from an earlier checkpoint."
    return [Problem("error", "fork_nothing_left", "training.epochs", text, hint)]


def _data_changes(before: Design, now: Design) -> list[Problem]:
    changed = [each for each in differences(before, now) if each.what.startswith("data.")]
    if not changed:
        return []
    what = "; ".join(f"{each.what}: {each.old} → {each.new}" for each in changed)
    text = f"The data is another one than that of the curve before ({what})."
    hint = "Alphabets, lengths and scalers stay those that the weights know; losses before and after are of different rows."
    return [Problem("warning", "fork_other_data", "data", text, hint)]


def fork(
    parent: RunFolder,
    wish: str,
    design: Design,
    target: RunFolder,
    overrides: tuple[str, ...] = (),
    devices: DeviceChoice | None = None,
    engine: EngineChoice | None = None,
) -> RunSpec:
    """Fill the folder `target` for a run that goes on from checkpoint `wish` of `parent`; returns what `process.start` takes.

    The folder is whole afterwards, so it may be started later. Raises InvalidInput with every problem, SeqdecError.
    """
    asked = parent.read_spec()
    before = asked.load_design()
    point = choose_point(parent, wish)
    try:
        target.checkpoints.mkdir(parents=True, exist_ok=True)
        copy_atomically(point.path, target.fork_checkpoint)
    except OSError as error:
        raise SeqdecError(f"The checkpoint {point.path} cannot be copied to {target.path}: {error.strerror}.") from error
    progress = stored_progress(target.fork_checkpoint)  # of the copy: `last` of a run that trains is replaced meanwhile
    wrong = [problem for problem in fork_problems(before, design, progress) if problem.severity == "error"]
    if wrong:
        raise InvalidInput(tuple(wrong))
    recount = _recount(parent, progress, before, design)
    keeps_best = _keeps_best(before, design) and _take_best(parent, target, progress)
    try:
        events = read_inherited(parent.events, progress, keeps_best)
        said = _sentence(parent, progress, before, design)
        lines = lines_of([*(recounted(event, recount) for event in events), Message(text=said, code="forked")])
        write_atomically(target.events, lines)
        copies.write(target.data, copies.read(parent.data)[0])
        with contextlib.suppress(FileNotFoundError):
            copy_atomically(parent.dataset, target.dataset)  # the run compares, and says what changed
    except OSError as error:
        raise SeqdecError(f"{error.filename or parent.path} cannot be taken over: {error.strerror}.") from error
    file = design.data.file
    base = Path(asked.folder)
    same_file = file == before.data.file
    result = msgspec.structs.replace(
        asked,
        design=to_builtins(design),
        data_file=asked.data_file if same_file else str(base / expanded(file)),
        devices=devices or asked.devices,
        engine=engine or asked.engine,
        overrides=overrides,
        initial_run="",
        resume=True,
        placement=None,
        created=time.time(),
        product_version=__version__,
        fork=Fork(
            run=str(parent.path),
            checkpoint=point.path.name,
            epoch=progress.epoch,
            step=recount.step(progress.total_steps),
            starts=sum(isinstance(event, Started) for event in events),
            events_bytes=len(lines),
            keeps_optimizer=_optimizer(before) == _optimizer(design),
            keeps_best=keeps_best,
        ),
    )
    spec.write(result, target.spec)
    known.remember_run(target.path)
    return result


def _recount(parent: RunFolder, progress: StoredProgress, before: Design, now: Design) -> Recount:
    """Return how steps are counted on: with another batch an epoch has another number of them."""
    same = Recount(progress.steps_per_epoch, progress.steps_per_epoch)
    starts = events_of(parent.events, Started)
    rows = starts[-1].rows.training if starts else 0
    if now.training.batch_size == before.training.batch_size or not rows or _data_changes(before, now):
        return same
    return Recount(progress.steps_per_epoch, max(1, rows // now.training.batch_size))


def _take_best(parent: RunFolder, target: RunFolder, progress: StoredProgress) -> bool:
    """Copy the parent's best weights if they were written up to here; returns whether they are the best at this checkpoint."""
    best = parent.checkpoint("best")
    with contextlib.suppress(OSError, InvalidInput):
        if stored_progress(best).total_steps <= progress.total_steps:
            copy_atomically(best, target.checkpoint("best"))
            return stored_progress(target.checkpoint("best")).total_steps <= progress.total_steps
    return False


def _keeps_best(before: Design, now: Design) -> bool:
    """Whether the best value so far is measured as before: by the same metric, of the same rows, with the same losses."""
    changed = [each.what for each in differences(before, now)]
    other = {f"training.{name}" for name in _OTHER_MEASURE}
    return all(name.startswith("training.") and name not in other for name in changed)


def _optimizer(design: Design) -> tuple[object, ...]:
    """Return what decides which variables the optimizer keeps: its kind, momentum, averages, and the weights that train."""
    training = design.training
    family = "adam" if training.optimizer == "adamw" else training.optimizer
    momentum = training.momentum > 0 and training.optimizer in ("sgd", "rmsprop")
    trained = tuple((name, block.trainable > 0) for name, block in infer(design).blocks.items())
    return (family, momentum, training.averages, trained)


def _sentence(parent: RunFolder, progress: StoredProgress, before: Design, now: Design) -> str:
    changes = differences(before, now)
    what = "; ".join(f"{each.what} {each.old} → {each.new}" for each in changes) or "nothing changed"
    where = f"epoch {progress.epoch}, step {progress.total_steps:,}"
    if progress.step == progress.steps_per_epoch:
        where = f"the end of epoch {progress.epoch}, step {progress.total_steps:,}"
    return f"Forked from {display_name(parent.path)} at {where}: {what}."
