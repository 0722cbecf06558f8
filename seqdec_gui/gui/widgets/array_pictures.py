"""Pictures of the arrays that a port gets: images of one-hot rows and matrices, ids with their symbols, vectors as numbers."""

from __future__ import annotations

import math

import numpy as np
from PyQt5.QtCore import QEvent, QPoint, QRectF, QSize, Qt, pyqtSlot
from PyQt5.QtGui import QFont, QFontMetrics, QHelpEvent, QImage, QPainter, QPaintEvent, QResizeEvent
from PyQt5.QtWidgets import QSizePolicy, QToolTip, QWidget

from seqdec_gui.data.display import number_text
from seqdec_gui.gui.look import theme

MAX_CELL = 18
"""The greatest side of a cell of an image, in pixels."""
MIN_LABELLED_CELL = 8
"""The side of a cell from which rows and columns are labelled, in pixels."""
MAX_HEIGHT = 280
"""The height that an image takes at most, in pixels."""
NUMBERS_SHOWN = 400
"""The number of ids or numbers that are shown."""
NUMBER_WIDTH = 84
"""The width of a number's place in the grid, in pixels."""


class Picture(QWidget):
    """The base class of all pictures: as wide as there is room, and as high as the contents need at that width."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        policy = QSizePolicy(QSizePolicy.Expanding, QSizePolicy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.notifier.changed.connect(self._on_theme_changed)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        raise NotImplementedError

    def sizeHint(self) -> QSize:
        return QSize(320, self.heightForWidth(320))

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 20)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self.updateGeometry()

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self.update()


class MatrixPicture(Picture):
    """A row `(steps, features)` as an image with a column per step, feature 0 at the top.

    `across` names the steps, `down` the features. Values are shaded from the lowest to the highest.
    """

    def __init__(
        self, values: np.ndarray, across: tuple[str, ...] = (), down: tuple[str, ...] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._values = values
        self._across = across
        self._down = down
        self._low, self._high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
        self.setAccessibleName(f"Image of {values.shape[0]} steps by {values.shape[1]} values")

    def _geometry(self, width: int) -> tuple[float, float, int, int]:
        """Return width and height of a cell, and the margins at the left and at the bottom, in pixels."""
        steps, features = self._values.shape
        left = self._label_width()
        cell_width = min(MAX_CELL, max(1.0, (width - left - 2) / max(1, steps)))
        cell_height = min(cell_width, MAX_CELL)
        if features * cell_height > MAX_HEIGHT:
            cell_height = max(MAX_HEIGHT / features, 0.05)
        if cell_height < MIN_LABELLED_CELL:
            left = 0 if features > 3 else left
            cell_width = min(MAX_CELL, max(1.0, (width - left - 2) / max(1, steps)))
        bottom = self.fontMetrics().height() if self._across and cell_width >= MIN_LABELLED_CELL else 0
        return cell_width, cell_height, left, bottom

    def _label_width(self) -> int:
        metrics = self.fontMetrics()
        return max((metrics.horizontalAdvance(name[:12]) for name in self._down[:200]), default=0) + 8 if self._down else 0

    def heightForWidth(self, width: int) -> int:
        _, cell_height, _, bottom = self._geometry(width)
        return math.ceil(cell_height * self._values.shape[1]) + bottom + 2

    def paintEvent(self, event: QPaintEvent | None) -> None:
        wide, high, left, bottom = self._geometry(self.width())
        steps, features = self._values.shape
        look = theme.current()
        painter = QPainter(self)
        area = QRectF(left + 1, 1, steps * wide, features * high)
        painter.drawImage(area, self._image(area))
        painter.setPen(theme.color(look.border))
        painter.drawRect(area.adjusted(-1, -1, 0, 0))
        painter.setFont(_small_font(min(wide, high)))
        painter.setPen(theme.color(look.text_dim))
        if left and high >= MIN_LABELLED_CELL:
            for place, name in enumerate(self._down[:features]):
                cell = QRectF(0, 1 + place * high, left - 4, high)
                painter.drawText(cell, Qt.AlignRight | Qt.AlignVCenter, name[:12])
        if bottom:
            for place, name in enumerate(self._across[:steps]):
                cell = QRectF(left + 1 + place * wide, area.bottom() + 1, wide, bottom)
                painter.drawText(cell, Qt.AlignCenter, name[: 1 if wide < 30 else 4])
        painter.end()

    def _image(self, area: QRectF) -> QImage:
        """Return an image with one pixel per value.

        If the area has fewer pixels, each is the largest value of a group, so that no 1 is lost.
        """
        look = theme.current()
        values = self._values.T
        rows = max(1, int(area.height() * self.devicePixelRatioF()))
        if values.shape[0] > rows:
            edges = np.linspace(0, values.shape[0], rows, endpoint=False).astype(int)
            values = np.maximum.reduceat(values, edges, axis=0)
        span = (self._high - self._low) or 1.0
        share = ((values - self._low) / span)[..., None]
        ground, ink = (np.array(theme.color(name).getRgb()[:3]) for name in (look.window, look.accent))
        colours = np.full((*values.shape, 4), 255, np.uint8)
        colours[..., :3] = np.round(ground + share * (ink - ground))
        colours = np.ascontiguousarray(colours)
        image = QImage(colours.data, values.shape[1], values.shape[0], 4 * values.shape[1], QImage.Format_RGBA8888)
        return image.copy()

    def event(self, event: QEvent | None) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.ToolTip:
            QToolTip.showText(event.globalPos(), self.words_at(event.pos()), self)
            return True
        return super().event(event)

    def words_at(self, position: QPoint) -> str:
        """Return a description of the value under the mouse."""
        wide, high, left, _ = self._geometry(self.width())
        step, feature = int((position.x() - left - 1) // wide), int((position.y() - 1) // high)
        if not (0 <= step < self._values.shape[0] and 0 <= feature < self._values.shape[1]):
            return ""
        name = f" ({self._down[feature]})" if feature < len(self._down) else ""
        return f"step {step + 1}, {feature}{name}: {number_text(float(self._values[step, feature]))}"


class IdsPicture(Picture):
    """A row of ids in cells, with the symbol of each below it."""

    def __init__(self, ids: np.ndarray, symbols: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ids = ids.reshape(-1)[:NUMBERS_SHOWN]
        self._symbols = symbols
        self.setAccessibleName(f"Ids {', '.join(map(str, self._ids[:40].tolist()))}")

    def _cell(self) -> tuple[int, int]:
        metrics = self.fontMetrics()
        names = [self._name(number) for number in set(self._ids.tolist())]
        widest = max([metrics.horizontalAdvance(name) for name in names] + [metrics.horizontalAdvance("00")])
        return widest + 3 * theme.SPACE, 2 * metrics.height() + theme.SPACE if self._symbols else metrics.height() + theme.SPACE

    def _name(self, number: int) -> str:
        return self._symbols[number] if 0 <= number < len(self._symbols) else "" if self._symbols else str(number)

    def heightForWidth(self, width: int) -> int:
        cell_width, cell_height = self._cell()
        per_row = max(1, (width - 1) // cell_width)
        return max(1, -(-len(self._ids) // per_row)) * (cell_height + theme.SPACE)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        look = theme.current()
        cell_width, cell_height = self._cell()
        per_row = max(1, (self.width() - 1) // cell_width)
        painter = QPainter(self)
        line = self.fontMetrics().height()
        for place, number in enumerate(self._ids.tolist()):
            row, column = divmod(place, per_row)
            cell = QRectF(column * cell_width, row * (cell_height + theme.SPACE), cell_width, cell_height)
            quiet = bool(self._symbols) and number == 0
            painter.fillRect(cell.adjusted(0, 0, -1, 0), theme.color(look.window if quiet else look.selection))
            painter.setFont(theme.font("body", bold=not quiet) if self._symbols else theme.font("body"))
            painter.setPen(theme.color(look.text_dim if quiet else look.text))
            painter.drawText(QRectF(cell.x(), cell.y() + 2, cell_width, line), Qt.AlignCenter, self._name(number))
            if self._symbols:
                painter.setFont(theme.font("small"))
                painter.setPen(theme.color(look.text_dim))
                painter.drawText(QRectF(cell.x(), cell.y() + line, cell_width, line), Qt.AlignCenter, str(number))
        painter.end()


class NumbersPicture(Picture):
    """A vector as a grid of numbers with their names."""

    def __init__(self, values: np.ndarray, names: tuple[str, ...] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        flat = values.reshape(-1)
        self._values = flat[:NUMBERS_SHOWN]
        self._left_out = max(0, flat.size - NUMBERS_SHOWN)
        self._names = names if len(names) == flat.size else tuple(str(place + 1) for place in range(len(self._values)))
        self.setAccessibleName(f"Numbers {', '.join(number_text(value) for value in self._values[:40].tolist())}")

    def _cell_height(self) -> int:
        return 2 * self.fontMetrics().height() + theme.SPACE

    def _cell_width(self) -> int:
        """Return the width of a cell, in which every number has room whole."""
        metrics = QFontMetrics(theme.font("body"))
        widest = max((metrics.horizontalAdvance(number_text(value)) for value in self._values.tolist()), default=0)
        return max(NUMBER_WIDTH, widest + 2 * theme.SPACE)

    def heightForWidth(self, width: int) -> int:
        per_row = max(1, width // self._cell_width())
        rows = max(1, -(-(len(self._values) + bool(self._left_out)) // per_row))
        return rows * (self._cell_height() + theme.SPACE)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        look = theme.current()
        cell_width, cell_height = self._cell_width(), self._cell_height()
        per_row = max(1, self.width() // cell_width)
        painter = QPainter(self)
        line = self.fontMetrics().height()
        words = [*zip(self._names, map(number_text, self._values.tolist()), strict=False)]
        if self._left_out:
            words.append(("", f"+ {self._left_out:,} more"))
        for place, (name, value) in enumerate(words):
            row, column = divmod(place, per_row)
            x, y = column * cell_width, row * (cell_height + theme.SPACE)
            painter.setFont(theme.font("small"))
            painter.setPen(theme.color(look.text_dim))
            title = self.fontMetrics().elidedText(name, Qt.ElideRight, cell_width - 2 * theme.SPACE)
            painter.drawText(QRectF(x, y, cell_width - theme.SPACE, line), Qt.AlignLeft | Qt.AlignVCenter, title)
            painter.setFont(theme.font("body"))
            painter.setPen(theme.color(look.text))
            painter.drawText(QRectF(x, y + line, cell_width - theme.SPACE, line), Qt.AlignLeft | Qt.AlignVCenter, value)
        painter.end()


def _small_font(cell: float) -> QFont:
    """Return the small font, or a smaller one if a cell has no room for it."""
    font = theme.font("small")
    if QFontMetrics(font).height() > cell + 4:
        font.setPixelSize(max(8, int(cell)))
    return font


def square_side(width: int) -> int:
    """Return the side of the square image that a vector of this width may be, 0 if it is none."""
    side = math.isqrt(width)
    return side if side * side == width and side >= 4 else 0
