"""Draws what happened to the run: lines with signs at the top, the best weights on the curve, the last ones at the bottom."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QRectF
from PyQt5.QtGui import QPainterPath, QPolygonF

from seqdec_gui.gui.look import theme
from seqdec_gui.runs.curves import Axis
from seqdec_gui.runs.marks import Mark, MarkKind

SIGN_SIZE = 11
"""The size of a sign, in pixels."""
REACH = 6
"""How near the cross hair has to be to a mark to name it, in pixels."""


def _pause() -> QPainterPath:
    path = QPainterPath()
    for left in (-0.45, 0.1):
        path.addRect(QRectF(left, -0.5, 0.35, 1.0))
    return path


def _play() -> QPainterPath:
    path = QPainterPath()
    path.addPolygon(QPolygonF([pg.Point(-0.4, -0.5), pg.Point(0.5, 0.0), pg.Point(-0.4, 0.5)]))
    path.closeSubpath()
    return path


def _branch() -> QPainterPath:
    """A line that goes on, and one that leaves it."""
    path = QPainterPath()
    path.addRect(QRectF(-0.45, -0.5, 0.18, 1.0))
    path.addPolygon(QPolygonF([pg.Point(-0.3, 0.25), pg.Point(0.35, -0.5), pg.Point(0.5, -0.35), pg.Point(-0.3, 0.5)]))
    path.closeSubpath()
    return path


SIGNS: dict[MarkKind, str | QPainterPath] = {
    "learning_rate": "d", "pause": _pause(), "resume": _play(), "fork": _branch(),
    "checkpoint": "s", "saved": "s", "best": "star",
}  # fmt: skip
"""The sign of each kind: shapes, not colours, say what happened."""


class MarkLayer:
    """The marks of one plot. They take no part in its range. `height_at(place)` is where the curve of the best weights runs."""

    def __init__(self, box: pg.ViewBox, height_at: Callable[[float], float | None]) -> None:
        self._box = box
        self._height_at = height_at
        self._marks: Sequence[Mark] = ()
        self._axis: Axis = "step"
        self._signed = True
        self._lines = pg.PlotCurveItem(connect="pairs")
        self._lines.setZValue(-8)
        self._signs = pg.ScatterPlotItem(pxMode=True)
        self._signs.setZValue(40)
        for item in (self._lines, self._signs):
            box.addItem(item, ignoreBounds=True)
        box.sigRangeChanged.connect(self._on_box_range_changed)

    @property
    def marks(self) -> Sequence[Mark]:
        """Return the marks that are drawn."""
        return self._marks

    def show_marks(self, marks: Sequence[Mark], axis: Axis) -> None:
        """Draw these marks along an axis."""
        if marks or self._marks:
            self._marks, self._axis = marks, axis
            self._draw()

    def set_signed(self, signed: bool) -> None:
        """Draw the signs, or the lines alone, as in a low plot."""
        if signed != self._signed:
            self._signed = signed
            self._draw()

    def words_at(self, position: float) -> str:
        """Return what happened at a place, as far as the cross hair points at it; empty if nothing did."""
        (low, high), width = self._box.viewRange()[0], max(1.0, self._box.width())
        reach = REACH * (high - low) / width
        near = sorted((abs(mark.along(self._axis) - position), mark.text) for mark in self._marks)
        return "; ".join(dict.fromkeys(text for distance, text in near if distance <= reach))

    def restyle(self) -> None:
        """Take the colours of the theme."""
        self._draw()

    def _draw(self) -> None:
        (left, right), (low, high) = self._box.viewRange()
        seen = [mark for mark in self._marks if left <= mark.along(self._axis) <= right]
        places = np.array([mark.along(self._axis) for mark in seen if mark.kind not in ("saved", "best")])
        self._lines.setData(np.repeat(places, 2), np.tile([low, high], len(places)))
        look = theme.current()
        ink, ground = theme.color(look.text_dim), theme.color(look.surface)
        self._lines.setPen(pg.mkPen(theme.color(look.text_dim, 0.55), width=1))
        self._signs.setData(
            [
                {
                    "pos": (mark.along(self._axis), self._height(mark, low, high)),
                    "symbol": SIGNS[mark.kind],
                    "size": SIGN_SIZE + (4 if mark.kind == "best" else 0) - (4 if mark.kind == "saved" else 0),
                    "pen": pg.mkPen(ink if mark.kind != "best" else theme.color(look.text), width=1),
                    "brush": ground if mark.kind in ("saved", "best") else ink,
                }
                for mark in (seen if self._signed else [])
            ]
        )

    def _height(self, mark: Mark, low: float, high: float) -> float:
        pixel: float = (high - low) / max(1.0, self._box.height())
        if mark.kind == "best":
            on_curve = self._height_at(mark.along(self._axis))
            if on_curve is not None:
                return on_curve
        return low + SIGN_SIZE / 2 * pixel if mark.kind in ("saved", "best") else high - (SIGN_SIZE / 2 + 2) * pixel

    def _on_box_range_changed(self, *_range: object) -> None:
        if self._marks:
            self._draw()
