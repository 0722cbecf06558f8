"""Every piece of advice on data files that names an option is followed to its end: the file opens, with the rows that it has.

The advice is read from the source, so that a new piece without such an end fails here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest

import seqdec_gui.data
from seqdec_gui.data.formats.base import Table
from seqdec_gui.data.tables import open_table
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.problems import InvalidInput, Problem

ROOT = Path(seqdec_gui.data.__file__).resolve().parent
TESTS = Path(__file__).resolve().parents[1]
OPTION = re.compile(r"data\.[a-z]+_?[a-z]*(?=[ =;,.):]|$)|--[a-z]+|seqdec-gui [a-z]+")
IN_DOCUMENTATION = {"one sheet (`data.sheet`, otherwise the first): numbers, text, and dates as text"}
"""Texts that name an option and are no advice."""


# -- the advice, as it stands in the source
def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return ""


def _advice_of(tree: ast.Module) -> Iterator[str]:
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    skipped |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        text = "" if id(node) in skipped else _text(node)
        if " " in text and OPTION.search(text):
            yield text


def advice() -> set[str]:
    """The texts of the readers and of what checks rows that name an option of data, a flag or a command."""
    trees = [ast.parse(path.read_text("utf-8")) for path in sorted(ROOT.rglob("*.py"))]
    return {text for tree in trees for text in _advice_of(tree) if "data.json" not in text} - IN_DOCUMENTATION


# -- files that are told something, and what comes of following it
class Case(NamedTuple):
    """A file, the options with which it is told something, and those that the advice names, with the rows that it has then."""

    name: str
    content: bytes | str | list[list[object]] | dict[str, Any]
    ends: dict[str, tuple[dict[str, str], int]]
    first: dict[str, str] | None = None


def table_of(rows: int, mark: str = ",", names: str = "name,x", text: str = "word") -> str:
    return names.replace(",", mark) + "\n" + "".join(f"{text}{i}{mark}{i}\n" for i in range(rows))


def russian(encoding: str) -> bytes:
    return ("слово,перевод\n" + "собака и кошка,большой дом\n" * 9).encode(encoding)


ENCODED = {
    "cp1251": russian("cp1251"),
    "koi8-r": russian("koi8-r"),
    "shift-jis": ("文,訳\n" + "これは犬です,そうですか\n" * 9).encode("shift-jis"),
    "euc-jp": ("文,訳\n" + "これは犬です,そうですか\n" * 9).encode("euc-jp"),
    "gb18030": ("文,訳\n" + "这是一只狗很好,我们去吧\n" * 9).encode("gb18030"),
    "big5": ("文,譯\n" + "這是一隻狗很好,我們去吧\n" * 9).encode("big5"),
}
MIXED = ("a,b\n" + "Zürich,é\n" * 9).encode() + "Genève,x\n".encode("cp1252")
ZEROS = ("a,b\n" + "w\0,1\n" * 9).encode()
SHEETS = {"one": [["name", "x"], *([f"word{i}", i] for i in range(9))], "two": [["name", "x"], ["a", 1], ["b", 2]]}
QUOTED_ROWS = (
    "a,b\n" + "".join(f"w{i},{i}\n" for i in range(9)) + '"x,1\ny,2\nz",3\n' + "".join(f"v{i},{i}\n" for i in range(9))
)
OPEN_QUOTE = 'a,b\n"w,1\n' + "".join(f"w{i},{i}\n" for i in range(9))
CONTROLS = "".join(map(chr, [*range(1, 9), *range(14, 32), 127]))

FOLLOWED: dict[str, Case | list[Case]] = {
    "Set data.comment=# to skip such lines, or data.comment=none to confirm that they are rows.": Case(
        "a.txt", "# made by a tool\nCCO\nCCN\nc1ccccc1\n", {"#": ({"comment": "#"}, 3), "none": ({"comment": "none"}, 4)}
    ),
    "Set data.comment=# to skip such lines everywhere, or data.comment=none to confirm that they are rows.": Case(
        "a.csv", table_of(20) + "# half,1\n" + "w,1\n" * 20, {"#": ({"comment": "#"}, 40), "none": ({"comment": "none"}, 41)}
    ),
    "Set data.decimal to , or . (the mark that is used confirms it), or write numbers without marks ": Case(
        "a.csv", "name;x\n" + "w;1.234\nv;2.345\n" * 9, {mark: ({"decimal": mark}, 18) for mark in ",."}
    ),
    "Set data.decimal to the mark of these numbers.": Case(
        "a.csv", "name;x\n" + "w;1.5\nv;2.25\n" * 9, {".": ({"decimal": "."}, 18)}, {"decimal": ","}
    ),
    "{} is no number with the decimal mark {} that data.decimal sets": Case(
        "a.csv", "name;x\n" + "w;1.5\nv;2.25\n" * 9, {".": ({"decimal": "."}, 18)}, {"decimal": ","}
    ),
    "Set data.delimiter to {}, or to ": Case(
        "a.csv", "a;b,c\n" * 9, {mark: ({"delimiter": mark, "header": "no"}, 9) for mark in ";,"}, {"header": "no"}
    ),
    "Remove the first line if it is a title, or set data.delimiter.": Case(
        "a.csv", "Report\n" + table_of(9, ";"), {"title": ({"delimiter": ";", "comment": "Report"}, 9)}
    ),
    "Set data.delimiter to {}, or to none to confirm.": Case(
        "a.txt", "how are you|well\n" * 9, {"|": ({"delimiter": "|"}, 9), "none": ({"delimiter": "none"}, 9)}
    ),
    "Choose a text file, or set data.encoding; {}.": [
        Case("a.csv", ZEROS, {"replace": ({"wrong_bytes": "replace"}, 9), "mark": ({"wrong_bytes": "mark"}, 9)}),
        Case("a.csv", ZEROS, {"replace": ({"wrong_bytes": "replace"}, 9)}, {"encoding": "utf-8"}),
        Case("a.smi", "CCO\nC\0N\nCN\n", {"replace": ({"wrong_bytes": "replace"}, 3)}, {"encoding": "utf-8"}),
        Case("a.txt", f"{CONTROLS}\nword\nother\n", {"replace": ({"wrong_bytes": "replace"}, 3)}),
        Case("a.csv", "a,b\nw,1\n".encode("utf-16-le"), {"utf-16": ({"encoding": "utf-16"}, 1)}, {"encoding": "latin-1"}),
    ],
    "data.quoting=no confirms that; data.quoting=yes asks for quoted cells.": Case(
        "a.csv", OPEN_QUOTE, {"no": ({"quoting": "no"}, 10)}
    ),
    "Close it, write quotes inside a quoted text twice, or set data.quoting=no to read quotes as text.": Case(
        "a.csv", OPEN_QUOTE, {"no": ({"quoting": "no"}, 10)}, {"quoting": "yes"}
    ),
    "Close that quote; or set data.quoting=no if quotes are part of the text, data.quoting=yes if it is one cell.": Case(
        "a.csv",
        'a,b\n"w,1\n' + "".join(f"w{i},{i}\n" for i in range(3000)) + 'v",2\n',
        {"no": ({"quoting": "no"}, 3002), "yes": ({"quoting": "yes"}, 1)},
    ),
    "data.quoting=no if its quotes are part of the text, data.quoting=yes if it is one cell.": Case(
        "a.csv", QUOTED_ROWS, {"no": ({"quoting": "no"}, 21), "yes": ({"quoting": "yes"}, 19)}
    ),
    "Set data.delimiter to have them whole: a comma, for example. data.quoting=no confirms that lines are texts.": Case(
        "a.txt",
        '"It is late.\nGo home."\nWhy not?\n"He went.\nAt once."\nShe stayed there.\n',
        {",": ({"delimiter": ",", "header": "no"}, 4), "no": ({"quoting": "no"}, 6)},
    ),
    "Set data.delimiter to have them removed: a comma, for example. data.quoting=no confirms that they are text.": Case(
        "a.txt",
        '"CCO"\n"CCN"\n"CBr"\n"CS"\n',
        {",": ({"delimiter": ",", "header": "no"}, 4), "no": ({"quoting": "no"}, 4)},
    ),
    "Set data.header=no if it is a row, data.header=yes to confirm.": [
        Case("a.csv", "Go,Va\n" + "He is here,Il est là\n" * 9, {"no": ({"header": "no"}, 10), "yes": ({"header": "yes"}, 9)}),
        Case("a.xlsx", {"one": [["Go", "Va"], *([["He is here", "Il est là"]] * 9)]}, {"no": ({"header": "no"}, 10)}),
    ],
    "If they are part of the text, set data.quoting=no; data.quoting=yes confirms that they are not.": Case(
        "a.csv", 'name,x\n"w",1\n' + "v,2\n" * 9, {"no": ({"quoting": "no"}, 10), "yes": ({"quoting": "yes"}, 10)}
    ),
    "If they are part of the text, set data.quoting=no.": Case(
        "a.tsv", 'name\tx\n"say ""w"""\t1\n' + "v\t2\n" * 9, {"no": ({"quoting": "no"}, 10)}
    ),
    "If its first line is a row, set data.header=no.": Case(
        "a.csv", "a,a\n" + "w,1\n" * 9, {"no": ({"header": "no"}, 10)}, {"header": "yes"}
    ),
    "If its first row holds values, set data.header=no.": Case(
        "a.xlsx", {"one": [["a", "a"], *([["w", 1]] * 9)]}, {"no": ({"header": "no"}, 10)}, {"header": "yes"}
    ),
    "Its columns are called column 1, column 2, ... Set data.header=yes if it names them, data.header=no to confirm.": [
        Case("a.csv", "CCO,1\nCN,2\n" * 9, {"yes": ({"header": "no"}, 18), "no": ({"header": "no"}, 18)}),
        Case("a.xlsx", {"one": [["CCO", 1], ["CN", 2]] * 9}, {"yes": ({"header": "yes"}, 17), "no": ({"header": "no"}, 18)}),
    ],
    "data.wrong_bytes=replace puts U+FFFD for such bytes, and data.wrong_bytes=mark with data.faulty_rows=leave_out leaves "
    "their rows out": Case(
        "a.csv", MIXED, {"replace": ({"wrong_bytes": "replace"}, 10), "mark": ({"wrong_bytes": "mark"}, 10)}
    ),
    "Correct that line, or set data.encoding if the file is written in another encoding; {}.": Case(
        "a.csv", MIXED, {"cp1252": ({"encoding": "cp1252"}, 10), "replace": ({"wrong_bytes": "replace"}, 10)}
    ),
    "If these letters are wrong, set data.encoding or save the file as UTF-8.": Case(
        "a.csv", "a,b\nZürich,1\n".encode("cp1252"), {"cp1250": ({"encoding": "cp1250"}, 1)}
    ),
    "data.encoding sets another encoding, if letters are among them.": Case(
        "a.csv", MIXED, {"cp1252": ({"encoding": "cp1252"}, 10)}, {"wrong_bytes": "replace"}
    ),
    "It may be {}, in which it reads {}: set data.encoding={} if that is right. ": [
        Case("a.csv", content, {encoding: ({"encoding": encoding}, 9)}) for encoding, content in ENCODED.items()
    ],
    "Save it as UTF-8, or set data.encoding to its encoding. If the bytes are no text, {}.": [
        Case("a.csv", "a,b\nťažký,1\nkůň,2\n".encode("cp1250"), {"cp1250": ({"encoding": "cp1250"}, 2)}),
    ],
    "Save it as UTF-8, or set data.encoding: cp1251 or koi8-r for Cyrillic, shift-jis or euc-jp for Japanese, gb18030 or big5 "
    "for Chinese, cp1250 for Central European text; cp1252 if it is right as shown. If the bytes are no text, {}.": [
        *(Case("a.csv", content, {name: ({"encoding": name}, 9)}) for name, content in ENCODED.items()),
        Case(
            "a.csv",
            russian("cp1251"),
            {"cp1252": ({"encoding": "cp1252"}, 9), "replace": ({"wrong_bytes": "replace"}, 9)},
            {"header": "yes"},
        ),
    ],
    "Set data.encoding to the encoding of the file, or to auto; {}.": Case(
        "a.csv",
        "a,b\nZürich,1\n".encode("cp1252"),
        {"cp1252": ({"encoding": "cp1252"}, 1), "auto": ({"encoding": "auto"}, 1), "replace": ({"wrong_bytes": "replace"}, 1)},
        {"encoding": "ascii"},
    ),
    "Set data.encoding; or save it as text (UTF-8), or as numbers if the bytes are no text; {}.": Case(
        "a.npz",
        {"x": np.array(["собака и кошка".encode("cp1251")] * 9)},
        {"cp1251": ({"encoding": "cp1251"}, 9), "replace": ({"wrong_bytes": "replace"}, 9)},
    ),
    "Set data.encoding to their encoding; {}.": Case(
        "a.npz",
        {"x": np.array(["Zürich".encode("cp1252")] * 9)},
        {"cp1252": ({"encoding": "cp1252"}, 9), "replace": ({"wrong_bytes": "replace"}, 9)},
        {"encoding": "ascii"},
    ),
    "data.delimiter=none confirms that its lines are the rows.": [
        Case("a.txt", ">sp|P1| one\nMKVLAAG\n>sp|P2| two\nMKLLAAG\n" * 3, {"none": ({"delimiter": "none"}, 12)}),
        Case(
            "a.csv", ">sp|P1| one\nMKVLAAG\n>sp|P2| two\nMKLLAAG\n" * 3, {"none": ({"delimiter": "none"}, 12)}, {"header": "no"}
        ),
    ],
    "{} data.delimiter=none confirms that each is one text.": [
        Case("a.txt", "".join(f"{i:<8}{'C' * (i + 1):<16}{i}\n" for i in range(9)), {"none": ({"delimiter": "none"}, 9)}),
        Case("a.csv", "".join(f"id{i}^w\n" for i in range(9)), {"none": ({"delimiter": "none"}, 9)}),
    ],
    "Set data.delimiter={}.": [
        Case("a.tsv", table_of(9), {",": ({"delimiter": ",", "header": "yes"}, 9)}, {"header": "yes"}),
        Case("a.csv", table_of(9, " "), {"space": ({"delimiter": "space"}, 9)}),
    ],
    "Quote cells that hold the delimiter, remove lines that are no rows (data.comment skips comments), or set "
    "data.delimiter.": [
        Case("a.csv", table_of(9) + "% half\n" + "w,1\n" * 9, {"comment": ({"comment": "%"}, 18)}),
        Case("a.csv", "a,b\n" + "Hello, you,there\nHello,you\n" * 9, {"none": ({"delimiter": "none", "header": "yes"}, 18)}),
    ],
    "From line {} on all lines have {} cells: remove the lines above, or set data.comment to what they begin with.": Case(
        "a.csv", "% made by a tool\n" + table_of(9), {"%": ({"comment": "%"}, 9)}
    ),
    "Set data.sheet to another of its sheets: {}.": Case("a.xlsx", {"none": [], **SHEETS}, {"two": ({"sheet": "two"}, 2)}),
    "Set data.sheet to read another.": Case("a.xlsx", SHEETS, {"two": ({"sheet": "two"}, 2)}),
    "Set data.sheet to one of them.": Case("a.xlsx", SHEETS, {"one": ({"sheet": "one"}, 9)}, {"sheet": "three"}),
    "If its first line is a row, say so: data.header=no.": Case("a.csv", "name,x\n", {"no": ({"header": "no"}, 1)}),
}
"""What leads to each piece of advice, and what comes of following it."""

ELSEWHERE = {
    "Give what `seqdec-gui encode` writes: CSV with code_0, code_1, …, or .npz with codes.": "gui/test_generate_modes.py",
    "Choose a file in the Data tab or with --data.": "cli/test_training.py",
    "Or choose to fit anew (--fit anew), which gives the weights other ids and scales than they know.": (
        "runner/test_initial_weights.py"
    ),
    "Open a model with seqdec-gui import FILE -o DESIGN, or Import in the window.": "cli/test_import.py",
    "At the shell --decimal {} confirms it, and --decimal {} reads {}; in a design it is data.decimal. In the file itself, "
    "write numbers without marks between thousands.": "data/test_settled.py",
    "leave such rows out of a training (data.faulty_rows=leave_out)": "data/test_faulty_rows.py",
    "Remove them, choose the encoding of the file (data.encoding), replace them by U+FFFD (data.wrong_bytes=replace), save "
    "bytes that are no text as numbers, or {}.": "data/test_wrong_bytes.py",
}
"""Advice that is followed in another file of tests, which uses the options that it names."""


def written(folder: Path, case: Case) -> Path:
    path = folder / case.name
    if case.name.endswith(".npz"):
        np.savez(path, **case.content)  # type: ignore[arg-type]
    elif case.name.endswith(".xlsx"):
        openpyxl = pytest.importorskip("openpyxl")
        workbook = openpyxl.Workbook()
        workbook.remove(workbook.active)
        for title, rows in case.content.items():  # type: ignore[union-attr]
            sheet = workbook.create_sheet(title)
            for row in rows:
                sheet.append(row)
        workbook.save(path)
    else:
        path.write_bytes(case.content.encode() if isinstance(case.content, str) else case.content)  # type: ignore[arg-type]
    return path


def opened(path: Path, options: dict[str, str]) -> tuple[Table | None, tuple[Problem, ...]]:
    """The table with every cell read, and what is said; no table where the file or a column is refused."""
    try:
        table = open_table(path, how=Reading(**options))  # type: ignore[arg-type]
        for column in table.columns:
            list(table.chunks(column.name))
    except InvalidInput as error:
        return None, error.problems
    return table, table.problems


def test_every_piece_of_advice_is_followed_here() -> None:
    assert advice() == set(FOLLOWED) | set(ELSEWHERE)


@pytest.mark.parametrize("hint", ELSEWHERE)
def test_other_advice_is_followed_in_the_tests_that_are_named(hint: str) -> None:
    said = (TESTS / ELSEWHERE[hint]).read_text("utf-8")
    for option in OPTION.findall(hint):
        assert option.split(".")[-1].split(" ")[-1].lstrip("-") in said, option


CASES = [(hint, case) for hint, cases in FOLLOWED.items() for case in ([cases] if isinstance(cases, Case) else cases)]


@pytest.mark.parametrize(("hint", "case"), CASES, ids=[f"{at}-{case.name}" for at, (_, case) in enumerate(CASES)])
def test_advice_leads_to_a_file_that_opens(hint: str, case: Case, tmp_path: Path) -> None:
    path = written(tmp_path, case)
    pattern = re.compile("(?s:.*)".join(map(re.escape, hint.split("{}"))))
    _, said = opened(path, case.first or {})
    assert any(pattern.search(problem.hint) or pattern.search(problem.text) for problem in said), said
    for options, rows in case.ends.values():
        table, left = opened(path, {**(case.first or {}), **options})
        assert table is not None, left
        assert table.rows == rows
        assert not [problem for problem in left if pattern.search(problem.hint) or pattern.search(problem.text)]


def test_every_option_of_reading_is_advised_somewhere() -> None:
    said = " ".join(advice())
    assert all(f"data.{field.name}" in said for field in msgspec.structs.fields(Reading))
