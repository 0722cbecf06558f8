import re
from pathlib import Path

import pytest

import seqdec_gui
from seqdec_gui.domain.wording import agreeing, counted, verb_for

_COUNT = r"(?<!around )(?<!of )\{counted\([^}]*\)\}(?: of \{[^}]*\}| \([^)]*\)| that| within \w+)*"
_PLURAL = re.compile(rf"{_COUNT}(?:\"\s+f?\")? ?(are|have|were|do|hold|stand|look|begin|differ|contain|lie|need|end)\b")
"""A count whose verb is always that of several things."""


def test_numbers_agree_with_what_they_count():
    assert [counted(number, "row") for number in (0, 1, 2, 1200)] == ["0 rows", "1 row", "2 rows", "1,200 rows"]


@pytest.mark.parametrize(
    ("verb", "one"), [("are", "is"), ("have", "has"), ("were", "was"), ("hold", "holds"), ("pass", "passes"), ("do", "does")]
)
def test_verbs_agree_with_what_is_counted(verb: str, one: str) -> None:
    assert verb_for(1, verb) == one
    assert {verb_for(number, verb) for number in (0, 2, 1000)} == {verb}
    assert agreeing(1, "cell", verb) == f"1 cell {one}"
    assert agreeing(2000, "cell", verb) == f"2,000 cells {verb}"


def test_no_sentence_has_a_plural_verb_for_every_count_or_plurals_in_brackets() -> None:
    root = Path(seqdec_gui.__file__).parent
    found = [
        f"{path.relative_to(root)}: {match[0]}"
        for path in sorted(root.rglob("*.py"))
        for match in re.finditer(rf"{_PLURAL.pattern}|\w\}}? ?\w+\(s\)", path.read_text())
    ]
    assert not found, "use domain.wording.agreeing or verb_for"
