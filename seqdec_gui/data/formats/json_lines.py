"""`.jsonl` and `.ndjson`: one JSON object a line, whose names are the columns. Objects within it are `name.inner`.

Lines are decoded by msgspec rather than by Arrow, which takes texts that look like dates for dates and names no line.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from seqdec_gui.data.formats.base import reading
from seqdec_gui.data.formats.bounds import fail_if_no_room, fail_if_sparse, fail_if_too_many_columns
from seqdec_gui.data.formats.compression import content_of
from seqdec_gui.data.formats.encodings import decoded
from seqdec_gui.data.formats.memory import MemoryTable, gathered
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.json_lines import Repeated, without_repetition
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import counted

_LINE_END = re.compile(rb"\r\n?|\n")
_TIMES_IN_MEMORY = 8
"""The size in memory of the values of all lines, in sizes of the text."""

_SHOWN = 60
"""The number of characters of a line that a message shows."""


class JsonLinesTable(MemoryTable):
    """The file, held in memory. A line without a value for a column has a missing value there."""

    def __init__(self, path: Path, names: Sequence[str] | None, how: Reading, bound: Sequence[str] = ()) -> None:
        super().__init__(path)
        with reading(path):
            text = decoded(content_of(path), path.name, how.encoding, how.wrong_bytes)
            fail_if_no_room(path, _TIMES_IN_MEMORY * len(text.content), "Save its rows as .parquet.")
            rows, blank = _rows(text.content, path.name)
            if not rows:
                raise InvalidInput(f"{path.name} holds no rows; expected one JSON object a line.", "empty_file", "data")
            self.problems = text.problems
            if blank:
                skipped = f"{path.name} has {counted(blank, 'empty line')} between its rows, skipped in reading."
                self.problems += (Problem("info", "blank_lines", "data", skipped),)
            self.has_names = not text.content.lstrip().startswith(b'"')
            values = {}
            names = list(dict.fromkeys(name for row in rows for name in row))
            fail_if_too_many_columns(path, len(names))
            fail_if_sparse(path, len(rows), len(names), "Give every line the same names.")
            for name in names:
                cells = [row.get(name) for row in rows]
                column = gathered(name, cells)
                if column.unusable:
                    wrong = f"Column {name!r} {column.unusable}."
                    self.unusable[name] = Problem("error", "unusable_array", "data", wrong, "Bind another column.")
                    self.unusable_cells[name] = cells
                else:
                    values[name] = column.values
                    self.problems += column.problems
                    if column.unread:
                        self.unread_cells[name] = dict(column.unread)
                        self.unusable_cells[name] = cells
        self._hold(values)


def _rows(content: bytes, name: str) -> tuple[list[dict[str, Any]], int]:
    """Return the object of every line, objects within it flattened, and the number of empty lines. Raises InvalidInput."""
    decoder = msgspec.json.Decoder()
    rows: list[dict[str, Any]] = []
    blank = 0
    lines = _LINE_END.split(content)
    if lines and not lines[-1].strip():
        lines.pop()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            blank += 1
            continue
        try:
            value = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            value = _lenient(line, number, name)
        else:
            if line.count(b":") > _members(value):  # a text holds one, or a name comes twice
                value = _lenient(line, number, name)
        if isinstance(value, str):
            value = {"text": value}
        if not isinstance(value, dict):
            raise InvalidInput(_not_an_object(line, number, name), "bad_json_line", "data")
        if any(isinstance(cell, dict) for cell in value.values()):
            flat = _flat(value)
            if len(flat) < _leaves(value):
                twice = next(cell for cell in flat if cell in value and not isinstance(value[cell], dict))
                raise InvalidInput(_repeated(number, name, twice), "repeated_name", "data")
            value = flat
        rows.append(value)
    return rows, blank


def _lenient(line: bytes, number: int, name: str) -> Any:
    """Decode a line as Python's json module does, which writes NaN and Infinity. Raises InvalidInput."""
    try:
        value = json.loads(line, object_pairs_hook=without_repetition, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode() if b"\\u" in line else b""
        return value
    except UnicodeEncodeError as error:
        text = f"Line {number} of {name} holds {error.object[error.start]!a}, half of a pair of which a character is made."
        hint = "Remove it there; in Python, text.encode('utf-8', 'ignore').decode() does."
        raise InvalidInput([Problem("error", "bad_json_line", "data", text, hint)]) from None
    except Repeated as error:
        raise InvalidInput(_repeated(number, name, error.name), "repeated_name", "data") from None
    except OverflowError as error:
        text = f"Line {number} of {name} holds {error}, which is beyond the range of numbers here (1.8e308)."
        raise InvalidInput(f"{text} Write it as text, or in other units.", "bad_json_line", "data") from None
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{_not_an_object(line, number, name)} ({error}).", "bad_json_line", "data") from None


def _finite(text: str) -> float:
    """Return a number. Raises OverflowError for one beyond the range of float64."""
    value = float(text)
    if math.isinf(value):
        raise OverflowError(text[:_SHOWN])
    return value


def _members(value: Any) -> int:
    """Return the number of members of all objects within a value."""
    if isinstance(value, dict):
        return len(value) + sum(map(_members, value.values()))
    return sum(map(_members, value)) if isinstance(value, list) and value and isinstance(value[0], dict | list) else 0


def _leaves(value: Any) -> int:
    """Return the number of columns that an object has when it is flattened, those of one name counted apart."""
    return sum(_leaves(cell) if isinstance(cell, dict) and cell else 1 for cell in value.values())


def _repeated(number: int, name: str, member: str) -> str:
    return f"Line {number} of {name} has {member[:_SHOWN]!r} twice; expected one value for each name."


def _not_an_object(line: bytes, number: int, name: str) -> str:
    shown = line[:_SHOWN].decode("utf-8", "replace")
    return f"Line {number} of {name} is not one JSON object: {shown!r}; expected one object a line"


def _flat(value: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Return an object with the values of inner objects under `outer.inner`."""
    flat: dict[str, Any] = {}
    for name, cell in value.items():
        flat |= _flat(cell, f"{before}{name}.") if isinstance(cell, dict) and cell else {f"{before}{name}": cell}
    return flat
