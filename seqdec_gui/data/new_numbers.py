"""The numbers of new rows for a trained model, from cells and lines of text, in the notation of the training."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

import numpy as np

from seqdec_gui.data.codecs import FittedIds, FittedNumbers
from seqdec_gui.data.fitted import FittedPort
from seqdec_gui.data.formats.base import Array
from seqdec_gui.data.formats.delimited import MISSING
from seqdec_gui.data.formats.notation import PLAIN, Decimal, Doubt, Notation, adjusted, plain_cell, unsettled
from seqdec_gui.data.formats.numerals import ANY, plain_texts
from seqdec_gui.data.tensor_feeds import one_hot
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import counted

SHOWN_PROBLEMS = 20
"""The number of rows that are not numbers after which no further problems are collected."""

_NUMBER = re.compile(ANY)
_PLAIN = re.compile(PLAIN)
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
"""A number whose comma may be a decimal mark or stand between thousands."""

_EITHER_POINT = re.compile(r"[+-]?([1-9]\d{0,2}(\.\d{3})?|0)")
"""A whole number below a thousand, or one whose point may stand between thousands."""

_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}((,\d{3}){2,}(\.\d*)?|,\d{3}\.\d*)")
"""A number whose commas can only stand between thousands."""

_COMMAS_ONLY = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")


class PlainCells(NamedTuple):
    """Cells in the notation of programs.

    - `reasons`: by row, from 0, why a cell has two readings.
    - `notes`: how cells with two readings were read for a run that does not say how its numbers were written.
    """

    cells: list[str]
    reasons: Mapping[int, str] = {}
    notes: tuple[Problem, ...] = ()


def settled_cells(
    port: FittedPort, cells: list[str], notation: Notation, proved: Set[Decimal], delimiter: str = ""
) -> PlainCells:  # fmt: skip
    """Return the cells of a column in the notation of its training; cells that are no numbers stay as they are.

    `proved` are the decimal marks that columns of the file prove.
    """
    trimmed = [cell.strip() for cell in cells]
    notation = adjusted(notation, trimmed, bool(proved - {notation.decimal}))
    read = [plain_cell(cell, notation) for cell in trimmed]
    reasons = {row: said(port, cell, notation) for row, cell in enumerate(read) if isinstance(cell, Doubt)}
    notes = () if notation.decimal in proved else unsettled_notes(port, trimmed, notation, delimiter)
    return PlainCells([cell.cell if isinstance(cell, Doubt) else cell for cell in read], reasons, notes)


def unsettled_notes(
    port: FittedPort, cells: Sequence[str], notation: Notation, delimiter: str = ""
) -> tuple[Problem, ...]:  # fmt: skip
    """Return the warning of cells with marks that nothing but the training settles; none where they tell it themselves."""
    import pyarrow as pa

    present = pa.array([cell for cell in cells if cell not in MISSING], pa.string())
    found = unsettled(present, notation, commas_divide=delimiter == ",")
    if found is None:
        return ()
    return (Problem("warning", "number_format", port.name, f"Input {port.name}: {found.sentence()}.", found.hint()),)


def notes_of_lines(
    port: FittedPort, lines: Sequence[str], notations: Sequence[Notation | None]
) -> tuple[Problem, ...]:  # fmt: skip
    """Return those warnings for texts with the numbers of a vector each, as `parse_numbers` reads them."""
    assert isinstance(port.codec, FittedNumbers | FittedIds)
    if not any(notation is not None and notation.thousands in (".", ",") for notation in notations):
        return ()
    size = int(np.prod(port.codec.shape, dtype=np.int64))
    parts = [_parts(line, size)[0] for line in lines]
    if len(notations) > 1:
        columns = list(zip(*[each for each in parts if len(each) == len(notations)], strict=True))
    else:
        columns = [tuple(part for each in parts for part in each)]
    notes = [
        unsettled_notes(port, cells, notation)
        for cells, notation in zip(columns, notations, strict=False)
        if notation is not None and notation.thousands in (".", ",")
    ]
    return next((note for note in notes if note), ())


def said(port: FittedPort, doubt: Doubt, notation: Notation) -> str:
    return f"Input {port.name}: {doubt.sentence(notation)}. {doubt.hint(notation)}"


def detected_cells(port: FittedPort, cells: list[str], delimiter: str, decimal: Decimal, is_set: bool) -> PlainCells:
    """Return the cells with decimal points and without marks between thousands, for a run that has not recorded its notation.

    Raises InvalidInput if nothing says whether `1,234` is above a thousand. Semicolons between cells say that it is not, commas
    that it is; these, and `1.234`, are reported.
    """
    numbers = [at for at, cell in enumerate(cells) if _NUMBER.search(cell.strip())]
    texts = [cells[at].strip() for at in numbers]
    either = next((text for text in texts if _EITHER.fullmatch(text)), "")
    proved = is_set or any(map(_THOUSANDS.fullmatch, texts))
    if either and not proved and decimal == "." and delimiter not in (",", ";"):
        text = (
            f"Input {port.name}: {either!r} may be {either.replace(',', '')} or {either.replace(',', '.')}; nothing settles it."
        )
        hint = f"Write {either.replace(',', '')} or {either.replace(',', '.')}."
        raise InvalidInput([Problem("error", "number_format", port.name, text, hint)])
    notes = () if is_set else _notes(port, texts, either if not proved and decimal == "." else "", delimiter, decimal)
    if is_set and decimal == "." and any("," in text for text in texts):
        texts = [text.replace(",", "") if _COMMAS_ONLY.fullmatch(text) else text for text in texts]
    plain = dict(zip(numbers, plain_texts(texts, delimiter, decimal), strict=True))
    return PlainCells([plain.get(at, cell) for at, cell in enumerate(cells)], {}, notes)


def _notes(port: FittedPort, texts: Sequence[str], either: str, delimiter: str, decimal: Decimal) -> tuple[Problem, ...]:
    """Return the warning of a column whose cells have two readings; none where one of them is settled."""
    pointed = next((text for text in texts if "." in text), "")
    if either and delimiter == ";":
        shown, read, other = either, either.replace(",", "."), either.replace(",", "")
    elif either:
        shown, read, other = either, either.replace(",", ""), either.replace(",", ".")
    elif pointed and (delimiter != "," or not all("." in text for text in texts)) and all(map(_EITHER_POINT.fullmatch, texts)):
        shown, read, other = pointed, pointed, pointed.replace(".", "")
        if decimal == ",":
            read, other = other, read
    else:
        return ()
    text = f"Input {port.name}: {shown!r} is read as {read} and may be {other}; nothing in the training tells it."
    return (Problem("warning", "number_format", port.name, text, f"Write {other} if that is meant."),)


def numbers_of(
    port: FittedPort, cells: Sequence[str], reasons: dict[int, str], notations: Sequence[Notation | None] = ()
) -> Array:  # fmt: skip
    """Read the numbers of every cell as an array of the trained shape.

    `notations` are those of the port's columns. A row that fails is NaN, and its reason is added. Raises InvalidInput if all
    rows fail.
    """
    assert isinstance(port.codec, FittedNumbers | FittedIds)
    size = int(np.prod(port.codec.shape, dtype=np.int64))
    depth = port.codec.depth if isinstance(port.codec, FittedIds) else 0
    fills = isinstance(port.codec, FittedNumbers) and bool(port.codec.fill)
    values: list[list[float]] = []
    failed: dict[int, str] = {}
    width = 0
    for row, cell in enumerate(cells):
        numbers = parse_numbers(cell, size, fills, notations)
        if isinstance(numbers, Doubt):
            settled = next((each for each in notations if each is not None), Notation("."))
            failed[row] = said(port, numbers, settled)
        elif isinstance(numbers, str):
            what = "a number is missing" if numbers in ("", "NA") else f"{numbers!r} is not a number"
            failed[row] = f"Input {port.name}: {what}; expected {counted(size, 'number')}."
        elif len(numbers) not in (size, size * depth or size):
            failed[row] = f"Input {port.name} has {counted(len(numbers), 'number')}; expected {counted(size, 'number')}."
        elif width and width != len(numbers):
            failed[row] = f"Input {port.name} has {counted(len(numbers), 'number')}, and rows before it have {width}."
        else:
            width = len(numbers)
            values.append(numbers)
            continue
        values.append([])
    if len(failed) == len(cells):
        for row, text in failed.items():
            reasons.setdefault(row, text)
        raise InvalidInput([Problem("error", "not_numbers", port.name, reasons[row]) for row in list(failed)[:SHOWN_PROBLEMS]])
    for row, text in failed.items():
        reasons.setdefault(row, text)
        values[row] = [np.nan] * width
    return as_trained(port, np.array(values, np.float64))


def as_trained(port: FittedPort, values: Array) -> Array:
    """Reshape values that differ from the trained rows in shape only; ids become one-hot if one-hot rows were trained."""
    codec = port.codec
    assert isinstance(codec, FittedNumbers | FittedIds)
    shape = codec.shape
    if isinstance(codec, FittedIds) and codec.depth:
        if values[:1].size == np.prod(shape, dtype=np.int64):
            ids = values.reshape(-1, *shape)
            finite = np.isfinite(ids)
            wrong = ids[finite & ((ids != np.trunc(ids)) | (ids < 0) | (ids > codec.depth))]
            if wrong.size:
                text = f"Input {port.name} has the id {wrong[0]:g}; expected whole numbers from 0 to {codec.depth - 1}."
                raise InvalidInput(text, "not_ids", port.name)
            rows = one_hot(np.where(finite, ids, 0).astype(np.int64), codec.depth)
            rows[~finite] = np.nan
            return rows
        shape = (*shape, codec.depth)
    fits = values.size == len(values) * np.prod(shape, dtype=np.int64)
    return values.reshape(len(values), *shape) if fits else values


def parse_numbers(
    text: str, count: int, fills: bool = False, notations: Sequence[Notation | None] = (), is_typed: bool = False
) -> list[float] | str | Doubt:
    """Return the numbers of one line; the first part that is not a number; or the doubt about the first with two readings.

    Commas are decimal commas if semicolons or tabs separate the numbers, or if white space alone gives `count` numbers. Where
    the notation of a column is known, the number is read in it. With `fills` a missing number is NaN. What is typed into a form
    (`is_typed`), which shows numbers with decimal points, is read with these.
    """
    parts, alone = _parts(text, count)
    numbers = []
    for place, part in enumerate(parts):
        known = notations[place] if len(notations) == len(parts) else notations[0] if len(notations) == 1 else None
        if is_typed:
            known = known or Notation(".")
        if known is not None and not (is_typed and _PLAIN.match(part)):
            read = plain_cell(part, known)
            if isinstance(read, Doubt):
                return read
            part = read
        elif alone:
            part = part.replace(",", ".")
        try:
            numbers.append(np.nan if fills and part in MISSING else float(part))
        except ValueError:
            return part
    return numbers


def _parts(text: str, count: int) -> tuple[list[str], bool]:
    """Return the numbers of a line as they are written, and whether commas cannot separate them."""
    text = text.strip().strip("[]()")
    if ";" in text or "\t" in text:
        return re.split(r"[;\s]+", text), True
    if len(text.split()) == count and not any(part.endswith(",") for part in text.split()):
        return text.split(), True
    return re.split(r"\s*,\s*|\s+", text), False
