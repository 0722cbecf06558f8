"""Edits of a design's data, as functions from design to design; and what ports are called in the window."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from seqdec_gui.domain.bindings import Binding, Codec, Reading
from seqdec_gui.domain.dataflow import DataPort, port_for
from seqdec_gui.domain.design import Design

Ports = tuple[DataPort, ...]


def shown_name(port: DataPort) -> str:
    """`model_2.inputs` for what a decoder is fed with while it learns, else the port's own name: `latent.output`."""
    if port.generated:
        fed = [alias for alias in port.aliases if alias.endswith(".inputs")]
        return fed[0] if fed else port.port
    return port.port


def object_name(port: DataPort) -> str:
    """The end of its widgets' object names: `model_2_inputs`."""
    return shown_name(port).replace(".", "_")


def binding_of(design: Design, ports: Ports, port: DataPort) -> Binding | None:
    """What is bound to this port."""
    return next((binding for binding in design.data.bindings if port_for(ports, binding.port) == port), None)


def teacher_of(design: Design, ports: Ports, port: DataPort) -> DataPort | None:
    """The bound decoder input whose column gives the targets of this loss as well."""
    return next((other for other in ports if other.taught == port.name and binding_of(design, ports, other)), None)


def with_columns(design: Design, ports: Ports, port: DataPort, columns: Sequence[str]) -> Design:
    """These columns of the main file bound to the port; none unbinds it. The codec stays where one column is exchanged."""
    old = binding_of(design, ports, port)
    if not columns:
        return _with_binding(design, old, None)
    column = columns[0] if len(columns) == 1 else tuple(columns)
    if old is None:
        return _with_binding(design, None, Binding(shown_name(port), column))
    return _with_binding(design, old, msgspec.structs.replace(old, column=column, file=""))


def with_codec(design: Design, ports: Ports, port: DataPort, codec: Codec | None) -> Design:
    """Another codec for the port's binding; None: chosen from port and column."""
    old = binding_of(design, ports, port)
    return design if old is None else _with_binding(design, old, msgspec.structs.replace(old, codec=codec))


def with_split(design: Design, **changes: Any) -> Design:
    split = msgspec.structs.replace(design.data.split, **changes)
    return design.with_data(msgspec.structs.replace(design.data, split=split))


def with_reading(design: Design, **changes: Any) -> Design:
    reading = msgspec.structs.replace(design.data.reading, **changes)
    return design.with_data(msgspec.structs.replace(design.data, reading=reading))


def with_file(design: Design, path: Path, folder: Path | None) -> Design:
    """The design with this data file: relative where it lies below the design's folder, so that both can move together.

    How the former file was read says nothing about another.
    """
    file = path.absolute()
    if folder is not None and file.is_relative_to(folder.absolute()):
        file = file.relative_to(folder.absolute())
    name = file.as_posix()
    reading = design.data.reading if name == design.data.file else Reading()
    return design.with_data(msgspec.structs.replace(design.data, file=name, reading=reading))


def _with_binding(design: Design, old: Binding | None, new: Binding | None) -> Design:
    """The old binding replaced in its place, removed, or the new one added."""
    kept = [new if binding is old else binding for binding in design.data.bindings]
    if old is None:
        kept.append(new)
    bindings = tuple(binding for binding in kept if binding is not None)
    return design.with_data(design.data.with_bindings(bindings))
