"""The layers inside a block as a small graph that flows from top to bottom: places, lines of text and wires."""

from __future__ import annotations

from typing import NamedTuple

from PyQt5.QtCore import QPointF, QRectF

from seqdec_gui.domain.drawing.layout import Box, Edge, layered
from seqdec_gui.domain.graph import Call, Submodel
from seqdec_gui.domain.types import format_shape

BOX_WIDTH = 184.0
"""The width of the box of one layer, in scene units."""

BOX_HEIGHT = 56.0
"""The height of the box of one layer, in scene units."""

ROW_GAP = 26.0
"""The space between two rows of boxes, in scene units."""

MAX_LAYERS = 120
"""How many layers are shown; those beyond are only counted."""


class LayerBox(NamedTuple):
    """One layer or one Keras input: its place in the graph, three lines of text, and whether it is an input."""

    rect: QRectF
    lines: tuple[str, ...]
    is_input: bool


class LayerGraph(NamedTuple):
    """The boxes and wires of a submodel, in scene units from the graph's top left corner.

    `left_out` is the number of layers beyond MAX_LAYERS, which have no box.
    """

    boxes: tuple[LayerBox, ...]
    wires: tuple[tuple[QPointF, QPointF], ...]
    width: float
    height: float
    left_out: int


def layer_graph(submodel: Submodel) -> LayerGraph:
    """Return the graph of a submodel's inputs and layer calls."""
    calls = submodel.calls[:MAX_LAYERS]
    names: list[tuple[tuple[str, ...], bool]] = []
    edges: list[Edge] = []
    box_of: dict[str, int] = {}
    used = {variable for call in calls for variable in (*call.inputs, *call.initial_state)}
    for tensor in submodel.inputs:
        if tensor.variable in used or len(submodel.inputs) == 1:
            box_of[tensor.variable] = len(names)
            names.append(((tensor.name, "Input", format_shape(tensor.type.shape)), True))
    for call in calls:
        here = len(names)
        sources = dict.fromkeys(box_of[v] for v in (*call.inputs, *call.initial_state) if v in box_of)
        edges += [Edge(str(source), str(here), BOX_WIDTH / 2, BOX_WIDTH / 2) for source in sources]
        names.append((_lines(call), False))
        box_of.update((tensor.variable, here) for tensor in call.outputs)
    # The layout flows to the right; mirrored at the diagonal it flows down.
    places = layered({str(i): Box(BOX_HEIGHT, BOX_WIDTH) for i in range(len(names))}, edges)
    rows = sorted({x for x, _ in places.values()})
    row = {x: number for number, x in enumerate(rows)}
    boxes = []
    for i, (lines, is_input) in enumerate(names):
        x, y = places[str(i)]
        boxes.append(LayerBox(QRectF(y, row[x] * (BOX_HEIGHT + ROW_GAP), BOX_WIDTH, BOX_HEIGHT), lines, is_input))
    left = min((box.rect.left() for box in boxes), default=0.0)
    boxes = [box._replace(rect=box.rect.translated(-left, 0.0)) for box in boxes]
    wires = tuple((_bottom(boxes[int(edge.source)].rect), _top(boxes[int(edge.target)].rect)) for edge in edges)
    width = max((box.rect.right() for box in boxes), default=BOX_WIDTH)
    height = max((box.rect.bottom() for box in boxes), default=0.0)
    return LayerGraph(tuple(boxes), wires, width, height, len(submodel.calls) - len(calls))


def _lines(call: Call) -> tuple[str, ...]:
    layer = call.layer
    kind = f"{layer.type} {layer.inner.type}" if layer.inner is not None else layer.type
    count = f" · {call.parameters:,}" if call.parameters else ""
    return layer.name, kind + count, format_shape(call.outputs[0].type.shape)


def _top(rect: QRectF) -> QPointF:
    return QPointF(rect.center().x(), rect.top())


def _bottom(rect: QRectF) -> QPointF:
    return QPointF(rect.center().x(), rect.bottom())
