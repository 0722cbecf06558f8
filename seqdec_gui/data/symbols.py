"""The meaning of the ids of a trained decoder: the first input, the end of a sequence, feeding back, and decoding to text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.data.codecs import FittedCategory, FittedIds, FittedText
from seqdec_gui.data.feed_map import FeedMap, feeding
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.tensor_feeds import TensorFeed
from seqdec_gui.domain.problems import InvalidInput, Problem

Array = npt.NDArray[Any]
Rows = Callable[[], Array]


class Symbols(msgspec.Struct, frozen=True):
    """The symbols of a decoder that predicts probabilities of ids.

    - `begin`: the id that is fed first, as the input of the decoder numbers ids.
    - `end`: the predicted id after which a sequence is over; None if every sequence has `steps` steps.
    - `allowed`: which predicted ids may be chosen (bool, one per id).
    - `fed_next`: for each predicted id the id that is fed next.
    - `read`: returns the text of predicted ids.
    - `ends`: whether every training sequence had the end symbol, so that a sequence without it was cut at `steps`.
    - `mark`: the predicted begin mark, with which every training sequence begins and which stands nowhere else, or None.
    """

    begin: int
    end: int | None
    steps: int
    allowed: Array
    fed_next: Array
    read: Callable[[Sequence[int]], str]
    ends: bool = False
    mark: int | None = None

    @property
    def room(self) -> int:
        """The most symbols of a sequence, the begin mark not counted; one with so many has no room for an end mark."""
        return self.steps - (self.mark is not None)


def symbols_of_predictions(fitted: Fitted, loss: str, width: int, steps: int, rows: Rows) -> Symbols:
    """Return the symbols of predictions that are not fed back.

    `rows()` gives stored ids of training rows. Raises InvalidInput.
    """
    feed = _feed(fitted, loss)
    codec = fitted.port(feed.array).codec
    allowed, end, read = _meaning(codec, width, feed, rows, loss)
    return Symbols(0, end, steps, allowed, np.arange(width), read, _always_ends(codec, end), begin_mark(codec, feed))


def symbols_of_decoder(
    fitted: Fitted, fed: str, loss: str, width: int, rows: Callable[[str], Array], feed_map: FeedMap | None = None,
    inputs: int = 0,
) -> Symbols:  # fmt: skip
    """Return the symbols of a decoder that is fed its predictions, or with `feed_map` one of its `inputs` ids for each.

    `rows(port)` gives stored ids of training rows. Raises InvalidInput.
    """
    taken, judged = _feed(fitted, fed), _feed(fitted, loss)
    before, after = fitted.port(taken.array).codec, fitted.port(judged.array).codec
    mapped: Array | None = None
    if feed_map is not None and _kind(before) != "numbers" and _kind(after) != "numbers":
        mapped, first = feeding(feed_map, before, after, width, inputs)
        if first is None:
            begin_of_text = before.begin_id if isinstance(before, FittedText) else None
            first = _first_id(rows(taken.array), fed) if begin_of_text is None else begin_of_text
        fed_next, begin = np.maximum(mapped, 0), first
    elif isinstance(before, FittedText) and isinstance(after, FittedText):
        fed_next = _fed_again(before, after, width, fed, loss)
        if before.begin_id is None:
            text = f"{fed} was trained on text without a begin symbol, so it is not known what to begin with."
            raise InvalidInput([Problem("error", "no_begin_symbol", fed, text, "Train with marks both or begin.")])
        begin = before.begin_id
    elif isinstance(before, FittedIds) and isinstance(after, FittedIds):
        fed_next, begin = np.arange(width), _first_id(rows(taken.array), fed)
    else:
        text = f"{fed} was trained on {_kind(before)} and {loss} on {_kind(after)}; both must be text, or both ids."
        raise InvalidInput([Problem("error", "different_codecs", fed, text, "Bind one column of text to the decoder.")])
    steps = _steps(after.row_shape, judged)
    allowed, end, read = _meaning(after, width, judged, lambda: rows(judged.array), loss)
    if mapped is not None:  # what cannot be fed cannot be chosen, but for what nothing follows
        allowed &= (mapped >= 0) | (np.arange(width) == (-1 if end is None else end))
    ends = _always_ends(after, end) or _padding_ends_all(after, end, lambda: rows(judged.array))
    return Symbols(begin, end, steps, allowed, fed_next, read, ends, begin_mark(after, judged))


def begin_mark(codec: object, feed: TensorFeed) -> int | None:
    """Return the id that every training target has first and nowhere else, None where there is none."""
    first = isinstance(codec, FittedText) and codec.padding == "right" and feed.first == 0
    return codec.begin_id if isinstance(codec, FittedText) and first else None


def _feed(fitted: Fitted, name: str) -> TensorFeed:
    feed = next((feed for feed in fitted.feeds if feed.name == name), None)
    if feed is None:
        raise InvalidInput(f"The run has no data for {name}, so the meaning of its symbols is unknown.", "not_fitted", name)
    return feed


def _steps(row_shape: tuple[int, ...], feed: TensorFeed) -> int:
    return len(range(*slice(feed.first, feed.last).indices(row_shape[0]))) if row_shape else 1


def _kind(codec: object) -> str:
    names: dict[type, str] = {FittedText: "text", FittedIds: "ids", FittedCategory: "labels"}
    return names.get(type(codec), "numbers")


def _meaning(
    codec: object, width: int, feed: TensorFeed, rows: Rows, loss: str
) -> tuple[Array, int | None, Callable[[Sequence[int]], str]]:
    """Return the predicted ids that may be chosen (bool), the id that ends a sequence, and a function from ids to text."""
    allowed = np.zeros(width, bool)
    if isinstance(codec, FittedText):
        allowed[codec.first_symbol : codec.symbols] = True
        if codec.unknown_id is not None:
            allowed[codec.unknown_id] = False  # it is no text
        left = codec.padding == "left"
        end = codec.end_id
        if end is None and not left:
            end = codec.pad_id  # text without an end mark ends where padding begins
        for number, used in ((end, True), (codec.begin_id, feed.first == 0), (codec.pad_id, left)):
            if number is not None and used:
                allowed[number] = True
        return allowed, end, codec.decode
    if isinstance(codec, FittedCategory):
        allowed[: len(codec.labels)] = True
        return allowed, None, codec.decode
    if isinstance(codec, FittedIds):
        allowed[:] = True
        end = _last_id(rows()[:, feed.first : feed.last], codec.pad_id) if len(codec.row_shape) == 1 else None
        mark = end if codec.pad_id is not None else None  # without padding an id that is repeated to the end is a symbol
        return allowed, end, lambda ids: " ".join(str(number) for number in _until(ids, mark))
    raise InvalidInput(f"{loss} was trained on numbers, not on symbols, so nothing can be read from its predictions.")


def _always_ends(codec: object, end: int | None) -> bool:
    """Return whether `end` is an end mark. Padding is none: it ends shorter sequences, but the longest has no padding."""
    if isinstance(codec, FittedText):
        return codec.end_id is not None
    return isinstance(codec, FittedIds) and end is not None and end != codec.pad_id


def _padding_ends_all(codec: object, end: int | None, rows: Rows) -> bool:
    """Return whether padding takes the place of an end mark and follows every training row, the longest too."""
    if not isinstance(codec, FittedText) or codec.padding == "left" or end != codec.pad_id:
        return False
    stored = rows()
    return bool(len(stored)) and bool((stored[:, -1] == codec.pad_id).all())


def _until(ids: Sequence[int], end: int | None) -> list[int]:
    numbers = [int(number) for number in ids]
    return numbers[: numbers.index(end)] if end is not None and end in numbers else numbers


def _fed_again(before: FittedText, after: FittedText, width: int, fed: str, loss: str) -> Array:
    """Return for every predicted id the id of the same symbol at the decoder's input."""
    places = {symbol: before.first_symbol + i for i, symbol in enumerate(before.charset)}
    fed_next = np.zeros(width, np.int64)
    missing = [symbol for symbol in after.charset if symbol not in places]
    if missing:
        text = f"{loss} predicts {missing[0]!r}, which {fed} was not trained on, so it cannot be fed back."
        raise InvalidInput([Problem("error", "different_symbols", fed, text, "Bind one column of text to the decoder.")])
    for i, symbol in enumerate(after.charset):
        fed_next[after.first_symbol + i] = places[symbol]
    if after.end_id is not None:
        fed_next[after.end_id] = before.end_id or before.pad_id
    if after.begin_id is not None:  # targets with a begin mark of their own predict it
        fed_next[after.begin_id] = before.begin_id or before.pad_id
    return fed_next


def _first_id(rows: Array, fed: str) -> int:
    """Return the id with which every training row begins. Raises InvalidInput."""
    first = np.unique(rows[:, 0])
    if len(first) == 1:
        return int(first[0])
    text = f"The training rows of {fed} begin with {len(first)} different ids, so it is not known what to begin with."
    raise InvalidInput([Problem("error", "no_begin_symbol", fed, text, "Begin every row with the same id, or bind text.")])


def _last_id(rows: Array, pad_id: int | None) -> int | None:
    """Return the id that ends a sequence; None if there is none.

    It is the mark with which all training rows end before their padding; or else an id with which all rows end and after
    which they hold only that id; or else the id of padding.
    """
    if pad_id is not None and (mark := _end_mark(rows, rows != pad_id)) is not None:
        return mark
    last = rows[:, -1]
    if len(last) and (last == last[0]).all():
        seen = rows == last[0]
        if (np.logical_or.accumulate(seen, axis=1) == seen).all():
            return int(last[0])
    return pad_id


def _end_mark(rows: Array, shown: Array) -> int | None:
    """Return the id that is the last in every row and stands nowhere else; None if there is none.

    Only places where `shown` is true count.
    """
    if not len(rows) or not shown.any(axis=1).all():
        return None
    at = rows.shape[1] - 1 - shown[:, ::-1].argmax(axis=1)
    last = rows[np.arange(len(rows)), at]
    once = ((rows == last[0]) & shown).sum(axis=1) == 1
    return int(last[0]) if (last == last[0]).all() and once.all() else None
