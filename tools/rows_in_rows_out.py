"""Writes random files of every text format and reads them: each row must come back, or be refused or told with a reason.

    python tools/rows_in_rows_out.py [--files 2000] [--seed 1] [--keep FOLDER]

Each file is read twice: with the options that say how it was written, and with none. Prints what was read, told and refused,
and every file from which rows or cells came back otherwise without a word; exits with 1 if there is one. The same seed makes
the same files.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from seqdec_gui.data.formats.base import Cell, Table
from seqdec_gui.data.tables import open_table
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.problems import InvalidInput
from tools.fuzz.text_files import TextFile, Writer

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None")
"""Cells of numbers that mean a missing value."""


def is_same(cell: Cell, written: str) -> bool:
    """Whether a cell is the one that was written: the same text, or the same number."""
    if isinstance(cell, str):
        return cell == written
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return written.strip() in MISSING
    try:
        return float(written) == float(cell)  # type: ignore[arg-type]
    except ValueError:
        return float(written.replace(".", "").replace(",", ".")) == float(cell)  # type: ignore[arg-type]


def fault_of(table: Table, file: TextFile) -> str:
    """What is not as it was written; empty if every row and every cell is."""
    found = [table.page(column.name, 0, column.rows) for column in table.columns]
    if table.dialect is not None and table.dialect.whole_lines:
        lines = file.lines[table.dialect.header :]
        if len(lines) == len(found[0]) and all(map(is_same, found[0], lines)):
            return ""  # every record is a line, and every line a row
    header = table.dialect.header if table.dialect is not None else file.names is not None
    expected = list(file.rows)
    if table.dialect is not None and header and file.names is None:
        expected = expected[1:]
    if table.dialect is not None and not header and file.names is not None:
        expected = [file.names, *expected]
    if any(len(column) != len(expected) for column in found):
        return f"{len(expected)} rows were written, {[len(column) for column in found]} read"
    if len(found) != len(expected[0] if expected else found):
        return f"{len(expected[0])} columns were written, {len(found)} read"
    for number, row in enumerate(expected):
        for place, written in enumerate(row):
            if not is_same(found[place][number], written):
                return f"row {number + 1}: {written!r} was written, {found[place][number]!r} read"
    return ""


def options_of(file: TextFile) -> Reading:
    """The options that say how a file was written."""
    delimiter = {"\t": "tab", " ": "space", "": "none"}.get(file.delimiter, file.delimiter)
    quoting = "yes" if file.quoted else "no"
    return Reading(
        "yes" if file.names else "no",
        delimiter,
        quoting,
        file.encoding.replace("utf-8-sig", "utf-8"),
        comment="none",  # type: ignore[arg-type]
    )


def outcome(file: TextFile, path: Path, how: Reading | None) -> tuple[str, str]:
    """Return `same`, `refused`, `told` or `silent`, and what was wrong."""
    path.write_bytes(file.content)
    try:
        table = open_table(path, how=how or Reading())
    except InvalidInput as error:
        return ("refused", str(error)) if str(error) else ("silent", "refused without a sentence")
    fault = fault_of(table, file)
    if not fault:
        return "same", ""
    told = [problem.text for problem in table.problems if problem.severity != "info"]
    return ("told", told[0]) if told else ("silent", fault)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="keep the files from which something was lost in this folder")
    asked = parser.parse_args()
    writer, counts = Writer(asked.seed), Counter[str]()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(asked.files):
            file = writer.file()
            for kind, how in (("with options", options_of(file)), ("without", None)):
                found, why = outcome(file, Path(folder) / file.name, how)
                counts[f"{kind}: {found}"] += 1
                bad = found == "silent" or (how is not None and found != "same")
                if bad:
                    wrong += 1
                    print(
                        f"file {number} ({file.name}, {file.kind}, {file.encoding}, {file.delimiter!r}), {kind}: {found}: {why}"
                    )
                    if asked.keep:
                        asked.keep.mkdir(parents=True, exist_ok=True)
                        (asked.keep / f"{asked.seed}_{number}_{file.name}").write_bytes(file.content)
    for kind, count in sorted(counts.items()):
        print(f"{kind} {count:,}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
