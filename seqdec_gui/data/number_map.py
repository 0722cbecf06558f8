"""Says where each number that a decoder is fed comes from, for a decoder of numbers that takes others than it predicts."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from seqdec_gui.data.feed_map import BEGIN, FeedMap
from seqdec_gui.data.formats.base import Array
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import shortened

FIRST = "=first"
"""What stands in the place of a predicted number for one that stays as it is in the first step."""
CONSTANT = "="
"""What a number begins with that is always fed, in the place of a predicted one: =0.5."""


class NumberFeeding(NamedTuple):
    """For each fed number the number of the predicted one, -1 where it is `constant`: NaN is that of the first step.

    `begin` is the first step, `(taken,)`, if it is given. All in the units of the data, float64.
    """

    source: Array
    constant: Array
    begin: Array | None

    @property
    def given(self) -> int:
        """How many numbers are predicted ones."""
        return int((self.source >= 0).sum())


def number_feeding(feed_map: FeedMap, width: int, taken: int) -> NumberFeeding:
    """Return where each of `taken` fed numbers comes from, of `width` predicted ones. Raises InvalidInput.

    Numbers of a step are called by their place, from 0. Each fed one has to stand in the mapping, and once.
    """
    source, constant = np.full(taken, -1), np.full(taken, np.nan)
    said = np.zeros(taken, bool)
    for predicted, fed in feed_map.pairs:
        place = _place(fed, taken, "fed")
        if said[place]:
            raise _wrong(f"it says twice what number {place} of a fed step is")
        said[place] = True
        if not predicted.startswith(CONSTANT):
            source[place] = _place(predicted, width, "predicted")
        elif predicted.strip() != FIRST:
            constant[place] = _number(predicted.removeprefix(CONSTANT), "predicted")
    if not said.all():
        lacking = ", ".join(map(str, np.flatnonzero(~said)[:5].tolist()))
        hint = f"Each needs a row: a predicted number, {CONSTANT}0.5 for one that is always fed, or {FIRST}."
        raise _wrong(f"it does not say what is fed as number {lacking} of a step, from 0 to {taken - 1}", hint)
    begin = None
    if feed_map.begin:
        begin = np.array([_number(text, BEGIN) for text in feed_map.begin.replace(",", " ").split()])
        if len(begin) != taken:
            raise _wrong(f"its first step has {len(begin)} numbers, and {taken} are fed")
    return NumberFeeding(source, constant, begin)


def _place(text: str, width: int, column: str) -> int:
    if text.strip().isdecimal() and len(text) < 10 and int(text) < width:
        return int(text)
    raise _wrong(f"it has {shortened(text, 40)!r} as {column}; expected the place of a number in a step, from 0 to {width - 1}")


def _number(text: str, column: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _wrong(f"it has {shortened(text, 40)!r} as {column}; expected a number")
    return number


def _wrong(why: str, hint: str = "") -> InvalidInput:
    text = f"The mapping of numbers cannot be used: {why}."
    return InvalidInput([Problem("error", "bad_feed_map", "feed_map", text, hint)])
