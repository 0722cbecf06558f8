"""Lists the encodings that a text which is not UTF-8 may have, the likeliest first, with how it reads in each.

A letter more or less is no evidence of an alphabet. Where few are there, the reading that is taken is a guess, and the user is
shown the others; `data.encoding` decides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

from seqdec_gui.data.formats.encoding_proposals import OFTEN_HANGUL, lines_of
from seqdec_gui.data.formats.letter_evidence import SAME, SIGN, profiles

MOST = 9
"""The greatest number of candidates that a message names."""

FEW_LETTERS = 24
"""The number of letters outside ASCII below which an encoding that the letters show is called a guess."""

_WITHIN = 14.0
"""The logarithm of the ratio of likelihoods to the likeliest reading, beyond which a reading is no candidate."""

_RUNS = 40
"""The number of runs of letters outside ASCII that are weighed: more are no guess, and are judged elsewhere."""

_ABSENT = math.log(0.0003)
"""The logarithm of the probability of a letter that no language of the encoding has."""

_BESIDE_ASCII = -3.0
"""The logarithm of the probability of a letter of a script of its own right beside an ASCII letter."""

_BESIDE_FOREIGN = -1.5
"""The same of a second letter with an accent right after another one, in a script of ASCII and such letters."""

_SIGN_IN_WORD = -4.0
"""The logarithm of the probability of a sign, such as `®`, right after a letter or another sign."""

_SIGNS = "·§©®±×÷´¨¸µ¶¬¦¤†‡¹²³¼½¾£¥¢"

_SCRIPTS = {
    "Hebrew": {chr(code): 1 / 27 for code in range(0x5D0, 0x5EB)},
    "Arabic": {chr(code): 1 / 37 for code in (*range(0x621, 0x63B), *range(0x641, 0x64B), 0x67E, 0x686, 0x6AF, 0x60C)},
    "Thai": {chr(code): 1 / 60 for code in (*range(0xE01, 0xE3B), *range(0xE40, 0xE4E))},
}
"""Scripts with their letters, which are taken to be equally frequent."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ue000-\uf8ff\ufffd]")
_RUN = re.compile("[^\x00-\x7f]+")
_KANA, _HAN, _HANGUL = re.compile("[\u3041-\u30fe]"), re.compile("[\u4e00-\u9fff]"), re.compile("[\uac00-\ud7a3]")
_MARKS = re.compile("[\u3000-\u3020\uff01-\uff5e]")

_SINGLE = (
    ("cp1252", "cp1252"), ("cp1250", "cp1250"), ("iso8859-2", "cp1250"), ("cp1254", "cp1254"), ("cp1257", "cp1257"),
    ("iso8859-13", "cp1257"), ("cp1253", "cp1253"), ("iso8859-7", "cp1253"), ("cp1251", "cp1251"), ("koi8-r", "cp1251"),
    ("koi8-u", "cp1251"), ("cp866", "cp1251"), ("cp1255", "Hebrew"), ("cp1256", "Arabic"),
    ("cp874", "Thai"), ("cp850", "cp1252"), ("mac-roman", "cp1252"), ("cp852", "cp1250"),
)  # fmt: skip
"""Encodings of one byte a letter, with the one whose languages are written in it too, or their script."""

TWO_BYTES = {"shift-jis": (0x88, 0x97), "euc-jp": (0xB0, 0xCF), "gb18030": (0xB0, 0xD7), "big5": (0xA4, 0xC6), "cp949": (0, 0)}
"""Encodings of two bytes a letter, with the first and last of the first bytes that the frequent Chinese characters have."""

_RARER = {
    "koi8-r": 1.0, "koi8-u": 1.5, "cp866": 2.0, "cp850": 3.0, "mac-roman": 3.0, "cp852": 3.0,
    "iso8859-13": 0.5, "iso8859-7": 0.5,
}  # fmt: skip
"""How much rarer an encoding is than others of its languages, as a logarithm."""


class Candidate(NamedTuple):
    """An encoding by Python's name, the text of the first line with a letter outside ASCII in it, and its likelihood."""

    encoding: str
    reads: str
    score: float


def candidates(raw: bytes) -> list[Candidate]:
    """Return the encodings that the bytes may have, the likeliest first; of those that read alike, the likeliest."""
    sample = lines_of(raw)
    found: dict[str, Candidate] = {}
    for encoding, score_of in _SCORES:
        try:
            text = sample.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _CONTROL.search(text):
            continue
        score = score_of(text) - _RARER.get(encoding, 0.0)
        if text not in found or found[text].score < score:
            found[text] = Candidate(encoding, _shown(text), score)
    ranked = sorted(found.values(), key=lambda each: -each.score)
    return [each for each in ranked if each.score >= ranked[0].score - _WITHIN]


def is_thin(raw: bytes) -> bool:
    """Return whether so few letters outside ASCII are there that their encoding is a guess."""
    return len(raw.translate(None, delete=bytes(range(0x80)))) < FEW_LETTERS


def named(found: list[Candidate], besides: str = "") -> str:
    """Return candidates in words, each with how the text reads in it, without the encoding `besides`."""
    others = [each for each in found if each.encoding != besides][:MOST]
    return "; ".join(f"{each.encoding} reads {each.reads!r}" for each in others)


def _shown(text: str) -> str:
    match = _RUN.search(text)
    at = match.start() if match else 0
    line = text[text.rfind("\n", 0, at) + 1 :].split("\n", 1)[0]
    at -= text.rfind("\n", 0, at) + 1
    return line[max(0, at - 8) : at + 16]


def _single(home: str) -> Callable[[str], float]:
    languages = [shares for encoding, _, shares in profiles() if encoding == home] or [_SCRIPTS[home]]
    own_script = home in ("cp1251", "cp1253", *_SCRIPTS)

    def score_of(text: str) -> float:
        runs = list(_RUN.finditer(text))[:_RUNS]
        context = 0.0
        for run in runs:
            letters = sum(letter not in SAME for letter in run[0])
            beside = text[run.start() - 1 : run.start()].isalpha() + text[run.end() : run.end() + 1].isalpha()
            context += _BESIDE_ASCII * beside * bool(letters) if own_script else _BESIDE_FOREIGN * max(0, letters - 1)
            if own_script:  # small letters before capitals
                context += _BESIDE_ASCII * sum(a.islower() and b.isupper() for a, b in pairwise(run[0]))
            around = text[max(0, run.start() - 1) : run.end() + 1]
            context += _SIGN_IN_WORD * sum(_is_odd(a, b) for a, b in pairwise(around))
        body = "".join(run[0] for run in runs)
        return context + max(sum(_of(letter, shares) for letter in body) for shares in languages)

    return score_of


def _is_odd(before: str, after: str) -> bool:
    """Return whether a sign stands in a word, or right before it, where neither quotes nor ordinal letters would."""
    return (after in _SIGNS and (before.isalpha() or before in SAME)) or (before in _SIGNS and after.isalpha())


def _of(letter: str, shares: dict[str, float]) -> float:
    share = SIGN if letter in SAME else shares.get(letter, 0.0) or 0.7 * shares.get(letter.lower(), 0.0)
    return max(math.log(share) if share else _ABSENT, _ABSENT)


def _double(encoding: str) -> Callable[[str], float]:
    first, last = TWO_BYTES[encoding]

    def wide(letter: str) -> float:
        if _KANA.match(letter) or _MARKS.match(letter):
            return math.log(1 / 60)
        if _HAN.match(letter):
            return math.log(1 / 1500 if first <= letter.encode(encoding)[0] <= last else 1 / 50_000)
        if _HANGUL.match(letter):
            return math.log(1 / 100 if letter in OFTEN_HANGUL else 1 / 1500)
        return 2 * _ABSENT

    return lambda text: sum(wide(letter) for run in list(_RUN.finditer(text))[:_RUNS] for letter in run[0])


_SCORES = [
    *((encoding, _single(home)) for encoding, home in _SINGLE),
    *((encoding, _double(encoding)) for encoding in TWO_BYTES),
]
