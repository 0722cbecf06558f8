"""The fewest edits that turn one sequence of tokens into another: their number, and which they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

EditName = Literal["same", "substitution", "insertion", "deletion"]


class Edit(NamedTuple):
    """One step of an alignment. `position` is the place in the target; what an insertion adds stands before it.

    `target` is None for an insertion, and `generated` is None for a deletion.
    """

    name: EditName
    position: int
    target: str | None
    generated: str | None


def distance(target: Sequence[str], generated: Sequence[str]) -> int:
    """Return the Levenshtein distance: the fewest substitutions, insertions and deletions of single tokens.

    By the bit vectors of Hyyrö (2003, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances"): one
    column of the table of distances is two whole numbers, with a bit for each row.
    """
    size = len(target)
    if not size:
        return len(generated)
    places: dict[str, int] = {}
    for place, token in enumerate(target):
        places[token] = places.get(token, 0) | 1 << place
    ones, last = (1 << size) - 1, 1 << (size - 1)
    rises, falls, score = ones, 0, size
    for token in generated:
        equal = places.get(token, 0)
        diagonal = (((equal & rises) + rises) ^ rises) | equal | falls
        up, down = falls | ~(diagonal | rises), rises & diagonal
        score += bool(up & last) - bool(down & last)
        up = up << 1 | 1
        rises, falls = (down << 1 | ~(diagonal | up)) & ones, up & diagonal & ones
    return score


def alignment(target: Sequence[str], generated: Sequence[str]) -> list[Edit]:
    """Return the edits of one alignment with the fewest edits, in the order of the target, `same` included.

    Of several such alignments it is the one that matches equal tokens as early as possible, and then substitutes: of a run of
    equal tokens the last is the one that is missing.
    """
    first = 0
    while first < min(len(target), len(generated)) and target[first] == generated[first]:
        first += 1
    edits = [Edit("same", place, target[place], target[place]) for place in range(first)]
    return [*edits, *_aligned(target, generated, first)]


def _aligned(target: Sequence[str], generated: Sequence[str], first: int) -> list[Edit]:
    """Return the edits from the place `first` on, before which both are equal: by dynamic programming, backwards."""
    rest, made = target[first:], generated[first:]
    width = len(made)
    left = [list(range(width, -1, -1))]  # left[-1][j]: edits between rest[i:] and made[j:]
    for i in range(len(rest) - 1, -1, -1):
        after, row = left[-1], [0] * width + [len(rest) - i]
        for j in range(width - 1, -1, -1):
            row[j] = after[j + 1] if rest[i] == made[j] else 1 + min(after[j + 1], after[j], row[j + 1])
        left.append(row)
    left.reverse()
    edits, i, j = list[Edit](), 0, 0
    while i < len(rest) or j < width:
        here = left[i][j]
        place = first + i
        if i < len(rest) and j < width and rest[i] == made[j] and here == left[i + 1][j + 1]:
            edits.append(Edit("same", place, rest[i], made[j]))
            i, j = i + 1, j + 1
        elif i < len(rest) and j < width and here == 1 + left[i + 1][j + 1]:
            edits.append(Edit("substitution", place, rest[i], made[j]))
            i, j = i + 1, j + 1
        elif i < len(rest) and here == 1 + left[i + 1][j]:
            edits.append(Edit("deletion", place, rest[i], None))
            i += 1
        else:
            edits.append(Edit("insertion", place, None, made[j]))
            j += 1
    return edits
