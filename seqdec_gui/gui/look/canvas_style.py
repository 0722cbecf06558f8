"""Colours, fonts and sizes of blocks and wires, made from the theme once and again when it changes."""

from __future__ import annotations

from PyQt5.QtCore import QPointF, Qt
from PyQt5.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPixmap, QStaticText

from seqdec_gui.domain.kinds.base import Kind
from seqdec_gui.domain.types import MemoryType, PortType, Shape, StatesType, format_shape
from seqdec_gui.gui.look import icons, theme

HEADER_HEIGHT = 48.0
"""The height of a block's header, with its name and kind, in scene units."""

PORT_ROW_HEIGHT = 20.0
"""The height of one row of ports below the header, in scene units."""

FOOTER_HEIGHT = 8.0
"""The space below the last row of ports, in scene units."""

PADDING = 12.0
"""The space between a block's edge and its texts, in scene units."""

CORNER_RADIUS = 8.0
"""The radius of a block's corners, in scene units."""

PORT_RADIUS = 5.5
"""The radius of a port's circle, in scene units."""

MIN_BLOCK_WIDTH = 140.0
"""The least width of a block, in scene units."""

MAX_BLOCK_WIDTH = 320.0
"""The width at which a block's texts are elided instead of widening it further, in scene units."""

ICON_SIZE = 18
"""The side of the icon in a block's header, in scene units."""

MAX_CACHED_TEXTS = 5000
"""How many laid out texts are kept before all of them are dropped and made again."""

DETAIL_SCALE = 0.45
"""Below this scale (pixels per scene unit) names of ports, labels and kinds are not painted: they could not be read."""

FULL_TEXT_SCALE = 0.85
"""Below this scale (pixels per scene unit) texts are painted larger than their place, where there is room, to be read."""

MAX_TEXT_GROWTH = 1.2
"""How much larger texts are painted at most: nearly all blocks have room for it, so that names look alike."""

TITLE_SCALE = 0.22
"""Below this scale (pixels per scene unit) no text and no icon is painted."""

PORT_SCALE = 0.2
"""Below this scale (pixels per scene unit) blocks are plain rectangles without ports, and wires plain lines."""


class CanvasStyle:
    """The colours, fonts and cached texts and icons that items paint with.

    Items call `current()` each time they paint and keep no style, so that a change of theme reaches all of them.
    """

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
        self.annotation = {name: QColor(value) for name, value in look.annotation.items()}
        self.title_font = theme.font("body", bold=True)
        self.small_font = theme.font("small")
        self.far_font = theme.font("headline", bold=True)
        self.far_metrics = QFontMetricsF(self.far_font)
        self.title_metrics = QFontMetricsF(self.title_font)
        self.small_metrics = QFontMetricsF(self.small_font)
        self._texts: dict[tuple[str, str], QStaticText] = {}
        self._icons: dict[str, QPixmap] = {}

    def static_text(self, text: str, font: str = "small") -> QStaticText:
        """Return a text laid out in the `small`, `title` or `far` font; equal texts are laid out once."""
        static = self._texts.get((text, font))
        if static is None:
            if len(self._texts) > MAX_CACHED_TEXTS:
                self._texts.clear()
            static = self._texts[text, font] = QStaticText(text)
            static.setTextFormat(Qt.PlainText)
            static.setPerformanceHint(QStaticText.AggressiveCaching)
            static.prepare(font={"small": self.small_font, "title": self.title_font, "far": self.far_font}[font])
        return static

    def icon(self, kind: Kind) -> QPixmap:
        """Return the icon of a kind, twice as large as it is painted so that it stays sharp when zoomed in."""
        pixmap = self._icons.get(kind.kind())
        if pixmap is None:
            pixmap = icons.kind_icon(kind).pixmap(2 * ICON_SIZE, 2 * ICON_SIZE)
            self._icons[kind.kind()] = pixmap
        return pixmap


_current: list[CanvasStyle] = []
"""The style of the theme in use, at most one; it is empty until the first item paints and after a change of theme."""


def current() -> CanvasStyle:
    """Return the style of the theme in use."""
    if not _current or _current[0].theme is not theme.current():
        _current[:] = [CanvasStyle()]
    return _current[0]


def _forget() -> None:
    _current.clear()


theme.notifier.changed.connect(_forget)  # before any view connects: a change of fonts keeps the theme's colours


def mixed(base: QColor, other: QColor, amount: float) -> QColor:
    """Return a mixture of two colours: `base` for amount 0, `other` for amount 1."""
    return QColor.fromRgbF(
        base.redF() + (other.redF() - base.redF()) * amount,
        base.greenF() + (other.greenF() - base.greenF()) * amount,
        base.blueF() + (other.blueF() - base.blueF()) * amount,
    )


def wire_class(port_type: PortType | None) -> str:
    """Return the key of a wire's colour in `CanvasStyle.wire`: states, ids, float, or "" while its type is not known."""
    if port_type is None:
        return ""
    if isinstance(port_type, StatesType):
        return "states"
    if isinstance(port_type, MemoryType):
        return "float"
    return "ids" if port_type.dtype == "int32" else "float"


def wire_width(port_type: PortType | None) -> float:
    """Return the width of a wire's line in scene units: one of states or a memory carries several tensors and is thicker."""
    return 3.6 if isinstance(port_type, StatesType | MemoryType) else 1.8


def short_type(port_type: PortType | None) -> str:
    """Return the label of a wire that carries this type: `(None, 33, 44)`, `ids (None, 33)`, `LSTM 128 × 2`, `memory (…)`."""
    if port_type is None:
        return ""
    if isinstance(port_type, StatesType):
        cells = port_type.cells
        if len(cells) > 1 and len(set(cells)) == 1:
            return f"{cells[0]} × {len(cells)}"
        if len({cell.cell for cell in cells}) == 1:
            widths = [str(cell.units) for cell in cells]
            if len(widths) > 4:
                widths = [*widths[:3], "…", widths[-1]]
            return f"{cells[0].cell} {', '.join(widths)}"
        return f"{len(cells)} states"
    if isinstance(port_type, MemoryType):
        return f"memory {format_shape((port_type.steps, port_type.width))}"
    return ("ids " if port_type.dtype == "int32" else "") + format_shape(port_type.shape)


def wire_texts(port_type: PortType | None) -> tuple[str, ...]:
    """Return the labels of a wire that carries this type, the longest first; a shorter one needs less room.

    The shortest of an array is the shape of one row, `33 × 44`.
    """
    longest = short_type(port_type)
    if isinstance(port_type, MemoryType):
        return longest, format_shape((port_type.steps, port_type.width)), _one_row((port_type.steps, port_type.width))
    if port_type is None or isinstance(port_type, StatesType):
        return (longest,) if longest else ()
    return (longest, _one_row(port_type.shape)) if port_type.shape else (longest,)


def _one_row(shape: Shape) -> str:
    return " × ".join("?" if side is None else str(side) for side in shape)


def count_text(count: int) -> str:
    """Return a parameter count in at most nine characters or so, for a badge: `232,214`, `12.3 M`."""
    if count < 10_000_000:
        return f"{count:,}"
    return f"{count / 1e6:,.1f} M" if count < 10_000_000_000 else f"{count / 1e9:,.1f} G"


def rounded(points: list[QPointF], radius: float = 9.0) -> QPainterPath:
    """Return the polyline through these points with its corners rounded by this radius."""
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


def text_growth(scale: float, most: float) -> float:
    """Return how much larger than usual a text is painted at this scale, at most by the factor for which there is room."""
    return min(most, max(FULL_TEXT_SCALE / scale, 1.0))


def draw_text(painter: QPainter, at: QPointF, text: QStaticText, growth: float = 1.0) -> None:
    """Draw a text with its upper left corner at this point."""
    if growth == 1.0:
        painter.drawStaticText(at, text)
        return
    painter.translate(at)
    painter.scale(growth, growth)
    painter.drawStaticText(QPointF(0, 0), text)
    painter.scale(1 / growth, 1 / growth)
    painter.translate(-at)


def pen(color: QColor, width: float, line: Qt.PenStyle = Qt.SolidLine) -> QPen:
    """Return a pen with round caps and joins; any line style but a solid one is dashed alike."""
    round_pen = QPen(color, width, line, Qt.RoundCap, Qt.RoundJoin)
    if line != Qt.SolidLine:
        round_pen.setDashPattern([4.0, 3.0])
    return round_pen
