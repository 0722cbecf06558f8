"""The child process of a short job.

`python -m seqdec_gui.runner.task` reads one task from standard input and answers on standard output, in lines of `runs.tasks`.
Whatever else prints is redirected to standard error.
"""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from seqdec_gui.domain.problems import InvalidInput, Problem, SeqdecError
from seqdec_gui.domain.wording import counted
from seqdec_gui.runner.failures import plain_sentence
from seqdec_gui.runner.import_trimming import refuse_unused_imports
from seqdec_gui.runner.model_device import on_placed_device
from seqdec_gui.runs.model_description import ArrayDescription, LayerDescription
from seqdec_gui.runs.task_results import (
    Divided,
    Evaluated,
    Generated,
    Inspected,
    PriorOpened,
    Probed,
    TaskFailed,
    TaskResult,
    Trained,
    WeightsFound,
)
from seqdec_gui.runs.tasks import (
    CertifyTask,
    EvaluateTask,
    ExportAllTask,
    ExportTask,
    GenerateTask,
    InspectTask,
    Notice,
    PriorTask,
    ProbeTask,
    Progress,
    SplitTask,
    Task,
    TaskChannel,
    WeightsTask,
)


def main() -> None:
    refuse_unused_imports()
    answer()


def answer() -> None:
    """Do the task on standard input and answer on standard output. A warm worker calls it for one task after the other."""
    channel = TaskChannel()
    try:
        result: TaskResult | TaskFailed = do(channel.read_task(), channel)
    except SeqdecError as error:
        traceback.print_exc()
        result = TaskFailed(sentence=str(error), problems=getattr(error, "problems", ()), exit_status=error.exit_status)
    except msgspec.DecodeError as error:
        result = TaskFailed(sentence=f"Expected a task as one line of JSON: {error}.", exit_status=InvalidInput.exit_status)
    except MemoryError:
        result = TaskFailed(sentence="There is not enough memory for this job; close other programs, or use fewer rows.")
    except Exception as error:
        traceback.print_exc()
        sentence = plain_sentence(error, "The job failed")
        result = TaskFailed(sentence=sentence, details=traceback.format_exc())
    channel.send(result)
    channel.close()


def do(task: Task, channel: TaskChannel) -> TaskResult:
    """Run one task and return its result; send progress and notices through the channel. Raises InvalidInput, SeqdecError."""
    with tempfile.TemporaryDirectory(prefix="seqdec-gui-task-") as scratch:
        match task:
            case ExportTask():
                from seqdec_gui.runner.export_task import export_one

                return export_one(task, channel, Path(scratch))
            case ExportAllTask():
                from seqdec_gui.runner.export_task import export_all

                return export_all(task, channel, Path(scratch))
            case GenerateTask():
                with on_placed_device():
                    return _generate(task, channel, Path(scratch))
            case EvaluateTask():
                with on_placed_device():
                    return _evaluate(task, channel, Path(scratch))
            case InspectTask():
                return _inspect(task, channel)
            case SplitTask():
                return _split(task, channel)
            case WeightsTask():
                return _weights(task, channel)
            case PriorTask():
                return _open_prior(task, channel)
            case ProbeTask():
                return _probe(task, channel, Path(scratch))
            case CertifyTask():
                return _certify(task, channel, Path(scratch))


def _generate(task: GenerateTask, channel: TaskChannel, scratch: Path) -> Generated:
    from seqdec_gui.runner.loaded import load
    from seqdec_gui.runner.sample_file import NOTHING, write_samples
    from seqdec_gui.runner.sampler import rows_in

    _fail_unless_folder(Path(task.output).parent)
    loaded = load(Path(task.run), task.checkpoint, scratch)
    trained, fitted, sampler = loaded.trained, loaded.fitted, loaded.sampler
    first = sampler.first_step_from
    needed = (*sampler.inputs, *[name for name in [first] if name])
    beside = NOTHING
    if task.split is not None and needed:
        dataset, chosen = trained.rows_of(task.split, task.trained_on)
        arrays = dict(dataset.arrays)
        if first:
            arrays[first] = arrays[first][:, 0]
    else:
        arrays, beside = _rows_to_decode(task, needed, fitted, trained.design.data.reading, first)
        every = np.arange(rows_in(arrays, needed))
        chosen = every[~np.isin(every, list(beside.reasons))]
    if task.count > 1 and (not task.temperature or not sampler.at_random):
        why = "Temperature 0 takes the likeliest symbol" if sampler.at_random else "Numbers are not drawn at random"
        channel.send(Notice(text=f"{why}, so all {task.count:,} samples of a row are the same.", severity="warning"))

    unfinished = 0

    def parts() -> Iterator[Any]:
        nonlocal unfinished
        done = 0
        for part in sampler.generate(arrays, chosen, task.count, task.temperature, task.seed):
            yield part
            done += len(part)
            unfinished += sum(not sample.finished for sample in part)
            channel.send(Progress(done=done, total=len(chosen) * task.count))

    count, preview = write_samples(Path(task.output), parts(), task.mark_unfinished, beside)
    if beside.reasons:
        row, why = next(iter(beside.reasons.items()))
        text = f"{counted(len(beside.reasons), 'row')} could not be decoded, the first is row {row + 1}: {why}"
        channel.send(Notice(text=f"{text} The column problem says why.", severity="warning"))
    if unfinished:
        text = (
            f"{unfinished:,} of {counted(count, 'sequence')} had no end symbol yet at the greatest length, and were cut there."
        )
        channel.send(Notice(text=text, severity="warning"))
    rows = tuple((sample.row, sample.sample, sample.text, sample.log_probability) for sample in preview)
    return Generated(path=task.output, samples=count, preview=rows, unfinished=unfinished, refused=len(beside.reasons))


def _rows_to_decode(
    task: GenerateTask, needed: tuple[str, ...], fitted: Any, how: Any, first: str = ""
) -> tuple[dict[str, Any], Any]:  # fmt: skip
    """Return the stored arrays of new rows, empty for a language model, and what stands beside their samples.

    `first` is the input that gives each first step, `how` the reading options of the training. Raises InvalidInput.
    """
    from seqdec_gui.data.first_step import first_of_sequences, with_first_step
    from seqdec_gui.data.new_rows import encode_good_rows
    from seqdec_gui.data.rows import read_input
    from seqdec_gui.runner.sample_file import NOTHING, Beside, columns_of

    if not needed:
        return {}, NOTHING
    if task.rows or task.input:
        try:
            wanted = with_first_step(fitted, first) if first else fitted
            if task.rows:
                values = columns_of(task.rows, wanted)
                return dict(wanted.encode_rows(first_of_sequences(values, fitted, first) if first else values)), NOTHING
            rows = read_input(wanted, Path(task.input), task.keep, how)
            values = first_of_sequences(rows.values, fitted, first) if first else rows.values
            encoded = encode_good_rows(wanted, values, rows.reasons)
            return encoded.arrays, Beside(encoded.reasons, rows.kept)
        except InvalidInput as error:
            raise InvalidInput(
                [_of_first_step(problem) if problem.where == first else problem for problem in error.problems]
            ) from None
    names = ", ".join(needed)
    text = f"There are no rows to decode; expected rows with values for {names}."
    raise InvalidInput([Problem("error", "no_rows", "input", text, "Give a file with these columns, or - for standard input.")])


def _of_first_step(problem: Problem) -> Problem:
    """Return the problem of a first step's value, with the reason why the value is needed."""
    why = "The training rows begin with different numbers, so each row to decode needs its first step."
    return msgspec.structs.replace(problem, hint=f"{why} {problem.hint}".strip())


def _evaluate(task: EvaluateTask, channel: TaskChannel, scratch: Path) -> Evaluated:
    from seqdec_gui.runner.evaluate import evaluate
    from seqdec_gui.runner.loaded import load
    from seqdec_gui.runner.metrics import reported

    trained = load(Path(task.run), task.checkpoint, scratch).trained
    if task.data:
        dataset = trained.dataset(Path(task.data))
        rows = dataset.training  # all rows but those that are left out
    else:
        dataset, rows = trained.rows_of(task.split, task.trained_on)
    sums = evaluate(
        trained.program, trained.models, dataset, rows, lambda done: channel.send(Progress(done=done, total=len(rows)))
    )
    kl_weights = [term.weight for term in trained.program.kl_terms]
    return Evaluated(metrics=reported(trained.program, sums, kl_weights), rows=len(rows))


def _inspect(task: InspectTask, channel: TaskChannel) -> Inspected:
    from seqdec_gui.runner.keras_files import inspect, regularizers_left_out
    from seqdec_gui.runner.model_files import opened

    given = Path(task.path)
    weights = Path(task.weights) if task.weights else None
    file = opened(given, Path(task.folder) if task.folder else given.parent, weights)
    for note in file.notes:
        channel.send(Notice(text=note))
    keras_file = inspect(file.path)
    if keras_file.regularised:
        problem = regularizers_left_out(given.name, keras_file.regularised)
        channel.send(Notice(text=problem.sentence(), severity="warning"))
    inputs = zip(keras_file.inputs, keras_file.symbols, strict=True)
    outputs = zip(keras_file.outputs, keras_file.activations, strict=True)
    return Inspected(
        name=keras_file.name,
        inputs=tuple(ArrayDescription(end.name, end.shape, end.dtype, symbols=symbols) for end, symbols in inputs),
        outputs=tuple(ArrayDescription(end.name, end.shape, end.dtype, activation=activation) for end, activation in outputs),
        layers=tuple(LayerDescription(layer.name, layer.kind, layer.parameters) for layer in keras_file.layers),
        parameters=keras_file.parameters,
        trainable=keras_file.trainable,
        sha256=keras_file.sha256,
        file="" if file.path == given else str(file.path.absolute()),
        difference=file.difference,
    )


def _split(task: SplitTask, channel: TaskChannel) -> Divided:
    from seqdec_gui.domain.design import Design
    from seqdec_gui.domain.document import to_builtins
    from seqdec_gui.runner.keras_safety import fail_if_unsafe
    from seqdec_gui.runner.splitting.split import split

    fail_if_unsafe(Path(task.path))
    channel.send(Progress(text="Comparing the parts of the model with the block kinds"))
    made = split(Path(task.path), Path(task.folder), task.taken)
    return Divided(
        design=to_builtins(Design(blocks=made.blocks, links=made.links)),
        inputs={name: tuple(map(str, ports)) for name, ports in made.inputs.items()},
        outputs={name: str(port) for name, port in made.outputs.items()},
        closed=made.closed,
    )


def _weights(task: WeightsTask, channel: TaskChannel) -> WeightsFound:
    from seqdec_gui.domain.document import from_builtins
    from seqdec_gui.runner.transfer import find_weights

    channel.send(Progress(text=f"Reading {Path(task.path).name}"))
    return find_weights(task, from_builtins(task.design))


def _open_prior(task: PriorTask, channel: TaskChannel) -> PriorOpened:
    from seqdec_gui.domain.document import to_builtins
    from seqdec_gui.runner.reinvent.opening import DECODER, design_of

    path = Path(task.path)
    if not path.is_file():
        raise InvalidInput(f"{path} is no such file; give the path of a prior.", "no_file", "file")
    design, prior = design_of(path, Path(task.folder))
    if prior.dropout:
        text = "Dropout is on the input of each layer here, the first included; PyTorch leaves the first out."
        channel.send(Notice(text=text))
    weights = design.block(DECODER).weights
    assert weights is not None
    plain = to_builtins(design)
    return PriorOpened(design=plain, block=DECODER, tokens=len(prior.tokens), parameters=weights.parameters)


def _probe(task: ProbeTask, channel: TaskChannel, scratch: Path) -> Probed:
    from seqdec_gui.runner.probe import probe

    return probe(task, channel, scratch)


def _certify(task: CertifyTask, channel: TaskChannel, scratch: Path) -> Trained:
    from seqdec_gui.runner.certify import train_for_certificate

    return train_for_certificate(task, channel, scratch)


def _fail_unless_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise InvalidInput(f"The folder {folder} does not exist; make it, or choose another.", "no_folder", "output")


if __name__ == "__main__":
    main()
