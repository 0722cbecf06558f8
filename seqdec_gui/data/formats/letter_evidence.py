"""Weighs by the frequencies of letters outside ASCII which encoding of one byte a letter a text has, and in which language.

Bytes that are valid in cp1252 are nearly always valid in cp1250 and cp1254 as well, so that only the letters tell them apart:
`\xfd` is a Turkish dotless i, which is frequent, or the y with an accent of Icelandic and Czech, which is not.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

CLEAR = 6.0
"""The logarithm of the ratio of two likelihoods from which the letters decide for another encoding than cp1252."""
LIKELY = -3.5
"""The mean logarithm of the probability of a letter from which a text is one of a language; with others it is below -5."""

OPEN = -0.5
"""The same from which another encoding is mentioned."""

_FLOOR = 0.0005
"""The probability of a character that a language does not have."""

_BLOCK_BYTES = 2**24
_MOST_LETTERS = 2000
"""Number of letters that are weighed, in the proportions of the whole text: more would be sure of every small difference."""

SAME = "\N{NO-BREAK SPACE}«»°·§©®€–—‘’‚“”„•…±×÷´¨¸µ¶¬¦¤†‡‰¿¡ºª¹²³¼½¾£¥¢"
"""Signs, and ordinal letters, that Western European text has as well as the other languages, where they stand at one place."""

SIGN = 0.02
"""The probability of such a sign, in every language."""

_LANGUAGES: dict[str, dict[str, str]] = {
    "cp1252": {
        "German": "ä30 ö17 ü35 ß17",
        "French": "é62 à12 è10 ê7 ç4 ô2 û2 ù2 î2 â2 ï0.5 ë0.5 œ0.5",
        "Spanish": "ó26 í22 á18 é13 ñ9 ú5 ü0.5 ¿2 ¡1",
        "Portuguese": "ã22 á14 é13 ç16 í9 ó8 ê10 õ5 ú4 â3 à5 ô2",
        "Italian": "è35 à25 ù10 ò12 ì8 é6",
        "Catalan": "à20 é12 è8 í8 ï2 ó15 ò6 ú5 ü2 ç5",
        "Swedish": "ä35 ö27 å28 é1",
        "Danish": "å30 ø33 æ22 é2",
        "Finnish": "ä80 ö15 å1",
        "Dutch": "é4 ë6 ï3 è1 ö1 ü1",
        "Estonian": "ä10 ö3 ü7 õ13",
        "Faroese": "á12 ð25 í15 ó8 ø10 ú8 ý4 æ4",
        "several": "é20 ü10 ö10 á10 ó8 í8 ä6 è6 ñ5 ç5 å4 ø4 ã3 ê3 à3 ú4 ô2 ë2 ï2 î1 â1 õ1 û1 ß2 æ1",
        "Icelandic": "á17 ð40 é7 í16 ó10 ö10 ú7 ý3 þ15 æ9",
    },
    "cp1254": {"Turkish": "ı40 ü20 ş16 ö10 ç12 ğ13 İ2 â0.5"},
    "cp1250": {
        "Polish": "ł20 ą12 ę14 ó9 ż8 ś8 ć5 ń3 ź1",
        "Czech": "í32 á22 ě16 é13 ř12 š10 č10 ž10 ý10 ů7 ú2 ň0.5 ť0.5 ď0.5 ó0.3",
        "Slovak": "á19 í11 é9 č11 š10 ž10 ý10 ľ4 ť5 ú8 ň2 ô2 ď2 ä1 ĺ0.1 ŕ0.1 ó1",
        "Hungarian": "á36 é39 ó11 ö11 ő10 ü6 í6 ú3 ű2",
        "Romanian": "ă45 î14 â9 ş15 ţ15",
        "Croatian": "č10 ž6 š8 ć7 đ2",
    },
    "cp1257": {
        "Lithuanian": "ė17 š14 ž9 ą8 į7 ų14 ū5 č4 ę3",
        "Latvian": "ā38 ē18 ī18 š9 ņ6 ļ4 ķ3 ģ2 ž3 č2 ū5",
    },
    "cp1253": {"Greek": "α86 ο74 ι48 τ77 ε54 σ44 ν64 η34 υ28 ρ42 π42 κ40 μ33 λ27 ς41 ω16 γ17 δ17 θ12 χ12 φ8 β6 ξ4 ζ4 ψ2 "
             "ά20 έ18 ή12 ί22 ό22 ύ9 ώ8"},
    "cp1251": {"Russian": "о109 е85 а80 и74 н67 т63 с55 р47 в45 л44 к35 м32 д30 п28 у26 я20 ы19 ь17 г17 з16 б16 ч14 й12 х10 "
               "ж9 ш7 ю6 ц5 щ4 э3 ф3 ё2 і4 ї2 є1"},
}  # fmt: skip
"""Letters outside ASCII by encoding and language, each with its share among these letters, in any unit."""

_ALIKE = {"cp1250": "iso8859-2", "cp1253": "iso8859-7", "cp1257": "iso8859-13"}
"""Encodings of the same languages with some letters elsewhere, which are weighed after the one that is met more often."""

WESTERN = "cp1252"


class Evidence(NamedTuple):
    """The likeliest encoding other than cp1252, with its language, and how much likelier it is: below 0, cp1252 is.

    `mean` is the mean logarithm of the probability of a letter in that language.
    """

    encoding: str
    language: str
    odds: float
    mean: float

    @property
    def is_clear(self) -> bool:
        """Whether it is much likelier than cp1252, and nearly all letters are those of the language."""
        return self.odds >= CLEAR and self.mean >= LIKELY

    @property
    def is_latin(self) -> bool:
        return self.language not in ("Greek", "Russian")

    @property
    def is_open(self) -> bool:
        """Whether cp1252 is hardly likelier, so that both may be right."""
        return OPEN <= self.odds < CLEAR


def _shares(said: str) -> dict[str, float]:
    weights = {entry[0]: float(entry.lstrip(entry[0])) for entry in said.split()}
    total = sum(weights.values())
    return {letter: weight / total for letter, weight in weights.items()}


_PROFILES = [
    (encoding, language, _shares(said))
    for first, languages in _LANGUAGES.items()
    for encoding in filter(None, (first, _ALIKE.get(first)))
    for language, said in languages.items()
]


def profiles() -> list[tuple[str, str, dict[str, float]]]:
    """Return the encodings with their languages and the shares of the letters of each."""
    return _PROFILES


def weighed(raw: bytes) -> Evidence | None:
    """Return the likeliest encoding that is not cp1252; None where no letter would be another one in it."""
    counts = np.zeros(256, np.int64)
    for at in range(0, len(raw), _BLOCK_BYTES):
        counts += np.bincount(np.frombuffer(raw[at : at + _BLOCK_BYTES], np.uint8), minlength=256)
    present = {bytes([byte]): int(counts[byte]) for byte in range(0x80, 0x100) if counts[byte]}
    total = sum(present.values())
    if total > _MOST_LETTERS:
        present = {byte: count * _MOST_LETTERS / total for byte, count in present.items()}  # type: ignore[misc]
    western = max(_likelihood(present, WESTERN, shares) for encoding, _, shares in _PROFILES if encoding == WESTERN)
    best: Evidence | None = None
    for encoding, language, shares in _PROFILES:
        if encoding == WESTERN or all(_letter(byte, encoding) == _letter(byte, WESTERN) for byte in present):
            continue
        likelihood = _likelihood(present, encoding, shares)
        if best is None or likelihood - western > best.odds:
            best = Evidence(encoding, language, likelihood - western, likelihood / sum(present.values()))
    return best


def _letter(byte: bytes, encoding: str) -> str:
    return byte.decode(encoding, "replace")


def _likelihood(present: dict[bytes, int], encoding: str, shares: dict[str, float]) -> float:
    """Return the logarithm of the probability of these letters in a language. A capital is as likely as the small letter."""
    found = 0.0
    for byte, count in present.items():
        letter = _letter(byte, encoding)
        share = SIGN if letter in SAME else shares.get(letter, 0.0) or shares.get(letter.lower(), 0.0)
        found += count * math.log(max(share, _FLOOR))
    return found
