"""The rows and sequences that a scoring reads: from a file, typed, of a split, or sequences given apart from their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runner.sample_file import NOTHING, Beside, columns_of
from seqdec_gui.runner.scoring import GIVEN, Score, Scorer
from seqdec_gui.runner.told import Tell, reading_of, tell_changes, tell_notes, tell_outside
from seqdec_gui.runs.tasks import ScoreTask


class ToScore(NamedTuple):
    """Stored arrays, the places in them of the sequences to score, what stands beside, and the row of each place."""

    arrays: dict[str, Any]
    chosen: Any
    beside: Beside = NOTHING
    row_of: Sequence[int] | None = None
    """The number of the row that each place belongs to; None where places are rows."""
    given: Sequence[str] = ()
    """The text of each place as it was given, for places that cannot be scored; empty where it is not known."""

    def row(self, place: int) -> int:
        return place if self.row_of is None else self.row_of[place]

    def text(self, place: int) -> str | None:
        """Return the text of a place as it was given; None where it is not known."""
        return self.given[place] if place < len(self.given) else None


def rows_to_score(task: ScoreTask, loaded: Any, scorer: Scorer, tell: Tell) -> ToScore:
    """Return what is to be scored. Raises InvalidInput."""
    from seqdec_gui.data.new_rows import encode_good_rows
    from seqdec_gui.data.rows import read_input

    if task.given:
        return _given(task, loaded, scorer, tell)
    if task.split is not None:
        dataset, chosen = loaded.trained.rows_of(task.split, task.trained_on)
        tell_changes(loaded.trained, tell)
        return ToScore(dict(dataset.arrays), chosen)
    wanted = scorer.wanted(loaded.fitted, task.text)
    if task.rows:
        values, empty = scorer.readable(columns_of(task.rows, wanted), task.text)
        beside = Beside(outside=tell_outside(wanted, values, tell))
        return ToScore(scorer.stored(wanted.encode_rows(values), task.text, empty), np.arange(len(task.rows)), beside)
    if task.input:
        rows = read_input(wanted, Path(task.input), task.keep, reading_of(task, loaded.trained.design))
        values, empty = scorer.readable(rows.values, task.text)
        encoded = encode_good_rows(wanted, values, rows.reasons, rows.lines)
        tell_notes(rows.notes, tell)
        beside = Beside(encoded.reasons, rows.kept, tell_outside(wanted, values, tell))
        texts = rows.values.get(task.text or scorer.array)
        given = texts if isinstance(texts, list) else ()
        return ToScore(scorer.stored(encoded.arrays, task.text, empty), encoded.good, beside, given=given)
    text = f"There are no sequences to score; expected rows with values for {', '.join((*scorer.inputs, scorer.array))}."
    raise InvalidInput([Problem("error", "no_rows", "input", text, "Give a file with these columns by --input.")])


def _given(task: ScoreTask, loaded: Any, scorer: Scorer, tell: Tell) -> ToScore:
    """Return given sequences, each with the values of its row; those that are none of this model have their reason."""
    rows = [row for row, _ in task.given]
    arrays, wrong_rows = _inputs(task, loaded, scorer, rows, tell)
    stored, reasons = scorer.encode_given(loaded.fitted, [text for _, text in task.given])
    reasons |= {place: wrong_rows[row] for place, row in enumerate(rows) if row in wrong_rows}
    spread = {name: array[rows] for name, array in arrays.items()} | {GIVEN: stored}
    chosen = np.array([place for place in range(len(rows)) if place not in reasons], np.int64)
    return ToScore(spread, chosen, Beside(dict(sorted(reasons.items()))), rows, [text for _, text in task.given])


def _inputs(
    task: ScoreTask, loaded: Any, scorer: Scorer, rows: Sequence[int], tell: Tell
) -> tuple[dict[str, Any], Mapping[int, str]]:
    """Return the stored arrays of the inputs by number of row, and by row why it cannot be used. Raises InvalidInput."""
    from seqdec_gui.data.new_rows import encode_good_rows
    from seqdec_gui.data.rows import read_input

    if not scorer.inputs:
        return {}, {}
    wanted, reasons = scorer.wanted_inputs(loaded.fitted), dict[int, str]()
    if task.split is not None:
        arrays = dict(loaded.trained.rows_of(task.split, task.trained_on)[0].arrays)
        arrays = {port.name: arrays[port.name] for port in wanted.ports}
    elif task.rows:
        names = {name for port in wanted.ports for name in (port.name, *port.names)}
        plain = [{name: value for name, value in row.items() if name in names} for row in task.rows]
        arrays = dict(wanted.encode_rows(columns_of(plain, wanted)))
    elif task.input:
        read = read_input(wanted, Path(task.input), (), reading_of(task, loaded.trained.design))
        tell_notes(read.notes, tell)
        encoded = encode_good_rows(wanted, read.values, read.reasons, read.lines)
        arrays, reasons = encoded.arrays, dict(encoded.reasons)
    else:
        raise InvalidInput(f"There are no rows for these sequences; expected values for {', '.join(scorer.inputs)}.", "no_rows")
    there = min((len(array) for array in arrays.values()), default=0)
    if (most := max(rows)) >= there:
        raise InvalidInput(f"There are {there:,} rows, and a sequence belongs to row {most} (from 0).", "no_rows")
    return arrays, reasons


class Against(NamedTuple):
    """The scores of sequences under another model by place, and by place why it cannot score one."""

    scores: dict[int, Score]
    reasons: Mapping[int, str]


def scores_against(task: ScoreTask, loaded: Any, other: Any, given: Sequence[tuple[int, str]], tell: Tell) -> Against:
    """Return how likely another model finds sequences, each with the number of its row. Raises InvalidInput.

    The rows are those of the task; of a split of the run's own data, the other model reads the same file.
    """
    scorer = other.scorer_with("")
    theirs = msgspec.structs.replace(task, given=tuple(given), against="")
    if task.split is not None and scorer.inputs:
        arrays = _same_rows(loaded, other, scorer)
        stored, reasons = scorer.encode_given(other.fitted, [text for _, text in given])
        rows = [row for row, _ in given]
        chosen = np.array([place for place in range(len(rows)) if place not in reasons], np.int64)
        found = ToScore({name: array[rows] for name, array in arrays.items()} | {GIVEN: stored}, chosen, Beside(reasons))
    else:
        found = _given(theirs, other, scorer, tell)
    scores = {score.row: score for part in scorer.scores(found.arrays, found.chosen) for score in part}
    return Against(scores, found.beside.reasons)


def _same_rows(loaded: Any, other: Any, scorer: Scorer) -> dict[str, Any]:
    """Return the inputs of another run, read from the data of this one. Raises InvalidInput."""
    from seqdec_gui.runner.opened_run import OpenedRun

    run, theirs = loaded.trained, other.trained
    if not isinstance(run, OpenedRun) or not isinstance(theirs, OpenedRun):
        text = "A bundle is compared on rows of a file; expected --input in place of --split."
        raise InvalidInput([Problem("error", "no_rows", "input", text)])
    name = run.spec.data_file or run.design.data.file
    dataset = theirs.dataset((run.run.path / run.spec.folder / name).absolute())
    if dataset.rows != run.dataset().rows:
        raise InvalidInput("The two runs read other numbers of rows from the data; give the rows by --input.", "no_rows")
    return {port.name: dataset.arrays[port.name] for port in scorer.wanted_inputs(other.fitted).ports}
