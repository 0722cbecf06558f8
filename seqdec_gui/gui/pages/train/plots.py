"""A plot of curves by metric: a legend above it, one `setData` per changed curve, and a cross hair."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QEvent, QObject, QPointF, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QFrame, QVBoxLayout, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.train.axes import PositionAxis, ValueAxis, restyle
from seqdec_gui.gui.pages.train.chips import Chip, Legend
from seqdec_gui.runs.curves import Axis, Curve, Smoothing

FEW_POINTS = 40
"""The number of points up to which a curve with one point per epoch marks them."""
SAMPLES_PER_PIXEL = 2.0
"""The points per pixel above which a line is drawn from a part of them."""
SYMBOL_SIZE = 5
"""The diameter of the mark of a point, in pixels."""
RAW = " (raw)"
"""The ending of the name of an unsmoothed curve."""


class Series(msgspec.Struct, frozen=True):
    """A curve of a plot. `name` is the metric, or metric and run.

    `sparse`: the curve has one point per epoch; points are marked and not smoothed. `group`: the earlier run of a faint curve;
    all curves of that run share one chip.
    """

    name: str
    text: str
    color: str
    curve: Curve
    sparse: bool = False
    group: str = ""

    @property
    def faint(self) -> bool:
        return bool(self.group)

    @property
    def key(self) -> str:
        """Return the name of the curve's chip."""
        return self.group or self.name


class Look(msgspec.Struct, frozen=True):
    """The settings that all plots share."""

    axis: Axis = "step"
    smoothing: float = 0.0
    log: bool = False


class _Drawn:
    """A series on the plot, with what of it has been drawn."""

    def __init__(self, plot: Any, name: str) -> None:
        self.item = _line(plot, name)
        self.raw: Any = None
        self.series: Series | None = None
        self.stamp: tuple[object, ...] = ()
        self.smoothing = Smoothing(0.0)
        self._smoothed: tuple[object, ...] = ()

    def values(self, series: Series, weight: float) -> Any:
        """Return the smoothed values.

        They are computed again from the start only if points were removed or the weight changed.
        """
        basis = (id(series.curve), series.curve.resets, weight)
        if basis != self._smoothed:
            self.smoothing = Smoothing(weight)
            self._smoothed = basis
        return self.smoothing.of(series.curve.values)


class MetricPlot(QFrame):
    """A plot with its legend. `show_series` draws what changed since the last call; call it at most 20 times a second."""

    pointed = pyqtSignal(float)  # the horizontal position under the mouse
    left = pyqtSignal()  # the mouse has left the plot
    ranged = pyqtSignal(float, float)  # the user moved or zoomed to these limits
    fitted = pyqtSignal()  # a double click: show everything
    toggled = pyqtSignal()  # a curve was hidden or shown

    def __init__(
        self,
        title: str,
        object_name: str,
        write: Callable[[str, float | None], str],
        from_zero: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        """Make an empty plot.

        `write` returns a value as text for the legend; with `from_zero` the vertical axis begins at zero.
        """
        super().__init__(parent)
        self._from_zero = from_zero
        self._fitted = True
        self._fitted_to: tuple[object, ...] = (None, "", None)
        self._write = write
        self._drawn: dict[str, _Drawn] = {}
        self._look = Look()
        self._hidden: set[str] = set()
        self.value_axis = ValueAxis()
        self.position_axis = PositionAxis()
        self.plot = pg.PlotWidget(enableMenu=False, axisItems={"bottom": self.position_axis, "left": self.value_axis})
        self.plot.setObjectName(object_name)
        self.plot.setAccessibleName(f"Plot of {title.lower()}")
        self.plot.hideButtons()
        self.plot.setMinimumHeight(40)
        self.plot.setFrameShape(QFrame.NoFrame)
        self.plot.getPlotItem().setContentsMargins(0, 2, 10, 0)
        self._box = self.plot.getPlotItem().getViewBox()
        self._box.setDefaultPadding(0.02)
        self._cross = pg.InfiniteLine(angle=90, movable=False)
        self._cross.setZValue(50)
        self._cross.hide()
        self.plot.addItem(self._cross, ignoreBounds=True)
        self.legend = Legend(title)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.SPACE, theme.SPACE, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.legend)
        layout.addWidget(self.plot, 1)
        self._box.sigRangeChangedManually.connect(self._on_box_range_changed)
        self.plot.scene().sigMouseMoved.connect(self._on_scene_mouse_moved)
        self.plot.viewport().installEventFilter(self)
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    # -- drawing
    def show_series(self, curves: Iterable[Series], look: Look) -> None:
        """Draw these curves and remove all others. Unchanged curves cost nothing."""
        curves = [series for series in curves if series.curve.count]
        if look.log != self._look.log:
            self.plot.setLogMode(y=look.log)
        if look.axis != self._look.axis:
            self.position_axis.set_axis(look.axis)
        self._look = look
        for name in self._drawn.keys() - {series.name for series in curves}:
            self._remove(name)
        for series in curves:
            self._show(series)
        self.legend.arrange(list(dict.fromkeys(series.key for series in curves)))
        if self._from_zero and self._fitted and not look.log:
            self._box.setYRange(0.0, self._highest() or 1.0, padding=0.06)

    def _highest(self) -> float:
        shown = [drawn.series.curve for drawn in self._drawn.values() if drawn.series and drawn.item.isVisible()]
        return max((float(curve.values.max()) for curve in shown), default=0.0)

    @property
    def farthest(self) -> float:
        """Return the greatest horizontal position of all curves."""
        curves = [drawn.series.curve for drawn in self._drawn.values() if drawn.series]
        return max((float(curve.along(self._look.axis)[-1]) for curve in curves if curve.count), default=0.0)

    def _show(self, series: Series) -> None:
        drawn = self._drawn.get(series.name)
        if drawn is None:
            drawn = self._drawn[series.name] = _Drawn(self.plot, series.name)
            drawn.item.setVisible(series.key not in self._hidden)
        chip = self._chip(series)
        look, curve = self._look, series.curve
        weight = 0.0 if series.sparse and look.axis != "epoch" else look.smoothing
        stamp = (id(curve), curve.version, look.axis, weight, look.log)
        if drawn.series is None or drawn.series.color != series.color:
            self._paint(drawn, series)
        drawn.series = series
        if stamp == drawn.stamp:
            return
        drawn.stamp = stamp
        positions, values = curve.along(look.axis), drawn.values(series, weight)
        few = curve.count == 1 or (series.sparse and curve.count <= FEW_POINTS)
        drawn.item.setData(positions, values, symbol="o" if few else None, symbolSize=SYMBOL_SIZE, skipFiniteCheck=True)
        self._show_raw(drawn, series, positions, weight)
        if not series.group:
            chip.set_value(self._write(series.name, float(curve.values[-1])))

    def _chip(self, series: Series) -> Chip:
        key = series.key
        if key in self.legend.chips:
            chip = self.legend.chips[key]
            if not series.group:
                chip.set_color(series.color)
            return chip
        chip = self.legend.chip(key, series.text, series.color, "" if series.group else "0.0000")
        chip.setChecked(key not in self._hidden)
        chip.toggled.connect(lambda on: self._toggle(key, on))
        return chip

    def _show_raw(self, drawn: _Drawn, series: Series, positions: Any, weight: float) -> None:
        """Draw the unsmoothed curve faintly behind a smoothed one."""
        if weight <= 0 or series.faint:
            if drawn.raw is not None:
                self.plot.removeItem(drawn.raw)
                drawn.raw = None
            return
        if drawn.raw is None:
            drawn.raw = _line(self.plot, series.name + RAW)
            drawn.raw.setZValue(-10)
            drawn.raw.setVisible(drawn.item.isVisible())
            self._paint(drawn, series)
        drawn.raw.setData(positions, series.curve.values, skipFiniteCheck=True)

    def _paint(self, drawn: _Drawn, series: Series) -> None:
        color = theme.color(series.color, 0.6 if series.faint else 1.0)
        drawn.item.setPen(pg.mkPen(color, width=1))
        drawn.item.setSymbolBrush(color)
        drawn.item.setSymbolPen(pg.mkPen(color))
        drawn.item.setZValue(-5 if series.faint else 5)
        if drawn.raw is not None:
            drawn.raw.setPen(pg.mkPen(theme.color(series.color, 0.3), width=1))

    def _remove(self, name: str) -> None:
        drawn = self._drawn.pop(name)
        self.plot.removeItem(drawn.item)
        if drawn.raw is not None:
            self.plot.removeItem(drawn.raw)

    def _toggle(self, key: str, on: bool) -> None:
        (self._hidden.discard if on else self._hidden.add)(key)
        for drawn in self._drawn.values():
            if drawn.series is not None and drawn.series.key == key:
                drawn.item.setVisible(on)
                if drawn.raw is not None:
                    drawn.raw.setVisible(on)
        self._box.updateAutoRange()
        self.toggled.emit()

    def hide_at_first(self, name: str) -> None:
        """Hide a curve until its chip is clicked."""
        self._hidden.add(name)

    # -- the range
    def fit(self, high: float) -> None:
        """Show all positions from zero to `high`; the vertical range follows the curves."""
        view = (high, self._look.axis, self._look.log)
        if view == self._fitted_to:
            return
        if not self._fitted or self._fitted_to[1:] != view[1:]:
            self._box.setAutoVisible(y=False)
            self._box.enableAutoRange(y=not self._from_zero or self._look.log)
        self._fitted = True
        self._fitted_to = view
        self._box.setXRange(0.0, high or 1.0, padding=0.02)

    def set_range(self, low: float, high: float) -> None:
        """Show these positions; the vertical range follows the visible part of the curves."""
        self._fitted = False
        self._fitted_to = (None, "", None)
        self._box.setXRange(low, high, padding=0)
        self._box.setAutoVisible(y=True)
        self._box.enableAutoRange(y=True)

    @pyqtSlot(object)
    def _on_box_range_changed(self, _axes: object) -> None:
        self._fitted = False
        self._fitted_to = (None, "", None)
        low, high = self._box.viewRange()[0]
        self.ranged.emit(low, high)

    # -- the cross hair
    def point_at(self, position: float | None) -> None:
        """Show the cross hair and the values at a position; with None, the last values."""
        self._cross.setVisible(position is not None)
        if position is not None:
            self._cross.setValue(position)
        for name, drawn in self._drawn.items():
            if name not in self.legend.chips:
                continue
            value = _value_at(drawn, self._look.axis, position)
            self.legend.chips[name].set_value("" if value is None else self._write(name, value))

    @pyqtSlot(object)
    def _on_scene_mouse_moved(self, at: QPointF) -> None:
        if self._box.sceneBoundingRect().contains(at):
            self.pointed.emit(float(self._box.mapSceneToView(at).x()))
        else:
            self.left.emit()

    def eventFilter(self, watched: QObject | None, event: QEvent) -> bool:
        if watched is self.plot.viewport():
            if event.type() == QEvent.Leave:
                self.left.emit()
            elif event.type() == QEvent.MouseButtonDblClick and event.button() == Qt.LeftButton:
                self.fitted.emit()
        return False

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        look = theme.current()
        self.plot.setBackground(theme.color(look.surface))
        for axis in (self.value_axis, self.position_axis):
            restyle(axis)
        self.plot.showGrid(x=False, y=True, alpha=0.9)
        self._cross.setPen(pg.mkPen(theme.color(look.text_dim), width=1))
        for drawn in self._drawn.values():
            drawn.series = None  # the owner sends the new colours


def _line(plot: Any, name: str) -> Any:
    item = pg.PlotDataItem(name=name, autoDownsampleFactor=SAMPLES_PER_PIXEL)
    plot.addItem(item)  # first, because it resets the following settings to those of the plot
    item.setDownsampling(auto=True, method="peak")
    item.setClipToView(True)
    return item


def _value_at(drawn: _Drawn, axis: Axis, position: float | None) -> float | None:
    """Return the value at the point nearest to a position; None before the first point and beyond the last."""
    curve = drawn.series.curve if drawn.series else None
    if curve is None or not curve.count:
        return None
    values = drawn.values(drawn.series, drawn.smoothing.weight) if drawn.series else curve.values
    if position is None:
        return float(curve.values[-1])
    positions = curve.along(axis)
    index = int(np.searchsorted(positions, position))
    last = index == len(positions)
    if last or (index and position - positions[index - 1] < positions[index] - position):
        index -= 1
    return float(values[index])
