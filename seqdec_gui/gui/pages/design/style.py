"""Colours, fonts and sizes of the canvas, made from the theme once and again when it changes."""

from __future__ import annotations

from PyQt5.QtCore import QPointF, Qt
from PyQt5.QtGui import QColor, QFontMetricsF, QPainterPath, QPen, QPixmap, QStaticText

from seqdec_gui.domain.kinds.base import Kind
from seqdec_gui.domain.types import PortType, StatesType, format_shape
from seqdec_gui.gui.look import icons, theme

# Scene units. Blocks lie on the grid, so that ports of one row meet in a straight wire.
GRID = 10
HEADER = 48.0
ROW = 20.0
FOOT = 8.0
PAD = 12.0
CORNER = 8.0
PORT = 5.5
LEAST_WIDTH, MOST_WIDTH = 140.0, 320.0
ICON = 18
MOST_TEXTS = 5000

# Below these scales less is painted: port names and labels, then all text.
NEAR, MIDDLE, FAR = 0.5, 0.22, 0.2


class Style:
    """What items paint with. Items ask `current()` each time they paint and keep nothing."""

    def __init__(self) -> None:
        look = theme.current()
        self.theme = look
        self.canvas = QColor(look.window)
        self.grid = QColor(look.grid)
        self.body = QColor(look.surface_raised)
        self.border = QColor(look.border)
        self.outline = mixed(QColor(look.border), QColor(look.control_border), 0.35)
        self.text = QColor(look.text)
        self.dim = QColor(look.text_dim)
        self.faint = QColor(look.text_disabled)
        self.accent = QColor(look.accent)
        self.accent_text = QColor(look.accent_text)
        self.ok = QColor(look.ok)
        self.error = QColor(look.error)
        self.warning = QColor(look.warning)
        self.pill = QColor(look.hover)
        self.shadow = QColor(0, 0, 0, 90 if look.dark else 22)
        self.wire = {
            "float": QColor(look.wire_float), "ids": QColor(look.wire_ids), "states": QColor(look.wire_states),
            "": QColor(look.text_disabled),
        }  # fmt: skip
        self.category = {name: QColor(value) for name, value in look.category.items()}
        self.tint = {name: mixed(self.body, value, 0.16 if look.dark else 0.09) for name, value in self.category.items()}
        self.title_font = theme.font("body", bold=True)
        self.small_font = theme.font("small")
        self.far_font = theme.font("headline", bold=True)
        self.far_metrics = QFontMetricsF(self.far_font)
        self.title_metrics = QFontMetricsF(self.title_font)
        self.small_metrics = QFontMetricsF(self.small_font)
        self._texts: dict[tuple[str, str], QStaticText] = {}
        self._icons: dict[str, QPixmap] = {}

    def static_text(self, text: str, font: str = "small") -> QStaticText:
        """Text laid out once in the title, small or far font; the same texts come again and again."""
        found = self._texts.get((text, font))
        if found is None:
            if len(self._texts) > MOST_TEXTS:
                self._texts.clear()
            found = self._texts[text, font] = QStaticText(text)
            found.setTextFormat(Qt.PlainText)
            found.setPerformanceHint(QStaticText.AggressiveCaching)
            found.prepare(font={"small": self.small_font, "title": self.title_font, "far": self.far_font}[font])
        return found

    def icon(self, kind: Kind) -> QPixmap:
        """The glyph of a kind, twice as large as painted so that it stays sharp when zoomed in."""
        found = self._icons.get(kind.kind())
        if found is None:
            found = icons.kind_icon(kind).pixmap(2 * ICON, 2 * ICON)
            self._icons[kind.kind()] = found
        return found


_current: list[Style] = []


def current() -> Style:
    """The style of the theme in use."""
    if not _current or _current[0].theme is not theme.current():
        _current[:] = [Style()]
    return _current[0]


def _forget() -> None:
    _current.clear()


theme.notifier.changed.connect(_forget)  # before any view connects: a change of fonts keeps the theme's colours


def mixed(base: QColor, other: QColor, amount: float) -> QColor:
    """`base` with this much (0 to 1) of `other`."""
    return QColor.fromRgbF(
        base.redF() + (other.redF() - base.redF()) * amount,
        base.greenF() + (other.greenF() - base.greenF()) * amount,
        base.blueF() + (other.blueF() - base.blueF()) * amount,
    )


def wire_class(given: PortType | None) -> str:
    """Which colour a wire has: states, ids, float, or "" while its type is not known."""
    if given is None:
        return ""
    if isinstance(given, StatesType):
        return "states"
    return "ids" if given.dtype == "int32" else "float"


def wire_width(given: PortType | None) -> float:
    return 3.6 if isinstance(given, StatesType) else 1.8


def short_type(given: PortType | None) -> str:
    """What a wire carries, as its label says it: `(None, 33, 44)`, `ids (None, 33)`, `LSTM 128 × 2`."""
    if given is None:
        return ""
    if isinstance(given, StatesType):
        cells = given.cells
        if len(cells) > 1 and len(set(cells)) == 1:
            return f"{cells[0]} × {len(cells)}"
        if len({cell.cell for cell in cells}) == 1:
            widths = [str(cell.units) for cell in cells]
            if len(widths) > 4:
                widths = [*widths[:3], "…", widths[-1]]
            return f"{cells[0].cell} {', '.join(widths)}"
        return f"{len(cells)} states"
    return ("ids " if given.dtype == "int32" else "") + format_shape(given.shape)


def count_text(count: int) -> str:
    """A parameter count that fits into a badge: `232,214`, `12.3 M`."""
    if count < 10_000_000:
        return f"{count:,}"
    return f"{count / 1e6:,.1f} M" if count < 10_000_000_000 else f"{count / 1e9:,.1f} G"


def rounded(points: list[QPointF], radius: float = 9.0) -> QPainterPath:
    """The polyline with its corners rounded."""
    path = QPainterPath(points[0])
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        a, b = before - corner, after - corner
        a_long, b_long = abs(a.x()) + abs(a.y()), abs(b.x()) + abs(b.y())
        reach = min(radius, a_long / 2, b_long / 2)
        if reach < 0.5:
            path.lineTo(corner)
            continue
        path.lineTo(corner + a * (reach / a_long))
        path.quadTo(corner, corner + b * (reach / b_long))
    path.lineTo(points[-1])
    return path


def pen(color: QColor, width: float, line: Qt.PenStyle = Qt.SolidLine) -> QPen:
    made = QPen(color, width, line, Qt.RoundCap, Qt.RoundJoin)
    if line != Qt.SolidLine:
        made.setDashPattern([4.0, 3.0])
    return made
