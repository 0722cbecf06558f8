"""Reads which symbol a decoder is fed after each that it predicts, for a decoder whose inputs and outputs have other ids."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from seqdec_gui.data.formats.base import Array
from seqdec_gui.data.written_symbols import written_ids
from seqdec_gui.domain.problems import InvalidInput, Problem

BEGIN = "begin"
"""What stands in the place of a predicted symbol for what is fed first."""
MOST_BYTES = 16 << 20


class FeedMap(msgspec.Struct, frozen=True):
    """Pairs of a predicted and a fed symbol as they are written: ids, or symbols of the alphabets. `begin` is fed first.

    Of a decoder of numbers they are places in a step (`number_map`).
    """

    pairs: tuple[tuple[str, str], ...]
    begin: str = ""


def as_pairs(mapping: FeedMap) -> tuple[tuple[str, str], ...]:
    """Return a mapping as a design keeps it."""
    return (*mapping.pairs, *([(BEGIN, mapping.begin)] if mapping.begin else []))


class Feeding(NamedTuple):
    """For each predicted id the fed id, -1 where none is given, and the id that is fed first, if it is given."""

    fed_next: Array
    begin: int | None


def read_feed_map(path: Path) -> FeedMap:
    """Read a CSV file with the columns `predicted` and `fed`, or a JSON object of predicted to fed. Raises InvalidInput.

    The row or key `begin` says what is fed first.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _refused(path, f"it has {path.stat().st_size:,} bytes")
        content = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(path, f"it cannot be read ({error})") from error
    pairs = _of_json(path, content) if path.suffix.lower() == ".json" else _of_csv(path, content)
    return of_pairs(pairs, path.name)


def of_pairs(pairs: Sequence[tuple[str, str]], where: str = "data.feed_map") -> FeedMap:
    """Return the mapping of these pairs, of a file or of a design. Raises InvalidInput."""
    path = Path(where)
    begins = [fed for predicted, fed in pairs if predicted == BEGIN]
    symbols = tuple(pair for pair in pairs if pair[0] != BEGIN)
    if not symbols or len(begins) > 1:
        raise _refused(path, "it maps nothing" if not symbols else "it says twice what is fed first")
    return FeedMap(symbols, begins[0] if begins else "")


def _of_csv(path: Path, content: str) -> list[tuple[str, str]]:
    rows = [row for row in csv.reader(content.splitlines()) if row]
    header = [cell.strip() for cell in rows[0]] if rows else []
    if sorted(header) != ["fed", "predicted"]:
        raise _refused(path, f"its columns are {', '.join(header) or 'none'}")
    if any(len(row) != 2 for row in rows):
        raise _refused(path, "not every row has two cells")
    before = header.index("predicted")
    return [(row[before], row[1 - before]) for row in rows[1:]]


def _of_json(path: Path, content: str) -> list[tuple[str, str]]:
    try:
        pairs: Any = json.loads(content, object_pairs_hook=list)
    except json.JSONDecodeError as error:
        raise _refused(path, f"it is no JSON ({error})") from error
    fits = isinstance(pairs, list) and all(isinstance(pair, tuple) and isinstance(pair[1], str | int) for pair in pairs)
    if not fits:
        raise _refused(path, "it is no object of symbols or ids")
    return [(str(predicted), str(fed)) for predicted, fed in pairs]


def feeding(feed_map: FeedMap, before: object, after: object, width: int, taken: int) -> Feeding:
    """Return what is fed after each of `width` predicted ids, of the `taken` ids of the input.

    `before` and `after` are the codecs of the input and of the targets. Raises InvalidInput for unknown symbols.
    """
    fed_next = np.full(width, -1, np.int64)
    for predicted, fed in feed_map.pairs:
        number = _id(after, predicted, width, "predicted")
        if fed_next[number] >= 0:
            text = f"The mapping says twice what follows {predicted!r}."
            raise InvalidInput([Problem("error", "bad_feed_map", "feed_map", text)])
        fed_next[number] = _id(before, fed, taken, "fed")
    return Feeding(fed_next, _id(before, feed_map.begin, taken, "fed") if feed_map.begin else None)


def _id(codec: object, text: str, width: int, column: str) -> int:
    """Return one id: a symbol of the alphabet, or else the number of an id."""
    try:
        ids = written_ids(codec, text, width, f"{column} {text!r}")
        if len(ids) == 1:
            return ids[0]
    except InvalidInput:
        pass
    if text.strip().isdecimal() and int(text) < width:
        return int(text)
    problem = f"The mapping has {text!r} as {column}; expected a symbol of the alphabet or an id from 0 to {width - 1}."
    raise InvalidInput([Problem("error", "bad_feed_map", "feed_map", problem)])


def _refused(path: Path, why: str) -> InvalidInput:
    hint = "Give a CSV file with the columns predicted and fed, or a JSON object of predicted to fed."
    return InvalidInput([Problem("error", "bad_feed_map", "feed_map", f"{path.name} is no mapping: {why}.", hint)])
