"""Short jobs that need Keras and therefore a child of their own: export, generate, score, evaluate, look into a file, measure.

The child (`python -m seqdec_gui.runner.task`) reads one task as a line of JSON from standard input and answers with one
`Line` of JSON after another on its original standard output (`TaskChannel`); the last is the result or `TaskFailed`.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from seqdec_gui.data.row_file import remove_begun_by
from seqdec_gui.domain.decoding import GREEDY, UNCONSTRAINED, Constraints, Strategy
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runs.crash import exit_status_of, explain
from seqdec_gui.runs.engine_names import EngineName
from seqdec_gui.runs.environment import child_environment
from seqdec_gui.runs.export_scratch import remove_scratch
from seqdec_gui.runs.measurement import Measurement
from seqdec_gui.runs.measuring_tasks import PROBE_GRACE as PROBE_GRACE
from seqdec_gui.runs.measuring_tasks import CertifyTask as CertifyTask
from seqdec_gui.runs.measuring_tasks import ProbeTask as ProbeTask
from seqdec_gui.runs.quality.task import ErrorsTask as ErrorsTask
from seqdec_gui.runs.spec import DeviceChoice
from seqdec_gui.runs.task_names import CheckpointName as CheckpointName
from seqdec_gui.runs.task_names import SplitName as SplitName
from seqdec_gui.runs.task_results import Tagged, TaskFailed, TaskResult

if TYPE_CHECKING:
    from seqdec_gui.runs.workers import Workers

TASK_RUNNER = (sys.executable, "-m", "seqdec_gui.runner.task")
"""Command of the child of a task."""


class ExportTask(Tagged, frozen=True, kw_only=True, tag="export"):
    """Write a trained model, reopen it in a fresh process and compare it with the trained one.

    `run` and `output` are absolute paths; `format` is a name of `runs.export_formats`; `part` is `full`, a block's id, or one
    of `runs.export_formats.STEP_PARTS`. With `raw_inputs` the file standardises its inputs itself, so that it takes the numbers
    of the data. `feed_map` is a file that says what is fed after each prediction, which bundles and one-step decoders need
    where the decoder takes other symbols than it predicts.
    """

    run: str
    format: str
    output: str
    part: str = "full"
    checkpoint: CheckpointName = "best"
    raw_inputs: bool = False
    feed_map: str = ""


class ExportAllTask(Tagged, frozen=True, kw_only=True, tag="export_all"):
    """Write a trained model into `folder` (absolute path) in those of the `formats` that hold `part`; else as `ExportTask`."""

    run: str
    folder: str
    formats: tuple[str, ...]
    part: str = "full"
    checkpoint: CheckpointName = "best"
    raw_inputs: bool = False
    feed_map: str = ""


class RowsTask(Tagged, frozen=True, kw_only=True):
    """What a trained model is to do with rows, and the file `output` for what comes of it.

    Rows come from the file `input`, from `rows` (one mapping from port name to value: text, number, list), or they are those of
    a `split` of the run's own data; none of these for a design without inputs. `trained_on` is how many rows the run trained on
    (0: unknown); where its data has another number now, the split is another. `keep` are columns of the input file to carry
    over, beside those of ids. `decimal` is the decimal mark of the file; auto: as the training's. Rows that cannot be read have
    their reason in a column `problem`, and do not stop the others.
    """

    run: str
    output: str
    input: str = ""
    rows: tuple[dict[str, Any], ...] = ()
    split: SplitName | None = None
    trained_on: int = 0
    checkpoint: CheckpointName = "best"
    keep: tuple[str, ...] = ()
    decimal: Literal["auto", ".", ","] = "auto"


class GenerateTask(RowsTask, frozen=True, kw_only=True, tag="generate"):
    """Decode rows, `count` samples each, into `output`: `row,sample,text,log_probability` in CSV, SMILES or JSON Lines.

    `strategy` and `constraints` say how symbols are chosen; a beam search gives its `n_best` per row, and `count` is 1. With
    `unique` the samples of a row differ. `feed_map` is a file that says what is fed after each prediction. `mark_unfinished`
    adds the column `finished`: 0 for a sequence cut at the greatest length, else 1. `codes`, a file of an `EncodeTask` of this
    `port`, stands for rows. `properties` names those of molecules that are written beside, "auto" those that columns of the
    inputs name.
    """

    count: Annotated[int, Meta(ge=1)] = 1
    strategy: Strategy = GREEDY
    constraints: Constraints = UNCONSTRAINED
    unique: bool = False
    seed: int = 0
    mark_unfinished: bool = False
    feed_map: str = ""
    codes: str = ""
    port: str = ""
    properties: tuple[str, ...] = ()


class ScoreTask(RowsTask, frozen=True, kw_only=True, tag="score"):
    """Write the log-likelihood of given sequences into `output`, CSV or JSON Lines by its ending.

    The rows have the sequences too, in a column as in training, or in `text`; or `given` are the sequences, each with the
    number of its row. With `tokens` each symbol's own log-probability is written, and with `candidates` as many of the
    likeliest symbols at each step (JSON Lines alone). `against` is another run or a bundle, whose log-likelihoods of the same
    sequences are written beside: a prior, for example.
    """

    text: str = ""
    tokens: bool = False
    feed_map: str = ""
    given: tuple[tuple[int, str], ...] = ()
    candidates: Annotated[int, Meta(ge=0)] = 0
    against: str = ""
    against_checkpoint: CheckpointName = "best"


class AttentionTask(RowsTask, frozen=True, kw_only=True, tag="attention"):
    """Write which steps the model attends to while it makes the sequences of the first `most` rows: `output` .json or .npz.

    Sequences are those of the rows, as in a `ScoreTask` with its `text` and `given`; or with `generated` the greedy ones.
    """

    text: str = ""
    given: tuple[tuple[int, str], ...] = ()
    generated: bool = False
    feed_map: str = ""
    most: Annotated[int, Meta(ge=1)] = 100


class EncodeTask(RowsTask, frozen=True, kw_only=True, tag="encode"):
    """Write the code of each row into `output`: CSV, JSON Lines or .npz by its ending.

    `port` is the output that holds the code, `block.port`; empty for the one that is found.
    """

    port: str = ""


class EvaluateTask(Tagged, frozen=True, kw_only=True, tag="evaluate"):
    """Metrics of a trained model on all rows of the file `data` (absolute path), or without it on a `split` of the run's own.

    `trained_on`: how many rows the run trained on (0: unknown); where its data has another number now, the split is another.
    `decimal` is the decimal mark of the file; auto: as the training's.
    """

    run: str
    data: str = ""
    split: SplitName = "test"
    trained_on: int = 0
    checkpoint: CheckpointName = "best"
    decimal: Literal["auto", ".", ","] = "auto"


class InspectTask(Tagged, frozen=True, kw_only=True, tag="inspect"):
    """Look into the file of a model (absolute path): safe mode, nothing of it is run.

    A file that Keras 3 does not read (of Keras 2, a description with its `weights` in another file, a SavedModel) is written as
    `.keras` into `folder`, which is that of the file if it is empty.
    """

    path: str
    weights: str = ""
    folder: str = ""


class SplitTask(Tagged, frozen=True, kw_only=True, tag="split"):
    """Divide the model of a `.keras` or `.h5` file (absolute path) into blocks; what they need is written into `folder`.

    `taken` are the ids that no new block may have.
    """

    path: str
    folder: str
    taken: tuple[str, ...] = ()


class WeightsTask(Tagged, frozen=True, kw_only=True, tag="weights"):
    """Say which weights of a file (absolute path) go into which layer of a block of `design`, a document.

    The file is a checkpoint of a run, a model, or weights alone; `part` is the block of a checkpoint or a model inside the
    model, empty for the one that fits. Without a `folder` they are only looked at; otherwise they are written into it, where
    layers of the block would compute something else with them only if `in_spite`. `sha256` is the check sum of the file when
    it was looked at, and empty for any.
    """

    design: dict[str, Any]
    design_folder: str
    block: str
    path: str
    part: str = ""
    folder: str = ""
    sha256: str = ""
    in_spite: bool = False


class PriorTask(Tagged, frozen=True, kw_only=True, tag="prior"):
    """Make a design of a prior of REINVENT (absolute path), which begins with its weights; they are written into `folder`."""

    path: str
    folder: str


Task: TypeAlias = (
    ExportTask
    | ExportAllTask
    | GenerateTask
    | ScoreTask
    | AttentionTask
    | EncodeTask
    | EvaluateTask
    | ErrorsTask
    | InspectTask
    | SplitTask
    | WeightsTask
    | PriorTask
    | ProbeTask
    | CertifyTask
)

READS_TRAINED_RUN = (GenerateTask, ScoreTask, AttentionTask, EncodeTask, EvaluateTask, ErrorsTask)
"""Tasks that leave the models of a run as they are, so that a worker may keep them for the next such task.

They run on the GPU that their run trained on, unless the user chose another device.
"""


class Progress(Tagged, frozen=True, kw_only=True, tag="progress"):
    """`done` of `total` are finished (total 0: unknown)."""

    done: int = 0
    total: int = 0
    text: str = ""


class Notice(Tagged, frozen=True, kw_only=True, tag="notice"):
    """A sentence for the user."""

    text: str
    severity: Literal["info", "warning"] = "info"


class Measured(Tagged, frozen=True, kw_only=True, tag="measured"):
    """One measurement of a probe, sent as soon as it is made, because a later one may run out of memory."""

    measurement: Measurement


Event: TypeAlias = Progress | Notice | Measured

Line: TypeAlias = Event | TaskResult | TaskFailed
_lines: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
_tasks: msgspec.json.Decoder[Task] = msgspec.json.Decoder(Task)


class Cancelled(SeqdecError):
    """The user cancelled the task."""

    exit_status = 130


class TaskChannel:
    """The child's side of the conversation with its parent.

    Make it before anything prints: it keeps standard output for itself, and redirects whatever is printed afterwards, by C
    libraries too, to standard error, which is the log.
    """

    def __init__(self) -> None:
        self._out = os.dup(1)
        os.dup2(2, 1)
        self._lock = threading.Lock()

    def read_task(self) -> Task:
        """Read the task from standard input. Raises msgspec.DecodeError."""
        return _tasks.decode(sys.stdin.buffer.readline())

    def send(self, line: Line) -> None:
        """Send a line; the result or a TaskFailed is the last."""
        data = msgspec.json.encode(line) + b"\n"
        with self._lock:
            while data:
                data = data[os.write(self._out, data) :]

    def close(self) -> None:
        """Close the conversation; call it after the last line."""
        os.close(self._out)


def run_task(
    task: Task,
    on_event: Callable[[Event], None] | None = None,
    devices: DeviceChoice | None = None,
    engine: EngineName | None = None,
    cancelled: Callable[[], bool] | None = None,
    argv: Sequence[str] = TASK_RUNNER,
    workers: Workers | None = None,
) -> TaskResult:
    """Run a task in a child process and return its result.

    Args:
        task: The task.
        on_event: Called with every progress, notice and measurement of the child.
        devices: One device; without it generating and evaluating run on the GPU that the run trained on, where it is available,
            and all other tasks on the CPU (`runs.task_devices`).
        engine: The framework; without it one that is installed.
        cancelled: Called ten times a second; the task is cancelled once it returns True.
        argv: The command of the child.
        workers: Where to look for a warm worker before a child is started.

    Raises InvalidInput or SeqdecError with the child's sentence, or with one that says how the child ended; Cancelled.
    """
    from seqdec_gui.runs.hosts.fetching import have_checkpoints_of
    from seqdec_gui.runs.task_processes import task_process  # not in the child, which imports this module too

    def tell(text: str, done: int, total: int) -> None:
        _fail_if_cancelled(cancelled)
        if on_event is not None:
            on_event(Progress(text=text, done=done, total=total))

    for text in have_checkpoints_of(task, tell):
        if on_event is not None:
            on_event(Notice(text=text, severity="warning"))
    environment, why = task_environment(task, devices, engine)
    if why and on_event is not None:
        on_event(Notice(text=why))
    loads = None if workers is None else _loaded_by(task)
    pid = 0
    try:
        with (
            tempfile.TemporaryFile() as log,
            task_process(argv, environment, log, workers, loads, lambda: _fail_if_cancelled(cancelled)) as child,
        ):
            pid = child.pid
            return _converse(child, task, on_event, cancelled, log)
    except BaseException:
        _remove_half_written(task, pid)
        raise


def _remove_half_written(task: Task, pid: int) -> None:
    """Remove what a child that was killed has written beside the output of its task."""
    if isinstance(task, ExportTask | ExportAllTask) and pid:
        folder = Path(task.folder) if isinstance(task, ExportAllTask) else Path(task.output).parent
        remove_scratch(folder, pid)
    elif pid and (output := getattr(task, "output", "")):
        remove_begun_by(pid, Path(output))


def task_environment(
    task: Task, devices: DeviceChoice | None = None, engine: EngineName | None = None
) -> tuple[dict[str, str], str]:
    """Return the environment of a task's child, and a sentence if the user may expect another device. Raises InvalidInput."""
    from seqdec_gui.runs.task_devices import place_task  # not in the child, which imports this module too

    placement = place_task(getattr(task, "run", "") if isinstance(task, READS_TRAINED_RUN) else "", devices, engine)
    exact = not isinstance(task, ProbeTask)
    return child_environment(placement, os.environ, brief=True, exact=exact), placement.why


def _loaded_by(task: Task) -> Hashable:
    """Return what a worker has loaded after this task; None for a task whose worker does not stay."""
    from seqdec_gui.runs.trained_files import stamps

    return stamps(task.run, task.checkpoint) if isinstance(task, READS_TRAINED_RUN) else None


def _fail_if_cancelled(cancelled: Callable[[], bool] | None) -> None:
    if cancelled is not None and cancelled():
        raise Cancelled("Cancelled.")


def _converse(
    child: subprocess.Popen[bytes],
    task: Task,
    on_event: Callable[[Event], None] | None,
    cancelled: Callable[[], bool] | None,
    log: IO[bytes],
) -> TaskResult:
    from seqdec_gui.runs.task_processes import read_lines

    assert child.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        child.stdin.write(msgspec.json.encode(task) + b"\n")
        child.stdin.close()
    for data in read_lines(child, lambda: _fail_if_cancelled(cancelled)):
        try:
            line = _lines.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise SeqdecError(f"The child process wrote {data[:80]!r} where a result was expected; this is a bug.") from None
        if isinstance(line, (Progress, Notice, Measured)):
            if on_event is not None:
                on_event(line)
        elif isinstance(line, TaskFailed):
            raise _failure(line)
        else:
            return line
    status = exit_status_of(child, os.WEXITED | os.WNOWAIT)
    log.seek(0)
    raise SeqdecError(explain(status, log.read()[-65536:].decode("utf-8", "replace"), what="job").sentence)


def _failure(line: TaskFailed) -> SeqdecError:
    if line.problems:
        return InvalidInput(line.problems)
    if line.exit_status == InvalidInput.exit_status:
        return InvalidInput(line.sentence)
    error = SeqdecError(line.sentence)
    if line.details:
        error.add_note(line.details)
    return error
