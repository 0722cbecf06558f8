"""The theme: colours, fonts and spacing, light and dark, in usual and in high contrast.

Every view paints with `current()` and repaints on `notifier.changed`.
"""

from __future__ import annotations

from typing import Any, Literal

from PyQt5 import sip
from PyQt5.QtCore import QObject, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QColor, QIcon, QPalette, QPixmap
from PyQt5.QtWidgets import (
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProxyStyle,
    QSplitter,
    QStyle,
    QTextEdit,
    QWidget,
)

from seqdec_gui.gui.look.fonts import SCALE, base_font, font
from seqdec_gui.gui.look.preferences import settings
from seqdec_gui.gui.look.scheme import (
    CONTROL_HEIGHT,
    DARK,
    DARK_CONTRAST,
    LIGHT,
    LIGHT_CONTRAST,
    RADIUS,
    SPACE,
    Theme,
    color,
)
from seqdec_gui.gui.look.standard_icons import standard_icon
from seqdec_gui.gui.look.stylesheet import stylesheet

__all__ = [
    "CONTROL_HEIGHT",
    "DARK",
    "DARK_CONTRAST",
    "LIGHT",
    "LIGHT_CONTRAST",
    "MODES",
    "RADIUS",
    "SCALE",
    "SPACE",
    "Mode",
    "PlainLabels",
    "Theme",
    "color",
    "current",
    "follow_system",
    "font",
    "install",
    "mode",
    "notifier",
    "palette",
    "set_mode",
]

Mode = Literal["system", "light", "dark", "light_contrast", "dark_contrast"]
MODES: tuple[Mode, ...] = ("system", "light", "dark", "light_contrast", "dark_contrast")
"""The choices of the theme, in the order of the menu."""


class _Notifier(QObject):
    """Emits `changed` when `current()` returns another theme than before."""

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.mode: Mode = "system"
        self.system_is_dark = False
        self.system_has_contrast = False
        self.theme = LIGHT
        self.installed: QApplication | None = None
        self.portal: QObject | None = None

    @pyqtSlot(bool)
    def _on_portal_preferred(self, dark: bool) -> None:
        settings().setValue("appearance/system_is_dark", dark)
        self.system_is_dark = dark
        _apply()

    @pyqtSlot(bool)
    def _on_portal_contrast_preferred(self, high: bool) -> None:
        settings().setValue("appearance/system_has_contrast", high)
        self.system_has_contrast = high
        _apply()


notifier = _Notifier()
"""The object whose signal `changed` follows every change of the theme."""


def current() -> Theme:
    """Return the theme in use."""
    return notifier.theme


def mode() -> Mode:
    """Return what the user chose, one of `MODES`."""
    return notifier.mode


def set_mode(wanted: Mode) -> None:
    """Choose one of `MODES`; it is kept for the next start. Emits `notifier.changed` if the colours change."""
    if wanted not in MODES:
        raise ValueError(f"expected one of {', '.join(MODES)}, got {wanted!r}")
    notifier.mode = wanted
    settings().setValue("appearance/mode", wanted)
    _apply()


class _Placeholders(QObject):
    """Gives the words of empty fields the colour of dim text: the style sheet makes them half transparent and too faint."""

    _waiting = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._fields: list[QWidget] = []
        self._waiting.connect(self._on_waiting, Qt.QueuedConnection)

    def colour(self, field: QWidget) -> None:
        """Colour a field once the style sheet, which is about to be applied to it, has set its palette."""
        if sip.isdeleted(self):  # the program ends
            return
        self._fields.append(field)
        if len(self._fields) == 1:
            self._waiting.emit()

    @pyqtSlot()
    def _on_waiting(self) -> None:
        fields, self._fields = self._fields, []
        wanted = QColor(current().text_dim)
        for field in fields:
            if not sip.isdeleted(field) and field.palette().color(QPalette.PlaceholderText) != wanted:
                colors = QPalette(field.palette())
                colors.setColor(QPalette.PlaceholderText, wanted)
                field.setPalette(colors)


_placeholders = _Placeholders()


STANDARD_SIZE = 32
"""The side of a standard picture that is not asked for as an icon, in pixels."""


class PlainLabels(QProxyStyle):
    """Qt's Fusion style, except that labels and tooltips show their text literally, and that standard pictures are our icons.

    Qt interprets text with `<` as HTML, which can show pictures and links; much text comes from files: names, messages of runs.
    Message boxes are excepted: `notify` writes their HTML with everything escaped.
    """

    def polish(self, thing: Any) -> Any:
        if isinstance(thing, QLabel) and thing.textFormat() == Qt.AutoText and not thing.objectName().startswith("qt_msgbox"):
            thing.setTextFormat(Qt.PlainText)
        if isinstance(thing, QComboBox):
            _label_for_speech(thing)
        if isinstance(thing, QLineEdit | QPlainTextEdit | QTextEdit):
            _placeholders.colour(thing)
        return super().polish(thing)

    def standardIcon(self, which: QStyle.StandardPixmap, option: Any = None, widget: QWidget | None = None) -> QIcon:
        """Return a standard picture in the colours of the theme, which is the same in all dialogs."""
        found = standard_icon(which, _icon_colours)
        return found if found is not None else super().standardIcon(which, option, widget)

    def standardPixmap(self, which: QStyle.StandardPixmap, option: Any = None, widget: QWidget | None = None) -> QPixmap:
        found = standard_icon(which, _icon_colours)
        return found.pixmap(STANDARD_SIZE) if found is not None else super().standardPixmap(which, option, widget)


def _label_for_speech(box: QComboBox) -> None:
    """Give a combo box that has a name an invisible label with it, unless a label names it already.

    On Linux, Qt tells assistive programs the chosen entry as the name of a combo box, and what it is about only by its label.
    """
    around = box.parentWidget()
    if around is None or not box.accessibleName() or any(label.buddy() is box for label in around.findChildren(QLabel)):
        return
    label = QLabel(box.accessibleName(), around, objectName="label_for_speech")
    label.setBuddy(box)
    label.hide()


def _icon_colours() -> tuple[str, str]:
    """Return the colours of icons in the theme in use: enabled and disabled."""
    return current().text_dim, current().text_disabled


def install(application: QApplication) -> None:
    """Apply style, font, palette and style sheet to the application. A second call does nothing."""
    if notifier.installed is application:
        return
    notifier.installed = application
    chosen = settings().value("appearance/mode", "system")
    notifier.mode = chosen if chosen in MODES else "system"
    # The portal answers later; until then its last answer avoids a flash of the wrong colours.
    notifier.system_is_dark = settings().value("appearance/system_is_dark", False, type=bool)
    notifier.system_has_contrast = settings().value("appearance/system_has_contrast", False, type=bool)
    application.setStyle(PlainLabels("Fusion"))
    application.setFont(base_font(application.font()))
    _apply(force=True)


def follow_system() -> None:
    """Request the desktop's preferences, light or dark and high contrast, and follow their changes.

    Never blocks; does nothing without a portal.
    """
    if notifier.portal is None:
        from seqdec_gui.gui.look.portal import Portal

        notifier.portal = Portal(notifier)
        notifier.portal.dark_preferred.connect(notifier._on_portal_preferred)
        notifier.portal.contrast_preferred.connect(notifier._on_portal_contrast_preferred)
        notifier.portal.ask()


def _apply(force: bool = False) -> None:
    by_system = notifier.mode == "system"
    dark = notifier.system_is_dark if by_system else notifier.mode.startswith("dark")
    high = notifier.system_has_contrast if by_system else notifier.mode.endswith("contrast")
    theme = (DARK_CONTRAST if dark else LIGHT_CONTRAST) if high else (DARK if dark else LIGHT)
    if theme is notifier.theme and not force:
        return
    notifier.theme = theme
    if notifier.installed is not None:
        # Polishing calls Python, and so the garbage collector. Were a widget that nobody needs collected then, Qt, which goes
        # through a list of all of them, would crash; and its splitters would be gone below.
        widgets = notifier.installed.allWidgets()
        # The state, unlike the sizes, has those of panels that are hidden now, as they are beside another page.
        splitters = [(widget, widget.saveState(), widget.handleWidth()) for widget in widgets if isinstance(widget, QSplitter)]
        # Setting a second sheet over the first polishes each widget once for every widget around it: 0.7 s instead of 0.1 s.
        notifier.installed.setStyleSheet("")
        notifier.installed.setPalette(palette(theme))
        notifier.installed.setStyleSheet(stylesheet(theme))
        for splitter, state, width in splitters:
            if not sip.isdeleted(splitter):
                splitter.restoreState(state)
                splitter.setHandleWidth(width)
        del widgets
    notifier.changed.emit()


def palette(theme: Theme) -> QPalette:
    """Return the palette for what the style sheet does not reach: item views, disabled controls, links, placeholders."""
    colors = QPalette()
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
        colors.setColor(role, QColor(value))
    for role in (QPalette.WindowText, QPalette.Text, QPalette.ButtonText):
        colors.setColor(QPalette.Disabled, role, QColor(theme.text_disabled))
    colors.setColor(QPalette.Disabled, QPalette.Highlight, QColor(theme.border))
    colors.setColor(QPalette.Disabled, QPalette.HighlightedText, QColor(theme.text_disabled))
    return colors
