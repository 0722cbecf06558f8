"""Search that forgives: which texts match what was typed, and how well."""

from __future__ import annotations

from typing import NamedTuple

_WHOLE = 100
"""The score of a word that occurs as it was typed."""
_INITIALS = 60
"""The score of a word whose letters begin words of the text."""
_SCATTERED = 20
"""The score of a word whose letters occur in their order, before the gaps between them are taken off."""


class Match(NamedTuple):
    """How well a text matches (more is better), and the places of the letters that do."""

    score: float
    places: tuple[int, ...]


def match(query: str, text: str) -> Match | None:
    """Return how the text matches the query, None if it does not.

    Each word of the query has to occur: as it is, as the first letters of words (`zf`: Zoom to Fit), or as letters in their
    order (`exprt`: Export). The case of letters does not matter. An empty query matches everything alike.
    """
    lowered = text.lower()
    if len(lowered) != len(text):  # some capitals become two letters, and places would be wrong
        lowered = text
    score, places = 0.0, set[int]()
    for word in query.lower().split():
        found = _whole(word, lowered) or _initials(word, lowered) or _scattered(word, lowered)
        if found is None:
            return None
        score += found.score
        places.update(found.places)
    return Match(score - len(text) / 100, tuple(sorted(places)))


def _whole(word: str, text: str) -> Match | None:
    at, best = text.find(word), -1
    while at >= 0:
        if best < 0 or (_begins_word(text, at) and not _begins_word(text, best)):
            best = at
        at = text.find(word, at + 1)
    if best < 0:
        return None
    bonus = 50 if best == 0 else 30 if _begins_word(text, best) else 0
    return Match(_WHOLE + bonus, tuple(range(best, best + len(word))))


def _initials(word: str, text: str) -> Match | None:
    starts = [at for at in range(len(text)) if _begins_word(text, at)]
    places: list[int] = []
    for at in starts:
        if len(places) < len(word) and text[at] == word[len(places)]:
            places.append(at)
    return Match(_INITIALS + len(word), tuple(places)) if len(places) == len(word) else None


def _scattered(word: str, text: str) -> Match | None:
    """Return the shortest stretch of the text that has the letters in their order, if it is not too long."""
    best: list[int] | None = None
    for start in range(len(text)):
        if text[start] != word[0]:
            continue
        places = [start]
        for letter in word[1:]:
            at = text.find(letter, places[-1] + 1)
            if at < 0:
                break
            places.append(at)
        if len(places) == len(word) and (best is None or places[-1] - places[0] < best[-1] - best[0]):
            best = places
    if best is None or best[-1] - best[0] >= 3 * len(word):
        return None
    return Match(_SCATTERED - (best[-1] - best[0] - len(word)), tuple(best))


def _begins_word(text: str, at: int) -> bool:
    return text[at].isalnum() and (at == 0 or not text[at - 1].isalnum())
