"""What a file holds and a reader might drop without a word: first rows, decimal commas, comments, formulas, merged cells."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from pathlib import Path

import pytest

from seqdec_gui.data.fitted import Fitted, FittedPort
from seqdec_gui.data.fitting_numbers import FittedNumbers
from seqdec_gui.data.rows import read_input as read_input_rows
from seqdec_gui.data.tables import Table, open_table
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.problems import InvalidInput
from tests.data.ports import codes


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def cells(table: Table, column: int) -> list[object]:
    return table.page(table.columns[column].name, 0, table.rows)


@pytest.mark.parametrize("name", ["rows.csv", "rows.txt"])
@pytest.mark.parametrize("mark", [";", "|", "\t"])
@pytest.mark.parametrize("label", ["", "Müller"])
def test_commas_within_numbers_are_decimal_marks_and_no_delimiters(tmp_path: Path, name: str, mark: str, label: str) -> None:
    chance = random.Random(f"{name}{mark}{label}")
    rows = [[round(chance.uniform(-100, 100), 3) for _ in range(3)] for _ in range(30)]
    lines = [
        mark.join(([f"{label}{i}"] if label else []) + [f"{x:.3f}".replace(".", ",") for x in row])
        for i, row in enumerate(rows)
    ]
    table = open_table(written(tmp_path, name, "\n".join(lines)))
    assert table.rows == 30
    assert [cells(table, at + bool(label)) for at in range(3)] == [[row[at] for row in rows] for at in range(3)]


def test_commas_divide_lines_whose_other_mark_stands_within_cells(tmp_path: Path) -> None:
    table = open_table(written(tmp_path, "rows.csv", "\n".join(f"a{i};x,b;{i},c" for i in range(9))))
    assert len(table.columns) == 3


@pytest.mark.parametrize(
    "lines",
    [
        [f"{smiles}\tmol_{i * 7919 % 99991}" for i, smiles in enumerate(["C#NN", "BN", "NO", "ON", "CCO", "IC", "C1CC1"])],
        [f"id{i};{text}" for i, text in enumerate(["x", "Go.", "What now", "D'accord", "naïve", "Où?"] * 4)],
        ["It's 3.5% off\tnaïve", "Go. Go.\tVa !"],
        ['"Unclosed quote\tœuvre', *["He is here now.\tIl est là."] * 30],
        ["c1ccccc1N", "NO", "BC", "IC", "CCO", "CN", "CCC", "OO"],
    ],
)
@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_a_first_row_that_only_looks_a_little_different_is_no_header(tmp_path: Path, lines: list[str], ending: str) -> None:
    if ending == "csv" or "\t" in lines[0]:
        assert open_table(written(tmp_path, f"rows.{ending}", "\n".join(lines))).rows == len(lines)


def test_a_comment_above_a_list_of_texts_is_named(tmp_path: Path) -> None:
    table = open_table(written(tmp_path, "molecules.txt", "# made by a tool\nCCO\nCCN\nc1ccccc1\n"))
    assert table.rows == 4
    assert codes(table.problems) == ["comment_as_row"]


def test_spaces_that_divide_every_line_alike_are_named(tmp_path: Path) -> None:
    table = open_table(written(tmp_path, "molecules.txt", "".join(f"{'C' * i}O CHEMBL{i}\n" for i in range(1, 9))))
    assert (table.rows, codes(table.problems)) == (8, ["delimiter_assumed"])
    assert "data.delimiter to space" in table.problems[0].hint
    prose = open_table(written(tmp_path, "prose.txt", "It is late.\nHe went home at once.\nWhy?\nNobody knows.\nGo on then.\n"))
    assert codes(prose.problems) == []


def test_cells_of_a_workbook_that_look_filled_and_are_not_read_are_named(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    workbook = openpyxl.Workbook()
    workbook.active.title = "Empty"
    sheet = workbook.create_sheet("Rows")
    sheet.append(["smiles", "mass", "n"])
    for i in range(6):
        sheet.append(["C" * (i + 1), f"=12*{i}", i])
    sheet.merge_cells("A3:A5")
    path = tmp_path / "rows.xlsx"
    workbook.save(path)
    with pytest.raises(InvalidInput) as caught:
        open_table(path)
    assert "'Rows'" in caught.value.problems[0].hint
    table = open_table(path, how=Reading(sheet="Rows"))
    assert table.rows == 6
    assert {"formulas_without_results", "merged_cells"} <= set(codes(table.problems))
    texts = " ".join(problem.text for problem in table.problems)
    assert all(word in texts for word in ("6 formulas", "B2", "A3:A5"))


def _zip_in_zip() -> bytes:
    raw = b"a,b\n1,2\n"
    for name in ("rows.csv", "inner.zip"):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, raw)
        raw = file.getvalue()
    return raw


@pytest.mark.parametrize(
    ("name", "content", "advice"),
    [
        ("rows.csv", gzip.compress(b"a,b\n1,2\n" * 50, mtime=0), ".csv.gz"),
        ("rows.csv", b"PAR1\0\0\0\0PAR1", ".parquet"),
        ("rows.csv.gz", b"a,b\n1,2\n", "leave .gz out"),
        ("rows.xlsx", b"a,b\n1,2\n", ".csv"),
        ("rows.xlsx", b"<!DOCTYPE html><p>Not found", "HTML"),
        ("rows.h5", b"a,b\n1,2\n", ".csv"),
        ("rows.jsonl", b'[{"a": 1},\n{"a": 2}]', "lines=True"),
        ("rows.jsonl", b"a,b\n1,2\n", ".csv"),
        ("rows.csv.zip", _zip_in_zip(), "unpack the outer one"),
    ],
)
def test_a_file_with_the_wrong_ending_is_told_the_right_one(tmp_path: Path, name: str, content: bytes, advice: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        open_table(written(tmp_path, name, content))
    assert advice in caught.value.problems[0].hint


def test_a_damaged_file_with_the_right_ending_is_not_told_another(tmp_path: Path) -> None:
    packed = gzip.compress(b"a,b\n" + bytes(range(65, 91)) * 500)
    for name, content, hint in (
        ("rows.csv.gz", packed[:-6], "Write or download it again."),
        ("rows.jsonl", b'{"a": 1}\n{"a": 2\n', ""),
    ):
        with pytest.raises(InvalidInput) as caught:
            open_table(written(tmp_path, name, content))
        assert caught.value.problems[0].hint == hint


@pytest.mark.parametrize(
    ("lines", "mark", "values"),
    [
        (["a\tb", "1,234\t3"], "auto", None),
        (["a\tb", "1,234\t3"], ".", [[1234, 3]]),
        (["a\tb", "1,234\t3"], ",", [[1.234, 3]]),
        (["a\tb", "1,234\t3", "1,234,000\t4"], "auto", [[1234, 3], [1234000, 4]]),
        (["a\tb", "1,234\t3", "1,5\t4"], "auto", [[1.234, 3], [1.5, 4]]),
        (["a;b", "1,234;0,5"], "auto", [[1.234, 0.5]]),
        (["a\tb", "1,234,000\t3", "?\t4", "1,234\t5"], "auto", [[1234000, 3], None, [1234, 5]]),
    ],
)
def test_new_rows_whose_commas_mean_two_things_are_refused(
    tmp_path: Path, lines: list[str], mark: str, values: list[list[float] | None] | None
) -> None:
    codec = FittedNumbers((2,))
    fitted = Fitted((FittedPort("latent", "latent.output", "input", ("a", "b"), codec),), ())
    path, how = written(tmp_path, "rows.csv", "\n".join(lines)), Reading(decimal=mark)  # type: ignore[arg-type]
    if values is None:
        with pytest.raises(InvalidInput) as caught:
            read_input_rows(fitted, path, how=how)
        assert codes(caught.value.problems) == ["number_format"]
        return
    rows = read_input_rows(fitted, path, how=how)
    for at, wanted in enumerate(values):
        assert (at in rows.reasons) if wanted is None else list(rows.values["latent"][at]) == wanted
