"""Looks at the first rows of text columns: how long they are and how many symbols they have, as evidence for proposals."""

from __future__ import annotations

import msgspec

from seqdec_gui.data.formats.base import Table
from seqdec_gui.data.tokens import TextForm, survey
from seqdec_gui.domain.problems import SeqdecError

ROWS = 2000
"""The number of rows that are looked at."""
MOST_COLUMNS = 40
"""The number of columns of a file that are looked at; a wider file is proposed from types and names alone."""


class TextFacts(msgspec.Struct, frozen=True):
    """The different symbols in the first rows of a column, and the tokens of the longest, by characters and by words."""

    characters: int
    longest_characters: int
    words: int
    longest_words: int


def text_facts(table: Table) -> dict[str, TextFacts]:
    """Return the facts of every column that can be read as text. Columns that cannot be read are left out."""
    import pyarrow as pa

    facts = {}
    for column in [column for column in table.columns if column.kind in ("text", "integer")][:MOST_COLUMNS]:
        try:
            cells = table.page(column.name, 0, ROWS)
        except (SeqdecError, OSError):
            continue
        texts = pa.array([None if cell is None else str(cell) for cell in cells], pa.string())
        characters, words = (survey([texts], TextForm(kind, strip="newlines")) for kind in ("characters", "words"))
        facts[column.name] = TextFacts(len(characters.symbols), characters.longest, len(words.symbols), words.longest)
    return facts
