"""Judges a mapping from what is predicted to what is fed, and says it in words."""

from __future__ import annotations

from seqdec_gui.data.feed_map import BEGIN, FeedMap, feeding
from seqdec_gui.data.number_map import CONSTANT, FIRST, number_feeding
from seqdec_gui.domain.wording import counted
from seqdec_gui.runs.generate_inputs import Predictions


def in_words(mapping: FeedMap, predicted: Predictions) -> str:
    """Return what a mapping says, a sentence or two. Raises InvalidInput where it does not fit the run."""
    if predicted.numbers:
        of_numbers = number_feeding(mapping, predicted.width, predicted.taken)
        rest = predicted.taken - of_numbers.given
        others = f" {rest} {'stays' if rest == 1 else 'stay'} as in the first step, or at a value." if rest else ""
        return f"It feeds {counted(of_numbers.given, 'predicted number')} in {predicted.taken}.{others}"
    assert predicted.fed is not None
    feed = feeding(mapping, predicted.fed.codec, predicted.port.codec, predicted.width, predicted.taken)
    given = int((feed.fed_next >= 0).sum())
    rest_of = "" if given == predicted.width else f" The other {predicted.width - given} are never chosen, except the end."
    return f"It maps {counted(given, 'symbol')} of {predicted.width}.{rest_of}"


def explanation(predicted: Predictions) -> str:
    """Return what is to be filled in, for a dialog."""
    if predicted.numbers:
        return (
            f"The decoder predicts {counted(predicted.width, 'number')} per step and takes {predicted.taken}. Say for each "
            f"number that is fed where it comes from: the place of a predicted number from 0 to {predicted.width - 1}, "
            f"{CONSTANT}0.5 for one that is always fed, or {FIRST} for one that stays as it is in the first step. "
            f"“{BEGIN}” is the first step, if it is the same for all rows: {predicted.taken} numbers with spaces between them, "
            "in the units of the data."
        )
    return (
        f"The decoder predicts {predicted.width} symbols and takes {predicted.taken}. Say for each predicted symbol which "
        f"is fed next: a symbol of the data, or an id from 0 to {predicted.taken - 1}. A symbol without one is never "
        f"chosen, except the end. “{BEGIN}” is what is fed first."
    )
