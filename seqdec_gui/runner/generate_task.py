"""Does a task of generating: reads the rows, generates for them, and writes the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from seqdec_gui.domain.decoding import TRIES_PER_SAMPLE, Greedy, answers_per_row, check_decoding
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import counted
from seqdec_gui.runner.sample_file import NOTHING, Beside, columns_of, write_samples
from seqdec_gui.runner.told import Tell, reading_of, tell_changes, tell_cut_otherwise, tell_notes, tell_outside, tell_refused
from seqdec_gui.runs.task_results import Generated
from seqdec_gui.runs.tasks import GenerateTask, Notice, Progress, TaskChannel

if TYPE_CHECKING:
    from seqdec_gui.runner.sampler import Sampler


class RowsToDecode(NamedTuple):
    """Stored arrays by input, the numbers of the rows to decode, the prefix of each row if a column has them, and the rest."""

    arrays: dict[str, Any]
    chosen: Any
    prefixes: list[str] | None = None
    beside: Beside = NOTHING


def generate(task: GenerateTask, channel: TaskChannel, scratch: Path) -> Generated:
    """Generate for the rows of a task and write the file whole or not at all. Raises InvalidInput, SeqdecError."""
    from seqdec_gui.runner.loaded import load

    fail_unless_folder(Path(task.output).parent)
    check_decoding(task.strategy, task.constraints, task.count, task.unique, task.seed)
    loaded = load(Path(task.run), task.checkpoint, scratch)
    sampler = loaded.sampler_with(task.feed_map)
    if task.codes:
        from seqdec_gui.runner.code_sampler import rows_of_codes

        sampler, codes, beside = rows_of_codes(task, loaded, sampler)
        rows = RowsToDecode(codes, np.arange(len(next(iter(codes.values())))), None, beside)
    else:
        rows = rows_of(task, loaded, sampler, channel.send)
    told = None
    if rows.prefixes is not None:
        told, reasons = sampler.prefixes([rows.prefixes[row] for row in rows.chosen])
        if reasons:
            bad = np.isin(np.arange(len(rows.chosen)), list(reasons))
            named = {int(rows.chosen[place]): why for place, why in reasons.items()}
            if bad.all():
                raise InvalidInput(next(iter(reasons.values())), "bad_decoding", "decoding")
            beside = rows.beside._replace(reasons=dict(sorted((dict(rows.beside.reasons) | named).items())))
            told, rows = told[~bad], rows._replace(chosen=rows.chosen[~bad], beside=beside)
    _tell_of_equal_samples(task, sampler, channel)

    cut_before = sampler.cut_otherwise
    unfinished, per_row = 0, answers_per_row(task.strategy, task.count)
    answered: dict[int, int] = {}

    def parts() -> Iterator[Any]:
        nonlocal unfinished
        done = 0
        found = sampler.generate(
            rows.arrays, rows.chosen, task.count, task.strategy, task.seed, task.constraints, task.unique, told
        )
        for part in found:
            yield part
            done += len(part)
            unfinished += sum(not sample.finished for sample in part)
            if task.unique:
                for sample in part:
                    answered[sample.row] = answered.get(sample.row, 0) + 1
            channel.send(Progress(done=done, total=len(rows.chosen) * per_row))

    beside, measured = rows.beside, None
    if task.properties:
        from seqdec_gui.runner.measured_properties import MeasuredProperties

        asked = {} if task.codes else rows.arrays
        measured = MeasuredProperties(task.properties, loaded, sampler.plan.loss, asked, channel.send)
    count, preview = write_samples(Path(task.output), parts(), task.mark_unfinished, beside, measured)
    tell_refused(beside.reasons, "decoded", channel.send, "The column problem says why.")
    tried = TRIES_PER_SAMPLE * task.count
    if fewer := sum(found < task.count for found in answered.values()):
        text = f"{counted(fewer, 'row')} had fewer than {task.count} different samples in {tried:,} draws."
        channel.send(Notice(text=text, severity="warning"))
    tell_cut_otherwise(sampler.cut_otherwise - cut_before, channel.send)
    if unfinished:
        text = (
            f"{unfinished:,} of {counted(count, 'sequence')} had no end symbol yet at the greatest length, and were cut there."
        )
        channel.send(Notice(text=text, severity="warning"))
    shown = tuple((sample.row, sample.sample, sample.text, sample.log_probability) for sample in preview)
    agreements = () if measured is None else tuple(map(str, measured.agreements()))
    return Generated(
        path=task.output, samples=count, preview=shown, unfinished=unfinished, refused=len(beside.reasons),
        agreements=agreements,
    )  # fmt: skip


def _tell_of_equal_samples(task: GenerateTask, sampler: Sampler, channel: TaskChannel) -> None:
    if task.count > 1 and (isinstance(task.strategy, Greedy) or not sampler.at_random):
        why = "Temperature 0 takes the likeliest symbol" if sampler.at_random else "Numbers are not drawn at random"
        channel.send(Notice(text=f"{why}, so all {task.count:,} samples of a row are the same.", severity="warning"))


def rows_of(task: GenerateTask, loaded: Any, sampler: Sampler, tell: Tell) -> RowsToDecode:
    """Return the rows of a task. Raises InvalidInput."""
    first, column = sampler.first_step_from, task.constraints.prefix_column
    needed = (*sampler.inputs, *[name for name in [first] if name])
    if task.split is not None and needed:
        if column:
            text = "A column of prefixes is read from a file of rows; the run's own data has none."
            raise InvalidInput([Problem("error", "bad_decoding", "decoding", text, "Give the rows by --input.")])
        dataset, chosen = loaded.trained.rows_of(task.split, task.trained_on)
        tell_changes(loaded.trained, tell)
        arrays = dict(dataset.arrays)
        if first:
            arrays[first] = arrays[first][:, 0]
        return RowsToDecode(arrays, chosen)
    if not needed:
        return _prefixes_alone(task, loaded, tell) if column else RowsToDecode({}, np.arange(1))
    return _new_rows(task, needed, loaded.fitted, reading_of(task, loaded.trained.design), tell, first)


def _new_rows(task: GenerateTask, needed: tuple[str, ...], fitted: Any, how: Any, tell: Tell, first: str = "") -> RowsToDecode:
    """Return the stored arrays of new rows, and what stands beside their samples.

    `first` is the input that gives each first step, `how` the reading options of the training. Raises InvalidInput.
    """
    from seqdec_gui.data.first_step import first_of_sequences, with_first_step
    from seqdec_gui.data.new_rows import encode_good_rows
    from seqdec_gui.data.rows import read_input

    column = task.constraints.prefix_column
    if task.rows or task.input:
        try:
            wanted = with_first_step(fitted, first) if first else fitted
            if task.rows:
                prefixes = _prefixes(task.rows, column) if column else None
                plain = [{name: value for name, value in row.items() if name != column} for row in task.rows]
                values = columns_of(plain, wanted)
                arrays = dict(wanted.encode_rows(first_of_sequences(values, fitted, first) if first else values))
                outside = tell_outside(fitted, values, tell)
                return RowsToDecode(arrays, np.arange(len(task.rows)), prefixes, Beside(outside=outside))
            rows = read_input(wanted, Path(task.input), (*task.keep, *[column for _ in [0] if column]), how)
            values = first_of_sequences(rows.values, fitted, first) if first else rows.values
            encoded = encode_good_rows(wanted, values, rows.reasons, rows.lines)
            tell_notes(rows.notes, tell)
            kept = {name: cells for name, cells in rows.kept.items() if name != column or name in task.keep}
            good = {row: text for row, text in tell_outside(fitted, values, tell).items() if row not in encoded.reasons}
            return RowsToDecode(
                encoded.arrays, encoded.good, rows.kept[column] if column else None, Beside(encoded.reasons, kept, good)
            )
        except InvalidInput as error:
            raise InvalidInput(
                [_of_first_step(problem) if first and problem.where == first else problem for problem in error.problems]
            ) from None
    names = ", ".join(needed)
    text = f"There are no rows to decode; expected rows with values for {names}."
    raise InvalidInput([Problem("error", "no_rows", "input", text, "Give a file with these columns, or - for standard input.")])


def _prefixes(rows: Sequence[Mapping[str, Any]], column: str) -> list[str]:
    """Return the prefix of each row, empty where a row has none. Raises InvalidInput if no row has the column."""
    if not any(column in row for row in rows):
        text = f"No row has the prefix column {column!r}; give each row a value of this name, empty for no prefix."
        raise InvalidInput(text, "bad_decoding", "decoding")
    return [str(value) if isinstance(value := row.get(column), str | int) else "" for row in rows]  # None, NaN: no prefix


def _prefixes_alone(task: GenerateTask, loaded: Any, tell: Tell) -> RowsToDecode:
    """Return the rows of a language model, which needs nothing but a prefix for each. Raises InvalidInput."""
    from seqdec_gui.data.text_rows import read_texts

    column, beside = task.constraints.prefix_column, NOTHING
    if task.rows:
        prefixes = _prefixes(task.rows, column)
    elif task.input:
        rows = read_texts(Path(task.input), column, task.keep, reading_of(task, loaded.trained.design))
        tell_notes(rows.notes, tell)
        prefixes, beside = [str(text) for text in rows.values[column]], Beside(kept=rows.kept)
    else:
        raise InvalidInput(f"There are no rows with the column {column!r}; give a file with prefixes.", "no_rows", "input")
    return RowsToDecode({}, np.arange(len(prefixes)), prefixes, beside)


def _of_first_step(problem: Problem) -> Problem:
    """Return the problem of a first step's value, with the reason why the value is needed."""
    why = "The training rows begin with different numbers, so each row to decode needs its first step."
    return msgspec.structs.replace(problem, hint=f"{why} {problem.hint}".strip())


def fail_unless_folder(folder: Path) -> None:
    """Raise InvalidInput where the folder of a file to write does not exist."""
    if not folder.is_dir():
        raise InvalidInput(f"The folder {folder} does not exist; make it, or choose another.", "no_folder", "output")
