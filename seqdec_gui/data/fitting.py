"""Fits the codec of one port to the rows that are bound to it, and makes the feeds of the model from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from seqdec_gui.data.codecs import (
    UNKNOWN,
    FittedCategory,
    FittedCodec,
    FittedIds,
    FittedNumbers,
    FittedText,
    TextNumbering,
    not_finite,
)
from seqdec_gui.data.formats.base import Array
from seqdec_gui.data.padding import has_zeros, likely_padding, stands_inside
from seqdec_gui.data.scaling import choose_scaling
from seqdec_gui.data.sources import NumberSurvey, Source, survey_numbers
from seqdec_gui.data.tensor_feeds import TensorFeed
from seqdec_gui.data.tokens import Strip, Survey, TextForm, survey
from seqdec_gui.domain.bindings import CategoryCodec, Codec, IdsCodec, TextCodec, ValuesCodec, VectorCodec
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.types import Shape
from seqdec_gui.domain.wording import counted

EXACT_WHOLE = 2**24
"""The largest number up to which float32 holds all whole numbers."""


class Fit(NamedTuple):
    """The result of a fit: the codec (None where none could be fitted), its feeds, and every problem."""

    codec: FittedCodec | None
    feeds: tuple[TensorFeed, ...]
    problems: list[Problem]


class Demand(NamedTuple):
    """The demands on one column: values for `port`, and targets for the loss `taught` too unless that is None.

    `training` is true for the rows that train (bool, one per row).
    """

    port: DataPort
    taught: DataPort | None
    training: Array
    extra: int
    """How many more steps are stored than the port takes: 1 where the port takes `[0:-1]`."""

    @property
    def steps(self) -> Shape:
        """The port's shape without the axis of symbols or classes."""
        kind = self.port.type
        return kind.shape if kind.dtype == "int32" else kind.shape[:-1]

    @property
    def stored_steps(self) -> Shape:
        """The shape that is stored for a row, `extra` steps included, without the axis of symbols or classes."""
        steps = self.steps
        return (steps[0] + self.extra, *steps[1:]) if steps and steps[0] is not None else steps

    @property
    def ends(self) -> list[DataPort]:
        """The port, and the loss whose targets the column gives too."""
        return [self.port] if self.taught is None else [self.port, self.taught]

    def too_narrow(self, code: str, needed: int, finding: str) -> list[Problem]:
        """Return a problem for every one of `ends` that has no room for `needed` symbols or labels.

        `finding` is the first half of the sentence: how many symbols or labels the column has.
        """
        return [
            Problem(
                "error",
                code,
                port.port,
                f"{finding}; {port.width_at or port.port} has room for {room}.",
                f"Set {port.width_at}={needed}." if port.width_at else f"Make it {needed} wide.",
                needed,
            )
            for port in self.ends
            if (room := symbol_room(port)) is not None and needed > room
        ]

    @property
    def masks_padding(self) -> bool:
        """Whether steps of padding are left out at one of `ends`."""
        return self.port.mask_padding or (self.taught is not None and self.taught.mask_padding)


def symbol_room(port: DataPort) -> int | None:
    """Return how many ids the port has room for: symbols, classes, or the depth of its one-hot rows."""
    if port.classes is not None:
        return port.classes
    if port.type.dtype == "int32":
        return port.type.symbols
    return port.type.shape[-1] if port.type.shape else None


def fit(demand: Demand, source: Source, codec: Codec | None, plan: TextPlan | None = None) -> Fit:
    """Fit `codec` to the rows; where it is None, fit the codec that suits the port and the rows.

    `plan` says how text is to be numbered (see `data.numbering`); with None the column is numbered by itself.
    """
    try:
        numbers = survey_numbers(source, demand.training) if source.kind in ("array", "number") else None
        chosen = codec or choose(demand, source, numbers)
        if isinstance(chosen, TextCodec):
            return _fit_text(demand, source, chosen, plan or plan_alone(demand, source, chosen))
        if isinstance(chosen, CategoryCodec):
            return _fit_category(demand, source, chosen, taken_for_label=codec is None)
        numbers = numbers or survey_numbers(source, demand.training)
        if numbers.bad:
            return Fit(None, (), [not_finite(source, numbers, demand.port.port)])
        if isinstance(chosen, IdsCodec):
            return _fit_ids(demand, source, chosen, numbers)
        return _fit_numbers(demand, source, chosen, numbers)
    except InvalidInput as error:
        return Fit(None, (), [msgspec.structs.replace(problem, where=demand.port.port) for problem in error.problems])


def choose(demand: Demand, source: Source, seen: NumberSurvey | None) -> Codec:
    """Return the codec for a binding that names none. `seen` may be None for text and whole numbers."""
    port, steps = demand.port, demand.steps
    symbolic = port.type.dtype == "int32" or port.classes is not None or port.one_hot
    if source.kind == "text":
        return TextCodec() if steps else CategoryCodec()
    if source.kind == "integer":
        return TextCodec() if steps and symbolic else IdsCodec() if symbolic else _plain_numbers(demand)
    assert seen is not None
    rank = len(source.shape)
    if seen.one_hot and rank == len(steps) + 1 and not (seen.hollow and _judged(demand) and not demand.masks_padding):
        return IdsCodec()
    if symbolic and seen.integral and seen.low >= 0 and rank == len(steps):
        return IdsCodec()
    return IdsCodec() if port.type.dtype == "int32" else _plain_numbers(demand)


def text_codec(demand: Demand, source: Source, codec: Codec | None) -> TextCodec | None:
    """Return the codec with which `fit` would read this column as text; None if it would not read it as text."""
    if codec is None and source.kind in ("text", "integer"):
        codec = choose(demand, source, None)
    return codec if isinstance(codec, TextCodec) else None


def _plain_numbers(demand: Demand) -> Codec:
    vector = demand.port.role == "input" and len(demand.port.type.shape) == 1
    return VectorCodec() if vector else ValuesCodec()


def _judged(demand: Demand) -> bool:
    """Return whether a loss compares classes with these rows, so that every step needs a class."""
    return demand.port.classes is not None or (demand.taught is not None and demand.taught.classes is not None)


# -- text
class TextPlan(NamedTuple):
    """The plan for encoding a column of text: the id of every symbol, and the survey of its rows."""

    numbering: TextNumbering
    seen: Survey
    remarks: tuple[Problem, ...] = ()
    unknown: bool = False
    """Whether tokens outside the charset become the unknown symbol."""


def plan_alone(demand: Demand, source: Source, codec: TextCodec) -> TextPlan:
    """Return the plan for a column that shares its numbering with no other. Raises InvalidInput if the rows are not text."""
    seen = survey(source.texts(), form_of(codec))
    charset = charset_of([] if codec.charset else [seen], [codec], codec.charset)
    return TextPlan(TextNumbering(charset, *marks_of(codec, demand.port)), seen, (), codec.has_unknown)


def form_of(codec: TextCodec) -> TextForm:
    """Return how a codec prepares and divides text. A line end that the charset has is not stripped."""
    strip: Strip = "none" if codec.strip == "newlines" and {"\n", "\r"} & set(codec.charset) else codec.strip
    return TextForm(codec.tokens, codec.lowercase, codec.normalise, strip)


def charset_of(surveys: Sequence[Survey], codecs: Sequence[TextCodec], initial: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the charset of columns with one numbering: the initial symbols, then those of the rows, sorted.

    Rare symbols are left out as the codecs say, and an unknown symbol is added where one of them has it.
    """
    counts: dict[str, int] = {}
    for seen in surveys:
        for symbol, times in seen.symbols.items():
            counts[symbol] = counts.get(symbol, 0) + times
    unknown = any(codec.has_unknown for codec in codecs)
    least = max((codec.min_count for codec in codecs), default=1)
    further = [
        symbol
        for symbol, times in counts.items()
        if symbol and times >= least and symbol not in set(initial) and not (unknown and symbol == UNKNOWN)
    ]
    caps = [codec.max_symbols for codec in codecs if codec.max_symbols is not None]
    if caps:
        room = max(0, min(caps) - sum(symbol != UNKNOWN for symbol in initial))
        further = sorted(further, key=lambda symbol: (-counts[symbol], symbol))[:room]
    return (*initial, *([UNKNOWN] if unknown and UNKNOWN not in initial else []), *sorted(further))


def marks_of(codec: TextCodec, port: DataPort) -> tuple[bool, bool]:
    """Return whether rows begin with a begin mark, and whether they end with an end mark."""
    marks = codec.marks
    if marks == "auto":
        marks = "end" if port.role == "target" else "both" if port.taught else "none"
    return marks in ("both", "begin"), marks in ("both", "end")


def _fit_text(demand: Demand, source: Source, codec: TextCodec, plan: TextPlan) -> Fit:
    """Fit text: check the charset, the length and the room of the blocks for its symbols."""
    port, where = demand.port, demand.port.port
    if len(demand.steps) != 1 or (port.role == "target" and port.classes is None):
        text = f"{source.label} is bound as text, but {port.port} takes {port.type}; expected a port for a sequence of symbols."
        return Fit(None, (), [Problem("error", "text_needs_sequence", where, text, "Bind numbers, or use codec 'category'.")])
    problems = _charset_problems(codec, where)
    begin, end = marks_of(codec, port)
    if port.taught and begin and end:  # the decoder's input does not need the end mark of the longest row
        demand = demand._replace(extra=1)
    numbering, seen = plan.numbering, plan.seen
    length, wrong = _text_length(demand, source, codec, seen, begin + end)
    fitted = FittedText(
        numbering.charset, length, begin, end, codec.tokens, codec.padding, codec.reverse, codec.lowercase,
        begin_reserved=numbering.begin and not begin, end_reserved=numbering.end and not end,
        normalise=codec.normalise, strip=form_of(codec).strip, unknown=plan.unknown, longer=codec.longer,
    )  # fmt: skip
    problems += [*wrong, *_unknown_problems(source, fitted, seen, where)]
    allowed = msgspec.structs.replace(fitted, charset=codec.charset) if codec.charset and not plan.unknown else fitted
    problems += [problem for problem in allowed.faults(source, where, seen) if problem.code != "too_long"]
    problems += plan.remarks
    parts = ", ".join(["padding", *["begin"] * numbering.begin, *["end"] * numbering.end])
    text = f"{source.label}: found {fitted.symbols} symbols (incl. {parts})"
    problems += demand.too_narrow("too_many_symbols", fitted.symbols, text)
    return Fit(fitted, _feeds(demand, fitted.symbols, fitted.pad_id), problems)


def _text_length(demand: Demand, source: Source, codec: TextCodec, seen: Survey, marks: int) -> tuple[int, list[Problem]]:
    """Return how many ids are stored for a row, marks included, and the problems of rows that are longer.

    The length of the port counts first, then that of the codec; where both are open, the longest row decides.
    """
    where, port_steps = demand.port.port, demand.steps[0]
    needed = seen.longest + marks
    if port_steps is not None and codec.length is not None and codec.length != port_steps:
        text = f"The codec of {source.label} has length {codec.length}, the block takes {port_steps} steps; expected the same."
        return port_steps + demand.extra, [Problem("error", "length_differs", where, text, "Leave the codec's length empty.")]
    steps = port_steps if port_steps is not None else codec.length
    if steps is None:
        return max(needed, 1 + demand.extra), []
    stored = steps + demand.extra
    if needed <= stored:
        return stored, []
    room_for_symbols, needed_steps = stored - marks, needed - demand.extra
    if codec.longer == "truncate":
        cut = counted(seen.longer_than(room_for_symbols), "row")
        text = f"{source.label}: {cut} of more than {room_for_symbols} symbols are cut to as many."
        return stored, [Problem("info", "rows_truncated", where, text)]
    text = (
        f"{source.label} has {counted(seen.longer_than(room_for_symbols), 'row')} too long for {steps} steps: the longest, "
        f"row {seen.longest_row + 1}, has {seen.longest} symbols and needs {needed_steps} steps with its marks."
    )
    hint = f"Set {demand.port.length_at or 'length'}={needed_steps}, or shorten or remove these rows."
    return stored, [Problem("error", "too_long", where, text, hint, needed_steps)]


def _unknown_problems(source: Source, fitted: FittedText, seen: Survey, where: str) -> list[Problem]:
    """Return a remark on how many tokens become the unknown symbol."""
    known = set(fitted.charset) - {UNKNOWN}
    others = {symbol: times for symbol, times in seen.symbols.items() if symbol not in known} if fitted.unknown else {}
    if not others:
        return []
    total, lost = sum(seen.symbols.values()), sum(others.values())
    text = (
        f"{source.label}: {lost:,} of {total:,} tokens ({lost / total:.2%}), {counted(len(others), 'different one')}, "
        f"become the unknown symbol."
    )
    return [Problem("info", "unknown_tokens", where, text)]


def _charset_problems(codec: TextCodec, where: str) -> list[Problem]:
    wrong = [symbol for symbol in codec.charset if not symbol or (codec.tokens == "characters" and len(symbol) != 1)]
    wrong += [symbol for symbol in codec.charset if codec.tokens == "words" and symbol.split() != [symbol]]
    if len(set(codec.charset)) < len(codec.charset):
        wrong += [symbol for i, symbol in enumerate(codec.charset) if symbol in codec.charset[:i]]
    if not wrong:
        return []
    text = f"The codec's charset has the entry {wrong[0]!r}; expected different single {codec.tokens}."
    return [Problem("error", "bad_charset", where, text, "Leave the charset empty: it is then taken from the data.")]


# -- labels
def _fit_category(demand: Demand, source: Source, codec: CategoryCodec, taken_for_label: bool) -> Fit:
    """Fit labels: those of the codec, or else all labels of the rows, sorted."""
    port, where = demand.port, demand.port.port
    if demand.steps or demand.taught is not None or (port.role == "target" and port.classes is None):
        text = f"{source.label} is bound as a label, but {port.port} takes {port.type}; expected a port for one vector."
        return Fit(None, (), [Problem("error", "label_needs_vector", where, text, "Use codec 'text' for a sequence.")])
    labels = codec.labels
    if not labels:
        labels = tuple(sorted_labels(source))
    fitted = FittedCategory(labels)
    problems = fitted.faults(source, where)
    narrow = demand.too_narrow("too_many_labels", len(labels), f"{source.label} has {len(labels)} different labels")
    if narrow and taken_for_label and port.role == "input":
        next(source.numbers(), None)  # says which cell is no number: numbers were meant, not labels
    problems += narrow
    return Fit(fitted, _feeds(demand, len(labels), None), problems)


def sorted_labels(source: Source) -> list[str]:
    """Return the different texts of the rows, whole numbers in the order of their size. Raises InvalidInput."""
    labels = survey_labels(source)
    return sorted(labels, key=int) if source.kind == "integer" else sorted(labels)


def survey_labels(source: Source) -> set[str]:
    """Return the different texts of the rows, without the empty text, which is no label."""
    labels: set[str] = set()
    for chunk in source.texts():
        labels.update(label for label in chunk.dictionary_encode().dictionary.to_pylist() if label)
    return labels


# -- ids
def _fit_ids(demand: Demand, source: Source, codec: IdsCodec, seen: NumberSurvey) -> Fit:
    """Fit ids or one-hot rows: check shape, padding and the room of the blocks for the ids."""
    port, where, depth = demand.port, demand.port.port, 0
    if seen.one_hot and len(source.shape) == len(demand.steps) + 1:
        depth = source.shape[-1]
    hollow = seen.hollow and bool(depth)
    if hollow and _judged(demand) and not demand.masks_padding:
        text = f"{source.label} is one-hot, but some steps are all 0; expected a 1 for every class to be chosen."
        hint = "Switch mask_padding of the loss on, which leaves such steps out, or bind it with the codec 'values'."
        return Fit(None, (), [Problem("error", "not_one_hot", where, text, hint)])
    tail = (depth,) if depth else ()
    if wrong := _shape_problem(demand, source, source.shape, (*demand.stored_steps, *tail)):
        return Fit(None, (), [wrong])
    shape = source.shape[:-1] if depth else source.shape
    pad_id = depth if codec.pad_id is None and hollow else codec.pad_id
    limit = min((room for port in demand.ends if (room := symbol_room(port)) is not None), default=0)
    fitted = FittedIds(shape, depth, pad_id, limit)
    problems = [problem for problem in fitted.faults(source, where, seen) if problem.code != "too_many_symbols" or not limit]
    symbols = max(depth, int(seen.high) + 1)
    if seen.integral:
        contents = f"has ids up to {symbols - 1}, which makes {symbols} symbols"
        if depth:
            contents = f"is one-hot with {depth} symbols"
        problems += demand.too_narrow("too_many_symbols", symbols, f"{source.label} {contents}")
        if hollow and port.type.dtype == "int32":  # a step of zeros is the id after the last symbol
            text = f"{source.label} has steps of zeros, which become id {depth}: {contents}, and one for these steps"
            problems += demand._replace(taught=None).too_narrow("too_many_symbols", depth + 1, text)
    if not problems:
        problems += _padding_problems(demand, source, pad_id, depth)
    return Fit(fitted, _feeds(demand, symbols, pad_id), problems)


def _padding_problems(demand: Demand, source: Source, pad_id: int | None, depth: int) -> list[Problem]:
    """Warn of an id that looks like padding but is not masked, and of a symbol that an embedding would mask as padding."""
    port = demand.port
    problems = []
    likely = likely_padding(source, depth) if pad_id is None and demand.masks_padding else None
    if likely is not None:
        text = (
            f"{source.label}: rows end in repeats of id {likely}, some in more than others, as if it were padding. "
            "It counts like every other id, since the binding names no padding."
        )
        hint = f"If it is padding, set {port.port}.codec.pad_id={likely}."
        problems.append(Problem("warning", "looks_like_padding", port.port, text, hint, likely))
    if port.masked_by and port.type.dtype == "int32" and pad_id != 0 and stands_inside(source, 0, depth):
        text = f"{source.label} has id 0 between other ids, and {port.masked_by} makes the model skip id 0 as padding."
        hint = f"Number the symbols from 1 or change {port.masked_by}. If id 0 is padding, set {port.port}.codec.pad_id=0."
        problems.append(Problem("warning", "symbol_is_masked", port.port, text, hint, 0))
    return problems


# -- numbers
def _fit_numbers(demand: Demand, source: Source, codec: Codec, seen: NumberSurvey) -> Fit:
    """Fit numbers: check shape and range, and standardise them if the codec asks for it."""
    port, where = demand.port, demand.port.port
    if port.type.dtype == "int32":
        text = f"{source.label} is bound as numbers, but {port.port} takes token ids ({port.type})."
        return Fit(None, (), [Problem("error", "not_ids", where, text, "Use codec 'ids' or 'text'.")])
    expected: Shape = (*demand.stored_steps, *port.type.shape[-1:])
    shape = source.shape if _matches(source.shape, expected) else (*source.shape, 1)
    if wrong := _shape_problem(demand, source, shape, expected):
        return Fit(None, (), [wrong])
    problems = []
    if demand.taught is not None and demand.taught.classes not in (None, shape[-1]):
        text = f"{source.label} is {shape[-1]} wide; its other end, {demand.taught.port}, has {demand.taught.classes} classes."
        hint = f"Bind {demand.taught.port} to a column of its own."
        problems.append(Problem("error", "wrong_shape", demand.taught.port, text, hint))
    if _judged(demand) and (seen.low < 0 or seen.high > 1):
        span = f"{source.label} has values from {seen.low:g} to {seen.high:g}"
        text = f"{span}; expected class ids, one-hot rows or probabilities."
        problems.append(Problem("error", "not_probabilities", where, text, "Bind another column, or choose another loss."))
    elif seen.hollow and _judged(demand) and not demand.masks_padding:
        text = (
            f"{source.label} is one-hot, but some steps are all 0: they add 0 to the loss and count as class 0 in accuracies."
        )
        problems.append(Problem("warning", "not_one_hot", where, text, "Switch mask_padding of the loss on to leave them out."))
    elif port.one_hot and not seen.one_hot:
        text = f"{source.label} is not one-hot; its values are fed as they are."
        problems.append(Problem("info", "not_one_hot", where, text))
    fitted = FittedNumbers(shape)
    if isinstance(codec, VectorCodec) and codec.standardise:
        if _judged(demand) or port.probabilities:
            if codec.standardise is True:
                text = f"{source.label} gives classes or probabilities, which cannot be standardised."
                problems.append(Problem("error", "standardised_classes", where, text, "Set the codec's standardise to false."))
        else:
            fitted, notes = _standardised(fitted, source, seen, where, codec.standardise)
            problems += notes
            if fitted.mean and port.masked_by and has_zeros(source):
                text = f"{source.label} has steps of zeros, which {port.masked_by} skips; standardised they are not 0."
                hint = f"Set {port.port}.codec.standardise=false, and standardise the data without its padding."
                problems.append(Problem("warning", "padding_standardised", where, text, hint))
    largest = max(-seen.low, seen.high)
    if not fitted.mean and seen.integral and largest > EXACT_WHOLE:
        text = f"{source.label} has whole numbers up to {largest:.0f}; above {EXACT_WHOLE:,} float32 rounds them."
        hint = "Subtract what they have in common, standardise them, or bind them as ids, text or labels if they are codes."
        problems.append(Problem("warning", "rounded_numbers", where, text, hint))
    return Fit(fitted, _feeds(demand, shape[-1] if shape else 0, None, values=True), problems)


def _standardised(
    plain: FittedNumbers, source: Source, seen: NumberSurvey, where: str, standardise: bool | Literal["auto"]
) -> tuple[FittedNumbers, list[Problem]]:
    """Return the standardised codec, and remarks on how it was scaled; numbers that do not vary are centred, not scaled."""
    chosen = choose_scaling(seen, plain.shape[-1] if plain.shape else 1, standardise)
    fitted = plain
    if chosen.scaled:
        fitted = FittedNumbers(plain.shape, tuple(chosen.mean.tolist()), tuple(chosen.deviation.tolist()))
    notes = [Problem("info", "standardised", where, f"{source.label}: {chosen.sentence()}.")]
    still = chosen.constant
    if still.any():
        places = ", ".join(str(i + 1) for i in np.flatnonzero(still)[:10]) + (", ..." if still.sum() > 10 else "")
        text = (
            f"{source.label}: {int(still.sum())} of {len(still)} values do not vary over the training rows (number {places})."
        )
        notes.append(Problem("info", "constant_values", where, text, "They were centred and not scaled."))
    return fitted, notes


# -- shared
def _matches(shape: tuple[int, ...], expected: Shape) -> bool:
    return len(shape) == len(expected) and all(b is None or a == b for a, b in zip(shape, expected, strict=True))


def _shape_problem(demand: Demand, source: Source, shape: tuple[int, ...], expected: Shape) -> Problem | None:
    """Return the problem that rows have another shape than expected; teacher forcing needs at least two steps."""
    if _matches(shape, expected) and not (demand.extra and shape[0] < 2):
        return None
    port = demand.port
    wanted = "(" + ", ".join("any" if size is None else str(size) for size in expected) + ",)"[len(expected) != 1 :]
    text = f"{source.label} has rows of shape {source.shape}; {port.port} takes {port.type}, expected rows of shape {wanted}."
    hint = "Bind another column or change the block."
    if demand.taught is not None:
        text = text[:-1] + " (one step more, as it also gives the targets)."
        hint = f"Bind {demand.taught.port} to a column of its own, or store begin, sequence and end."
    elif None not in expected and np.prod(source.shape) == np.prod([size or 0 for size in expected]):
        hint = "The number of values is right: reshape the array before saving."
    return Problem("error", "wrong_shape", port.port, text, hint)


def _feeds(demand: Demand, symbols: int, pad_id: int | None, values: bool = False) -> tuple[TensorFeed, ...]:
    """Return one feed, or two of the same array for teacher forcing: the decoder's input, and its targets one step ahead."""
    port, taught = demand.port, demand.taught
    last = -1 if demand.extra else None
    feeds = [_feed(port, port.name, 0, last, symbols, pad_id, values)]
    if taught is not None:
        feeds.append(_feed(taught, port.name, 1, None, symbols, pad_id, values))
    return tuple(feeds)


def _feed(
    port: DataPort, array: str, first: int, last: int | None, symbols: int, pad_id: int | None, values: bool
) -> TensorFeed:  # fmt: skip
    depth = symbol_room(port) or symbols
    if values:
        return TensorFeed(port.name, port.role, array, first, last, "values", depth)
    ids = port.classes is not None or port.type.dtype == "int32"
    return TensorFeed(port.name, port.role, array, first, last, "ids" if ids else "one_hot", depth, pad_id)
