"""Formats numbers and lists for sentences for the user."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that control a terminal or the direction of text, except newline and tab."""

_IRREGULAR = {"are": "is", "have": "has", "were": "was", "do": "does", "go": "goes"}
"""Verbs by the form for several things, with the form for one."""

LINE = 12
"""The number of letters after which a long word may be broken."""


def counted(number: int, thing: str) -> str:
    """Return a number with its noun: `1 row`, `2,000 rows`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def agreeing(number: int, thing: str, verb: str) -> str:
    """Return a number with its noun and the verb that agrees, which is given for several: `1 cell has`, `2 cells have`."""
    return f"{counted(number, thing)} {verb_for(number, verb)}"


def verb_for(number: int, verb: str) -> str:
    """Return the verb, which is given for several things, for this number of them: `are` is `is` for 1, `hold` `holds`."""
    if number != 1:
        return verb
    if verb in _IRREGULAR:
        return _IRREGULAR[verb]
    return verb + ("es" if verb.endswith(("s", "x", "z", "ch", "sh")) else "s")


def breakable(text: str, least: int = 2 * LINE) -> str:
    """Return the text with invisible places to break words of at least so many letters, such as the name of a file."""
    long = rf"[^\s/]{{{least},}}"
    return re.sub(long, lambda match: "\u200b".join(match[0][at : at + LINE] for at in range(0, len(match[0]), LINE)), text)


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
