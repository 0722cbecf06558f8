"""What a codec writes can be read back, whatever the text; and it is what a plain loop would write."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_gui.data.codecs import FittedCategory, FittedIds, FittedNumbers, FittedText
from seqdec_gui.data.fitted import encode, faults
from seqdec_gui.data.sources import RowSource, survey_numbers
from seqdec_gui.data.tensor_feeds import TensorFeed, expand
from seqdec_gui.data.tokens import TextForm, survey
from tests.data.ports import codes

SYMBOLS = st.characters(exclude_categories=["Cs"])
TEXTS = st.lists(st.text(SYMBOLS, min_size=1, max_size=12), min_size=1, max_size=8)
WORDS = st.lists(st.lists(st.text("abcdé中", min_size=1, max_size=4), min_size=1, max_size=6), min_size=1, max_size=8)
WAYS = st.fixed_dictionaries(
    {"begin": st.booleans(), "end": st.booleans(), "padding": st.sampled_from(["right", "left"]), "reverse": st.booleans()}
)


def written_by_a_loop(codec: FittedText, tokens: list[str]) -> list[int]:
    ids = [codec.first_symbol + codec.charset.index(token) for token in tokens]
    ids = ids[::-1] if codec.reverse else ids
    ids = [1] * codec.begin + ids + [1 + codec.begin] * codec.end
    padding = [0] * (codec.length - len(ids))
    return padding + ids if codec.padding == "left" else ids + padding


def check(codec: FittedText, texts: list[str], tokens: list[list[str]], expected: list[str]) -> None:
    source = RowSource("x", texts)
    assert faults(codec, source, "x") == []
    ids = encode(codec, source, "x", None)
    assert ids.dtype == np.uint8
    assert ids.tolist() == [written_by_a_loop(codec, row) for row in tokens]
    assert [codec.decode(row) for row in ids] == expected


@settings(max_examples=150, deadline=None)
@given(TEXTS, WAYS, st.integers(0, 3))
def test_characters_round_trip(texts: list[str], ways: dict[str, Any], spare: int) -> None:
    charset = tuple(sorted(set("".join(texts))))
    codec = FittedText(charset, 12 + ways["begin"] + ways["end"] + spare, **ways)
    check(codec, texts, [list(text) for text in texts], texts)


@settings(max_examples=100, deadline=None)
@given(WORDS, WAYS, st.sampled_from([" ", "  ", "\t"]))
def test_words_round_trip(rows: list[list[str]], ways: dict[str, Any], gap: str) -> None:
    charset = tuple(sorted({word for row in rows for word in row}))
    codec = FittedText(charset, 6 + ways["begin"] + ways["end"], tokens="words", **ways)
    check(codec, [f" {gap.join(row)} " for row in rows], rows, [" ".join(row) for row in rows])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(SYMBOLS, max_size=6), min_size=1, max_size=8))
def test_the_survey_counts_what_a_loop_counts(texts: list[str]) -> None:
    seen = survey(RowSource("x", texts).texts(), TextForm())
    joined = "".join(texts)
    assert seen.symbols == {symbol: joined.count(symbol) for symbol in sorted(set(joined))}
    lengths = [len(text) for text in texts]
    assert seen.lengths.tolist() == [lengths.count(n) for n in range(max(lengths) + 1)]
    assert seen.longest_row == lengths.index(max(lengths))
    assert seen.empty_row == (lengths.index(0) if 0 in lengths else -1)


def test_lower_case_is_folded_before_the_look_up() -> None:
    codec = FittedText(("a", "é"), 3, lowercase=True)
    assert codec.decode(encode(codec, RowSource("x", ["AÉa"]), "x", None)[0]) == "aéa"


def test_plain_rows_are_read_with_a_charset_of_other_scripts() -> None:
    codec = FittedText(("a", "中"), 2)
    assert encode(codec, RowSource("x", ["aa"]), "x", None).tolist() == [[1, 1]]
    assert codes(faults(codec, RowSource("x", ["ab"]), "x")) == ["unknown_symbol"]


def test_an_unknown_symbol_is_named_with_its_row_and_the_charset() -> None:
    codec = FittedText(("I", "V", "X"), 4)
    (problem,) = faults(codec, RowSource("roman", ["XIV", "XI", "XQI", "Q"]), "roman")
    assert problem.text == "roman, row 3: symbol 'Q' is not in the charset 'IVX'."


def test_empty_missing_and_long_rows_are_found_together() -> None:
    codec = FittedText(("a",), 3, end=True)
    assert codes(faults(codec, RowSource("x", ["a", "", "aaa"]), "x")) == ["empty_rows", "too_long"]


def test_decoding_stops_at_the_end_mark_and_shows_ids_without_a_symbol() -> None:
    codec = FittedText(("a", "b"), 6, begin=True, end=True)
    assert codec.decode([1, 3, 4, 3, 2, 4]) == "aba"
    assert codec.decode([3, 77, 3]) == "a\ufffda"


@pytest.mark.parametrize(("size", "dtype"), [(250, np.uint8), (256, np.uint16), (65_536, np.int32)])
def test_ids_take_the_smallest_dtype(size: int, dtype: type) -> None:
    codec = FittedText(tuple(chr(0x10000 + i) for i in range(size)), 2)
    ids = encode(codec, RowSource("x", [codec.charset[-1], codec.charset[0]]), "x", None)
    assert ids.dtype == dtype
    assert ids.tolist() == [[size, 0], [1, 0]]


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 5), st.integers(1, 4), st.integers(1, 6), st.randoms(use_true_random=False))
def test_one_hot_rows_come_back_exactly_all_zeros_included(depth: int, steps: int, rows: int, random: Any) -> None:
    ids = np.array([[random.randint(0, depth) for _ in range(steps)] for _ in range(rows)])
    ids[0, 0] = 0
    array = np.concatenate([np.eye(depth), np.zeros((1, depth))])[ids].astype(np.float32)
    codec = FittedIds((steps,), depth, pad_id=depth)
    assert faults(codec, RowSource("x", array), "x") == []
    stored = encode(codec, RowSource("x", array), "x", None)
    assert stored.dtype == np.uint8
    feed = TensorFeed("x", "input", "x", encoding="one_hot", depth=depth, pad_id=depth)
    np.testing.assert_array_equal(expand(feed, stored), array)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=9))
def test_labels_round_trip(labels: list[str]) -> None:
    try:
        "".join(labels).encode()
    except UnicodeEncodeError:
        return
    codec = FittedCategory(tuple(sorted(set(labels))))
    assert [codec.decode(row) for row in encode(codec, RowSource("x", labels), "x", None)] == labels


def test_an_unknown_label_is_named() -> None:
    (problem,) = faults(FittedCategory(("cat", "dog")), RowSource("animal", ["cat", "cow"]), "animal")
    assert problem.text == "animal, row 2: label 'cow' is not one of 'cat', 'dog'."


def test_standardised_training_rows_have_mean_0_and_deviation_1() -> None:
    values = np.random.default_rng(0).normal([3, 1e6, -2], [2, 1, 1e-4], size=(200_000, 3))
    training = np.arange(200_000) % 3 > 0
    seen = survey_numbers(RowSource("x", values), training)
    np.testing.assert_allclose(seen.mean, values[training].mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(seen.deviation, values[training].std(axis=0), rtol=1e-9)
    codec = FittedNumbers((3,), tuple(seen.mean.tolist()), tuple(seen.deviation.tolist()))
    scaled = encode(codec, RowSource("x", values), "x", None)[training]
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled.mean(axis=0, dtype=np.float64), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=0, dtype=np.float64), 1, atol=1e-5)


def test_a_value_beyond_float32_counts_as_infinite() -> None:
    seen = survey_numbers(RowSource("x", np.array([1.0, 1e39, np.nan])))
    assert (seen.bad, seen.bad_row) == (2, 1)
