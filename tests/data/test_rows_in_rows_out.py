"""Rows read and rows refused, with a reason, are the rows written: random files of every text format, compressed or not."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import itertools
import json
import lzma
import random
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqdec_gui.data.formats import records
from seqdec_gui.data.tables import Table, open_table
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.problems import InvalidInput
from tests.data.ports import codes
from tools.fuzz.text_files import TextFile, Writer
from tools.rows_in_rows_out import fault_of, options_of, outcome

QUICK = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _zipped(raw: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/rows", raw)
    return file.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda raw: raw,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda raw: pa.compress(raw, "zstd", asbytes=True),
    ".zip": _zipped,
}
PACKED = st.sampled_from(list(PACKERS))
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
CELLS = st.text(st.sampled_from("ab\"'#,;\t|\\ \r\né中1.-"), max_size=6)
LINES = st.text(st.sampled_from("ab\"'#,;\t|\\ é中1."), max_size=8)


def written(folder: Path, name: str, text: str, packed: str, encoding: str = "utf-8") -> Path:
    path = folder / f"{name}{packed}"
    path.write_bytes(PACKERS[packed](text.encode(encoding)))
    return path


def cells_of(table: Table) -> list[tuple[str, ...]]:
    """The rows of a table, as text; a number in the shortest notation."""
    columns = []
    for column in table.columns:
        cells = table.page(column.name, 0, column.rows)
        columns.append(["" if cell is None else str(cell) for cell in cells])
    return list(zip(*columns, strict=True))


@QUICK
@given(
    st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=12)),
    st.sampled_from([",", ";", "\t", "|"]),
    ENDS,
    PACKED,
    st.booleans(),
)
def test_every_row_of_a_quoted_table_comes_back(
    tmp_path: Path, rows: list[list[str]], delimiter: str, end: str, packed: str, all_quoted: bool
) -> None:
    text = io.StringIO()
    lone = any(
        set(cell) & {"\r", "\n"} for row in rows for cell in row
    )  # which some versions of the csv module leave without quotes
    style = csv.QUOTE_ALL if all_quoted or lone else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=style)
    writer.writerow([f"x{i}" for i in range(len(rows[0]))])
    writer.writerows([f"w{cell}" for cell in row] for row in rows)
    path = written(tmp_path, "rows.csv", text.getvalue(), packed)
    how = Reading("yes", {"\t": "tab"}.get(delimiter, delimiter), "yes", comment="none")  # type: ignore[arg-type]
    assert cells_of(open_table(path, how=how)) == [tuple(f"w{cell}" for cell in row) for row in rows]


@QUICK
@given(st.lists(LINES, min_size=1, max_size=12), ENDS, PACKED, st.sampled_from(["txt", "csv", "tsv", "tab"]), st.booleans())
def test_every_line_of_unquoted_text_is_read_or_refused(
    tmp_path: Path, lines: list[str], end: str, packed: str, kind: str, ends: bool
) -> None:
    path = written(tmp_path, f"lines.{kind}", end.join(["start", *lines]) + (end if ends else ""), packed)
    while lines and not lines[-1]:
        lines = lines[:-1]  # empty lines at the end are no rows
    table: Table | None = None
    refused: list[str] = []
    try:
        table = open_table(path, how=Reading("no", quoting="no", comment="none"))
    except InvalidInput as error:
        refused = codes(error.problems)
    if table is None:
        assert refused == ["ragged_rows"]
        return
    assert table.rows == len(["start", *lines]) or len(table.columns) > 1
    if len(table.columns) == 1:
        texts = [chunk.to_pylist() for chunk in table.text_chunks(table.columns[0].name)]
        assert list(itertools.chain.from_iterable(texts)) == ["start", *lines]


@QUICK
@given(st.lists(LINES, min_size=1, max_size=12), ENDS, PACKED)
def test_every_line_is_one_text_if_nothing_divides_lines(tmp_path: Path, lines: list[str], end: str, packed: str) -> None:
    lines = ["start", *lines, "stop"]
    table = open_table(written(tmp_path, "lines.csv", end.join(lines), packed), how=Reading("no", "none", comment="none"))
    assert [row[0] for row in cells_of(table)] == lines


@QUICK
@given(
    st.lists(
        st.tuples(st.text("CNO()=#[]@\\/1", min_size=1, max_size=8), st.text("ab c", max_size=4)), min_size=1, max_size=12
    ),
    ENDS,
    PACKED,
    st.sampled_from([" ", "\t"]),
)
def test_every_molecule_comes_back(tmp_path: Path, rows: list[tuple[str, str]], end: str, packed: str, between: str) -> None:
    lines = [f"C{smiles}{between}{name}" for smiles, name in rows]
    table = open_table(written(tmp_path, "rows.smi", end.join(lines), packed), how=Reading(comment="none"))
    read = cells_of(table)
    assert [row[0] for row in read] == [f"C{smiles}" for smiles, _ in rows]
    if len(table.columns) > 1:
        assert [row[1] for row in read] == [name.strip() for _, name in rows]


@QUICK
@given(
    st.lists(
        st.fixed_dictionaries({"a": st.text(max_size=5), "n": st.integers(-(2**70), 2**70), "x": st.floats(width=32)}),
        min_size=1,
        max_size=12,
    ),
    ENDS,
    PACKED,
)
def test_every_json_line_comes_back(tmp_path: Path, rows: list[dict[str, object]], end: str, packed: str) -> None:
    path = written(tmp_path, "rows.jsonl", end.join(map(json.dumps, rows)), packed)
    table = open_table(path)
    read = [table.page(name, 0, table.rows) for name in ("a", "n", "x")]
    assert [int(str(cell)) for cell in read[1]] == [row["n"] for row in rows]
    assert read[0] == [row["a"] for row in rows]
    assert list(map(repr, read[2])) == [repr(row["x"]) for row in rows]


def test_lines_with_a_comment_mark_are_skipped_and_counted_but_not_inside_a_quoted_cell(tmp_path: Path) -> None:
    text = '% made by a program\na,b\n1,x\n%2,y\n3,"z\n%4"\n'
    table = open_table(written(tmp_path, "rows.csv", text, ""), how=Reading(comment="%"))
    assert cells_of(table) == [("1", "x"), ("3", "z\n%4")]
    assert "2 lines beginning with %" in table.problems[0].text


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ("(20 rows)", True),
        ("20 rows selected.", True),
        ("Total: 20", True),
        ("EOF", True),
        ("w20x", False),
        ("20 apples", True),
        ("twenty apples", False),
    ],
)
def test_a_footer_that_is_read_as_a_row_is_told(tmp_path: Path, last: str, told: bool) -> None:
    lines = ["word", *(f"w{i}x" for i in range(20)), last]
    table = open_table(written(tmp_path, "rows.csv", "\n".join(lines), ""), how=Reading("yes"))
    assert table.rows == 21
    assert ("footer_as_row" in codes(table.problems)) == told


def test_a_line_of_totals_is_told(tmp_path: Path) -> None:
    text = "name,n\n" + "".join(f"w{i},{i}\n" for i in range(9)) + "Total,36\n"
    assert "footer_as_row" in codes(open_table(written(tmp_path, "rows.csv", text, "")).problems)


def test_a_backslash_before_any_delimiter_is_told_where_there_is_one_column(tmp_path: Path) -> None:
    table = open_table(written(tmp_path, "rows.csv", "word\na\\;b\nc\nd\n", ""))
    assert "backslash_escapes" in codes(table.problems)


@pytest.mark.parametrize(
    ("decimal", "kinds", "first", "told"),
    [
        ("auto", ["number", "integer", "integer"], [1.5, 1234, 2], ["number_format"]),
        (",", ["number", "integer", "integer"], [1.5, 1234, 2], []),
        (".", ["text", "number", "integer"], ["1,5", 1.234, 2], ["number_format"]),
    ],
)
def test_the_decimal_mark_is_that_of_the_file(
    tmp_path: Path, decimal: str, kinds: list[str], first: list[object], told: list[str]
) -> None:
    text = "x;y;z\n1,5;1.234;2\n2,5;2.345;3\n3,25;1.111;4\n"
    table = open_table(written(tmp_path, "rows.csv", text, ""), how=Reading(decimal=decimal))  # type: ignore[arg-type]
    assert [column.kind for column in table.columns] == kinds
    assert [table.page(column.name, 0, 1)[0] for column in table.columns] == first
    assert codes(table.problems) == told
    alone = open_table(tmp_path / "rows.csv", ["y"], Reading(decimal=decimal))  # type: ignore[arg-type]
    assert alone.page("y", 0, 1)[0] == first[1], "the same number, whichever columns are read"


def test_lines_with_a_quoted_first_cell_are_counted_like_any_others() -> None:
    chance, taken = random.Random(1), 0
    for _ in range(3000):
        lines = []
        for _ in range(chance.randrange(1, 6)):
            quoted = [chance.random() < (0.95 if place == 0 else 0.05) for place in range(chance.randrange(1, 4))]
            cells = [
                "".join(chance.choice('ab,\n"' if each and chance.random() < 0.2 else "ab ") for _ in range(3))
                for each in quoted
            ]
            lines.append(",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' if each else cell
                                  for cell, each in zip(cells, quoted, strict=True)))  # fmt: skip
        content = chance.choice(["\n", "\r\n", "\r"]).join([*lines, *[""] * chance.randrange(2)]).encode()
        quick = records._count_first_cells(content, ",") if b'"' in content else None
        taken += quick is not None
        assert quick is None or quick == records._count_all_cells(content, ",")
    assert taken > 300


def test_quotes_over_several_lines_of_a_list_of_texts_are_told_and_can_be_kept_whole(tmp_path: Path) -> None:
    path = written(tmp_path, "words.txt", '"one"\n"two\nlines"\n"three"\n', "")
    table = open_table(path)
    assert (table.rows, codes(table.problems)) == (4, ["quotes_are_text"])
    table = open_table(path, how=Reading("no", ",", "yes"))
    assert table.page(table.columns[0].name, 0, 9) == ["one", "two\nlines", "three"]
    assert open_table(path, how=Reading(quoting="no")).problems == ()


def test_quotes_that_may_swallow_rows_of_a_table_are_refused_with_their_line(tmp_path: Path) -> None:
    path = written(tmp_path, "rows.csv", 'a,b\nx,1\n"y,2\nz,3\nw",4\nv,5\n', "")
    with pytest.raises(InvalidInput, match="line 3") as caught:
        open_table(path)
    assert codes(caught.value.problems) == ["open_quote"]
    assert open_table(path, how=Reading(quoting="no")).rows == 5


def test_lines_of_white_space_at_the_end_of_molecules_are_counted(tmp_path: Path) -> None:
    table = open_table(written(tmp_path, "rows.smi", "CC\nCO\n\x0c\n \n", ""))
    assert table.rows == 2
    assert "2 empty lines" in table.problems[0].text


def test_a_text_whose_name_stands_on_the_archive_alone_is_read_as_that_text(tmp_path: Path) -> None:
    """The file in the archive has no ending: that of the archive counts for delimiters as it does for the format."""
    lines = ["about", "he said", "well, then", "no"]
    assert [row[0] for row in cells_of(open_table(written(tmp_path, "lines.txt", "\n".join(lines), ".zip")))] == lines


def test_a_quoted_cell_over_several_lines_is_told_though_there_are_few(tmp_path: Path) -> None:
    table = open_table(written(tmp_path, "rows.txt", 'a|"b\nc"\nd|"e\nf"\n', ""))
    assert (table.rows, codes(table.problems)) == (4, ["delimiter_assumed"])
    assert open_table(tmp_path / "rows.txt", how=Reading("no", "|", "yes")).rows == 2


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_random_files_come_back_or_are_refused_or_told(tmp_path: Path, seed: int) -> None:
    """A small tier of `tools/rows_in_rows_out.py`: files of writers that share nothing with the readers."""
    writer, found = Writer(seed), Counter[str]()
    for _ in range(60):
        file = writer.file()
        path = tmp_path / file.name
        assert outcome(file, path, options_of(file)) == ("same", ""), file
        what, why = outcome(file, path, None)
        assert what != "silent", (why, file)
        found[what] += 1
    assert found["same"] > 40


def test_what_a_reader_loses_is_seen(tmp_path: Path) -> None:
    """The judge sees a lost row, a lost column and a changed cell."""
    file = TextFile("rows.csv", b"a,b\nx,1\ny,2\n", (("x", "1"), ("y", "2")), ("a", "b"), ",", True, "utf-8", "table", ())
    path = tmp_path / file.name
    assert outcome(file, path, None) == ("same", "")
    for lost in (b"a,b\nx,1\n", b"a\nx\ny\n", b"a,b\nx,1\ny,3\n"):
        path.write_bytes(lost)
        assert fault_of(open_table(path), file)
