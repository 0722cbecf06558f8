"""A plot of curves by metric: a legend above it, one `setData` per changed curve, marks, and a cross hair with its position."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QEvent, QObject, QPoint, QPointF, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QFrame, QLabel, QMenu, QVBoxLayout, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.train.awaited import AwaitedLabel
from seqdec_gui.gui.pages.train.axes import TITLE_FROM, PositionAxis, ValueAxis, restyle
from seqdec_gui.gui.pages.train.chips import Chip, Legend
from seqdec_gui.gui.pages.train.line_look import style
from seqdec_gui.gui.pages.train.mark_layer import MarkLayer
from seqdec_gui.runs.curves import Axis, Curve, Smoothing
from seqdec_gui.runs.marks import Mark

FEW_POINTS = 40
"""The number of points up to which a curve with one point per epoch marks them."""
SAMPLES_PER_PIXEL = 2.0
"""The points per pixel above which a line is drawn from a part of them."""
SYMBOL_SIZE = 5
"""The diameter of the mark of a point, in pixels."""
SEPARATOR = " · "
"""What stands between metric and run in the name of a curve of an earlier run."""
RAW = " (raw)"
"""The ending of the name of an unsmoothed curve."""


class Series(msgspec.Struct, frozen=True):
    """A curve of a plot. `name` is the metric, or metric and run.

    `sparse`: the curve has one point per epoch; points are marked and not smoothed. `group`: the earlier run of the curve; all
    curves of that run share one colour and one chip, which shows their values in order. `pattern` is the number of the style of
    the line (`line_look.style`), the same for a metric in all runs.
    """

    name: str
    text: str
    color: str
    curve: Curve
    sparse: bool = False
    group: str = ""
    pattern: int = 0

    @property
    def metric(self) -> str:
        """Return the metric that the curve shows."""
        return self.name.partition(SEPARATOR)[0] if self.group else self.name

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
    fork_requested = pyqtSignal(float)  # a new run is to go on from this horizontal position

    def __init__(
        self,
        title: str,
        object_name: str,
        write: Callable[[str, float | None], str],
        from_zero: bool = False,
        unit: str = "",
        parent: QWidget | None = None,
    ) -> None:
        """Make an empty plot.

        `write` returns a value as text for the legend; with `from_zero` the vertical axis begins at zero. `unit` is the title
        of that axis, by default the title of the plot.
        """
        super().__init__(parent)
        self._from_zero = from_zero
        self._fitted = True
        self._fitted_to: tuple[object, ...] = (None, "", None)
        self._write = write
        self._drawn: dict[str, _Drawn] = {}
        self._look = Look()
        self._hidden: set[str] = set()
        self._position: float | None = None
        self.value_axis = ValueAxis(unit or title)
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
        self._box.setMouseEnabled(False, False)
        self._cross = pg.InfiniteLine(angle=90, movable=False)
        self._cross.setZValue(50)
        self._cross.hide()
        self.plot.addItem(self._cross, ignoreBounds=True)
        self._place = QLabel(self.plot.viewport(), objectName=f"{object_name}_position")
        self._place.setProperty("role", "position")
        self._place.setAttribute(Qt.WA_TransparentForMouseEvents)
        self._place.hide()
        self._awaited = AwaitedLabel(f"{object_name}_awaited", self.plot.viewport())
        self.marks = MarkLayer(self._box, self._best_height)
        self.legend = Legend(title)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.SPACE, theme.SPACE, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.legend)
        layout.addWidget(self.plot, 1)
        self._box.sigRangeChanged.connect(self._place_words)
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
        self._drawn = {series.name: self._drawn[series.name] for series in curves}  # in the order of the legend
        self.legend.arrange(list(dict.fromkeys(series.key for series in curves)))
        self._show_values()
        self._box.setMouseEnabled(bool(curves), bool(curves))  # a range chosen before the first value would hide the curve
        self._show_axes(bool(curves))
        if self._from_zero and self._fitted and not look.log:
            self._show_from_zero()

    def show_awaited(self, words: str) -> None:
        """Show what is awaited as long as there is no curve."""
        if words != self._awaited.text():
            self._awaited.setText(words)

    def _show_axes(self, on: bool) -> None:
        """Show the axes, or instead of them, which without a curve would show numbers of nothing, what is awaited."""
        if on != self._awaited.isHidden():
            self._awaited.setHidden(on)
            for axis in (self.value_axis, self.position_axis):
                axis.show() if on else axis.hide()

    def _show_from_zero(self) -> None:
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
        self._chip(series)
        look, curve = self._look, series.curve
        weight = 0.0 if series.sparse and look.axis != "epoch" else look.smoothing
        stamp = (id(curve), curve.version, look.axis, weight, look.log)
        if drawn.series is None or (drawn.series.color, drawn.series.pattern) != (series.color, series.pattern):
            self._paint(drawn, series)
        drawn.series = series
        if stamp == drawn.stamp:
            return
        drawn.stamp = stamp
        positions, values = curve.along(look.axis), drawn.values(series, weight)
        few = curve.count == 1 or (series.sparse and curve.count <= FEW_POINTS)
        drawn.item.setData(positions, values, symbol="o" if few else None, symbolSize=SYMBOL_SIZE, skipFiniteCheck=True)
        self._show_raw(drawn, series, positions, weight)

    def _chip(self, series: Series) -> Chip:
        key = series.key
        pattern = style(0 if series.group else series.pattern)
        if key in self.legend.chips:
            chip = self.legend.chips[key]
            chip.setText(series.text)
            chip.set_look(series.color, pattern)
            return chip
        chip = self.legend.chip(key, series.text, series.color, "0.0000")
        chip.set_look(series.color, pattern)
        chip.setChecked(key not in self._hidden)
        chip.toggled.connect(lambda on: self._toggle(key, on))
        return chip

    def _show_raw(self, drawn: _Drawn, series: Series, positions: Any, weight: float) -> None:
        """Draw the unsmoothed curve faintly behind a smoothed one."""
        if weight <= 0 or series.group:
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
        color = theme.color(series.color)
        drawn.item.setPen(pg.mkPen(color, width=1, style=style(series.pattern)))
        drawn.item.setSymbolBrush(color)
        drawn.item.setSymbolPen(pg.mkPen(color))
        drawn.item.setZValue(-5 if series.group else 5)
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
            follows = not self._from_zero or self._look.log
            self._box.setAutoVisible(y=False)
            self._box.enableAutoRange(y=follows)
            if follows:
                self._box.updateAutoRange()  # which `enableAutoRange` leaves out where the range followed the visible part
            else:
                self._show_from_zero()
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

    # -- marks
    def show_marks(self, marks: Sequence[Mark]) -> None:
        """Draw what happened to the run besides its steps."""
        self.marks.show_marks(marks, self._look.axis)

    def _best_height(self, position: float) -> float | None:
        """Return where the sign of the best weights belongs: on the curve of the validation, else on that of the training."""
        for name in ("val_loss", "loss"):
            drawn = self._drawn.get(name)
            value = None if drawn is None or not drawn.item.isVisible() else _value_at(drawn, self._look.axis, position)
            if value is not None:
                return math.log10(value) if self._look.log and value > 0 else value
        return None

    # -- the cross hair
    def point_at(self, position: float | None) -> None:
        """Show the cross hair, its position and the values there; with None, the last values."""
        self._position = position
        self._cross.setVisible(position is not None)
        self._place.setVisible(position is not None)
        if position is not None:
            self._cross.setValue(position)
            self._place_words()
        self._show_values()

    @pyqtSlot()
    def _place_words(self, *_range: object) -> None:
        """Put the position, and what happened there, below the foot of the cross hair, where it hides no curve."""
        if self._position is None:
            return
        words, happened = self.position_axis.words(self._position), self.marks.words_at(self._position)
        room = self.plot.viewport().width()
        self._place.setText(f"{words}  ·  {happened}" if happened else words)
        self._place.adjustSize()
        if self._place.width() > room:
            self._place.setText(words)
            self._place.adjustSize()
        area = self._box.sceneBoundingRect()
        foot = self.plot.mapFromScene(self._box.mapViewToScene(QPointF(self._position, 0.0)))
        left = min(max(0, foot.x() - self._place.width() // 2), max(0, room - self._place.width()))
        self._place.move(left, round(area.bottom()) + 1)

    def _show_values(self) -> None:
        """Write the values at the cross hair, or the last ones, into the legend; the chip of a run has those of all its curves.

        They stand in the order of the curves of the run that is shown.
        """
        texts: dict[str, list[str]] = {}
        for drawn in self._drawn.values():
            if drawn.series is not None and drawn.series.key in self.legend.chips:
                value = _value_at(drawn, self._look.axis, self._position)
                text = "–" if value is None else self._write(drawn.series.metric, value)
                texts.setdefault(drawn.series.key, []).append(text)
        for key, several in texts.items():
            self.legend.chips[key].set_value("  ".join(several))

    @pyqtSlot(object)
    def _on_scene_mouse_moved(self, at: QPointF) -> None:
        if self._box.sceneBoundingRect().contains(at):
            self.pointed.emit(float(self._box.mapSceneToView(at).x()))
        else:
            self.left.emit()

    def _show_details(self) -> None:
        """Show titles and signs where the plot is high enough; the legend above it takes what room it needs first."""
        roomy = self.plot.height() >= TITLE_FROM
        self.position_axis.set_titled(roomy)
        self.value_axis.set_titled(roomy)
        self.marks.set_signed(roomy)

    def eventFilter(self, watched: QObject | None, event: QEvent) -> bool:
        if watched is self.plot.viewport():
            if event.type() == QEvent.Resize:
                self._show_details()
                self._awaited.fill()
            elif event.type() == QEvent.Leave:
                self.left.emit()
            elif event.type() == QEvent.MouseButtonDblClick and event.button() == Qt.LeftButton:
                self.fitted.emit()
            elif event.type() == QEvent.ContextMenu:
                self._open_menu(event.pos(), event.globalPos())
        return False

    def _open_menu(self, at: QPoint, on_screen: QPoint) -> None:
        """Offer what can be done from a place of the curves."""
        position = float(self._box.mapSceneToView(self.plot.mapToScene(at)).x())
        menu = QMenu(self, objectName="plot_menu")
        menu.setAttribute(Qt.WA_DeleteOnClose)
        menu.addAction("New Run from Here…", lambda: self.fork_requested.emit(position)).setObjectName("plot_fork")
        menu.popup(on_screen)

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        look = theme.current()
        self.plot.setBackground(theme.color(look.surface))
        for axis in (self.value_axis, self.position_axis):
            restyle(axis)
        self.plot.showGrid(x=False, y=True, alpha=0.9)
        self._cross.setPen(pg.mkPen(theme.color(look.text_dim), width=1))
        self.marks.restyle()
        for drawn in self._drawn.values():
            drawn.series = None  # the owner sends the new colours


def _line(plot: Any, name: str) -> Any:
    item = pg.PlotDataItem(name=name, autoDownsampleFactor=SAMPLES_PER_PIXEL)
    plot.addItem(item)  # first, because it resets the following settings to those of the plot
    item.setDownsampling(auto=True, method="peak")
    item.setClipToView(True)
    return item


def _value_at(drawn: _Drawn, axis: Axis, position: float | None) -> float | None:
    """Return the value at the point nearest to a position, the last value for None; None well outside of the curve."""
    curve = drawn.series.curve if drawn.series else None
    if curve is None or not curve.count:
        return None
    values = drawn.values(drawn.series, drawn.smoothing.weight) if drawn.series else curve.values
    if position is None:
        return float(curve.values[-1])
    positions = curve.along(axis)
    step = (positions[-1] - positions[0]) / max(1, curve.count - 1)
    if not positions[0] - step <= position <= positions[-1] + step:
        return None
    index = int(np.searchsorted(positions, position))
    last = index == len(positions)
    if last or (index and position - positions[index - 1] < positions[index] - position):
        index -= 1
    return float(values[index])
