"""Does a task of scoring: reads rows and their sequences, and writes the log-likelihood of each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from seqdec_gui.data.row_file import JSON_LINES, RowFile
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runner.sample_file import NOTHING, PROBLEM, Beside, columns_of
from seqdec_gui.runner.scoring import Score, Scorer
from seqdec_gui.runner.told import Tell, reading_of, tell_changes, tell_notes, tell_refused
from seqdec_gui.runs.task_results import SCORE_COLUMNS, SYMBOL_COLUMNS, Scored
from seqdec_gui.runs.tasks import Progress, ScoreTask, TaskChannel


def score(task: ScoreTask, channel: TaskChannel, scratch: Path) -> Scored:
    """Score the sequences of a task and write the file whole or not at all. Raises InvalidInput, SeqdecError."""
    from seqdec_gui.runner.generate_task import fail_unless_folder
    from seqdec_gui.runner.loaded import load

    output = Path(task.output)
    fail_unless_folder(output.parent)
    loaded = load(Path(task.run), task.checkpoint, scratch)
    scorer = loaded.scorer_with(task.feed_map)
    arrays, rows, beside = rows_to_score(task, loaded, scorer, channel.send)
    names = (*SCORE_COLUMNS, *(SYMBOL_COLUMNS[0 if output.suffix.lower() == JSON_LINES else 1 :] if task.tokens else ()))
    total, symbols, done = 0.0, 0, 0
    refused = sorted(beside.reasons)

    def lines() -> Iterator[tuple[object, ...]]:
        nonlocal total, symbols, done
        for part in scorer.scores(arrays, rows):
            for each in part:
                yield from refusals(each.row)
                yield (each.row, *cells(each), *beside.cells(each.row))
                total, symbols = total + each.log_probability, symbols + len(each.ids)
            done += len(part)
            channel.send(Progress(done=done, total=len(rows)))
        yield from refusals(math.inf)

    def refusals(before: float) -> Iterator[tuple[object, ...]]:
        while refused and refused[0] < before:
            row = refused.pop(0)
            yield (row, *[None] * (len(names) - 1), *beside.cells(row))

    def cells(each: Score) -> tuple[object, ...]:
        texts, numbers = [], [round(float(log), 6) for log in each.log_probabilities]
        if SYMBOL_COLUMNS[0] in names:
            texts = [[scorer.symbols.read([number]) if scorer.symbols.allowed[number] else "" for number in each.ids.tolist()]]
        further = [*texts, numbers] if task.tokens else []
        return (scorer.symbols.read(each.ids.tolist()), round(each.log_probability, 6), len(each.ids), *further)

    with RowFile(output, (*names, *beside.names(names))) as file:
        file.write(lines())
    tell_refused(beside.reasons, "scored", channel.send, f"The column {PROBLEM} says why.")
    return Scored(path=task.output, rows=done, symbols=symbols, log_probability=total, refused=len(beside.reasons))


def rows_to_score(task: ScoreTask, loaded: Any, scorer: Scorer, tell: Tell) -> tuple[dict[str, Any], Any, Beside]:
    """Return stored arrays, the numbers of the rows to score, and what stands beside them. Raises InvalidInput."""
    from seqdec_gui.data.new_rows import encode_good_rows
    from seqdec_gui.data.rows import read_input

    if task.split is not None:
        dataset, chosen = loaded.trained.rows_of(task.split, task.trained_on)
        tell_changes(loaded.trained, tell)
        return dict(dataset.arrays), chosen, NOTHING
    wanted = scorer.wanted(loaded.fitted, task.text)
    if task.rows:
        values, empty = scorer.readable(columns_of(task.rows, wanted), task.text)
        return scorer.stored(wanted.encode_rows(values), task.text, empty), np.arange(len(task.rows)), NOTHING
    if task.input:
        rows = read_input(wanted, Path(task.input), task.keep, reading_of(task, loaded.trained.design))
        values, empty = scorer.readable(rows.values, task.text)
        encoded = encode_good_rows(wanted, values, rows.reasons, rows.lines)
        tell_notes(rows.notes, tell)
        return scorer.stored(encoded.arrays, task.text, empty), encoded.good, Beside(encoded.reasons, rows.kept)
    text = f"There are no sequences to score; expected rows with values for {', '.join((*scorer.inputs, scorer.array))}."
    raise InvalidInput([Problem("error", "no_rows", "input", text, "Give a file with these columns by --input.")])
