"""Teacher forcing is seen in the rows: an input that is its targets one step behind, however both are numbered."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui.data.teaching import MOST_STEPS, one_step_behind, steps_behind

Array = npt.NDArray[Any]


def symbols(seed: int, count: int, rows: int = 60, steps: int = 8) -> Array:
    return np.random.default_rng(seed).integers(1, count + 1, (rows, steps))


def behind(targets: Array, first: Any) -> Array:
    return np.concatenate([np.full_like(targets[:, :1], first), targets[:, :-1]], axis=1)


@given(st.integers(0, 2**31), st.integers(3, 20), st.booleans(), st.integers(0, 2))
def test_targets_one_step_behind_are_recognised_in_any_numbering(seed: int, count: int, ragged: bool, longer: int) -> None:
    targets = symbols(seed, count)
    if ragged:
        lengths = np.random.default_rng(seed + 1).integers(2, 9, len(targets))
        targets[np.arange(8) >= lengths[:, None]] = 0
    renumbered = np.random.default_rng(seed + 2).permutation(count + 2)
    inputs = behind(renumbered[targets], count + 5)
    inputs = np.concatenate([inputs, np.zeros((len(inputs), longer), inputs.dtype)], axis=1)
    assert one_step_behind(inputs, targets) is True


@given(st.integers(0, 2**31), st.integers(3, 20))
def test_another_sequence_and_the_sequence_itself_are_not(seed: int, count: int) -> None:
    targets = symbols(seed, count)
    assert one_step_behind(symbols(seed + 1, count), targets) is False
    assert one_step_behind(targets, targets) is False
    assert one_step_behind(targets, targets % 2) is not True  # tags


def test_a_last_symbol_that_stands_elsewhere_too_hides_nothing() -> None:
    targets = symbols(0, 5)
    lengths = np.random.default_rng(1).integers(3, 8, len(targets))
    inputs = behind(targets, 9)
    outside = np.arange(8) >= lengths[:, None]
    inputs[outside] = targets[outside] = 0
    targets[np.arange(len(targets)), lengths - 1] = 2  # in the place of an end mark
    assert one_step_behind(inputs, targets, (0, 0)) is True


@given(st.integers(0, 2**31), st.integers(3, 10), st.integers(1, MOST_STEPS), st.booleans())
def test_text_that_lost_its_capitals_on_either_side_is_recognised(seed: int, count: int, distance: int, given: bool) -> None:
    targets = symbols(seed, 2 * count, rows=200, steps=10)  # ids above `count` are the capitals
    small = np.where(targets > count, targets - count, targets)
    shown, wanted = (small, targets) if given else (targets, small)
    inputs = np.concatenate([np.full((200, distance), 2 * count + 1), shown[:, :-distance]], axis=1)

    assert steps_behind(inputs, wanted) == distance


@given(st.integers(0, 2**31), st.integers(3, 12))
def test_translation_tags_and_ciphers_follow_nothing(seed: int, count: int) -> None:
    given = symbols(seed, count, rows=100)
    assert steps_behind(given, symbols(seed + 1, count, rows=100)) == 0
    assert steps_behind(given, given % 2) == 0
    assert steps_behind(given, np.random.default_rng(seed).permutation(count + 1)[given]) == 0


def test_rows_that_do_not_tell_are_left_open() -> None:
    same = np.ones((9, 6), int)
    assert one_step_behind(same, same) is None
    assert one_step_behind(np.ones((9, 1), int), np.ones((9, 1), int)) is None
    cycle = (np.arange(6)[None] + np.arange(9)[:, None]) % 4
    assert one_step_behind(cycle, (cycle + 1) % 4) is None  # each symbol has one successor: both are true


@pytest.mark.parametrize("features", [1, 3])
def test_numbers_one_step_behind_are_recognised(features: int) -> None:
    series = np.random.default_rng(0).normal(size=(9, 12, features)).astype(np.float32)
    assert one_step_behind(series[:, :-1], series[:, 1:]) is True
    assert one_step_behind(series[:, :-1], series[:, :-1]) is False
    assert one_step_behind(series[:, 1:], series[:, :-1]) is False
    assert one_step_behind(np.zeros((9, 12, features), np.float32), np.zeros((9, 12, features), np.float32)) is None
