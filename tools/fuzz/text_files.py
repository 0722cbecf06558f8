"""Random files of text whose rows are known: made by writers of their own, which share nothing with the readers."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import zipfile
from collections.abc import Callable
from typing import NamedTuple

import pyarrow as pa

Row = tuple[str, ...]


class TextFile(NamedTuple):
    """A file, and what was written into it: rows of cells, the names above them if there are any, and how.

    `lines` are the records, names included, as they were written, without line ends behind them.
    """

    name: str
    content: bytes
    rows: tuple[Row, ...]
    names: Row | None
    delimiter: str
    quoted: bool
    encoding: str
    kind: str
    lines: tuple[str, ...]


def _zipped(raw: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows", raw)
    return file.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda raw: raw,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda raw: pa.compress(raw, "zstd", asbytes=True),
    ".zip": _zipped,
}
ENDINGS = {",": ("csv", "csv", "txt"), ";": ("csv", "txt"), "\t": ("tsv", "tab", "txt", "csv"), "|": ("csv", "txt")}
_WORDS = (
    "the", "cat", "sat", "on", "a", "mat", "while", "Anna", "wrote", "letters", "to", "Paris", "about", "green", "tea", "and",
    "old", "books",
)  # fmt: skip
_SMILES = ("CCO", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "C[C@@H](N)C(=O)O", "[Na+].[Cl-]", "C/C=C\\C", "CC#N", "O=S(=O)(O)O")
_WESTERN = ("café", "naïve", "Müller", "señor", "garçon", "Ångström")
_CYRILLIC = ("молоко", "город", "хорошо", "письмо", "ученик", "зелёный")
_EASTERN = ("日本語", "你好", "한국어", "ελληνικά", "😀", "עברית")
_ODD = ("'tis", "don't", "#1", "a # b", "100%", "x=y", "\\n", "NaN", "NA", "007", "1,5", "1.5e3", "- ", "/path/to", "(c)", "*")


class Writer:
    """Makes the files of one seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def file(self) -> TextFile:
        """A file of any kind."""
        return self._chance.choice((self.table, self.table, self.table, self.lines, self.molecules, self.records))()

    def table(self) -> TextFile:
        """Cells between delimiters; in quotes where they need them, or where the style asks for it."""
        chance = self._chance
        delimiter, width = chance.choice(",,;\t\t|"), chance.randrange(1, 7)
        encoding, words = self._language()
        quoted = chance.random() < 0.75
        makers = [self._column(words, quoted, delimiter) for _ in range(width)]
        rows = tuple(tuple(make() for make in makers) for _ in range(chance.choice((1, 2, 3, 8, 20, 60))))
        if width == 1 and not quoted:  # an empty line is no row where it is the last, and nothing could say otherwise
            rows = tuple(row if row[0] else ("x",) for row in rows)
        names = tuple(f"{chance.choice(('name', 'x', 'value', 'text'))}{i}" for i in range(width))
        names_written = names if chance.random() < 0.6 else None
        style = chance.choice(("needed", "needed", "all", "texts")) if quoted else "never"
        records = [names, *rows] if names_written else rows
        written = [[self._cell(cell, delimiter, style) or '""' * (width == 1) for cell in row] for row in records]
        lines = [delimiter.join(cells) for cells in written]
        ending = chance.choice(ENDINGS[delimiter])
        return self._packed(lines, ending, rows, names_written, delimiter, quoted, encoding, "table")

    def lines(self) -> TextFile:
        """One text a line, with lone quotes, commas and marks that mean nothing."""
        encoding, words = self._language()
        chance = self._chance
        rows = tuple(
            (
                self._sentence(
                    words,
                    '"',
                ),
            )
            for _ in range(chance.choice((1, 3, 9, 40)))
        )
        return self._packed([row[0] for row in rows], "txt", rows, None, "", False, encoding, "lines")

    def molecules(self) -> TextFile:
        """SMILES, a space or a tab, and a title, which may hold spaces."""
        chance = self._chance
        between = chance.choice(" \t")
        titled = chance.random() < 0.7
        rows = tuple(
            (chance.choice(_SMILES), f"mol{i}" if chance.random() < 0.6 else f"{chance.choice(_WORDS)} {i}") if titled
            else (chance.choice(_SMILES),)
            for i in range(chance.choice((1, 4, 12, 40)))
        )  # fmt: skip
        return self._packed([between.join(row) for row in rows], "smi", rows, None, between, False, "utf-8", "molecules")

    def records(self) -> TextFile:
        """JSON objects, one a line, each with all keys."""
        chance = self._chance
        _, words = self._language()
        names = tuple(f"k{i}" for i in range(chance.randrange(1, 5)))
        rows = tuple(tuple(self._free(words) for _ in names) for _ in range(chance.choice((1, 3, 10, 40))))
        lines = [json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=chance.random() < 0.5) for row in rows]
        return self._packed(lines, "jsonl", rows, names, "", False, "utf-8", "records")

    # -- cells
    def _language(self) -> tuple[str, tuple[str, ...]]:
        return self._chance.choice((
            ("utf-8", ()), ("utf-8", _WESTERN), ("utf-8", _EASTERN), ("utf-8-sig", _EASTERN), ("cp1252", _WESTERN),
            ("cp1251", _CYRILLIC), ("utf-16", _EASTERN), ("utf-16-le", _WESTERN), ("utf-16-be", ()), ("utf-32", _EASTERN),
        ))  # fmt: skip

    def _column(self, words: tuple[str, ...], quoted: bool, delimiter: str) -> Callable[[], str]:
        """What makes the cells of a column."""
        chance = self._chance

        def free() -> str:
            return self._free(words) if quoted else self._sentence(words, "\"'" if delimiter == "\t" else "'", delimiter)

        return chance.choice((
            free, free, lambda: chance.choice(_SMILES), lambda: str(chance.randrange(-99, 1000)),
            lambda: f"{chance.uniform(-9, 9):.3f}", lambda: chance.choice(("", "NA", f"{chance.random():.2f}")),
            lambda: f"{chance.randrange(10**20):020d}", lambda: chance.choice(words or _WORDS),
        ))  # fmt: skip

    def _free(self, words: tuple[str, ...]) -> str:
        """A text with anything in it: delimiters, quotes, line ends."""
        parts = [self._chance.choice((*_WORDS, *words, *_ODD)) for _ in range(self._chance.randrange(0, 6))]
        parts = [
            part + self._chance.choice(("", "", "", ",", ";", "\t", "|", '"', "\n", "\r\n", "\r", "\n\n")) for part in parts
        ]
        return "w" + " ".join(parts)

    def _sentence(self, words: tuple[str, ...], quotes: str, without: str = "") -> str:
        """A text on one line; some words stand in quotes, which may not close."""
        parts = [self._chance.choice((*_WORDS, *words, *_ODD)) for _ in range(self._chance.randrange(1, 8))]
        for place in range(len(parts)):
            if self._chance.random() < 0.15:
                word, mark = parts[place], self._chance.choice(quotes)
                parts[place] = self._chance.choice((f"{mark}{word}", f"{word}{mark}", f"{mark}{word}{mark}"))
        text = " ".join(parts)
        return text.replace(without, "") if without else text

    def _cell(self, cell: str, delimiter: str, style: str) -> str:
        needs = any(mark in cell for mark in (delimiter, '"', "\n", "\r"))
        is_number = cell.replace(".", "").replace("-", "").isdigit()
        if style != "never" and (needs or style == "all" or (style == "texts" and not is_number)):
            return '"' + cell.replace('"', '""') + '"'
        return cell

    # -- files
    def _joined(self, lines: list[str]) -> str:
        """The lines with their ends: the same for all, or mixed; none, one or several behind the last."""
        end = self._chance.choice(("\n", "\n", "\r\n", "\r", "mixed"))
        ends = [self._chance.choice(("\n", "\r\n")) if end == "mixed" else end for _ in lines]
        last = self._chance.choice(("", "", "one", "one", "several"))
        text = "".join(line + one for line, one in zip(lines[:-1], ends, strict=False)) + lines[-1]
        return text + ends[-1] * {"": 0, "one": 1, "several": self._chance.randrange(2, 4)}[last]

    def _packed(
        self, lines: list[str], ending: str, rows: tuple[Row, ...], names: Row | None, delimiter: str, quoted: bool,
        encoding: str, kind: str,
    ) -> TextFile:  # fmt: skip
        packed = self._chance.choice(("", "", "", *PACKERS))
        content = PACKERS[packed](self._joined(lines).encode(encoding))
        name = f"rows.{ending}{packed}"
        return TextFile(name, content, rows, names, delimiter, quoted, encoding, kind, tuple(lines))
