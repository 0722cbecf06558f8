"""What the ids of a decoder mean at its input and at its output, which need not count symbols alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.fitted import Fitted, FittedPort
from seqdec_gui.data.symbols import Symbols, symbols_of_decoder
from seqdec_gui.data.tensor_feeds import TensorFeed
from seqdec_gui.domain.problems import InvalidInput

CHARSET = ("a", "b", "c")


def symbols(before: FittedText, after: FittedText, width: int = 8) -> Symbols:
    ports = (
        FittedPort("fed", "fed.output", "input", ("x",), before, generated=True),
        FittedPort("loss", "loss.targets", "target", ("y",), after),
    )
    feeds = (TensorFeed("fed", "input", "fed", depth=width), TensorFeed("loss", "target", "loss", depth=width))
    return symbols_of_decoder(Fitted(ports, feeds), "fed", "loss", width, lambda _: np.zeros((1, 1)))


@pytest.mark.parametrize("reserved", [False, True])
@pytest.mark.parametrize("charset", [CHARSET, ("c", "a", "b")])
@pytest.mark.parametrize("marks", [{"begin": True, "end": True}, {"begin": True}])
def test_what_was_predicted_is_fed_back_as_the_same_symbol(marks: Any, charset: tuple[str, ...], reserved: bool) -> None:
    before = FittedText(charset, 6, **marks)
    after = FittedText(CHARSET, 6, end=True, begin_reserved=reserved)
    found = symbols(before, after)
    assert found.begin == before.begin_id == 1
    assert found.end == after.end_id
    for number in np.flatnonzero(found.allowed):
        if number != found.end:
            assert before.decode([int(found.fed_next[number])]) == after.decode([int(number)]) != ""
    assert np.count_nonzero(found.allowed) == len(CHARSET) + 1


def test_a_begin_mark_that_targets_have_is_fed_back_as_one() -> None:
    before, after = FittedText(CHARSET, 6, begin=True), FittedText(CHARSET, 6, begin=True, end=True)
    found = symbols(before, after)
    assert found.allowed[1]
    assert found.fed_next[1] == before.begin_id


def test_an_input_without_a_begin_mark_is_refused() -> None:
    with pytest.raises(InvalidInput, match="without a begin symbol"):
        symbols(FittedText(CHARSET, 6, end=True, begin_reserved=True), FittedText(CHARSET, 6, end=True))


def test_a_symbol_that_the_input_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidInput, match="predicts 'c', which fed was not trained on"):
        symbols(FittedText(("a", "b"), 6, begin=True), FittedText(CHARSET, 6, end=True))


@pytest.mark.parametrize(("longest", "ends"), [(3, True), (4, False)])
def test_padding_that_follows_every_row_is_an_end(longest: int, ends: bool) -> None:
    codec = FittedText(("a", "b", "c", "d"), 5, begin=True)
    stored = np.zeros((2, 5), np.int32)
    stored[0, : longest + 1] = [1, 2, 3, 4, 5][: longest + 1]
    stored[1, :2] = [1, 3]
    feeds = (TensorFeed("fed", "input", "fed", 0, -1, "ids", 6, 0), TensorFeed("loss", "target", "fed", 1, None, "ids", 6, 0))
    fitted = Fitted((FittedPort("fed", "fed.output", "input", ("text",), codec),), feeds)
    symbols = symbols_of_decoder(fitted, "fed", "loss", 6, lambda name: stored)
    assert (symbols.end, symbols.ends) == (0, ends)
