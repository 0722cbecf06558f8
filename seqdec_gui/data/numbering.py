"""Which columns of text number their symbols alike, and how: one charset and one layout of marks for each group.

Bindings of the same column belong together, and so do the input and the target of one decoder: weights and generated
sequences then mean the same symbol by the same id at both ends. `docs/decisions/0024-*` states the price.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from seqdec_gui.data.codecs import FittedText, TextNumbering
from seqdec_gui.data.fitting import Demand, TextPlan, marks_of, symbol_room, symbols_in
from seqdec_gui.data.sources import Source
from seqdec_gui.data.tokens import Survey, TokenKind, survey
from seqdec_gui.domain.bindings import Numbering, TextCodec
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import listed

Column = tuple[str, tuple[str, ...]]
"""The file and the names of the bound columns."""


class TextBinding(NamedTuple):
    """A port that takes text. `earlier` is the codec of a run whose weights are taken, which the symbols keep their ids of."""

    demand: Demand
    source: Source
    codec: TextCodec
    column: Column
    earlier: FittedText | None = None

    @property
    def port(self) -> str:
        return self.demand.port.port

    @property
    def given(self) -> tuple[str, ...]:
        """The charset that the symbols of the rows are added to: that of an earlier run, or of the codec."""
        return self.earlier.charset if self.earlier is not None else self.codec.charset

    def fits(self, symbols: int) -> bool:
        """Whether every end of the wire has room for this many ids."""
        rooms = (symbol_room(port) for port in self.demand.ends)
        return all(room is None or symbols <= room for room in rooms)

    def marks(self) -> tuple[bool, bool]:
        """Which marks need an id: those that the rows have, or those that had one in an earlier run."""
        return self.earlier.numbering.marks if self.earlier is not None else marks_of(self.codec, self.demand.port)


class _Surveyed(NamedTuple):
    """A binding and what its rows hold."""

    binding: TextBinding
    seen: Survey

    @property
    def alone(self) -> TextNumbering:
        """The numbering that this binding needs by itself."""
        return _numbering([self])


def plan_texts(bindings: Sequence[TextBinding], default: Numbering) -> list[TextPlan | None]:
    """The plan of every binding; None where its rows are no text, which `fit` reports.

    `default` is the design's `data.numbering`. A group whose blocks have no room for the shared numbering is numbered each
    by itself, with a remark, unless a codec demands "shared".
    """
    surveys: dict[tuple[Column, TokenKind, bool], Survey] = {}
    known: dict[int, _Surveyed] = {}
    for place, binding in enumerate(bindings):
        key = (binding.column, binding.codec.tokens, binding.codec.lowercase)
        try:
            if key not in surveys:
                surveys[key] = survey(binding.source.texts(), *key[1:])
        except InvalidInput:
            continue
        known[place] = _Surveyed(binding, surveys[key])
    plans: list[TextPlan | None] = [None] * len(bindings)
    for group in _groups(known, default):
        members = [known[place] for place in group]
        for place, plan in zip(group, _plans(members), strict=True):
            plans[place] = plan
    return plans


def _groups(known: dict[int, _Surveyed], default: Numbering) -> list[list[int]]:
    """Places of the bindings that belong together, in their order."""
    groups: list[list[int]] = []
    for place, each in known.items():
        near = [group for group in groups if any(_belong(known[other].binding, each.binding, default) for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append(sorted([place, *(other for group in near for other in group)]))
    return groups


def _belong(one: TextBinding, other: TextBinding, default: Numbering) -> bool:
    """Whether two bindings are numbered together."""
    if (one.codec.tokens, one.codec.lowercase) != (other.codec.tokens, other.codec.lowercase):
        return False
    connected = one.column == other.column or _ends_of_one_decoder(one, other) or _ends_of_one_decoder(other, one)
    if one.earlier is not None or other.earlier is not None:  # what the earlier run numbered alike stays so
        alike = one.earlier is not None and other.earlier is not None and one.earlier.numbering == other.earlier.numbering
        return connected and alike
    wanted = [default if codec.numbering == "auto" else codec.numbering for codec in (one.codec, other.codec)]
    charsets = {charset for charset in (one.codec.charset, other.codec.charset) if charset}
    return connected and wanted == ["shared", "shared"] and len(charsets) < 2


def _ends_of_one_decoder(fed: TextBinding, judged: TextBinding) -> bool:
    return bool(fed.demand.port.taught) and fed.demand.port.taught == judged.demand.port.name


def _numbering(members: Sequence[_Surveyed]) -> TextNumbering:
    """The union of the marks, and one charset: a given one first, then the symbols that are not in it, sorted."""
    marks = [each.binding.marks() for each in members]
    given = next((each.binding.given for each in members if each.binding.given), ())
    open_charsets = [each for each in members if each.binding.earlier is not None or not each.binding.codec.charset]
    further = {symbol for each in open_charsets for symbol in symbols_in(each.seen)}.difference(given)
    return TextNumbering((*given, *sorted(further)), any(begin for begin, _ in marks), any(end for _, end in marks))


def _plans(members: Sequence[_Surveyed]) -> Iterable[TextPlan]:
    together = _numbering(members)
    needed = together.symbols
    fits = all(each.binding.fits(needed) for each in members)
    demanded = any(each.binding.codec.numbering == "shared" or each.binding.earlier is not None for each in members)
    apart_fits = all(each.binding.fits(each.alone.symbols) for each in members)
    if fits or demanded or not apart_fits or len(members) == 1:
        return [TextPlan(together, each.seen) for each in members]
    ports = [each.binding.port for each in members]
    return [TextPlan(each.alone, each.seen, tuple(_numbered_apart(each.binding, ports, needed))) for each in members]


def _numbered_apart(binding: TextBinding, ports: Sequence[str], needed: int) -> list[Problem]:
    """A remark for every end of this binding that has no room for the numbering that its group could share."""
    others = listed([port for port in ports if port != binding.port])
    return [
        Problem(
            "info",
            "numbered_apart",
            binding.port,
            f"{binding.source.label} and {others} give the same symbol different ids: {end.width_at or end.port} has room for "
            f"{room}, and ids for both need {needed}.",
            f"Set {end.width_at}={needed} to number them alike." if end.width_at else f"Make it {needed} wide.",
            needed,
        )
        for end in binding.demand.ends
        if (room := symbol_room(end)) is not None and needed > room
    ]
