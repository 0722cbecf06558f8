"""Which numbers `standardise: auto` leaves as they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seqdec_gui.data.scaling import choose_scaling, in_short, scalings, undo
from seqdec_gui.data.sources import RowSource, survey_numbers
from seqdec_gui.domain.scaling import Scaling

KINDS = ("bits", "signs", "standard", "shifted", "wide", "constant", "zero")


def column(kind: str, rows: int, random: np.random.Generator) -> np.ndarray:
    normal = random.standard_normal(rows)
    normal = (normal - normal.mean()) / normal.std()
    made = {
        "bits": random.integers(0, 2, rows),
        "signs": random.choice([-1, 1], rows),
        "standard": normal * 1.05 + 0.05,
        "shifted": normal + 0.5,
        "wide": normal * 2,
        "constant": np.full(rows, 3.5),
        "zero": np.zeros(rows),
    }
    return np.asarray(made[kind], np.float64)


@given(st.lists(st.sampled_from(KINDS), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
def test_bits_and_standardised_numbers_are_left_alone_and_others_are_standardised(kinds: list[str], seed: int) -> None:
    random = np.random.default_rng(seed)
    values = np.stack([column(kind, 40, random) for kind in kinds], axis=1)
    training = np.arange(40) < 40
    chosen = choose_scaling(survey_numbers(RowSource("X", values), training), len(kinds), "auto")
    scaled = (values - chosen.mean) / chosen.deviation
    for i, kind in enumerate(kinds):
        if kind in ("bits", "signs", "zero", "standard"):
            np.testing.assert_array_equal(scaled[:, i], values[:, i])
        else:
            assert scaled[:, i].mean() == pytest.approx(0, abs=1e-9)
            assert scaled[:, i].std() == pytest.approx(0.0 if kind == "constant" else 1.0, abs=1e-9)
    left = sum(kind in ("bits", "signs", "zero", "standard") for kind in kinds)
    assert (chosen.scaled, chosen.binary + chosen.standard) == (len(kinds) - left, left)
    assert ("left as" in chosen.sentence()) == bool(left)
    assert ("standardised over" in chosen.sentence()) == (left < len(kinds))


@given(arrays(np.float64, (6, 2), elements=st.floats(-1e3, 1e3)), st.booleans())
def test_what_is_asked_for_is_done_whatever_the_numbers_are(values: np.ndarray, whole: bool) -> None:
    values = np.round(values) if whole else values
    chosen = choose_scaling(survey_numbers(RowSource("X", values)), 2, True)
    assert (chosen.scaled, chosen.binary, chosen.standard) == (2, 0, 0)
    np.testing.assert_allclose(chosen.mean, values.mean(axis=0), atol=1e-9)


def test_only_the_training_rows_decide() -> None:
    values = np.array([[0.0], [1.0], [1.0], [7.0]])
    training = np.array([True, True, True, False])
    assert choose_scaling(survey_numbers(RowSource("X", values), training), 1, "auto").binary == 1
    assert choose_scaling(survey_numbers(RowSource("X", values)), 1, "auto").scaled == 1


def test_steps_with_one_number_each_have_one_scale() -> None:
    values = np.random.default_rng(0).normal(5, 2, (30, 7))
    chosen = choose_scaling(survey_numbers(RowSource("X", values)), 1, "auto")
    assert chosen.mean == pytest.approx([values.mean()])
    assert chosen.deviation == pytest.approx([values.std()])
    assert choose_scaling(survey_numbers(RowSource("X", np.sign(values - 5))), 1, "auto").binary == 1


def test_what_an_exported_file_takes_is_told_with_all_figures() -> None:
    from seqdec_gui.data.codecs import FittedIds, FittedNumbers
    from seqdec_gui.data.fitted import Fitted, FittedPort
    from seqdec_gui.data.tensor_feeds import TensorFeed

    codec = FittedNumbers((3,), (1.5, 0.0, 2.0), (0.25, 1.0, 1.0))
    ports = (
        FittedPort("latent", "latent.output", "input", ("X",), codec),
        FittedPort("ids", "ids.output", "input", ("i",), FittedIds((3,))),
        FittedPort("loss", "loss.targets", "target", ("y",), codec),
    )
    feeds = (TensorFeed("latent", "input", "latent"), TensorFeed("ids", "input", "ids"), TensorFeed("loss", "target", "loss"))
    taken, given = scalings(Fitted(ports, feeds))
    assert taken == Scaling("latent", "input", (1.5, 0.0, 2.0), (0.25, 1.0, 1.0))
    assert taken.sentence() == (
        "Input latent expects standardised numbers, (x - mean) / deviation: mean [1.5, 0, 2], deviation [0.25, 1, 1]."
    )
    assert given.sentence().startswith(
        "The predictions p for loss are standardised numbers, x = p * deviation + mean: mean [1.5"
    )
    many = Scaling("latent", "input", (0.5,) * 40, (2.0,) * 40).sentence()
    assert "data.json of the run has all 40" in many
    np.testing.assert_allclose(undo(taken, np.array([[2.0, 3.0, 4.0]], np.float32)), [[2.0, 3.0, 6.0]])
    assert in_short(codec) == "Numbers, 2 of 3 standardised over the training rows"
    assert in_short(FittedNumbers((3,))) == "Numbers as they are"
