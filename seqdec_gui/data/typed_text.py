"""Judges a text while it is typed: what of it a trained model cannot read. Needs no rows and no Arrow."""

from __future__ import annotations

from collections.abc import Sequence

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.domain.wording import counted, listed

MOST_NAMED = 5
"""The number of unknown symbols that a sentence names."""


def text_fault(codec: FittedText, lines: Sequence[str]) -> str:
    """Return what is wrong with the first of these rows that the codec cannot encode; empty if it can encode all.

    The rules are those of `FittedText.faults`, by which the rows are judged again before they are decoded.
    """
    for number, line in enumerate(lines):
        fault = _line_fault(codec, line)
        if fault:
            return f"Line {number + 1}: {fault}" if len(lines) > 1 else f"{fault[:1].upper()}{fault[1:]}"
    return ""


def _line_fault(codec: FittedText, line: str) -> str:
    tokens = tokens_of(codec, line)
    kind = "symbol" if codec.tokens == "characters" else "word"
    known = set(codec.charset)
    unknown = list(dict.fromkeys(token for token in tokens if token not in known))
    if unknown:
        named = [repr(token) for token in unknown[:MOST_NAMED]]
        more = f" and {len(unknown) - MOST_NAMED} more" if len(unknown) > MOST_NAMED else ""
        shown = ", ".join(named) + more if more else listed(named)
        return f"{shown} {'is none' if len(unknown) == 1 else 'are none'} of the {kind}s that the run knows."
    if len(tokens) > codec.room:
        return f"{counted(len(tokens), kind)}, and the run takes {codec.room} at most."
    return "there is no text." if not tokens else ""


def tokens_of(codec: FittedText, line: str) -> list[str]:
    """Return the tokens of a line as the codec divides it."""
    text = line.lower() if codec.lowercase else line
    return list(text) if codec.tokens == "characters" else text.split()
