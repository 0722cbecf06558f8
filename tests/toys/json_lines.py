"""`.toyrows`: one JSON object a line, whose names are the columns; numbers, texts, or lists of equally many numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from seqdec_gui.data.formats.base import Cell, Chunk, Column, Kind, Table, reading, text_array


class JsonLinesTable(Table):
    """The file, held in memory."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with reading(path):
            rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
            self._values = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        self._list(_described(name, values) for name, values in self._values.items())

    def chunks(self, name: str) -> Iterator[Chunk]:
        values = self._values[self.column(name).name]
        yield text_array(values) if values.dtype.kind == "U" else values

    def page(self, name: str, first: int, count: int) -> list[Cell]:
        values = self._values[self.column(name).name][first : first + count]
        return list(values) if values.ndim > 1 else values.tolist()


def _described(name: str, values: np.ndarray) -> Column:
    kinds: dict[str, Kind] = {"U": "text", "i": "integer", "f": "number"}
    kind = "array" if values.ndim > 1 else kinds[values.dtype.kind]
    return Column(name, kind, "text" if kind == "text" else str(values.dtype), values.shape[1:], len(values))
