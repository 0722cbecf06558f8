"""Columns of new rows: found by their names, and read row by row where single cells cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdec_gui.data.codecs import FittedCodec, FittedIds, FittedNumbers, FittedText
from seqdec_gui.data.fitted import Fitted, FittedPort
from seqdec_gui.data.new_rows import EncodedRows, encode_good_rows
from seqdec_gui.data.rows import columns_beside, read_input
from seqdec_gui.data.tables import open_table
from seqdec_gui.domain.bindings import Reading
from tests.data.ports import codes, problems_of

TEXT = FittedText(tuple("0123456789"), 4, end=True)


def fitted_to(*codecs: FittedCodec) -> Fitted:
    """Return a fit of ports `number`, `b`, `c` to columns of the same names."""
    names = ("number", "b", "c")
    ports = (FittedPort(name, f"{name}.output", "input", (name,), codec) for name, codec in zip(names, codecs, strict=False))
    return Fitted(tuple(ports), ())


def json_lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def encoded_rows(fitted: Fitted, path: Path) -> EncodedRows:
    rows = read_input(fitted, path)
    return encode_good_rows(fitted, rows.values, rows.reasons, rows.lines)


# -- by name
def test_a_column_of_another_name_is_not_taken_for_the_only_input(tmp_path: Path) -> None:
    ids = np.array(["12", "34"])
    np.savez(tmp_path / "shape.npz", number=np.array([["1987"], ["44"]]), id=ids)
    np.savez(tmp_path / "objects.npz", number=np.array(["1987", None], dtype=object), code=ids)
    np.savez(tmp_path / "other.npz", id=ids)
    json_lines(tmp_path / "other.jsonl", {"id": "12"}, {"id": "34"})
    json_lines(tmp_path / "lists.jsonl", {"number": ["1987"], "id": "12"}, {"number": ["44"], "id": "34"})
    (tmp_path / "other.csv").write_text("id\n12\n34\n")
    said = {}
    for path in tmp_path.iterdir():
        (problem,) = problems_of(read_input, fitted_to(TEXT), path)
        assert problem.where == "number"
        said[path.name] = problem.text
        assert columns_beside(fitted_to(TEXT), path) == () or "number" in problem.text
    assert "Array 'number' holds text in shape (2, 1)" in said["shape.npz"]
    assert "Array 'number' holds Python objects" in said["objects.npz"]
    assert "Column 'number' holds lists of other values than numbers" in said["lists.jsonl"]
    assert said["other.npz"].endswith("found 'id'.")
    assert said["other.jsonl"].endswith("found 'id'.")
    assert "'number'" in said["other.csv"]


def test_columns_that_cannot_be_used_are_named_where_none_fits(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", id=np.array(["12"]), x=np.array([1j]))
    (problem,) = problems_of(read_input, fitted_to(TEXT), tmp_path / "a.npz")
    assert problem.code == "missing_input"
    assert "found 'id'. Array 'x' has values of type complex128" in problem.text


def test_the_only_column_of_a_file_without_names_holds_the_only_input(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array(["12", "34"]))
    np.savez(tmp_path / "a.npz", np.array(["12", "34"]))
    json_lines(tmp_path / "a.jsonl", "12", "34")
    (tmp_path / "a.smi").write_text("12\n34\n")
    for path in tmp_path.iterdir():
        assert read_input(fitted_to(TEXT), path).values == {"number": ["12", "34"]}, path.name


def test_a_column_beside_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "a.jsonl", {"number": "1", "id": {}, "x": [1]}, {"number": "2", "id": 1, "x": [1, 2]})
    rows = read_input(fitted_to(TEXT), path)
    assert [note.text.split(";")[0] for note in rows.notes] == ["Column 'id' holds objects"]
    assert "not carried over" in rows.notes[0].text
    (problem,) = problems_of(lambda: read_input(fitted_to(TEXT), path, keep=["x"]))
    assert "'x' is ragged" in problem.text


# -- row by row
@pytest.mark.parametrize(
    ("codec", "cells", "reasons"),
    [
        (TEXT, ["198", ["44"], 7], {1: "Input number: its cell holds a list; expected a text."}),
        (TEXT, ["198", {}, 7], {1: "Input number: its cell holds an object; expected a text."}),
        (TEXT, ["198", [], None, 7], {1: "a list", 2: "It is empty"}),
        (FittedNumbers(()), [1, [2], 3.5], {1: "its cell holds a list; expected a number"}),
        (FittedNumbers(()), [1, {}, None, "2"], {1: "an object", 2: "missing"}),
        (FittedNumbers((2,)), [[1, 2], [1], [3, 4], None], {1: "has 1 number; expected 2", 3: "no value"}),
        (FittedNumbers((2,)), [[1, 2], "3;4", "x;4", ["a", 1]], {2: "'x' is not a number", 3: "other values than numbers"}),
        (FittedNumbers((2,)), [[1, 2], [0.5, 2**53 + 3], [[1], [2, 3]]], {1: "rounded", 2: "ragged"}),
        (FittedIds((2,), limit=5), [[1, 2], [1, 2, 3]], {1: "has 3 numbers"}),
        (FittedIds((2,), limit=3, depth=3), [[[1, 0, 0], [0, 1, 0]], [[1, 0, 0]]], {1: "has 3 numbers"}),
    ],
)
def test_a_cell_that_cannot_be_used_does_not_stop_the_other_rows(
    tmp_path: Path, codec: FittedCodec, cells: list[Any], reasons: dict[int, str]
) -> None:
    found = encoded_rows(fitted_to(codec), json_lines(tmp_path / "a.jsonl", *({"number": cell, "n": 1} for cell in cells)))
    assert list(found.reasons) == list(reasons)
    assert found.good.tolist() == [row for row in range(len(cells)) if row not in reasons]
    for row, words in reasons.items():
        assert words in found.reasons[row]


def test_each_of_several_inputs_is_read_row_by_row(tmp_path: Path) -> None:
    rows = [{"number": "12", "b": [1]}, {"number": ["3"], "b": [1]}, {"number": "4", "b": [1, 2]}]
    found = encoded_rows(fitted_to(TEXT, FittedNumbers((1,))), json_lines(tmp_path / "a.jsonl", *rows))
    assert found.good.tolist() == [0]
    assert "Input number" in found.reasons[1]
    assert "Input b" in found.reasons[2]


def test_where_no_row_is_left_the_reason_is_that_of_the_cell(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "a.jsonl", {"number": ["1"]}, {"number": "x"})
    (problem,) = problems_of(encoded_rows, fitted_to(TEXT), path)
    assert problem.code == "no_rows"
    assert "holds a list" in problem.text
    path = json_lines(tmp_path / "a.jsonl", {"number": ["1"]}, {"number": None})
    assert codes(problems_of(encoded_rows, fitted_to(TEXT), path)) == ["unusable_array"]


# -- empty lines
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("header", ["", "number\n"])
def test_empty_lines_of_one_column_are_rows_but_for_the_end_of_the_last(tmp_path: Path, end: str, header: str) -> None:
    path = tmp_path / "a.txt"
    for lines, values in (("12\n\n7", ["12", "", "7"]), ("12\n7\n", ["12", "7"]), ("12\n\n7\n\n\n", ["12", "", "7", "", ""])):
        path.write_bytes((header + lines).replace("\n", end).encode())
        rows = read_input(fitted_to(TEXT), path)
        assert rows.values == {"number": values}
        assert rows.lines == tuple(range(1 + bool(header), len(values) + 1 + bool(header)))
        assert rows.notes == ()
    assert read_input(fitted_to(TEXT), ["12\n", "\n", "7\n", "\n"]).values == {"number": ["12", "", "7", ""]}
    found = encoded_rows(fitted_to(TEXT), path)
    assert found.good.tolist() == [0, 2]
    assert found.reasons[4].startswith(f"Line {5 + bool(header)}: Input number: It is empty")


def test_a_number_is_missing_in_an_empty_line_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1.5\n2\n\n")
    found = encoded_rows(fitted_to(FittedNumbers(())), tmp_path / "a.txt")
    assert list(found.reasons) == [2]


def test_empty_lines_below_several_columns_are_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("number,id\n12,1\n7,2\n\n\n")
    rows = read_input(fitted_to(TEXT), tmp_path / "a.csv")
    assert (rows.values, rows.notes) == ({"number": ["12", "7"]}, ())


def test_the_training_says_how_many_empty_lines_at_the_end_it_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("CCO\nCCN\n\nCCC\nCCF\n\n\n")
    table = open_table(tmp_path / "a.txt")
    (said,) = [problem.text for problem in table.problems if problem.code == "blank_lines"]
    assert (table.rows, said) == (5, "a.txt has 2 empty lines at its end, left out in reading.")
    (tmp_path / "a.txt").write_text("CCO\nCCN\n\nCCC\nCCF\n")
    assert "blank_lines" not in codes(open_table(tmp_path / "a.txt").problems)


# -- quotes
def test_a_text_file_of_quoted_lines_alone_warns_and_its_remedy_removes_them(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text('"name"\n"CCO"\n"CCN"\n"CBr"\n"CS"\n"CO"\n')
    table = open_table(path)
    (warning,) = [problem for problem in table.problems if problem.code == "quotes_are_text"]
    assert "Every line of a.txt is in quotes" in warning.text
    assert "data.delimiter" in warning.hint
    assert "quotes_are_text" not in codes(open_table(path, how=Reading(quoting="no")).problems)
    mended = open_table(path, how=Reading(delimiter=","))
    assert next(iter(mended.text_chunks("name"))).to_pylist() == ["CCO", "CCN", "CBr", "CS", "CO"]
    path.write_text('"Yes," she said.\n"No"\nHe left.\n')
    assert "quotes_are_text" not in codes(open_table(path).problems)
