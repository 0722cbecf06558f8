"""Fits codecs of numbers to the rows that are bound to a port: ids, vectors and bits."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np

from seqdec_gui.data.codecs import FittedBits, FittedIds, FittedNumbers, FittedProjection
from seqdec_gui.data.demands import Demand, Fit, feeds, judged, matches, shape_problem, symbol_room
from seqdec_gui.data.formats.base import Array
from seqdec_gui.data.padding import has_zeros, likely_padding, stands_inside
from seqdec_gui.data.scaling import choose_scaling
from seqdec_gui.data.sources import ColumnSource, NumberSurvey, Source, finite_rows
from seqdec_gui.domain.bindings import BitsCodec, Codec, IdsCodec, VectorCodec
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.types import Shape
from seqdec_gui.domain.wording import counted

EXACT_WHOLE = 2**24
"""The largest number up to which float32 holds all whole numbers."""


MOST_RANGES = 4096
"""The greatest width of a vector whose ranges over the training rows are kept."""


# -- ids
def fit_ids(demand: Demand, source: Source, codec: IdsCodec, seen: NumberSurvey) -> Fit:
    """Fit ids or one-hot rows: check shape, padding and the room of the blocks for the ids."""
    port, where, depth = demand.port, demand.port.port, 0
    if seen.one_hot and len(source.shape) == len(demand.steps) + 1:
        depth = source.shape[-1]
    hollow = seen.hollow and bool(depth)
    if hollow and judged(demand) and not demand.masks_padding:
        text = f"{source.label} is one-hot, but some steps are all 0; expected a 1 for every class to be chosen."
        hint = "Switch mask_padding of the loss on, which leaves such steps out, or bind it with the codec 'values'."
        return Fit(None, (), [Problem("error", "not_one_hot", where, text, hint)])
    tail = (depth,) if depth else ()
    if wrong := shape_problem(demand, source, source.shape, (*demand.stored_steps, *tail)):
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
    return Fit(fitted, feeds(demand, symbols, pad_id), problems)


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
def fit_numbers(demand: Demand, source: Source, codec: Codec, seen: NumberSurvey, fill: Array | None) -> Fit:
    """Fit numbers: check shape and range, and scale and reduce them if the codec asks for it.

    `fill` stands for missing numbers; with None there are none, or their rows are left out.
    """
    port, where = demand.port, demand.port.port
    if port.type.dtype == "int32":
        text = f"{source.label} is bound as numbers, but {port.port} takes token ids ({port.type})."
        return Fit(None, (), [Problem("error", "not_ids", where, text, "Use codec 'ids' or 'text'.")])
    expected: Shape = (*demand.stored_steps, *port.type.shape[-1:])
    shape = source.shape if matches(source.shape, expected) else (*source.shape, 1)
    components = codec.components if isinstance(codec, VectorCodec) else None
    if components is not None and (demand.steps or len(source.shape) != 1 or demand.taught is not None or judged(demand)):
        text = f"{source.label} has rows of shape {source.shape} for {port.port}; only vectors have principal components."
        return Fit(None, (), [Problem("error", "bad_components", where, text, "Leave the codec's components empty.")])
    if components is not None:
        shape = source.shape
    elif wrong := shape_problem(demand, source, shape, expected):
        return Fit(None, (), [wrong])
    problems = []
    if demand.taught is not None and demand.taught.classes not in (None, shape[-1]):
        text = f"{source.label} is {shape[-1]} wide; its other end, {demand.taught.port}, has {demand.taught.classes} classes."
        hint = f"Bind {demand.taught.port} to a column of its own."
        problems.append(Problem("error", "wrong_shape", demand.taught.port, text, hint))
    if judged(demand) and (seen.low < 0 or seen.high > 1):
        span = f"{source.label} has values from {seen.low:g} to {seen.high:g}"
        text = f"{span}; expected class ids, one-hot rows or probabilities."
        problems.append(Problem("error", "not_probabilities", where, text, "Bind another column, or choose another loss."))
    elif seen.hollow and judged(demand) and not demand.masks_padding:
        text = (
            f"{source.label} is one-hot, but some steps are all 0: they add 0 to the loss and count as class 0 in accuracies."
        )
        problems.append(Problem("warning", "not_one_hot", where, text, "Switch mask_padding of the loss on to leave them out."))
    elif port.one_hot and not seen.one_hot:
        text = f"{source.label} is not one-hot; its values are fed as they are."
        problems.append(Problem("info", "not_one_hot", where, text))
    fitted = FittedNumbers(shape)
    if isinstance(codec, VectorCodec) and codec.standardise:
        if judged(demand) or port.probabilities:
            if codec.standardise is True:
                text = f"{source.label} gives classes or probabilities, which cannot be standardised."
                problems.append(Problem("error", "standardised_classes", where, text, "Set the codec's standardise to false."))
        else:
            if codec.scaling == "minmax":
                fitted, notes = _to_range(fitted, source, demand, fill)
            else:
                fitted, notes = _standardised(fitted, source, seen, where, codec.standardise)
            problems += notes
            if fitted.mean and port.masked_by and has_zeros(source):
                text = f"{source.label} has steps of zeros, which {port.masked_by} skips; standardised they are not 0."
                hint = f"Set {port.port}.codec.standardise=false, and standardise the data without its padding."
                problems.append(Problem("warning", "padding_standardised", where, text, hint))
    if fill is not None:
        fitted = msgspec.structs.replace(fitted, fill=tuple(np.broadcast_to(np.atleast_1d(fill), shape[-1:] or (1,)).tolist()))
    if port.role == "input" and len(shape) == 1 and shape[0] <= MOST_RANGES and np.isfinite(seen.lowest).all():
        low, high = (tuple(np.atleast_1d(ends).astype(np.float64).tolist()) for ends in (seen.lowest, seen.highest))
        fitted = msgspec.structs.replace(fitted, low=low, high=high) if len(low) == shape[0] else fitted
    if components is not None:
        fitted, wrong_width = _projected(demand, source, fitted, components)
        return Fit(fitted, feeds(demand, len(fitted.axes), None, values=True), problems + wrong_width)
    largest = max(-seen.low, seen.high)
    if not fitted.mean and seen.integral and largest > EXACT_WHOLE:
        text = f"{source.label} has whole numbers up to {largest:.0f}; above {EXACT_WHOLE:,} float32 rounds them."
        hint = "Subtract what they have in common, standardise them, or bind them as ids, text or labels if they are codes."
        problems.append(Problem("warning", "rounded_numbers", where, text, hint))
    return Fit(fitted, feeds(demand, shape[-1] if shape else 0, None, values=True), problems)


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
        names = source.columns if isinstance(source, ColumnSource) else ()
        shown = [repr(names[i]) if len(names) == len(still) else f"number {i + 1}" for i in np.flatnonzero(still)[:10].tolist()]
        places = ", ".join(shown) + (", ..." if still.sum() > 10 else "")
        text = f"{source.label}: {int(still.sum())} of {len(still)} values do not vary over the training rows ({places})."
        notes.append(Problem("info", "constant_values", where, text, "They were centred and not scaled."))
    return fitted, notes


def _to_range(
    plain: FittedNumbers, source: Source, demand: Demand, fill: Array | None
) -> tuple[FittedNumbers, list[Problem]]:  # fmt: skip
    """Return the codec that scales every number to the range from 0 to 1 over the training rows, and a remark."""
    low, high = np.full(plain.shape[-1:] or (1,), np.inf), np.full(plain.shape[-1:] or (1,), -np.inf)
    row = 0
    for chunk in source.numbers():
        chosen = demand.training[row : row + len(chunk)] & finite_rows(chunk, fill is not None)
        row += len(chunk)
        values = chunk[chosen].reshape(-1, *low.shape)
        if len(values):
            low, high = np.fmin(low, np.fmin.reduce(values)), np.fmax(high, np.fmax.reduce(values))
    low, high = np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 1.0)
    span = np.where(high > low, high - low, 1.0)
    text = f"{source.label}: {counted(len(low), 'number')} scaled to the range from 0 to 1 over the training rows."
    return FittedNumbers(plain.shape, tuple(low.tolist()), tuple(span.tolist())), [
        Problem("info", "standardised", demand.port.port, text)
    ]


def _projected(
    demand: Demand, source: Source, scaled: FittedNumbers, components: float
) -> tuple[FittedProjection, list[Problem]]:  # fmt: skip
    """Return the codec that reduces scaled numbers to principal components, a remark, and the problem of another width."""
    from seqdec_gui.data.projection import fit_projection

    port = demand.port
    fitted = fit_projection(scaled, source, demand.training, components)
    count = len(fitted.axes)
    text = (
        f"{source.label}: {counted(scaled.shape[-1], 'number')} reduced to {counted(count, 'principal component')}, which "
        f"have {fitted.explained:.2%} of the variance of the training rows."
    )
    problems = [Problem("info", "projected", port.port, text)]
    expected = port.type.shape[-1] if port.type.shape else None
    if expected not in (None, count):
        wrong = f"{source.label} has {counted(count, 'principal component')}; {port.port} takes {port.type}."
        problems.append(Problem("error", "wrong_shape", port.port, wrong, "Make the block as wide.", count))
    return fitted, problems


def fit_bits(demand: Demand, source: Source, codec: BitsCodec) -> Fit:
    """Fit texts of zeros and ones: as many numbers as the first text has digits, unless the codec says how many."""
    port = demand.port
    if len(port.type.shape) != 1 or port.type.dtype == "int32" or demand.taught is not None:
        text = f"{source.label} is bound as bits, but {port.port} takes {port.type}; expected a port for one vector."
        return Fit(None, (), [Problem("error", "bits_need_vector", port.port, text, "Choose another codec.")])
    first = next((text for chunk in source.texts() for text in chunk.slice(0, 1).to_pylist() if text), "")
    fitted = FittedBits(codec.bits or len(first))
    problems = fitted.faults(source, port.port)
    if port.type.shape[0] not in (None, fitted.bits):
        text = f"{source.label} has {counted(fitted.bits, 'digit')} a row; {port.port} takes {port.type}."
        problems.append(Problem("error", "wrong_shape", port.port, text, "Make the block as wide.", fitted.bits))
    return Fit(fitted, feeds(demand, fitted.bits, None, values=True), problems)
