"""A scatter of codes on a plane, coloured by a column; points are chosen by a click."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QPointF, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QWidget

from seqdec_gui.data.formats.base import Array
from seqdec_gui.gui.look import theme

REACH = 12
"""How far from a point a click may be, in pixels."""
MOST_LABELS = 10
"""The number of different texts up to which a column of text has a colour for each."""
COLOURS = "viridis"
"""The colour map of numbers: even steps of lightness, and readable without colour vision."""


class CodesPlot(pg.PlotWidget):
    """Points `(rows, 2)`. `chosen` is emitted with the place of a click, in the units of the plot, after `selected` changed.

    `selected` are the places in the list of the points that were clicked, the last one last; with Ctrl a second one is added.
    A click beside all points selects none. Object name `codes_plot`.
    """

    chosen = pyqtSignal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("codes_plot")
        self.setAccessibleName("Codes on the plane of their first two principal components")
        self.setMenuEnabled(False)
        self.hideButtons()
        self.selected: list[int] = []
        self._points = np.zeros((0, 2))
        self._values: Sequence[str] = ()
        self._dots = pg.ScatterPlotItem(size=7, pen=None, pxMode=True)
        self._line = pg.PlotDataItem()
        self._marks = pg.ScatterPlotItem(size=14, brush=None, pxMode=True)
        for item in (self._dots, self._line, self._marks):
            self.addItem(item)
        self.scene().sigMouseClicked.connect(self._on_scene_clicked)
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_points(self, points: Array, titles: tuple[str, str]) -> None:
        """Show points; `titles` are those of the axes."""
        self._points, self.selected = points, []
        for side, title in zip(("bottom", "left"), titles, strict=True):
            self.setLabel(side, title)
        self.colour_by(self._values if len(self._values) == len(points) else ())
        self._mark([])
        self.autoRange()

    def colour_by(self, values: Sequence[str]) -> None:
        """Colour the points by numbers, or by a few different texts; one colour for no values, or too many texts."""
        self._values = values
        look, count = theme.current(), len(self._points)
        shares = colour_shares(values) if len(values) == count else None
        if shares is None:
            brushes: Any = pg.mkBrush(look.accent)
        else:
            colours = pg.colormap.get(COLOURS)
            brushes = [pg.mkBrush(colours.map(float(share), "qcolor")) for share in shares]
        self._dots.setData(self._points[:, 0], self._points[:, 1], brush=brushes)

    def place_of(self, row: int) -> QPointF:
        """Return where a point is, in the coordinates of the widget."""
        scene = self.getPlotItem().vb.mapViewToScene(QPointF(*self._points[row]))
        return QPointF(self.mapFromScene(scene))

    def _on_scene_clicked(self, event: Any) -> None:
        if event.button() != Qt.LeftButton or not len(self._points):
            return
        box = self.getPlotItem().vb
        if not box.sceneBoundingRect().contains(event.scenePos()):
            return
        at = box.mapSceneToView(event.scenePos())
        pixel = box.viewPixelSize()
        distances = np.hypot((self._points[:, 0] - at.x()) / pixel[0], (self._points[:, 1] - at.y()) / pixel[1])
        nearest = int(distances.argmin())
        if distances[nearest] > REACH:
            self._mark([(at.x(), at.y())])
            self.selected = []
        else:
            more = self.selected[-1:] if event.modifiers() & Qt.ControlModifier else []
            self.selected = [*[row for row in more if row != nearest], nearest]
            self._mark([tuple(self._points[row]) for row in self.selected])
        event.accept()
        self.chosen.emit(at.x(), at.y())

    def _mark(self, places: list[tuple[float, float]]) -> None:
        found = np.array(places).reshape(-1, 2)
        self._marks.setData(found[:, 0], found[:, 1])
        self._line.setData(found[:, 0], found[:, 1])

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        look = theme.current()
        self.setBackground(look.surface)
        for side in ("bottom", "left"):
            axis = self.getAxis(side)
            axis.setPen(look.border)
            axis.setTextPen(look.text_dim)
        self._marks.setPen(pg.mkPen(look.text, width=2))
        self._line.setPen(pg.mkPen(look.text, width=1, style=Qt.DashLine))
        if len(self._points):
            self.colour_by(self._values)


def colour_shares(values: Sequence[str]) -> Array | None:
    """Return for each value its place on the colour map, 0 to 1: numbers by size, texts by their order; None for many texts."""
    try:
        numbers = np.array([float(value) for value in values])
    except ValueError:
        names = sorted(set(values))
        if len(names) > MOST_LABELS:
            return None
        numbers = np.array([names.index(value) for value in values], float)
    if not len(numbers) or not np.isfinite(numbers).all():
        return None
    least, most = np.percentile(numbers, [1, 99]) if len(numbers) > 100 else (numbers.min(), numbers.max())
    return np.asarray(np.clip((numbers - least) / max(most - least, 1e-30), 0, 1))
