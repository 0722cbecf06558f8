"""What is wrong with a design file that was edited by hand, and in which line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui import resource_files
from seqdec_gui.domain import document
from seqdec_gui.domain.json_lines import fault, lines
from seqdec_gui.domain.problems import InvalidInput

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(VALUES)
def test_every_value_of_a_text_has_a_line(value: object) -> None:
    text = json.dumps(value, indent=1)
    found = lines(text)
    assert found[()] == 1
    assert max(found.values()) <= text.count("\n") + 1
    assert fault(text) == ""


def test_a_value_is_found_in_the_line_where_its_name_stands() -> None:
    assert lines('{\n "a": [\n  1,\n  {"b":\n 2}]}') == {(): 1, ("a",): 2, ("a", 0): 3, ("a", 1): 4, ("a", 1, "b"): 4}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ('{"format": 1,\n "blocks": [', "ends too early, in line 2"),
        ('{"format": 1,\n "blocks": []\n "links": []}', "line 3, column 2: a comma is missing"),
        ('{"format": 1,\n "blocks": [,]}', "line 2, column 13: a value is missing"),
        ('{"format": 1}\n}', "line 2, column 1: there is more after the end"),
        ('{"form', "ends too early, in line 1"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.seqdec"
    path.write_text(text)
    with pytest.raises(InvalidInput) as raised:
        document.load(path)
    (problem,) = raised.value.problems
    assert words in problem.text
    assert problem.where == str(path)
    assert problem.hint


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('"embedding": 0', '"embedding": "many"', "encoder.embedding"),
        ('"kind": "loss"', '"kind": "lss"', "loss"),
        ('"epochs": 30', '"epochs": 0', "training.epochs"),
        ('"batch_size": 64', '"batch_sise": 64', "training"),
        ('"to": "encoder.inputs"', '"to": "encoder"', "links[0]"),
    ],
)
def test_a_wrong_value_is_named_with_file_and_line(old: str, new: str, where: str, tmp_path: Path) -> None:
    text = resource_files.path("examples/roman.seqdec").read_text(encoding="utf-8")
    compact = json.dumps(json.loads(text), indent=1)
    assert old in compact
    path = tmp_path / "mine.seqdec"
    path.write_text(compact.replace(old, new, 1))
    line = path.read_text().split(new)[0].count("\n") + 1
    with pytest.raises(InvalidInput) as raised:
        document.load(path)
    problem = raised.value.problems[0]
    assert problem.where.startswith(where)
    known = problem.text.rpartition("(line ")[2]
    assert known.endswith(("of mine.seqdec).", "of mine.seqdec)"))
    assert abs(int(known.split()[0]) - line) <= (0 if "." in where else 9)  # else the object around it
