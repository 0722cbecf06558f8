"""What was generated: read from the file of a task, filtered, and saved."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from seqdec_gui.data.row_file import RowFile

HEADER = ("row", "sample", "text", "log_probability")
"""The columns of the file of a generate task."""
FINISHED_TITLE = "finished"
"""The additional column of the file if a sequence reached the greatest length before its end."""
GENERATED, WANTED = "generated_", "wanted_"
"""What the columns of properties begin with: the one of what was generated, and the one that the row asked for."""
PROBLEM_TITLE = "problem"
"""The last column of the file if some rows could not be decoded: why."""


class Result(NamedTuple):
    """One sequence, or with a `problem` a row that could not be decoded; `row` and `sample` count from 0 as in the file.

    `kept` are the columns that were carried over, names and cells; all results of a file have the same.
    """

    row: int
    sample: int | None
    text: str
    log_probability: float | None
    finished: bool = True
    kept: tuple[tuple[str, str], ...] = ()
    problem: str = ""


class Filter(NamedTuple):
    """Which results are shown: with `text` in sequence, input or carried columns, without regard to case.

    `finished` leaves out those that were cut, `different` keeps the first of equal sequences, `best` the likeliest of each row.
    """

    text: str = ""
    finished: bool = False
    different: bool = False
    best: bool = False

    def of(self, results: Sequence[Result], inputs: Sequence[str] = ()) -> list[int]:
        """Return the places of the results to show, in their order."""
        wanted = self.text.casefold()
        places = [
            place
            for place, result in enumerate(results)
            if (not wanted or wanted in _words(result, inputs).casefold())
            and not (self.finished and (result.problem or not result.finished))
        ]
        if self.best:
            best: dict[int, int] = {}
            for place in places:
                before = best.setdefault(results[place].row, place)
                if _rank(results[place]) > _rank(results[before]):
                    best[results[place].row] = place
            kept = set(best.values())
            places = [place for place in places if place in kept]
        if self.different:
            seen = set[str]()
            firsts = []
            for place in places:
                if not results[place].problem and results[place].text not in seen:
                    seen.add(results[place].text)
                    firsts.append(place)
            places = firsts
        return places


def _words(result: Result, inputs: Sequence[str]) -> str:
    given = inputs[result.row] if result.row < len(inputs) else ""
    return "\n".join((result.text, given, result.problem, *(cell for _, cell in result.kept)))


def _rank(result: Result) -> float:
    return float("-inf") if result.log_probability is None else result.log_probability


def read_results(path: Path) -> list[Result]:
    """Return the rows of the CSV file that a generate task writes."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        further = next(lines, [])[len(HEADER) :]
        marked = further[:1] == [FINISHED_TITLE]
        told = further[-1:] == [PROBLEM_TITLE]
        names = further[marked : len(further) - told]
        results = []
        for row, sample, text, log, *more in lines:
            kept = tuple(zip(names, more[marked:], strict=False))
            finished = not marked or more[0] != "0"
            problem = more[-1] if told else ""
            number = int(sample) if sample else None
            results.append(Result(int(row), number, text, float(log) if log else None, finished, kept, problem))
        return results


def save_results(path: Path, results: Sequence[Result]) -> None:
    """Write CSV, SMILES (.smi) or JSON Lines (.jsonl) as the command line writes them. Raises SeqdecError.

    If a sequence was cut off, the column `finished` says which, as with `--mark-unfinished`.
    """
    names, rows = columns_and_rows(results)
    with RowFile(path, names) as file:
        file.write(rows)


def as_lines(results: Sequence[Result]) -> str:
    """Return the results as text for spreadsheets: a line each, the first with the names, cells separated by tabs."""
    names, rows = columns_and_rows(results)
    return "\n".join("\t".join(cells) for cells in (names, *([_cell(value) for value in row] for row in rows)))


def columns_and_rows(results: Sequence[Result]) -> tuple[list[str], list[tuple[object, ...]]]:
    """Return the names of the columns, and the values of every result."""
    marked, told = not all(result.finished for result in results), any(result.problem for result in results)
    names = [*HEADER, *[FINISHED_TITLE] * marked, *kept_names(results), *[PROBLEM_TITLE] * told]
    rows = list[tuple[object, ...]]()
    for result in results:
        made = (None if result.problem else value for value in (result.text, result.log_probability))
        finished = None if result.problem else result.finished
        cells = (_number(cell) if name.startswith((GENERATED, WANTED)) else cell for name, cell in result.kept)
        rows.append((result.row, result.sample, *made, *[finished] * marked, *cells, *[result.problem] * told))
    return names, rows


def _number(cell: str) -> object:
    """Return the property in a cell as a number, None for none; a text that is no number stays one."""
    try:
        return float(cell) if cell else None
    except ValueError:
        return cell


def kept_names(results: Sequence[Result]) -> list[str]:
    """Return the names of the columns that were carried over."""
    return [name for name, _ in results[0].kept] if results else []


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.6f}" if isinstance(value, float) else str(value)
