"""Every format gives the same columns, pages and values; a bad file gives a sentence."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui.data.codecs import FittedCategory
from seqdec_gui.data.fitting import sorted_labels
from seqdec_gui.data.formats.base import reading
from seqdec_gui.data.sources import ColumnSource
from seqdec_gui.data.statistics import NumberStatistics, TextStatistics, measure
from seqdec_gui.data.tables import inspect, open_table, preview, read
from seqdec_gui.domain.problems import InvalidInput
from tests.data.ports import codes, problems_of

ROWS = 1000
TEXT = np.array([f"wört {i:03d}"[: 3 + i % 6] for i in range(ROWS)])
COUNT = np.arange(ROWS) - 5
VALUE = np.linspace(-1, 1, ROWS)
FORMATS = ["npz", "packed.npz", "h5", "csv", "tsv", "parquet"]


def write(folder: Path, name: str) -> Path:
    path = folder / f"data.{name}"
    table = pa.table({"text": TEXT, "count": COUNT, "value": VALUE})
    if name == "npz":
        np.savez(path, text=TEXT, count=COUNT, value=VALUE)
    elif name == "packed.npz":
        np.savez_compressed(path, text=TEXT, count=COUNT, value=VALUE)
    elif name == "h5":
        with h5py.File(path, "w") as file:
            file.create_dataset("text", data=[str(text) for text in TEXT])
            file["count"], file["value"] = COUNT, VALUE
    elif name == "parquet":
        pyarrow.parquet.write_table(table, path, row_group_size=300)
    else:
        pyarrow.csv.write_csv(table, path, pyarrow.csv.WriteOptions(delimiter="\t" if name == "tsv" else ","))
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_table(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name)
    table = inspect(path)
    described = {column.name: (column.kind, column.shape, column.rows) for column in table.columns}
    assert described == {"text": ("text", (), ROWS), "count": ("integer", (), ROWS), "value": ("number", (), ROWS)}
    assert list(read(path, "text")) == list(TEXT)
    np.testing.assert_array_equal(read(path, "count"), COUNT)
    np.testing.assert_array_equal(read(path, "value"), VALUE)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(("first", "count"), [(0, 10), (295, 310), (990, 50), (ROWS, 10)])
def test_a_page_is_the_rows_of_the_column(tmp_path: Path, name: str, first: int, count: int) -> None:
    page = preview(write(tmp_path, name), first, count)
    assert page["text"] == list(TEXT[first : first + count])
    assert page["count"] == list(COUNT[first : first + count])
    assert page["value"] == list(VALUE[first : first + count])
    assert all(type(cell) is int for cell in page["count"])


@pytest.mark.parametrize("name", ["npz", "packed.npz", "h5", "parquet"])
def test_arrays_keep_the_shape_of_their_rows(tmp_path: Path, name: str) -> None:
    array = np.random.default_rng(0).normal(size=(70, 4, 3)).astype(np.float32)
    path = tmp_path / f"data.{name}"
    if name == "h5":
        with h5py.File(path, "w") as file:
            file["group/x"] = array
    elif name == "parquet":
        pyarrow.parquet.write_table(pa.table({"x": array.tolist()}, pa.schema({"x": pa.list_(pa.list_(pa.float32()))})), path)
    else:
        {"npz": np.savez, "packed.npz": np.savez_compressed}[name](path, x=np.asfortranarray(array))
    column = inspect(path).columns[0]
    assert (column.kind, column.shape, column.rows, column.dtype) == ("array", (4, 3), 70, "float32")
    np.testing.assert_array_equal(read(path, column.name), array)
    np.testing.assert_array_equal(np.stack(preview(path, 60, 5)[column.name]), array[60:65])


def test_an_npy_file_is_one_column_named_like_the_file(tmp_path: Path) -> None:
    np.save(tmp_path / "latent.npy", np.eye(3, dtype=">f8"))
    table = inspect(tmp_path / "latent.npy")
    assert [(column.name, column.dtype) for column in table.columns] == [("latent", "float64")]
    np.testing.assert_array_equal(read(table.path, "latent"), np.eye(3))


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", bad=np.array([{"x": 1}, None], dtype=object), good=np.arange(2))
    table = inspect(tmp_path / "a.npz")
    assert [column.name for column in table.columns] == ["good"]
    (problem,) = problems_of(table.column, "bad")
    assert "never unpickled" in problem.text


@pytest.mark.parametrize("name", ["npz", "npy", "h5", "parquet"])
def test_rows_without_values_are_no_column(tmp_path: Path, name: str) -> None:
    path, array = tmp_path / f"hollow.{name}", np.zeros((4, 0))
    if name == "parquet":
        pyarrow.parquet.write_table(pa.table({"hollow": pa.array([[]] * 4, pa.list_(pa.float64()))}), path)
    elif name == "h5":
        with h5py.File(path, "w") as file:
            file["hollow"] = array
    else:
        np.save(path, array) if name == "npy" else np.savez(path, hollow=array)
    (problem,) = problems_of(inspect(path).column, "hollow")
    assert "hold no values" in problem.text
    assert preview(path, 0, 2) == {}


@pytest.mark.parametrize("shape", [(-5, 2), (10**13, 2), (4, 10**18)])
def test_an_array_shorter_than_its_header_says_is_damaged(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
        file.write(bytes(64))
    (problem,) = problems_of(open_table, tmp_path / "a.npy")
    assert "fewer values than its header says" in problem.text


def test_a_missing_first_list_does_not_decide_the_shape(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pa.table({"x": [None, [1.0, 2.0]]}), tmp_path / "a.parquet")
    assert open_table(tmp_path / "a.parquet").columns[0].shape == (2,)
    (problem,) = problems_of(read, tmp_path / "a.parquet", "x")
    assert "expected 2 values per list, row 1 has nothing" in problem.text


def test_a_quote_that_is_never_closed_swallows_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('x,s\n1,a\n2,"b\n3,c\n4,d\n')
    table = open_table(path)
    assert codes(table.problems) == ["quotes_are_text"]
    assert table.page("s", 0, 9) == ["a", '"b', "c", "d"]
    path.write_text('x,s\n1,a\n2,"b, c\n3,c\n4,d\n')
    (problem,) = problems_of(open_table, path)
    assert (problem.code, "In line 3" in problem.text) == ("open_quote", True)
    path.write_text('x,s\n1,5" pipe\n2,b\n')
    assert list(read(path, "s")) == ['5" pipe', "b"]


def test_a_header_longer_than_the_sample_is_read_whole(tmp_path: Path) -> None:
    names = [f"a_column_with_quite_a_long_name_{number}" for number in range(9000)]
    (tmp_path / "a.csv").write_text(",".join([*names, "last"]) + "\n" + "1," * 9000 + "2\n")
    assert open_table(tmp_path / "a.csv", ["last"]).columns[0].kind == "integer"


def test_utf_32_is_told_from_utf_16(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("s\nwört\n".encode("utf-32"))
    assert list(read(tmp_path / "a.csv", "s")) == ["wört"]


def test_bytes_that_are_no_utf8_are_read_as_latin_1(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", t=np.array([b"caf\xe9", b"x"]))
    assert list(read(tmp_path / "a.npz", "t")) == ["café", "x"]


def test_a_semicolon_file_with_decimal_commas(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes('\ufeffName;Wert;Anzahl\n"a;b\nc";1,5;3\nd;-2,25e1;\n'.encode())
    assert [(column.name, column.kind) for column in inspect(path).columns] == [
        ("Name", "text"),
        ("Wert", "number"),
        ("Anzahl", "number"),
    ]
    assert preview(path, 0, 9) == {"Name": ["a;b\nc", "d"], "Wert": [1.5, -22.5], "Anzahl": [3.0, None]}


@pytest.mark.parametrize(
    ("delimiter", "cells", "values", "doubt"),
    [
        (",", ["1,5", "2,25"], [1.5, 2.25], ""),
        (",", ["0,123", "1,234"], [0.123, 1.234], ""),
        (",", ["1,234,567", "89"], [1_234_567, 89], ""),
        (",", ["1,234.5", "-12,000"], [1234.5, -12000.0], ""),
        (",", ["1,500", "999"], [1500, 999], "'1,500' is read as 1500"),
        (";", ["1,500", "999"], [1.5, 999.0], "'1,500' is read as 1.500"),
        (";", ["1,500.25", "999"], [1500.25, 999.0], ""),
        (";", ["1.234,5", "12"], [1234.5, 12.0], ""),
        (";", ["1.234.567", "1.000"], [1_234_567, 1000], ""),
        (";", ["1\u202f234,5", "1\u00a0000"], [1234.5, 1000.0], ""),
        (";", ["1'234'567", "12"], [1_234_567, 12], ""),
        ("\t", [",5", "1,5e3"], [0.5, 1500.0], ""),
    ],
)
def test_numbers_are_read_as_people_write_them(
    tmp_path: Path, delimiter: str, cells: list[str], values: list[float], doubt: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"n{delimiter}x\n" + "".join(f'a{delimiter}"{cell}"\n' for cell in cells), encoding="utf-8")
    table = inspect(path)
    kind = "integer" if all(isinstance(value, int) for value in values) else "number"

    assert table.column("x").kind == kind
    assert preview(path, 0, 9)["x"] == values
    warnings = [problem for problem in table.problems if problem.severity == "warning"]
    assert [doubt in problem.text for problem in warnings] == ([True] if doubt else [])
    assert table.first_not_numeric("x") is None


@pytest.mark.parametrize(
    "cells", [["1,23,456", "1"], ["1,234.5", "1.234,5"], ["5 100 300", "1 200 400"], ["1.2.3", "1"], ["e5", "."]]
)
def test_what_only_looks_like_a_number_is_text(tmp_path: Path, cells: list[str]) -> None:
    (tmp_path / "a.csv").write_text("n;x\n" + "".join(f"a;{cell}\n" for cell in cells))
    assert inspect(tmp_path / "a.csv").column("x").kind == "text"


def test_a_latin_1_file_is_read_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("word,n\ncafé,1\n".encode("latin-1"))
    table = inspect(tmp_path / "a.csv")
    assert codes(table.problems) == ["not_utf8"]
    assert list(read(table.path, "word")) == ["café"]


def test_a_utf_16_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("word;n\ncafé;1,5\n", encoding="utf-16")
    assert preview(tmp_path / "a.csv", 0, 1) == {"word": ["café"], "n": [1.5]}


def test_a_file_without_header_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,I\n2,II\n")
    assert codes(inspect(tmp_path / "a.csv").problems) == ["header_missing"]


def test_a_number_column_is_text_if_one_late_cell_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n" + "1\n" * 5000 + "oops\n")
    table = inspect(tmp_path / "a.csv")
    assert table.column("x").kind == "text"
    assert table.first_not_numeric("x") == (5000, "oops")


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"a,b\n1,2\n3\n", "ragged_rows"),
        ("a.csv", b"a,a\n1,2\n", "duplicate_column"),
        ("a.csv", b"", "empty_file"),
        ("a.csv", b"\n\n", "empty_file"),
        ("a.doc", b"x", "unknown_format"),
        ("a.npz", b"no zip", "unreadable_file"),
        ("a.npy", b"\x93NUMPY", "unreadable_file"),
        ("a.h5", b"no hdf", "unreadable_file"),
        ("a.parquet", b"PAR1 but not really PAR1", "unreadable_file"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(content)
    (problem,) = problems_of(open_table, tmp_path / name)
    assert problem.code == code
    assert name in problem.text


def test_a_ragged_row_is_named_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3\n4,5,6\n")
    (problem,) = problems_of(open_table, tmp_path / "a.csv")
    assert "2 rows" in problem.text
    assert "line 3" in problem.text


def test_a_truncated_member_is_refused_when_it_is_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.arange(10))
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        raw = archive.read("x.npy")
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("x.npy", raw[:-8])
    assert codes(problems_of(read, tmp_path / "b.npz", "x")) == ["unreadable_file"]


def test_a_missing_file_a_folder_and_an_unknown_column_are_refused(tmp_path: Path) -> None:
    assert codes(problems_of(open_table, tmp_path / "no.npz")) == ["missing_file"]
    (tmp_path / "folder.csv").mkdir()
    assert codes(problems_of(open_table, tmp_path / "folder.csv")) == ["not_a_file"]
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    (problem,) = problems_of(read, tmp_path / "a.csv", "c")
    assert "'a', 'b'" in problem.text


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")
    (tmp_path / "a.csv").chmod(0)
    assert codes(problems_of(open_table, tmp_path / "a.csv")) == ["permission_denied"]


def test_ragged_lists_in_parquet_are_refused_with_the_row(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pa.table({"x": [[1, 2], [3, 4], [5]]}), tmp_path / "a.parquet")
    with pytest.raises(InvalidInput, match="row 3 has 1 values"):
        read(tmp_path / "a.parquet", "x")


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    assert list(read(path, "a")) == [1]
    path.write_text("a\n1\n22\n")
    assert list(read(path, "a")) == [1, 22]


def test_statistics_are_those_of_numpy(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(3, 2, 200_000)
    np.savez(tmp_path / "a.npz", x=np.concatenate([values, [np.nan, np.inf]]), t=np.array(["ab", "b", "", "ab"]))
    found = measure(inspect(tmp_path / "a.npz"), "x")
    assert isinstance(found, NumberStatistics)
    assert (found.count, found.missing, found.distinct) == (200_002, 2, 200_000)
    np.testing.assert_allclose(
        [found.minimum, found.maximum, found.mean, found.deviation],
        [values.min(), values.max(), values.mean(), values.std()],
    )
    text = measure(inspect(tmp_path / "a.npz"), "t")
    assert text == TextStatistics(4, 1, 3, (1, 1, 2), {"a": 2, "b": 3})


def test_importing_the_package_loads_no_format_library() -> None:
    code = (
        "import sys, seqdec_gui.data.dataset, seqdec_gui.data.rows, seqdec_gui.data.statistics;"
        "print(sorted({'pyarrow', 'h5py', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_binary_file_is_told_from_ragged_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"n,x\n1,2\n" + bytes(range(256)))
    (problem,) = problems_of(inspect, tmp_path / "a.csv")
    assert "holds binary data" in problem.text


def test_dataset_whose_values_lie_in_another_file_is_no_column(tmp_path):
    path = tmp_path / "a.h5"
    (tmp_path / "secret").write_bytes(b"0123")
    with h5py.File(path, "w") as file:
        file["plain"] = np.arange(4)
        file.create_dataset("linked", (4,), "u1", external=[(str(tmp_path / "secret"), 0, 4)])
        file["outside"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "x")
    table = inspect(path)

    assert [column.name for column in table.columns] == ["plain"]
    assert "in another file" in table.unusable["linked"].text


@pytest.mark.parametrize("dictionary", [False, True])
@given(cells=st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=9))
def test_whole_numbers_of_parquet_are_texts_as_they_are_and_missing_ones_stay_missing(
    tmp_path_factory: pytest.TempPathFactory, dictionary: bool, cells: list[int | None]
) -> None:
    path = tmp_path_factory.mktemp("parquet") / "a.parquet"
    array = pa.array(cells, pa.int64())
    pyarrow.parquet.write_table(pa.table({"n": array.dictionary_encode() if dictionary else array}), path)
    found = [cell for chunk in open_table(path).text_chunks("n") for cell in chunk.to_pylist()]
    assert found == [None if cell is None else str(cell) for cell in cells]


def test_a_missing_number_bound_as_a_label_is_named_by_its_row(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pa.table({"n": pa.array([True, None, False])}), tmp_path / "a.parquet")
    table = open_table(tmp_path / "a.parquet")
    (problem,) = FittedCategory(("0", "1")).faults(ColumnSource(table, table.columns), "x")
    assert (problem.code, "row 2: no label" in problem.text) == ("unknown_label", True)


def test_an_empty_cell_is_no_label(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("word,tag\nab,x\ncd,\nef,y\n")
    table = open_table(tmp_path / "a.csv")
    source = ColumnSource(table, [table.column("tag")])
    assert sorted_labels(source) == ["x", "y"]
    (problem,) = FittedCategory(("x", "y")).faults(source, "x")
    assert (problem.code, "row 2: no label" in problem.text) == ("unknown_label", True)


@pytest.mark.parametrize(("module", "code"), [("seqdec_gui.data.toy", "program_fault"), ("zipfile", "unreadable_file")])
@pytest.mark.parametrize("mistake", ["missing_name", "None.columns", "[][3]", "{}['x']", "len(1)"])
def test_a_mistake_of_the_program_is_not_taken_for_a_bad_file(tmp_path: Path, module: str, code: str, mistake: str) -> None:
    names: dict[str, object] = {"__name__": module}
    exec(compile(f"def read():\n    return {mistake}", "toy.py", "exec"), names)

    def opened() -> None:
        with reading(tmp_path / "rows.csv"):
            names["read"]()  # type: ignore[operator]

    (problem,) = problems_of(opened)
    assert problem.code == code
    assert ("seqdec_gui.data.toy, line 2" in problem.text and "Report" in problem.hint) == (code == "program_fault")
