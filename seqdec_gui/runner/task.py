"""The child process of a short job.

`python -m seqdec_gui.runner.task` reads one task from standard input and answers on standard output, in lines of `runs.tasks`.
Whatever else prints is redirected to standard error.
"""

from __future__ import annotations

import traceback
from functools import partial
from pathlib import Path

import msgspec

from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runner.failures import job_sentence, log_exception
from seqdec_gui.runner.import_trimming import refuse_unused_imports
from seqdec_gui.runner.model_device import on_placed_device
from seqdec_gui.runner.parent_watch import end_without_reader, temporary_folder
from seqdec_gui.runs.model_description import ArrayDescription, LayerDescription
from seqdec_gui.runs.task_results import (
    Divided,
    Evaluated,
    Inspected,
    PriorOpened,
    Probed,
    TaskFailed,
    TaskResult,
    Trained,
    WeightsFound,
)
from seqdec_gui.runs.tasks import (
    AttentionTask,
    CertifyTask,
    EncodeTask,
    ErrorsTask,
    EvaluateTask,
    ExportAllTask,
    ExportTask,
    GenerateTask,
    InspectTask,
    Notice,
    PriorTask,
    ProbeTask,
    Progress,
    ScoreTask,
    SplitTask,
    Task,
    TaskChannel,
    WeightsTask,
)


def main() -> None:
    refuse_unused_imports()
    end_without_reader(1)
    answer()


def answer() -> None:
    """Do the task on standard input and answer on standard output. A warm worker calls it for one task after the other."""
    channel = TaskChannel()
    try:
        result: TaskResult | TaskFailed = do(channel.read_task(), channel)
    except SeqdecError as error:
        log_exception()
        result = TaskFailed(sentence=str(error), problems=getattr(error, "problems", ()), exit_status=error.exit_status)
    except msgspec.DecodeError as error:
        result = TaskFailed(sentence=f"Expected a task as one line of JSON: {error}.", exit_status=InvalidInput.exit_status)
    except MemoryError:
        result = TaskFailed(sentence="There is not enough memory for this job; close other programs, or use fewer rows.")
    except Exception as error:
        log_exception()
        result = TaskFailed(sentence=job_sentence(error), details=traceback.format_exc())
    channel.send(result)
    channel.close()


def do(task: Task, channel: TaskChannel) -> TaskResult:
    """Run one task and return its result; send progress and notices through the channel. Raises InvalidInput, SeqdecError."""
    with temporary_folder() as scratch:
        match task:
            case ExportTask():
                from seqdec_gui.runner.export_task import export_one

                return export_one(task, channel, scratch)
            case ExportAllTask():
                from seqdec_gui.runner.export_task import export_all

                return export_all(task, channel, scratch)
            case GenerateTask():
                from seqdec_gui.runner.generate_task import generate

                with on_placed_device():
                    return generate(task, channel, scratch)
            case ScoreTask():
                from seqdec_gui.runner.score_task import score

                with on_placed_device():
                    return score(task, channel, scratch)
            case AttentionTask():
                from seqdec_gui.runner.attention_task import find_attention

                with on_placed_device():
                    return find_attention(task, channel, scratch)
            case EncodeTask():
                from seqdec_gui.runner.encode_task import encode

                with on_placed_device():
                    return encode(task, channel, scratch)
            case ErrorsTask():
                from seqdec_gui.runner.errors_task import find_errors

                with on_placed_device():
                    return find_errors(task, channel, scratch)
            case EvaluateTask():
                with on_placed_device():
                    return _evaluate(task, channel, scratch)
            case InspectTask():
                return _inspect(task, channel)
            case SplitTask():
                return _split(task, channel)
            case WeightsTask():
                return _weights(task, channel)
            case PriorTask():
                return _open_prior(task, channel)
            case ProbeTask():
                return _probe(task, channel, scratch)
            case CertifyTask():
                return _certify(task, channel, scratch)


def _evaluate(task: EvaluateTask, channel: TaskChannel, scratch: Path) -> Evaluated:
    from seqdec_gui.runner.loaded import load
    from seqdec_gui.runner.opened_run import metrics_of
    from seqdec_gui.runner.told import tell_changes, tell_notes

    def report(done: int, total: int) -> None:
        channel.send(Progress(done=done, total=total))

    trained = load(Path(task.run), task.checkpoint, scratch).trained
    if not task.data:
        tell_changes(trained, channel.send)
    metrics, rows = metrics_of(
        trained,
        Path(task.data) if task.data else None,
        task.split,
        task.trained_on,
        report,
        task.decimal,
        partial(tell_notes, tell=channel.send),
    )
    return Evaluated(metrics=metrics, rows=rows)


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


if __name__ == "__main__":
    main()
