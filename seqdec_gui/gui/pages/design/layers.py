"""The layers inside a block, as a small read-only graph that flows from top to bottom; `block_item` paints it."""

from __future__ import annotations

from typing import NamedTuple

from PyQt5.QtCore import QPointF, QRectF

from seqdec_gui.domain.drawing.layout import Box, Edge, layered
from seqdec_gui.domain.graph import Call, Submodel
from seqdec_gui.domain.types import format_shape

WIDTH, HEIGHT = 184.0, 56.0
GAP = 26.0
MOST = 120


class LayerBox(NamedTuple):
    """One layer or one Keras input: its place inside the block, three lines of text, and whether it is an input."""

    rect: QRectF
    lines: tuple[str, ...]
    is_input: bool


class Inside(NamedTuple):
    """What an expanded block shows. `left_out` layers did not fit into the picture."""

    boxes: tuple[LayerBox, ...]
    wires: tuple[tuple[QPointF, QPointF], ...]
    width: float
    height: float
    left_out: int


def inside(submodel: Submodel) -> Inside:
    """The graph of the submodel's inputs and calls; at most 120 layers of it."""
    calls = submodel.calls[:MOST]
    names: list[tuple[tuple[str, ...], bool]] = []
    edges: list[Edge] = []
    holder: dict[str, int] = {}
    used = {variable for call in calls for variable in (*call.inputs, *call.initial_state)}
    for tensor in submodel.inputs:
        if tensor.variable in used or len(submodel.inputs) == 1:
            holder[tensor.variable] = len(names)
            names.append(((tensor.name, "Input", format_shape(tensor.type.shape)), True))
    for call in calls:
        here = len(names)
        sources = dict.fromkeys(holder[v] for v in (*call.inputs, *call.initial_state) if v in holder)
        edges += [Edge(str(source), str(here), WIDTH / 2, WIDTH / 2) for source in sources]
        names.append((_lines(call), False))
        holder.update((tensor.variable, here) for tensor in call.outputs)
    # The layout flows to the right; mirrored at the diagonal it flows down.
    places = layered({str(i): Box(HEIGHT, WIDTH) for i in range(len(names))}, edges)
    rows = sorted({x for x, _ in places.values()})
    row = {x: number for number, x in enumerate(rows)}
    boxes = []
    for i, (lines, is_input) in enumerate(names):
        x, y = places[str(i)]
        boxes.append(LayerBox(QRectF(y, row[x] * (HEIGHT + GAP), WIDTH, HEIGHT), lines, is_input))
    left = min((box.rect.left() for box in boxes), default=0.0)
    boxes = [box._replace(rect=box.rect.translated(-left, 0.0)) for box in boxes]
    wires = tuple((_bottom(boxes[int(edge.source)].rect), _top(boxes[int(edge.target)].rect)) for edge in edges)
    width = max((box.rect.right() for box in boxes), default=WIDTH)
    height = max((box.rect.bottom() for box in boxes), default=0.0)
    return Inside(tuple(boxes), wires, width, height, len(submodel.calls) - len(calls))


def _lines(call: Call) -> tuple[str, ...]:
    layer = call.layer
    kind = f"{layer.type} {layer.inner.type}" if layer.inner is not None else layer.type
    count = f" · {call.parameters:,}" if call.parameters else ""
    return layer.name, kind + count, format_shape(call.outputs[0].type.shape)


def _top(rect: QRectF) -> QPointF:
    return QPointF(rect.center().x(), rect.top())


def _bottom(rect: QRectF) -> QPointF:
    return QPointF(rect.center().x(), rect.bottom())
