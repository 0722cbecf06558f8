"""Keeps the fit of an earlier run for a run that starts from its weights: alphabets, marks, labels and scalers.

New symbols and labels are added after the known ones, so that every id that the weights know keeps its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec

from seqdec_gui.data.codecs import (
    FittedBits,
    FittedCategory,
    FittedCodec,
    FittedIds,
    FittedNumbers,
    FittedProjection,
    FittedText,
)
from seqdec_gui.data.demands import Demand, Fit, symbol_room
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.fitting import TextPlan, fit, marks_of, sorted_labels
from seqdec_gui.data.sources import Source
from seqdec_gui.data.tensor_feeds import TensorFeed
from seqdec_gui.domain.bindings import BitsCodec, CategoryCodec, Codec, IdsCodec, TextCodec, ValuesCodec, VectorCodec
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.problems import InvalidInput, Problem, errors
from seqdec_gui.domain.wording import counted

SYMBOLS_SHOWN = 20
"""The number of new symbols or labels that a message lists at most."""

FIT_ANEW = "Or choose to fit anew (--fit anew), which gives the weights other ids and scales than they know."
"""The last sentence of a hint about a codec that differs from that of the earlier run."""

_MARKS: dict[tuple[bool, bool], Literal["both", "begin", "end", "none"]] = {
    (True, True): "both",
    (True, False): "begin",
    (False, True): "end",
    (False, False): "none",
}
"""The value of `TextCodec.marks` for rows that have (a begin mark, an end mark)."""


class Kept(NamedTuple):
    """Instructions for fitting a binding: use `codec`, and keep the alphabet, labels or scaler of `earlier` unchanged."""

    codec: Codec | None
    earlier: FittedCodec | None = None
    problems: tuple[Problem, ...] = ()


class Growth(NamedTuple):
    """A port that has another alphabet, or room for another number of ids, than in the earlier run.

    Its first `known` ids mean the same in both runs. `room_before` and `room` are the numbers of ids that the blocks of the
    earlier run and of this run have room for.
    """

    port: DataPort
    known: int
    room_before: int
    room: int


@dataclass(frozen=True)
class EarlierFit:
    """The fit of an earlier run.

    `name` is the name of that run and `fitted` its fit. `ports` maps each port of the new design to the name of the same port
    in the earlier run. `rooms` maps the names of the earlier run to the number of ids that the port had room for.
    """

    fitted: Fitted
    name: str
    ports: Mapping[str, str]
    rooms: Mapping[str, int | None]

    def kept(self, demand: Demand, source: Source, codec: Codec | None) -> Kept:
        """Return what a binding keeps of the earlier run; `codec` is the codec of the binding in the new design."""
        where = demand.port.port
        feed = self._feed(demand.port.name)
        if feed is None:
            text = f"{where} was not trained by {self.name}; its column is fitted anew."
            return Kept(codec, None, (Problem("warning", "not_in_earlier_run", where, text),))
        known = self.fitted.port(feed.array).codec
        taught = self._feed(demand.taught.name) if demand.taught is not None else None
        if taught is not None and taught.array != feed.array:
            known, wrong = _of_both_ends(known, self.fitted.port(taught.array).codec, demand)
            if wrong:
                return Kept(codec, known, wrong)
        if demand.port.role == "target" and feed.first == 1 and isinstance(known, FittedText):  # no begin mark of its own
            known = msgspec.structs.replace(known, begin=False, begin_reserved=known.begin or known.begin_reserved)
        differences = _differences(codec, known, demand.port)
        if differences:
            text = f"{source.label}: the codec of {where} is not what {self.name} was trained with: {'; '.join(differences)}."
            hint = f"Leave the codec to the earlier run (automatic). {FIT_ANEW}"
            return Kept(codec, None, (Problem("error", "fit_differs", where, text, hint),))
        return _kept(codec, known, source)

    def growths(self, fitted: Fitted, ports: Sequence[DataPort]) -> tuple[Growth, ...]:
        """Return the ports that have another alphabet or room in `fitted`, the fit of the new run, than in the earlier run."""
        growths = []
        for port in ports:
            before, now = self._feed(port.name), next((feed for feed in fitted.feeds if feed.name == port.name), None)
            room, room_before = symbol_room(port), self.rooms.get(self.ports.get(port.name, ""))
            if before is None or now is None or not room or not room_before:
                continue
            old, new = self.fitted.port(before.array).codec, fitted.port(now.array).codec
            known = min(_ids(old, room_before), room_before)
            if room != room_before or _ids(new, room) > known:
                growths.append(Growth(port, known, room_before, room))
        return tuple(growths)

    def compared(self, fitted: Fitted) -> list[str]:
        """Return a sentence for each port whose new fit differs from the earlier one."""
        differences = []
        for feed in fitted.feeds:
            before = self._feed(feed.name)
            if before is not None:
                old, new = self.fitted.port(before.array).codec, fitted.port(feed.array).codec
                differences += [f"{feed.name}: {words}" for words in [_compared(old, new)] if words]
        return differences

    def _feed(self, name: str) -> TensorFeed | None:
        """Return the feed of the earlier run for a port of the new design; None if it had none."""
        old = self.ports.get(name)
        return next((feed for feed in self.fitted.feeds if feed.name == old), None)


def fitted_with(kept: Kept, demand: Demand, source: Source, plan: TextPlan | None) -> Fit:
    """Fit a binding and keep what `kept` holds; new symbols, new labels and longer rows become remarks."""
    if errors(kept.problems):
        return Fit(None, (), list(kept.problems))
    new_fit = fit(demand, source, kept.codec, plan)
    new_fit = new_fit._replace(problems=[*kept.problems, *new_fit.problems])
    if kept.earlier is None or new_fit.codec is None:
        return new_fit
    codec, differences = _with_earlier(new_fit.codec, kept.earlier, demand, source)
    feeds = new_fit.feeds
    if isinstance(codec, FittedIds):
        feeds = tuple(msgspec.structs.replace(feed, pad_id=codec.pad_id) for feed in feeds)
    return Fit(codec, feeds, [*new_fit.problems, *differences])


# -- what stays
def _kept(codec: Codec | None, known: FittedCodec, source: Source) -> Kept:
    """Return the codec that fits a column in the way of the earlier run, with new labels after the known ones."""
    match known:
        case FittedText():
            text_codec = codec if isinstance(codec, TextCodec) else TextCodec()
            marks, length = _MARKS[known.begin, known.end], text_codec.length
            kept_codec = TextCodec(
                known.tokens, (), length, marks, known.padding, known.reverse, known.lowercase, normalise=known.normalise,
                strip=known.strip, unknown=known.unknown, longer=text_codec.longer, random_order=text_codec.random_order,
            )  # fmt: skip
            longer_charset = text_codec.charset if len(text_codec.charset) > len(known.charset) else known.charset
            return Kept(kept_codec, msgspec.structs.replace(known, charset=longer_charset))
        case FittedCategory():
            codec_labels = codec.labels if isinstance(codec, CategoryCodec) else ()
            labels = codec_labels if len(codec_labels) > len(known.labels) else known.labels
            try:
                new = sorted_labels(source)
            except InvalidInput:  # no labels at all, which the fit reports
                new = []
            return Kept(CategoryCodec((*labels, *(label for label in new if label not in labels))), known)
        case FittedIds():
            return Kept(IdsCodec(known.pad_id), known)
        case FittedProjection():
            missing: Literal["refuse", "mean"] = "mean" if known.fill else "refuse"
            return Kept(VectorCodec(components=float(len(known.axes)), missing=missing), known)
        case FittedNumbers():
            return Kept(ValuesCodec("mean" if known.fill else "refuse"), known)
        case FittedBits():
            return Kept(BitsCodec(known.bits), known)


def _of_both_ends(fed: FittedCodec, judged: FittedCodec, demand: Demand) -> tuple[FittedCodec, tuple[Problem, ...]]:
    """Return one codec for a column that gives both input and targets, where the earlier run had a column for each."""
    if isinstance(fed, FittedText) and isinstance(judged, FittedText) and fed.numbering == judged.numbering:
        return msgspec.structs.replace(fed, begin=fed.begin, end=judged.end, end_reserved=False), ()
    if isinstance(fed, FittedIds) and isinstance(judged, FittedIds):
        return fed, ()
    assert demand.taught is not None
    text = (
        f"The earlier run gave the same symbol different ids at {demand.port.port} and at {demand.taught.port}, so one column "
        "cannot feed both."
    )
    hint = f"Bind {demand.taught.port} to a column of its own, as it was there. {FIT_ANEW}"
    return fed, (Problem("error", "fit_differs", demand.port.port, text, hint),)


def _differences(codec: Codec | None, known: FittedCodec, port: DataPort) -> list[str]:
    """Return, in words, each setting of the design's codec that contradicts the earlier fit."""
    match codec, known:
        case None, _:
            return []
        case TextCodec(), FittedText():
            differences = [
                f"{name} is {_shown(value)} here and was {_shown(earlier_value)} there"
                for name in ("tokens", "padding", "reverse", "lowercase", "normalise")
                if (value := getattr(codec, name)) != (earlier_value := getattr(known, name))
            ]
            common = min(len(codec.charset), len(known.charset))
            if codec.charset[:common] != known.charset[:common]:
                differences.append("the charset has other symbols, or the same in another order")
            if codec.marks != "auto" and marks_of(codec, port) != (known.begin, known.end):
                differences.append(f"marks are {codec.marks} here, and those there {_MARKS[known.begin, known.end]}")
            return differences
        case CategoryCodec(), FittedCategory():
            common = min(len(codec.labels), len(known.labels))
            alike = codec.labels[:common] == known.labels[:common]
            return [] if alike else ["the labels differ, or stand in another order"]
        case IdsCodec(), FittedIds():
            alike = codec.pad_id in (None, known.pad_id)
            return [] if alike else [f"the id of padding is {codec.pad_id} here and was {known.pad_id} there"]
        case VectorCodec(components=components), FittedNumbers() if (components is None) == isinstance(known, FittedProjection):
            return [f"the vector was {'' if components is None else 'not '}reduced to principal components there"]
        case (BitsCodec(), FittedBits()) | (VectorCodec(standardise="auto"), FittedNumbers()):
            return []
        case VectorCodec() | ValuesCodec(), FittedNumbers():
            alike = (isinstance(codec, VectorCodec) and codec.standardise is True) == bool(known.mean)
            return [] if alike else [f"numbers were {'' if known.mean else 'not '}standardised there"]
        case _:
            return [f"it is {_tag(codec)} here and was {_tag(known)} there"]


def _shown(value: object) -> str:
    return {True: "on", False: "off"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _tag(codec: Codec | FittedCodec) -> str:
    return str(type(codec).__struct_config__.tag)


# -- what is new
def _with_earlier(
    new: FittedCodec, known: FittedCodec, demand: Demand, source: Source
) -> tuple[FittedCodec, list[Problem]]:  # fmt: skip
    """Return the new codec with what stays of the earlier one, and remarks on new symbols, labels and longer rows."""
    where = demand.port.port
    match new, known:
        case FittedText(), FittedText():
            notes = _new(new.charset[len(known.charset) :], "symbol", len(known.charset), source, where)
            if demand.steps[0] is not None:
                return new, notes
            if new.length > known.length:
                text = f"{source.label}: the longest row takes {new.length} ids; the earlier run stored {known.length}."
                hint = "Rows are stored longer; the weights do not depend on it."
                notes.append(Problem("info", "longer_rows", where, text, hint))
            return msgspec.structs.replace(new, length=max(new.length, known.length)), notes
        case FittedCategory(), FittedCategory():
            return new, _new(new.labels[len(known.labels) :], "label", len(known.labels), source, where)
        case FittedIds(), FittedIds():
            if new.depth != known.depth and known.pad_id is not None and known.pad_id in (new.depth, known.depth):
                text = f"{source.label} gives padding another id than in the earlier run: rows there were {_of_depth(known)}."
                return new, [Problem("error", "fit_differs", where, text, f"Store them so. {FIT_ANEW}")]
            hollow = known.pad_id is None and new.depth > 0 and new.pad_id == new.depth  # steps without a symbol are new
            return new if hollow else msgspec.structs.replace(new, pad_id=known.pad_id), []
        case FittedProjection(), FittedProjection() if new.shape == known.shape and len(new.axes) == len(known.axes):
            return msgspec.structs.replace(known, low=new.low, high=new.high), []
        case FittedBits(), FittedBits():
            return known, []
        case FittedNumbers(), FittedNumbers() if not isinstance(known, FittedProjection):
            if known.mean and new.shape[-1:] != (len(known.mean),):
                text = f"{source.label} has rows of shape {new.shape}; the earlier run standardised {len(known.mean)} values."
                return new, [Problem("error", "wrong_shape", where, text, f"Bind as many values as there were. {FIT_ANEW}")]
            return FittedNumbers(new.shape, known.mean, known.deviation, known.fill, new.low, new.high), []
        case _:
            text = f"{source.label} was bound as {_tag(known)} in the earlier run, and is {_tag(new)} now."
            return new, [Problem("error", "fit_differs", where, text, f"Bind a column of the same kind. {FIT_ANEW}")]


def _of_depth(codec: FittedIds) -> str:
    return f"one-hot of {codec.depth}" if codec.depth else "ids"


def _new(new: Sequence[str], what: str, known: int, source: Source, where: str) -> list[Problem]:
    if not new:
        return []
    listed = ", ".join(map(repr, new[:SYMBOLS_SHOWN])) + (", ..." if len(new) > SYMBOLS_SHOWN else "")
    count = counted(len(new), f"new {what}")
    text = f"{source.label}: {count} ({listed}) after the {known} of the earlier run, which keep their ids."
    return [Problem("info", f"new_{what}s", where, text)]


def _ids(codec: FittedCodec, room: int) -> int:
    """Return how many ids of a column have a meaning; with ids from the file, every id of `room` may have one."""
    match codec:
        case FittedText():
            return codec.symbols
        case FittedCategory():
            return len(codec.labels)
        case _:
            return room


def _compared(old: FittedCodec, new: FittedCodec) -> str:
    """Return how a new codec differs from the earlier one, in words; empty if it does not."""
    match old, new:
        case FittedText(), FittedText():
            same = old.numbering == new.numbering
            parts = [] if same else [f"{new.symbols} symbols (the weights know {old.symbols}), or other ids for the same ones"]
            for name in ("padding", "reverse"):
                if getattr(old, name) != getattr(new, name):
                    parts.append(f"{name} {_shown(getattr(new, name))} instead of {_shown(getattr(old, name))}")
            return ", ".join(parts)
        case FittedCategory(), FittedCategory():
            return "" if old == new else f"{len(new.labels)} labels, where the weights know {len(old.labels)}, or other places"
        case FittedNumbers(), FittedNumbers():
            return "" if (old.mean, old.deviation) == (new.mean, new.deviation) else "another mean and deviation"
        case _:
            return "" if type(old) is type(new) else f"{_tag(new)} instead of {_tag(old)}"
