"""What a sampler has learnt from the training rows, written down: a bundle generates with it, without the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from seqdec_gui.data.codecs import FittedCategory, FittedIds, FittedText
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.symbols import Symbols, begin_mark
from seqdec_gui.domain.problems import InvalidInput

MOST_STEPS = 1_000_000
"""Most steps of a sequence; a damaged number would ask for all of the memory."""


class RecordedSymbols(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of `Symbols` that are data; how ids are read follows from the fit.

    `texts` are the texts of the predicted ids, for other programs that sample with the one-step decoder; marks have none.
    """

    begin: int
    end: int | None
    steps: int
    allowed: tuple[bool, ...]
    fed_next: tuple[int, ...]
    ends: bool
    texts: tuple[str, ...] = ()


class Recorded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a decoder: its symbols, or with what step of numbers it begins (None: each row gives its own)."""

    symbols: RecordedSymbols | None = None
    begin: tuple[float, ...] | None = None
    steps: int = 0


def recorded_symbols(symbols: Symbols) -> RecordedSymbols:
    """The symbols as data."""
    allowed, fed_next = (np.asarray(array).tolist() for array in (symbols.allowed, symbols.fed_next))
    texts = tuple(symbols.read([number]) if may else "" for number, may in enumerate(allowed))
    return RecordedSymbols(symbols.begin, symbols.end, symbols.steps, tuple(allowed), tuple(fed_next), symbols.ends, texts)


def symbols_from(recorded: RecordedSymbols, fitted: Fitted, loss: str, width: int, taken: int = 0) -> Symbols:
    """The symbols of predictions for a loss, after each of which one of `taken` is fed (0: of as many as are predicted).

    Raises InvalidInput where record and fit do not go together.
    """
    feed = next((feed for feed in fitted.feeds if feed.name == loss), None)
    codec: Any = None if feed is None else fitted.port(feed.array).codec
    fits = len(recorded.allowed) == len(recorded.fed_next) == width and any(recorded.allowed)
    fits = fits and 0 < recorded.steps <= MOST_STEPS
    fed = (recorded.begin, *recorded.fed_next)
    fits = fits and 0 <= min(fed) <= max(fed) < (taken or width) and 0 <= (recorded.end or 0) < width
    if feed is None or not fits or not isinstance(codec, FittedText | FittedCategory | FittedIds):
        raise InvalidInput(f"What is recorded of the symbols of {loss} does not go with its alphabet.", "damaged_bundle")
    read: Callable[[Sequence[int]], str] = getattr(codec, "decode", str)
    if isinstance(codec, FittedIds):
        mark = recorded.end if codec.pad_id is not None else None

        def read_ids(numbers: Sequence[int]) -> str:
            shown = [int(number) for number in numbers]
            return " ".join(map(str, shown[: shown.index(mark)] if mark is not None and mark in shown else shown))

        read = read_ids
    return Symbols(
        recorded.begin,
        recorded.end,
        recorded.steps,
        np.array(recorded.allowed, bool),
        np.array(recorded.fed_next, np.int64),
        read,
        recorded.ends,
        begin_mark(codec, feed),
    )
