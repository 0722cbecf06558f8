"""How delimited text is read: every row is there or named, and what was guessed is said and can be set."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from seqdec_gui.data.formats import records as records_module
from seqdec_gui.data.formats.delimited import DelimitedTable
from seqdec_gui.data.formats.encodings import decoded
from seqdec_gui.data.formats.header import judge_header
from seqdec_gui.data.formats.records import count_records, records
from seqdec_gui.data.formats.registry import data_suffixes
from seqdec_gui.data.tables import Table, inspect, open_table
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.problems import InvalidInput
from tests.data.ports import codes, problems_of

CASES = Path(__file__).parent / "cases"
NAMES = {"\t": "tab", " ": "space"}


def cells_of(table: Table) -> list[list[object]]:
    """The rows of a table, cells as text columns give them."""
    columns = [table.page(column.name, 0, column.rows) for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def strings_of(table: Table) -> list[list[str]]:
    """The rows of a table as the file writes them, numbers too."""
    assert isinstance(table, DelimitedTable)
    columns = [table._strings[name].to_pylist() for name in table.dialect.names]
    return [list(row) for row in zip(*columns, strict=True)]


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# -- the cases that people have
@pytest.mark.parametrize(
    ("name", "names", "rows", "first", "told"),
    [
        ("lone_quotes.tsv", ["en", "de"], 5, ['"Stop', "Halt"], ["quotes_are_text"]),
        ("two_words_no_header.tsv", ["column 1", "column 2"], 4, ["apple", "Apfel"], ["header_missing"]),
        (
            "headerless_quoted.tsv",
            ["column 1", "column 2"],
            3,
            ['"Who?" he said', "Qui"],
            ["quotes_are_text", "header_missing"],
        ),
        ("western.csv", ["text", "n"], 2, ["l’été – 5 €", 1], ["not_utf8"]),
        ("utf16_nobom.tsv", ["a", "b"], 2, ["Go", "Va"], ["encoding_detected", "header_assumed"]),
        ("one_long_row.csv", ["word", "tag"], 21, ["ab" * 8, 0], []),
        ("trailing_newline.csv", ["smiles", "logP"], 3, ["CCO\n", 0.1], []),
        ("comment_before_header.csv", ["word", "tag"], 2, ["a", 1], ["comments_skipped"]),
        ("emoji.csv", ["text", "n"], 4, None, []),
        ("digits_as_text.csv", ["code", "name"], 12, ["1001000100100010011001011011000111110101", "n0"], ["digit_strings"]),
    ],
)
def test_a_case_is_read_whole_and_what_was_guessed_is_told(
    name: str, names: list[str], rows: int, first: list[object] | None, told: list[str]
) -> None:
    table = open_table(CASES / name)
    assert [column.name for column in table.columns] == names
    assert table.rows == rows
    if first is not None:
        assert cells_of(table)[0] == first
    assert codes(table.problems) == told


def test_an_ending_of_no_format_is_refused_with_those_that_there_are_and_what_to_do() -> None:
    (problem,) = problems_of(open_table, CASES.parent / "conftest.py")
    assert problem.code == "unknown_format"
    assert "is a .py file; expected one of" in problem.text
    assert set(data_suffixes()) == set(re.findall(r"\.\w+", problem.text.partition("expected one of ")[2]))
    assert "can be given the ending .csv or .tsv" in problem.hint


def test_text_with_the_ending_txt_is_delimited_text_with_the_same_options() -> None:
    how = Reading(header="no")
    table = open_table(CASES / "sentences_with_source.txt", how=how)
    assert cells_of(table) == [
        ["Go on.", "Mach weiter.", "note 1"],
        ["Stop it.", "Hör auf.", "note 2"],
        ['"Really?" she asked.', "„Wirklich?“, fragte sie.", "note 3"],
    ]
    assert codes(table.problems) == ["quotes_are_text"]


def test_a_corpus_in_a_text_file_loses_no_first_line() -> None:
    table = open_table(CASES / "sentences_with_source.txt")
    assert table.rows == 3
    assert codes(table.problems) == ["quotes_are_text", "header_missing"]


def test_a_line_of_a_text_file_is_one_text(tmp_path: Path) -> None:
    lines = ["Hello, world.", '"Oh."', "Well, yes, of course.", "", "a\\;b|c"]
    table = open_table(written(tmp_path / "lines.txt", "\n".join(lines) + "\n"))
    assert cells_of(table) == [[line] for line in lines]
    assert [column.name for column in table.columns] == ["text"]
    assert codes(table.problems) == []


def test_lines_that_commas_could_divide_stay_whole_and_that_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "lines.txt", "Hello, world.\nOh, well.\nYes, sir.\n")
    assert cells_of(open_table(path)) == [["Hello, world."], ["Oh, well."], ["Yes, sir."]]
    assert codes(open_table(path).problems) == ["delimiter_assumed"]
    assert codes(open_table(path, how=Reading(delimiter="none")).problems) == []
    assert cells_of(open_table(path, how=Reading("no", ",")))[0] == ["Hello", " world."]


def test_a_table_in_a_text_file_is_a_table(tmp_path: Path) -> None:
    table = open_table(written(tmp_path / "table.txt", "mass,logp\n1,2\n3,4\n5,6\n"))
    assert [column.name for column in table.columns] == ["mass", "logp"]


def test_lines_of_a_csv_file_are_one_text_each_if_that_is_set(tmp_path: Path) -> None:
    path = written(tmp_path / "lines.csv", 'a,b\n"c\n\x1fd\n')
    assert cells_of(open_table(path, how=Reading(delimiter="none"))) == [["a,b"], ['"c'], ["\x1fd"]]


@pytest.mark.parametrize("name", ["a.tsv", "A.TSV", "a.csv", "A.Csv", "a.tab"])
def test_the_delimiter_follows_the_ending_in_capitals_too(name: str, tmp_path: Path) -> None:
    table = open_table(written(tmp_path / name, "a,b\tc\n1,2\t3\n"), how=Reading("yes"))
    tabbed = name.lower().endswith(("tsv", "tab"))
    assert [column.name for column in table.columns] == (["a,b", "c"] if tabbed else ["a", "b\tc"])


# -- random tables
LETTERS = st.sampled_from('ab",;\t|\r\n é')
DELIMITERS = st.sampled_from([",", ";", "\t", "|"])


@st.composite
def tables(draw: st.DrawFn, alphabet: st.SearchStrategy[str] = LETTERS) -> list[list[str]]:
    width = draw(st.integers(1, 3))
    cell = st.text(alphabet, max_size=5)
    return draw(st.lists(st.lists(cell, min_size=width, max_size=width), min_size=1, max_size=8))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables(), DELIMITERS, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.sampled_from(["auto", "yes"]), st.data())
def test_a_table_of_the_csv_module_comes_back_as_it_was_written(
    tmp_path: Path, rows: list[list[str]], delimiter: str, style: int, quoting: str, data: st.DataObject
) -> None:
    ends = ["\r\n"] if style == csv.QUOTE_MINIMAL else ["\n", "\r\n", "\r"]  # a lone LF or CR is not quoted for another end
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=style, lineterminator=data.draw(st.sampled_from(ends))).writerows(rows)
    how = Reading("no", NAMES.get(delimiter, delimiter), quoting)  # type: ignore[arg-type]
    path = written(tmp_path / "a.csv", out.getvalue())
    try:
        table = open_table(path, how=how)
    except InvalidInput as error:  # of a cell that may as well be several rows
        assume((codes(error.problems), quoting) != (["open_quote"], "auto"))
        raise
    assert strings_of(table) == rows


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tables(st.sampled_from('ab" é')),
    DELIMITERS,
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["auto", "no"]),
    st.booleans(),
)
@example([['""'], [""], [""]], ",", "\n", "auto", False)
@example([['""'], [""], ["a"]], ",", "\n", "auto", False)
def test_a_table_written_without_quoting_is_read_as_it_stands_or_what_differs_is_told(
    tmp_path: Path, rows: list[list[str]], delimiter: str, line_end: str, quoting: str, ends: bool
) -> None:
    text = line_end.join(delimiter.join(row) for row in rows) + line_end * ends
    if not text.strip("\r\n"):
        return
    if len(rows[0]) == 1:  # empty lines around one column are no rows
        while rows[0] == [""]:
            rows = rows[1:]
        while rows[-1] == [""]:
            rows = rows[:-1]
    path = written(tmp_path / "a.csv", text)
    how = Reading("no", NAMES.get(delimiter, delimiter), quoting)  # type: ignore[arg-type]
    try:
        table = open_table(path, how=how)
    except InvalidInput as error:
        refused = codes(error.problems)
    else:
        refused = []
    if refused:
        assert (quoting, refused[0]) in (("auto", "ragged_rows"), ("auto", "open_quote"))
        return
    read = strings_of(table)
    if quoting == "no":
        assert read == rows
    elif read != rows and not {"quotes_removed", "quotes_are_text"} & set(codes(table.problems)):
        # The text is also what a program writes that quotes cells, and was read as such.
        assert delimiter != "\t"
        # To the csv module an empty line is a row without cells; here it is an empty cell, or no row at either end of the file.
        cells = csv.reader(io.StringIO(text.strip("\r\n"), newline=""), delimiter=delimiter, strict=True)
        assert read == [row or [""] for row in cells]


@settings(deadline=None)
@given(st.text(LETTERS, max_size=60), DELIMITERS, st.sampled_from([8, 16, 64, 2**20]))
def test_records_are_counted_as_they_are_cut(text: str, delimiter: str, block_bytes: int) -> None:
    content = text.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records_module, "_BLOCK_BYTES", block_bytes)
        plain, quoted = count_records(content, delimiter, False), count_records(content, delimiter, True)
    assert plain.records == len(list(records(content, delimiter, False)))
    cut = list(records(content, delimiter, True))
    if quoted.fault < 0:
        assert quoted.records == len(cut)
    else:
        assert content[quoted.fault : quoted.fault + 1] == b'"'
    assert sum(text.endswith(end) for end in "\r\n") or not cut or cut[-1].end == len(content)


def test_blocks_of_quoted_text_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [["a,b", 'say "x"', "1\r\n2"], ["", "plain", "3"]] * 40
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    monkeypatch.setattr(records_module, "_BLOCK_BYTES", 32)
    found = count_records(out.getvalue().encode(), ",", True)
    assert (found.records, found.blank, found.breaks, found.quoted, found.spare) == (80, 0, 40, 120, 0)


# -- rows
def test_empty_lines_are_skipped_between_columns_and_rows_of_one(tmp_path: Path) -> None:
    two = open_table(written(tmp_path / "a.csv", "x,n\r\n\r\na,1\r\n\r\n\r\nb,2\r\n\r\n"))
    assert cells_of(two) == [["a", 1], ["b", 2]]
    assert [(problem.code, "3 empty lines" in problem.text) for problem in two.problems] == [("blank_lines", True)]
    one = open_table(written(tmp_path / "b.csv", "text\r\na\r\n\r\nb\r\n\r\n"))
    assert cells_of(one) == [["a"], [""], ["b"]]


def test_rows_that_the_reader_loses_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from seqdec_gui.data.formats import delimited

    parsed = delimited._parsed
    monkeypatch.setattr(delimited, "_parsed", lambda *arguments: parsed(*arguments).slice(1))
    (problem,) = problems_of(open_table, written(tmp_path / "a.csv", "x,n\na,1\nb,2\n"))
    assert problem.code == "rows_lost"


def test_a_row_longer_than_a_block_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from seqdec_gui.data.formats import delimited

    monkeypatch.setattr(delimited, "_BLOCK_BYTES", 64)
    table = open_table(written(tmp_path / "a.csv", "text,n\n" + "".join(f"{'x' * 300},{i}\n" for i in range(5))))
    assert table.rows == 5


def test_a_ragged_row_is_named_by_its_line_behind_comments_and_line_ends_in_cells(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", '# made by\nx,n\n"a\nb",1\nc\n')
    (problem,) = problems_of(open_table, path)
    assert (problem.code, "line 5 of the file" in problem.text) == ("ragged_rows", True)


@pytest.mark.parametrize("text", ["word,tag\n", "word,tag", "word\n", "# made by hand\nword,tag\n"])
def test_a_file_with_names_alone_is_refused_as_an_empty_file_is(tmp_path: Path, text: str) -> None:
    (problem,) = problems_of(open_table, written(tmp_path / "a.csv", text))
    (empty,) = problems_of(open_table, written(tmp_path / "b.csv", ""))
    assert problem.code == empty.code == "empty_file"
    assert "is empty but for the names of its columns ('word'" in problem.text
    assert "data.header=no" in problem.hint
    assert open_table(tmp_path / "a.csv", how=Reading(header="no")).rows == 1


# -- quotes
def test_a_quote_that_does_not_close_is_refused_where_the_column_is_quoted(tmp_path: Path) -> None:
    text = "".join(f'"word {i}",{i}\n' for i in range(20)) + '"word 20,20\n'
    (problem,) = problems_of(open_table, written(tmp_path / "a.csv", text))
    assert (problem.code, "line 21" in problem.text) == ("open_quote", True)


def test_quotes_that_nothing_needs_are_told_when_they_are_removed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tsv", 'en\tde\nGo.\tGeh.\n"Stop."\tHalt.\nRun.\tLauf.\n')
    table = open_table(path)
    assert cells_of(table)[1] == ["Stop.", "Halt."]
    (problem,) = table.problems
    assert (problem.severity, problem.code, "line 3" in problem.text) == ("warning", "quotes_removed", True)
    assert cells_of(open_table(path, how=Reading(quoting="no")))[1] == ['"Stop."', "Halt."]
    assert open_table(path, how=Reading(quoting="yes")).problems == ()


def test_a_column_that_is_quoted_throughout_is_nothing_to_tell(tmp_path: Path) -> None:
    rows = "".join(f'"w{i}",{i}\n' for i in range(50))
    assert open_table(written(tmp_path / "a.csv", f'"word","n"\n{rows}')).problems == ()
    assert open_table(written(tmp_path / "b.csv", f"word,n\n{rows}")).problems == ()


# -- quotes that may be text
SWALLOWING = 'bolt,5"\nnut,"6""\nwasher,7"\nscrew,8"\n'


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_a_quoted_cell_over_lines_that_look_like_rows_is_refused_until_quoting_is_set(tmp_path: Path, delimiter: str) -> None:
    path = written(tmp_path / f"a.{'csv' if delimiter == ',' else 'tsv'}", SWALLOWING.replace(",", delimiter))
    (problem,) = problems_of(open_table, path, how=Reading("no"))
    assert (problem.code, "line 2" in problem.text) == ("open_quote", True)
    assert open_table(path, how=Reading("no", quoting="no")).rows == 4
    assert open_table(path, how=Reading("no", quoting="yes")).rows == 3


def test_a_column_that_is_quoted_throughout_may_hold_line_ends_and_delimiters(tmp_path: Path) -> None:
    table = open_table(written(tmp_path / "a.csv", "".join(f'{i},"a\n{i},b"\n' for i in range(20))), how=Reading("no"))
    assert (table.rows, table.problems) == (20, ())


def test_two_lines_of_one_column_are_not_joined_without_a_word(tmp_path: Path) -> None:
    text = 'He said:\n"I came.\nI saw."\n' + "So it was.\n" * 9
    (problem,) = open_table(written(tmp_path / "a.csv", text), how=Reading("no")).problems
    assert (problem.code, "line 2" in problem.text) == ("quotes_removed", True)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.text('ab"', max_size=4), st.text('ab"', max_size=4)), min_size=1, max_size=12))
@example([("", '"'), ("", 'a"')])
def test_no_row_of_pairs_written_without_quoting_is_joined_with_the_next(tmp_path: Path, pairs: list[tuple[str, str]]) -> None:
    path = written(tmp_path / "a.tsv", "".join(f"x{i}\t{a} {b}\t{b}\n" for i, (a, b) in enumerate(pairs)))
    try:
        rows = open_table(path, how=Reading("no")).rows
    except InvalidInput as error:
        rows = len(pairs) if codes(error.problems) == ["open_quote"] else 0
    assert rows == len(pairs)


@pytest.mark.parametrize(
    ("name", "text", "rows", "told"),
    [
        ("a.csv", "sep=;\r\nword;n\r\nab;1\r\ncd;2\r\n", 2, ["comments_skipped"]),
        ("a.csv", "sep=\t\nword\tn\nab\t1\ncd\t2\n", 2, ["comments_skipped"]),
        ("a.csv", "sep=:\nword,n\nab,1\ncd,2\n", 2, ["comments_skipped"]),
        ("a.csv", "word, tag\nab, xx\ncd, y\nef, zzz\n", 3, ["spaces_in_cells"]),
        ("a.csv", 'n,word\n1, "ab"\n2,"c,d"\n', 2, ["quotes_are_text"]),
        ("a.csv", 'n,word\n1,"say \\"ab"\n2,say 5\\"\n', 2, ["quotes_are_text", "backslash_escapes"]),
        ("a.csv", "n;word\nx1;ab\nx2;cd\n# end;x\n", 3, ["comment_as_row", "header_assumed"]),
        ("a.csv", "word\n" + "tomato\npotato\n" * 20 + "# the end\n", 41, ["comment_as_row"]),
        ("a.csv", "My data\nn;word\n1;ab\n2;cd\n3;ef\n", 4, ["header_assumed", "delimiter_assumed"]),
        ("a.csv", "n;a,b\n1;c,d\n2;e,f\n", 3, ["delimiter_assumed", "header_missing"]),
        ("a.csv", "n\ta,b\n1\tc,d\n2\te,f\n", 3, ["delimiter_assumed", "header_missing"]),
    ],
)
def test_what_may_be_meant_otherwise_is_told(tmp_path: Path, name: str, text: str, rows: int, told: list[str]) -> None:
    table = open_table(written(tmp_path / name, text))
    assert (table.rows, sorted(codes(table.problems))) == (rows, sorted(told))


# -- names
@pytest.mark.parametrize(
    ("sample", "header", "sure"),
    [
        ([["x", "y"], ["1", "2"], ["3", "4"]], True, True),
        ([["1", "2"], ["3", "4"]], False, True),
        ([["Ann", "?"], ["Bob", "4"], ["Cid", "5"], ["Ann", "7"]], False, True),
        ([["", "€/kg"], ["Bob", "4"]], True, False),
        ([["1", "I"], ["2", "II"]], False, True),
        ([["name", "1990", "1991"], ["Bern", "3", "4"], ["Uri", "5", "6"]], True, False),
        ([["0", "1", "2"], ["0.5", "0.25", "1"], ["3", "4.5", "1"]], True, False),
        ([["", "a"], ["0", "1.5"], ["1", "2.5"]], True, True),
        ([["SMILES"], ["CCO"], ["c1ccccc1"], ["CN"]], True, False),
        ([["SMILES"], *([["CCO"], ["c1ccccc1"], ["CN"]] * 60)], True, True),
        ([["name", "Nombre"], ["house", "Casa"], ["milk", "Leche"], ["salt", "Sal"]], True, False),
        ([["word"], ["work"], ["worm"], ["worse"]], True, False),
        ([["CCO"], ["c1ccccc1"], ["CN"], ["CCO"]], False, True),
        ([["Go.", "Va !"], ["Hi.", "Salut !"], ["Run!", "Cours !"], ["Who?", "Qui ?"]], False, False),
        ([["english", "french"], ["Go.", "Va !"], ["Hi.", "Salut !"], ["Run!", "Cours !"]], True, True),
        ([["first_part", "second_part"], ["ab", "cd"], ["ef", "gh"], ["ij", "kl"]], True, True),
        ([["big_cat", "gros_chat"], ["red_car", "auto_rouge"], ["old_man", "vieil_homme"]], True, False),
        ([["(a) cat"], *([["the cat sat on the mat"], ["no dogs are seen here"]] * 5), ["so"]], False, False),
        ([["a", "b"], ["c", "d"]], True, False),
        ([["word", "tag"]], True, True),
        ([["3", "4"]], False, True),
    ],
)
def test_a_header_is_judged_by_what_stands_below_it(sample: Sequence[Sequence[str]], header: bool, sure: bool) -> None:
    assert judge_header(sample) == (header, sure)


def test_a_bound_name_in_the_first_line_is_a_header(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tsv", "apple\tApfel\nbread\tBrot\nmilk\tMilch\nsalt\tSalz\n")
    for table in (open_table(path, ["apple"]), inspect(path, names=["apple"])):
        assert table.rows == 3
        assert codes(table.problems) == ["header_assumed"]
    assert inspect(path, names=["column 2"]).rows == 4


@pytest.mark.parametrize(("header", "rows"), [("yes", 3), ("no", 4)])
def test_a_header_that_is_set_is_nothing_to_tell(header: str, rows: int) -> None:
    table = open_table(CASES / "two_words_no_header.tsv", how=Reading(header=header))  # type: ignore[arg-type]
    assert (table.rows, table.problems) == (rows, ())


# -- encodings
def test_the_encoding_can_be_set_and_wrong_bytes_are_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "word,n\nžluť,1\n".encode("cp1250"))
    assert cells_of(open_table(path, how=Reading(encoding="cp1250"))) == [["žluť", 1]]
    (problem,) = problems_of(open_table, path, how=Reading(encoding="utf-8"))
    assert (problem.code, "line 2" in problem.text) == ("wrong_encoding", True)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("chosen", ["auto", "general"])
def test_wide_text_without_a_mark_is_recognised(tmp_path: Path, encoding: str, chosen: str) -> None:
    path = written(tmp_path / "a.csv", "word,n\n日本語,1\n".encode(encoding))
    table = open_table(path, how=Reading(encoding="auto" if chosen == "auto" else encoding[:6]))
    assert cells_of(table) == [["日本語", 1]]


def test_bytes_that_cp1252_has_not_are_never_read_as_control_characters(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "word,n\nťažký,1\nkůň,2\nświat,3\n".encode("cp1250"))
    with pytest.raises(InvalidInput) as refused:
        open_table(path)
    (problem,) = refused.value.problems
    assert (problem.code, problem.proposed) == ("wrong_encoding", "data.encoding=cp1250")
    insisted = open_table(path, how=Reading(encoding="latin-1"))
    assert insisted.page("word", 0, 1) == ["\x9da\x9ek\xfd"]


FOREIGN = {
    "cp1251": "быстрая лиса, дом, кошка и собака",
    "koi8-r": "быстрая лиса, дом, кошка и собака",
    "cp1253": "η γρήγορη αλεπού, το σπίτι",
    "shift-jis": "こんにちは, 世界, すし",
    "euc-jp": "こんにちは, 世界, すし",
    "gb18030": "你好, 世界, 早上好",
    "cp1250": "zażółć gęślą jaźń, łódź, mąka, żółw",
}


@pytest.mark.parametrize("encoding", FOREIGN)
def test_letters_that_make_no_western_words_are_refused_until_the_encoding_is_set(tmp_path: Path, encoding: str) -> None:
    text = "n,word\n" + "".join(f"{i},{word}\n" for i, word in enumerate(FOREIGN[encoding].split(", ")))
    path = written(tmp_path / "a.csv", text.encode(encoding))
    (problem,) = problems_of(open_table, path)
    assert (problem.code, encoding in problem.hint or encoding == "cp1253") == ("wrong_encoding", True)
    assert strings_of(open_table(path, how=Reading(encoding=encoding))) == [
        [str(i), word] for i, word in enumerate(FOREIGN[encoding].split(", "))
    ]
    np.savez(tmp_path / "a.npz", word=np.array([word.encode(encoding) for word in FOREIGN[encoding].split(", ")]))
    assert codes(problems_of(lambda: list(open_table(tmp_path / "a.npz").chunks("word")))) == ["wrong_encoding"]


WESTERN = [
    "garçon, élève, créée, où, Noël, cœur, l’été – 5 €, «CRÉÉE», 20 °C ± 3 µm",
    "Straße, Größe, „Äpfel“, Übung, 5½ m², § 3",
    "niño, ¿qué?, ¡olé!, pingüino, 1º",
    "não, ações, coração, NAÇÕES, pôr",
    "það, sjór, æði, þýða, íslenska",
    "blåbær, øl, smörgås, “quote”…",
]


@given(st.sampled_from(WESTERN), st.integers(1, 30))
def test_western_text_is_read_as_cp1252(text: str, times: int) -> None:
    raw = "\n".join([text.replace(",", "\n")] * times).encode("cp1252")
    found = decoded(raw, "a.csv")
    assert (found.content.decode(), codes(found.problems)) == (raw.decode("cp1252"), ["not_utf8"])


def test_utf8_with_a_wrong_byte_is_refused_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "n,word\n1,été\n2,été\n".encode() + "3,été\n".encode("cp1252"))
    (problem,) = problems_of(open_table, path)
    assert (problem.code, "line 4" in problem.text) == ("wrong_encoding", True)


def test_a_zero_byte_anywhere_is_no_text(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", b"word,n\n" + b"abc,1\n" * 400_000 + b"a\0c,2\n")
    assert codes(problems_of(open_table, path)) == ["not_text"]


# -- digits
@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1" * 16, "2"], "text"),
        (["00501", "10001", "94016"], "text"),
        (["01", "02", "12"], "integer"),
        (["123456", "012"], "integer"),
        (["1" * 15, "2"], "integer"),
        (["-" + "1" * 16, "2"], "text"),
        (["-" + "1" * 15, "2"], "integer"),
        (["011", "101", "110"], "text"),
        (["101", "110", "100"], "integer"),
        (["0.12345678901234567890", "1.5"], "number"),
    ],
)
def test_strings_of_digits_are_text_where_numbers_would_not_keep_them(tmp_path: Path, cells: list[str], kind: str) -> None:
    table = open_table(written(tmp_path / "a.csv", "code,w\n" + "".join(f"{cell},x\n" for cell in cells)))
    assert table.column("code").kind == kind
    assert codes(table.problems) == (["digit_strings"] if kind == "text" else [])


# -- columns of fractions, which large files are read as at once
CELLS = st.one_of(
    st.floats(-1e9, 1e9, allow_nan=False, width=32).map(repr),
    st.sampled_from(
        ["", "NA", "nan", " 1.5", "1.5 ", "\u00a02.5", "1,5", "1e3", "-.5", "+2.", "7", "007", "inf", "x", " NA", "NAN"]
    ),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=30), st.sampled_from(["yes", "no"]), st.booleans())
@example([("0.5", "1")] * 12 + [("x", "2")], "yes", False)
@example([("0.5", "1")] * 12 + [(" NA", "")], "no", True)
def test_columns_of_fractions_are_those_that_reading_them_as_text_gives(
    tmp_path: Path, rows: list[tuple[str, str]], header: str, quotes: bool
) -> None:
    from seqdec_gui.data.formats import delimited

    out = io.StringIO()
    csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL if quotes else csv.QUOTE_MINIMAL).writerows([("a", "b"), *rows])
    path = written(tmp_path / "a.csv", out.getvalue())
    tables = []
    for least in (0, 2**40):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(delimited, "_LARGE_BYTES", least)
            tables.append(open_table(path, how=Reading(header, ";", "yes")))  # type: ignore[arg-type]
    at_once, as_text = tables
    assert at_once.columns == as_text.columns
    assert at_once.problems == as_text.problems
    assert at_once.named_in_first_row(["a", "b", "x"]) == as_text.named_in_first_row(["a", "b", "x"])
    for column in as_text.columns:
        for one, other in zip(at_once.chunks(column.name), as_text.chunks(column.name), strict=True):
            assert np.array_equal(one, other, equal_nan=True) if column.kind != "text" else one.equals(other)


def test_a_word_far_down_in_a_column_of_fractions_makes_it_text(tmp_path: Path) -> None:
    rows = "".join(f"{i / 8},{i}\n" for i in range(200_000))
    table = open_table(written(tmp_path / "a.csv", f"x,n\n{rows}none so far,7\n"))
    assert [(column.kind, column.rows) for column in table.columns] == [("text", 200_001), ("integer", 200_001)]
    assert table.first_not_numeric("x") == (200_000, "none so far")


def test_a_ragged_row_behind_columns_of_fractions_is_named(tmp_path: Path) -> None:
    rows = "".join(f"{i / 8},{i}\n" for i in range(200_000))
    (problem,) = problems_of(open_table, written(tmp_path / "a.csv", f"x,n\n{rows}0.5\n"))
    assert (problem.code, "line 200002" in problem.text) == ("ragged_rows", True)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("rows", [5, 40])
def test_a_stray_zero_does_not_make_text_utf_16(tmp_path: Path, encoding: str, rows: int) -> None:
    raw = "".join(f"né{i:03},{i:03}\n" for i in range(rows)).encode(encoding)
    for at in range(0, 30, 3):
        path = tmp_path / "rows.csv"
        path.write_bytes(raw[:at] + b"\0" + raw[at + len(raw) % 2 :][: len(raw) + len(raw) % 2])
        with pytest.raises(InvalidInput) as caught:
            open_table(path)
        assert caught.value.problems[0].code == "not_text"
