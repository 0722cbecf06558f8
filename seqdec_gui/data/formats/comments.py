"""Lines of a text file that are no rows: comments before the table or between its rows."""

from __future__ import annotations

import re

from seqdec_gui.data.formats.encodings import line_at
from seqdec_gui.data.formats.records import Count, count_records, records
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import counted, verb_for

_LIKE_COMMENT = re.compile(rb"[\r\n]# ")
"""The start of a line, after the first, that looks like a comment."""

_SHOWN_BYTES = 80
"""The number of bytes of a line that a message shows."""

_FEW = 0.1
"""The largest share of lines that look like comments for which there is a warning."""


def comments_at(content: bytes, start: int) -> int:
    """Return the offset of the first line that does not begin with `#`; `start` if all lines do."""
    comments = re.compile(rb"(?:#[^\r\n]*[\r\n]+)*").match(content, start)
    return comments.end() if comments and comments.end() < len(content) else start


def names_at(content: bytes, start: int, end: int) -> int:
    """Return where the last of several comment lines begins if it has as many cells as the line below it, and so their names.

    `end` is where the comments end; it is returned if they name nothing.
    """
    lines = content[start:end].rstrip(b"\r\n")
    last = start + max(lines.rfind(b"\n"), lines.rfind(b"\r")) + 1
    if last <= start or not content[last:end].strip():
        return end
    for delimiter in ("\t", ",", ";", "|"):
        names, row = (next(records(text, delimiter, True)) for text in (content[last:end], content[end:]))
        if len(names.cells) == len(row.cells) > 1:
            return last
    return end


def is_narrower(comments: bytes, rows: bytes, delimiter: str) -> bool:
    """Return whether every comment line has fewer cells than the first record after the comments."""
    first = next(records(rows, delimiter, True))
    return all(len(record.cells) < len(first.cells) for record in records(comments, delimiter, False))


def comments_problem(comments: bytes, name: str) -> Problem:
    lines = count_records(comments, ",", False).records
    text = f"Before its first record {name} has {counted(lines, 'line')} beginning with #, skipped as comments."
    return Problem("warning", "comments_skipped", "data", text)


def first_comment_problems(content: bytes, name: str) -> list[Problem]:
    """Warn of lines at the beginning of a list of texts that look like comments but are read as rows."""
    if not content.startswith(b"# "):
        return []
    first = content[:_SHOWN_BYTES].splitlines()[0].decode("utf-8", "replace")
    text = f"The first line of {name} looks like a comment, and is read as a row, as every line is one text: {first}"
    hint = "Set data.comment=# to skip such lines, or data.comment=none to confirm that they are rows."
    return [Problem("warning", "comment_as_row", "data", text, hint)]


def late_comments_problems(content: bytes, count: Count, lines_before: int, name: str) -> list[Problem]:
    """Warn of a few lines after the first that look like comments but are read as rows."""
    offsets = [match.start() + 1 for match in _LIKE_COMMENT.finditer(content)] if b" " in content and b"# " in content else []
    if not offsets or content.startswith(b"#") or len(offsets) > max(1, _FEW * count.records):
        return []
    text = (
        f"{counted(len(offsets), 'line')} of {name} {verb_for(len(offsets), 'begin')} with # (the first is line "
        f"{lines_before + line_at(content, offsets[0])}); comments are only skipped before the table, so it is read as a row."
    )
    hint = "Set data.comment=# to skip such lines everywhere, or data.comment=none to confirm that they are rows."
    return [Problem("warning", "comment_as_row", "data", text, hint)]


def without_set_comments(content: bytes, mark: str, name: str) -> tuple[bytes, list[Problem]]:
    """Return the text without lines that begin with the mark, and a remark on them. Raises InvalidInput if no row is left."""
    content, skipped = without_comments(content, mark)
    if not content.strip(b"\r\n"):
        raise InvalidInput(f"{name} holds nothing but comments; expected rows.", "empty_file", "data")
    text = f"{name} has {counted(skipped, 'line')} beginning with {mark}, skipped as comments."
    return content, [Problem("info", "comments_skipped", "data", text)] if skipped else []


def without_comments(content: bytes, mark: str) -> tuple[bytes, int]:
    """Return the text without the lines that begin with the mark, and their number. Lines inside quoted cells stay."""
    lines = re.compile(rb"^" + re.escape(mark.encode()) + rb"[^\r\n]*(?:\r\n?|\n|\Z)", re.MULTILINE)
    if b"\r" in content:  # in a pattern, a line begins after LF alone
        lines = re.compile(rb"(?:(?<=[\r\n])|\A)" + re.escape(mark.encode()) + rb"[^\r\n]*(?:\r\n?|\n|\Z)")
    pieces: list[bytes] = []
    at = quotes = skipped = 0
    for line in lines.finditer(content):
        before = content[at : line.start()]
        quotes += before.count(b'"')
        if quotes % 2 and b'"' in content[line.start() :]:
            pieces.append(content[at : line.end()])
            quotes += line[0].count(b'"')
        else:
            pieces.append(before)
            skipped += 1
        at = line.end()
    pieces.append(content[at:])
    return b"".join(pieces), skipped


def line_ends_at(content: bytes) -> int:
    """Return the number of LF and CR at the beginning."""
    return len(content) - len(content.lstrip(b"\r\n"))
