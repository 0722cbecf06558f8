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
from seqdec_gui.domain.kinds.inputs import FloatSequence, TokenSequence, Vector
from seqdec_gui.domain.kinds.recurrent_decoder import RecurrentDecoder
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
    if port.role == "input" and isinstance(design.block(port.name).parameters, TokenSequence):
        fields.append((port.name, "symbols", found))
    elif port.role == "input" and isinstance(design.block(port.name).parameters, Vector):
        fields.append((port.name, "width", found))
    loss = port.taught if port.role == "input" else port.name
    judged = design.into(Port(loss, "predictions")) if loss else None
    if judged is not None and isinstance(design.block(judged.source.block).parameters, RecurrentDecoder):
        fields.append((judged.source.block, "output_units", found))
    return fields


def _length_fields(design: Design, port: DataPort, found: int) -> list[_Field]:
    if port.role == "input":
        kind = design.block(port.name).parameters
        return [(port.name, "length", found)] if isinstance(kind, TokenSequence | FloatSequence) else []
    judged = design.into(Port(port.name, "predictions"))
    if judged is None:
        return []
    kind = design.block(judged.source.block).parameters
    repeats = isinstance(kind, RecurrentDecoder) and not kind.feeds_back
    return [(judged.source.block, "length", found)] if repeats else []


def _width_fields(design: Design, port: DataPort, shape: tuple[int, ...]) -> list[_Field]:
    if port.role != "input":
        return []
    kind = design.block(port.name).parameters
    if isinstance(kind, Vector) and len(shape) <= 1:
        return [(port.name, "width", shape[0] if shape else 1)]
    if isinstance(kind, FloatSequence) and len(shape) == 2 and not port.taught:
        return [(port.name, "length", shape[0]), (port.name, "features", shape[1])]
    return []


def _changed(design: Design, fields: list[_Field]) -> tuple[Remedy, ...]:
    """One remedy that sets all these fields; none where they all have their values already."""
    new, words = design, []
    for block, field, value in fields:
        parameters = new.block(block).parameters
        if getattr(parameters, field) != value:
            new = new.with_parameters(block, msgspec.structs.replace(parameters, **{field: value}))
            words.append(f"{field} = {value:,}")
    return (Remedy(f"Set {listed(words)}", new),) if words else ()
