"""Errors by symbol, place and length, counted by hand; the worst rows come first."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui.runs.quality.edits import distance
from seqdec_gui.runs.quality.errors import AtPosition, Confusion, Errors, OfLength, Order, Pair, errors_of


def pairs(texts: Sequence[tuple[str, str, float]]) -> list[Pair]:
    return [Pair(row, f"in {row}", target, made, target, made, log, -1.0) for row, (target, made, log) in enumerate(texts)]


def found(texts: Sequence[tuple[str, str, float]], order: Order = "edits") -> Errors:
    return errors_of(pairs(texts), "test", "character error rate", "CER", order)


def test_errors_are_counted_by_symbol_place_and_length() -> None:
    errors = found([("abc", "abc", -1.0), ("abc", "axc", -2.0), ("ab", "abb", -3.0), ("abc", "bc", -4.0)])
    assert (errors.rows, errors.exact, errors.tokens, errors.edits) == (4, 1, 11, 3)
    assert (errors.substitutions, errors.insertions, errors.deletions) == (1, 1, 1)
    assert errors.error_rate == pytest.approx(3 / 11)
    assert errors.mistakes == [Confusion("", "b", 1), Confusion("a", "", 1), Confusion("b", "x", 1)]
    assert Confusion("c", "c", 3) in errors.confusion
    assert errors.positions == (AtPosition(1, 4, 1, 0), AtPosition(2, 4, 1, 0), AtPosition(3, 3, 0, 1))
    assert errors.lengths == (OfLength(2, 1, 0, 1), OfLength(3, 3, 1, 2))


def test_what_is_put_in_behind_the_longest_target_has_a_place() -> None:
    assert found([("ab", "abcc", -1.0)]).positions[-1] == AtPosition(3, 0, 0, 1)


def test_the_worst_rows_have_most_edits_or_the_least_likely_targets() -> None:
    texts = [("ab", "ab", -90.0), ("ab", "ax", -1.0), ("ab", "xy", -5.0), ("ab", "cd", -7.0), ("ab", "a", -30.0)]
    assert [each.row for each in found(texts).worst] == [3, 2, 4, 1]
    assert [each.row for each in found(texts, "likelihood").worst] == [4, 3, 2, 1]
    assert [each.alignment for each in found(texts).worst] == ["ss", "ss", "=d", "=s"]


def test_without_rows_or_tokens_there_is_no_rate() -> None:
    assert found([]).error_rate is None
    assert found([("", "a", -1.0)]).error_rate is None


@given(st.lists(st.tuples(st.text("abc", max_size=6), st.text("abc", max_size=6), st.just(-1.0)), max_size=12))
def test_sums_agree_however_errors_are_counted(texts: list[tuple[str, str, float]]) -> None:
    errors = found(texts)
    edits = sum(distance(target, made) for target, made, _ in texts)
    assert errors.edits == edits == sum(each.count for each in errors.mistakes) == sum(each.edits for each in errors.lengths)
    assert sum(each.edits for each in errors.worst) == edits
    assert sum(each.wrong for each in errors.positions) == errors.substitutions + errors.deletions
    assert sum(each.rows for each in errors.lengths) == errors.rows == len(texts)
    assert sum(each.exact for each in errors.lengths) == errors.exact
    assert sum(each.rows for each in errors.positions) == errors.tokens
