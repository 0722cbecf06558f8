"""Edits that make the blocks fit the data, for the buttons beside a problem."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from seqdec_gui.data.codecs import FittedCategory, FittedText
from seqdec_gui.data.dataset import Bound
from seqdec_gui.data.fitting import Fit
from seqdec_gui.domain.bindings import IdsCodec
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.design import Design, Port
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.wording import listed


class Remedy(NamedTuple):
    """An edit: the text of its button, and the design after the edit."""

    text: str
    design: Design


class Advice(NamedTuple):
    """A sentence about something that is no problem but could be better, and an edit that improves it."""

    text: str
    remedy: Remedy


def remedies(design: Design, at: Bound, problem: Problem) -> tuple[Remedy, ...]:
    """Return edits that solve this problem of a bound port; empty if the user has to decide."""
    if (wanted := problem.wanted) is not msgspec.UNSET:
        if problem.code in ("too_many_symbols", "numbered_apart"):
            return _changed(design, _symbol_fields(design, at.port, wanted))
        if problem.code == "too_long":
            return _changed(design, _length_fields(design, at.port, wanted))
        if problem.code == "too_many_labels":
            return _changed(design, _width_fields(design, at.port, (wanted,)))
        if problem.code in ("looks_like_padding", "symbol_is_masked"):
            return _padding_named(design, at, wanted)
    if problem.code == "wrong_shape":
        return _changed(design, _width_fields(design, at.port, at.source.shape))
    return ()


def _padding_named(design: Design, at: Bound, pad_id: int) -> tuple[Remedy, ...]:
    codec = at.binding.codec if isinstance(at.binding.codec, IdsCodec) else IdsCodec()
    binding = msgspec.structs.replace(at.binding, codec=msgspec.structs.replace(codec, pad_id=pad_id))
    bindings = tuple(binding if each == at.binding else each for each in design.data.bindings)
    return (Remedy(f"Take id {pad_id} for padding", design.with_data(msgspec.structs.replace(design.data, bindings=bindings))),)


def advice(design: Design, at: Bound, fit: Fit) -> tuple[Advice, ...]:
    """Advise to remove room for more symbols or labels than the data has."""
    symbols, room = _symbols_of(fit), _room(design, at.port)
    if not symbols or not room or symbols >= max(room):
        return ()
    remedy = _changed(design, _symbol_fields(design, at.port, symbols))
    if not remedy:
        return ()
    sizes = listed([str(size) for size in sorted(set(room), reverse=True)])
    kind = "labels" if isinstance(fit.codec, FittedCategory) else "symbols, padding and marks included"
    return (Advice(f"The column has {symbols} {kind}; the blocks have room for {sizes}.", remedy[0]),)


def _symbols_of(fit: Fit) -> int:
    if isinstance(fit.codec, FittedText):
        return fit.codec.symbols
    return len(fit.codec.labels) if isinstance(fit.codec, FittedCategory) else 0


def _room(design: Design, port: DataPort) -> list[int]:
    """Return the values of the fields that `_symbol_fields` would set."""
    return [
        value
        for block, field, _ in _symbol_fields(design, port, 0)
        if isinstance(value := getattr(design.block(block).parameters, field), int)
    ]


_Field = tuple[str, str, int]
"""A block, one of its parameters, and the new value."""


def _symbol_fields(design: Design, port: DataPort, symbols: int) -> list[_Field]:
    """Return the fields that hold the number of symbols: at the input block and at the decoder before the taught loss."""
    fields: list[_Field] = []
    if port.role == "input" and not _is_number_sequence(port):
        fields += _width_field(design, port.name, symbols)
    loss = port.taught if port.role == "input" else port.name
    judged = design.into(Port(loss, "predictions")) if loss else None
    return fields if judged is None else fields + _width_field(design, judged.source.block, symbols)


def _length_fields(design: Design, port: DataPort, steps: int) -> list[_Field]:
    judged = design.into(Port(port.name, "predictions")) if port.role == "target" else None
    if port.role == "target" and judged is None:
        return []
    return _length_field(design, port.name if judged is None else judged.source.block, steps)


def _width_fields(design: Design, port: DataPort, shape: tuple[int, ...]) -> list[_Field]:
    if port.role != "input":
        return []
    if not port.type.has_steps and len(shape) <= 1:
        return _width_field(design, port.name, shape[0] if shape else 1)
    if _is_number_sequence(port) and len(shape) == 2 and not port.taught:
        return _length_field(design, port.name, shape[0]) + _width_field(design, port.name, shape[1])
    return []


def _is_number_sequence(port: DataPort) -> bool:
    return port.type.has_steps and port.type.dtype == "float32" and not port.one_hot


def _width_field(design: Design, block: str, value: int) -> list[_Field]:
    """Return the parameter that sets how many symbols or numbers a step of the block has; empty if several set it."""
    name = design.block(block).parameters.width_parameter
    return [(block, name, value)] if name else []


def _length_field(design: Design, block: str, value: int) -> list[_Field]:
    """Return the parameter that sets how many steps the block gives; empty if the inputs or several parameters set it."""
    name = design.block(block).parameters.length_parameter
    return [(block, name, value)] if name else []


def _changed(design: Design, fields: list[_Field]) -> tuple[Remedy, ...]:
    """Return one remedy that sets all these fields; empty if all of them have their values already."""
    new, words = design, []
    for block, field, value in fields:
        parameters = new.block(block).parameters
        if getattr(parameters, field) != value:
            new = new.with_parameters(block, msgspec.structs.replace(parameters, **{field: value}))
            words.append(f"{field} = {value:,}")
    return (Remedy(f"Set {listed(words)}", new),) if words else ()
