"""What is typed is judged by the rules by which it is encoded."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.sources import RowSource
from seqdec_gui.data.typed_text import text_fault

DIGITS = FittedText(tuple("0123456789"), length=4)
WORDS = FittedText(("AA", "B", "K"), length=5, begin=True, end=True, tokens="words")


@pytest.mark.parametrize(
    ("codec", "lines", "fault"),
    [
        (DIGITS, ["1987"], ""),
        (DIGITS, ["19x7"], "'x' is none of the symbols that the run knows."),
        (DIGITS, ["1987", "4y z"], "Line 2: 'y', ' ' and 'z' are none of the symbols that the run knows."),
        (DIGITS, ["19870"], "5 symbols, and the run takes 4 at most."),
        (DIGITS, ["abcdefgh"], "'a', 'b', 'c', 'd', 'e' and 3 more are none of the symbols that the run knows."),
        (WORDS, ["AA B  K"], ""),
        (WORDS, ["AA C"], "'C' is none of the words that the run knows."),
        (WORDS, ["B B B B"], "4 words, and the run takes 3 at most."),
        (WORDS, ["  "], "There is no text."),
    ],
)
def test_the_first_row_that_cannot_be_read_is_named_with_the_reason(codec: FittedText, lines: list[str], fault: str) -> None:
    assert text_fault(codec, lines) == fault


@settings(max_examples=150, deadline=None)
@given(
    st.builds(
        FittedText,
        st.lists(st.sampled_from("abAB1 é"), min_size=1, unique=True).map(tuple),
        st.integers(3, 6),
        st.booleans(),
        st.booleans(),
        lowercase=st.booleans(),
    ),
    st.lists(st.text("abAB1 éz", max_size=7), min_size=1, max_size=3),
)
def test_what_passes_while_it_is_typed_is_what_the_codec_takes(codec: FittedText, lines: list[str]) -> None:
    assert bool(text_fault(codec, lines)) == bool(codec.faults(RowSource("Typed", lines), "port"))
