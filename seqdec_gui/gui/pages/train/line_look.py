"""The colours and styles of curves: told apart also by people who see fewer colours, and by pattern where colours run out."""

from __future__ import annotations

from PyQt5.QtCore import Qt

from seqdec_gui.gui.look import theme

LIGHT = ("#2a66cf", "#a85f00", "#4a2a57", "#cc3352", "#6b0f0f", "#2100a6", "#9900ff")
"""The colours on white, in the order in which they are used.

Each has a contrast of 3 with the ground. Seen with any of the three kinds of colour blindness, two of them differ by at least
20 in CIELAB (a test simulates it after Machado, Oliveira and Fernandes 2009).
"""
DARK = ("#6ea8ff", "#eba955", "#cc3370", "#f5ee5b", "#8c40ff", "#40ffb3", "#a65b29")
"""The colours on a dark ground, as `LIGHT`."""
STYLES = (Qt.SolidLine, Qt.DashLine, Qt.DotLine, Qt.DashDotLine, Qt.DashDotDotLine)
"""The patterns of lines, in the order in which they are used."""


def color(number: int) -> str:
    """Return the colour of a curve or of a run, `#rrggbb`."""
    colors = DARK if theme.current().dark else LIGHT
    return colors[number % len(colors)]


def style(number: int) -> Qt.PenStyle:
    """Return the pattern of a series."""
    return STYLES[number % len(STYLES)]
