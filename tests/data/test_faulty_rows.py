"""Rows that cannot be encoded: left out of the training where that is asked for, and named one by one for generating."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from seqdec_gui.data.codecs import FittedCategory, FittedIds, FittedNumbers, FittedText
from seqdec_gui.data.dataset import open_dataset, try_fit
from seqdec_gui.data.fitted import Fitted, FittedPort
from seqdec_gui.data.name_evidence import names_rows
from seqdec_gui.data.new_rows import encode_good_rows
from seqdec_gui.data.row_faults import faulty_rows, reason
from seqdec_gui.data.rows import read_input
from seqdec_gui.data.sources import RowSource
from seqdec_gui.domain.bindings import Binding, DataSource, Reading, Split, TextCodec, VectorCodec
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.problems import errors
from seqdec_gui.domain.types import TensorType
from tests.data.ports import codes, problems_of

TEXT = FittedText(("a", "b"), 3, end=True)
PORTS = (
    DataPort("word", "word.output", "input", TensorType((4,), "int32", symbols=9)),
    DataPort("x", "x.output", "input", TensorType((2,))),
)


@pytest.mark.parametrize(
    ("codec", "values", "bad", "why"),
    [
        (
            TEXT,
            ["ab", "", "abz", "aaa", "b"],
            [1, 2, 3],
            ["empty", "Symbol 'z' is not in the charset", "longer than 2 symbols"],
        ),
        (TEXT, ["a\x01b", "ab"], [0], ["not in the charset"]),
        (FittedCategory(("x", "y")), ["x", "z", ""], [1, 2], ["Label 'z' is not one of", "No label"]),
        (FittedNumbers((2,)), np.array([[1, 2], [np.nan, 1], [1, np.inf]]), [1, 2], ["missing, NaN", "missing, NaN"]),
        (FittedNumbers((2,), fill=(0.5, 0.5)), np.array([[1, 2], [np.nan, 1], [1, np.inf]]), [2], ["missing, NaN"]),
        (FittedIds((2,), limit=5), np.array([[1, 4], [1, 5], [1, -1], [1, 0.5]]), [1, 2, 3], ["ids up to 5", "-1", "0.5"]),
    ],
)
def test_a_row_that_cannot_be_encoded_is_found_and_gets_a_reason(
    codec: Any, values: Any, bad: list[int], why: list[str]
) -> None:
    source = RowSource("x", values)
    assert np.flatnonzero(faulty_rows(codec, source)).tolist() == bad
    for row, words in zip(bad, why, strict=True):
        said = reason(codec, source, row)
        assert words.lower() in said.lower()
        assert (said[:1].upper(), " ".join(said.split())) == (said[:1], said), "one sentence, without gaps"


@pytest.mark.parametrize(
    ("names", "carried"),
    [
        (["id", "x_id", "Mol_ID", "sampleId", "identifier", "mol_id_2"], True),
        (["name", "compound name", "Compound Name", "key", "CAS-No", "CAS", "nr", "No.", "Number", "index", "idx"], True),
        (["InChIKey", "cid", "accession", "sample", "Compound", "molecule", "smiles_id", "entry", "Unnamed: 0"], True),
        (
            ["grid", "keyboard", "note", "valid", "logP", "y", "text", "sample weight", "compound class", "annotation", ""],
            False,
        ),
    ],
)
def test_columns_that_tell_rows_apart_are_known_by_their_names(names: list[str], carried: bool) -> None:
    assert [name for name in names if names_rows(name) is not carried] == []


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_text("id,w,a,b\nq1,ab,1,2\nq2,,3,4\nq3,ba,,6\nq4,aaaaaaa,7,8\nq5,b,9,1\n")
    return tmp_path


def source_of(**ways: Any) -> DataSource:
    bindings = (Binding("word", "w", TextCodec(marks="none")), Binding("x", ("a", "b"), VectorCodec(standardise=True)))
    return DataSource("a.csv", Split(validation=0.0), bindings, **ways)


def test_rows_that_cannot_be_used_are_left_out_where_that_is_asked_for(table: Path) -> None:
    assert sorted(codes(errors(try_fit(source_of(), PORTS, table).problems))) == ["empty_rows", "not_finite", "too_long"]
    dataset = open_dataset(source_of(faulty_rows="leave_out"), PORTS, table)
    assert dataset.training.tolist() == [0, 4]
    told = [problem for problem in dataset.problems if problem.code == "rows_left_out"]
    assert [problem.text.partition(" cannot")[0] for problem in told] == [
        "Column 'w': 2 rows of 5",
        "The group of columns 'a', 'b': 1 row of 5",
    ]
    assert np.isfinite(dataset.arrays["x"][dataset.training]).all()


def test_where_no_row_is_left_the_training_is_refused(table: Path) -> None:
    (table / "a.csv").write_text("id,w,a,b\nq1,,1,2\nq2,ab,,4\n")
    assert "no_training_rows" in codes(problems_of(open_dataset, source_of(faulty_rows="leave_out"), PORTS, table))


def test_longer_rows_are_cut_and_missing_numbers_filled_where_that_is_asked_for(table: Path) -> None:
    bindings = (
        Binding("word", "w", TextCodec(marks="none", longer="truncate")),
        Binding("x", ("a", "b"), VectorCodec(standardise=False, missing="mean")),
    )
    source = DataSource("a.csv", Split(validation=0.0), bindings, faulty_rows="leave_out")
    dataset = open_dataset(source, PORTS, table)
    assert dataset.training.tolist() == [0, 2, 3, 4]
    np.testing.assert_allclose(dataset.arrays["x"][2], [5.0, 6.0])
    assert dataset.fitted.ports[0].codec.decode(dataset.arrays["word"][3]) == "aaaa"  # type: ignore[union-attr]
    assert "rows_truncated" in codes(dataset.problems)


# -- new rows
@pytest.fixture
def fitted() -> Fitted:
    ports = (
        FittedPort("w", "w.output", "input", ("w",), TEXT),
        FittedPort("x", "x.output", "input", ("a", "b"), FittedNumbers((2,))),
    )
    return Fitted(ports, ())


def test_one_bad_row_does_not_stop_the_others_and_ids_are_carried_over(fitted: Fitted, table: Path) -> None:
    rows = read_input(fitted, table / "a.csv", keep=["a"])
    encoded = encode_good_rows(fitted, rows.values, rows.reasons)
    assert encoded.good.tolist() == [0, 4]
    assert encoded.arrays["w"].tolist() == [[2, 3, 1], [0] * 3, [0] * 3, [0] * 3, [3, 1, 0]]
    assert list(encoded.reasons) == [1, 2, 3]
    assert "Input w: It is empty" in encoded.reasons[1]
    assert "a number is missing" in encoded.reasons[2]
    assert rows.kept == {"a": ["1", "3", "", "7", "9"], "id": ["q1", "q2", "q3", "q4", "q5"]}


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".jsonl", ".parquet", ".xlsx"])
def test_new_rows_come_from_files_of_every_kind(fitted: Fitted, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows{suffix}"
    columns: dict[str, list[Any]] = {"w": ["ab", "b", "zz"], "a": [1, 2, 3], "b": [4, 5, 6], "Mol_ID": ["m1", "m2", "m3"]}
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    if suffix == ".xlsx":
        openpyxl = pytest.importorskip("openpyxl")
        book = openpyxl.Workbook()
        for row in [list(columns), *zip(*columns.values(), strict=True)]:
            book.active.append(row)
        book.save(path)
    elif suffix == ".jsonl":
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        path.write_bytes(b"\n".join(map(msgspec.json.encode, rows)))
    elif suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table(columns), path)
    else:
        import gzip

        raw = "\n".join(lines).encode()
        path.write_bytes(gzip.compress(raw) if suffix.endswith("gz") else raw)
    found = read_input(fitted, path)
    encoded = encode_good_rows(fitted, found.values, found.reasons)
    assert encoded.good.tolist() == [0, 1]
    assert encoded.arrays["x"].tolist() == [[1, 4], [2, 5], [0, 0]]
    assert found.kept == {"Mol_ID": ["m1", "m2", "m3"]}


def test_a_ragged_row_gets_its_reason(fitted: Fitted, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("w,a,b\nab,1,2\nb,1\n")
    rows = read_input(fitted, tmp_path / "a.csv")
    encoded = encode_good_rows(fitted, rows.values, rows.reasons)
    assert encoded.good.tolist() == [0]
    assert encoded.reasons[1].startswith("Line 3: It has 2 fields")


def test_rows_of_which_none_can_be_used_are_refused_with_every_reason(fitted: Fitted) -> None:
    values = {"w": ["zz", ""], "x": np.ones((2, 2))}
    assert set(codes(problems_of(encode_good_rows, fitted, values, {}))) == {"unknown_symbol", "empty_rows"}


def test_new_rows_are_read_with_the_options_of_the_training(fitted: Fitted, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("w;a;b\nab;1.234;2\n% a remark\nb;1,5;3\n")
    rows = read_input(fitted, tmp_path / "a.csv", how=Reading(decimal=",", comment="%"))
    assert rows.values["x"].tolist() == [[1234, 2], [1.5, 3]]


def test_a_column_to_keep_that_is_not_there_is_refused(fitted: Fitted, table: Path) -> None:
    assert codes(problems_of(lambda: read_input(fitted, table / "a.csv", keep=["c"]))) == ["unknown_column"]
