"""Says what was settled about a delimited text when it was read."""

from __future__ import annotations

from collections.abc import Mapping

from seqdec_gui.data.formats.base import Dialect
from seqdec_gui.data.formats.delimiters import DELIMITER_NAMES, DELIMITERS_AS_WRITTEN
from seqdec_gui.data.formats.notation import Decimal, Notation, as_set
from seqdec_gui.data.formats.settled import Answer, FileReading
from seqdec_gui.domain.bindings import Reading


def settled_by(how: Reading, dialect: Dialect, notations: Mapping[str, Notation | None]) -> FileReading:
    """Return how a delimited text was read. `notations` has the columns of numbers, None where no cell has a mark.

    Such a column has the decimal mark that the others have in common.
    """
    known = {notation.decimal for notation in notations.values() if notation is not None}
    shared: Decimal | None = known.pop() if len(known) == 1 else "," if dialect.decimal == "," and not known else None
    columns = []
    for name, notation in notations.items():
        if how.decimal != "auto":
            notation = as_set(how.decimal)
        elif notation is None and shared is not None:
            notation = Notation(shared)
        if notation is not None:
            columns.append((name, notation))
    written = {mark: word for word, mark in DELIMITERS_AS_WRITTEN.items() if mark}
    delimiter = "none" if dialect.whole_lines else written.get(dialect.delimiter, dialect.delimiter)
    quoting: Answer = "yes" if dialect.has_quotes and dialect.quoted else "no" if dialect.fault_line else "auto"
    return FileReading(
        encoding=dialect.encoding,
        delimiter=delimiter if delimiter == "none" or dialect.delimiter in DELIMITER_NAMES else "auto",
        header="yes" if dialect.header else "no",
        quoting=how.quoting if how.quoting != "auto" else "auto" if dialect.whole_lines else quoting,
        comment=how.comment if how.comment != "auto" else dialect.comment or "auto",
        columns=tuple(columns),
    )
