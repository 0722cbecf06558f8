"""Files of texts alone, such as the beginnings that a language model goes on with."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqdec_gui.data.text_rows import read_texts
from seqdec_gui.domain.bindings import Reading


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("a.csv", b"start\nab\n\nc\n\n\n", ["ab", "", "c", "", ""]),
        ("a.csv", b"start\r\nab\r\n\r\n", ["ab", ""]),
        ("a.txt", b"ab\nc\n\n", ["ab", "c", ""]),
        ("a.csv", b"start,id\nab,x\n,y\n", ["ab", ""]),
        ("a.jsonl", b'{"start": "ab"}\n{"start": ""}\n', ["ab", ""]),
        ("a.csv", "start\nЖ\nШ\n".encode("cp1251"), ["Ж", "Ш"]),
    ],
)
def test_every_line_of_a_file_of_prefixes_is_a_row(name: str, content: bytes, texts: list[str], tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    rows = read_texts(path, "text" if name == "a.txt" else "start", how=Reading(encoding="cp1251"))
    assert [*rows.values.values()] == [texts]
    assert rows.kept == ({"id": ["x", "y"]} if b"id" in content else {})
