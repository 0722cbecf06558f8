"""Where a model goes wrong: which symbols it confuses, at which places and lengths, and in which rows; needs no framework."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import msgspec

from seqdec_gui.runs.quality.edits import Edit, alignment

GAP = ""
"""What stands in a confusion for no symbol: what was left out, or put in."""
Order = Literal["edits", "likelihood"]
ORDERS: tuple[Order, ...] = ("edits", "likelihood")


class Pair(NamedTuple):
    """A row, its input and target as texts, what was generated, and both cut into tokens.

    `target_log_probability` is the log-likelihood of the target, `generated_log_probability` that of what was generated.
    """

    row: int
    input: str
    target: str
    generated: str
    target_tokens: Sequence[str]
    generated_tokens: Sequence[str]
    target_log_probability: float
    generated_log_probability: float


class Confusion(msgspec.Struct, frozen=True):
    """How often `generated` stands in the place of `target`; one of them is empty for what was put in or left out."""

    target: str
    generated: str
    count: int


class AtPosition(msgspec.Struct, frozen=True):
    """The errors at a place of the targets, counted from 1.

    `rows` targets are so long, `wrong` have another symbol there or none, and before `inserted` of them something was put in.
    What is put in after the last symbol stands at the place behind it.
    """

    position: int
    rows: int
    wrong: int
    inserted: int


class OfLength(msgspec.Struct, frozen=True):
    """The errors of the targets of one length: `rows` of them, of which `exact` are right, and all `edits`."""

    length: int
    rows: int
    exact: int
    edits: int


class Candidate(msgspec.Struct, frozen=True):
    """A symbol that could have been chosen, and its probability."""

    symbol: str
    probability: float


class StepChoice(msgspec.Struct, frozen=True):
    """One step of a generated sequence: what was chosen, its probability, and the likeliest symbols, the likeliest first."""

    chosen: str
    probability: float
    candidates: tuple[Candidate, ...]


class WrongRow(msgspec.Struct, frozen=True):
    """A row with errors. `alignment` has the kind of each edit: `=` same, `s` substitution, `i` insertion, `d` deletion."""

    row: int
    input: str
    target: str
    generated: str
    edits: int
    alignment: str
    target_log_probability: float
    generated_log_probability: float
    steps: tuple[StepChoice, ...] = ()


class Errors(msgspec.Struct, frozen=True):
    """The errors of a model on some rows.

    Attributes:
        split: Which rows of the run's data they are.
        rows: How many rows were decoded.
        exact: How many of them are right.
        tokens: The tokens of all targets.
        rate: What the error rate over them is called.
        short: The abbreviation of that name.
        confusion: Pairs of symbols by how often they were aligned, right ones included.
        positions: Errors by place, from the first place on.
        lengths: Errors by length of the target, the shortest first.
        worst: Rows with errors, the worst first.
    """

    split: str
    rows: int
    exact: int
    tokens: int
    substitutions: int
    insertions: int
    deletions: int
    rate: str
    short: str
    confusion: tuple[Confusion, ...]
    positions: tuple[AtPosition, ...]
    lengths: tuple[OfLength, ...]
    worst: tuple[WrongRow, ...]

    @property
    def edits(self) -> int:
        return self.substitutions + self.insertions + self.deletions

    @property
    def error_rate(self) -> float | None:
        """Edits divided by tokens; None where the targets have no tokens."""
        return self.edits / self.tokens if self.tokens else None

    @property
    def mistakes(self) -> list[Confusion]:
        """The confusions that are errors, the most frequent first."""
        return [each for each in self.confusion if each.target != each.generated]


LETTERS = {"same": "=", "substitution": "s", "insertion": "i", "deletion": "d"}


def errors_of(pairs: Iterable[Pair], split: str, rate: str, short: str, order: Order = "edits") -> Errors:
    """Return the errors of these pairs; `worst` has all rows with errors, in this order, without steps.

    Sorted by `edits`, rows with the same number are in the order of the likelihood of their targets, the least likely first;
    sorted by `likelihood` it decides alone.
    """
    confusion, kinds = Counter[tuple[str, str]](), Counter[str]()
    places, lengths = dict[int, list[int]](), dict[int, list[int]]()
    wrong, rows, exact = list[WrongRow](), 0, 0
    for pair in pairs:
        found = alignment(pair.target_tokens, pair.generated_tokens)
        edits = sum(edit.name != "same" for edit in found)
        rows, exact = rows + 1, exact + (not edits)
        kinds.update(edit.name for edit in found)
        confusion.update((edit.target or GAP, edit.generated or GAP) for edit in found)
        _count_places(places, found, len(pair.target_tokens))
        of_length = lengths.setdefault(len(pair.target_tokens), [0, 0, 0])
        for k, number in enumerate((1, not edits, edits)):
            of_length[k] += number
        if edits:
            wrong.append(
                WrongRow(
                    pair.row, pair.input, pair.target, pair.generated, edits, "".join(LETTERS[edit.name] for edit in found),
                    pair.target_log_probability, pair.generated_log_probability,
                )
            )  # fmt: skip
    wrong.sort(key=lambda each: (-each.edits if order == "edits" else 0, each.target_log_probability, each.row))
    return Errors(
        split=split, rows=rows, exact=exact, tokens=kinds["same"] + kinds["substitution"] + kinds["deletion"],
        substitutions=kinds["substitution"], insertions=kinds["insertion"], deletions=kinds["deletion"], rate=rate, short=short,
        confusion=tuple(
            Confusion(target, generated, count)
            for (target, generated), count in sorted(confusion.items(), key=lambda each: (-each[1], each[0]))
        ),
        positions=tuple(AtPosition(place + 1, *places[place]) for place in sorted(places)),
        lengths=tuple(OfLength(length, *lengths[length]) for length in sorted(lengths)),
        worst=tuple(wrong),
    )  # fmt: skip


def _count_places(places: dict[int, list[int]], found: Sequence[Edit], length: int) -> None:
    """Add an alignment to the rows, the wrong ones and those with insertions at each place, counted from 0."""
    for place in range(length):
        places.setdefault(place, [0, 0, 0])[0] += 1
    for edit in found:
        if edit.name in ("substitution", "deletion"):
            places[edit.position][1] += 1
    for place in {edit.position for edit in found if edit.name == "insertion"}:
        places.setdefault(place, [0, 0, 0])[2] += 1
