"""Where rows of numbers begin differently, the rows to decode give the first step, in the units of the data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqdec_gui.data.codecs import FittedNumbers
from seqdec_gui.data.first_step import first_of_sequences, with_first_step
from seqdec_gui.data.fitted import Fitted, FittedPort
from seqdec_gui.data.rows import read_rows
from seqdec_gui.data.tensor_feeds import TensorFeed
from seqdec_gui.domain.problems import InvalidInput

MEAN, DEVIATION = (3.0, -1.0), (2.0, 0.5)


@pytest.fixture
def fitted() -> Fitted:
    codec = FittedNumbers((5, 2), MEAN, DEVIATION)
    port = FittedPort("before", "before.output", "input", ("series",), codec, generated=True)
    return Fitted((port,), (TensorFeed("before", "input", "before", 0, -1, depth=2),))


def encoded(fitted: Fitted, file: Path) -> list[list[float]]:
    wanted = with_first_step(fitted, "before")
    values = first_of_sequences(read_rows(wanted, file), fitted, "before")
    return wanted.encode_rows(values)["before"].tolist()  # type: ignore[no-any-return]


def test_a_column_of_numbers_gives_the_first_step(fitted: Fitted, tmp_path: Path) -> None:
    assert fitted.inputs == ()
    file = tmp_path / "rows.csv"
    file.write_text("before\n5 -1\n1 0\n")
    assert encoded(fitted, file) == [[1.0, 0.0], [-1.0, 2.0]]


def test_whole_sequences_give_their_first_step(fitted: Fitted, tmp_path: Path) -> None:
    series = np.full((3, 5, 2), 9.0)
    series[:, 0] = [5.0, -1.0]
    np.savez(tmp_path / "rows.npz", series=series)
    assert encoded(fitted, tmp_path / "rows.npz") == [[1.0, 0.0]] * 3


def test_a_step_of_another_width_is_refused(fitted: Fitted, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("before\n5 -1 3\n")
    with pytest.raises(InvalidInput, match=r"expected 2 numbers"):
        encoded(fitted, file)
    np.savez(tmp_path / "rows.npz", series=np.zeros((3, 4, 2)))
    with pytest.raises(InvalidInput):
        encoded(fitted, tmp_path / "rows.npz")
