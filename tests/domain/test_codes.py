"""Every problem code of the program stands in one table, and the table has no others."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from seqdec_gui.domain.codes import _ROWS, CODES, PLACES, about, hint_in_window, is_absent
from seqdec_gui.domain.problems import Problem

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "seqdec_gui").rglob("*.py"))
TAKERS = {"Problem": 1, "InvalidInput": 1, "Message": 99, "too_narrow": 0}
"""Callables of the whole package that take a code, and the place of that argument."""


def codes_in(tree: ast.Module) -> Iterator[str]:
    """Patterns of the codes that a module gives to problems and messages, or compares with `something.code`."""
    takers = dict(TAKERS)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
            if "code" in names:
                if node.name != "__init__":
                    takers[node.name] = names.index("code") - (names[0] == "self")
                default = dict(zip(reversed(names), reversed(node.args.defaults), strict=False)).get("code")
                yield from patterns(default)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in takers:
                for value in node.args[takers[name] : takers[name] + 1]:
                    yield from patterns(value)
                for keyword in node.keywords:
                    if keyword.arg == "code":
                        yield from patterns(keyword.value)
        elif isinstance(node, ast.Compare) and getattr(node.left, "attr", "") == "code":
            for value in node.comparators:
                yield from patterns(value)


def patterns(value: ast.expr | None) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield re.escape(value.value)
    elif isinstance(value, ast.JoinedStr):  # f"not_in_{format}"
        yield "".join(re.escape(part.value) if isinstance(part, ast.Constant) else r"\w+" for part in value.values)
    elif isinstance(value, ast.IfExp):
        yield from (*patterns(value.body), *patterns(value.orelse))
    elif isinstance(value, ast.Tuple | ast.List | ast.Set):
        for element in value.elts:
            yield from patterns(element)


def all_patterns() -> dict[str, Path]:
    return {pattern: path for path in MODULES for pattern in codes_in(ast.parse(path.read_text()))}


def test_every_code_of_the_program_stands_in_the_table() -> None:
    unknown = [f"{pattern} ({path.relative_to(ROOT)})" for pattern, path in all_patterns().items()
               if pattern and not any(re.fullmatch(pattern, code) for code in CODES)]  # fmt: skip
    assert unknown == [], "add a row to seqdec_gui/domain/codes.py"


def test_every_row_of_the_table_is_used() -> None:
    found = "|".join(all_patterns())
    assert [code for code in CODES if not re.fullmatch(found, code)] == []


def test_the_search_for_codes_finds_them_wherever_they_stand() -> None:
    source = """
def refuse(self, where, code): ...
def ask(text, code="by_default"): ...
Problem("error", "direct", "", "")
Problem(severity, code=f"not_in_{format}")
raise InvalidInput("words", "raised" if x else "otherwise")
self.refuse("place", "by_helper")
problem.code in ("compared", "compared_too")
"""
    assert set(codes_in(ast.parse(source))) == {
        "by_default", "direct", r"not_in_\w+", "raised", "otherwise", "by_helper", "compared", "compared_too",
    }  # fmt: skip


def test_rows_are_sorted_and_unique_and_say_what_to_do() -> None:
    codes = [row.code for row in _ROWS]
    assert codes == sorted(set(codes))
    for row in _ROWS:
        assert re.fullmatch("[a-z][a-z0-9_]*", row.code)
        assert row.about in PLACES
        assert re.fullmatch(r"[A-Z`].{20,}\.", row.help), row.code
        assert not row.in_window or row.in_window.endswith(".")


def test_what_the_window_does_with_a_code_comes_from_its_row() -> None:
    assert about("unbound_port") == about("bound_twice") == "binding"
    assert about("cycle") == "design"
    assert is_absent("open_input")
    assert not is_absent("cycle")
    assert hint_in_window("no_data", "Give --data FILE.") == "Open a data file on the Data tab."
    assert hint_in_window("cycle", "Remove one.") == "Remove one."


@pytest.mark.parametrize("code", ["", "of_a_newer_version"])
def test_a_code_that_is_not_known_is_no_failure(code: str) -> None:
    assert about(code) is None
    assert not is_absent(code)
    assert hint_in_window(code, "As it was.") == "As it was."


def test_the_number_of_a_problem_is_written_only_where_there_is_one() -> None:
    plain = Problem("error", "cycle", "a", "Text.")
    assert msgspec.to_builtins(plain) == {"severity": "error", "code": "cycle", "where": "a", "text": "Text.", "hint": ""}
    wanted = msgspec.structs.replace(plain, wanted=27)
    assert msgspec.json.decode(msgspec.json.encode(wanted), type=Problem) == wanted


def test_the_pages_about_codes_and_exports_are_up_to_date() -> None:
    location = ROOT / "tools" / "make_design_docs.py"
    spec = importlib.util.spec_from_file_location("make_design_docs", location)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert (ROOT / "docs" / "problems.md").read_text() == tool.problems(), f"run python {location.relative_to(ROOT)}"
    page = (ROOT / "docs" / "export.md").read_text()
    assert page == tool.export(page), f"run python {location.relative_to(ROOT)}"
