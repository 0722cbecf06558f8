"""Does a task of scoring: reads rows and their sequences, and writes the log-likelihood of each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from seqdec_gui.data.row_file import JSON_LINES, RowFile
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.wording import counted
from seqdec_gui.runner.sample_file import PROBLEM
from seqdec_gui.runner.score_rows import Against, ToScore, rows_to_score, scores_against
from seqdec_gui.runner.scoring import Score, Scorer
from seqdec_gui.runner.told import Tell, tell_refused
from seqdec_gui.runs.task_results import (
    AGAINST_COLUMNS,
    AGAINST_PROBLEM,
    CANDIDATES_COLUMN,
    SCORE_COLUMNS,
    SYMBOL_COLUMNS,
    Scored,
)
from seqdec_gui.runs.tasks import Notice, Progress, ScoreTask, TaskChannel


def score(task: ScoreTask, channel: TaskChannel, scratch: Path) -> Scored:
    """Score the sequences of a task and write the file whole or not at all. Raises InvalidInput, SeqdecError."""
    from seqdec_gui.runner.generate_task import fail_unless_folder
    from seqdec_gui.runner.loaded import load

    output = Path(task.output)
    fail_unless_folder(output.parent)
    lists = output.suffix.lower() == JSON_LINES
    if task.candidates and not lists:
        text = "The candidates of each step are lists, which only JSON Lines have; expected an output that ends in .jsonl."
        raise InvalidInput(text, "bad_value", "output")
    loaded = load(Path(task.run), task.checkpoint, scratch)
    scorer = loaded.scorer_with(task.feed_map)
    found = rows_to_score(task, loaded, scorer, channel.send)
    file = _File(task, scorer, found, lists)
    if task.against:
        scores = [each for part in _scores(scorer, found, channel) for each in part]
        file.against = _against(task, loaded, scorer, found, scores, scratch, channel.send)
        parts: Iterator[list[Score]] = iter([scores[start : start + 256] for start in range(0, len(scores), 256)])
    else:
        parts = _scores(scorer, found, channel)
    with RowFile(output, file.names) as written:
        written.write(file.lines(parts))
    tell_refused(
        {found.row(place): why for place, why in found.beside.reasons.items()}, "scored", channel.send,
        f"The column {PROBLEM} says why.",
    )  # fmt: skip
    return file.result(task.output)


def _scores(scorer: Scorer, found: ToScore, channel: TaskChannel) -> Iterator[list[Score]]:
    done = 0
    for part in scorer.scores(found.arrays, found.chosen):
        yield part
        done += len(part)
        channel.send(Progress(done=done, total=len(found.chosen)))


def _against(
    task: ScoreTask, loaded: Any, scorer: Scorer, found: ToScore, scores: Sequence[Score], scratch: Path, tell: Tell
) -> Against:
    """Return the scores of the same sequences under the other model, by their places among all."""
    from seqdec_gui.runner.loaded import load_beside

    other = load_beside(Path(task.against), task.against_checkpoint, scratch)
    texts = [(found.row(each.row), scorer.symbols.read(each.ids.tolist())) for each in scores]
    if not texts:
        return Against({}, {})
    against = scores_against(task, loaded, other, texts, tell)
    if against.reasons:
        place, why = next(iter(against.reasons.items()))
        text = f"{counted(len(against.reasons), 'sequence')} could not be scored by the other model, the first is of row "
        tell(Notice(text=f"{text}{texts[place][0]} of the results. {why}", severity="warning"))
    return Against(
        {scores[place].row: each for place, each in against.scores.items()},
        {scores[place].row: why for place, why in against.reasons.items()},
    )


class _File:
    """The lines of the file, and the sums over them."""

    def __init__(self, task: ScoreTask, scorer: Scorer, found: ToScore, lists: bool) -> None:
        self._task, self._scorer, self._found = task, scorer, found
        self._symbols = SYMBOL_COLUMNS[0 if lists else 1 :] if task.tokens else ()
        self.against: Against | None = None
        self._rows = self._compared = 0
        self._count, self._total, self._ours, self._theirs = 0, 0.0, 0.0, 0.0

    @property
    def _own_names(self) -> tuple[str, ...]:
        further = (CANDIDATES_COLUMN,) if self._task.candidates else ()
        if self.against is not None:
            further = (*further, *AGAINST_COLUMNS, *((AGAINST_PROBLEM,) if self.against.reasons else ()))
        return (*SCORE_COLUMNS, *self._symbols, *further)

    @property
    def names(self) -> tuple[str, ...]:
        return (*self._own_names, *self._found.beside.names(self._own_names))

    def lines(self, parts: Iterator[list[Score]]) -> Iterator[tuple[object, ...]]:
        """Yield the lines of the scores and of the rows that cannot be scored, in the order of their places."""
        beside, refused = self._found.beside, sorted(self._found.beside.reasons)

        def refusals(before: float) -> Iterator[tuple[object, ...]]:
            while refused and refused[0] < before:
                place = refused.pop(0)
                empty = [None] * (len(self._own_names) - 2)
                yield (self._found.row(place), self._found.text(place), *empty, *beside.cells(place))

        for part in parts:
            steps: Iterator[object] = iter([None] * len(part))
            if self._task.candidates:
                from seqdec_gui.runner.choices import choices

                places = [each.row for each in part]
                ids = [each.ids for each in part]
                steps = choices(self._scorer, self._found.arrays, _array(places), ids, self._task.candidates)
            for each, choice in zip(part, steps, strict=True):
                yield from refusals(each.row)
                yield (self._found.row(each.row), *self._cells(each, choice), *beside.cells(each.row))
        yield from refusals(math.inf)

    def _cells(self, each: Score, choice: object) -> tuple[object, ...]:
        symbols, log = self._scorer.symbols, each.log_probability
        self._rows, self._count, self._total = self._rows + 1, self._count + len(each.ids), self._total + log
        further: list[object] = []
        if SYMBOL_COLUMNS[0] in self._symbols:
            further.append([symbols.read([number]) if symbols.allowed[number] else "" for number in each.ids.tolist()])
        if self._symbols:
            further.append([round(float(log), 6) for log in each.log_probabilities])
        if self._task.candidates:
            further.append(choice)
        if self.against is not None:
            further += self._compare(each, self.against)
        return (symbols.read(each.ids.tolist()), round(log, 6), len(each.ids), *further)

    def _compare(self, each: Score, against: Against) -> list[object]:
        theirs = against.scores.get(each.row)
        why = [against.reasons.get(each.row, "")] if against.reasons else []
        if theirs is None:
            return [None, None, *why]
        other = theirs.log_probability
        self._compared += 1
        self._ours, self._theirs = self._ours + each.log_probability, self._theirs + other
        return [round(other, 6), round(each.log_probability - other, 6), *why]

    def result(self, path: str) -> Scored:
        return Scored(
            path=path, rows=self._rows, symbols=self._count, log_probability=self._total,
            refused=len(self._found.beside.reasons), compared=self._compared, compared_log_probability=self._ours,
            against_log_probability=self._theirs,
        )  # fmt: skip


def _array(places: Sequence[int]) -> Any:
    import numpy as np

    return np.array(places, np.int64)
