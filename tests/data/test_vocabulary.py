"""Tokens of several characters, capped vocabularies, the unknown symbol, normal forms, and rows that are cut."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_gui.data.codecs import UNKNOWN, FittedText
from seqdec_gui.data.fitted import encode
from seqdec_gui.data.fitting import charset_of
from seqdec_gui.data.sources import RowSource
from seqdec_gui.data.token_cutting import FIRST_KEY, tokenised
from seqdec_gui.data.tokens import TextForm, prepared, survey
from seqdec_gui.domain.bindings import TextCodec, Tokens

ATOMS = re.compile(r"(\[[^\]]+\]|Br|Cl|%[0-9]{2}|.)", re.DOTALL)
"""The usual expression for SMILES; every character that it does not know is a token."""
SYMBOLS = re.compile(r"(\[[^\]]+\]|.)", re.DOTALL)
PIECES = st.sampled_from(["C", "l", "Cl", "Br", "B", "[nH]", "[", "]", "[]", "%", "%10", "1", "(", "é", "[C@@H]", "\n"])
ROWS = st.lists(st.lists(PIECES, max_size=9).map("".join), min_size=1, max_size=6)


def cut(rows: list[str], tokens: Tokens) -> list[list[str]]:
    keys, lengths, vocabulary = tokenised(pa.array(rows, pa.large_string()), tokens)
    flat = [chr(key) if key < FIRST_KEY else vocabulary[key - FIRST_KEY] for key in keys.tolist()]
    ends = np.cumsum(lengths).tolist()
    return [flat[end - size : end] for end, size in zip(ends, lengths.tolist(), strict=True)]


def fitted(rows: list[str], codec: TextCodec, **ways: Any) -> FittedText:
    form = TextForm(codec.tokens, codec.lowercase, codec.normalise, codec.strip)
    seen = survey(RowSource("x", rows).texts(), form)
    charset = charset_of([seen], [codec])
    return FittedText(
        charset, ways.pop("length", seen.longest), tokens=codec.tokens, normalise=codec.normalise, strip=codec.strip,
        unknown=codec.has_unknown, longer=codec.longer, **ways,
    )  # fmt: skip


@settings(deadline=None)
@given(ROWS)
def test_smiles_are_cut_as_the_usual_expression_cuts_them(rows: list[str]) -> None:
    assert cut(rows, "smiles") == [ATOMS.findall(row) for row in rows]


@settings(deadline=None)
@given(ROWS)
def test_selfies_are_cut_at_their_brackets(rows: list[str]) -> None:
    assert cut(rows, "selfies") == [SYMBOLS.findall(row) for row in rows]


def test_graphemes_keep_letters_and_accents_and_composed_emoji_together() -> None:
    pytest.importorskip("regex")
    rows = ["cafe\u0301", "flag \U0001f1eb\U0001f1f7", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "", "plain"]
    assert [len(tokens) for tokens in cut(rows, "graphemes")] == [4, 6, 1, 0, 5]
    assert list(map("".join, cut(rows, "graphemes"))) == rows


@settings(deadline=None)
@given(ROWS, st.sampled_from(["characters", "smiles", "selfies", "graphemes"]), st.booleans())
def test_what_is_encoded_is_decoded(rows: list[str], tokens: Tokens, reverse: bool) -> None:
    codec = fitted(rows, TextCodec(tokens=tokens, strip="none"), reverse=reverse)
    assert [codec.decode(row) for row in encode(codec, RowSource("x", rows), "x", None)] == rows


def test_the_most_frequent_tokens_get_ids_and_others_one_that_is_unknown() -> None:
    rows = ["aab", "aac", "d"]
    codec = fitted(rows, TextCodec(max_symbols=2))
    assert codec.charset == (UNKNOWN, "a", "b")
    assert codec.faults(RowSource("x", ["axyz"]), "x")[0].code == "too_long"
    assert encode(codec, RowSource("x", [*rows, "xa"]), "x", None).tolist() == [[2, 2, 3], [2, 2, 1], [1, 0, 0], [1, 2, 0]]
    assert codec.decode([2, 1, 3]) == f"a{UNKNOWN}b"


def test_a_least_count_leaves_rare_words_out() -> None:
    codec = fitted(["a b", "a c", "b a"], TextCodec(tokens="words", min_count=2))
    assert codec.charset == (UNKNOWN, "a", "b")


def test_without_an_unknown_symbol_a_new_token_is_refused() -> None:
    codec = fitted(["ab"], TextCodec())
    assert [problem.code for problem in codec.faults(RowSource("x", ["az"]), "x")] == ["unknown_symbol"]


def test_normal_forms_make_equal_what_looks_equal() -> None:
    rows = ["caf\u00e9", "cafe\u0301", "\ufb01"]
    assert prepared(pa.array(rows), TextForm(normalise="nfc")).to_pylist() == ["caf\u00e9", "caf\u00e9", "\ufb01"]
    assert prepared(pa.array(rows), TextForm(normalise="nfkc")).to_pylist() == ["caf\u00e9", "caf\u00e9", "fi"]


@pytest.mark.parametrize(
    ("strip", "texts"),
    [("newlines", [" a", "b ", "c\nd"]), ("spaces", ["a", "b", "c\nd"]), ("none", [" a\n", "b \r\n", "c\nd"])],
)
def test_line_ends_at_the_end_of_a_text_are_stripped(strip: Any, texts: list[str]) -> None:
    assert prepared(pa.array([" a\n", "b \r\n", "c\nd"]), TextForm(strip=strip)).to_pylist() == texts


@pytest.mark.parametrize("padding", ["right", "left"])
def test_longer_rows_are_cut_at_their_ends(padding: Any) -> None:
    codec = fitted(["abcdef", "ab"], TextCodec(longer="truncate"), length=5, begin=True, end=True, padding=padding)
    rows = encode(codec, RowSource("x", ["abcdef", "ab"]), "x", None)
    assert codec.faults(RowSource("x", ["abcdef"]), "x") == []
    assert [codec.decode(row) for row in rows] == ["abc", "ab"]
    assert rows[0].tolist()[0] == codec.begin_id
    assert rows[0].tolist()[-1] == codec.end_id
