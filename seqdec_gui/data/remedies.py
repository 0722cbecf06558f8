"""Edits that make the blocks fit the data, for the buttons beside a problem."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any, NamedTuple

import msgspec

from seqdec_gui.data.codecs import FittedCategory, FittedText
from seqdec_gui.data.dataset import Bound
from seqdec_gui.data.demands import Fit
from seqdec_gui.data.formats.registry import reading_options
from seqdec_gui.data.row_faults import FAULTS
from seqdec_gui.domain.bindings import BitsCodec, Codec, IdsCodec, TextCodec, ValuesCodec, VectorCodec
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.design import Design, Port
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.wording import listed

_LOOKED_AT = 100
"""The number of rows that are looked at to offer a codec."""


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
    code = problem.code
    if (wanted := problem.wanted) is not msgspec.UNSET:
        if code in ("too_many_symbols", "numbered_apart"):
            return _changed(design, _symbol_fields(design, at.port, wanted))
        if code == "too_long":
            longer = _changed(design, _length_fields(design, at.port, wanted))
            return (*longer, _with_text_options(design, at, "Cut longer rows", longer="truncate"), *_left_out(design))
        if code == "one_long_row":
            cut = _with_text_options(design, at, f"Cut rows at {wanted:,} symbols", length=wanted, longer="truncate")
            shorter = _with_text_options(design, at, "", length=wanted).design
            left_out = tuple(Remedy("Leave longer rows out", each.design) for each in _left_out(shorter))
            return (cut, *left_out)
        if code == "too_many_labels":
            return (*_changed(design, _width_fields(design, at.port, (wanted,))), *_as_bits(design, at))
        if code in ("looks_like_padding", "symbol_is_masked"):
            return _padding_named(design, at, wanted)
        if code == "wrong_shape":
            return _changed(design, _width_fields(design, at.port, (wanted,)))
    if code == "wrong_shape":
        return _changed(design, _width_fields(design, at.port, at.source.shape))
    if code == "unknown_symbol":
        return (_with_text_options(design, at, "Take an unknown symbol for it", unknown=True), *_left_out(design))
    if code == "wrong_encoding":
        return with_wrong_bytes(design)
    if code == "control_characters" and "wrong_bytes" in reading_options(PurePath(at.binding.file or design.data.file)):
        return (with_wrong_bytes(design)[0], *_left_out(design))
    if code == "mixed_normal_forms":
        return (_with_text_options(design, at, "Compose letters and accents", normalise="nfc"),)
    if code == "not_finite":
        return (*_filled(design, at), *_left_out(design))
    if code in ("wrong_column_type", "label_needs_vector"):
        return _as_bits(design, at)
    return _left_out(design) if code in FAULTS else ()


def with_wrong_bytes(design: Design) -> tuple[Remedy, ...]:
    """Return the remedies for bytes that are no text: U+FFFD stands for them, or their rows are left out."""
    reading = design.data.reading
    replaced, marked = (msgspec.structs.replace(reading, wrong_bytes=each) for each in ("replace", "mark"))
    return (
        Remedy("Replace such bytes by U+FFFD", design.with_data(msgspec.structs.replace(design.data, reading=replaced))),
        Remedy(
            "Leave rows with such bytes out",
            design.with_data(msgspec.structs.replace(design.data, reading=marked, faulty_rows="leave_out")),
        ),
    )


def _left_out(design: Design) -> tuple[Remedy, ...]:
    """Return the remedy that leaves rows out that cannot be used."""
    left_out = design.with_data(msgspec.structs.replace(design.data, faulty_rows="leave_out"))
    return () if left_out == design else (Remedy("Leave such rows out", left_out),)


def _with_text_options(design: Design, at: Bound, words: str, **options: Any) -> Remedy:
    codec = at.binding.codec if isinstance(at.binding.codec, TextCodec) else TextCodec()
    return Remedy(words, _with_codec(design, at, msgspec.structs.replace(codec, **options)))


def _filled(design: Design, at: Bound) -> tuple[Remedy, ...]:
    """Return the remedy that takes the mean for missing numbers."""
    codec = at.binding.codec
    if codec is None:
        codec = VectorCodec() if at.port.role == "input" and len(at.port.type.shape) == 1 else ValuesCodec()
    if not isinstance(codec, VectorCodec | ValuesCodec) or codec.missing == "mean":
        return ()
    return (
        Remedy("Take the mean for missing numbers", _with_codec(design, at, msgspec.structs.replace(codec, missing="mean"))),
    )


def _as_bits(design: Design, at: Bound) -> tuple[Remedy, ...]:
    """Return the remedy that reads texts of zeros and ones as vectors, if the first rows are such texts."""
    if at.source.kind != "text" or at.port.role != "input" or len(at.port.type.shape) != 1:
        return ()
    texts = [text for chunk in at.source.page(0, _LOOKED_AT).texts() for text in chunk.to_pylist()]
    bits = bool(texts) and len(set(map(len, texts))) == 1 and all(text and set(text) <= {"0", "1"} for text in texts)
    return (Remedy("Read the digits as a vector of bits", _with_codec(design, at, BitsCodec())),) if bits else ()


def _with_codec(design: Design, at: Bound, codec: Codec) -> Design:
    new = msgspec.structs.replace(at.binding, codec=codec)
    bindings = tuple(new if each == at.binding else each for each in design.data.bindings)
    return design.with_data(msgspec.structs.replace(design.data, bindings=bindings))


def _padding_named(design: Design, at: Bound, pad_id: int) -> tuple[Remedy, ...]:
    codec = at.binding.codec if isinstance(at.binding.codec, IdsCodec) else IdsCodec()
    return (Remedy(f"Take id {pad_id} for padding", _with_codec(design, at, msgspec.structs.replace(codec, pad_id=pad_id))),)


def advice(design: Design, at: Bound, fit: Fit) -> tuple[Advice, ...]:
    """Advise to remove room for more symbols or labels than the data has."""
    if isinstance(fit.codec, FittedCategory) and at.binding.codec is None and (bits := _as_bits(design, at)):
        return (Advice("The texts are digits, 0 and 1, of one length, and each is taken for a label.", bits[0]),)
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
