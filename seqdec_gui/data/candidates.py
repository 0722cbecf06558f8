"""The columns that could feed a port, judged by type and shape, by names, and by what the first rows hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from seqdec_gui.data.column_fit import is_symbolic, steps_of, type_fault
from seqdec_gui.data.demands import symbol_room
from seqdec_gui.data.fitting import marks_of
from seqdec_gui.data.formats.base import Column
from seqdec_gui.data.name_evidence import likeness, numbers_rows, stem
from seqdec_gui.data.text_facts import TextFacts
from seqdec_gui.domain.bindings import Codec, TextCodec
from seqdec_gui.domain.data_edits import Ports
from seqdec_gui.domain.dataflow import DataPort, port_for
from seqdec_gui.domain.wording import counted

MOST = 8
"""The number of columns of single numbers that are candidates for a port of one number."""


class Candidate(msgspec.Struct, frozen=True):
    """Columns that could feed a port. `codec` is None where the automatic choice suits.

    `holds` says what they hold, for a sentence: `text of at most 32 characters`. `flaw` says what of the port would have to be
    changed first; empty if they fit as the design is. `likeness` is that of their names (`data.name_evidence`).
    """

    columns: tuple[str, ...]
    holds: str
    codec: Codec | None = None
    flaw: str = ""
    likeness: int = 0


def candidates(port: DataPort, ports: Ports, columns: Sequence[Column], facts: Mapping[str, TextFacts]) -> list[Candidate]:
    """Return the candidates among `columns`, in the order of the file."""
    fitting = [column for column in columns if not type_fault(port, column) and not _only_numbers_rows(port, column)]
    if not is_symbolic(port) and not steps_of(port):
        return _vectors(port, fitting, [column for column in columns if _is_number(column) and not numbers_rows(column.name)])
    if not is_symbolic(port):
        return [_sequence(port, column) for column in fitting if column.kind == "array"]
    return [_symbols(port, ports, column, facts.get(column.name)) for column in fitting if _may_be_symbols(column)]


def _only_numbers_rows(port: DataPort, column: Column) -> bool:
    return column.kind == "integer" and numbers_rows(column.name) and not likeness(port, column.name)


def _is_number(column: Column) -> bool:
    return column.kind in ("integer", "number")


# -- numbers
def _vectors(port: DataPort, fitting: Sequence[Column], scalars: Sequence[Column]) -> list[Candidate]:
    """Return arrays and single numbers of the width of the port, and groups of single numbers that make up the width."""
    width = port.type.shape[-1]
    found = [_vector(port, column) for column in fitting if column.kind == "array"]
    if width == 1:
        return [*found, *(_vector(port, column) for column in scalars[:MOST])]
    if len(scalars) > 1:
        stems: dict[str, list[str]] = {}
        for column in scalars:
            stems.setdefault(stem(column.name), []).append(column.name)
        groups = [names for names in (*stems.values(), [column.name for column in scalars]) if len(names) == width]
        whole = [column.name for column in scalars]
        groups = [list(names) for names in dict.fromkeys(map(tuple, groups))] or [whole]
        found += [_group(port, names) for names in groups]
    return found


def _vector(port: DataPort, column: Column) -> Candidate:
    wide, width = (column.shape[0] if column.shape else 1), port.type.shape[-1]
    flaw = "" if width in (None, wide) else f"{port.width_at or port.port} is {width}"
    return Candidate((column.name,), f"{counted(wide, 'number')} a row", None, flaw, likeness(port, column.name))


def _group(port: DataPort, names: Sequence[str]) -> Candidate:
    width = port.type.shape[-1]
    flaw = "" if width in (None, len(names)) else f"{port.width_at or port.port} is {width}"
    alike = likeness(port, names[0]) if len({stem(name) for name in names}) == 1 else 0
    return Candidate(tuple(names), f"{len(names)} columns of one number each", None, flaw, alike)


def _sequence(port: DataPort, column: Column) -> Candidate:
    flaw = _shape_flaw(port, column.shape, (*steps_of(port), port.type.shape[-1]))
    return Candidate((column.name,), f"{_times(column.shape)} numbers a row", None, flaw, likeness(port, column.name))


# -- symbols
def _may_be_symbols(column: Column) -> bool:
    return column.kind in ("text", "integer") or column.dtype.startswith(("int", "uint", "bool")) or len(column.shape) > 1


def _symbols(port: DataPort, ports: Ports, column: Column, facts: TextFacts | None) -> Candidate:
    alike = likeness(port, column.name)
    if column.kind == "array":
        return Candidate((column.name,), f"{_times(column.shape)} values a row", None, _array_flaw(port, column), alike)
    if not steps_of(port):
        return Candidate((column.name,), "labels", None, "", alike)
    name = "whole numbers, read digit by digit" if column.kind == "integer" else "text"
    if facts is None:
        return Candidate((column.name,), name, None, "", alike)
    plain = _text_flaw(port, ports, TextCodec(), facts.longest_characters, facts.characters)
    by_word = _text_flaw(port, ports, TextCodec(), facts.longest_words, facts.words)
    if plain and not by_word and facts.longest_words > 1:
        holds = f"text of at most {counted(facts.longest_words, 'word')}"
        return Candidate((column.name,), holds, TextCodec(tokens="words"), "", alike)
    unit = "digit" if column.kind == "integer" else "character"
    holds = f"{name.partition(',')[0]} of at most {counted(facts.longest_characters, unit)}"
    return Candidate((column.name,), holds, None, plain, alike)


def _text_flaw(port: DataPort, ports: Ports, codec: TextCodec, longest: int, symbols: int) -> str:
    """Return what has too little room for text of so many tokens and different symbols; empty if it fits."""
    begin, end = marks_of(codec, port)
    steps = steps_of(port)[0]
    extra = 1 if port.taught and begin and end else 0
    needed = longest + begin + end - extra
    if steps is not None and needed > steps:
        return f"{port.length_at or port.port} is {steps}, and {needed} are needed"
    taught = port_for(ports, port.taught) if port.taught else None
    for end_port in (port, taught):
        room = None if end_port is None else symbol_room(end_port)
        if end_port is not None and room is not None and symbols + 1 + begin + end > room:
            return f"{end_port.width_at or end_port.port} is {room}, and {symbols + 1 + begin + end} are needed"
    return ""


def _array_flaw(port: DataPort, column: Column) -> str:
    """Return what keeps an array of ids, or of one-hot rows, from feeding the port: other steps, or wider rows than fit."""
    steps = steps_of(port)
    flaw = _shape_flaw(port, column.shape[: len(steps)], _stored(port))
    wide, room = column.shape[-1], symbol_room(port)
    if flaw or len(column.shape) == len(steps) or room is None or wide <= room:
        return flaw
    return f"{port.width_at or port.port} is {room}"


def has_whole_shape(port: DataPort, column: Column) -> bool:
    """Return whether an array has just the steps and the width of the port, where several arrays come near it."""
    whole = (*_stored(port), symbol_room(port)) if is_symbolic(port) else port.type.shape
    return column.kind == "array" and None not in whole and column.shape == whole


def _stored(port: DataPort) -> tuple[int | None, ...]:
    """Return the steps that are stored for a row: one more where the column also gives the targets."""
    steps = steps_of(port)
    extra = 1 if port.taught else 0
    return tuple(step if step is None or place else step + extra for place, step in enumerate(steps))


def _shape_flaw(port: DataPort, shape: Sequence[int], wanted: Sequence[int | None]) -> str:
    if len(shape) == len(wanted) and all(want in (None, have) for have, want in zip(shape, wanted, strict=True)):
        return ""
    return f"{port.port} takes {_times([size or 'any' for size in wanted])}"


def _times(sizes: Sequence[object]) -> str:
    return " × ".join(map(str, sizes))
