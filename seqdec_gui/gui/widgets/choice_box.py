"""Combo boxes: one of a width that it is told, and one for forms, where the wheel scrolls and long text ends in dots."""

from __future__ import annotations

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtGui import QPaintEvent, QWheelEvent
from PyQt5.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter, QWidget

from seqdec_gui.gui.look import theme


class SizedBox(QComboBox):
    """A combo box that is at least as wide as some letters, or as its longest text if none are given.

    Qt's own settings for this (`setSizeAdjustPolicy`) make the list of the box at once, with ten widgets, of which most are
    never seen: a third of the time in which the Data page was built.
    """

    def __init__(self, parent: QWidget | None = None, letters: int | None = None, name: str = "") -> None:
        super().__init__(parent, objectName=name)
        self._letters = letters
        if letters is None:
            for change in (self.model().rowsInserted, self.model().rowsRemoved, self.model().dataChanged):
                change.connect(self._on_model_changed)

    def _on_model_changed(self, *_where: object) -> None:
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        metrics, picture = self.fontMetrics(), self.iconSize()
        if self._letters is None:
            texts = [metrics.boundingRect(self.itemText(place)).width() for place in range(self.count())]
            content = QSize(max(texts, default=7 * metrics.horizontalAdvance("x")), max(metrics.height(), 14) + 2)
        else:
            width = self._letters * metrics.horizontalAdvance("X") + (picture.width() + 4 if self._letters else 0)
            content = QSize(width, max(metrics.height(), 14, picture.height()) + 2)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        return self.style().sizeFromContents(QStyle.CT_ComboBox, option, content, self)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def width_for(self, text: str) -> int:
        """Return the least width at which this text is shown whole, in pixels."""
        metrics, option = self.fontMetrics(), QStyleOptionComboBox()
        self.initStyleOption(option)
        content = QSize(metrics.horizontalAdvance(text) + metrics.horizontalAdvance("x"), metrics.height())
        return self.style().sizeFromContents(QStyle.CT_ComboBox, option, content, self).width()


class ChoiceBox(SizedBox):
    """A combo box of a form, whose list is as wide as its longest line."""

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
