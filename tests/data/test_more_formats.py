"""JSON lines, SMILES, workbooks, MATLAB files, binary molecules and compressed files; and what is said of other kinds."""

from __future__ import annotations

import datetime
import gzip
import re
import subprocess
import zipfile
from pathlib import Path
from random import Random

import h5py
import msgspec
import numpy as np
import pytest

from seqdec_gui.data import tables
from seqdec_gui.data.dataset import open_dataset, try_fit
from seqdec_gui.data.formats import bounds, compression, trial
from seqdec_gui.data.formats.registry import OTHER_KINDS, file_patterns, format_of, reading_options
from seqdec_gui.data.rows import read_input
from seqdec_gui.data.tables import Table, open_table
from seqdec_gui.domain.bindings import Binding, DataSource, Reading, Split
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.types import TensorType
from tests.data.ports import codes, problems_of

CASES = Path(__file__).parent / "cases"


def page_of(table: Table) -> dict[str, list[object]]:
    return {column.name: table.page(column.name, 0, table.rows) for column in table.columns}


# -- other kinds
@pytest.mark.parametrize("suffix", [suffix for suffixes in OTHER_KINDS for suffix in suffixes])
def test_another_kind_of_file_gets_a_sentence_that_says_what_to_do(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(b"anything")
    (problem,) = problems_of(open_table, path)
    assert problem.code == "unknown_format"
    assert problem.hint in OTHER_KINDS.values()
    assert format_of(path) is None


def test_a_missing_package_is_named_with_the_line_that_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "openpyxl", None)
    path = tmp_path / "rows.xlsx"
    path.write_bytes(b"PK")
    (problem,) = problems_of(open_table, path)
    assert (problem.code, problem.hint) == ("missing_extra", 'Install it: pip install "seqdec-gui[xlsx]"')


# -- compressed
def test_a_compressed_file_has_the_format_of_the_file_within(tmp_path: Path) -> None:
    assert format_of(Path("a.tsv.GZ")) == format_of(Path("a.tsv"))
    assert format_of(Path("a.parquet.gz")) is None
    assert reading_options(Path("a.csv.zst")) == reading_options(Path("a.csv"))
    with zipfile.ZipFile(tmp_path / "rows.zip", "w") as archive:
        archive.writestr("__MACOSX/._rows.tsv", b"")
        archive.writestr("rows.tsv", "a,b\tc\n1\t2\n")
    assert list(page_of(open_table(tmp_path / "rows.zip"))) == ["a,b", "c"]
    assert {"*.csv.gz", "*.zip", "*.xlsx"} <= set(file_patterns())


def test_a_zip_file_whose_file_lost_its_name_is_read_by_its_own(tmp_path: Path) -> None:
    for name in ("rows.csv.zip", "rows.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("rows.csv", "a,b\n1,2\n")
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data.replace(b"rows.csv", b"\0ows.csv"))  # a name ends at its first zero
    assert list(page_of(open_table(tmp_path / "rows.csv.zip"))) == ["a", "b"]
    (problem,) = problems_of(open_table, tmp_path / "rows.zip")
    assert problem.code == "unknown_format"


def test_a_zip_file_of_several_files_is_refused_with_their_names(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "rows.csv.zip", "w") as archive:
        archive.writestr("one.csv", "a\n1\n")
        archive.writestr("two.csv", "a\n1\n")
    (problem,) = problems_of(open_table, tmp_path / "rows.csv.zip")
    assert "2 files (one.csv, two.csv)" in problem.text


@pytest.mark.parametrize("name", ["rows.csv.gz", "rows.csv.zip", "rows.csv.zst", "rows.csv.bz2", "rows.csv.xz"])
def test_a_file_that_is_not_compressed_as_its_name_says_is_damaged(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"a,b\n1,2\n" * 9)
    assert codes(problems_of(open_table, tmp_path / name)) == ["unreadable_file"]


def test_a_file_that_ends_too_early_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n" * 9)[:-9])
    assert codes(problems_of(open_table, tmp_path / "rows.csv.gz")) == ["unreadable_file"]


@pytest.mark.parametrize("name", ["rows.csv.gz", "rows.csv.zip", "rows.jsonl.gz", "rows.xlsx"])
def test_what_is_larger_when_open_than_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(compression, "MAX_OPEN_BYTES", 1000)
    monkeypatch.setattr(bounds, "FREE_BYTES", 1000)
    if name.endswith("gz"):
        (tmp_path / name).write_bytes(gzip.compress(b"a" * 100_000))
    else:
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("rows.csv", "a" * 100_000)
    (problem,) = problems_of(open_table, tmp_path / name)
    assert problem.code == "too_large_file"


# -- JSON lines
def test_json_lines_are_columns_of_their_kinds(tmp_path: Path) -> None:
    lines = [
        '{"a": 1, "b": "2020-01-01", "v": [1, 2], "m": {"q": 1}}',
        "",
        '{"b": null, "v": [3, 4.5], "a": 2, "m": {"q": "x"}}',
        '{"a": 3, "b": "", "v": [5, 6], "deep": [{"c": 1}]}',
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(lines))
    table = open_table(path)
    assert [(column.name, column.kind, column.shape) for column in table.columns] == [
        ("a", "integer", ()), ("b", "text", ()), ("v", "array", (2,)), ("m.q", "text", ()),
    ]  # fmt: skip
    page = page_of(table)
    assert page["a"] == [1, 2, 3]
    assert page["b"] == ["2020-01-01", None, ""]
    assert page["m.q"] == ["1", "x", None]
    assert codes(table.problems) == ["blank_lines", "mixed_values"]
    assert codes(table.unusable.values()) == ["unusable_array"]


@pytest.mark.parametrize("line", ['{"a": ', "[1, 2]", "3", '{"a": 1} {"a": 2}'])
def test_a_line_that_is_no_object_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n' + line)
    (problem,) = problems_of(open_table, path)
    assert problem.code == "bad_json_line"
    assert problem.text.startswith("Line 2 of rows.jsonl")


def test_lists_of_different_lengths_are_named_by_their_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"v": [1, 2], "a": 1}\n{"v": [1], "a": 1}')
    assert "row 2 has 1 value, row 1 has 2" in open_table(path).unusable["v"].text


# -- SMILES
def test_smiles_are_told_from_names_and_a_header_and_comments_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.smi"
    path.write_text("# made today\nSMILES Name\nCCO ethyl alcohol\nC#N\n\nc1ccccc1\tbenzene\n")
    table = open_table(path)
    assert page_of(table) == {"smiles": ["CCO", "C#N", "c1ccccc1"], "name": ["ethyl alcohol", None, "benzene"]}
    assert codes(table.problems) == ["comments_skipped", "blank_lines"]


def test_smiles_without_names_have_one_column() -> None:
    table = open_table(CASES / "molecules_no_header.smi")
    assert page_of(table)["smiles"] == ["CCO", "c1ccccc1", "CC(=O)O"]


# -- workbooks
def _workbook(path: Path) -> Path:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (
        ["smiles", "logp", "day"],
        ["CCO", 1, datetime.datetime(2020, 1, 2)],
        [],
        ["CC", 2.5, "#N/A"],
        [None, None, None],
    ):
        sheet.append(row)
    book.create_sheet("more").append([1, 2])
    book.save(path)
    return path


def test_the_first_sheet_of_a_workbook_is_read_and_told(tmp_path: Path) -> None:
    table = open_table(_workbook(tmp_path / "rows.xlsx"))
    assert page_of(table) == {"smiles": ["CCO", "CC"], "logp": [1.0, 2.5], "day": ["2020-01-02", None]}
    assert codes(table.problems) == ["first_sheet", "blank_lines", "error_cells"]


@pytest.mark.parametrize("sheet", ["more", "2"])
def test_another_sheet_is_chosen_by_name_or_number(tmp_path: Path, sheet: str) -> None:
    table = open_table(_workbook(tmp_path / "rows.xlsx"), how=Reading(sheet=sheet))
    assert page_of(table) == {"column 1": [1], "column 2": [2]}


def test_a_sheet_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    (problem,) = problems_of(lambda path: open_table(path, how=Reading(sheet="none")), _workbook(tmp_path / "rows.xlsx"))
    assert problem.code == "unknown_sheet"
    assert "'Sheet', 'more'" in problem.text


# -- MATLAB
def test_variables_of_a_matlab_file_are_columns(tmp_path: Path) -> None:
    io = pytest.importorskip("scipy.io")
    matrix = np.arange(15.0).reshape(5, 3)
    cells = np.array(["a", "bb", "ccc", "d", "e"], dtype=object)
    variables = {"X": matrix, "y": np.arange(5.0)[:, None], "names": cells, "s": {"f": np.arange(5)}, "one": 3.0,
                 "pictures": np.zeros((2, 2, 5))}  # fmt: skip
    io.savemat(tmp_path / "rows.mat", variables, do_compression=True)
    table = open_table(tmp_path / "rows.mat")
    shapes = {column.name: (column.kind, column.shape, column.rows) for column in table.columns}
    assert shapes == {
        "X": ("array", (3,), 5), "y": ("number", (), 5), "names": ("text", (), 5), "s.f": ("integer", (), 5),
        "pictures": ("array", (2, 2), 5),
    }  # fmt: skip
    assert np.array_equal(np.concatenate(list(table.chunks("X"))), matrix)
    assert table.page("names", 1, 2) == ["bb", "ccc"]
    assert codes(table.problems) == ["rows_on_last_axis"]
    assert "single value" in table.unusable["one"].text


def test_a_matlab_file_of_version_7_3_has_the_same_rows(tmp_path: Path) -> None:
    matrix = np.arange(15.0).reshape(5, 3)
    with h5py.File(tmp_path / "rows.mat", "w", userblock_size=512) as file:
        file["X"] = matrix.T
        file["y"] = np.arange(5.0)[None, :]
        text = file.create_dataset("word", data=np.array([[ord(letter)] for letter in "hello"], np.uint16))
        text.attrs["MATLAB_class"] = np.bytes_("char")
        names = file.create_dataset("names", (1, 2), dtype=h5py.ref_dtype)
        for at, name in enumerate(["ab", "c"]):
            item = file.create_dataset(f"#refs#/{at}", data=np.array([[ord(letter)] for letter in name], np.uint16))
            item.attrs["MATLAB_class"] = np.bytes_("char")
            names[0, at] = item.ref
    table = open_table(tmp_path / "rows.mat")
    assert np.array_equal(np.concatenate(list(table.chunks("X"))), matrix)
    assert table.page("y", 0, 9) == [0, 1, 2, 3, 4]
    assert table.page("names", 0, 9) == ["ab", "c"]


# -- binary molecules
@pytest.mark.parametrize("kind", ["opaque", "fixed", "bytes"])
def test_binary_molecules_are_read_as_smiles(tmp_path: Path, kind: str) -> None:
    chem = pytest.importorskip("rdkit.Chem")
    smiles = ["CCO", "c1ccccc1", "CC(=O)O"]
    raw = [chem.MolFromSmiles(text).ToBinary() for text in smiles]
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        if kind == "opaque":
            file["mols"] = np.array(raw).astype(f"V{max(map(len, raw))}")
        elif kind == "fixed":
            file["mols"] = np.array(raw)
        else:
            values = np.array([np.frombuffer(each, np.uint8) for each in raw], dtype=object)
            file.create_dataset("mols", data=values, dtype=h5py.vlen_dtype(np.uint8))
    table = open_table(tmp_path / "rows.h5")
    assert [(column.name, column.kind) for column in table.columns] == [("mols", "text")]
    assert table.page("mols", 1, 2) == smiles[1:]
    for _ in range(2):
        assert [text for chunk in table.text_chunks("mols") for text in chunk.to_pylist()] == smiles


def test_a_damaged_binary_molecule_is_named_by_its_row_and_can_be_left_out(tmp_path: Path) -> None:
    chem = pytest.importorskip("rdkit.Chem")
    raw = [chem.MolFromSmiles(smiles).ToBinary() for smiles in ("CCO", "CCN", "CC", "CCCO")]
    raw[1] = raw[1][:4] + b"\xff" * (len(raw[1]) - 4)
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file["mols"] = np.array(raw).astype(f"V{max(map(len, raw))}")
    assert open_table(tmp_path / "rows.h5").page("mols", 0, 4) == ["CCO", None, "CC", "CCCO"]
    wanted = DataPort("text", "text.output", "input", TensorType((6,), "int32", symbols=9))
    source = DataSource("rows.h5", Split(validation=0.0), (Binding("text", "mols"),))
    found = try_fit(source, [wanted], tmp_path).problems
    assert {"bad_molecule", "empty_rows"} <= {problem.code for problem in found}
    assert any("row 2 is no molecule that RDKit can read" in problem.text for problem in found)
    dataset = open_dataset(msgspec.structs.replace(source, faulty_rows="leave_out"), [wanted], tmp_path)
    assert len(dataset.training) == 3
    new = read_input(dataset.fitted, tmp_path / "rows.h5")
    assert [*new.reasons] == [1]
    assert "no molecule" in new.reasons[1]


# -- cells, links and damage
def test_a_matrix_of_cells_has_a_column_for_each_of_its_columns(tmp_path: Path) -> None:
    scipy_io = pytest.importorskip("scipy.io")
    cells = np.empty((3, 2), object)
    for row in range(3):
        cells[row] = f"w{row}", float(row)
    scipy_io.savemat(tmp_path / "rows.mat", {"data": cells, "row": cells[:, :1].T, "deep": cells.reshape(3, 1, 2)})
    table = open_table(tmp_path / "rows.mat")
    assert {column.name: table.page(column.name, 0, 9) for column in table.columns} == {
        "data.1": ["w0", "w1", "w2"],
        "data.2": [0, 1, 2],
        "row": ["w0", "w1", "w2"],
    }
    assert "expected one cell per row" in table.unusable["deep"].text


def test_a_matlab_cell_of_several_lines_of_text_is_no_text(tmp_path: Path) -> None:
    scipy_io = pytest.importorskip("scipy.io")
    cells = np.empty((2, 1), object)
    cells[:, 0] = [np.array(["ab", "cd"]), np.array(["ef"])]
    scipy_io.savemat(tmp_path / "rows.mat", {"word": cells, "tab": np.array(["a\t", "bb"]), "none": np.array([""])})
    table = open_table(tmp_path / "rows.mat")
    assert set(table.unusable) == {"word", "none"}
    assert table.page("tab", 0, 9) == ["a\t", "bb"], "spaces alone fill a matrix of text"


def test_a_file_that_crashes_the_library_that_reads_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "crashes_library", trial.crashes_library)
    h5py.File(tmp_path / "rows.h5", "w").create_dataset("a", data=np.arange(3)).file.close()
    assert open_table(tmp_path / "rows.h5").rows == 3
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    real = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda command, **how: real([command[0], "-c", crash], **how))
    (tmp_path / "rows.h5").touch()
    (problem,) = problems_of(open_table, tmp_path / "rows.h5")
    assert problem.code == "unreadable_file"
    assert "crashes the library" in problem.text


def test_a_workbook_without_the_parts_that_it_names_is_damaged(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.create_chartsheet()
    book.save(tmp_path / "rows.xlsx")
    (problem,) = problems_of(open_table, tmp_path / "rows.xlsx")
    assert problem.code in ("unreadable_file", "empty_file")


@pytest.mark.parametrize("seed", range(12))
def test_every_row_of_a_sheet_is_read_or_named(tmp_path: Path, seed: int) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    random = Random(seed)
    book = openpyxl.Workbook()
    rows = [random.choice([(f"w{i}", i), ("", ""), (None, None), (f"w{i}", None), ("", i)]) for i in range(30)]
    rows[random.randrange(30)] = ("w", 1)
    book.active.append(("word", "number"))
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "rows.xlsx")
    table = open_table(tmp_path / "rows.xlsx", how=Reading("yes"))
    empty = [number for number, row in enumerate(rows, start=2) if (row[0] in (None, "") and row[1] is None) or row == ("", "")]
    said = "".join(problem.text for problem in table.problems if problem.code == "blank_lines")
    assert table.rows + len(empty) == len(rows)
    assert (f"{len(empty)} empty row" in said) == bool(empty)
    assert not empty or re.search(rf"rows? {empty[0]}\b", said)
    assert [cell or "" for cell in table.page("word", 0, 99)] == [
        row[0] or "" for number, row in enumerate(rows, start=2) if number not in empty
    ]
