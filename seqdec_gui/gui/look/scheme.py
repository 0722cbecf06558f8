"""The measures that all views share, and the colour schemes: light and dark, each in high contrast, too."""

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

    Text has a contrast of at least 4.5 with each of the three backgrounds, borders of controls of at least 3 (WCAG AA); in high
    contrast 7 and 4.5 (AAA). `name` selects the pictures.
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
    high_contrast: bool = False

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
    text_dim="#a3abba",
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


LIGHT_CONTRAST = Theme(
    name="light",
    window="#ffffff",
    surface="#ffffff",
    surface_raised="#ffffff",
    border="#595959",
    control_border="#000000",
    hover="#e3e3e3",
    pressed="#cfcfcf",
    text="#000000",
    text_dim="#262626",
    text_disabled="#5c5c5c",
    accent="#0b1fb8",
    accent_hover="#071580",
    accent_text="#ffffff",
    selection="#ffe27a",
    ok="#00512a",
    warning="#6b3a00",
    error="#8f000e",
    grid="#d4d4d4",
    wire_float="#0a3a9c",
    wire_ids="#6b3a00",
    wire_states="#5a0a94",
    category={
        "Inputs": "#004d56",
        "Encoders": "#0b1fb8",
        "Decoders": "#5a0a94",
        "Layers": "#333b47",
        "Training": "#7d2312",
    },
    annotation={
        "gray": "#3d4552",
        "blue": "#0a3a9c",
        "teal": "#004d56",
        "green": "#00512a",
        "yellow": "#5c4000",
        "red": "#8c1020",
        "purple": "#5a0a94",
    },
    high_contrast=True,
)
"""The light theme in high contrast."""

DARK_CONTRAST = Theme(
    name="dark",
    window="#000000",
    surface="#000000",
    surface_raised="#000000",
    border="#9a9a9a",
    control_border="#ffffff",
    hover="#2b2b2b",
    pressed="#454545",
    text="#ffffff",
    text_dim="#e6e6e6",
    text_disabled="#a3a3a3",
    accent="#ffe14d",
    accent_hover="#fff09a",
    accent_text="#000000",
    selection="#002f5c",
    ok="#5cff9d",
    warning="#ffc24d",
    error="#ffa8ad",
    grid="#333333",
    wire_float="#7fd0ff",
    wire_ids="#ffc24d",
    wire_states="#e0b3ff",
    category={
        "Inputs": "#5ce6f2",
        "Encoders": "#9db8ff",
        "Decoders": "#e0b3ff",
        "Layers": "#d5dbe6",
        "Training": "#ffb09a",
    },
    annotation={
        "gray": "#d5dbe6",
        "blue": "#9dc0ff",
        "teal": "#5ce6f2",
        "green": "#7dffb0",
        "yellow": "#ffd966",
        "red": "#ffb0b6",
        "purple": "#e0c8ff",
    },
    high_contrast=True,
)
"""The dark theme in high contrast."""


def color(hex_color: str, alpha: float = 1.0) -> QColor:
    """Return a colour of the theme as a QColor with this opacity."""
    result = QColor(hex_color)
    result.setAlphaF(alpha)
    return result
