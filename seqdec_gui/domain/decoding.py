"""How sequences are chosen by the probabilities of a model: strategies and constraints as values, checked in one place."""

from __future__ import annotations

import numbers
from typing import Any, TypeAlias

import msgspec

from seqdec_gui.domain.decoding_settings import SETTINGS
from seqdec_gui.domain.problems import InvalidInput, Problem

TRIES_PER_SAMPLE = 10
"""Draws for each wanted sample after which a row has as many different samples as were found."""


class _Strategy(msgspec.Struct, frozen=True, tag_field="name", forbid_unknown_fields=True):
    pass


class Greedy(_Strategy, frozen=True, tag="greedy"):
    """The likeliest symbol at every step, the first of equal ones."""


class Sampling(_Strategy, frozen=True, tag="sampling"):
    """A symbol drawn from softmax(log p / temperature), after filters that apply in the order of the fields.

    Attributes:
        temperature: Above 0; the greater it is, the more evenly symbols are drawn.
        top_k: Keep the k likeliest symbols, and those that are as likely as the last of them; 0 keeps all.
        top_p: Keep the fewest symbols, likeliest first, whose probabilities sum to at least this; 1 keeps all.
        min_p: Keep symbols that are at least this many times as likely as the likeliest; 0 keeps all.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0

    @property
    def filters(self) -> bool:
        """Whether some symbols may be left out."""
        return self.top_k > 0 or self.top_p < 1 or self.min_p > 0


class Beam(_Strategy, frozen=True, tag="beam"):
    """The best sequences of a beam search, whose score is the log-likelihood divided by length ** length_penalty.

    Attributes:
        width: How many unfinished sequences are continued at each step.
        length_penalty: 0 ranks by likelihood; above 0 favours long sequences, below 0 short ones. The end symbol counts.
        n_best: How many sequences of each row are returned, the best first.
        groups: Into how many groups of the same width the beam is divided.
        diversity: What a symbol loses, in log-likelihood, for each time that an earlier group chose it at the same step.
    """

    width: int = 5
    length_penalty: float = 0.0
    n_best: int = 1
    groups: int = 1
    diversity: float = 0.0


Strategy: TypeAlias = Greedy | Sampling | Beam


class Constraints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a sequence must be like; symbols are written as in the data: a text, words, or ids with spaces between them.

    Attributes:
        allow: The symbols that may be chosen; all if empty. A sequence may always end.
        forbid: Symbols that may not be chosen.
        prefix: What each sequence begins with.
        prefix_column: The column of the rows that gives the prefix of each row; an empty cell is no prefix.
        min_length: How many symbols a sequence has at least, without the end symbol.
    """

    allow: str = ""
    forbid: str = ""
    prefix: str = ""
    prefix_column: str = ""
    min_length: int = 0


GREEDY = Greedy()
UNCONSTRAINED = Constraints()


def at_temperature(temperature: float) -> Strategy:
    """Return the strategy of a temperature: greedy at 0."""
    return GREEDY if temperature == 0 else Sampling(temperature)


def answers_per_row(strategy: Strategy, count: int) -> int:
    """Return how many sequences a row gets at most; `count` is the number of samples."""
    return strategy.n_best if isinstance(strategy, Beam) else count


def check_decoding(
    strategy: Strategy, constraints: Constraints = UNCONSTRAINED, count: int = 1, unique: bool = False, seed: int = 0
) -> None:  # fmt: skip
    """Raise InvalidInput with every value that is out of its range, and with those that do not go together."""
    given: Any = strategy  # a script may give anything
    if not isinstance(given, _Strategy):
        text = f"Expected a strategy such as Greedy(), Sampling(0.8) or Beam(5), received {strategy!r}."
        raise _refused([text])
    found = [*_faults(strategy)]
    wholes: dict[str, Any] = {"the number of samples": count, "min_length": constraints.min_length, "the seed": seed}
    broken = [name for name, value in wholes.items() if not isinstance(value, numbers.Integral)]
    if broken:
        raise _refused([f"Expected {name} to be a whole number, received {wholes[name]!r}." for name in broken])
    if count < 1:
        found.append(f"Expected at least 1 sample per row, received {count}.")
    if isinstance(strategy, Beam) and count > 1:
        found.append(f"A beam search gives n_best sequences per row; expected n_best={count} in place of {count} samples.")
    if unique and not isinstance(strategy, Sampling):
        found.append("Only samples can repeat; expected a temperature above 0 for unique samples.")
    if constraints.min_length < 0:
        found.append(f"Expected min_length from 0, received {constraints.min_length}.")
    if constraints.prefix and constraints.prefix_column:
        found.append("Expected one prefix for all rows or a column of prefixes, received both.")
    if found:
        raise _refused(found)


def _refused(faults: list[str]) -> InvalidInput:
    return InvalidInput([Problem("error", "bad_decoding", "decoding", text) for text in faults])


def _faults(strategy: Strategy) -> list[str]:
    settings = SETTINGS[str(strategy.__struct_config__.tag)]
    faults = [fault for name, setting in settings.items() if (fault := setting.fault(name, getattr(strategy, name)))]
    if faults or not isinstance(strategy, Beam):
        return faults
    for name in ("n_best", "groups"):
        if getattr(strategy, name) > strategy.width:
            faults.append(f"Expected {name} from 1 to {strategy.width}, the width, received {getattr(strategy, name)}.")
    if not faults and strategy.width % strategy.groups:
        faults.append(f"Expected a width that {strategy.groups} groups divide evenly, received {strategy.width}.")
    if not faults and strategy.diversity and strategy.groups == 1:
        faults.append("Diversity holds between groups; expected at least 2 groups.")
    return faults
