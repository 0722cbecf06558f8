"""The search of the command palette: which names match what was typed, and which come first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui.domain.fuzzy import match
from seqdec_gui.domain.menu_text import literal, shown


@pytest.mark.parametrize(
    ("query", "text"),
    [("zoom fit", "Zoom to Fit"), ("FIT", "Zoom to Fit"), ("ztf", "Zoom to Fit"), ("exprt", "Export"), ("", "Export")],
)
def test_words_initials_and_scattered_letters_match(query: str, text: str) -> None:
    assert match(query, text) is not None


@pytest.mark.parametrize(("query", "text"), [("xz", "Export"), ("save open", "Save"), ("tropxe", "Export")])
def test_other_letters_do_not(query: str, text: str) -> None:
    assert match(query, text) is None


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        ("save", "Save", "Autosave"),
        ("rec", "Open Recent", "Direction"),
        ("exp", "Export", "Example page"),
        ("run", "Runs Page", "Prune"),
        ("save", "Save", "Save As"),
    ],
)
def test_the_nearer_match_is_better(query: str, better: str, worse: str) -> None:
    first, second = match(query, better), match(query, worse)
    assert first is not None
    assert second is None or first.score > second.score


def test_the_places_are_those_of_the_letters() -> None:
    found = match("fit", "Zoom to Fit")
    assert found is not None
    assert "".join("Zoom to Fit"[place] for place in found.places) == "Fit"


@given(st.text(max_size=12), st.text(max_size=30))
def test_any_text_can_be_searched(query: str, text: str) -> None:
    found = match(query, text)
    assert found is None or all(0 <= place < len(text) for place in found.places)


@given(st.text())
def test_any_text_in_a_menu_is_shown_as_it_is(text: str) -> None:
    if "\0" not in text:
        assert shown(literal(text)) == text
