"""An id looks like padding where it fills rows up, and only there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui.data.padding import likely_padding, stands_inside
from seqdec_gui.data.sources import RowSource

SYMBOLS = 5
ragged = st.lists(st.lists(st.integers(0, SYMBOLS - 1), max_size=6), min_size=2, max_size=8)


def source(ids: np.ndarray, hot: bool) -> RowSource:
    return RowSource("Rows", np.eye(SYMBOLS + 1, dtype=np.float32)[ids] if hot else ids)


@given(ragged, st.integers(0, SYMBOLS), st.booleans())
def test_what_fills_rows_of_different_lengths_looks_like_padding(rows: list[list[int]], pad: int, hot: bool) -> None:
    words = [[(pad + 1 + number) % (SYMBOLS + 1) for number in row] for row in rows]  # the pad itself is no symbol
    ids = np.array([row + [pad] * (7 - len(row)) for row in words])
    found = likely_padding(source(ids, hot), SYMBOLS + 1 if hot else 0)
    lengths = {len(row) for row in words}
    if len(lengths) > 1:
        assert found is not None
        places = ids == found
        assert (np.sort(places, axis=1) == places).all()
    if found is not None:
        assert len(set((ids == found).sum(axis=1))) > 1


@pytest.mark.parametrize(
    "rows",
    [
        [[0, 1, 0, 0], [1, 1, 0, 0]],  # inside, too
        [[1, 2, 0, 0], [2, 2, 0, 0]],  # equal lengths
        [[1, 2, 3, 0], [2, 2, 3, 4]],  # never repeated
        [[1], [0]],
    ],
)
def test_what_may_be_a_symbol_does_not(rows: list[list[int]]) -> None:
    assert likely_padding(RowSource("Rows", np.array(rows))) is None


def test_rows_of_one_hot_steps_of_zeros_hold_no_id_there() -> None:
    hot = np.eye(SYMBOLS + 1, dtype=np.float32)[[[1, 2, 3], [4, 3, 2]]]
    hot[0, 1] = 0
    assert not stands_inside(RowSource("Rows", hot), 0, SYMBOLS + 1)
    assert stands_inside(RowSource("Rows", hot), 3, SYMBOLS + 1)
    assert stands_inside(RowSource("Rows", np.array([[1, 0, 2]])), 0)
    assert not stands_inside(RowSource("Rows", np.array([[0, 0, 2], [2, 1, 0], [0, 0, 0]])), 0)
