"""The axes of the plots."""

from __future__ import annotations

from collections.abc import Sequence

from pyqtgraph import AxisItem

from seqdec_gui.domain.short_numbers import clock, compact
from seqdec_gui.gui.look import theme
from seqdec_gui.runs.curves import Axis


class PositionAxis(AxisItem):
    """The horizontal axis: steps, epochs or time."""

    def __init__(self) -> None:
        super().__init__("bottom")
        self.enableAutoSIPrefix(False)
        self.axis: Axis = "step"

    def set_axis(self, axis: Axis) -> None:
        self.axis = axis
        self.picture = None
        self.update()

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        write = clock if self.axis == "time" else compact
        return [write(value) if value >= 0 else "" for value in values]

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, Sequence[float]]]:
        """Return the ticks. Steps and seconds have no ticks between whole numbers."""
        levels = super().tickValues(low, high, size)
        return [(spacing, values) for spacing, values in levels if self.axis == "epoch" or spacing >= 1]


class ValueAxis(AxisItem):
    """The vertical axis. It has the same width in all plots, so that they are aligned."""

    def __init__(self) -> None:
        super().__init__("left")
        self.enableAutoSIPrefix(False)
        self.setWidth(48)
        self.percent = False

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        if self.logMode:
            return [f"{10**value:.3g}" for value in values]
        if self.percent:
            return [f"{100 * value:.4g} %" for value in values]
        if max(map(abs, values), default=0) >= 1e4:
            return [compact(value) for value in values]
        return super().tickStrings(values, scale, spacing)


def restyle(axis: AxisItem) -> None:
    """Apply the theme's colours and the small font to an axis."""
    look = theme.current()
    axis.setZValue(-1)  # or the grid would hide curves that run along it
    axis.setPen(theme.color(look.border))
    axis.setTextPen(theme.color(look.text_dim))
    axis.setStyle(tickFont=theme.font("small"), tickLength=-4, tickTextOffset=6)
