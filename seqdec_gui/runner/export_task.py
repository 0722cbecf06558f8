"""Does the tasks that export: one format, or all of them one after the other with a table of what came out."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.domain.scaling import Scaling
from seqdec_gui.runner.failures import log_exception, plain_sentence
from seqdec_gui.runner.reopen import FreshProcess, predictions, seconds_of
from seqdec_gui.runs.export_formats import ExportFormat, export_format, fail_unless_installed, holds
from seqdec_gui.runs.format_result import FormatResult
from seqdec_gui.runs.task_names import WeightsInUse
from seqdec_gui.runs.task_results import Exported, ExportedAll
from seqdec_gui.runs.tasks import ExportAllTask, ExportTask, Notice, Progress, TaskChannel

if TYPE_CHECKING:
    from seqdec_gui.runner.exports.base import Source


@dataclass(frozen=True)
class _Prepared:
    """What is exported, how much its raw inputs change it, and which of its tensors are standardised.

    `plain` is the model as it was trained, for formats that standardise rows by themselves. `weights` as in `Exported`.
    """

    source: Source
    plain: Source
    difference: float
    standardised: tuple[Scaling, ...]
    weights: WeightsInUse | None

    def source_for(self, row: ExportFormat) -> Source:
        return self.plain if row.scales_itself else self.source


def export_one(task: ExportTask, channel: TaskChannel, scratch: Path) -> Exported:
    """Write one format, open it in a fresh process and compare it. Raises InvalidInput, SeqdecError."""
    from seqdec_gui.runner.export import checked_output, export
    from seqdec_gui.runner.raw_inputs import fail_unless_fills

    row = export_format(task.format)
    output = checked_output(Path(task.output), row)
    fail_unless_installed(row)
    _fail_unless_holds(row, task.part)
    with FreshProcess(row.opened_by) as process:  # it imports the library while this process opens the run
        channel.send(Progress(total=3, text="Opening the run"))
        prepared = _prepared(task, channel, scratch)
        channel.send(Progress(done=1, total=3, text="Writing, opening again and comparing"))
        source = prepared.source_for(row)
        fail_unless_fills(row, source.scalings if source.raw_inputs else ())
        saved = export(source, row.name, output, process)
    channel.send(Progress(done=3, total=3, text="Exported"))
    return Exported(
        paths=tuple(map(str, saved.paths)),
        difference=max(saved.difference, prepared.difference),
        rows=saved.rows,
        standardised=() if row.scales_itself else prepared.standardised,
        bytes=saved.bytes,
        seconds=saved.seconds,
        keras_seconds=_keras_seconds(prepared.source),
        weights=prepared.weights,
    )


def export_all(task: ExportAllTask, channel: TaskChannel, scratch: Path) -> ExportedAll:
    """Write several formats into one folder; a format that fails does not keep the others from being written."""
    rows = [row for row in map(export_format, task.formats) if holds(row, task.part)]
    channel.send(Progress(total=len(rows) + 1, text="Opening the run"))
    with contextlib.ExitStack() as stack:
        processes = _Processes(stack, rows)
        prepared = _prepared(task, channel, scratch)
        results: list[FormatResult] = []
        for number, row in enumerate(rows):
            text = f"{row.title}: writing, opening again and comparing"
            channel.send(Progress(done=number + 1, total=len(rows) + 1, text=text))
            results.append(_result_of(task, prepared, row, processes.of(number)))
    return ExportedAll(
        results=tuple(results), standardised=prepared.standardised, keras_seconds=_keras_seconds(prepared.source),
        weights=prepared.weights,
    )  # fmt: skip


class _Processes:
    """Processes that open the files of some formats: one for each library, begun one format ahead so that it is ready."""

    def __init__(self, stack: contextlib.ExitStack, rows: Sequence[ExportFormat]) -> None:
        self._stack, self._rows = stack, rows
        self._started: dict[str, FreshProcess] = {}
        self._start(0)

    def _start(self, number: int) -> None:
        module = self._rows[number].opened_by if number < len(self._rows) else ""
        if module and module not in self._started:
            self._started[module] = self._stack.enter_context(FreshProcess(module))

    def of(self, number: int) -> FreshProcess:
        """The process for this format; that for the next one is begun."""
        self._start(number)
        self._start(number + 1)
        return self._started[self._rows[number].opened_by]


def _result_of(task: ExportAllTask, prepared: _Prepared, row: ExportFormat, process: FreshProcess) -> FormatResult:
    """Write one format, and say what came of it, whatever that is."""
    from seqdec_gui.runner.export import export
    from seqdec_gui.runner.raw_inputs import fail_unless_fills

    output = Path(task.folder) / f"{task.part}{row.proposed_ending}"
    source = prepared.source_for(row)
    try:
        fail_unless_fills(row, source.scalings if source.raw_inputs else ())
        saved = export(source, row.name, output, process)
    except SeqdecError as error:
        sentence = str(error).partition("\n")[0]
        return FormatResult(format=row.name, sentence=sentence, limit=isinstance(error, InvalidInput))
    except Exception as error:  # a library that fails in its own way shall not end the others
        log_exception()
        return FormatResult(format=row.name, sentence=plain_sentence(error, "It failed"))
    return FormatResult(
        format=row.name,
        paths=tuple(map(str, saved.paths)),
        difference=max(saved.difference, prepared.difference),
        rows=saved.rows,
        bytes=saved.bytes,
        seconds=saved.seconds,
    )


def _fail_unless_holds(row: ExportFormat, part: str) -> None:
    if not holds(row, part):
        text = f"A file of the format {row.name} holds every part: export it with part full."
        raise InvalidInput(text, "no_such_part", "part")


def _prepared(task: ExportTask | ExportAllTask, channel: TaskChannel, scratch: Path) -> _Prepared:
    """Open the run, and read rows on which to compare. Raises InvalidInput."""
    from seqdec_gui.runner.export_parts import inputs_of, models_with, result_names, scalings_of
    from seqdec_gui.runner.exports.base import Source
    from seqdec_gui.runner.opened_run import open_trained
    from seqdec_gui.runner.raw_inputs import fail_unless_equal, raw_of, with_raw_inputs

    trained = open_trained(Path(task.run), task.checkpoint, scratch)
    if task.feed_map:
        trained = trained.with_feed_map(Path(task.feed_map))
    models, difference = models_with(trained, task.part), 0.0
    inputs = inputs_of(trained, models, task.part, _rows_to_compare(trained, channel))
    known = _scalings(trained, channel)
    plain = models, inputs
    scaled = scalings_of(trained, models, task.part, known)
    if task.raw_inputs and any(scaled):
        model = with_raw_inputs(models[task.part], scaled)
        inputs, raw = raw_of(inputs, scaled)
        difference = fail_unless_equal(models[task.part], inputs, model, raw)
        models, inputs = models | {task.part: model}, raw
    sources, names = trained.script_sources(), result_names(trained, task.part)
    source = Source(
        models, task.part, inputs, trained.design, sources, scaled, task.raw_inputs, names, trained, task.checkpoint
    )
    judges = {judged.name for judged in trained.program.losses} if task.part == "full" else set()
    left = () if task.raw_inputs else tuple(scaling for scaling in scaled if scaling)
    targets = tuple(scaling for scaling in known if scaling.role == "target" and scaling.name in judges)
    as_trained = replace(source, models=plain[0], inputs=plain[1], raw_inputs=False)
    return _Prepared(source, as_trained, difference, (*left, *targets), trained.weights)


def _keras_seconds(source: Source) -> float:
    """How long Keras takes in this process for the rows that are compared."""
    inputs: Sequence[Any] = source.inputs
    predictions(source.model, list(inputs))
    return seconds_of(lambda: predictions(source.model, list(inputs)))


def _scalings(trained: Any, channel: TaskChannel) -> tuple[Scaling, ...]:
    from seqdec_gui.data.scaling import scalings

    try:
        return tuple(scalings(trained.fitted()))
    except InvalidInput as error:
        text = f"Whether the model takes standardised numbers is not known: {str(error).splitlines()[0]}"
        channel.send(Notice(text=text, severity="warning"))
        return ()


def _rows_to_compare(trained: Any, channel: TaskChannel) -> dict[str, Any]:
    from seqdec_gui.runner.opened_run import random_rows, real_rows

    try:
        return real_rows(trained)
    except (InvalidInput, OSError) as error:
        reason = str(error).splitlines()[0]
        text = f"The data of the run cannot be read, so the file is compared on random inputs: {reason}"
        channel.send(Notice(text=text, severity="warning"))
        return random_rows(trained)
