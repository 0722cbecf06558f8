"""Editing a design by text: `block.parameter=value`, as on the command line and in pasted settings."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, get_args

import msgspec

from seqdec_gui.domain.bindings import Binding, Codec, FaultyRows, Numbering, Reading, Split, ValuesCodec
from seqdec_gui.domain.catalog import Field, fields
from seqdec_gui.domain.conversion import explained
from seqdec_gui.domain.dataflow import data_ports, port_for
from seqdec_gui.domain.design import Block, Design
from seqdec_gui.domain.document import parse_parameters
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.training import Training

_READING = tuple(field.name for field in fields(Reading))
_SECTIONS = (
    "training",
    "data.file",
    "data.numbering",
    "data.faulty_rows",
    "data.split",
    *(f"data.{name}" for name in _READING),
)
"""The beginnings of names of values other than parameters of blocks."""


def set_value(design: Design, name: str, text: str) -> Design:
    """Return the design with one value set.

    `name` is `block.parameter`, `training.field`, `data.file`, `data.numbering`, `data.faulty_rows`, `data.split.field`,
    `port.codec.field` or a reading option: `data.header`, `data.delimiter`, `data.decimal` and so on.

    Lists are written `128,128` or `[128,128]`, tables as JSON, no value as `none`. Raises InvalidInput that names the
    parameter, its range or choices, and near matches for a misspelt name.
    """
    head, _, rest = name.strip().rpartition(".")
    if head == "training":
        return design.with_training(_replaced(design.training, Training, name, rest, text))
    if head == "data.split":
        split = _replaced(design.data.split, Split, name, rest, text)
        return design.with_data(msgspec.structs.replace(design.data, split=split))
    if head.endswith(".codec"):
        return _with_codec(design, name, head.removesuffix(".codec"), rest, text)
    if name == "data.file":
        return design.with_data(msgspec.structs.replace(design.data, file=text))
    if head == "data" and rest in _READING:
        reading = _replaced(design.data.reading, Reading, name, rest, text)
        return design.with_data(msgspec.structs.replace(design.data, reading=reading))
    if name == "data.numbering":
        return design.with_data(msgspec.structs.replace(design.data, numbering=_numbering(text)))
    if name == "data.faulty_rows":
        return design.with_data(msgspec.structs.replace(design.data, faulty_rows=_word(text, FaultyRows, name)))
    if not head or not design.has(head):
        raise _unknown("unknown_block", name, f"There is no block {head or name!r}.", head or name, _heads(design))
    return _with_parameter(design, design.block(head), name, rest, text)


def parse_assignment(text: str, form: str = "block.parameter=value") -> tuple[str, str]:
    """Split `name=value`. Raises InvalidInput."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise InvalidInput(f"Expected {form}, received {text!r}.", "bad_assignment")
    return name.strip(), value.strip()


def bind(design: Design, port: str, columns: Sequence[str]) -> Design:
    """Return the design with these columns bound to a port or its alias; the port keeps its codec. Raises InvalidInput."""
    ports = data_ports(design)
    known = port_for(ports, port)
    if known is None:
        names = [name for each in ports for name in (each.port, *each.aliases)]
        raise _unknown("unknown_port", port, f"No port of this design that takes data is called {port!r}.", port, names)
    column = columns[0] if len(columns) == 1 else tuple(columns)
    old = [binding for binding in design.data.bindings if port_for(ports, binding.port) == known]
    bound = msgspec.structs.replace(old[0], column=column) if old else Binding(port, column)
    kept = tuple(binding for binding in design.data.bindings if binding not in old)
    return design.with_data(design.data.with_bindings((*kept, bound)))


def parse_text(field: Field, text: str) -> Any:
    """Parse a user's text as the plain value of a field. Raises ValueError with what was expected."""
    value = text.strip()
    if field.type == "boolean" and value in field.choices and value not in ("true", "false"):
        return value
    if field.optional and value.lower() in ("", "none", "null"):
        return None
    return _PARSERS[field.type](value)


def _with_codec(design: Design, name: str, port: str, field_name: str, text: str) -> Design:
    """Set an option of the codec of a bound port; a binding without a codec gets the codec that has this option."""
    ports = data_ports(design)
    known = port_for(ports, port)
    old = next((each for each in design.data.bindings if port_for(ports, each.port) == known), None) if known else None
    if old is None:
        bound = [binding.port for binding in design.data.bindings]
        raise _unknown("unknown_port", name, f"No column is bound to {port!r}, so it has no codec.", port, bound)
    codec = old.codec or next((kind() for kind in get_args(Codec) if field_name in kind.__struct_fields__), ValuesCodec())
    new = msgspec.structs.replace(old, codec=_replaced(codec, type(codec), name, field_name, text))
    bindings = tuple(new if binding is old else binding for binding in design.data.bindings)
    return design.with_data(msgspec.structs.replace(design.data, bindings=bindings))


def _with_parameter(design: Design, block: Block, name: str, parameter: str, text: str) -> Design:
    """Set a parameter of a block from text. Raises InvalidInput."""
    kind = type(block.parameters)
    field = _field(kind, name, parameter, f"{block.id} ({block.kind})")
    plain = msgspec.to_builtins(block.parameters)
    plain.pop("kind")
    plain[parameter] = _parsed(field, name, text)
    problems: list[Problem] = []
    parameters = parse_parameters(kind, plain, block.id, problems)
    if parameters is None:
        raise InvalidInput([_explained(problem, field, text) for problem in problems])
    return design.with_parameters(block.id, parameters)


def _numbering(text: str) -> Numbering | None:
    """Parse `data.numbering`. Raises InvalidInput."""
    value = text.strip().lower()
    return None if value in ("", "none", "null") else _word(value, Numbering, "data.numbering")


def _word(text: str, words: Any, where: str) -> Any:
    """Parse one of some words. Raises InvalidInput."""
    try:
        return msgspec.convert(text.strip().lower(), words)
    except msgspec.ValidationError:
        expected = f"Expected one of {', '.join(get_args(words))}, received {text!r}."
        raise InvalidInput([Problem("error", "bad_value", where, expected)]) from None


def _replaced(section: Any, kind: type[msgspec.Struct], name: str, field_name: str, text: str) -> Any:
    field = _field(kind, name, field_name, name.rpartition(".")[0])
    plain = msgspec.to_builtins(section) | {field_name: _parsed(field, name, text)}
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        reason = explained(error, plain, kind).text
        raise InvalidInput([_explained(Problem("error", "bad_value", name, reason), field, text)]) from None


def _field(kind: type[msgspec.Struct], name: str, field_name: str, owner: str) -> Field:
    known = {field.name: field for field in fields(kind)}
    if field_name not in known:
        raise _unknown("unknown_parameter", name, f"{owner} has no parameter {field_name!r}.", field_name, list(known))
    return known[field_name]


def _parsed(field: Field, name: str, text: str) -> Any:
    try:
        return parse_text(field, text)
    except ValueError as error:
        problem = Problem("error", "bad_value", name, f"Expected {error}, received {text!r}.")
        raise InvalidInput([_explained(problem, field, text)]) from None


def _explained(problem: Problem, field: Field, text: str) -> Problem:
    """Return the problem with the received text and the allowed values."""
    if field.choices:
        near = difflib.get_close_matches(text, field.choices, 1)
        expected = f"Expected one of {', '.join(field.choices)}, received {text!r}."
        return Problem(problem.severity, problem.code, problem.where, expected, f"Did you mean {near[0]!r}?" if near else "")
    if field.type == "table":
        return problem  # it names the row and what stands there
    expected = problem.text.rstrip(".").partition(", received ")[0]
    return Problem(problem.severity, problem.code, problem.where, f"{expected}, received {text!r}.", _hint(field))


def _hint(field: Field) -> str:
    each = " each" if field.type in ("integers", "numbers", "table") else ""
    bounds = f"Allowed{each}: {field.range_text()}." if field.range_text() else ""
    empty = "none for no value." if field.optional else ""
    return " ".join(filter(None, (bounds, empty)))


def _unknown(code: str, where: str, text: str, wrong: str, known: Sequence[str]) -> InvalidInput:
    near = difflib.get_close_matches(wrong, known, 1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(dict.fromkeys(known))}."
    return InvalidInput([Problem("error", code, where, text, hint)])


def _heads(design: Design) -> list[str]:
    return [*(block.id for block in design.blocks), *_SECTIONS]


def _integer(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d+(_\d+)*", text):
        raise ValueError("a whole number")
    return int(text)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        point = " with a point, not a comma" if re.fullmatch(r"[+-]?\d*,\d+", text) else ""
        raise ValueError(f"a number{point}") from None
    if not math.isfinite(number):
        raise ValueError("a finite number")
    return number


def _boolean(text: str) -> bool:
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if text.lower() not in words:
        raise ValueError("true or false")
    return words[text.lower()]


def _items(text: str) -> list[str]:
    """Split `a,b`, `[a, b]` or `["a", "b"]` into items."""
    if text.startswith("["):
        try:
            plain = msgspec.json.decode(text)
        except msgspec.DecodeError:
            plain = text.removeprefix("[").removesuffix("]").split(",")
        return [str(item).strip() for item in plain]
    return [item.strip() for item in text.split(",")] if text else []


def _integers(text: str) -> list[int]:
    try:
        return [_integer(item) for item in _items(text) if item]
    except ValueError:
        raise ValueError("whole numbers separated by commas") from None


def _numbers(text: str) -> list[float]:
    try:
        return [_number(item) for item in _items(text) if item]
    except ValueError:
        raise ValueError("finite numbers separated by commas") from None


def _table(text: str) -> Any:
    try:
        plain = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise ValueError(f"a JSON list ({error})") from None
    if not isinstance(plain, list):
        raise ValueError("a JSON list")
    return plain


_PARSERS: dict[str, Callable[[str], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "text": str,
    "choice": str,
    "integers": _integers,
    "numbers": _numbers,
    "texts": _items,
    "choices": _items,
    "table": _table,
}
