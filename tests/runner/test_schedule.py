"""Learning rates, KL weights, and patience, as pure functions."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui.domain.training import Training
from seqdec_gui.runner.program import KLTerm
from seqdec_gui.runner.schedule import (
    Watch,
    after_plateau,
    kl_weights,
    learning_rates,
    padded,
    parts_of,
    rescaled,
)


def rates(training: Training, steps: int = 10) -> np.ndarray:
    return learning_rates(training, steps, 0, steps * training.epochs)


def test_a_constant_rate_stays() -> None:
    assert set(rates(Training(epochs=3, learning_rate=0.01))) == {0.01}


def test_exponential_decay_runs_from_the_start_of_one_epoch_to_the_end_of_another() -> None:
    training = Training(epochs=8, learning_rate=1e-2, final_learning_rate=1e-4, schedule="exponential",
                        schedule_first_epoch=3, schedule_last_epoch=6)  # fmt: skip
    found = rates(training)

    assert np.all(found[:21] == 1e-2)
    assert np.sqrt(found[39] * found[40]) == pytest.approx(1e-3)  # half of the four epochs: the geometric middle
    assert np.all(np.diff(found[20:60]) < 0)
    assert found[58] > 1e-4
    assert np.all(found[59:] == 1e-4)
    ratios = found[21:60] / found[20:59]
    np.testing.assert_allclose(ratios, ratios[0])


def test_cosine_decay_ends_with_the_training_unless_an_epoch_is_named() -> None:
    found = rates(Training(epochs=4, learning_rate=1.0, final_learning_rate=0.2, schedule="cosine"))

    assert found[0] == 1.0
    assert (found[19] + found[20]) / 2 == pytest.approx(0.6)
    assert found[-1] == 0.2


def test_one_epoch_of_decay_decays_within_the_epoch() -> None:
    found = rates(Training(epochs=1, learning_rate=1.0, final_learning_rate=0.01, schedule="exponential"))
    assert found[0] == 1.0
    assert found[-1] == 0.01
    np.testing.assert_allclose(found[1:] / found[:-1], 0.01 ** (1 / 9))


@given(
    schedule=st.sampled_from(["exponential", "cosine"]),
    first=st.integers(1, 12),
    length=st.integers(0, 12),
    after=st.integers(0, 4),
    steps=st.integers(1, 30),
    learning_rate=st.floats(1e-6, 10.0),
    ratio=st.floats(1e-6, 1.0),
    to_the_end=st.booleans(),
)
def test_the_last_step_of_the_named_epoch_has_the_final_rate(
    schedule: str, first: int, length: int, after: int, steps: int, learning_rate: float, ratio: float, to_the_end: bool
) -> None:
    last = first + length
    epochs = last if to_the_end else last + after
    final = learning_rate * ratio
    training = Training(epochs=epochs, learning_rate=learning_rate, final_learning_rate=final, schedule=schedule,
                        schedule_first_epoch=first, schedule_last_epoch=0 if to_the_end else last)  # fmt: skip
    found = rates(training, steps)
    begin, end = (first - 1) * steps, last * steps - 1

    assert np.all(found[:begin] == learning_rate)
    assert np.all(found[end:] == final)
    if end > begin:
        assert found[begin] == pytest.approx(learning_rate, rel=1e-12)
    assert np.all(np.diff(found) <= 1e-12 * learning_rate)
    assert np.all(found >= final * (1 - 1e-9))


def test_a_final_rate_of_zero_is_no_division_by_zero() -> None:
    found = rates(Training(epochs=2, learning_rate=1.0, final_learning_rate=0.0, schedule="exponential"))
    assert np.isfinite(found).all()
    assert np.all(found > 0)


def test_rates_do_not_depend_on_where_intervals_begin() -> None:
    training = Training(epochs=5, schedule="cosine")
    pieces = [learning_rates(training, 7, first, count) for first, count in ((0, 3), (3, 11), (14, 21))]
    np.testing.assert_array_equal(np.concatenate(pieces), learning_rates(training, 7, 0, 35))


def test_a_rate_set_by_hand_is_the_rate_of_that_step_and_the_schedule_goes_on() -> None:
    training = Training(epochs=4, learning_rate=1e-2, schedule="exponential")
    scale = rescaled(training, 10, 15, 5e-4)
    found = learning_rates(training, 10, 15, 5, scale)

    assert found[0] == pytest.approx(5e-4)
    np.testing.assert_allclose(found / found[0], learning_rates(training, 10, 15, 5) / learning_rates(training, 10, 15, 1))


SCHEDULES = ("constant", "exponential", "cosine", "inverse_square_root", "plateau")


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_grows_evenly_over_the_warm_up_to_the_rate_and_not_beyond(schedule: str) -> None:
    settings = {"epochs": 5, "learning_rate": 0.5, "final_learning_rate": 1e-3}
    found = rates(Training(**settings, schedule=schedule, warmup_steps=8))  # type: ignore[arg-type]

    np.testing.assert_allclose(found[:8], 0.5 * np.arange(1, 9) / 8, rtol=1e-12)
    assert np.all(np.diff(found[7:]) <= 0)
    if schedule in ("exponential", "cosine"):
        assert found[-1] == 1e-3


def test_the_inverse_square_root_is_that_of_the_transformer() -> None:
    width, warmup = 512, 40
    steps = np.arange(1, 401)
    paper = width**-0.5 * np.minimum(steps**-0.5, steps * warmup**-1.5)  # Vaswani et al. 2017, equation 3
    training = Training(epochs=40, schedule="inverse_square_root", warmup_steps=warmup,
                        learning_rate=float(width**-0.5 * warmup**-0.5), final_learning_rate=0.0)  # fmt: skip
    np.testing.assert_allclose(rates(training), paper, rtol=1e-12)


def test_the_inverse_square_root_stops_at_the_final_rate() -> None:
    training = Training(epochs=100, schedule="inverse_square_root", warmup_steps=10, learning_rate=1.0, final_learning_rate=0.2)
    found = rates(training)
    assert found[249] == pytest.approx(0.2)
    assert np.all(found[250:] == 0.2)


def test_a_decay_that_the_warm_up_delays_begins_at_its_end() -> None:
    plain = Training(epochs=4, learning_rate=1.0, final_learning_rate=0.0, schedule="cosine")
    found = rates(msgspec.structs.replace(plain, warmup_steps=20))
    assert found[19] == 1.0
    assert found[29] + found[30] == pytest.approx(2 * 0.5 * (1 + np.cos(np.pi * 10.5 / 20)), rel=1e-2)
    later = rates(msgspec.structs.replace(plain, warmup_steps=5, schedule_first_epoch=3))
    assert np.all(later[4:21] == 1.0)
    assert later[21] < 1.0


def test_a_rate_set_by_hand_during_the_warm_up_is_the_rate_at_its_end() -> None:
    training = Training(epochs=4, learning_rate=1e-2, warmup_steps=15)
    scale = rescaled(training, 10, 0, 5e-3)
    found = learning_rates(training, 10, 0, 40, scale)
    assert found.max() == pytest.approx(5e-3)
    assert found[0] == pytest.approx(5e-3 / 15)


def test_the_weight_of_the_kl_term_grows_over_its_own_epochs() -> None:
    found = kl_weights((KLTerm("a", 0.5, 4), KLTerm("b", 2.0, 0)), 10, 0, 60)

    assert found.shape == (60, 2)
    assert found[0, 0] == 0.0
    assert found[20, 0] == pytest.approx(0.25)
    np.testing.assert_allclose(found[40:, 0], 0.5)
    np.testing.assert_allclose(found[:, 1], 2.0)
    assert kl_weights((), 10, 0, 3).shape == (3, 0)


def test_a_watch_counts_reports_since_the_best() -> None:
    watch = Watch()
    for value in (1.0, 0.5, 0.7, None, float("nan")):
        watch = watch.after(value, larger_is_better=False)
    assert watch == Watch(0.5, 3)


def test_a_watch_wants_more_than_the_smallest_change() -> None:
    watch = Watch(0.5, 0).after(0.55, larger_is_better=True, delta=0.1)
    assert watch == Watch(0.5, 1)
    assert watch.after(0.61, larger_is_better=True, delta=0.1) == Watch(0.61, 0)


def test_the_rate_falls_after_patience_but_not_below_the_least() -> None:
    training = Training(
        learning_rate=1e-2, schedule="plateau", plateau_patience=2, plateau_factor=0.1, final_learning_rate=5e-4
    )
    assert after_plateau(training, Watch(1.0, 1), 1.0) == (Watch(1.0, 1), 1.0)
    assert after_plateau(training, Watch(1.0, 2), 1.0) == (Watch(1.0, 0), 0.1)
    assert after_plateau(training, Watch(1.0, 2), 0.1)[1] == pytest.approx(0.05)
    assert after_plateau(training, Watch(1.0, 2), 0.01)[1] == 0.01  # the user had set it lower already


def test_parts_of_an_epoch_are_even_and_end_with_it() -> None:
    assert parts_of(10, 3) == [3, 7, 10]
    assert parts_of(2, 5) == [1, 2]
    assert parts_of(7, 1) == [7]


def test_padding_counts_every_row_once() -> None:
    rows, weights = padded(np.array([7, 8, 9, 10, 11]), 3)
    assert rows.tolist() == [[7, 8, 9], [10, 11, 7]]
    assert weights.tolist() == [[1, 1, 1], [1, 1, 0]]
