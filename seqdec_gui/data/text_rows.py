"""New rows of one text each, for a model that takes nothing else: a language model that is given beginnings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from seqdec_gui.data.formats.base import Table, reading
from seqdec_gui.data.formats.compression import content_of
from seqdec_gui.data.formats.encodings import is_utf8
from seqdec_gui.data.formats.registry import format_of
from seqdec_gui.data.name_evidence import names_rows
from seqdec_gui.data.rows import InputRows
from seqdec_gui.data.tables import inspect
from seqdec_gui.domain.bindings import Reading


def read_texts(source: Path, column: str, keep: Sequence[str] = (), how: Reading | None = None) -> InputRows:
    """Return the texts of a column of a file by its name, and the columns `keep`, as `rows.read_input` does.

    Empty lines of a file with one column are rows without a text, at its end too. `how` are the reading options of the
    training, of which the encoding, the marks for wrong bytes and the sheet count here. Raises InvalidInput.
    """
    how = how or Reading()
    row = format_of(source)
    encoding = how.encoding
    if row is not None and row.delimited and source.is_file():
        with reading(source):
            encoding = "auto" if is_utf8(content_of(source)) else how.encoding
    plain = msgspec.structs.replace(Reading(), encoding=encoding, wrong_bytes=how.wrong_bytes)
    table = inspect(source, plain, (column,))
    names = dict.fromkeys((column, *keep, *(each.name for each in table.columns if names_rows(each.name))))
    cells = {name: _texts(table, name) for name in names}
    left = "blank_lines" if len(table.columns) > 1 else ""
    notes = tuple(
        note
        for note in table.problems
        if note.code == left or (note.severity == "warning" and note.code != "header_assumed")  # the column was named
    )
    kept = {name: texts for name, texts in cells.items() if name != column or name in keep}
    return InputRows({column: cells[column]}, {}, kept, notes=notes)


def _texts(table: Table, name: str) -> list[str]:
    texts = ["" if cell is None else str(cell) for cell in table.page(table.column(name).name, 0, table.rows)]
    return texts + [""] * (table.dialect.empty_end if table.dialect is not None and len(table.columns) == 1 else 0)
