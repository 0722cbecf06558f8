"""Proposes an encoding for bytes that are neither UTF-8 nor Western European text, by the letters that they would be."""

from __future__ import annotations

import re
from collections.abc import Callable

_BYTES = 2**16
"""The number of bytes from which an encoding is proposed."""

_FEWEST = 8
"""The number of letters outside ASCII from which they show an alphabet."""

_SHARE = 0.9
"""The share of letters outside ASCII that must be of the alphabet."""

_KANA = re.compile("[\u3041-\u30ff]")
_EAST_ASIAN = re.compile("[\u3000-\u30ff\u4e00-\u9fff\uff01-\uff5e]")
_CYRILLIC_WORD = re.compile("(?<![а-яёА-ЯЁ])[А-ЯЁ]?[а-яёіїєґ]+(?![А-ЯЁ])")
"""A word in small letters, or with one capital before them: in the wrong encoding of Cyrillic they are mixed."""

_GREEK_WORD = re.compile("(?<![Α-Ωα-ω])[ΆΈ-Ϋ]?[ά-ώ]+(?![Α-Ω])")
_HEBREW = re.compile("[\u05d0-\u05ea]")
_CENTRAL = "ąćęłńóśźżáčďéěíňřšťúůýžäôĺľŕőűöü"
_WESTERN = "äöüßéèêëàâîïôûùçñáíóúåøæ"
_HANGUL = re.compile("[\uac00-\ud7a3]")
OFTEN_HANGUL = "의이는가을를에다고하지한도로은기나서어사자있그것들니대리아인시수와일과해정안여만부전라우년보들주제상성면게원말"
"""The syllables of Hangul that stand most often in texts."""


def lines_of(raw: bytes) -> bytes:
    """Return the first lines that are not ASCII; a last line that may be incomplete is left out if there are others."""
    lines = [line for line in re.split(rb"[\r\n]+", raw[:_BYTES])[:-1] if not line.isascii()]
    return b"\n".join(lines or [raw[:_BYTES]])


def by_letters(raw: bytes) -> str:
    """Return the encoding, as Python names it, in which the letters outside ASCII make words; "" where none is clear."""
    sample = lines_of(raw)
    best, most = "", _SHARE
    for encoding, share_of in _ALPHABETS:
        try:
            text = sample.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        letters = [letter for letter in text if letter > "\x7f"]
        if len(letters) >= _FEWEST and (share := share_of(text, len(letters))) > most:
            best, most = encoding, share
    return best


def _cyrillic(text: str, letters: int) -> float:
    if sum(letter in "аеёиоуыэюяіїє" for letter in text) < 0.25 * letters:
        return 0.0  # letters of Hebrew read as Cyrillic have few vowels
    return sum(len(word) for word in _CYRILLIC_WORD.findall(text)) / letters


def _greek(text: str, letters: int) -> float:
    if sum(letter in "αεηιουωάέήίόύώ" for letter in text) < 0.35 * letters:
        return 0.0
    return sum(len(word) for word in _GREEK_WORD.findall(text)) / letters


def _hebrew(text: str, letters: int) -> float:
    return len(_HEBREW.findall(text)) / letters


def _of(alphabet: str) -> Callable[[str, int], float]:
    """Return what gives the share of the letters of an alphabet, in small letters and capitals."""
    known = {*alphabet, *alphabet.upper()}
    return lambda text, letters: sum(letter in known for letter in text if letter > "\x7f") / letters


def _japanese(text: str, letters: int) -> float:
    return len(_EAST_ASIAN.findall(text)) / letters if len(_KANA.findall(text)) > 0.2 * letters else 0.0


def _korean(text: str, letters: int) -> float:
    often = sum(letter in OFTEN_HANGUL for letter in text)
    return len(_HANGUL.findall(text)) / letters if often > 0.2 * letters else 0.0


_ALPHABETS = (
    ("cp1251", _cyrillic),
    ("koi8-r", _cyrillic),
    ("cp866", _cyrillic),
    ("shift-jis", _japanese),
    ("euc-jp", _japanese),
    ("cp949", _korean),
    ("cp1255", _hebrew),
    ("cp1253", _greek),
    ("cp1250", _of(_CENTRAL)),
    ("iso8859-2", _of(_CENTRAL)),
    ("cp850", _of(_WESTERN)),
    ("mac-roman", _of(_WESTERN)),
)
"""The encodings whose letters are known by their words, the likeliest first. Others are left to charset-normalizer."""
