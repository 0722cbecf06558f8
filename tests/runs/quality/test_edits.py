"""The fewest edits between two sequences, against the table of distances that textbooks have."""

from __future__ import annotations

import jiwer
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui.runs.quality.edits import alignment, distance

tokens = st.lists(st.sampled_from("abcd"), max_size=80)


def table_of_distances(target: list[str], generated: list[str]) -> int:
    table = np.zeros((len(target) + 1, len(generated) + 1), int)
    table[:, 0], table[0] = np.arange(len(target) + 1), np.arange(len(generated) + 1)
    for i, wanted in enumerate(target, start=1):
        for j, made in enumerate(generated, start=1):
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (wanted != made))
    return int(table[-1, -1])


@given(tokens, tokens)
def test_the_distance_is_that_of_the_table(target: list[str], generated: list[str]) -> None:
    assert distance(target, generated) == table_of_distances(target, generated)


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=12), tokens.map(lambda each: each[:12]))
def test_an_alignment_turns_the_target_into_what_was_generated_with_the_fewest_edits(
    target: list[str], generated: list[str]
) -> None:
    edits = alignment(target, generated)
    assert [edit.target for edit in edits if edit.target is not None] == target
    assert [edit.generated for edit in edits if edit.generated is not None] == generated
    assert sum(edit.name != "same" for edit in edits) == distance(target, generated)
    for edit in edits:
        expected = {"same": edit.target == edit.generated, "insertion": edit.target is None,
                    "deletion": edit.generated is None, "substitution": edit.target != edit.generated}  # fmt: skip
        assert expected[edit.name]
    places = [edit.position for edit in edits]
    assert places == sorted(places)


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=30), tokens)
def test_the_distance_is_that_of_jiwer(target: list[str], generated: list[str]) -> None:
    found = jiwer.process_words(" ".join(target), " ".join(generated))
    assert distance(target, generated) == found.substitutions + found.insertions + found.deletions


@pytest.mark.parametrize(
    ("target", "generated", "expected"),
    [
        ("kitten", "sitting", ["substitution", "same", "same", "same", "substitution", "same", "insertion"]),
        ("III", "II", ["same", "same", "deletion"]),
        ("", "ab", ["insertion", "insertion"]),
        ("ab", "", ["deletion", "deletion"]),
        ("", "", []),
    ],
)
def test_the_edits_of_known_pairs(target: str, generated: str, expected: list[str]) -> None:
    assert [edit.name for edit in alignment(target, generated)] == expected
