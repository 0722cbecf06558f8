"""The measures that all views share, and the two colour schemes."""

from __future__ import annotations

from typing import Literal

import msgspec
from PyQt5.QtGui import QColor

SPACE = 4
"""The unit of all margins, gaps and heights, in pixels: each is a multiple of it."""
RADIUS = 6
"""The radius of a rounded corner, in pixels."""
CONTROL_HEIGHT = 28
"""The height of a button or a field, in pixels."""


class Theme(msgspec.Struct, frozen=True):
    """A colour scheme; colours are `#rrggbb`.

    Text has a contrast of at least 4.5 with each of the three backgrounds, borders of controls of at least 3 (WCAG AA).
    """

    name: Literal["light", "dark"]
    window: str
    surface: str
    surface_raised: str
    border: str
    control_border: str
    hover: str
    pressed: str
    text: str
    text_dim: str
    text_disabled: str
    accent: str
    accent_hover: str
    accent_text: str
    selection: str
    ok: str
    warning: str
    error: str
    grid: str
    wire_float: str
    wire_ids: str
    wire_states: str
    category: dict[str, str]
    annotation: dict[str, str]

    @property
    def dark(self) -> bool:
        return self.name == "dark"

    def severity(self, severity: str) -> str:
        """Return the colour of a problem: error, warning or info."""
        return {"error": self.error, "warning": self.warning}.get(severity, self.accent)


LIGHT = Theme(
    name="light",
    window="#f3f4f7",
    surface="#ffffff",
    surface_raised="#ffffff",
    border="#dde1e8",
    control_border="#868e9c",
    hover="#e9ecf2",
    pressed="#dce1ea",
    text="#1a1e27",
    text_dim="#565e6d",
    text_disabled="#9aa1ad",
    accent="#3257d6",
    accent_hover="#2747ba",
    accent_text="#ffffff",
    selection="#dfe7fd",
    ok="#1b7a48",
    warning="#925400",
    error="#bf2635",
    grid="#e7eaf0",
    wire_float="#2a66cf",
    wire_ids="#a85f00",
    wire_states="#7b3fc6",
    category={
        "Inputs": "#0c7a85",
        "Encoders": "#3257d6",
        "Decoders": "#7b3fc6",
        "Layers": "#566173",
        "Training": "#b3402a",
    },
    annotation={
        "gray": "#566173",
        "blue": "#2f62cc",
        "teal": "#0c7a85",
        "green": "#24804c",
        "yellow": "#9a6b00",
        "red": "#b83a4b",
        "purple": "#7b3fc6",
    },
)
"""The light theme."""

DARK = Theme(
    name="dark",
    window="#15171c",
    surface="#1c1f26",
    surface_raised="#262a33",
    border="#30353f",
    control_border="#6d7686",
    hover="#2a2f39",
    pressed="#343a46",
    text="#e7e9ee",
    text_dim="#a0a8b7",
    text_disabled="#666e7c",
    accent="#7c9cff",
    accent_hover="#98b1ff",
    accent_text="#0c1226",
    selection="#2b3a66",
    ok="#52c78d",
    warning="#e6aa55",
    error="#ff818a",
    grid="#242831",
    wire_float="#6ea8ff",
    wire_ids="#eba955",
    wire_states="#bd93f9",
    category={
        "Inputs": "#37b6c2",
        "Encoders": "#7c9cff",
        "Decoders": "#bd93f9",
        "Layers": "#97a2b4",
        "Training": "#f08a72",
    },
    annotation={
        "gray": "#a0a8b7",
        "blue": "#7ba6ff",
        "teal": "#37b6c2",
        "green": "#5cc98f",
        "yellow": "#e3b341",
        "red": "#ff8a93",
        "purple": "#c09bfb",
    },
)
"""The dark theme."""


def color(hex_color: str, alpha: float = 1.0) -> QColor:
    """Return a colour of the theme as a QColor with this opacity."""
    result = QColor(hex_color)
    result.setAlphaF(alpha)
    return result
