"""Edits of a design's data, as functions from design to design, and the names of ports in the window."""

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
    """Return the name of a port in the window: `model_2.inputs` for the input of a decoder, else `latent.output`."""
    if port.generated:
        fed = [alias for alias in port.aliases if alias.endswith(".inputs")]
        return fed[0] if fed else port.port
    return port.port


def object_name(port: DataPort) -> str:
    """Return the ending of the object names of the port's widgets: `model_2_inputs`."""
    return shown_name(port).replace(".", "_")


def binding_of(design: Design, ports: Ports, port: DataPort) -> Binding | None:
    """Return the binding of this port; None if it is unbound."""
    return next((binding for binding in design.data.bindings if port_for(ports, binding.port) == port), None)


def teacher_of(design: Design, ports: Ports, port: DataPort) -> DataPort | None:
    """Return the bound decoder input whose column also gives the targets of this loss; None if there is none."""
    return next((other for other in ports if other.taught == port.name and binding_of(design, ports, other)), None)


def with_columns(design: Design, ports: Ports, port: DataPort, columns: Sequence[str]) -> Design:
    """Return the design with these columns of the main file bound to the port, or with the port unbound if there are none.

    A port that was bound before keeps its codec.
    """
    old = binding_of(design, ports, port)
    if not columns:
        return _with_binding(design, old, None)
    column = columns[0] if len(columns) == 1 else tuple(columns)
    if old is None:
        return _with_binding(design, None, Binding(shown_name(port), column))
    return _with_binding(design, old, msgspec.structs.replace(old, column=column, file=""))


def with_codec(design: Design, ports: Ports, port: DataPort, codec: Codec | None) -> Design:
    """Return the design with another codec for the port's binding; with None it is chosen to suit port and column."""
    old = binding_of(design, ports, port)
    return design if old is None else _with_binding(design, old, msgspec.structs.replace(old, codec=codec))


def with_split(design: Design, **changes: Any) -> Design:
    split = msgspec.structs.replace(design.data.split, **changes)
    return design.with_data(msgspec.structs.replace(design.data, split=split))


def with_reading(design: Design, **changes: Any) -> Design:
    reading = msgspec.structs.replace(design.data.reading, **changes)
    return design.with_data(msgspec.structs.replace(design.data, reading=reading))


def with_file(design: Design, path: Path, folder: Path | None) -> Design:
    """Return the design with this data file. The path is relative if the file lies in the design's folder, so both can move.

    The reading options of the former file do not apply to another file and are reset.
    """
    file = path.absolute()
    if folder is not None and file.is_relative_to(folder.absolute()):
        file = file.relative_to(folder.absolute())
    name = file.as_posix()
    reading = design.data.reading if name == design.data.file else Reading()
    return design.with_data(msgspec.structs.replace(design.data, file=name, reading=reading))


def _with_binding(design: Design, old: Binding | None, new: Binding | None) -> Design:
    """Replace the old binding in its place, remove it if `new` is None, or add the new binding if `old` is None."""
    kept = [new if binding is old else binding for binding in design.data.bindings]
    if old is None:
        kept.append(new)
    bindings = tuple(binding for binding in kept if binding is not None)
    return design.with_data(design.data.with_bindings(bindings))
