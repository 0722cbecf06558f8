"""Teacher forcing is seen in the rows: an input that is its targets one step behind, however both are numbered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui.data.dataset import open_dataset
from seqdec_gui.data.teaching import MOST_STEPS, fail_if_taught, one_step_behind, steps_behind
from seqdec_gui.domain.bindings import Binding, DataSource
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.generation import OnePass, plan_for
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.shapes import infer
from tests.domain.designs import block, design

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


def fail_if_an_imported_model_is_taught(folder: Path, given: Array, targets: Array) -> None:
    """Run the check for an imported model that takes `given` as numbers and predicts `targets`, 7 symbols a step."""
    np.savez(folder / "rows.npz", given=given, wanted=targets)
    taken = {"name": "x", "shape": given.shape[1:], "dtype": "float32"}
    predicted = {"name": "y", "shape": (targets.shape[1], 7), "dtype": "float32"}
    source = (
        block("x", "vector", width=given.shape[1])
        if given.ndim == 2
        else block("x", "float_sequence", length=given.shape[1], features=given.shape[2])
    )
    wanted = design(
        [source, block("model", "keras_model", file="lm.keras", model_inputs=[taken], model_outputs=[predicted]),
         block("loss", "loss")],
        ["x.output -> model.x", "model.y -> loss.predictions"],
    )  # fmt: skip
    bindings = (Binding("x.output", "given"), Binding("loss.targets", "wanted"))
    wanted = wanted.with_data(DataSource(str(folder / "rows.npz"), bindings=bindings))
    plan = plan_for(wanted, infer(wanted))
    assert isinstance(plan, OnePass)
    dataset = open_dataset(wanted.data, data_ports(wanted), Path())
    fail_if_taught(wanted, plan, dataset.fitted, lambda port: dataset.arrays[port])


AS_NUMBERS: dict[str, Callable[[Array], Array]] = {
    "ids": lambda ids: ids,
    "renumbered": lambda ids: (ids * 3) % 7,
    "divided by the count of symbols": lambda ids: ids / 7,
    "one number a step": lambda ids: ids[:, :, None] / 7,
    "one-hot in one vector": lambda ids: np.eye(7)[ids].reshape(len(ids), -1),
}


@pytest.mark.parametrize("written", AS_NUMBERS)
def test_ids_given_as_numbers_are_seen_to_be_the_targets(tmp_path: Path, written: str) -> None:
    targets = symbols(0, 6, rows=100).astype(np.int32)
    numbers = AS_NUMBERS[written]
    with pytest.raises(InvalidInput, match="x holds the targets one step behind"):
        fail_if_an_imported_model_is_taught(tmp_path, numbers(behind(targets, 0)).astype(np.float32), targets)
    other = symbols(1, 6, rows=100)
    fail_if_an_imported_model_is_taught(tmp_path, numbers(other).astype(np.float32), targets)


def test_an_input_that_holds_the_targets_beside_or_one_step_ahead_is_refused(tmp_path: Path) -> None:
    targets = symbols(0, 6, rows=100).astype(np.int32)
    with pytest.raises(InvalidInput, match="x holds the same rows as the targets"):
        fail_if_an_imported_model_is_taught(tmp_path, targets.astype(np.float32), targets)
    ahead = np.concatenate([targets[:, 1:], np.zeros_like(targets[:, :1])], axis=1)
    with pytest.raises(InvalidInput, match="x holds the targets one step ahead"):
        fail_if_an_imported_model_is_taught(tmp_path, ahead.astype(np.float32), targets)


@pytest.mark.parametrize("width", [3, 8])
def test_a_latent_vector_or_a_fingerprint_of_an_imported_decoder_is_no_sequence(tmp_path: Path, width: int) -> None:
    random = np.random.default_rng(2)
    targets = symbols(0, 6, rows=100).astype(np.int32)
    for vector in (random.normal(size=(100, width)), random.integers(0, 2, (100, width)), random.integers(0, 4, (100, width))):
        fail_if_an_imported_model_is_taught(tmp_path, vector.astype(np.float32), targets)
