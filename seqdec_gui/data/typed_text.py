"""Judges a text while it is typed: what of it a trained model cannot read."""

from __future__ import annotations

from collections.abc import Sequence

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.number_codecs import FittedBits
from seqdec_gui.data.sources import RowSource
from seqdec_gui.data.tokens import survey
from seqdec_gui.domain.wording import counted, listed

MOST_NAMED = 5
"""The number of unknown symbols that a sentence names."""


def text_fault(codec: FittedText | FittedBits, lines: Sequence[str]) -> str:
    """Return what is wrong with the first of these rows that the codec cannot encode; empty if it can encode all.

    The rules are those of the codec's `faults`, by which the rows are judged again before they are decoded.
    """
    for number, line in enumerate(lines):
        fault = _line_fault(codec, line) if isinstance(codec, FittedText) else _bits_fault(codec, line)
        if fault:
            return f"Line {number + 1}: {fault}" if len(lines) > 1 else f"{fault[:1].upper()}{fault[1:]}"
    return ""


def _line_fault(codec: FittedText, line: str) -> str:
    seen = survey(RowSource("typed", [line]).texts(), codec.form)
    kind = "word" if codec.tokens == "words" else "subword" if codec.subwords is not None else "symbol"
    known = set(codec.charset)
    unknown = [] if codec.unknown else [symbol for symbol in seen.symbols if symbol not in known]
    if unknown:
        unknown.sort(key=line.find)
        named = [repr(token) for token in unknown[:MOST_NAMED]]
        more = f" and {len(unknown) - MOST_NAMED} more" if len(unknown) > MOST_NAMED else ""
        shown = ", ".join(named) + more if more else listed(named)
        return f"{shown} {'is none' if len(unknown) == 1 else 'are none'} of the {kind}s that the run knows."
    if seen.longest > codec.room and codec.longer == "refuse":
        return f"{counted(seen.longest, kind)}, and the run takes {codec.room} at most."
    return "there is no text." if not seen.longest else ""


def _bits_fault(codec: FittedBits, line: str) -> str:
    if not codec.faults(RowSource("typed", [line]), ""):
        return ""
    return f"expected {counted(codec.bits, 'digit')} of 0 and 1, received {counted(len(line), 'symbol')}."
