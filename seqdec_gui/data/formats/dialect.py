"""How a delimited text file is written: character encoding, delimiter, column names."""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from pathlib import Path

import msgspec

from seqdec_gui.domain.problems import InvalidInput, Problem

_SAMPLE_BYTES = 256 * 1024
_LONGEST_SAMPLE_BYTES = 64 * 2**20
_SAMPLE_RECORDS = 200
_DELIMITERS = (",", ";", "\t", "|")
_MARKS = (  # that of UTF-32 begins like that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip


class Dialect(msgspec.Struct, frozen=True):
    """`encoding` as Python names it; `raw_names` are the header's fields as written."""

    encoding: str
    delimiter: str
    raw_names: tuple[str, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, without white space around them."""
        return tuple(name.strip() for name in self.raw_names)


def detect(path: Path) -> Dialect:
    """Finds out how the file is written. Raises InvalidInput for duplicate names, OSError where it cannot be read."""
    problems = []
    encoding = find_encoding(path)
    if encoding == "latin-1":
        text = f"{path.name} is not valid UTF-8, so it was read as Latin-1."
        problems.append(Problem("warning", "not_utf8", "data", text, "Save it as UTF-8 if its letters look wrong."))
    raw = _sample(path)
    if b"\0" in raw and not encoding.startswith(("utf-16", "utf-32")):
        raise InvalidInput(f"{path.name} holds binary data; expected text with a header line and rows.", "not_text", "data")
    sample = codecs.getincrementaldecoder(encoding)("replace").decode(raw)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else find_delimiter(sample)
    records = _records(sample, delimiter)
    if not records:
        raise InvalidInput(f"{path.name} holds no text; expected a header line and rows.", "empty_file", "data")
    names = tuple(name.strip() for name in records[0])
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        listed = ", ".join(map(repr, twice))
        raise InvalidInput(f"{path.name} has several columns named {listed}; give every column a name of its own.",
                           "duplicate_column", "data")  # fmt: skip
    if any(map(_is_number, names)):
        text = f"The first line of {path.name} looks like data, but it was read as the header: {', '.join(names[:5])}."
        problems.append(Problem("warning", "header_missing", "data", text, "Put the columns' names in the first line."))
    return Dialect(encoding, delimiter, tuple(records[0]), tuple(problems))


def _sample(path: Path) -> bytes:
    """The beginning of the file; more of it where lines are so long that this would not hold the header and two rows."""
    with path.open("rb") as file:
        raw = file.read(_SAMPLE_BYTES)
        while max(raw.count(b"\n"), raw.count(b"\r")) < 3 and len(raw) < _LONGEST_SAMPLE_BYTES:
            more = file.read(len(raw))
            if not more:
                break
            raw += more
    return raw


def find_encoding(path: Path) -> str:
    """UTF-8 (by its byte order mark UTF-16 or UTF-32) if the whole file is valid in it, else Latin-1, which every file is."""
    with path.open("rb") as file:
        start = file.read(4)
        name = next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
        file.seek(0)
        decoder = codecs.getincrementaldecoder(name)()
        try:
            while block := file.read(1 << 20):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "latin-1"
    return name


def _records(sample: str, delimiter: str) -> list[list[str]]:
    """The first records, without the last, which the sample may have cut, and without empty lines."""
    found = []
    try:
        for record in csv.reader(sample.splitlines(keepends=True), delimiter=delimiter):
            if record:
                found.append(record)
            if len(found) == _SAMPLE_RECORDS:
                break
    except csv.Error:
        return found
    return found[:-1] if len(sample) >= _SAMPLE_BYTES // 4 and 1 < len(found) < _SAMPLE_RECORDS else found


def find_delimiter(sample: str) -> str:
    """The delimiter by which the most records have as many fields as the header, and more than one."""
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        widths = [len(record) for record in _records(sample, delimiter)]
        if widths and widths[0] > 1:
            score = sum(width == widths[0] for width in widths) / len(widths)
            if score > best_score:
                best, best_score = delimiter, score
    return best


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
