"""The files and commands that the pages for contributors name are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from seqdec_gui.domain.catalog import KINDS, fields
from seqdec_gui.domain.form_words import label
from seqdec_gui.domain.training import Training

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("CONTRIBUTING.md", "docs/glossary.md")
OF_FILES = re.compile(r"(?:[\w.-]+/)+(?:[\w.-]+\.\w+)?")
"""A folder, or a file in one: `domain/kinds/`, `tests/data/test_tables.py`."""


def named(page: str) -> set[str]:
    """The paths between backticks."""
    code = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL))
    return {path for path in code if OF_FILES.fullmatch(path)}


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_exist(page: str) -> None:
    paths = named(page)
    assert len(paths) > 20
    assert {path for path in paths if not any((base / path).exists() for base in (ROOT, ROOT / "seqdec_gui"))} == set()


def test_links_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "guide").glob("*.md")]
    links = [
        (page, link) for page in pages for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    ]
    assert len(links) > 20
    assert [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()] == []


def test_targets_of_make_that_are_named_exist() -> None:
    pages = ("README.md", "CONTRIBUTING.md", "docs/install.md", "Makefile")
    texts = [(ROOT / page).read_text(encoding="utf-8") for page in pages]
    targets = set(re.findall(r"^([\w-]+):", texts[-1], re.MULTILINE))
    wanted = {target for text in texts for target in re.findall(r"[`'\n]make ([a-z][\w-]*)", text)}
    assert len(wanted) > 10
    assert wanted - targets == set()


def test_make_help_names_every_target_for_people() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w-]+):", text, re.MULTILINE))
    assert targets - set(re.findall(r"echo 'make ([\w-]+) ", text)) == {"help"}


def test_the_words_on_the_forms_are_those_of_the_window() -> None:
    labels = {label(field.name) for struct in (*KINDS.values(), Training) for field in fields(struct)}
    forms = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").partition("## Words on the forms")[2]
    words = set(re.findall(r"^\| ([A-Z][\w -]+) \|", forms, re.MULTILINE))
    assert len(words) > 5
    assert words - labels == set()


def test_the_glossary_is_in_alphabetical_order() -> None:
    for section in (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        words = re.findall(r"^\| ([\w -]+) \|", section, re.MULTILINE)[1:]
        assert words == sorted(words, key=str.casefold)
