"""The plots of a sweep: parallel coordinates, and how much each parameter matters. Imports pyqtgraph."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.runs.sweep.coordinates import Coordinates, short_names

SHADES = 8
"""Into how many colours trials are divided by how good they are."""
REACH = 0.06
"""How far from a line a click may be, as a part of the height of the axes."""


class ParallelPlot(pg.PlotWidget):
    """One line for each trial across the axes; the better, the stronger. `chosen` has the number of a trial that is clicked."""

    chosen = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, enableMenu=False)
        self.setObjectName("sweep_parallel")
        self.setFocusPolicy(Qt.NoFocus)  # the table says the same, and is walked with keys
        self.setAccessibleName("Parallel coordinates of the trials")
        self.hideButtons()
        self.setMouseEnabled(False, False)
        for side in ("left", "bottom"):
            self.getPlotItem().hideAxis(side)
        self._shown = Coordinates((), (), ())
        self._best = self._selected = 0
        self._words: list[pg.TextItem] = []
        self._axes = pg.PlotCurveItem(connect="pairs")
        self._curves = [pg.PlotCurveItem(connect="finite") for _ in range(SHADES)]
        self._top = pg.PlotCurveItem()
        self._chosen = pg.PlotCurveItem()
        for item in (self._axes, *self._curves, self._top, self._chosen):
            self.addItem(item, ignoreBounds=True)
        self.scene().sigMouseClicked.connect(self._on_scene_clicked)
        theme.notifier.changed.connect(self._draw)
        self._draw()

    def show_trials(self, shown: Coordinates, best: int, selected: int = 0) -> None:
        """Draw these trials; `best` and `selected` are numbers of trials, 0 for none."""
        if (shown, best, selected) != (self._shown, self._best, self._selected):
            self._shown, self._best, self._selected = shown, best, selected
            self._draw()

    @property
    def numbers(self) -> tuple[int, ...]:
        """Return the numbers of the trials that are drawn."""
        return tuple(number for number, *_ in self._shown.lines)

    @pyqtSlot()
    def _draw(self) -> None:
        look, count = theme.current(), len(self._shown.titles)
        self.setBackground(theme.color(look.surface))
        x = np.arange(count, dtype=float)
        self._axes.setData(np.repeat(x, 2), np.tile([0.0, 1.0], count), pen=pg.mkPen(theme.color(look.text_dim), width=1))
        colours = pg.colormap.get("viridis").getLookupTable(0.0, 1.0, SHADES)
        colours = colours if look.dark else colours[::-1]  # the best ones stand out from the ground
        gap = np.full(1, np.nan)
        for shade, curve in enumerate(self._curves):
            mine = [places for _, places, good in self._shown.lines if min(SHADES - 1, int(good * SHADES)) == shade]
            xs = np.concatenate([part for _ in mine for part in (x, gap)]) if mine else np.zeros(0)
            ys = np.concatenate([part for places in mine for part in (np.array(places), gap)]) if mine else np.zeros(0)
            curve.setData(xs, ys, pen=pg.mkPen(pg.mkColor(*colours[shade], 190), width=1))
            curve.setZValue(shade)
        for curve, number, colour, width in (
            (self._top, self._best, look.text, 3), (self._chosen, self._selected, look.accent, 3),
        ):  # fmt: skip
            line = next((places for each, places, _ in self._shown.lines if each == number), ())
            curve.setData(x[: len(line)], np.array(line), pen=pg.mkPen(theme.color(colour), width=width))
            curve.setZValue(SHADES + 1)
        for word in self._words:
            self.removeItem(word)
        self._words = []
        for place, (title, ends) in enumerate(zip(self._shown.titles, self._shown.ends, strict=True)):
            side = 0.0 if place == 0 else 1.0 if place == count - 1 else 0.5
            for text, y, anchor in ((title, 1.16, (side, 0.5)), (ends[1], 1.05, (side, 0.5)), (ends[0], -0.06, (side, 0.5))):
                word = pg.TextItem(text, color=theme.color(look.text if text == title else look.text_dim), anchor=anchor)
                word.setPos(place, y)
                self.addItem(word, ignoreBounds=True)
                self._words.append(word)
        self.setRange(xRange=(-0.05, max(1, count - 1) + 0.05), yRange=(-0.12, 1.22), padding=0)

    def _on_scene_clicked(self, event: object) -> None:
        at = self.getPlotItem().getViewBox().mapSceneToView(event.scenePos())  # type: ignore[attr-defined]
        x = np.arange(len(self._shown.titles), dtype=float)
        far = [(abs(float(np.interp(at.x(), x, places)) - at.y()), number) for number, places, _ in self._shown.lines]
        if far and min(far)[0] <= REACH:
            self.chosen.emit(min(far)[1])


class ImportancePlot(pg.PlotWidget):
    """A bar for each parameter: its share of what the goal varies by."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, enableMenu=False)
        self.setObjectName("sweep_importance")
        self.setFocusPolicy(Qt.NoFocus)  # the table says the same, and is walked with keys
        self.setAccessibleName("Importance of the parameters")
        self.hideButtons()
        self.setMouseEnabled(False, False)
        self._shares: dict[str, float] = {}
        self._bars = pg.BarGraphItem(x0=[0.0], y=[0.0], width=[0.0], height=0.6)
        self.addItem(self._bars)
        theme.notifier.changed.connect(self._draw)
        self._draw()

    @property
    def shares(self) -> dict[str, float]:
        return self._shares

    def show_shares(self, shares: dict[str, float]) -> None:
        """Draw these shares, the largest at the top."""
        if shares != self._shares:
            self._shares = shares
            self._draw()

    @pyqtSlot()
    def _draw(self) -> None:
        look = theme.current()
        self.setBackground(theme.color(look.surface))
        names = sorted(self._shares, key=lambda name: self._shares[name])
        widths = [self._shares[name] for name in names] or [0.0]
        places = list(range(len(widths)))
        self._bars.setOpts(x0=[0.0] * len(widths), y=places, width=widths, height=0.6, brush=theme.color(look.accent), pen=None)
        left, bottom = self.getPlotItem().getAxis("left"), self.getPlotItem().getAxis("bottom")
        words = zip(short_names(names), names, strict=True)
        left.setTicks([[(place, f"{short}  {self._shares[name]:.0%}") for place, (short, name) in enumerate(words)]])
        bottom.setLabel("Share of what the goal varies by", color=look.text)
        for axis in (left, bottom):
            axis.setTextPen(theme.color(look.text))
            axis.setPen(theme.color(look.text_dim))
        bottom.setTicks([[(share / 4, f"{share * 25}%") for share in range(5)]])
        self.setRange(xRange=(0, 1), yRange=(-0.6, max(0.6, len(widths) - 0.4)), padding=0)
