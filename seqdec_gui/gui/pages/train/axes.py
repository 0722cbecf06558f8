"""The axes of the plots."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PyQt5.QtGui import QFontMetricsF
from pyqtgraph import AxisItem

from seqdec_gui.domain.short_numbers import clock, compact
from seqdec_gui.gui.look import theme
from seqdec_gui.runs.axis_ticks import labels, linear_ticks, log_ticks
from seqdec_gui.runs.curves import Axis

TITLES: dict[Axis, str] = {"step": "Step", "epoch": "Epoch", "time": "Time since the start"}
"""The title of the horizontal axis."""
LONGEST_LABEL = "0.00075"
"""The longest label of a vertical axis that is usual, such as that of a learning rate."""
LABEL_OFFSET = 6
"""The distance of a label from its axis, in pixels."""
TITLE_FROM = 110
"""The height of a plot from which its axes have titles and its marks have signs, in pixels."""


class PositionAxis(AxisItem):
    """The horizontal axis: steps, epochs or time."""

    def __init__(self) -> None:
        super().__init__("bottom")
        self.enableAutoSIPrefix(False)
        self.axis: Axis = "step"
        self._titled = True
        self.setLabel(TITLES[self.axis])

    def set_axis(self, axis: Axis) -> None:
        self.axis = axis
        self.setLabel(TITLES[axis])
        self.showLabel(self._titled)
        self.picture = None
        self.update()

    def set_titled(self, titled: bool) -> None:
        """Show or hide the title, for which a low plot has no room."""
        if titled != self._titled:
            self._titled = titled
            self.showLabel(titled)
            self.set_room()

    def set_room(self) -> None:
        """Take the height of labels and title. Left to itself, an axis keeps that of the highest label it ever had."""
        label = QFontMetricsF(theme.font("small")).height()
        title = 0.8 * self.label.boundingRect().height() if self._titled else 0.0
        self.setHeight(math.ceil(label + LABEL_OFFSET + title))

    def words(self, position: float) -> str:
        """Return a position with its unit: `step 1,250`, `epoch 3.25`, `0:12:30`."""
        if self.axis == "time":
            return clock(position)
        if self.axis == "step":
            return f"step {round(position):,}"
        return f"epoch {position:.4g}"

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        write = clock if self.axis == "time" else compact
        return [write(value) if value >= 0 else "" for value in values]

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, Sequence[float]]]:
        """Return the ticks. Steps and seconds have no ticks between whole numbers."""
        levels = super().tickValues(low, high, size)
        return [(spacing, values) for spacing, values in levels if self.axis == "epoch" or spacing >= 1]


def value_width() -> int:
    """Return the width of a vertical axis with its title, in pixels: the same in all plots, so that they are aligned."""
    metrics = QFontMetricsF(theme.font("small"))
    return math.ceil(metrics.horizontalAdvance(LONGEST_LABEL) + metrics.height() + 3 * theme.SPACE)


class ValueAxis(AxisItem):
    """The vertical axis. Its labels never overlap, and there are always two at least."""

    def __init__(self, title: str) -> None:
        super().__init__("left")
        self.enableAutoSIPrefix(False)
        self.setWidth(value_width())
        self.percent = False
        self._titled = True
        self.setLabel(title)

    def set_titled(self, titled: bool) -> None:
        """Show or hide the title, for which a low plot has no room."""
        if titled != self._titled:
            self._titled = titled
            self.showLabel(titled)

    def set_percent(self, percent: bool) -> None:
        """Write shares as percent, as the legend does."""
        if percent != self.percent:
            self.percent = percent
            self.picture = None
            self.update()

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float | None, Sequence[float]]]:
        label = QFontMetricsF(theme.font("small")).height()
        if self.logMode:
            return [(None, [math.log10(value) for value in log_ticks(low, high, size, label)])]
        return [(None, linear_ticks(low, high, size, label))]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return labels([10**value for value in values] if self.logMode else values, self.percent)


def restyle(axis: AxisItem) -> None:
    """Apply the theme's colours and the small font to an axis and its title."""
    look = theme.current()
    small = theme.font("small")
    axis.setZValue(-1)  # or the grid would hide curves that run along it
    axis.setPen(theme.color(look.border))
    axis.setTextPen(theme.color(look.text_dim))
    axis.setStyle(tickFont=small, tickLength=-4, tickTextOffset=LABEL_OFFSET)
    axis.label.setFont(small)
    if isinstance(axis, PositionAxis):
        axis.set_room()
