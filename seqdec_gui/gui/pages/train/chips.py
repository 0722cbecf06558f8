"""The legend above a plot: one chip per curve with its colour, its name and a value.

A click on a chip hides or shows the curve.
"""

from __future__ import annotations

from PyQt5.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PyQt5.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PyQt5.QtWidgets import QAbstractButton, QLabel, QSizePolicy, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.flow_layout import FlowLayout

HEIGHT = 20
"""The height of a chip, in pixels."""
SWATCH_WIDTH = 24
"""The width of the line in the curve's colour, in pixels."""
GAP = 6
"""The space between the parts of a chip, in pixels."""


class Chip(QAbstractButton):
    """The legend's entry for one curve. It is checked while the curve is visible."""

    def __init__(self, text: str, color: str, reserved: str, parent: QWidget | None = None) -> None:
        """Make a chip. `reserved` is a text as wide as the values will be, empty if the chip has none."""
        super().__init__(parent)
        self.setCheckable(True)
        self.setChecked(True)
        self.setText(text)
        self.setAccessibleName(text or "curve")
        self.setToolTip("Click to hide or show")
        self.setCursor(Qt.PointingHandCursor)
        self.setFocusPolicy(Qt.TabFocus)
        self.setSizePolicy(QSizePolicy.Fixed, QSizePolicy.Fixed)
        self._color = color
        self._pattern: Qt.PenStyle = Qt.SolidLine
        self._value = ""
        self._reserved = reserved

    def set_look(self, color: str, pattern: Qt.PenStyle) -> None:
        """Set the colour and the pattern of the line."""
        if (color, pattern) != (self._color, self._pattern):
            self._color, self._pattern = color, pattern
            self.update()

    @property
    def value(self) -> str:
        """Return the text after the name."""
        return self._value

    def set_value(self, value: str) -> None:
        """Set the number after the name. The chip grows if needed and never shrinks, so that the legend stays still."""
        if value != self._value:
            self._value = value
            if len(value) > len(self._reserved):
                self._reserved = "0" * len(value)
                self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        small, bold = (QFontMetricsF(theme.font("small", bold=weight)) for weight in (False, True))
        width = SWATCH_WIDTH + small.horizontalAdvance(self.text()) + bold.horizontalAdvance(self._reserved) + 4 * GAP
        width -= 0 if self.text() else GAP
        return QSize(int(width), HEIGHT)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        look = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        if self.underMouse() or self.hasFocus():
            painter.setPen(QPen(theme.color(look.accent), 1) if self.hasFocus() else Qt.NoPen)
            painter.setBrush(theme.color(look.hover))
            painter.drawRoundedRect(box, 4, 4)
        shown = self.isChecked()
        middle = self.height() / 2
        ink = theme.color(self._color if shown else look.text_disabled)
        painter.setPen(QPen(ink, 2.5 if self._pattern == Qt.SolidLine else 2.0, self._pattern, Qt.FlatCap))
        painter.drawLine(QPoint(GAP, round(middle)), QPoint(GAP + SWATCH_WIDTH - 2, round(middle)))
        font = theme.font("small")
        font.setStrikeOut(not shown)
        painter.setFont(font)
        painter.setPen(theme.color(look.text_dim if shown else look.text_disabled))
        left = SWATCH_WIDTH + 2 * GAP
        width = int(QFontMetricsF(font).horizontalAdvance(self.text())) + 1
        painter.drawText(QRect(left, 0, width, self.height()), Qt.AlignVCenter | Qt.AlignLeft, self.text())
        painter.setFont(theme.font("small", bold=True))
        painter.setPen(theme.color(look.text if shown else look.text_disabled))
        left += width + GAP if self.text() else 0
        rest = QRect(left, 0, self.width() - left, self.height())
        painter.drawText(rest, Qt.AlignVCenter | Qt.AlignLeft, self._value if shown else "")


class Legend(QWidget):
    """A title followed by chips."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        policy = QSizePolicy(QSizePolicy.Preferred, QSizePolicy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.chips: dict[str, Chip] = {}
        self._layout = FlowLayout(self)
        heading = QLabel(title)
        heading.setProperty("role", "section")
        heading.setMinimumHeight(HEIGHT)
        heading.setContentsMargins(theme.SPACE, 0, 2 * theme.SPACE, 0)
        self._layout.addWidget(heading)

    def chip(self, name: str, text: str, color: str, reserved: str = "0.0000") -> Chip:
        """Return the chip of a curve, made if it does not exist."""
        if name not in self.chips:
            self.chips[name] = Chip(text, color, reserved, self)
            self._layout.addWidget(self.chips[name])
            self.chips[name].show()
            self.updateGeometry()
        return self.chips[name]

    def arrange(self, names: list[str]) -> None:
        """Show only these chips, in this order."""
        for name in self.chips.keys() - set(names):
            self.remove(name)
        if names != list(self.chips):
            self.chips = {name: self.chips[name] for name in names}
            for chip in self.chips.values():
                self._layout.removeWidget(chip)
                self._layout.addWidget(chip)

    def remove(self, name: str) -> None:
        chip = self.chips.pop(name, None)
        if chip is not None:
            self._layout.removeWidget(chip)
            chip.deleteLater()
            self.updateGeometry()
