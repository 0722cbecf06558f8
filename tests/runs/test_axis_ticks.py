"""The labels of axes: two at least, none over another, whatever the range and the room."""

from __future__ import annotations

import itertools
import math

import hypothesis.strategies as st
from hypothesis import given, settings

from seqdec_gui.runs.axis_ticks import labels, linear_ticks, log_ticks

LABEL = 14.0
quick = settings(max_examples=400, deadline=None)


def gaps(places: list[float], low: float, high: float, size: float) -> list[float]:
    pixels = [(place - low) / (high - low) * size for place in places]
    assert pixels[0] >= LABEL / 2 - 0.01
    assert pixels[-1] <= size - LABEL / 2 + 0.01
    return [b - a for a, b in itertools.pairwise(pixels)]


@quick
@given(st.floats(-12, 6), st.floats(1e-3, 14), st.floats(40, 900))
def test_a_logarithmic_axis_has_two_labels_at_least_and_none_over_another(low: float, span: float, size: float) -> None:
    values = log_ticks(low, low + span, size, LABEL)
    assert len(values) >= 2
    assert min(gaps([math.log10(value) for value in values], low, low + span, size)) >= LABEL
    assert len(set(labels(values))) == len(values)


@quick
@given(st.floats(-1e6, 1e6), st.floats(1e-4, 1e6), st.floats(40, 900))
def test_a_linear_axis_has_two_labels_at_least_and_none_over_another(low: float, span: float, size: float) -> None:
    values = linear_ticks(low, low + span, size, LABEL)
    assert len(values) >= 2
    assert min(gaps(values, low, low + span, size)) >= LABEL
    assert len(set(labels(values))) == len(values)


def test_the_labels_are_those_that_people_would_choose() -> None:
    assert labels(log_ticks(-3, 0.5, 300, LABEL)) == ["0.003", "0.01", "0.03", "0.1", "0.3", "1"]
    assert labels(log_ticks(-8, 4, 200, LABEL)) == ["1e-6", "0.001", "1", "1000"]
    assert labels(log_ticks(math.log10(0.31), math.log10(0.36), 120, LABEL)) == ["0.32", "0.33", "0.34", "0.35"]
    assert labels(linear_ticks(0, 1, 120, LABEL), percent=True) == ["20%", "40%", "60%", "80%"]
    assert labels([0.995, 0.9975], percent=True) == ["99.5%", "99.75%"]
    assert labels([12_500, 20_000]) == ["12.5k", "20k"]


def test_no_range_and_no_room_give_no_labels_instead_of_a_failure() -> None:
    assert linear_ticks(1, 1, 100, LABEL) == []
    assert log_ticks(math.nan, 1, 100, LABEL) == []
    assert log_ticks(0, 1, 0, LABEL) == []
