"""A text with few letters outside ASCII is never read silently in the wrong encoding: the right one is always named."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from seqdec_gui.data.dataset import Dataset
from seqdec_gui.data.formats.encoding_candidates import candidates
from seqdec_gui.data.formats.encodings import decoded
from seqdec_gui.data.rows import read_input
from seqdec_gui.domain.bindings import Binding, Reading
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.types import TensorType
from tests.data.ports import port
from tests.data.test_one_byte_encodings import ELSEWHERE, WESTERN

ALSO = {"cp1250": ["iso8859-2"], "cp1257": ["iso8859-13"], "cp1253": ["iso8859-7"], "cp1251": ["koi8-r", "cp866"]}
TWO_BYTES = {
    "Japanese": (["euc-jp", "shift-jis"], "すべての人間は生まれながらにして 自由であり かつ尊厳と権利とについて平等である"),
    "Chinese": (["gb18030", "big5"], "人人生而自由 在尊嚴和權利上 一律平等 他們賦有理性和良心 並應以兄弟關係的精神相對待"),
    "Korean": (["cp949"], "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다"),
    "Ukrainian": (["cp1251", "koi8-u"], "Сьогодні на ринку продавали свіжі яблука, груші та мед із карпатських пасік."),
    "Arabic": (["cp1256"], "ذهب الولد إلى المدرسة في الصباح وعاد إلى البيت عند الظهر"),
    "Thai": (["cp874"], "วันนี้อากาศดีมาก เราจึงไปเดินเล่นที่ตลาด"),
    "Hebrew": (["cp1255"], "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם"),
}
SENTENCES = {
    **{name: ([first, *ALSO.get(first, [])], said) for name, (first, said) in ELSEWHERE.items() if "ISO" not in name},
    **{name: (["cp1252"], said) for name, said in WESTERN.items()},
    **TWO_BYTES,
}
CASES = [(language, encoding, said) for language, (encodings, said) in SENTENCES.items() for encoding in encodings]


def text_with(letters: int, said: str, encoding: str) -> bytes:
    """Lines with this number of letters outside ASCII, from words of the sentence, in an encoding."""
    draw, lines, left = random.Random(letters), [], letters
    words = [word.strip(",.;") for word in said.split() if not word.isascii()]
    while left:
        kept = ""
        for letter in draw.choice(words):
            if not letter.isascii() and not left:
                break
            kept, left = kept + letter, left - (not letter.isascii())
        lines.append(f"name{len(lines)} {kept}")
    return ("\n".join(lines) + "\n").encode(encoding, "ignore")


@pytest.mark.parametrize(("language", "encoding", "said"), CASES, ids=[f"{case[0]}, {case[1]}" for case in CASES])
def test_few_letters_are_read_right_or_the_right_encoding_is_named(language: str, encoding: str, said: str) -> None:
    for letters in range(1, 21):
        raw = text_with(letters, said, encoding)
        if _is_utf8(raw):
            continue  # three letters of cp866 may be one of UTF-8
        wanted = raw.decode(encoding)
        try:
            read = decoded(raw, "a.txt")
        except InvalidInput as refused:
            (problem,) = refused.problems
        else:
            if read.content.decode() == wanted:
                continue
            (problem,) = read.problems
        names = {
            *re.findall(r"(?<!which )\b([\w-]+) reads '", problem.hint),
            str(problem.proposed).removeprefix("data.encoding="),
        }
        assert wanted in {raw.decode(name, "replace") for name in names if "." not in name}, (letters, problem.sentence())


def test_what_reads_alike_is_one_candidate_and_controls_are_none() -> None:
    found = candidates("näher\n".encode("cp1252"))
    assert found[0].encoding == "cp1252"
    assert len({each.reads for each in found}) == len(found)
    assert not any(each.encoding == "cp1252" for each in candidates("ťažký\n".encode("cp1250")))


def test_new_rows_are_read_with_the_same_warning(opened: Callable[..., Dataset], tmp_path: Path) -> None:
    fitted = opened({"word": ["abc", "de"]}, [port(type=TensorType((5, 6)), one_hot=True)], Binding("x", "word")).fitted
    path = tmp_path / "new.csv"
    path.write_bytes("word\nто\n".encode("cp1251"))
    notes = read_input(fitted, path).notes
    assert [note.code for note in notes] == ["not_utf8"]
    assert "guess" in notes[0].hint
    assert "cp1251 reads 'то'" in notes[0].hint
    assert not read_input(fitted, path, how=Reading(encoding="cp1251")).notes


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
