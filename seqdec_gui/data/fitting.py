"""Fits the codec of one port to the rows that are bound to it, and makes the feeds of the model from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from seqdec_gui.data.codecs import (
    UNKNOWN,
    FittedCategory,
    FittedText,
    TextNumbering,
    not_finite,
)
from seqdec_gui.data.demands import Demand, Fit, feeds, judged
from seqdec_gui.data.fitting_numbers import fit_bits, fit_ids, fit_numbers
from seqdec_gui.data.hints import LEAVE_OUT, codec_setting
from seqdec_gui.data.random_orders import Orders, order_problems, surveyed
from seqdec_gui.data.sources import NumberSurvey, Source, means_of_present, survey_numbers
from seqdec_gui.data.subwords import Vocabulary, is_subwords
from seqdec_gui.data.tokens import Strip, Survey, TextForm, survey
from seqdec_gui.data.vocabularies import vocabulary_of, vocabulary_remark
from seqdec_gui.domain.bindings import BitsCodec, CategoryCodec, Codec, IdsCodec, TextCodec, ValuesCodec, VectorCodec
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import counted, verb_for


def fit(demand: Demand, source: Source, codec: Codec | None, plan: TextPlan | None = None) -> Fit:
    """Fit `codec` to the rows; where it is None, fit the codec that suits the port and the rows.

    `plan` says how text is to be numbered (see `data.numbering`); with None the column is numbered by itself.
    """
    try:
        fill = means_of_present(source, demand.training) if getattr(codec, "missing", "refuse") == "mean" else None
        numbers = survey_numbers(source, demand.training, fill) if source.kind in ("array", "number") else None
        chosen = codec or choose(demand, source, numbers)
        if isinstance(chosen, BitsCodec):
            return fit_bits(demand, source, chosen)
        if isinstance(chosen, TextCodec):
            return _fit_text(demand, source, chosen, plan or plan_alone(demand, source, chosen))
        if isinstance(chosen, CategoryCodec):
            return _fit_category(demand, source, chosen, taken_for_label=codec is None)
        numbers = numbers or survey_numbers(source, demand.training, fill)
        if numbers.bad and not demand.leaves_out:
            return Fit(None, (), [not_finite(source, numbers, demand.port.port)])
        if isinstance(chosen, IdsCodec):
            return fit_ids(demand, source, chosen, numbers)
        return fit_numbers(demand, source, chosen, numbers, fill)
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
    if seen.one_hot and rank == len(steps) + 1 and not (seen.hollow and judged(demand) and not demand.masks_padding):
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


class TextPlan(NamedTuple):
    """The plan for encoding a column of text: the id of every symbol, and the survey of its rows."""

    numbering: TextNumbering
    seen: Survey
    remarks: tuple[Problem, ...] = ()
    unknown: bool = False
    """Whether tokens outside the charset become the unknown symbol."""
    vocabulary: Vocabulary | None = None
    """The subwords that were learned, which are the charset."""
    orders: Orders | None = None
    """What random orders of the rows hold, where they are asked for."""


def plan_alone(demand: Demand, source: Source, codec: TextCodec) -> TextPlan:
    """Return the plan for a column that shares its numbering with no other. Raises InvalidInput if the rows are not text."""
    form = form_of(codec)
    vocabulary = vocabulary_of([(source, demand.training, form)], [codec])
    form = form._replace(vocabulary=vocabulary)
    seen = survey(source.texts(), form)
    orders = surveyed(source, demand.training, form) if codec.random_order else None
    if vocabulary is not None:
        return TextPlan(TextNumbering(vocabulary.pieces, *marks_of(codec, demand.port)), seen, (), True, vocabulary, orders)
    surveys = [seen, *([] if orders is None else [orders.seen])]
    charset = charset_of([] if codec.charset else surveys, [codec], codec.charset)
    return TextPlan(TextNumbering(charset, *marks_of(codec, demand.port)), seen, (), codec.has_unknown, None, orders)


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
    ends = begin + end + _ends_by_padding(demand, begin, end)
    longest = max(seen.longest, 0 if plan.orders is None else plan.orders.seen.longest)
    length, wrong = _text_length(demand, source, codec, seen, longest, begin + end, ends)
    fitted = FittedText(
        numbering.charset, length, begin, end, codec.tokens, codec.padding, codec.reverse, codec.lowercase,
        begin_reserved=numbering.begin and not begin, end_reserved=numbering.end and not end,
        normalise=codec.normalise, strip=form_of(codec).strip, unknown=plan.unknown, longer=codec.longer,
        random_order=codec.random_order, subwords=None if plan.vocabulary is None else plan.vocabulary.model,
    )  # fmt: skip
    problems += [*wrong, *_unknown_problems(source, fitted, seen, where)]
    allowed = msgspec.structs.replace(fitted, charset=codec.charset) if codec.charset and not plan.unknown else fitted
    problems += [problem for problem in allowed.faults(source, where, seen) if problem.code != "too_long"]
    problems += plan.remarks
    if plan.orders is not None:
        problems += order_problems(source.label, plan.orders, int(demand.training.sum()), where)
    if plan.vocabulary is not None:
        problems.append(vocabulary_remark(source.label, seen, plan.vocabulary, where))
    parts = ", ".join(["padding", *["begin"] * numbering.begin, *["end"] * numbering.end])
    text = f"{source.label}: found {fitted.symbols} symbols (incl. {parts})"
    problems += demand.too_narrow("too_many_symbols", fitted.symbols, text)
    return Fit(fitted, feeds(demand, fitted.symbols, fitted.pad_id), problems)


def _ends_by_padding(demand: Demand, begin: bool, end: bool) -> bool:
    """Return whether padding takes the place of an end mark: a decoder is taught it, and has to see it after every row."""
    return begin and not end and demand.taught is not None and not demand.taught.mask_padding


def _text_length(
    demand: Demand, source: Source, codec: TextCodec, seen: Survey, longest: int, marks: int, ends: int
) -> tuple[int, list[Problem]]:  # fmt: skip
    """Return how many ids are stored for a row, marks included, and the problems of rows that are longer.

    The length of the port counts first, then that of the codec; where both are open, `longest` decides, the longest row as it
    is or as it is written anew, with `ends` ids beside its tokens.
    """
    where, port_steps = demand.port.port, demand.steps[0]
    needed = seen.longest + marks
    if port_steps is not None and codec.length is not None and codec.length != port_steps:
        text = f"The codec of {source.label} has length {codec.length}, the block takes {port_steps} steps; expected the same."
        return port_steps + demand.extra, [Problem("error", "length_differs", where, text, "Leave the codec's length empty.")]
    steps = port_steps if port_steps is not None else codec.length
    if steps is None:
        return max(longest + ends, 1 + demand.extra), []
    stored = steps + demand.extra
    if needed <= stored:
        return stored, []
    room_for_symbols, needed_steps = stored - marks, needed - demand.extra
    if codec.longer == "truncate":
        longer = seen.longer_than(room_for_symbols)
        text = f"{source.label}: {counted(longer, 'row')} of more than {counted(room_for_symbols, 'symbol')} "
        text += f"{verb_for(longer, 'are')} cut to as many."
        return stored, [Problem("info", "rows_truncated", where, text)]
    text = (
        f"{source.label} has {counted(seen.longer_than(room_for_symbols), 'row')} too long for {steps} steps: the longest, "
        f"row {seen.longest_row + 1}, has {seen.longest} symbols and needs {needed_steps} steps with its marks."
    )
    cut = f"cut longer rows ({codec_setting(where, 'longer=truncate')})"
    hint = f"Set {demand.port.length_at or 'length'}={needed_steps}, {cut}, or {LEAVE_OUT}."
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
    if codec.charset and is_subwords(codec.tokens):
        text = "The codec gives the pieces of a vocabulary of subwords; expected none, since they are learned from the data."
        return [Problem("error", "bad_charset", where, text, "Leave the charset empty.")]
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
    return Fit(fitted, feeds(demand, len(labels), None), problems)


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
