"""Vectors: scaled to a range, reduced to principal components and back, and bits of texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqdec_gui.data.codecs import FittedBits, FittedProjection
from seqdec_gui.data.dataset import Dataset, open_dataset
from seqdec_gui.data.fitted import loads
from seqdec_gui.data.scaling import scalings, undo
from seqdec_gui.domain.bindings import Binding, BitsCodec, Codec, DataSource, Split, VectorCodec
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.types import TensorType
from seqdec_gui.runner.decoding.numbers import scale_of
from tests.data.ports import codes, problems_of

ROWS = np.random.default_rng(0).normal(size=(200, 3)) @ np.random.default_rng(1).normal(size=(3, 6)) + [9, 8, 7, 6, 5, 4]


def opened(folder: Path, width: int, codec: Codec, role: str = "input") -> Dataset:
    np.savez(folder / "a.npz", x=ROWS)
    port = DataPort("x", "x.output", role, TensorType((width,)))  # type: ignore[arg-type]
    return open_dataset(DataSource("a.npz", Split(validation=0.5), (Binding("x", "x", codec),)), (port,), folder)


def test_numbers_are_scaled_to_the_range_of_the_training_rows(tmp_path: Path) -> None:
    dataset = opened(tmp_path, 6, VectorCodec(scaling="minmax"))
    rows = dataset.arrays["x"][dataset.training]
    np.testing.assert_allclose([rows.min(axis=0), rows.max(axis=0)], [[0] * 6, [1] * 6], atol=1e-6)


@pytest.mark.parametrize(("components", "width"), [(2, 2), (0.999999, 3), (3, 3)])
def test_a_vector_is_reduced_to_its_principal_components(tmp_path: Path, components: float, width: int) -> None:
    dataset = opened(tmp_path, width, VectorCodec(standardise=False, components=components))
    codec = dataset.fitted.ports[0].codec
    assert isinstance(codec, FittedProjection)
    training = ROWS[dataset.training]
    centred = training - training.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs(np.array(codec.axes)), np.abs(axes[:width]), atol=1e-6)
    assert codec.explained == pytest.approx((sizes[:width] ** 2).sum() / (sizes**2).sum())
    np.testing.assert_allclose(np.abs(dataset.arrays["x"]), np.abs((ROWS - training.mean(axis=0)) @ axes[:width].T), atol=1e-4)
    assert loads(dataset.fitted.dumps()) == dataset.fitted
    (known,) = scalings(dataset.fitted)
    assert (known.mean, known.center, known.axes) == ((), codec.center, codec.axes)
    np.testing.assert_allclose(
        ((undo(known, dataset.arrays["x"]) - codec.center) @ np.array(codec.axes).T), dataset.arrays["x"], atol=1e-4
    )
    assert f"{width} principal component" in known.sentence()
    assert "projected" in codes(dataset.problems)


def test_predicted_components_are_turned_back(tmp_path: Path) -> None:
    dataset = opened(tmp_path, 3, VectorCodec(standardise=True, components=3), "target")
    scale = scale_of(dataset.fitted, "x")
    np.testing.assert_allclose(scale.undo(dataset.arrays["x"].astype(np.float64)), ROWS, atol=1e-4)
    np.testing.assert_allclose(scale.apply(ROWS), dataset.arrays["x"], atol=1e-4)


def test_another_width_or_too_many_components_are_refused(tmp_path: Path) -> None:
    (problem,) = problems_of(lambda: opened(tmp_path, 5, VectorCodec(components=2)))
    assert (problem.code, problem.wanted) == ("wrong_shape", 2)
    assert codes(problems_of(lambda: opened(tmp_path, 7, VectorCodec(components=7)))) == ["bad_components"]
    assert codes(problems_of(lambda: opened(tmp_path, 1, VectorCodec(components=1.5)))) == ["bad_components"]


def test_digits_of_a_text_become_a_vector_of_bits(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("fp\n0101\n1111\n0000\n")
    port = DataPort("x", "x.output", "input", TensorType((4,)))
    source = DataSource("a.csv", Split(validation=0.0), (Binding("x", "fp", BitsCodec()),))
    dataset = open_dataset(source, (port,), tmp_path)
    assert dataset.fitted.ports[0].codec == FittedBits(4)
    assert dataset.arrays["x"].tolist() == [[0, 1, 0, 1], [1, 1, 1, 1], [0, 0, 0, 0]]
    (tmp_path / "a.csv").write_text("fp\n0101\n1121\n000\n")
    (problem,) = problems_of(open_dataset, source, (port,), tmp_path)
    assert (problem.code, "2 rows" in problem.text, "row 2" in problem.text) == ("not_bits", True, True)


def test_rows_that_are_left_out_count_for_no_component(tmp_path: Path) -> None:
    holes = ROWS.copy()
    holes[::9, 1] = np.nan
    np.savez(tmp_path / "a.npz", x=holes)
    port = DataPort("x", "x.output", "input", TensorType((2,)))
    bindings = (Binding("x", "x", VectorCodec(components=2)),)
    source = DataSource("a.npz", Split(validation=0.0), bindings, faulty_rows="leave_out")
    dataset = open_dataset(source, (port,), tmp_path)
    kept = dataset.arrays["x"][dataset.training]
    assert len(kept) == len(ROWS) - len(ROWS[::9])
    np.testing.assert_allclose(kept.mean(axis=0), [0, 0], atol=1e-4)
