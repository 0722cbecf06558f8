"""The pages in docs/decisions: numbered without gaps, each with a date, a status and the four parts, all in the list."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DECISIONS = Path(__file__).resolve().parent.parent / "docs" / "decisions"
PAGES = sorted(DECISIONS.glob("[0-9]*.md"))
PARTS = ["Context", "Decision", "Price", "Think again if"]
DATE = r"\d{4}-\d{2}-\d{2}"


def number(page: Path) -> int:
    return int(page.name.partition("-")[0])


def test_numbers_have_no_gap() -> None:
    assert [number(page) for page in PAGES] == list(range(1, len(PAGES) + 1))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_decision_has_a_date_a_status_and_the_four_parts(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    head = rf"# {number(page)}\. .+\n\nDate: {DATE}(, (changed|divided|written down) {DATE})*\\\nStatus: (.+)\n\n## Context\n"
    match = re.match(head, text)
    assert match is not None, "expected the form of 0001-a-run-is-a-folder.md"
    assert re.fullmatch(r"proposed|accepted|superseded by \d+", match[3])
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS


def test_the_list_names_every_page_by_its_title() -> None:
    titles = [page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ") for page in PAGES]
    listed = re.findall(r"^(\d+)\. \[(.+)\]\((.+)\)$", (DECISIONS / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [(f"{place}. {title}", file) for place, title, file in listed] == [
        (title, page.name) for title, page in zip(titles, PAGES, strict=True)
    ]


@pytest.mark.parametrize("page", [*PAGES, DECISIONS / "README.md"], ids=lambda page: page.stem)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    linked = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in linked if not (page.parent / link).exists()] == []
