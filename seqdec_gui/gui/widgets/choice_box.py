"""A combo box for forms: the mouse wheel scrolls the form, and text that is too long ends in dots."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QPaintEvent, QWheelEvent
from PyQt5.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter

from seqdec_gui.gui.look import theme


class ChoiceBox(QComboBox):
    """A combo box whose list is as wide as its longest line."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def showPopup(self) -> None:
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + 4 * theme.SPACE)
        super().showPopup()

    @property
    def shown_text(self) -> str:
        """Return the text that fits into the closed box."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        room = self.style().subControlRect(QStyle.CC_ComboBox, option, QStyle.SC_ComboBoxEditField, self).width()
        return self.fontMetrics().elidedText(self.currentText(), Qt.ElideRight, room)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.CC_ComboBox, option)
        option.currentText = self.shown_text
        painter.drawControl(QStyle.CE_ComboBoxLabel, option)
