"""Columns of text that belong together give the same symbol the same id, where the design says so and has the room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.dataset import Dataset, open_dataset
from seqdec_gui.data.demands import Demand
from seqdec_gui.data.fitted import encode, faults
from seqdec_gui.data.fitted import loads as loads_fitted
from seqdec_gui.data.fitting import fit
from seqdec_gui.data.numbering import TextBinding, plan_texts
from seqdec_gui.data.sources import RowSource
from seqdec_gui.domain.bindings import Binding, DataSource, Split, TextCodec
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.types import TensorType
from tests.data.ports import codes, problems_of

SYMBOLS = st.characters(exclude_categories=["Cs"])
TEXTS = st.lists(st.text(SYMBOLS, min_size=1, max_size=8), min_size=1, max_size=6)
MARKS = st.sampled_from(["auto", "both", "begin", "end", "none"])
WAYS = st.fixed_dictionaries(
    {
        "begin": st.booleans(),
        "end": st.booleans(),
        "begin_reserved": st.booleans(),
        "end_reserved": st.booleans(),
        "padding": st.sampled_from(["right", "left"]),
        "reverse": st.booleans(),
    }
)


def fed(room: int | None = 9, steps: int | None = 6) -> DataPort:
    """A decoder's input, whose loss is `loss`."""
    kind = TensorType((steps, room))
    return DataPort("fed", "fed.output", "input", kind, ("model.inputs",), taught="loss", one_hot=True, width_at="fed.symbols")


def judged(room: int | None = 9, steps: int | None = 6) -> DataPort:
    kind = TensorType((steps, room))
    return DataPort("loss", "loss.targets", "target", kind, ("loss",), classes=room, width_at="model.output_units")


def encoded(room: int | None = 9) -> DataPort:
    """An encoder's input."""
    return DataPort("text", "text.output", "input", TensorType((None,), "int32", room), width_at="text.symbols")


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Dataset]:
    def open_columns(ports: list[DataPort], *bindings: Binding, numbering: Any = "shared", **columns: list[str]) -> Dataset:
        np.savez(tmp_path / "data.npz", **{name: np.array(texts) for name, texts in columns.items()})
        source = DataSource("data.npz", Split(validation=0), bindings, numbering=numbering)
        return open_dataset(source, ports, tmp_path)

    return open_columns


def codec(dataset: Dataset, name: str) -> FittedText:
    found = dataset.fitted.port(name).codec
    assert isinstance(found, FittedText)
    return found


def ids_of(found: FittedText) -> dict[str, int]:
    return {symbol: found.first_symbol + i for i, symbol in enumerate(found.charset)}


BOTH_ENDS = (Binding("fed", "x"), Binding("loss", "x"))


def test_input_and_target_of_a_decoder_bound_apart_give_a_symbol_one_id(opened: Callable[..., Dataset]) -> None:
    dataset = opened([fed(), judged()], *BOTH_ENDS, x=["abc", "b"])
    assert ids_of(codec(dataset, "fed")) == ids_of(codec(dataset, "loss")) == {"a": 3, "b": 4, "c": 5}
    assert dataset.arrays["fed"].tolist() == [[1, 3, 4, 5, 2, 0, 0], [1, 4, 2, 0, 0, 0, 0]]
    assert dataset.arrays["loss"].tolist() == [[3, 4, 5, 2, 0, 0], [4, 2, 0, 0, 0, 0]]
    assert dataset.fitted.decode(dataset.arrays["loss"][0]) == "abc"
    assert dataset.problems == ()
    assert loads_fitted(dataset.fitted.dumps()) == dataset.fitted


def test_a_design_that_does_not_say_so_numbers_each_column_by_itself(opened: Callable[..., Dataset]) -> None:
    dataset = opened([fed(), judged()], *BOTH_ENDS, x=["abc", "b"], numbering=None)
    assert dataset.arrays["loss"].tolist() == [[2, 3, 4, 1, 0, 0], [3, 1, 0, 0, 0, 0]]
    one = Binding("loss", "x", TextCodec(numbering="own"))
    assert (
        opened([fed(), judged()], BOTH_ENDS[0], one, x=["abc", "b"]).arrays["loss"].tolist() == dataset.arrays["loss"].tolist()
    )


def test_columns_shifted_by_hand_share_the_union_of_their_symbols(opened: Callable[..., Dataset]) -> None:
    bindings = (Binding("fed", "x", TextCodec(marks="none")), Binding("loss", "y", TextCodec(marks="none")))
    dataset = opened([fed(), judged()], *bindings, x=["^ab", "^b"], y=["ab$", "b$"])
    assert codec(dataset, "fed").charset == codec(dataset, "loss").charset == ("$", "^", "a", "b")


def test_one_column_has_one_numbering_wherever_it_is_bound(opened: Callable[..., Dataset]) -> None:
    left = Binding("text", "x", TextCodec(padding="left", reverse=True))
    dataset = opened([encoded(), fed(), judged()], left, Binding("fed", "x"), x=["abc", "b"])
    assert dataset.arrays["text"].tolist() == [[5, 4, 3], [0, 0, 4]]
    apart = opened([encoded(), fed(), judged()], left, Binding("fed", "y"), x=["abc", "b"], y=["abc", "b"])
    assert apart.arrays["text"].tolist() == [[3, 2, 1], [0, 0, 2]]  # another column


def test_where_there_is_no_room_the_columns_stay_apart_and_it_is_said(opened: Callable[..., Dataset]) -> None:
    dataset = opened([fed(), judged(5)], *BOTH_ENDS, x=["abc", "b"])
    assert codec(dataset, "loss").first_symbol == 2
    (remark,) = dataset.problems
    assert (remark.severity, remark.code, remark.where) == ("info", "numbered_apart", "loss.targets")
    assert "model.output_units has room for 5, and ids for both need 6. Set model.output_units=6" in remark.sentence()


def test_a_codec_that_demands_the_shared_numbering_gets_room_or_an_error(opened: Callable[..., Dataset]) -> None:
    strict = Binding("loss", "x", TextCodec(numbering="shared"))
    (problem,) = problems_of(opened, [fed(), judged(5)], BOTH_ENDS[0], strict, x=["abc", "b"])
    assert (problem.code, problem.where) == ("too_many_symbols", "loss.targets")
    assert "Set model.output_units=6" in problem.hint
    assert codes(problems_of(opened, [fed(), judged(3)], *BOTH_ENDS, x=["abc", "b"])) == ["too_many_symbols"]


def test_a_given_charset_holds_for_all_and_still_refuses_what_is_not_in_it(opened: Callable[..., Dataset]) -> None:
    given = Binding("fed", "x", TextCodec(charset=("c", "b", "a")))
    assert codec(opened([fed(), judged()], given, BOTH_ENDS[1], x=["abc", "b"]), "loss").charset == ("c", "b", "a")
    assert codes(problems_of(opened, [fed(), judged()], given, BOTH_ENDS[1], x=["abcd", "b"])) == ["unknown_symbol"]


def test_begin_only_gives_the_input_a_begin_mark_and_no_end(opened: Callable[..., Dataset]) -> None:
    begin = Binding("fed", "x", TextCodec(marks="begin"))
    dataset = opened([fed(), judged()], begin, BOTH_ENDS[1], x=["abcab", "b"])
    assert dataset.arrays["fed"].tolist() == [[1, 3, 4, 5, 3, 4], [1, 4, 0, 0, 0, 0]]
    assert dataset.arrays["loss"].tolist() == [[3, 4, 5, 3, 4, 2], [4, 2, 0, 0, 0, 0]]
    alone = opened([fed(), judged()], begin, x=["abcab", "b"])
    assert alone.arrays["fed"].tolist()[1] == [1, 3, 0, 0, 0, 0, 0]
    assert codec(alone, "fed").end_id is None


@settings(max_examples=100, deadline=None)
@given(TEXTS, TEXTS, MARKS, MARKS)
def test_shared_numbering_gives_every_symbol_one_id_and_loses_no_text(
    one: list[str], other: list[str], marks: Any, target_marks: Any
) -> None:
    bindings = [
        TextBinding(
            Demand(port, None, np.ones(len(texts), bool), 0),
            RowSource(name, texts),
            TextCodec(marks=wanted, strip="none"),
            ("", (name,)),
        )
        for name, port, texts, wanted in (("x", fed(99, None), one, marks), ("y", judged(99, None), other, target_marks))
    ]
    numberings = []
    for binding, plan, texts in zip(bindings, plan_texts(bindings, "shared"), (one, other), strict=True):
        found = fit(binding.demand, binding.source, binding.codec, plan)
        assert isinstance(found.codec, FittedText)
        assert found.problems == []
        numberings.append(found.codec.numbering)
        assert [found.codec.decode(row) for row in encode(found.codec, binding.source, "x", None)] == texts
    assert numberings[0] == numberings[1]


@settings(max_examples=150, deadline=None)
@given(TEXTS, WAYS, st.integers(0, 3))
def test_reserved_marks_shift_ids_and_lose_no_text(texts: list[str], ways: dict[str, Any], spare: int) -> None:
    charset = tuple(sorted(set("".join(texts))))
    found = FittedText(charset, 8 + ways["begin"] + ways["end"] + spare, **ways)
    source = RowSource("x", texts)
    assert faults(found, source, "x") == []
    ids = encode(found, source, "x", None)
    assert [found.decode(row) for row in ids] == texts
    used = {0, *(number for number in (found.begin_id, found.end_id) if number is not None), *ids_of(found).values()}
    assert set(np.unique(ids).tolist()) <= used
    assert max(ids_of(found).values()) == found.symbols - 1
    plain = msgspec.structs.replace(found, begin_reserved=False, end_reserved=False)
    if found.numbering == plain.numbering:
        assert (ids == encode(plain, source, "x", None)).all()
