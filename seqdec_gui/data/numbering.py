"""Plans the ids of symbols: columns of text that belong together share one charset and one layout of marks.

Bindings of the same column belong together, and so do the input and the target of one decoder: weights and generated
sequences then mean the same symbol by the same id at both ends. `docs/decisions/0024-*` states the price.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from seqdec_gui.data.codecs import FittedText, TextNumbering
from seqdec_gui.data.demands import Demand, symbol_room
from seqdec_gui.data.fitting import TextPlan, charset_of, form_of, marks_of
from seqdec_gui.data.random_orders import Orders, surveyed
from seqdec_gui.data.sources import Source
from seqdec_gui.data.subwords import Vocabulary, is_subwords
from seqdec_gui.data.tokens import Survey, TextForm, survey
from seqdec_gui.data.vocabularies import vocabulary_of
from seqdec_gui.domain.bindings import Numbering, TextCodec
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import listed

Column = tuple[str, tuple[str, ...]]
"""The file and the names of the bound columns."""


class TextBinding(NamedTuple):
    """A port that takes text, with the column bound to it.

    `earlier` is the codec of an earlier run whose weights are the initial weights: symbols keep the ids that they have there.
    """

    demand: Demand
    source: Source
    codec: TextCodec
    column: Column
    earlier: FittedText | None = None
    vocabulary: Vocabulary | None = None
    """The subwords that were learned for this binding and for those with which it shares its ids."""

    @property
    def form(self) -> TextForm:
        """How its text is prepared and cut."""
        return form_of(self.codec)._replace(vocabulary=self.vocabulary)

    @property
    def port(self) -> str:
        return self.demand.port.port

    @property
    def initial_charset(self) -> tuple[str, ...]:
        """The charset of the earlier run, or else of the codec, to which further symbols are added."""
        return self.earlier.charset if self.earlier is not None else self.codec.charset

    def fits(self, symbols: int) -> bool:
        """Return whether the port, and the loss it teaches, have room for this many ids."""
        rooms = (symbol_room(port) for port in self.demand.ends)
        return all(room is None or symbols <= room for room in rooms)

    def marks(self) -> tuple[bool, bool]:
        """Return whether begin and end need an id: as the rows have these marks, or as in the earlier run."""
        return self.earlier.numbering.marks if self.earlier is not None else marks_of(self.codec, self.demand.port)


class _Surveyed(NamedTuple):
    """A binding and the survey of its rows."""

    binding: TextBinding
    seen: Survey
    orders: Orders | None = None

    @property
    def alone(self) -> TextNumbering:
        """The numbering that this binding needs by itself."""
        return _numbering([self])


def plan_texts(bindings: Sequence[TextBinding], default: Numbering) -> list[TextPlan | None]:
    """Return the plan of every binding, and None for a binding whose rows are not text, which `fit` reports.

    `default` is the design's `data.numbering`. If the blocks of a group have no room for the shared numbering, each binding of
    the group gets a numbering of its own, with a remark, unless a codec demands "shared".
    """
    surveys: dict[tuple[Column, TextForm], Survey] = {}
    orders: dict[tuple[Column, TextForm], Orders] = {}
    known: dict[int, _Surveyed] = {}
    bindings = _with_vocabularies(bindings, default)
    for place, binding in enumerate(bindings):
        key = (binding.column, binding.form)
        if is_subwords(binding.codec.tokens) and binding.vocabulary is None:
            continue
        try:
            if key not in surveys:
                surveys[key] = survey(binding.source.texts(), key[1])
            if binding.codec.random_order and key not in orders:
                orders[key] = surveyed(binding.source, binding.demand.training, binding.form)
        except InvalidInput:
            continue
        known[place] = _Surveyed(binding, surveys[key], orders[key] if binding.codec.random_order else None)
    plans: list[TextPlan | None] = [None] * len(bindings)
    for group in _groups({place: each.binding for place, each in known.items()}, default):
        members = [known[place] for place in group]
        for place, plan in zip(group, _plans(members), strict=True):
            plans[place] = plan
    return plans


def _with_vocabularies(bindings: Sequence[TextBinding], default: Numbering) -> list[TextBinding]:
    """Return the bindings with the vocabulary of each that needs one: that of the earlier run, or one learned by its group.

    Where none can be learned there is none, and the fit says why.
    """
    found = list(bindings)
    wanted = {place: each for place, each in enumerate(bindings) if is_subwords(each.codec.tokens)}
    for group in _groups(wanted, default):
        members = [wanted[place] for place in group]
        vocabulary = next((each.earlier.vocabulary for each in members if each.earlier is not None), None)
        if vocabulary is None:
            columns = {(each.column, form_of(each.codec)): (each.source, each.demand.training) for each in members}
            codecs = [each.codec for each in members]
            try:
                vocabulary = vocabulary_of([(*rows, form) for (_, form), rows in columns.items()], codecs)
            except InvalidInput:
                continue
        for place in group:
            found[place] = wanted[place]._replace(vocabulary=vocabulary)
    return found


def _groups(known: dict[int, TextBinding], default: Numbering) -> list[list[int]]:
    """Return groups of bindings that belong together, as sorted lists of their indices."""
    groups: list[list[int]] = []
    for place, each in known.items():
        near = [group for group in groups if any(_belong(known[other], each, default) for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append(sorted([place, *(other for group in near for other in group)]))
    return groups


def _belong(first: TextBinding, second: TextBinding, default: Numbering) -> bool:
    """Return whether two bindings share a numbering."""
    if first.form._replace(strip="none") != second.form._replace(strip="none"):
        return False
    connected = first.column == second.column or _ends_of_one_decoder(first, second) or _ends_of_one_decoder(second, first)
    if first.earlier is not None or second.earlier is not None:  # what the earlier run numbered alike stays so
        alike = first.earlier is not None and second.earlier is not None and first.earlier.numbering == second.earlier.numbering
        return connected and alike
    policies = [default if codec.numbering == "auto" else codec.numbering for codec in (first.codec, second.codec)]
    charsets = {charset for charset in (first.codec.charset, second.codec.charset) if charset}
    return connected and policies == ["shared", "shared"] and len(charsets) < 2


def _ends_of_one_decoder(fed: TextBinding, judged: TextBinding) -> bool:
    return bool(fed.demand.port.taught) and fed.demand.port.taught == judged.demand.port.name


def _numbering(members: Sequence[_Surveyed]) -> TextNumbering:
    """Return a numbering with the marks of all members and one charset: the initial charset, then further symbols, sorted."""
    marks = [each.binding.marks() for each in members]
    learned = members[0].binding.vocabulary
    if learned is not None:  # the same for all members
        return TextNumbering(learned.pieces, any(begin for begin, _ in marks), any(end for _, end in marks))
    initial = next((each.binding.initial_charset for each in members if each.binding.initial_charset), ())
    open_charsets = [each for each in members if each.binding.earlier is not None or not each.binding.codec.charset]
    surveys = [each.seen for each in open_charsets]
    surveys += [each.orders.seen for each in open_charsets if each.orders is not None]
    charset = charset_of(surveys, [each.binding.codec for each in members], initial)
    return TextNumbering(charset, any(begin for begin, _ in marks), any(end for _, end in marks))


def _plans(members: Sequence[_Surveyed]) -> Iterable[TextPlan]:
    together = _numbering(members)
    needed = together.symbols
    fits = all(each.binding.fits(needed) for each in members)
    demanded = any(each.binding.codec.numbering == "shared" or each.binding.earlier is not None for each in members)
    apart_fits = all(each.binding.fits(each.alone.symbols) for each in members)
    if fits or demanded or not apart_fits or len(members) == 1:
        unknown = any(each.binding.codec.has_unknown for each in members)
        return [TextPlan(together, each.seen, (), unknown, each.binding.vocabulary, each.orders) for each in members]
    ports = [each.binding.port for each in members]
    return [
        TextPlan(
            each.alone, each.seen, tuple(_numbered_apart(each.binding, ports, needed)), each.binding.codec.has_unknown,
            each.binding.vocabulary, each.orders,
        )
        for each in members
    ]  # fmt: skip


def _numbered_apart(binding: TextBinding, ports: Sequence[str], needed: int) -> list[Problem]:
    """Return a remark for every end of the binding that has no room for the shared numbering of its group."""
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
