"""Files of texts alone, such as the beginnings that a language model goes on with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from seqdec_gui.data.dataset import Dataset
from seqdec_gui.data.text_rows import read_texts
from seqdec_gui.data.written_symbols import written_ids
from seqdec_gui.domain.bindings import Binding, Reading
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.types import TensorType
from tests.data.ports import port


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
    assert not any(note.code == "header_assumed" for note in rows.notes)
    assert rows.kept == ({"id": ["x", "y"]} if b"id" in content else {})


def test_a_written_text_is_not_said_to_be_in_a_row(opened: Callable[..., Dataset]) -> None:
    fitted = opened({"word": ["abc", "de"]}, [port(type=TensorType((5, 6)), one_hot=True)], Binding("x", "word")).fitted
    with pytest.raises(InvalidInput, match=r"The prefix 'Q': symbol 'Q' is not in"):
        written_ids(fitted.port("x").codec, "Q", 6, "The prefix 'Q'")
