"""What a sampler writes down of its symbols: the same symbols come back from it, whatever they were fitted to."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from seqdec_gui.data.codecs import FittedCategory, FittedIds, FittedText
from seqdec_gui.data.fitted import Fitted, FittedPort
from seqdec_gui.data.symbols import Symbols
from seqdec_gui.data.tensor_feeds import TensorFeed
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runner.decoding.recorded import Recorded, recorded_symbols, symbols_from

TEXT = FittedText(charset=("a", "b", "c"), length=5, begin=True, end=True)
WIDTH = 6


def fitted_to(codec: object) -> Fitted:
    port = FittedPort("loss", "loss.targets", "target", ("text",), codec)  # type: ignore[arg-type]
    return Fitted((port,), (TensorFeed("loss", "target", "loss", first=0, last=None),))


def symbols_of(codec: object) -> Symbols:
    allowed = np.zeros(WIDTH, bool)
    allowed[:3] = True
    read = getattr(codec, "decode", lambda ids: " ".join(str(number) for number in ids))
    return Symbols(1, 2, 4, allowed, np.arange(WIDTH), read, True)


@pytest.mark.parametrize("codec", [TEXT, FittedCategory(("red", "green", "blue")), FittedIds((5,), WIDTH)], ids=str)
def test_symbols_come_back_from_what_is_written_down(codec: object) -> None:
    before = symbols_of(codec)
    record = msgspec.json.decode(msgspec.json.encode(Recorded(symbols=recorded_symbols(before))), type=Recorded)
    assert record.symbols is not None
    after = symbols_from(record.symbols, fitted_to(codec), "loss", WIDTH)
    assert (after.begin, after.end, after.steps, after.ends) == (1, 2, 4, True)
    assert np.array_equal(after.allowed, before.allowed)
    assert np.array_equal(after.fed_next, before.fed_next)
    assert after.read([0, 1]) == before.read([0, 1])
    assert record.symbols.texts[3:] == ("", "", "")


@pytest.mark.parametrize(
    "changes",
    [{"fed_next": (-1,) * WIDTH}, {"fed_next": (0,) * 3}, {"allowed": (False,) * WIDTH}, {"begin": -1}, {"end": 2**40}],
)
def test_a_record_that_does_not_go_with_the_fit_is_refused(changes: dict) -> None:
    record = msgspec.structs.replace(recorded_symbols(symbols_of(TEXT)), **changes)
    with pytest.raises(InvalidInput, match="does not go with its alphabet"):
        symbols_from(record, fitted_to(TEXT), "loss", WIDTH)
