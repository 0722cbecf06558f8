"""Two numbers of each row as a point, with the line on which they are equal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QWidget

from seqdec_gui.data.formats.base import Array
from seqdec_gui.gui.dialogs.errors.charts import Chart
from seqdec_gui.gui.look import theme


class ComparisonPlot(Chart):
    """Points `(x, y)`, those that are not finite left out. `chosen` is emitted with the place of a point that is clicked."""

    chosen = pyqtSignal(int)

    def __init__(self, name: str, title: str, bottom: str, left: str, parent: QWidget | None = None) -> None:
        self._dots = pg.ScatterPlotItem(size=7, pen=None, pxMode=True)
        self._line = pg.PlotDataItem()
        super().__init__(name, title, bottom, left, parent)
        self.points = np.zeros((0, 2))
        self.places: list[int] = []
        self.addItem(self._line)
        self.addItem(self._dots)
        self._dots.sigClicked.connect(self._on_dots_clicked)

    def show_points(self, x: Sequence[float | None], y: Sequence[float | None]) -> None:
        """Show a point for each place where both numbers are known."""
        both: Array = np.array([x, y], np.float64).T.reshape(-1, 2)
        kept = np.isfinite(both).all(axis=1)
        self.points, self.places = both[kept], np.flatnonzero(kept).tolist()
        self._dots.setData(x=self.points[:, 0], y=self.points[:, 1], data=self.places)
        ends = [float(self.points.min()), float(self.points.max())] if len(self.points) else []
        self._line.setData(ends, ends)
        self.autoRange()

    def say(self, bottom: str, left: str) -> None:
        """Give the axes other titles."""
        self._titles = {"bottom": bottom, "left": left}
        self._on_theme_changed()

    @pyqtSlot(object, object, object)
    def _on_dots_clicked(self, _item: Any, spots: Any, _event: Any) -> None:
        if len(spots):
            self.chosen.emit(int(spots[0].data()))

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        super()._on_theme_changed()
        self._dots.setBrush(theme.color(theme.current().accent))
        self._line.setPen(pg.mkPen(theme.color(theme.current().text_dim), style=Qt.DashLine))
