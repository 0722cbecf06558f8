"""Detects the dialect of a delimited text file: encoding, delimiter, quotes and column names, once for the whole file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import PurePath

import msgspec

from seqdec_gui.data.formats.base import Dialect
from seqdec_gui.data.formats.encodings import decoded, line_at
from seqdec_gui.data.formats.header import judge_header
from seqdec_gui.data.formats.records import Count, Record, are_all_as_wide, count_records, looks_like_rows, records
from seqdec_gui.data.formats.registry import format_of
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import counted

_SAMPLE_BYTES = 2**20
"""The number of bytes that are sampled to detect the delimiter and the header."""

_SAMPLE_RECORDS = 200
"""The largest number of records in the sample."""

_SAMPLE_CELLS = 20_000
"""The number of cells after which the sample ends, though not before its second record."""

_DELIMITERS = (",", ";", "\t", "|")
"""The delimiters that are detected. If several suit equally, the first of them is used, with a warning."""

_WRITTEN = {"tab": "\t", "space": " "}
"""The delimiter for each word that `data.delimiter` may have instead of a character."""

DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space"}
"""The names of delimiters in messages."""

_SHOWN_NAMES = 5
"""The number of cells of the first line that a message shows."""

_MIN_STYLED_ROWS = 8
"""The number of rows from which a column of mostly quoted cells shows that quotes are not part of the text."""

_LINE_END = re.compile(rb"\r\n?|\n")
_SEPARATOR_LINE = re.compile(rb'"?sep=([^\r\n"])"?(?:\r\n?|\n)', re.IGNORECASE)
"""The line `sep=;` that Excel writes before a table to name the delimiter."""

_LIKE_COMMENT = re.compile(rb"[\r\n]# ")
"""The start of a line, after the first, that looks like a comment."""

_FEW = 0.1
"""The largest share of lines that look like comments for which there is a warning."""

_MOST = 0.9
"""The share of lines below the first with the same number of cells from which a delimiter may be the right one."""

_MIN_LINES_BELOW = 3
"""The number of lines below a first line of one cell that must be exceeded to compare it with them."""


def detect(raw: bytes, name: str, reading: Reading, bound: Sequence[str] = ()) -> tuple[bytes, Dialect]:
    """Return the text of a file in UTF-8, without comments before it and empty lines around it, and its dialect.

    `name` is the name of the file. `reading` holds the options of the design; what they leave open is detected. `bound` are
    the names of columns in use. Raises InvalidInput if the file is empty or binary, if names occur twice, or if a quote is
    not closed although `reading` asks for quoted cells.
    """
    text = decoded(raw, name, reading.encoding)
    content, problems = text.content, list(text.problems)
    del raw
    if b"\0" in content:
        wrong = f"{name} holds binary data (bytes of value 0); expected text with one row per line."
        raise InvalidInput([Problem("error", "not_text", "data", wrong, "Choose a text file, or set data.encoding.")])
    if len(_LINE_END.findall(content[-4:])) > 1:
        content = content.rstrip(b"\r\n")  # a copy, so it is only made where empty lines stand at the end
    start = _line_ends_at(content)
    if start == len(content):
        raise InvalidInput(f"{name} holds no text; expected a header line and rows.", "empty_file", "data")
    if separator := _SEPARATOR_LINE.match(content, start):
        start = separator.end()
        reading, notes = _obeyed(separator[1].decode("utf-8", "replace"), reading, name)
        problems += notes
    comments = _comments_at(content, start)
    delimiter, notes = _delimiter(content[comments:], name, reading)
    problems += notes
    if comments > start and _is_narrower(content[start:comments], content[comments:], delimiter):
        problems.append(_comments_problem(content[start:comments], name))
        start = comments
    lines_before = line_at(content, start) - 1
    content = content[start:]
    count, quoted, fault_line, notes = _quotes(content, delimiter, name, reading, lines_before)
    problems += [*notes, *_backslashes_problems(content, delimiter, name, lines_before)]
    sample = _sample(content, delimiter, quoted)
    judged = judge_header([record.cells for record in sample], bound)
    header = judged.header if reading.header == "auto" else reading.header == "yes"
    names = _names(sample[0], header, name)
    if reading.header == "auto":
        problems += _header_problems(header, judged.sure, sample[0], name)
    if not count.breaks:
        problems += _late_comments_problems(content, count, lines_before, name)
    keeps = len(names) == 1
    if count.blank and not keeps:
        skipped = f"{name} has {counted(count.blank, 'empty line')} between its rows, skipped in reading."
        problems.append(Problem("info", "blank_lines", "data", skipped))
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
        problems=tuple(problems),
    )
    return content, dialect


# -- delimiter
def find_delimiter(content: bytes) -> str:
    """Return the delimiter with which most records have the width of the first, if that is more than one cell."""
    scores = _scores(content)
    return max(scores, key=lambda delimiter: scores[delimiter], default=",")


def _scores(content: bytes) -> dict[str, float]:
    """The part of the first records that have as many cells as the first and more than one, by delimiter."""
    scores: dict[str, float] = {}
    for delimiter in _DELIMITERS:
        for quoted in (True, False) if b'"' in content[:_SAMPLE_BYTES] else (False,):
            widths = [len(record.cells) for record in _sample(content, delimiter, quoted)]
            if widths and widths[0] > 1:
                score = sum(width == widths[0] for width in widths) / len(widths)
                scores[delimiter] = max(score, scores.get(delimiter, 0.0))
    return scores


def _delimiter(content: bytes, name: str, reading: Reading) -> tuple[str, list[Problem]]:
    """Return the delimiter, with a warning if another delimiter suits the lines equally well."""
    if reading.delimiter != "auto":
        return _WRITTEN.get(reading.delimiter, reading.delimiter), []
    row = format_of(PurePath(name))
    if row is not None and row.delimiter:
        return row.delimiter, _first_line_problems(content, row.delimiter, name)
    scores = _scores(content)
    if not scores:
        return ",", _first_line_problems(content, ",", name)
    best = max(scores, key=lambda delimiter: scores[delimiter])
    rivals = [other for other, score in scores.items() if other != best and score == scores[best]]
    if not rivals:
        return best, []
    names = DELIMITER_NAMES[best], DELIMITER_NAMES[rivals[0]]
    text = f"The lines of {name} can be cut into cells by {names[1]} as evenly as by {names[0]}, by which they were cut."
    hint = f"Set data.delimiter to {names[1] if rivals[0] == chr(9) else repr(rivals[0])}, or to "
    hint += f"{names[0] if best == chr(9) else repr(best)} to confirm."
    return best, [Problem("warning", "delimiter_assumed", "data", text, hint)]


def _first_line_problems(content: bytes, chosen: str, name: str) -> list[Problem]:
    """Warn if the file is read as one column only because of its first line, while the lines below it form a table."""
    for delimiter in _DELIMITERS:
        widths = [len(record.cells) for record in _sample(content, delimiter, True)]
        if delimiter == chosen or len(widths) <= _MIN_LINES_BELOW or widths[0] > 1:
            continue
        width, times = Counter(widths[1:]).most_common(1)[0]
        if width > 1 and times >= _MOST * (len(widths) - 1):
            text = (
                f"{name} is read as one column, since its first line has one cell; {times} of the next {len(widths) - 1} lines "
                f"have {width} ({DELIMITER_NAMES[delimiter]} between them)."
            )
            hint = "Remove the first line if it is a title, or set data.delimiter."
            return [Problem("warning", "delimiter_assumed", "data", text, hint)]
    return []


def _obeyed(delimiter: str, reading: Reading, name: str) -> tuple[Reading, list[Problem]]:
    """Return the options with the delimiter that a line `sep=;` names, if it is a possible one, and a remark on that line."""
    text = f"The first line of {name} names the delimiter ({delimiter!r}) and was skipped."
    if reading.delimiter == "auto" and delimiter in DELIMITER_NAMES:
        written = {mark: word for word, mark in _WRITTEN.items()}
        reading = msgspec.structs.replace(reading, delimiter=written.get(delimiter, delimiter))
    return reading, [Problem("info", "comments_skipped", "data", text)]


def _sample(content: bytes, delimiter: str, quoted: bool) -> list[Record]:
    """Return the first records; the last record of the sampled bytes is left out if it may be incomplete."""
    end = len(content)
    cut = min(end, _SAMPLE_BYTES)
    while True:
        sample, cells = [], 0
        for record in islice(records(content, delimiter, quoted, cut), _SAMPLE_RECORDS):
            sample.append(record)
            cells += len(record.cells)
            if cells >= _SAMPLE_CELLS and len(sample) > 1:
                break
        if cut == end or (sample and sample[-1].end < cut):
            return sample
        if len(sample) > 2:
            return sample[:-1]
        cut = min(end, 4 * cut)


# -- quotes
def _quotes(
    content: bytes, delimiter: str, name: str, reading: Reading, lines_before: int
) -> tuple[Count, bool, int, list[Problem]]:
    """Return the counts, whether quotes around cells are removed, the line of an unclosed quote (0: none), and problems."""
    if reading.quoting == "no" or b'"' not in content:
        return count_records(content, delimiter, False), reading.quoting == "yes", 0, []
    count = count_records(content, delimiter, True)
    swallowing = _swallowing(content, delimiter, count) if reading.quoting == "auto" else -1
    if swallowing >= 0:
        warning = _swallowing_problems(content, delimiter, name, lines_before + line_at(content, swallowing))
        return count, True, 0, [warning]
    if count.fault < 0:
        if reading.quoting == "yes" or not (count.spare or (count.quoted and delimiter == "\t")):
            return count, True, 0, _spaces_problems(content, delimiter, name, lines_before)
        if not count.spare:  # always reported for tab-separated text: few programs quote there
            text = f"{counted(count.quoted, 'cell')} of {name} stand in quotes, which were removed."
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
        raise InvalidInput([Problem("error", "open_quote", "data", text, hint)])
    text = (
        f"Quotes in {name} are read as part of the text, since a cell in line {line} begins with one that does not close at "
        "the end of a cell."
    )
    hint = "data.quoting=no confirms that; data.quoting=yes asks for quoted cells."
    note = Problem("warning", "quotes_are_text", "data", text, hint)
    return count_records(content, delimiter, False), False, line, [note]


def _swallowing(content: bytes, delimiter: str, count: Count) -> int:
    """The offset of a properly quoted cell over several lines that look like whole rows; -1: none.

    In a file of most rows with quoted cells it is no surprise, if tabs do not separate them.
    """
    if count.fault >= 0 or not count.breaks:
        return -1
    if delimiter != "\t" and count.records >= _MIN_STYLED_ROWS and 2 * count.quoted > count.records:
        return -1
    return looks_like_rows(content, delimiter, len(_sample(content, delimiter, True)[0].cells))


def _swallowing_problems(content: bytes, delimiter: str, name: str, line: int) -> Problem:
    """A warning that such a cell, which begins in this line, is read as one. Raises InvalidInput for tab-separated text.

    There quotes are more often text, unless other lines need theirs.
    """
    text = f"In line {line} of {name} a quoted cell begins that runs over several lines, each of which looks like a whole row"
    hint = "data.quoting=no if its quotes are part of the text, data.quoting=yes if it is one cell."
    if delimiter == "\t" and are_all_as_wide(content, delimiter, len(_sample(content, delimiter, False)[0].cells)):
        raise InvalidInput([Problem("error", "open_quote", "data", f"{text}.", f"Set {hint}")])
    return Problem("warning", "quotes_removed", "data", f"{text}; it was read as one cell.", f"Set {hint}")


def _spaces_problems(content: bytes, delimiter: str, name: str, lines_before: int) -> list[Problem]:
    """A warning where spaces stand before the quotes of a cell, which are not taken for its delimiters then."""
    mark = re.escape(delimiter.encode())
    spaced = re.compile(mark + rb' +"[^"\r\n]*" *(?=' + mark + rb"|[\r\n]|\Z)")
    first = spaced.search(content) if b' "' in content and delimiter != " " else None
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
    offsets = [match.start() for match in re.finditer(rb'\\["\r\n\t' + re.escape(delimiter.encode()) + rb"]", content)]
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
    sample = _sample(content, delimiter, False)[1:]
    closed = [[len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in record.cells] for record in sample]
    return len(closed) >= _MIN_STYLED_ROWS and any(2 * sum(column) > len(closed) for column in zip(*closed, strict=False))


# -- header
def _names(first: Record, header: bool, file: str) -> tuple[str, ...]:
    if not header:
        return tuple(f"column {i + 1}" for i in range(len(first.cells)))
    names = tuple(name.strip() for name in first.cells)
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        listed = ", ".join(map(repr, twice))
        text = f"{file} has several columns named {listed}; give every column a name of its own."
        hint = "If its first line is a row, set data.header=no."
        raise InvalidInput([Problem("error", "duplicate_column", "data", text, hint)])
    return names


def _header_problems(header: bool, sure: bool, first: Record, file: str) -> list[Problem]:
    cells = ", ".join(cell.strip() for cell in first.cells[:_SHOWN_NAMES])
    if not header:
        text = f"The first line of {file} looks like its other lines, so it is read as a row and not as names: {cells}."
        hint = "Its columns are called column 1, column 2, ... Set data.header=yes if it names them, data.header=no to confirm."
        return [Problem("warning", "header_missing", "data", text, hint)]
    if sure:
        return []
    text = f"The first line of {file} is read as the names of its columns, though it might be a row: {cells}."
    hint = "Set data.header=no if it is a row, data.header=yes to confirm."
    return [Problem("warning", "header_assumed", "data", text, hint)]


# -- lines
def _comments_at(content: bytes, start: int) -> int:
    """Return the offset of the first line that does not begin with `#`; `start` if all lines do."""
    comments = re.compile(rb"(?:#[^\r\n]*[\r\n]+)*").match(content, start)
    return comments.end() if comments and comments.end() < len(content) else start


def _is_narrower(comments: bytes, rows: bytes, delimiter: str) -> bool:
    """Return whether every comment line has fewer cells than the first record after the comments."""
    first = next(records(rows, delimiter, True))
    return all(len(record.cells) < len(first.cells) for record in records(comments, delimiter, False))


def _comments_problem(comments: bytes, name: str) -> Problem:
    lines = count_records(comments, ",", False).records
    text = f"Before its first record {name} has {counted(lines, 'line')} beginning with #, skipped as comments."
    return Problem("warning", "comments_skipped", "data", text)


def _late_comments_problems(content: bytes, count: Count, lines_before: int, name: str) -> list[Problem]:
    """Warn of a few lines after the first that look like comments but are read as rows."""
    offsets = [match.start() + 1 for match in _LIKE_COMMENT.finditer(content)] if b"# " in content else []
    if not offsets or content.startswith(b"#") or len(offsets) > max(1, _FEW * count.records):
        return []
    text = (
        f"{counted(len(offsets), 'line')} of {name} {'begins' if len(offsets) == 1 else 'begin'} with # (the first is line "
        f"{lines_before + line_at(content, offsets[0])}); comments are only skipped before the table, so it is read as a row."
    )
    return [Problem("warning", "comment_as_row", "data", text, "Remove it, unless it is a row.")]


def _line_ends_at(content: bytes) -> int:
    """Return the number of LF and CR at the beginning."""
    return len(content) - len(content.lstrip(b"\r\n"))
