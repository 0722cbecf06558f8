"""`.xlsx`: one sheet of an Excel workbook, read by openpyxl. Numbers stay numbers; dates and times become text."""

from __future__ import annotations

import datetime
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqdec_gui.data.formats.base import reading
from seqdec_gui.data.formats.bounds import fail_if_it_swells, fail_if_no_room, fail_if_sparse
from seqdec_gui.data.formats.extras import required
from seqdec_gui.data.formats.header import judge_header, judged_as_before
from seqdec_gui.data.formats.memory import MemoryTable, gathered
from seqdec_gui.data.formats.settled import FileReading, of
from seqdec_gui.data.formats.sheet_facts import sheet_facts
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import counted, verb_for

_ERRORS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!")
"""What Excel shows in a cell whose formula fails; such a cell is a missing value."""

_AS_CSV = "Save the sheet as .csv, without empty columns and rows."
"""What to do with a sheet that is too large."""

_TIMES_IN_MEMORY = 6
"""The size in memory of the cells of a workbook, in sizes of its XML."""

_LOOKED_AFTER, _WIDE_ROW = 1024, 256
"""The number of rows, and the width of a row, after which the size of the table is looked at."""

_SHOWN_RANGES = 5
"""The number of ranges of empty rows that a message shows."""

_SAMPLE_ROWS = 200
"""The number of rows that are compared with the first to find out whether it names the columns."""


class SpreadsheetTable(MemoryTable):
    """One sheet, held in memory; `sheets` are the names of all sheets."""

    def __init__(self, path: Path, names: Sequence[str] | None, how: Reading, bound: Sequence[str] = ()) -> None:
        super().__init__(path)
        with reading(path):
            self.sheet, self.sheets, rows = _cells(path, how.sheet, of(how).sheet)
            lines, empty = _without_empty(rows)
            if not lines:
                text = f"Sheet {self.sheet!r} of {path.name} is empty; expected rows."
                others = ", ".join(repr(sheet) for sheet in self.sheets if sheet != self.sheet)
                hint = f"Set data.sheet to another of its sheets: {others}." if others else ""
                raise InvalidInput([Problem("error", "empty_file", "data", text, hint)])
            if len(self.sheets) > 1 and not how.sheet and self.sheet != of(how).sheet:
                others = ", ".join(map(repr, self.sheets))
                text = f"{path.name} has {len(self.sheets)} sheets ({others}); the first, {self.sheet!r}, is read."
                self.problems += (Problem("info", "first_sheet", "data", text, "Set data.sheet to read another."),)
            if empty:
                skipped, which = counted(len(empty), "empty row"), _ranges(empty)
                text = f"Sheet {self.sheet!r} of {path.name} has {skipped} ({which}), left out in reading."
                self.problems += (Problem("info", "blank_lines", "data", text),)
            self.problems += _unseen_problems(path, self.sheet)
            self._take(lines, how, [*(names or ()), *bound])

    def _take(self, lines: list[list[Any]], how: Reading, bound: Sequence[str]) -> None:
        """Make columns of the rows of cells."""
        width = max(map(len, lines))
        lines = [line + [None] * (width - len(line)) for line in lines]
        shown = [["" if cell is None else str(cell) for cell in line] for line in lines[: _SAMPLE_ROWS + 1]]
        judged = judge_header(shown, bound)
        if how.header == "auto" and (before := of(how)).header != "auto":
            judged = judged_as_before(judged, before, shown[0], self.path.name)
        self.header = judged.header if how.header == "auto" else how.header == "yes"
        self.has_names = self.header
        self._first = shown[0]
        if self.header:
            titles = [cell.strip() or f"column {i + 1}" for i, cell in enumerate(shown[0])]
        else:
            titles = [f"column {i + 1}" for i in range(width)]
        twice = sorted(title for title, times in Counter(titles).items() if times > 1)
        if twice:
            listed = ", ".join(map(repr, twice))
            text = f"{self.path.name} has several columns named {listed}; give every column a name of its own."
            hint = "If its first row holds values, set data.header=no."
            raise InvalidInput([Problem("error", "duplicate_column", "data", text, hint)])
        if how.header == "auto" and of(how).header == "auto" and not (self.header and judged.sure):
            self.problems += (_header_problem(self.header, shown[0], self.path.name),)
        body = lines[1:] if self.header else lines
        failed = sum(cell in _ERRORS for line in body for cell in line if isinstance(cell, str))
        if failed:
            text = f"{counted(failed, 'cell')} of {self.path.name} {verb_for(failed, 'hold')} an error such as #N/A, "
            text += "which is read as a missing value."
            self.problems += (Problem("warning", "error_cells", "data", text, "Mend the formulas, and save the file again."),)
        values = {}
        for at, title in enumerate(titles):
            cells = [_plain(line[at]) for line in body]
            if not self.header or any(cell is not None for cell in cells) or shown[0][at].strip():
                column = gathered(title, cells)
                values[title] = column.values
                self.problems += column.problems
        self._hold(values)

    def settled(self) -> FileReading:
        """Return which sheet was read, and whether its first row names the columns."""
        return FileReading(sheet=self.sheet, header="yes" if self.header else "no")

    def named_in_first_row(self, names: Sequence[str]) -> tuple[str, ...]:
        return () if self.header else tuple(name for name in names if name in [cell.strip() for cell in self._first])


def _cells(path: Path, sheet: str, before: str = "") -> tuple[str, tuple[str, ...], list[list[Any]]]:
    """Return the sheet that is read, all sheets, and the cells of every row. Raises InvalidInput.

    The sheet called `before` is read if no sheet is set and there is one.
    """
    openpyxl = required("openpyxl", "xlsx", path)
    with zipfile.ZipFile(path) as archive:
        opened = sum(member.file_size for member in archive.infolist())
        fail_if_it_swells(path, opened)
        fail_if_no_room(path, _TIMES_IN_MEMORY * opened, _AS_CSV)
    workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        sheets = tuple(worksheet.title for worksheet in workbook.worksheets)
        if not sheets:
            raise InvalidInput(f"{path.name} has no sheet of cells; expected rows.", "empty_file", "data")
        if sheet and sheet not in sheets:
            if not (sheet.isdecimal() and 1 <= int(sheet) <= len(sheets)):
                text = f"{path.name} has no sheet {sheet!r}; it has {', '.join(map(repr, sheets))}."
                raise InvalidInput([Problem("error", "unknown_sheet", "data", text, "Set data.sheet to one of them.")])
            sheet = sheets[int(sheet) - 1]
        chosen = sheet or (before if before in sheets else sheets[0])
        worksheet = workbook[chosen]
        worksheet.reset_dimensions()  # programs write sizes that are wrong, and rows beyond them would be lost
        return chosen, sheets, _rows(path, worksheet)
    finally:
        workbook.close()


def _rows(path: Path, worksheet: Any) -> list[list[Any]]:
    """Return the cells of every row. Raises InvalidInput for a sheet that is nearly empty and huge.

    A cell may claim any place: rows and cells before it are filled in.
    """
    rows, widest = [], 0
    for row in worksheet.iter_rows(values_only=True):
        used = len(row)
        while used and row[used - 1] is None:
            used -= 1
        rows.append(list(row[:used]))
        widest = max(widest, used)
        if not len(rows) % _LOOKED_AFTER or used > _WIDE_ROW:
            fail_if_sparse(path, len(rows), widest, _AS_CSV)
    fail_if_sparse(path, len(rows), widest, _AS_CSV)
    return rows


def _unseen_problems(path: Path, sheet: str) -> tuple[Problem, ...]:
    """Return warnings of cells that look filled in Excel and are read as missing values."""
    facts = sheet_facts(path, sheet)
    problems = []
    if facts.unsaved:
        text = (
            f"{counted(facts.unsaved, 'formula')} of {path.name} (the first in cell {facts.first_unsaved}) "
            f"{verb_for(facts.unsaved, 'have')} no result in the file, which is read as a missing value."
        )
        hint = "Open the file in Excel or LibreOffice and save it, which computes them."
        problems.append(Problem("warning", "formulas_without_results", "data", text, hint))
    if facts.merged:
        text = (
            f"{path.name} has {counted(len(facts.merged), 'merged range')} (the first is {facts.merged[0]}); the value is read "
            "in the first cell of it, and the others are missing values."
        )
        hint = "Unmerge them, and fill the value into every row that it is for."
        problems.append(Problem("warning", "merged_cells", "data", text, hint))
    return tuple(problems)


def _without_empty(rows: list[list[Any]]) -> tuple[list[list[Any]], list[int]]:
    """Return the rows with a value, without empty cells at their ends, and the numbers of the empty rows in the sheet.

    Rows that the file does not have, after the last of it, are none.
    """
    kept, empty = [], []
    for number, row in enumerate(rows, start=1):
        used = len(row)
        while used and (row[used - 1] is None or row[used - 1] == ""):
            used -= 1
        if used:
            kept.append(row[:used])
        else:
            empty.append(number)
    return kept, empty


def _ranges(numbers: list[int]) -> str:
    """Return ascending numbers of rows in words: `rows 3, 5 to 7`, the first few of them."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    shown = [str(first) if first == last else f"{first} to {last}" for first, last in ranges[:_SHOWN_RANGES]]
    more = " and more" if len(ranges) > _SHOWN_RANGES else ""
    return f"{'row' if len(numbers) == 1 else 'rows'} {', '.join(shown)}{more}"


def _plain(cell: Any) -> Any:
    """Return a number, a text, a bool, or None for a missing value."""
    if isinstance(cell, str):
        return None if cell in _ERRORS or cell == "" else cell
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat() if cell.time() == datetime.time() else cell.isoformat(" ")
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    return str(cell) if isinstance(cell, datetime.timedelta) else cell


def _header_problem(header: bool, first: Sequence[str], file: str) -> Problem:
    cells = ", ".join(first[:5])
    if header:
        text = f"The first row of {file} is read as the names of its columns, though it might be values: {cells}."
        return Problem(
            "warning", "header_assumed", "data", text, "Set data.header=no if it is a row, data.header=yes to confirm."
        )
    text = f"The first row of {file} looks like its other rows, so it is read as a row and not as names: {cells}."
    hint = "Its columns are called column 1, column 2, ... Set data.header=yes if it names them, data.header=no to confirm."
    return Problem("warning", "header_missing", "data", text, hint)
