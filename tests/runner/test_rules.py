"""Which symbols may be chosen at which step."""

from __future__ import annotations

import numpy as np
import pytest

from seqdec_gui.runner.decoding.symbol_loop import Rules

pytestmark = pytest.mark.slow
PAD, MARK, END, A, B = range(5)
LETTERS = np.array([False, True, True, True, True])


@pytest.mark.parametrize(("mark", "least", "ends_from"), [(None, 0, 0), (None, 2, 2), (MARK, 0, 1), (MARK, 2, 3)])
def test_the_mark_stands_first_and_only_there_and_counts_for_nothing(mark: int | None, least: int, ends_from: int) -> None:
    rules = Rules.of(LETTERS if mark else LETTERS & (np.arange(5) != MARK), np.arange(5), END, 6, least, mark)
    may = np.asarray(rules.may(np.arange(6, dtype=np.int32)))
    for step, row in enumerate(may):
        if mark is not None and step == 0:
            assert np.flatnonzero(row).tolist() == [MARK]
        else:
            assert np.flatnonzero(row).tolist() == ([END] if step >= ends_from else []) + [A, B]
