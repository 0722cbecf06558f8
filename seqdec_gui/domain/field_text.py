"""Reads the text of form fields as values, and formats values as text. No Qt."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from seqdec_gui.domain.catalog import Field
from seqdec_gui.domain.wording import counted

GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}([\s,_]\d{3})+")
"""A whole number with digits in groups of three. `1,5` and `0,001` are none: their comma may stand for a decimal point."""


class Reading(msgspec.Struct, frozen=True):
    """The value of a field, or in `fault` a sentence with what was expected and received."""

    value: Any = None
    fault: str = ""


def read_integer(field: Field, text: str) -> Reading:
    """Read a whole number in the field's range; spaces, commas and underscores may group digits. Optional: empty is None."""
    plain = text.strip()
    if not plain and field.optional:
        return Reading(None)
    try:
        value = int(re.sub(r"[\s,_]", "", plain) if GROUPED.fullmatch(plain) else plain)
    except ValueError:
        return Reading(fault=_expected("a whole number", field, text))
    return Reading(value) if in_range(field, value) else Reading(fault=_expected("", field, f"{value:,}"))


def read_number(field: Field, text: str) -> Reading:
    """Read a finite number in the field's range, such as `1e-3`."""
    plain = text.strip().replace("_", "")
    if not plain and field.optional:
        return Reading(None)
    try:
        value = float(plain)
    except ValueError:
        return Reading(fault=_expected("a number", field, text))
    if value != value or value in (float("inf"), float("-inf")):
        return Reading(fault=_expected("a finite number", field, text))
    return Reading(value) if in_range(field, value) else Reading(fault=_expected("", field, format_number(value)))


def read_integers(field: Field, text: str) -> Reading:
    """Read whole numbers separated by commas, spaces or semicolons; brackets are ignored."""
    return _read_list(field, text, read_integer, "a whole number", "whole numbers such as 128, 64")


def read_numbers(field: Field, text: str) -> Reading:
    """Read numbers separated by commas, spaces or semicolons, such as `0.1, 0.2`; brackets are ignored."""
    return _read_list(field, text, read_number, "a number", "numbers such as 0.1, 0.2")


def _read_list(field: Field, text: str, read: Callable[[Field, str], Reading], one: str, several: str) -> Reading:
    """Read a list whose items `read` reads. `one` and `several` are the words for an item and for the list."""
    parts = [part for part in re.split(r"[\s,;]+", text.strip(" []()")) if part]
    values = []
    for part in parts:
        item = read(msgspec.structs.replace(field, optional=False), part)
        if item.fault:
            return Reading(fault=item.fault.replace(one, several, 1))
        values.append(item.value)
    if re.search(r"[,;]\s*[,;]|^[\s\[(]*[,;]", text):  # a number was forgotten; leaving it out would make another list
        return Reading(fault=f"Expected {several}, received {text.strip()}: one is missing at a comma.")
    low, high = field.min_items or 0, field.max_items
    if len(values) < low:
        return Reading(fault=f"Expected at least {counted(low, 'number')}, received {len(values) or 'none'}.")
    if high is not None and len(values) > high:
        return Reading(fault=f"Expected at most {high} numbers, received {len(values)}.")
    return Reading(tuple(values))


def read_texts(field: Field, text: str) -> Reading:
    """Read words separated by commas."""
    return Reading(tuple(part.strip() for part in text.split(",") if part.strip()))


def read_choices(field: Field, chosen: tuple[str, ...]) -> Reading:
    """Read a selection of the field's choices."""
    if field.min_items and len(chosen) < field.min_items:
        return Reading(fault=f"Expected at least {field.min_items} of {', '.join(field.choices)}, received none.")
    return Reading(chosen)


def in_range(field: Field, value: float) -> bool:
    low, high = field.minimum, field.maximum
    above = low is None or (value > low if field.open_minimum else value >= low)
    below = high is None or (value < high if field.open_maximum else value <= high)
    return above and below


def format_number(value: float) -> str:
    """Return the shortest text that reads as this number: `0.001`, `1e-06`, `64`."""
    text = f"{value:.12g}"
    return text if float(text) == value else repr(value)


def format_value(value: Any) -> str:
    """Format a value for a form."""
    if value is None:
        return "any"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return format_number(value)
    if isinstance(value, tuple):
        return ", ".join(map(format_value, value)) or "none"
    if isinstance(value, msgspec.Struct):
        return type(value).__name__
    return str(value)


def range_words(field: Field) -> str:
    """Return the range of a field: `1 to 65,536`, `above 0`; `1 to 64 numbers, each 1 to 65,536` for lists."""
    each = field.range_text()
    if field.type not in ("integers", "numbers"):
        return each
    low, high = field.min_items or 0, field.max_items
    count = f"{low} to {high} numbers" if high is not None else "numbers"
    return f"{count}, each {each}" if each else count


def _expected(what: str, field: Field, received: str) -> str:
    span = field.range_text()
    wanted = " ".join(part for part in (what, f"({span})" if what and span else span) if part)
    return f"Expected {wanted}, received {received.strip() or 'nothing'}."
