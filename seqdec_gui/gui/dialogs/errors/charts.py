"""The charts of errors: confused symbols as a heat map, shares of errors along an axis, and the candidates of each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QSize, pyqtSlot
from PyQt5.QtWidgets import QToolTip, QWidget

from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import theme
from seqdec_gui.runs.quality.errors import GAP, Confusion, StepChoice

NOTHING = "∅"
"""What is written for no symbol: something was put in, or left out."""
MOST_SYMBOLS = 24
"""The number of symbols in the heat map; those with most errors are kept."""
NUMBERS_UP_TO = 14
"""The number of symbols up to which each cell has its count as text."""
STEPS_SHOWN = 12
"""The number of steps that are seen at first; the others are reached by dragging or the wheel."""
SHOWN_FROM = 0.02
"""The probability from which a candidate's symbol is written over its bar."""


class Chart(pg.PlotWidget):
    """A plot in the look of the window, with titles of both axes and no menu."""

    def __init__(self, name: str, title: str, bottom: str, left: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, enableMenu=False)
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.hideButtons()
        self._titles = {"bottom": bottom, "left": left}
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def sizeHint(self) -> QSize:
        return QSize(320, 200)

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        look = theme.current()
        self.setBackground(theme.color(look.surface))
        for side, title in self._titles.items():
            axis = self.getAxis(side)
            axis.enableAutoSIPrefix(False)
            axis.setPen(theme.color(look.border))
            axis.setTextPen(theme.color(look.text_dim))
            axis.setStyle(tickFont=theme.font("small"))
            axis.setLabel(title, color=look.text_dim)


class ConfusionMap(Chart):
    """Targets from top to bottom, what was generated from left to right; the darker a cell, the more often.

    The shade is the share of the target's tokens; right ones are left out of it, so that errors are seen beside them.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("confusion_map", "Confused symbols", "Generated", "Target", parent)
        self.getViewBox().invertY(True)
        self.setMouseEnabled(False, False)
        self._image = pg.ImageItem(axisOrder="row-major")
        self.addItem(self._image)
        self._texts: list[Any] = []
        self.symbols: list[str] = []
        self.counts = np.zeros((0, 0), int)
        self.scene().sigMouseMoved.connect(self._on_scene_mouse_moved)

    def show_confusion(self, confusion: Sequence[Confusion]) -> None:
        """Show these pairs; of more than `MOST_SYMBOLS` symbols those with most errors."""
        mistakes = dict[str, int]()
        for each in confusion:
            for symbol in (each.target, each.generated) if each.target != each.generated else ():
                mistakes[symbol] = mistakes.get(symbol, 0) + each.count
        chosen = sorted(mistakes, key=lambda symbol: (-mistakes[symbol], symbol))[:MOST_SYMBOLS]
        self.symbols = sorted(chosen, key=lambda symbol: (symbol == GAP, symbol))
        place = {symbol: number for number, symbol in enumerate(self.symbols)}
        self.counts = np.zeros((len(place), len(place)), int)
        for each in confusion:
            if each.target in place and each.generated in place:
                self.counts[place[each.target], place[each.generated]] = each.count
        self._draw()

    def _draw(self) -> None:
        for text in self._texts:
            self.removeItem(text)
        wrong = self.counts * (1 - np.eye(len(self.symbols), dtype=int))
        shares = wrong / np.maximum(self.counts.sum(axis=1, keepdims=True), 1)
        low, high = (theme.color(each).getRgb()[:3] for each in (theme.current().surface, theme.current().accent))
        self._image.setLookupTable(np.linspace(low, high, 256).astype(np.uint8))
        self._image.setImage(shares, levels=(0.0, max(1e-9, float(shares.max(initial=0.0)))))
        names = [symbol or NOTHING for symbol in self.symbols]
        for side in ("bottom", "left"):
            self.getAxis(side).setTicks([[(number + 0.5, name) for number, name in enumerate(names)]])
        self._texts = []
        if len(names) <= NUMBERS_UP_TO:
            dark = shares > 0.6 * shares.max(initial=1e-9)
            for row, column in np.argwhere(self.counts > 0):
                look = theme.current().accent_text if dark[row, column] else theme.current().text
                text = pg.TextItem(str(self.counts[row, column]), color=theme.color(look), anchor=(0.5, 0.5))
                text.setFont(theme.font("small"))
                text.setPos(column + 0.5, row + 0.5)
                self.addItem(text)
                self._texts.append(text)
        self.setRange(xRange=(0, max(1, len(names))), yRange=(0, max(1, len(names))), padding=0.01)

    def words(self, row: int, column: int) -> str:
        """Return what a cell says: how often a target became this symbol."""
        target, made, count = self.symbols[row], self.symbols[column], self.counts[row, column]
        if not target:
            return f"{made} was put in {counted(int(count), 'time')}"
        if not made:
            return f"{target} was left out {counted(int(count), 'time')}"
        share = count / max(1, self.counts[row].sum())
        return f"{target} became {made} {counted(int(count), 'time')}, {share:.1%} of what is shown of it"

    @pyqtSlot(object)
    def _on_scene_mouse_moved(self, at: Any) -> None:
        place = self.getViewBox().mapSceneToView(at)
        row, column = int(np.floor(place.y())), int(np.floor(place.x()))
        if 0 <= row < len(self.symbols) and 0 <= column < len(self.symbols):
            QToolTip.showText(self.mapToGlobal(self.mapFromScene(at)), self.words(row, column), self)

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        super()._on_theme_changed()
        if hasattr(self, "_texts"):
            self._draw()


class ShareChart(Chart):
    """The share of errors, in percent, along positions or lengths, with a point for each."""

    def __init__(self, name: str, title: str, bottom: str, parent: QWidget | None = None) -> None:
        super().__init__(name, title, bottom, "Wrong, %", parent)
        self._line = self.plot([], [], symbol="o", symbolSize=6)
        self.showGrid(y=True, alpha=0.2)
        self.paint_line()

    def show_shares(self, places: Sequence[int], shares: Sequence[float]) -> None:
        self._line.setData(np.array(places, float), 100 * np.array(shares, float))
        self.setYRange(0, max(1.0, 100 * max(shares, default=0.0)), padding=0.05)

    def paint_line(self) -> None:
        color = theme.color(theme.current().accent)
        self._line.setPen(pg.mkPen(color, width=2))
        self._line.setSymbolBrush(color)
        self._line.setSymbolPen(color)

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        super()._on_theme_changed()
        if hasattr(self, "_line"):
            self.paint_line()


class CandidatesChart(Chart):
    """For each step of a generated sequence a bar for each candidate, the chosen one filled, with its symbol above."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("candidates_chart", "Probabilities at each step", "Chosen at each step", "Probability, %", parent)
        self.setMouseEnabled(True, False)
        self._items: list[Any] = []
        self.steps: tuple[StepChoice, ...] = ()

    def show_steps(self, steps: tuple[StepChoice, ...]) -> None:
        """Show the candidates of these steps."""
        self.steps = steps
        for item in self._items:
            self.removeItem(item)
        self._items = []
        look = theme.current()
        for chosen in (True, False):
            bars = [
                (number + 0.16 * (rank - (min(5, len(step.candidates)) - 1) / 2), candidate)
                for number, step in enumerate(steps)
                for rank, candidate in enumerate(step.candidates[:5])
                if (candidate.symbol == step.chosen) == chosen
            ]
            brush = theme.color(look.accent) if chosen else theme.color(look.surface_raised)
            item = pg.BarGraphItem(
                x=[at for at, _ in bars], height=[100 * each.probability for _, each in bars], width=0.14, brush=brush,
                pen=theme.color(look.accent),
            )  # fmt: skip
            self._add(item)
            for at, candidate in bars:
                if candidate.probability >= SHOWN_FROM:
                    text = pg.TextItem(candidate.symbol, color=theme.color(look.text), anchor=(0.5, 1.0))
                    text.setFont(theme.font("small", bold=chosen))
                    text.setPos(at, 100 * candidate.probability)
                    self._add(text)
        self.getAxis("bottom").setTicks([[(number, step.chosen) for number, step in enumerate(steps)]])
        self.setYRange(0, 115, padding=0)
        self.setLimits(xMin=-0.6, xMax=max(1, len(steps)) - 0.4)
        self.setXRange(-0.6, max(1, min(len(steps), STEPS_SHOWN)) - 0.4, padding=0)

    def _add(self, item: Any) -> None:
        self.addItem(item)
        self._items.append(item)

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        super()._on_theme_changed()
        if hasattr(self, "_items"):
            self.show_steps(self.steps)
