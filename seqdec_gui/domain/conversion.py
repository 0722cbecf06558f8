"""Explains in a sentence why plain data does not fit a struct: what was expected, what was received, what is similar."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect

_WORDS = {
    "int": "a whole number", "float": "a number", "str": "text", "bool": "true or false", "array": "a list",
    "object": "an object", "null": "null",
}  # fmt: skip
_LONGEST = 60
"""The number of characters to which a value is cut in a sentence."""


class Refusal(NamedTuple):
    """Why data was refused. `path` is the place within the data, as in `bindings[0].codec.type`; empty for all of it."""

    path: str
    text: str
    hint: str


def explained(error: msgspec.ValidationError, plain: Any, type: type[Any]) -> Refusal:
    """Explain an error of `msgspec.convert(plain, type)`, whose own text has neither the value nor the choices."""
    reason, _, place = str(error).partition(" - at `$")
    path = place.rstrip("`").lstrip(".")
    steps = [int(index) if index else name for name, index in re.findall(r"([A-Za-z_]\w*)|\[(\d+)\]", path)]
    value, spec = plain, _bare(inspect.type_info(type))
    for step in steps:
        spec, value = _inside(spec, value, step), _item(value, step)
    return Refusal(path, *_in_words(reason.rstrip("."), value, spec))


def _in_words(reason: str, value: Any, spec: Any) -> tuple[str, str]:
    """Return a sentence and a hint for a reason that msgspec gave, the value, and its type."""
    if match := re.fullmatch(r"Object contains unknown field `(.*)`", reason):
        known = _names(_alternative(spec, value))
        return f"There is no {match[1]!r} here.", _near(match[1], known) or f"There are {', '.join(known)}."
    if match := re.fullmatch(r"Object missing required field `(.*)`", reason):
        return f"Expected an object with {match[1]!r}, received {_shown(value)}.", f"Add {match[1]!r}."
    choices = _choices(spec)
    if choices:
        return f"Expected one of {', '.join(choices)}, received {_shown(value)}.", _near(str(value), choices)
    expected = re.sub(r"`([^`]*)`", lambda match: " or ".join(_WORDS.get(w, w) for w in match[1].split(" | ")), reason)
    expected = expected.partition(", got ")[0]
    allowed = _allowed(spec)
    return f"{expected}, received {_shown(value)}.", f"Allowed: {allowed}." if allowed else ""


def range_text(low: float | None, high: float | None, open_low: bool = False, open_high: bool = False) -> str:
    """Return a range as text: `1 to 65,536`, `above 0, below 1`; empty without bounds."""
    if low is not None and high is not None and not (open_low or open_high):
        return f"{_plain_number(low)} to {_plain_number(high)}"
    parts = [] if low is None else [f"{'above' if open_low else 'at least'} {_plain_number(low)}"]
    parts += [] if high is None else [f"{'below' if open_high else 'at most'} {_plain_number(high)}"]
    return ", ".join(parts)


def _plain_number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def _near(wrong: str, known: Sequence[str]) -> str:
    lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(wrong.lower(), lower, 1)
    return f"Did you mean {lower[near[0]]!r}?" if near else ""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _item(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None


# -- types
class _Tag(NamedTuple):
    """The possible values of the field that says which of several structs an object is."""

    tags: tuple[str, ...]


def _bare(spec: Any) -> Any:
    while isinstance(spec, inspect.Metadata):
        spec = spec.type
    return spec


def _structs(spec: Any) -> list[inspect.StructType]:
    kinds = spec.types if isinstance(spec, inspect.UnionType) else (spec,)
    return [kind for kind in map(_bare, kinds) if isinstance(kind, inspect.StructType)]


def _alternative(spec: Any, value: Any) -> inspect.StructType | None:
    """Return the struct that the tag of the value selects; None if it selects none."""
    structs = _structs(spec)
    chosen = [struct for struct in structs if struct.tag_field and struct.tag == _item(value, struct.tag_field)]
    return chosen[0] if chosen else structs[0] if len(structs) == 1 else None


def _inside(spec: Any, value: Any, step: str | int) -> Any:
    """Return the type of the field or item `step`."""
    if isinstance(step, int):
        lists = [kind for kind in map(_bare, spec.types if isinstance(spec, inspect.UnionType) else (spec,))
                 if isinstance(kind, inspect.VarTupleType | inspect.ListType)]  # fmt: skip
        return _bare(lists[0].item_type) if lists else None
    if any(struct.tag_field == step for struct in _structs(spec)):
        return _Tag(tuple(str(struct.tag) for struct in _structs(spec)))
    struct = _alternative(spec, value)
    types = {} if struct is None else {field.encode_name: field.type for field in struct.fields}
    return _bare(types.get(step))


def _names(struct: inspect.StructType | None) -> list[str]:
    if struct is None:
        return []
    return [*([struct.tag_field] if struct.tag_field else []), *(field.encode_name for field in struct.fields)]


def _choices(spec: Any) -> list[str]:
    if isinstance(spec, _Tag):
        return list(spec.tags)
    kinds = spec.types if isinstance(spec, inspect.UnionType) else (spec,)
    return [str(value) for kind in map(_bare, kinds) if isinstance(kind, inspect.LiteralType) for value in kind.values]


def _allowed(spec: Any) -> str:
    """Return the range of a number, or the length and items of a list; empty if all values of the type are allowed."""
    spec = _bare(spec)
    if isinstance(spec, inspect.UnionType):
        return " or ".join(filter(None, map(_allowed, spec.types)))
    if isinstance(spec, inspect.IntType | inspect.FloatType):
        low, high = (spec.ge if spec.gt is None else spec.gt), (spec.le if spec.lt is None else spec.lt)
        return range_text(low, high, spec.gt is not None, spec.lt is not None)
    if isinstance(spec, inspect.VarTupleType | inspect.ListType):
        length = range_text(spec.min_length, spec.max_length)
        choices = _choices(_bare(spec.item_type))
        each = f"one of {', '.join(choices)}" if choices else _allowed(spec.item_type)
        return ", ".join(filter(None, (f"{length} items" if length else "", f"each {each}" if each else "")))
    return ""
