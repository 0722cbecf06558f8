"""What a button beside a problem can do about it: an edit of the blocks that makes them fit the data."""

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
    """`text` for a button; `design` is the design with the edit."""

    text: str
    design: Design


class Advice(NamedTuple):
    """Something that is no problem and could be better, and what a button can do about it."""

    text: str
    remedy: Remedy


def remedies(design: Design, at: Bound, problem: Problem) -> tuple[Remedy, ...]:
    """Edits that mend this problem of a bound port; empty where the user has to decide."""
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
    """Room that the data does not need: more symbols or labels than there are."""
    found, room = _symbols_of(fit), _room(design, at.port)
    if not found or not room or found >= max(room):
        return ()
    made = _changed(design, _symbol_fields(design, at.port, found))
    if not made:
        return ()
    sizes = listed([str(size) for size in sorted(set(room), reverse=True)])
    kind = "labels" if isinstance(fit.codec, FittedCategory) else "symbols, padding and marks included"
    return (Advice(f"The column has {found} {kind}; the blocks have room for {sizes}.", made[0]),)


def _symbols_of(fit: Fit) -> int:
    if isinstance(fit.codec, FittedText):
        return fit.codec.symbols
    return len(fit.codec.labels) if isinstance(fit.codec, FittedCategory) else 0


def _room(design: Design, port: DataPort) -> list[int]:
    """The sizes of the fields that `_symbol_fields` would set."""
    return [
        value
        for block, field, _ in _symbol_fields(design, port, 0)
        if isinstance(value := getattr(design.block(block).parameters, field), int)
    ]


_Field = tuple[str, str, int]  # block, parameter, value


def _symbol_fields(design: Design, port: DataPort, found: int) -> list[_Field]:
    """Where the number of symbols stands: at the input block, and at the decoder that the taught loss judges."""
    fields: list[_Field] = []
    if port.role == "input" and not _is_number_sequence(port):
        fields += _width_field(design, port.name, found)
    loss = port.taught if port.role == "input" else port.name
    judged = design.into(Port(loss, "predictions")) if loss else None
    return fields if judged is None else fields + _width_field(design, judged.source.block, found)


def _length_fields(design: Design, port: DataPort, found: int) -> list[_Field]:
    judged = design.into(Port(port.name, "predictions")) if port.role == "target" else None
    if port.role == "target" and judged is None:
        return []
    return _length_field(design, port.name if judged is None else judged.source.block, found)


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
    """The parameter that decides how many symbols or numbers the block gives per step; none where several decide."""
    name = design.block(block).parameters.width_parameter
    return [(block, name, value)] if name else []


def _length_field(design: Design, block: str, value: int) -> list[_Field]:
    """The parameter that decides how many steps the block gives; none where the inputs or several decide."""
    name = design.block(block).parameters.length_parameter
    return [(block, name, value)] if name else []


def _changed(design: Design, fields: list[_Field]) -> tuple[Remedy, ...]:
    """One remedy that sets all these fields; none where they all have their values already."""
    new, words = design, []
    for block, field, value in fields:
        parameters = new.block(block).parameters
        if getattr(parameters, field) != value:
            new = new.with_parameters(block, msgspec.structs.replace(parameters, **{field: value}))
            words.append(f"{field} = {value:,}")
    return (Remedy(f"Set {listed(words)}", new),) if words else ()
