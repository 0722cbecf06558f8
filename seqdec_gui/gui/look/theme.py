"""Colours, type scale and spacing, light and dark; every view paints with `current()` and repaints on `notifier.changed`."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from PyQt5.QtCore import QObject, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QPalette
from PyQt5.QtWidgets import QApplication, QLabel, QProxyStyle, QSplitter

from seqdec_gui.gui.look.preferences import settings

Mode = Literal["system", "light", "dark"]
MODES: tuple[Mode, ...] = ("system", "light", "dark")

# One grid: every margin, gap and height is a multiple of SPACE (pixels).
SPACE = 4
RADIUS = 6
CONTROL_HEIGHT = 28


class Theme(msgspec.Struct, frozen=True):
    """Colours as `#rrggbb`. Text on any of the three grounds has a contrast of at least 4.5, control borders of 3 (WCAG AA)."""

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

    @property
    def dark(self) -> bool:
        return self.name == "dark"

    def severity(self, severity: str) -> str:
        """The colour of a problem: error, warning or info."""
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
)

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
)

# Type scale, as factors of the base size.
SCALE = {"small": 0.88, "body": 1.0, "title": 1.2, "headline": 1.7}
BASE_POINTS = 9.75
LARGE_POINTS = 12.5


class _Notifier(QObject):
    """Tells that `current()` gives another theme."""

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.mode: Mode = "system"
        self.system_is_dark = False
        self.theme = LIGHT
        self.installed: QApplication | None = None
        self.portal: QObject | None = None

    @pyqtSlot(bool)
    def _on_portal_preferred(self, dark: bool) -> None:
        settings().setValue("appearance/system_is_dark", dark)
        self.system_is_dark = dark
        _apply()


notifier = _Notifier()


def current() -> Theme:
    """The theme in use."""
    return notifier.theme


def mode() -> Mode:
    """What the user chose: the system's, light or dark."""
    return notifier.mode


def set_mode(wanted: Mode) -> None:
    """Choose the system's, light or dark; kept for the next start. Emits `notifier.changed` where the colours change."""
    if wanted not in MODES:
        raise ValueError(f"expected system, light or dark, got {wanted!r}")
    notifier.mode = wanted
    settings().setValue("appearance/mode", wanted)
    _apply()


class PlainLabels(QProxyStyle):
    """Fusion, under which labels and tooltips show text as it is.

    Qt takes text with `<` for HTML, which can show pictures and links; much of it comes from other files: names, messages of
    runs. Message boxes are left alone: `notify` writes their HTML, with everything escaped.
    """

    def polish(self, thing: Any) -> Any:
        if isinstance(thing, QLabel) and thing.textFormat() == Qt.AutoText and not thing.objectName().startswith("qt_msgbox"):
            thing.setTextFormat(Qt.PlainText)
        return super().polish(thing)


def install(application: QApplication) -> None:
    """Give the application style, font, palette and style sheet. A second call does nothing."""
    if notifier.installed is application:
        return
    notifier.installed = application
    chosen = settings().value("appearance/mode", "system")
    notifier.mode = chosen if chosen in MODES else "system"
    # The portal answers later; until then what it said last time avoids a flash of the wrong colours.
    notifier.system_is_dark = settings().value("appearance/system_is_dark", False, type=bool)
    application.setStyle(PlainLabels("Fusion"))
    application.setFont(_base_font(application.font()))
    _apply(force=True)


def follow_system() -> None:
    """Ask the desktop whether it prefers dark, and listen to changes. Never blocks; does nothing where there is no portal."""
    if notifier.portal is None:
        from seqdec_gui.gui.look.portal import Portal

        notifier.portal = Portal(notifier)
        notifier.portal.dark_preferred.connect(notifier._on_portal_preferred)
        notifier.portal.ask()


def color(hex_color: str, alpha: float = 1.0) -> QColor:
    """A colour of the theme as QColor, more or less transparent."""
    found = QColor(hex_color)
    found.setAlphaF(alpha)
    return found


def font(role: str = "body", bold: bool = False, monospace: bool = False) -> QFont:
    """A font of the type scale: small, body, title or headline."""
    base = QApplication.font()
    points = base.pointSizeF() * SCALE[role]
    found = QFontDatabase.systemFont(QFontDatabase.FixedFont) if monospace else QFont(base)
    if monospace and not QFontInfo(found).fixedPitch():  # a platform without a theme names no such font
        found = QFont("monospace")
        found.setStyleHint(QFont.Monospace)
    found.setPointSizeF(points)
    if bold:
        found.setWeight(QFont.DemiBold)
    return found


def _base_font(system: QFont) -> QFont:
    """The desktop's font at the size of the type scale; a reader who asked the desktop for large text gets it."""
    found = QFont(system)
    if system.pointSizeF() < LARGE_POINTS:
        found.setPointSizeF(BASE_POINTS)
    return found


def _apply(force: bool = False) -> None:
    dark = notifier.mode == "dark" or (notifier.mode == "system" and notifier.system_is_dark)
    theme = DARK if dark else LIGHT
    if theme is notifier.theme and not force:
        return
    notifier.theme = theme
    if notifier.installed is not None:
        from seqdec_gui.gui.look.stylesheet import stylesheet

        splitters = [(each, each.sizes()) for each in notifier.installed.allWidgets() if isinstance(each, QSplitter)]
        # Another sheet over one polishes each widget once for every widget that it lies in: 0.7 s where this takes 0.1 s.
        notifier.installed.setStyleSheet("")
        notifier.installed.setPalette(palette(theme))
        notifier.installed.setStyleSheet(stylesheet(theme))
        for splitter, sizes in splitters:
            splitter.setSizes(sizes)
    notifier.changed.emit()


def palette(theme: Theme) -> QPalette:
    """The theme for what the style sheet does not reach: item views, disabled controls, links, placeholders."""
    found = QPalette()
    roles = {
        QPalette.Window: theme.window,
        QPalette.WindowText: theme.text,
        QPalette.Base: theme.surface,
        QPalette.AlternateBase: theme.window,
        QPalette.ToolTipBase: theme.surface_raised,
        QPalette.ToolTipText: theme.text,
        QPalette.PlaceholderText: theme.text_dim,
        QPalette.Text: theme.text,
        QPalette.Button: theme.surface,
        QPalette.ButtonText: theme.text,
        QPalette.BrightText: theme.error,
        QPalette.Link: theme.accent,
        QPalette.LinkVisited: theme.accent,
        QPalette.Highlight: theme.accent,
        QPalette.HighlightedText: theme.accent_text,
        QPalette.Light: theme.surface_raised,
        QPalette.Midlight: theme.hover,
        QPalette.Mid: theme.border,
        QPalette.Dark: theme.control_border,
        QPalette.Shadow: "#000000",
    }
    for role, value in roles.items():
        found.setColor(role, QColor(value))
    for role in (QPalette.WindowText, QPalette.Text, QPalette.ButtonText):
        found.setColor(QPalette.Disabled, role, QColor(theme.text_disabled))
    found.setColor(QPalette.Disabled, QPalette.Highlight, QColor(theme.border))
    found.setColor(QPalette.Disabled, QPalette.HighlightedText, QColor(theme.text_disabled))
    return found
