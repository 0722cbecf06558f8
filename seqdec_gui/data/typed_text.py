"""Judges a text while it is typed: what of it a trained model cannot read. Needs no rows, and Arrow for few codecs."""

from __future__ import annotations

from collections.abc import Sequence

from seqdec_gui.data.codecs import FittedBits, FittedText
from seqdec_gui.domain.wording import counted, listed

MOST_NAMED = 5
"""The number of unknown symbols that a sentence names."""


def text_fault(codec: FittedText | FittedBits, lines: Sequence[str]) -> str:
    """Return what is wrong with the first of these rows that the codec cannot encode; empty if it can encode all.

    The rules are those of `FittedText.faults`, by which the rows are judged again before they are decoded.
    """
    for number, line in enumerate(lines):
        fault = _line_fault(codec, line)
        if fault:
            return f"Line {number + 1}: {fault}" if len(lines) > 1 else f"{fault[:1].upper()}{fault[1:]}"
    return ""


def _line_fault(codec: FittedText | FittedBits, line: str) -> str:
    if isinstance(codec, FittedBits):
        right = len(line) == codec.bits and set(line) <= {"0", "1"}
        return "" if right else f"expected {counted(codec.bits, 'digit')} of 0 and 1."
    tokens = tokens_of(codec, line)
    kind = "word" if codec.tokens == "words" else "symbol"
    known = set(codec.charset)
    unknown = list(dict.fromkeys(token for token in tokens if token not in known and not codec.unknown))
    if unknown:
        named = [repr(token) for token in unknown[:MOST_NAMED]]
        more = f" and {len(unknown) - MOST_NAMED} more" if len(unknown) > MOST_NAMED else ""
        shown = ", ".join(named) + more if more else listed(named)
        return f"{shown} {'is none' if len(unknown) == 1 else 'are none'} of the {kind}s that the run knows."
    if len(tokens) > codec.room and codec.longer == "refuse":
        return f"{counted(len(tokens), kind)}, and the run takes {codec.room} at most."
    return "there is no text." if not tokens else ""


def tokens_of(codec: FittedText, line: str) -> list[str]:
    """Return the tokens of a line as the codec divides it."""
    if codec.normalise == "none" and codec.tokens in ("characters", "words"):
        text = line.strip() if codec.strip == "spaces" else line
        text = text.lower() if codec.lowercase else text
        return list(text) if codec.tokens == "characters" else text.split()
    from seqdec_gui.data.sources import RowSource
    from seqdec_gui.data.token_cutting import FIRST_KEY, tokenised
    from seqdec_gui.data.tokens import prepared

    (chunk,) = RowSource("text", [line]).texts()
    keys, _, vocabulary = tokenised(prepared(chunk, codec.form), codec.tokens)
    return [chr(key) if key < FIRST_KEY else vocabulary[key - FIRST_KEY] for key in keys.tolist()]
