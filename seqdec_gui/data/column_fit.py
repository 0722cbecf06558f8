"""Decides from types alone, without reading rows, whether columns may be dropped on a port of the design. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from seqdec_gui.domain.data_edits import Ports, binding_of, shown_name, teacher_of
from seqdec_gui.domain.dataflow import DataPort, port_for
from seqdec_gui.domain.design import Design, Port

if TYPE_CHECKING:
    from seqdec_gui.data.formats.base import Column

WHERE = "columns go to inputs and to the targets of losses"
"""The end of a sentence that refuses a column: which ports take columns."""


class Offer(NamedTuple):
    """Whether a drop is allowed, and the sentence that says what it does or why it is refused."""

    ok: bool
    text: str


def port_at(design: Design, ports: Ports, block_id: str, port_name: str = "") -> DataPort | None:
    """Return the data port at a port of the canvas, or the only data port of a block; None if there is none."""
    if port_name:
        port = port_for(ports, f"{block_id}.{port_name}")
        if port is not None:
            return port
        lossy = port_for(ports, block_id)
        return lossy if lossy is not None and lossy.role == "target" else None
    own = port_for(ports, block_id)
    if own is not None:
        return own
    fed = [port for port in ports if any(alias.startswith(f"{block_id}.") for alias in port.aliases)]
    return fed[0] if len(fed) == 1 else None


def refusal(design: Design, block_id: str, port_name: str = "") -> str:
    """Return the sentence that refuses a drop at a place that is not a data port."""
    if port_name:
        into = design.into(Port(block_id, port_name))
        if into is not None:
            return f"{block_id}.{port_name} is fed by {into.source.block}: {WHERE}."
        return f"{block_id}.{port_name} takes a wire: put an input block before it and drop the column there."
    return f"{block_id} takes no column: {WHERE}."


def offer(design: Design, ports: Ports, port: DataPort, columns: Sequence[Column]) -> Offer:
    """Return whether these columns may be dropped on this port, and what the drop would do."""
    name = shown_name(port)
    bound = binding_of(design, ports, port)
    teacher = teacher_of(design, ports, port)
    if teacher is not None and bound is None:
        return Offer(False, f"{name} takes the column of {shown_name(teacher)}, one step ahead: nothing is to be bound.")
    fault = _several_fault(port, columns) if len(columns) > 1 else type_fault(port, columns[0])
    if fault:
        return Offer(False, fault)
    words = columns[0].name if len(columns) == 1 else f"{len(columns)} columns"
    text = f"Bind {words} to {name}"
    if bound is not None:
        text += f" instead of {', '.join(bound.columns[:3])}"
    return Offer(True, f"{text}.{_taught(port)}{_width(port, columns)}")


def type_fault(port: DataPort, column: Column) -> str:
    """Return why one column cannot feed the port; empty if it can."""
    name, steps, symbolic = shown_name(port), steps_of(port), is_symbolic(port)
    takes = f"{name} takes {port.type}"
    if column.kind == "text":
        return "" if symbolic else f"{column.name} holds text, {takes}: choose numbers."
    if column.kind == "array":
        ranks = (len(steps), len(steps) + 1) if symbolic else (len(port.type.shape),)
        if len(column.shape) in ranks:
            return ""
        shape = ", ".join(map(str, column.shape))
        return f"{column.name} holds arrays ({shape}), {takes}: the number of axes differs."
    if column.kind == "integer" and symbolic:
        return ""
    rank = len(steps) if symbolic else len(port.type.shape) - 1
    return f"{column.name} holds one number a row, {takes}: choose a column of sequences." if rank > 0 else ""


def _several_fault(port: DataPort, columns: Sequence[Column]) -> str:
    """Return why several columns cannot make up a vector for the port; empty if they can."""
    name = shown_name(port)
    if is_symbolic(port) or len(port.type.shape) != 1:
        return f"{name} takes one column: only vectors are made of several."
    wrong = next((column for column in columns if column.kind not in ("integer", "number")), None)
    return "" if wrong is None else f"Only columns of single numbers make one vector, {wrong.name} holds other values."


def is_symbolic(port: DataPort) -> bool:
    """Return whether the port takes symbols, classes or labels rather than numbers."""
    return port.type.dtype == "int32" or port.classes is not None or port.one_hot


def steps_of(port: DataPort) -> tuple[int | None, ...]:
    """Return the shape of the port without the axis of symbols or classes."""
    return port.type.shape if port.type.dtype == "int32" else port.type.shape[:-1]


def _taught(port: DataPort) -> str:
    return f" {port.taught} follows one step ahead." if port.taught else ""


def _width(port: DataPort, columns: Sequence[Column]) -> str:
    """Return a note for a vector of another width, which a button of the Data tab can correct; empty otherwise."""
    if is_symbolic(port) or len(port.type.shape) != 1:
        return ""
    wide = sum(column.shape[-1] if column.shape else 1 for column in columns)
    expected = port.type.shape[0]
    if expected in (None, wide):
        return ""
    numbers = "1 number" if wide == 1 else f"{wide} numbers"
    return f" It has {numbers} a row, not {expected}: the Data tab offers to mend that."
