"""The tokens of written sequences, cut as a fitted codec cuts its texts, and what an error rate over them is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seqdec_gui.data.codecs import FittedCategory, FittedText
from seqdec_gui.data.token_cutting import FIRST_KEY, tokenised

_PHONEMES = """
AA AE AH AO AW AX AXR AY B CH D DH DX EH EL EM EN ER EY F G HH H IH IX IY JH K L M N NG NX OW OY P Q R S SH T TH UH UW UX V W WH
Y Z ZH
"""
ARPABET = frozenset(_PHONEMES.split())
"""The phonemes of ARPAbet, without the digits of their stress."""
IPA = (0x250, 0x2AF)
"""The first and the last code point of the extensions for the International Phonetic Alphabet."""
PHONEMES_FROM = 0.9
"""The share of an alphabet's words that must be phonemes of ARPAbet for all to count as phonemes."""


class ErrorRate(NamedTuple):
    """The name of an error rate over tokens, and how it is abbreviated."""

    title: str
    short: str


def tokens_of(codec: object, texts: Sequence[str]) -> list[Sequence[str]]:
    """Return the tokens of each text: as the codec cuts texts, ids between spaces, or a label as one token."""
    if isinstance(codec, FittedText):
        return _cut(codec, texts)
    if isinstance(codec, FittedCategory):
        return [[text] for text in texts]
    return [text.split() for text in texts]


def _cut(codec: FittedText, texts: Sequence[str]) -> list[Sequence[str]]:
    import pyarrow as pa

    keys, lengths, vocabulary = tokenised(pa.array(texts, pa.large_string()), codec.tokens, codec.vocabulary)
    symbols = [chr(key) if key < FIRST_KEY else vocabulary[key - FIRST_KEY] for key in keys.tolist()]
    ends = np.cumsum(lengths).tolist()
    return [symbols[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)]


def error_rate(codec: object) -> ErrorRate:
    """Return what the error rate over the tokens of this codec is called: of characters, words, phonemes or tokens.

    Words count as phonemes where nearly all are those of ARPAbet, characters where some are of the International Phonetic
    Alphabet alone.
    """
    if not isinstance(codec, FittedText):
        return ErrorRate("token error rate", "TER")
    if codec.tokens == "words":
        known = sum(symbol.rstrip("012") in ARPABET for symbol in codec.charset)
        phonemes = known >= PHONEMES_FROM * len(codec.charset)
        return ErrorRate("phoneme error rate", "PER") if phonemes else ErrorRate("word error rate", "WER")
    if codec.tokens in ("characters", "graphemes"):
        phonemes = any(IPA[0] <= ord(symbol[0]) <= IPA[1] for symbol in codec.charset if symbol)
        return ErrorRate("phoneme error rate", "PER") if phonemes else ErrorRate("character error rate", "CER")
    return ErrorRate("token error rate", "TER")
