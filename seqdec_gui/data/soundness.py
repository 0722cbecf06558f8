"""Checks rows that can be encoded but should not be trained on: text with control characters, rows without information."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from seqdec_gui.data.codecs import FittedCodec, FittedText, ReadsText
from seqdec_gui.data.formats.base import Array, Chunk
from seqdec_gui.data.hints import LEAVE_OUT
from seqdec_gui.data.sources import ColumnSource, Source
from seqdec_gui.data.tokens import Strip, has_breaks, stripped
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import agreeing, counted

LONG_FACTOR = 4
"""How many times the usual length, the `_LONG_QUANTILE` of the other rows, a row must exceed to be reported as long."""

LONG_SYMBOLS = 32
"""The least number of symbols of a row that is reported as long."""

_LONG_QUANTILE = 0.99
"""The quantile of the lengths of all other rows that is taken as the usual length."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""A control character other than tab and line ends."""

_MISSING_MARKS = ("NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None", "<NA>", "\\N")
"""The texts that R, pandas, spreadsheets and databases write for a missing value."""

_SHOWN = 40
"""The number of characters of a value that a message shows."""

_COMPARED_ROWS = 65_536
"""The number of rows of an array that are compared at a time."""


class TextSurvey(NamedTuple):
    """The properties of rows of text. Rows count from 0; -1 stands for no row."""

    control_rows: int
    control_row: int
    control: str
    """The first control character, empty for none."""
    break_rows: int
    break_row: int
    """The first row that contains a line end."""
    lengths: Array
    """The length of every row in code points, int32."""
    missing_rows: int = 0
    missing_row: int = -1
    """The first row that is nothing but a mark of a missing value."""
    missing: str = ""
    """That mark."""
    replaced_rows: int = 0
    """Rows with U+FFFD, which a program writes where it cannot decode a byte."""


def survey_text(chunks: Iterable[Chunk]) -> TextSurvey:
    """Count rows with control characters and rows with line ends, and measure the lengths of all rows, in one pass."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = control_rows = break_rows = missing_rows = replaced_rows = 0
    control_row = break_row = missing_row = -1
    control = missing = ""
    lengths = [np.empty(0, np.int32)]
    for chunk in chunks:
        controls, breaks = _marked_rows(chunk)
        if len(controls):
            if control_row < 0:
                control_row = rows + int(controls[0])
                match = _CONTROL.search(chunk[int(controls[0])].as_py() or "")
                control = match[0] if match else ""
            control_rows += len(controls)
        if len(breaks):
            break_row = rows + int(breaks[0]) if break_row < 0 else break_row
            break_rows += len(breaks)
        marked = pc.is_in(chunk, pa.array(_MISSING_MARKS, chunk.type))
        if found_rows := pc.sum(marked).as_py():
            if missing_row < 0:
                at = pc.index(marked, True).as_py()
                missing_row, missing = rows + at, chunk[at].as_py()
            missing_rows += found_rows
        replaced_rows += pc.sum(pc.match_substring(chunk, "\N{REPLACEMENT CHARACTER}")).as_py() or 0
        counts = pc.fill_null(pc.utf8_length(chunk), 0)
        lengths.append(counts.to_numpy(zero_copy_only=False).astype(np.int32))
        rows += len(chunk)
    all_lengths = np.concatenate(lengths)
    return TextSurvey(
        control_rows,
        control_row,
        control,
        break_rows,
        break_row,
        all_lengths,
        missing_rows,
        missing_row,
        missing,
        replaced_rows,
    )


def text_problems(source: Source, seen: TextSurvey, where: str) -> list[Problem]:
    """Return an error for control characters, and warnings for line ends and for texts that look like missing values."""
    problems = []
    if seen.control_rows:
        text = (
            f"{source.label} holds control characters in {counted(seen.control_rows, 'row')}: the first is "
            f"U+{ord(seen.control):04X} in row {seen.control_row + 1}; expected text."
        )
        hint = (
            "Remove them, choose the encoding of the file (data.encoding), replace them by U+FFFD (data.wrong_bytes=replace), "
            f"save bytes that are no text as numbers, or {LEAVE_OUT}."
        )
        problems.append(Problem("error", "control_characters", where, text, hint))
    if seen.break_rows:
        text = (
            f"{source.label} has {counted(seen.break_rows, 'row')} with a line end inside (the first is row "
            f"{seen.break_row + 1}); it is a symbol like any other."
        )
        problems.append(Problem("warning", "line_ends_in_text", where, text, "Strip the texts if it does not belong to them."))
    if seen.replaced_rows:
        text = (
            f"{source.label} has {counted(seen.replaced_rows, 'row')} with U+FFFD, which programs write for letters that they "
            "could not decode; it is a symbol like any other."
        )
        hint = "Make the file again from its source, in the right encoding."
        problems.append(Problem("warning", "lost_letters", where, text, hint))
    if seen.missing_rows:
        text = (
            f"{source.label} has {counted(seen.missing_rows, 'row')} like {seen.missing!r} (the first is row "
            f"{seen.missing_row + 1}), which programs write for a missing value; it is read as text."
        )
        problems.append(Problem("warning", "missing_as_text", where, text, "Remove these rows if they are no text."))
    return problems


def length_problem(source: Source, seen: TextSurvey, where: str) -> Problem | None:
    """Warn of a single long row that sets the length of all sequences, for ports and codecs without a fixed length."""
    lengths = seen.lengths
    if len(lengths) < 2:
        return None
    row = int(lengths.argmax())
    place = max(0, int(np.ceil(_LONG_QUANTILE * (len(lengths) - 1))) - 1)
    usual = int(np.partition(np.delete(lengths, row), place)[place])
    longest = int(lengths[row])
    if longest < LONG_SYMBOLS or longest <= LONG_FACTOR * max(usual, 1):
        return None
    text = (
        f"Row {row + 1} of {source.label[0].lower()}{source.label[1:]} has {longest:,} symbols and sets the length of all "
        f"rows; 99 of 100 rows have at most {usual:,}. It is not divided into several rows here: its parts would not belong to "
        "the other columns of the row."
    )
    hint = (
        f"Shorten or remove it; with codec.length={usual} longer rows are refused, and with codec.longer=truncate they are cut."
    )
    return Problem("warning", "one_long_row", where, text, hint, usual)


def constant_problem(source: Source, codec: FittedCodec | None, where: str) -> Problem | None:
    """Warn if every row holds the same value."""
    if isinstance(source, ColumnSource) and source.is_group and constant_number(source.page(0, 2).numbers()) is None:
        return None
    textual = source.kind == "text" or isinstance(codec, ReadsText)
    value = constant_text(source.texts()) if textual else constant_number(source.numbers())
    if value is None or source.rows < 2:
        return None
    shown = value if len(value) <= _SHOWN else f"{value[: _SHOWN - 3]}..."
    text = f"{source.label} holds the same value in all {source.rows:,} rows: {shown!r}. Nothing can be learned from it."
    return Problem("warning", "constant_column", where, text, "Bind another column, if this is not meant.")


def constant_text(chunks: Iterator[Chunk]) -> str | None:
    """Return the text that all rows have in common; None if rows differ or there are none. Stops at the first difference."""
    import pyarrow.compute as pc

    value: str | None = None
    for chunk in chunks:
        for piece in (chunk.slice(0, 1), chunk):
            if not len(piece):
                continue
            texts = pc.fill_null(piece, "")
            value = texts[0].as_py() if value is None else value
            if not pc.all(pc.equal(texts, value)).as_py():
                return None
    return value


def constant_number(chunks: Iterator[Array]) -> str | None:
    """Return, as text, the value or array that all rows have in common; None if rows differ, are NaN, or there are none."""
    value: Array | None = None
    for chunk in chunks:
        if not len(chunk):
            continue
        value = np.asarray(chunk[0]) if value is None else value
        if not (chunk[:1] == value).all() or not (chunk == value).all():
            return None
    return None if value is None else np.array2string(value, threshold=4, edgeitems=2) if value.ndim else f"{value.item():g}"


def is_constant(array: Array) -> bool:
    """Return whether all rows of an encoded array are equal."""
    return len(array) > 1 and all(
        bool((array[at : at + _COMPARED_ROWS] == array[:1]).all()) for at in range(0, len(array), _COMPARED_ROWS)
    )


def survey(port: DataPort, source: ColumnSource, codec: FittedCodec | None, has_length: bool) -> list[Problem]:
    """Run all checks of this module for one bound port.

    `codec` is None if none could be fitted. `has_length` is whether the port or the codec fixes the length of a row.
    """
    where = port.port
    problems: list[Problem] = []
    try:
        if isinstance(codec, ReadsText) or (codec is None and source.kind == "text"):
            strip: Strip = codec.strip if isinstance(codec, FittedText) else "none"
            seen = survey_text(stripped(chunk, strip) for chunk in source.texts())
            problems += text_problems(source, seen, where)
            if isinstance(codec, FittedText):
                problems += form_problems(source, codec, where)
            if isinstance(codec, FittedText) and not has_length and (long := length_problem(source, seen, where)):
                problems.append(long)
            problems += [] if problems and problems[0].severity == "error" else western_problems(source, where)
        else:
            problems += unread_problems(source, where, "uneven_rows")
        if codec is not None and (constant := constant_problem(source, codec, where)):
            problems.append(constant)
    except InvalidInput:
        return problems  # the fit has reported why the rows cannot be read
    return problems


def form_problems(source: ColumnSource, codec: FittedText, where: str) -> list[Problem]:
    """Remark on line ends that are stripped, and warn of letters that stand composed and decomposed in the same column."""
    import pyarrow.compute as pc

    rows = composed = decomposed = 0
    for chunk in source.texts():
        text = stripped(chunk, "none")
        if codec.strip == "newlines" and has_breaks(text):
            rows += pc.sum(pc.not_equal(text, stripped(text, "newlines"))).as_py() or 0
        if codec.normalise == "none" and not pc.all(pc.string_is_ascii(text)).as_py():
            foreign = text.filter(pc.invert(pc.string_is_ascii(text)))
            composed += pc.sum(pc.not_equal(foreign, pc.utf8_normalize(foreign, form="NFD"))).as_py() or 0
            decomposed += pc.sum(pc.not_equal(foreign, pc.utf8_normalize(foreign, form="NFC"))).as_py() or 0
    problems = []
    if rows:
        text = f"{source.label}: the line end at the end of {counted(rows, 'text')} is stripped."
        problems.append(Problem("info", "newlines_stripped", where, text, "Set the codec's strip to none to keep it."))
    if composed and decomposed:
        text = (
            f"{source.label} has letters with accents in two forms: composed in {counted(composed, 'row')}, letter and accent "
            f"apart in {counted(decomposed, 'row')}; they are different symbols."
        )
        problems.append(Problem("warning", "mixed_normal_forms", where, text, f"Set {where}.codec.normalise=nfc."))
    return problems


def unread_problems(source: ColumnSource, where: str, code: str) -> list[Problem]:
    """Warn of cells that have no values though they hold something, with the reason of the first."""
    return [
        Problem(
            "warning",
            code,
            where,
            f"{agreeing(len(reasons), 'cell', 'are')} missing in column {name!r}: row {min(reasons) + 1} "
            f"{reasons[min(reasons)]}.",
            f"Correct the file, or {LEAVE_OUT}.",
        )
        for name, reasons in source.unread().items()
    ]


def western_problems(source: ColumnSource, where: str) -> list[Problem]:
    """Warn of bytes that are not UTF-8 and were read in another encoding, and of cells that could not be read."""
    return unread_problems(source, where, "bad_molecule") + [
        Problem(
            "warning",
            "not_utf8",
            where,
            f"Column {name!r} holds bytes that are not valid UTF-8; they were read as {encoding}.",
            "Save it as text if its letters are wrong.",
        )
        for name, encoding in source.western().items()
    ]


def _marked_rows(chunk: Any) -> tuple[Array, Array]:
    """Return the indices of rows with control characters, and of rows with line ends."""
    import pyarrow as pa

    text = chunk.cast(pa.large_string())
    _, offsets, values = text.buffers()
    if values is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    starts = np.frombuffer(offsets, np.int64)[text.offset : text.offset + len(text) + 1]
    first = int(starts[0])
    raw = np.frombuffer(values, np.uint8)[first : int(starts[-1])]
    low = np.flatnonzero((raw < 0x20) | (raw == 0x7F))
    low = low[raw[low] != 0x09]
    is_break = (raw[low] == 0x0A) | (raw[low] == 0x0D)
    controls = low[~is_break]
    if len(raw) and int(raw.max()) >= 0x80:  # U+0080 to U+009F are C2 80 to C2 9F
        lead = np.flatnonzero(raw[:-1] == 0xC2)
        controls = np.concatenate([controls, lead[raw[lead + 1] < 0xA0]])
    return _rows_of(controls, starts - first), _rows_of(low[is_break], starts - first)


def control_rows(chunk: Any) -> Array:
    """Return the indices of the rows of an Arrow string array that hold control characters."""
    return _marked_rows(chunk)[0]


def _rows_of(places: Array, starts: Array) -> Array:
    return np.unique(np.searchsorted(starts, places, side="right") - 1)
