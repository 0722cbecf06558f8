"""Where an axis has its ticks, and what stands beside them: labels never overlap, and there are always at least two."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

_ROOMY, _CLOSE = 2.4, 1.5
"""The distance between two labels that is wished for, in heights of a label, and the next best."""
_NICE = (1.0, 2.0, 2.5, 5.0)
_MOST = 60
"""More ticks than any screen has room for; a set with more of them is too dense."""
_PER_DECADE = ((1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))
"""The values in a decade that get ticks, densest first."""


def linear_ticks(low: float, high: float, size: float, label: float) -> list[float]:
    """Return the values with ticks on an axis from `low` to `high` that is `size` long, with labels of the size `label`.

    No two are nearer to each other than 1.1 labels, none is nearer to an end than half a label. At least two, where there is
    room for two.
    """
    return _chosen(low, high, size, label, lambda value: value, _linear_sets)


def log_ticks(low: float, high: float, size: float, label: float) -> list[float]:
    """Return the values with ticks on a logarithmic axis from 10 to the power of `low` to that of `high`, as `linear_ticks`."""
    return _chosen(low, high, size, label, math.log10, _log_sets)


def labels(values: Sequence[float], percent: bool = False) -> list[str]:
    """Return the labels of the ticks, with as many digits as make all of them different."""
    scaled = [100 * value for value in values] if percent else list(values)
    unit = "%" if percent else ""
    texts: list[str] = []
    for digits in range(3, 16):
        texts = [_short(value, digits) + unit for value in scaled]
        exact = all(
            abs(_number(text, unit) - value) <= 1e-3 * _spread(scaled) for text, value in zip(texts, scaled, strict=True)
        )
        if len(set(texts)) == len(texts) and exact:
            break
    return texts


def _chosen(
    low: float,
    high: float,
    size: float,
    label: float,
    place: Callable[[float], float],
    sets: Callable[[float, float], Iterator[list[float]]],
) -> list[float]:
    low, high = min(low, high), max(low, high)
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low or size <= 0:
        return []
    unit = (high - low) / size
    first, last = low + label / 2 * unit, high - label / 2 * unit
    if last <= first:
        return []
    for gap, least in ((_ROOMY, 3), (_CLOSE, 3), (_ROOMY, 2), (_CLOSE, 2), (1.1, 2)):
        for values in sets(first, last):
            places = [place(value) for value in values]
            if len(values) >= least and all(b - a >= gap * label * unit for a, b in itertools.pairwise(places)):
                return values
    return []


def _linear_sets(first: float, last: float) -> Iterator[list[float]]:
    """Yield round values from `first` to `last`, the densest set first; at last two near the ends."""
    span = last - first
    power = math.floor(math.log10(span)) - 2
    for exponent in range(power, power + 4):
        for nice in _NICE:
            yield _multiples(first, last, nice * 10.0**exponent)
    for exponent in range(power + 3, power - 1, -1):
        for nice in reversed(_NICE):
            ends = _multiples(first, last, nice * 10.0**exponent)
            yield [ends[0], ends[-1]] if len(ends) >= 2 else []


def _log_sets(first: float, last: float) -> Iterator[list[float]]:
    """Yield values between two powers of ten: linear steps within a decade, parts of decades, decades, every so many."""
    low, high = 10.0**first, 10.0**last
    if last - first < 1:
        yield from ([value for value in values if value > 0] for values in _linear_sets(low, high))
    decades = range(math.floor(first), math.ceil(last) + 1)
    if len(decades) <= _MOST:
        for parts in _PER_DECADE:
            yield [value for decade in decades for part in parts if low <= (value := part * 10.0**decade) <= high]
    whole = [decade for decade in decades if first <= decade <= last]
    for each in (2, 3, 5, 10, 20, 50, 100):
        yield [10.0**decade for decade in whole if decade % each == 0]
    if len(whole) >= 2:
        yield [10.0 ** whole[0], 10.0 ** whole[-1]]
    for digits in (0, 1, 2, 3):
        yield [_rounded(low, digits, math.ceil), _rounded(high, digits, math.floor)]


def _rounded(value: float, digits: int, rounding: Callable[[float], int]) -> float:
    """Return the next value with so many digits behind the first one."""
    unit = 10.0 ** (math.floor(math.log10(value)) - digits)
    return rounding(value / unit) * unit


def _multiples(first: float, last: float, step: float) -> list[float]:
    begin, end = math.ceil(first / step - 1e-9), math.floor(last / step + 1e-9)
    if end - begin > 20 * _MOST:
        return []
    return [number * step for number in range(begin, end + 1)]


def _short(value: float, digits: int) -> str:
    """Return a number in its shorter form: `12.5k`, `0.0001`, `1e-5`."""
    if value and abs(value) >= 1e4:
        for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
            if abs(value) >= limit and abs(value) < 1e13:
                return f"{value / limit:.{digits}g}{suffix}"
    text = f"{value:.{max(digits, 4) if abs(value) >= 1e3 else digits}g}"
    return text.replace("e-0", "e-").replace("e+0", "e+")


def _number(text: str, unit: str) -> float:
    plain = text.removesuffix(unit) if unit else text
    factor = {"G": 1e9, "M": 1e6, "k": 1e3}.get(plain[-1:], 1.0)
    return float(plain.rstrip("GMk")) * factor


def _spread(values: Sequence[float]) -> float:
    """Return the least distance of two values, by which labels have to be exact."""
    ordered = sorted(values)
    return min((b - a for a, b in itertools.pairwise(ordered)), default=abs(ordered[0]) if ordered else 1.0) or 1.0
