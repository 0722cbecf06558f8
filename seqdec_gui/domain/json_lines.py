"""Where something stands in a JSON text, for messages about files that people edit by hand."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""The keys and indices that lead to a value."""

_SHOWN = 60
"""The number of characters of a name that a message shows."""

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
_WORDS = {
    "Expecting value": "a value is missing",
    "Expecting ',' delimiter": "a comma is missing",
    "Expecting ':' delimiter": "a colon is missing",
    "Expecting property name enclosed in double quotes": "a name in double quotes is missing",
    "Illegal trailing comma before end of object": "a comma is too many",
    "Illegal trailing comma before end of array": "a comma is too many",
    "Unterminated string starting at": "a text that begins here has no closing quote",
    "Invalid control character at": "a text has a line break or a control character in it",
    "Extra data": "there is more after the end of the design",
}
"""What Python's messages mean for somebody who edits the file."""


def fault(text: str) -> str:
    """Return what is wrong with a JSON text and in which line; empty if nothing is."""
    if not text.strip():
        return "the file is empty"
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or (error.msg.startswith("Unterminated") and text.count("\n", error.pos) == 0):
            return f"it ends too early, in line {text.rstrip().count(chr(10)) + 1}"
        words = next((words for start, words in _WORDS.items() if error.msg.startswith(start)), error.msg.lower())
        return f"line {error.lineno}, column {error.colno}: {words}"
    except RecursionError:
        return "it is nested too deeply"
    return ""


class Repeated(ValueError):
    """An object has a name twice; which of its values is meant nobody can tell, and readers take the last one."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name[:_SHOWN]!r} is there twice in one object")
        self.name = name


def without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of these members, for `json.loads(object_pairs_hook=...)`. Raises Repeated."""
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise Repeated(name)
            seen.add(name)
    return members


def repetition(text: str) -> str:
    """Return which name an object of a JSON text has twice, and in which line; empty if none has."""
    try:
        json.loads(text, object_pairs_hook=without_repetition)
    except Repeated as error:
        found: dict[Path, int] = {}
        twice: list[int] = []
        with contextlib.suppress(json.JSONDecodeError, RecursionError, IndexError):
            _walk(text, _skip(text, 0), (), found, twice)
        return f"line {text.count(chr(10), 0, twice[0]) + 1}: {error}" if twice else str(error)
    except (ValueError, RecursionError):
        return ""  # no JSON, as who reads it says
    return ""


def lines(text: str) -> dict[Path, int]:
    """Return the line, counted from 1, in which each value of a JSON text begins, by the way to it."""
    found: dict[Path, int] = {}
    with contextlib.suppress(json.JSONDecodeError, RecursionError, IndexError):  # what is known so far is better than nothing
        _walk(text, _skip(text, 0), (), found)
    starts = [0, *(at.end() for at in re.finditer("\n", text))]
    line, result = 0, {}
    for path, at in sorted(found.items(), key=lambda item: item[1]):
        while line < len(starts) and starts[line] <= at:
            line += 1
        result[path] = line
    return result


def _walk(text: str, at: int, path: Path, found: dict[Path, int], twice: list[int] | None = None) -> int:
    """Note where the value at `at` and the values in it begin, in `twice` names that come again; return where it ends."""
    found[path] = at
    if text[at] == "{":
        return _walk_members(text, at, path, found, "}", twice)
    if text[at] == "[":
        return _walk_members(text, at, path, found, "]", twice)
    return _DECODER.raw_decode(text, at)[1]


def _walk_members(
    text: str, at: int, path: Path, found: dict[Path, int], end: str, twice: list[int] | None
) -> int:  # fmt: skip
    at, index = _skip(text, at + 1), 0
    while text[at] != end:
        key: str | int = index
        begin = at
        if end == "}":
            key, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)  # over the colon
            if twice is not None and (*path, key) in found:
                twice.append(begin)
        at = _skip(text, _walk(text, at, (*path, key), found, twice))
        found[*path, key] = begin
        if text[at] == ",":
            at = _skip(text, at + 1)
        index += 1
    return at + 1


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space is not None else at
