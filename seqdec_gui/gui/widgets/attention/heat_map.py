"""A picture of weights: sources from left to right, targets from top to bottom, and a scale of their colours."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QEvent, QPoint, QRect, QSize, Qt, pyqtSlot
from PyQt5.QtGui import QColor, QFontMetrics, QHelpEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PyQt5.QtWidgets import QLabel, QSizePolicy, QToolTip, QWidget

from seqdec_gui.gui.look import theme

LARGEST_CELL = 32
"""The largest side of a cell in pixels; the least is the height of a label. Between them the picture fits itself."""
LEGEND_WIDTH, LEGEND_SPACE = 12, 44
"""The width of the scale of colours, and of it with its numbers."""
LONGEST_LABEL = 90
"""The most pixels of a label; longer ones are cut."""
_MOVES = {Qt.Key_Left: (0, -1), Qt.Key_Right: (0, 1), Qt.Key_Up: (-1, 0), Qt.Key_Down: (1, 0)}
"""Rows and columns that an arrow key moves the cell by."""


class HeatMap(QLabel):
    """Weights `(targets, sources)` from 0 to the largest; the colour says how large. Object name `attention_map`.

    It is a label, which Qt has a role for. A cell's words are its tooltip; arrow keys choose a cell, whose words are the
    accessible description.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("attention_map")
        self.setAccessibleName("Weights of attention")
        self.setFocusPolicy(Qt.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Expanding)
        self.targets: Sequence[str] = ()
        self.sources: Sequence[str] = ()
        self.weights: Sequence[Sequence[float]] = ()
        self._chosen: tuple[int, int] | None = None
        theme.notifier.changed.connect(self._on_theme_changed)

    def show_weights(self, targets: Sequence[str], sources: Sequence[str], weights: Sequence[Sequence[float]]) -> None:
        """Show weights, a list for each target, with what stands at the axes."""
        self.targets, self.sources = [_seen(each) for each in targets], [_seen(each) for each in sources]
        self.weights = weights
        self._chosen = None
        self.setAccessibleDescription(f"{len(targets)} targets from top to bottom, {len(sources)} sources from left to right")
        self.setMinimumSize(self._size_with(self._least))
        self.updateGeometry()
        self.update()

    # -- geometry
    @property
    def _small(self) -> QFontMetrics:
        return QFontMetrics(theme.font("small"))

    def _label_width(self, labels: Sequence[str]) -> int:
        return min(LONGEST_LABEL, max((self._small.horizontalAdvance(label) for label in labels), default=0)) + 2 * theme.SPACE

    @property
    def _least(self) -> int:
        return int(self._small.height())

    def _fits(self, label: str) -> bool:
        """Whether the label of a source fits above its cell without being turned."""
        return bool(self._small.horizontalAdvance(label) <= self._cell_across() - 2)

    def _cell_across(self) -> int:
        """The side of a cell by the width of the widget alone, which does not depend on the height of labels."""
        room = self.width() - self._label_width(self.targets) - LEGEND_SPACE
        return int(max(self._least, min(LARGEST_CELL, room // max(1, len(self.sources)))))

    @property
    def _corner(self) -> QPoint:
        """Where the cells begin."""
        turned = [label for label in self.sources if not self._fits(label)]
        above = self._label_width(turned) if turned else self._small.height() + theme.SPACE
        return QPoint(self._label_width(self.targets), above)

    @property
    def _cell(self) -> int:
        """The side of a cell, in pixels."""
        down = (self.height() - self._corner.y() - theme.SPACE) // max(1, len(self.targets))
        return int(max(self._least, min(self._cell_across(), down)))

    def _size_with(self, cell: int) -> QSize:
        across = self._label_width(self.targets) + cell * len(self.sources) + LEGEND_SPACE
        return QSize(across, self._label_width(self.sources) + cell * len(self.targets) + theme.SPACE)

    def sizeHint(self) -> QSize:
        return self._size_with((self._least + LARGEST_CELL) // 2)

    def cell_rect(self, target: int, source: int) -> QRect:
        """Return where the cell of a target and a source is, in the widget's coordinates."""
        side, corner = self._cell, self._corner
        return QRect(corner.x() + side * source, corner.y() + side * target, side, side)

    def cell_at(self, place: QPoint) -> tuple[int, int] | None:
        """Return target and source of the cell at a place."""
        off = place - self._corner
        target, source = off.y() // self._cell, off.x() // self._cell
        return (target, source) if 0 <= target < len(self.targets) and 0 <= source < len(self.sources) else None

    # -- words
    def words(self, target: int, source: int) -> str:
        """Return what a cell says: `M (step 1) attends to 1 (step 1): 0.912`."""
        weight = self.weights[target][source]
        return (
            f"{self.targets[target]} (step {target + 1}) attends to {self.sources[source]} (step {source + 1}): {weight:.3f}"
        )  # fmt: skip

    def event(self, event: QEvent | None) -> bool:
        if isinstance(event, QHelpEvent):
            cell = self.cell_at(event.pos())
            QToolTip.showText(event.globalPos(), "" if cell is None else self.words(*cell), self)
            return True
        return bool(super().event(event))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        if event is not None:
            self._choose(self.cell_at(event.pos()))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        if event is None or event.key() not in _MOVES or not self.targets:
            super().keyPressEvent(event)
            return
        down, across = _MOVES[event.key()]
        target, source = self._chosen or (0, 0)
        moved = (0, 0) if self._chosen is None else (target + down, source + across)
        self._choose((max(0, min(len(self.targets) - 1, moved[0])), max(0, min(len(self.sources) - 1, moved[1]))))

    def _choose(self, cell: tuple[int, int] | None) -> None:
        self._chosen = cell
        if cell is not None:
            words = self.words(*cell)
            self.setAccessibleDescription(words)
            QToolTip.showText(self.mapToGlobal(self.cell_rect(*cell).bottomRight()), words, self)
        self.update()

    # -- painting
    def paintEvent(self, _event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        self.paint(painter)
        if self._chosen is not None:
            painter.setPen(theme.color(theme.current().text))
            painter.drawRect(self.cell_rect(*self._chosen).adjusted(0, 0, -1, -1))
        painter.end()

    def paint(self, painter: QPainter) -> None:
        """Draw everything but what is chosen."""
        look = theme.current()
        painter.setFont(theme.font("small"))
        side, corner, font = self._cell, self._corner, self._small
        greatest = self.greatest
        for target, row in enumerate(self.weights):
            for source, weight in enumerate(row):
                painter.fillRect(self.cell_rect(target, source), shade(weight / greatest))
        painter.setPen(theme.color(look.border))
        painter.drawRect(corner.x() - 1, corner.y() - 1, side * len(self.sources) + 1, side * len(self.targets) + 1)
        painter.setPen(theme.color(look.text))
        for target, label in enumerate(self.targets):
            box = QRect(0, corner.y() + side * target, corner.x() - theme.SPACE, side)
            painter.drawText(box, Qt.AlignRight | Qt.AlignVCenter | Qt.TextDontClip, _cut(font, label))
        for source, label in enumerate(self.sources):
            box = QRect(corner.x() + side * source, 0, side, corner.y() - theme.SPACE)
            if font.horizontalAdvance(label) <= side:
                painter.drawText(box, Qt.AlignHCenter | Qt.AlignBottom, label)
            else:
                painter.save()
                painter.translate(box.center().x(), box.bottom())
                painter.rotate(-90)
                painter.drawText(QRect(0, -side // 2, corner.y(), side), Qt.AlignVCenter | Qt.TextDontClip, _cut(font, label))
                painter.restore()
        self._paint_legend(painter, greatest)

    @property
    def greatest(self) -> float:
        """The weight that has the full colour."""
        return max((max(row, default=0.0) for row in self.weights), default=0.0) or 1.0

    def _paint_legend(self, painter: QPainter, greatest: float) -> None:
        if not self.targets:
            return
        corner, font = self._corner, self._small
        left = corner.x() + self._cell * len(self.sources) + 2 * theme.SPACE
        high = max(60, min(160, self._cell * len(self.targets)))
        for line in range(high):
            painter.fillRect(QRect(left, corner.y() + line, LEGEND_WIDTH, 1), shade(1 - line / (high - 1)))
        painter.setPen(theme.color(theme.current().border))
        painter.drawRect(left, corner.y(), LEGEND_WIDTH - 1, high - 1)
        painter.setPen(theme.color(theme.current().text_dim))
        beside = left + LEGEND_WIDTH + theme.SPACE
        painter.drawText(QPoint(beside, corner.y() + font.ascent()), f"{greatest:.2f}")
        painter.drawText(QPoint(beside, corner.y() + high), "0")

    def picture(self, ratio: float = 2.0) -> QImage:
        """Return the whole picture, also what has to be scrolled to."""
        size = self.size()
        image = QImage(size * ratio, QImage.Format_ARGB32)
        image.setDevicePixelRatio(ratio)
        image.fill(theme.color(theme.current().surface))
        painter = QPainter(image)
        self.paint(painter)
        painter.end()
        return image

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self.update()


def shade(share: float) -> QColor:
    """Return the colour of a part of the largest weight: from the ground of the window to the accent of the theme."""
    look = theme.current()
    low, high = theme.color(look.surface), theme.color(look.accent)
    share = max(0.0, min(1.0, share))
    return QColor(*(round(a + (b - a) * share) for a, b in zip(low.getRgb()[:3], high.getRgb()[:3], strict=True)))


def _seen(label: str) -> str:
    """Return a label with signs for what would not be seen."""
    return label.translate({ord(" "): "␣", ord("\n"): "⏎", ord("\t"): "⇥"})


def _cut(font: QFontMetrics, label: str) -> str:
    return str(font.elidedText(label, Qt.ElideRight, LONGEST_LABEL))
