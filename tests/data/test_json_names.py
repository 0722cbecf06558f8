"""A name that comes twice in an object of JSON, numbers beyond the range, and what Python's json module writes for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqdec_gui.data import fitted as fitted_file
from seqdec_gui.data.tables import open_table
from seqdec_gui.domain import document
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.json_lines import repetition
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.control import _parse
from tests.data.ports import problems_of


def table(folder: Path, *lines: str) -> Path:
    (folder / "rows.jsonl").write_text("\n".join(lines))
    return folder / "rows.jsonl"


@pytest.mark.parametrize(
    "line",
    [
        '{"a": 1, "a": 2}',
        '{"a": 1, "b": {"c": 1, "c": 2}}',
        '{"a": "x:y", "b": 1, "a": "z"}',
        '{"b": {"a": 1}, "b.a": 2}',
        '{"a": [{"c": 1, "c": 2}]}',
        '{"a": NaN, "a": 1}',
        '{"\\u0061": 1, "a": 1}',
    ],
)
def test_a_record_with_a_name_twice_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    (problem,) = problems_of(open_table, table(tmp_path, '{"a": 1}', line))
    assert problem.code == "repeated_name"
    assert "Line 2" in problem.text


def test_colons_in_texts_are_no_names(tmp_path: Path) -> None:
    opened = open_table(table(tmp_path, '{"a": "1:2:3", "b": {"c": ":"}}', '{"a": "\\"a\\": 1", "b": {"c": "x"}}'))
    assert opened.page("a", 0, 2) == ["1:2:3", '"a": 1']


@pytest.mark.parametrize("number", ["1e400", "-1e999", "[0.5, 1e309]"])
def test_a_number_beyond_the_range_is_refused_with_its_line(tmp_path: Path, number: str) -> None:
    (problem,) = problems_of(open_table, table(tmp_path, '{"a": 1.5}', f'{{"a": {number}}}'))
    assert (problem.code, "Line 2" in problem.text) == ("bad_json_line", True)


def test_nan_is_a_missing_number_and_infinity_stays_what_it_is(tmp_path: Path) -> None:
    opened = open_table(table(tmp_path, '{"a": NaN}', '{"a": Infinity}', '{"a": 1}'))
    values = np.concatenate(list(opened.chunks("a")))
    assert np.isnan(values[0])
    assert np.isinf(values[1])


def test_whole_numbers_that_lists_cannot_hold_are_refused(tmp_path: Path) -> None:
    opened = open_table(table(tmp_path, '{"a": [1, 18446744073709551615], "b": 1}'))
    assert "a" in opened.unusable
    assert [column.name for column in opened.columns] == ["b"]


def test_a_design_and_a_fit_with_a_name_twice_are_refused_with_the_line() -> None:
    text = document.dumps(Design())
    assert document.loads(text) == Design()
    twice = text.replace('"epochs":', '"epochs": 3,\n    "epochs":', 1)
    with pytest.raises(InvalidInput) as caught:
        document.loads(twice)
    line = twice[: twice.index('"epochs":') + 3].count("\n") + 2
    assert f"line {line}: 'epochs' is there twice" in caught.value.problems[0].text
    with pytest.raises(InvalidInput, match="twice"):
        fitted_file.loads('{"ports": [], "wires": [], "format": 1, "format": 1}')


def test_a_command_with_a_name_twice_is_not_obeyed() -> None:
    said = _parse(b'{"command": "set_learning_rate", "value": 0.1, "value": 0.001}')
    assert "twice" in getattr(said, "why", "") or "twice" in str(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1}', ""),
        ("[1, 2]", ""),
        ("no json", ""),
        ('{"a": 1,\n\n "a": 2}', "line 3: 'a' is there twice in one object"),
        ('[{"b": {"c": [1,\n{"x": 1, "x": 1}]}}]', "line 2: 'x' is there twice in one object"),
        ('{"a": {"b": 1}, "b": 1, "c": {"b": 1}}', ""),
    ],
)
def test_the_line_of_a_repetition(text: str, said: str) -> None:
    assert repetition(text) == said
