"""Spin boxes that take a typed number whole or not at all, for pages without a form of the inspector."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from PyQt5 import sip
from PyQt5.QtCore import QPoint, Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QKeyEvent, QValidator
from PyQt5.QtWidgets import QDoubleSpinBox, QSpinBox, QToolTip

if TYPE_CHECKING:
    from PyQt5.QtWidgets import QAbstractSpinBox as _SpinBox
else:
    _SpinBox = object  # two classes of Qt cannot be bases of one


class _Whole(_SpinBox):
    """To be mixed in before the Qt class, whose signal `refused` brings the sentence.

    A spin box of Qt swallows the keys that would lead out of its range, so that 99999999 typed where 9999 is the most becomes
    9999. Here all keys are taken, and `valueChanged` comes with Enter, when the box is left, or with a step. A number out of
    range then goes back to the value before, and a bubble under the box says why. Escape brings the value before back too.
    """

    def __init__(self, **properties: Any) -> None:
        super().__init__(**properties)
        self.setKeyboardTracking(False)

    def _number(self, plain: str) -> float | None:
        """The number that a text without prefix and suffix means; None if it is none."""
        raise NotImplementedError

    def validate(self, text: str | None, position: int) -> tuple[QValidator.State, str, int]:
        text = text or ""
        plain = self._plain(text)
        if text == self.specialValueText() != "":
            return QValidator.Acceptable, text, position
        number = self._number(plain)
        if number is not None and self.minimum() <= number <= self.maximum():
            return QValidator.Acceptable, text, position
        return QValidator.Intermediate, text, position

    def valueFromText(self, text: str | None) -> Any:
        number = self._number(self._plain(text or ""))
        return self.value() if number is None else number

    def fixup(self, text: str | None) -> str:
        """Qt asks for this at the end of an edit if the text is no value, and then shows the value before."""
        self._refuse(text or "")
        return text or ""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        text = self.lineEdit().text()
        if event.key() != Qt.Key_Escape or text == self.specialValueText() or self._number(self._plain(text)) == self.value():
            super().keyPressEvent(event)
            return
        if self.validate(text, 0)[0] != QValidator.Acceptable:
            self._refuse(text)
        self.setValue(self.value())
        self.selectAll()
        event.accept()

    def _without_groups(self, plain: str) -> str:
        """The text without the marks between groups of three digits; others stay, so that `0,001` does not become 1."""
        mark = re.escape(self.locale().groupSeparator())
        grouped = re.match(rf"[+-]?[1-9]\d{{0,2}}({mark}\d{{3}})+(?!\d|{mark})", plain)
        return plain if grouped is None else re.sub(mark, "", grouped[0]) + plain[grouped.end() :]

    def _plain(self, text: str) -> str:
        return text.removeprefix(self.prefix()).removesuffix(self.suffix()).strip()

    def _refuse(self, text: str) -> None:
        low, high, value = (self.textFromValue(number) for number in (self.minimum(), self.maximum(), self.value()))
        received = self._plain(text) or "nothing"
        sentence = f"Expected {low} to {high}, received {received}. It is {value} again."
        QTimer.singleShot(0, lambda: self._show_bubble(sentence))  # the change of focus that is under way would hide it
        self.refused.emit(sentence)

    def _show_bubble(self, sentence: str) -> None:
        if not sip.isdeleted(self) and self.isVisible():
            QToolTip.showText(self.mapToGlobal(QPoint(0, self.height())), sentence, self)


class WholeNumberBox(_Whole, QSpinBox):
    """A whole number."""

    refused = pyqtSignal(str)

    def _number(self, plain: str) -> float | None:
        try:
            return int(self._without_groups(plain))
        except ValueError:
            return None


class DecimalBox(_Whole, QDoubleSpinBox):
    """A number with decimals."""

    refused = pyqtSignal(str)

    def _number(self, plain: str) -> float | None:
        plain = self._without_groups(plain)
        if self.locale().groupSeparator() in plain and self.locale().groupSeparator() != ".":
            return None
        number, understood = self.locale().toDouble(plain)
        if not understood:
            try:
                number = float(plain)
            except ValueError:
                return None
        return number if math.isfinite(number) else None


__all__ = ["DecimalBox", "WholeNumberBox"]
