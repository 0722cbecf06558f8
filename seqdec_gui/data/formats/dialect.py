"""Detects the dialect of a delimited text file: encoding, delimiter, quotes and column names, once for the whole file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

import msgspec

from seqdec_gui.data.formats.base import Dialect
from seqdec_gui.data.formats.bounds import LONGEST_LINE
from seqdec_gui.data.formats.comments import (
    comments_at,
    comments_problem,
    first_comment_problems,
    is_narrower,
    late_comments_problems,
    line_ends_at,
    names_at,
    without_set_comments,
)
from seqdec_gui.data.formats.delimiters import (
    DELIMITERS,
    delimiter_as,
    delimiter_of,
    is_prose,
    obeyed,
    sample_of,
    unused_character,
)
from seqdec_gui.data.formats.encodings import decoded, line_at, not_text
from seqdec_gui.data.formats.footers import footer_problems
from seqdec_gui.data.formats.header import Judgement, is_known_name, is_numeric, judge_header, judged_as_before
from seqdec_gui.data.formats.numerals import proved_decimals
from seqdec_gui.data.formats.other_contents import character_problems, other_content_problems, other_mark_problems
from seqdec_gui.data.formats.records import Count, Record, are_all_as_wide, count_records, looks_like_rows, swallowing_cell
from seqdec_gui.data.formats.settled import of
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import counted, verb_for

_SHOWN_NAMES = 5
"""The number of cells of the first line that a message shows."""

_MIN_STYLED_ROWS = 8
"""The number of rows from which a column of mostly quoted cells shows that quotes are not part of the text."""

_MANY_LINES = 1000
"""The number of lines from which a quoted cell may have swallowed the rows of a file."""

UNQUOTED = "data.delimiter=,"
"""What makes quoted lines cells whose quotes are removed."""

_LINE_END = re.compile(rb"\r\n?|\n")
_SEPARATOR_LINE = re.compile(rb'"?sep=([^\r\n"])"?(?:\r\n?|\n)', re.IGNORECASE)
"""The line `sep=;` that Excel writes before a table to name the delimiter."""


def detect(raw: bytes, name: str, reading: Reading, bound: Sequence[str] = (), within: str = "") -> tuple[bytes, Dialect]:
    """Return the text of a file in UTF-8, without comments before it and empty lines around it, and its dialect.

    `name` is the name of the file, `within` that without the ending of a compression. `reading` holds the options of the
    design; what they leave open is detected. `bound` are the names of columns in use. Raises InvalidInput if the file is
    empty or binary, if names occur twice, or if a quote is not closed although `reading` asks for quoted cells.
    """
    text = decoded(raw, name, reading.encoding, reading.wrong_bytes)
    content, problems = text.content, list(text.problems)
    del raw
    if b"\0" in content:
        raise not_text(f"{name} holds binary data (bytes of value 0); expected text with one row per line.")
    empty_end = 0
    if len(_LINE_END.findall(content[-4:])) > 1:
        end = len(content)
        content, whole = content.rstrip(b"\r\n"), content  # a copy, so it is only made where empty lines stand at the end
        empty_end = len(_LINE_END.findall(whole, len(content), end)) - 1  # the first line end closes the last line
        del whole
    _fail_if_a_line_is_too_long(content, name)
    start = line_ends_at(content)
    if start == len(content):
        raise InvalidInput(f"{name} holds no text; expected a header line and rows.", "empty_file", "data")
    if separator := _SEPARATOR_LINE.match(content, start):
        start = separator.end()
        reading, notes = obeyed(separator[1].decode("utf-8", "replace"), reading, name)
        problems += notes
    comment = ""
    if reading.comment not in ("auto", "none"):
        content, notes = without_set_comments(content[start:], reading.comment, name)
        problems += notes
        start, comment = line_ends_at(content), reading.comment if notes else ""
    comments = names_at(content, start, comments_at(content, start)) if reading.comment == "auto" else start
    before = of(reading)
    delimiter, notes = delimiter_of(content[comments:], name, reading, bound, PurePath(within or name))
    if reading.delimiter == "auto" and (same := delimiter_as(before, content[comments:], delimiter, bound)) is not None:
        delimiter, notes = same, []
    if reading.quoting == "auto":
        reading = msgspec.structs.replace(reading, quoting=before.quoting)
    problems += notes
    whole_lines = not delimiter
    if whole_lines:
        delimiter = unused_character(content, name)
        if reading.quoting == "auto" and before.quoting == "auto":
            problems += _cut_quotes_problems(content[comments:], delimiter, name)
        reading = msgspec.structs.replace(reading, quoting="no")
    if comments > start and is_narrower(content[start:comments], content[comments:], delimiter):
        problems.append(comments_problem(content[start:comments], name))
        start, comment = comments, "#"
    elif comments > start and delimiter.encode() not in content:
        problems += first_comment_problems(content[start:], name)
    lines_before = line_at(content, start) - 1
    content = content[start:]
    count, quoted, fault_line, notes = _quotes(content, delimiter, name, reading, lines_before)
    problems += notes if whole_lines else [*notes, *_backslashes_problems(content, delimiter, name, lines_before)]
    sample = sample_of(content, delimiter, quoted)
    judged = judge_header([record.cells for record in sample], bound)
    first = sample[0].cells[0].strip()
    if whole_lines and first not in bound and not (is_known_name(first) or is_numeric([line.cells[0] for line in sample[1:]])):
        judged = Judgement(False, True)  # in a list of texts, the first is not taken for a name because it looks otherwise
    elif judged.header and not judged.sure and is_prose(within or name) and not _has_names(sample[0], bound):
        judged = Judgement(False, False)
    if reading.header == "auto" and before.header != "auto":
        judged = judged_as_before(judged, before, sample[0].cells, name)
    header = judged.header if reading.header == "auto" else reading.header == "yes"
    names = ("text",) if whole_lines and not header else _names(sample[0], header, name)
    if reading.header == before.header == "auto" and not (whole_lines and not header):
        problems += _header_problems(header, judged.sure, sample[0], name)
    if not count.breaks and reading.comment != "none":
        problems += late_comments_problems(content, count, lines_before, name)
    if reading.delimiter == before.delimiter == "auto":
        problems = _with_other_problems(problems, content, delimiter, whole_lines, name)
    if not any(problem.code == "wrong_bytes" for problem in problems):
        problems += character_problems(content, name)
    problems += footer_problems(content, count.records - header, delimiter, name)
    keeps = len(names) == 1
    rows = [record.cells for record in sample[header:]]
    if count.blank and not keeps:
        skipped = f"{name} has {counted(count.blank, 'empty line')} between its rows, skipped in reading."
        problems.append(Problem("info", "blank_lines", "data", skipped))
    if empty_end and keeps:
        left = f"{name} has {counted(empty_end, 'empty line')} at its end, left out in reading."
        problems.append(Problem("info", "blank_lines", "data", left))
    proved = proved_decimals(rows)
    dialect = Dialect(
        encoding=text.encoding,
        delimiter=delimiter,
        quoted=quoted,
        header=header,
        names=names,
        start=sample[0].end if header else 0,
        lines_before=lines_before,
        rows=count.records - header + (count.blank if keeps else 0),
        keeps_blank_lines=keeps and count.blank > 0,
        breaks=count.breaks,
        fault_line=fault_line,
        decimal=("," if proved == {","} else ".") if reading.decimal == "auto" else reading.decimal,
        decimal_is_proved=len(proved) == 1,
        comment=comment,
        has_quotes=quoted and count.quoted > 0,
        whole_lines=whole_lines,
        empty_end=max(0, empty_end),
        problems=tuple(problems),
    )
    return content, dialect


def _with_other_problems(
    problems: list[Problem], content: bytes, delimiter: str, whole_lines: bool, name: str
) -> list[Problem]:
    """Add the warning that lines are no rows, or that they are one cell each and form columns, unless the latter is said."""
    if found := other_content_problems(content, name):
        return [*(problem for problem in problems if problem.code != "delimiter_assumed"), *found]
    if any(problem.code == "delimiter_assumed" for problem in problems):
        return problems
    if not whole_lines and len(sample_of(content, delimiter, True)[0].cells) > 1:
        return problems
    marks = () if whole_lines else (*(mark for mark in DELIMITERS if mark != delimiter), " ")
    return [*problems, *other_mark_problems(content, name, marks)]


def _fail_if_a_line_is_too_long(content: bytes, name: str) -> None:
    """Raise InvalidInput for a line of `LONGEST_LINE` or more bytes; some are passed over that have less than twice as many."""
    for at in range(0, len(content) - LONGEST_LINE + 1, LONGEST_LINE):
        if content.find(b"\n", at, at + LONGEST_LINE) < 0 and content.find(b"\r", at, at + LONGEST_LINE) < 0:
            text = f"Line {line_at(content, at)} of {name} has more than {LONGEST_LINE >> 20} MiB; expected one row a line."
            raise InvalidInput([Problem("error", "too_large_file", "data", text, "Divide it into lines, or save it as .npz.")])


# -- quotes
def _quotes(
    content: bytes, delimiter: str, name: str, reading: Reading, lines_before: int
) -> tuple[Count, bool, int, list[Problem]]:
    """Return the counts, whether quotes around cells are removed, the line of an unclosed quote (0: none), and problems."""
    if reading.quoting == "no" or b'"' not in content:
        return count_records(content, delimiter, False), reading.quoting == "yes", 0, []
    count = count_records(content, delimiter, True)
    if reading.quoting == "auto" and count.fault < 0 and count.breaks >= max(_MANY_LINES, count.records):
        _fail_if_a_cell_swallows_rows(content, delimiter, name, count, lines_before)
    swallowing = _swallowing(content, delimiter, count) if reading.quoting == "auto" else -1
    if swallowing >= 0:
        warning = _swallowing_problems(content, delimiter, name, lines_before + line_at(content, swallowing))
        return count, True, 0, [warning]
    if count.fault < 0:
        if reading.quoting == "yes" or not (count.spare or (count.quoted and delimiter == "\t")):
            return count, True, 0, _spaces_problems(content, delimiter, name, lines_before)
        if not count.spare:  # always reported for tab-separated text: few programs quote there
            text = f"{counted(count.quoted, 'cell')} of {name} {verb_for(count.quoted, 'stand')} in quotes, which were removed."
            hint = "If they are part of the text, set data.quoting=no."
            return count, True, 0, [Problem("info", "quotes_removed", "data", text, hint)]
        line = lines_before + line_at(content, count.spare_at)
        text = (
            f"The quotes around {counted(count.spare, 'cell')} of {name} were removed (the first is in line {line}), "
            "though nothing in them needs quotes."
        )
        hint = "If they are part of the text, set data.quoting=no; data.quoting=yes confirms that they are not."
        notes = _spaces_problems(content, delimiter, name, lines_before)
        return count, True, 0, [Problem("warning", "quotes_removed", "data", text, hint), *notes]
    line = lines_before + line_at(content, count.fault)
    if reading.quoting == "yes" or _is_quoted_throughout(content, delimiter):
        text = f"In line {line}, {name} has a cell that begins with a quote, which is not closed at the end of a cell."
        hint = "Close it, write quotes inside a quoted text twice, or set data.quoting=no to read quotes as text."
        hint += " Backslashes before quotes do not protect them." if b'\\"' in content else ""
        raise InvalidInput([Problem("error", "open_quote", "data", text, hint)])
    text = (
        f"Quotes in {name} are read as part of the text, since a cell in line {line} begins with one that does not close at "
        "the end of a cell."
    )
    hint = "data.quoting=no confirms that; data.quoting=yes asks for quoted cells."
    note = Problem("warning", "quotes_are_text", "data", text, hint)
    return count_records(content, delimiter, False), False, line, [note]


def _fail_if_a_cell_swallows_rows(content: bytes, delimiter: str, name: str, count: Count, lines_before: int) -> None:
    """Raise InvalidInput where most rows of the file would be lines of a single quoted cell: its quote was never closed."""
    widths = {len(sample_of(content, delimiter, quoted)[0].cells) for quoted in (True, False)}
    at = swallowing_cell(content, delimiter, widths, max(_MANY_LINES, count.records))
    if at < 0:
        return
    text = (
        f"In line {lines_before + line_at(content, at)} of {name} a cell begins with a quote that closes only after most of "
        f"the file: {counted(count.breaks, 'line')} within quotes {verb_for(count.breaks, 'look')} like whole rows."
    )
    hint = "Close that quote; or set data.quoting=no if quotes are part of the text, data.quoting=yes if it is one cell."
    raise InvalidInput([Problem("error", "open_quote", "data", text, hint)])


def _swallowing(content: bytes, delimiter: str, count: Count) -> int:
    """The offset of a properly quoted cell over several lines that look like whole rows; -1: none.

    In a file of most rows with quoted cells it is no surprise, if tabs do not separate them.
    """
    if count.fault >= 0 or not count.breaks:
        return -1
    if delimiter != "\t" and count.records >= _MIN_STYLED_ROWS and 2 * count.quoted > count.records:
        return -1
    widths = {len(sample_of(content, delimiter, quoted)[0].cells) for quoted in (True, False)}
    return max(looks_like_rows(content, delimiter, width) for width in widths)


def _swallowing_problems(content: bytes, delimiter: str, name: str, line: int) -> Problem:
    """A warning that such a cell, which begins in this line, is read as one.

    Raises InvalidInput where all lines are as wide without quotes: neither reading is sure then, and one of them loses rows. A
    single column is as wide in any case; between tabs its quotes are more often text.
    """
    text = f"In line {line} of {name} a quoted cell begins that runs over several lines, each of which looks like a whole row"
    hint = "data.quoting=no if its quotes are part of the text, data.quoting=yes if it is one cell."
    width = len(sample_of(content, delimiter, False)[0].cells)
    if (delimiter == "\t" or width > 1) and are_all_as_wide(content, delimiter, width):
        raise InvalidInput([Problem("error", "open_quote", "data", f"{text}.", f"Set {hint}")])
    return Problem("warning", "quotes_removed", "data", f"{text}; it was read as one cell.", f"Set {hint}")


def _cut_quotes_problems(content: bytes, mark: str, name: str) -> list[Problem]:
    """A warning where every line is one text, and all are in quotes, or quoted texts would run over several lines."""
    count = count_records(content, mark, True) if b'"' in content else None
    if count is None or count.fault >= 0:
        return []
    named = count.quoted == count.records - 1 > 1 and not content.lstrip().startswith(b'"')  # below a name without quotes
    if (named or count.quoted == count.records > 1) and not count.breaks:
        below = " below the first" if named else ""
        text = f"Every line of {name}{below} is in quotes, which are read as part of the text."
        hint = "Set data.delimiter to have them removed: a comma, for example. data.quoting=no confirms that they are text."
        return [Problem("warning", "quotes_are_text", "data", text, hint, proposed=UNQUOTED)]
    if not count.breaks:
        return []
    text = (
        f"Every line of {name} is one text, quotes included; texts in quotes that run over several lines are cut at "
        f"{counted(count.breaks, 'line end')}."
    )
    hint = "Set data.delimiter to have them whole: a comma, for example. data.quoting=no confirms that lines are texts."
    return [Problem("warning", "quotes_are_text", "data", text, hint, proposed=UNQUOTED)]


def _spaces_problems(content: bytes, delimiter: str, name: str, lines_before: int) -> list[Problem]:
    """A warning where spaces stand before the quotes of a cell, which are not taken for its delimiters then."""
    mark = re.escape(delimiter.encode())
    spaced = re.compile(mark + rb' +"[^"\r\n]*" *(?=' + mark + rb"|[\r\n]|\Z)")
    might = delimiter != " " and b" " in content and b' "' in content  # a single byte is found ten times as fast
    first = spaced.search(content) if might else None
    if first is None:
        return []
    line = lines_before + line_at(content, first.start())
    text = (
        f"In line {line} of {name} a space stands between the delimiter and a quote; there the space and the quotes around the "
        "cell are read as part of its text."
    )
    return [Problem("warning", "quotes_are_text", "data", text, "Remove the spaces behind the delimiters.")]


def _backslashes_problems(content: bytes, delimiter: str, name: str, lines_before: int) -> list[Problem]:
    """Warn of backslashes before quotes, delimiters or line ends, which some programs write as escapes; they are kept."""
    marks = delimiter if delimiter.encode() in content else "".join(DELIMITERS)  # one column: any delimiter may be escaped
    offsets = [match.start() for match in re.finditer(rb'\\["\r\n\t' + re.escape(marks.encode()) + rb"]", content)]
    if not offsets:
        return []
    text = (
        f"In {counted(len(offsets), 'place')} of {name} a backslash stands before a quote, delimiter or line end (first in "
        f"line {lines_before + line_at(content, offsets[0])}); it is read as a symbol, and protects nothing."
    )
    hint = "If backslashes are the escapes of the program that wrote the file, have it double quotes instead."
    return [Problem("warning", "backslash_escapes", "data", text, hint)]


def _is_quoted_throughout(content: bytes, delimiter: str) -> bool:
    """Return whether most cells of some column are quoted, so that quotes cannot be part of the text."""
    sample = sample_of(content, delimiter, False)[1:]
    closed = [[len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in record.cells] for record in sample]
    return len(closed) >= _MIN_STYLED_ROWS and any(2 * sum(column) > len(closed) for column in zip(*closed, strict=False))


# -- header
def _names(first: Record, header: bool, file: str) -> tuple[str, ...]:
    if not header:
        return tuple(f"column {i + 1}" for i in range(len(first.cells)))
    names = tuple(name.strip() for name in first.cells)
    if names.count("") > 1:  # as spreadsheets write empty columns
        names = tuple(name or f"column {i + 1}" for i, name in enumerate(names))
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        listed = ", ".join(map(repr, twice))
        text = f"{file} has several columns named {listed}; give every column a name of its own."
        hint = "If its first line is a row, set data.header=no."
        raise InvalidInput([Problem("error", "duplicate_column", "data", text, hint)])
    return names


def _has_names(first: Record, bound: Sequence[str]) -> bool:
    """Return whether the cells are names in use, or common names of columns."""
    cells = [cell.strip() for cell in first.cells]
    return any(name in cells for name in bound if name) or all(map(is_known_name, cells))


def _header_problems(header: bool, sure: bool, first: Record, file: str) -> list[Problem]:
    cells = ", ".join(cell.strip() for cell in first.cells[:_SHOWN_NAMES])
    if not header:
        text = f"The first line of {file} looks like its other lines, so it is read as a row and not as names: {cells}."
        hint = "Its columns are called column 1, column 2, ... Set data.header=yes if it names them, data.header=no to confirm."
        proposed = "data.header=yes" if len(first.cells) == 1 else msgspec.UNSET  # of one column, a word may be its name
        return [Problem("warning", "header_missing", "data", text, hint, proposed=proposed)]
    if sure:
        return []
    text = f"The first line of {file} is read as the names of its columns, though it might be a row: {cells}."
    hint = "Set data.header=no if it is a row, data.header=yes to confirm."
    return [Problem("warning", "header_assumed", "data", text, hint)]
