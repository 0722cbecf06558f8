"""Formats numbers and lists for sentences for the user."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that control a terminal or the direction of text, except newline and tab."""


def counted(number: int, thing: str) -> str:
    """Return a number with its noun: `1 row`, `2,000 rows`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def printable(text: str, one_line: bool = False) -> str:
    """Return the text with control characters as `\\u001b`, so that text from a file cannot control a terminal.

    JSON stays JSON of the same meaning. `one_line` takes newlines and tabs for control characters too.
    """
    shown = _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    return shown.replace("\n", "\\n").replace("\t", "\\t") if one_line else shown


def called(kind: str, name: str) -> str:
    """Return a kind of thing with its name, once if they are the same words: `Dense states hidden`, `Loss`."""
    return kind if name.replace("_", " ").casefold() == kind.casefold() else f"{kind} {name}"


def shortened(text: str, most: int) -> str:
    """Return a text of at most `most` characters: one that is longer loses its middle."""
    if len(text) <= most:
        return text
    part = (most - 5) // 2
    return f"{text[:part]} ... {text[-part:]}"


def listed(parts: Sequence[str], word: str = "and") -> str:
    """Join words: `a`, `a and b`, `a, b and c`."""
    return f" {word} ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def format_bytes(count: int) -> str:
    """`0.9 MiB`, `23 MiB`, `1.4 GiB`."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            amount = count / size
            return f"{amount:.1f} {unit}" if amount < 10 else f"{amount:,.0f} {unit}"
    return f"{count} B"
