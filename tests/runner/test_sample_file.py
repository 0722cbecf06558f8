"""Rows that come with a task, as the codecs of the run want them."""

from __future__ import annotations

import numpy as np
import pytest

from seqdec_gui.data.codecs import FittedIds, FittedNumbers
from seqdec_gui.data.fitted import Fitted, FittedPort
from seqdec_gui.data.wires import Wire
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runner.sample_file import columns_of


def fitted(codec: FittedIds | FittedNumbers) -> Fitted:
    wire = Wire("x", "input", "x", encoding="values")
    return Fitted((FittedPort("x", "x.output", "input", ("column",), codec),), (wire,))


def test_one_hot_rows_are_taken_as_they_were_trained() -> None:
    run = fitted(FittedIds((3,), depth=4, pad_id=4, limit=4))
    rows = [{"x": np.eye(4)[[0, 2, 1]].tolist()}, {"x": np.eye(4)[[3, 3, 1]].tolist()}]
    assert run.encode_rows(columns_of(rows, run))["x"].tolist() == [[0, 2, 1], [3, 3, 1]]


def test_numbers_of_another_shape_are_named_with_their_row() -> None:
    run = fitted(FittedNumbers((2,)))
    with pytest.raises(InvalidInput, match=r"Row 2 of input x is '\[1.0\]'; expected numbers of shape \(2,\)"):
        columns_of([{"x": [1.0, 2.0]}, {"x": [1.0]}], run)
