"""A number that does not fit is left out: cut in the middle it would read as another."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from seqdec_gui.gui.widgets.whole_values import MORE, whole_values


@pytest.mark.parametrize(
    ("room", "shown"),
    [(30, "1.25, -300, 4e+06, …"), (17, "1.25, -300, …"), (12, "1.25, …"), (6, "…"), (0, "…")],
)
def test_as_many_whole_values_are_shown_as_fit(room: int, shown: str) -> None:
    assert whole_values("1.25, -300, 4e+06, …", lambda text: len(text) <= room) == shown


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False).map(repr), min_size=1, max_size=12), st.integers(0, 80))
def test_no_value_is_ever_cut(values: list[str], room: int) -> None:
    shown = whole_values(", ".join(values), lambda text: len(text) <= room).split(", ")
    kept = [value for value in shown if value != MORE]
    assert kept == values[: len(kept)]
    assert len(", ".join(shown)) <= room or shown == [MORE]
