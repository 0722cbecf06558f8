"""Spin boxes for pages without a form of the inspector. They accept a typed number unchanged or refuse it."""

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
    """A mixin for spin boxes, before the Qt class. Its signal `refused` carries the sentence about a refused number.

    A spin box of Qt ignores the keys that would lead out of its range, so that 99999999 typed where 9999 is the maximum becomes
    9999. Here all keys are accepted, and `valueChanged` is emitted on Enter, when the box loses the focus, or with a step. A
    number out of range is then replaced by the value before, and a tooltip below the box says why. Escape restores the value
    before too.
    """

    def __init__(self, **properties: Any) -> None:
        super().__init__(**properties)
        self.setKeyboardTracking(False)

    def _number(self, plain: str) -> float | None:
        """Return the number in a text without prefix and suffix; None if it is none."""
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
        """Return the value before the edit. Qt calls this at the end of an edit whose text is not a value."""
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
        QTimer.singleShot(0, lambda: self._show_bubble(sentence))  # after the present change of focus, which would hide it
        self.refused.emit(sentence)

    def _show_bubble(self, sentence: str) -> None:
        if not sip.isdeleted(self) and self.isVisible():
            QToolTip.showText(self.mapToGlobal(QPoint(0, self.height())), sentence, self)


class WholeNumberBox(_Whole, QSpinBox):
    """A spin box for an integer."""

    refused = pyqtSignal(str)

    def _number(self, plain: str) -> float | None:
        try:
            return int(self._without_groups(plain))
        except ValueError:
            return None


class DecimalBox(_Whole, QDoubleSpinBox):
    """A spin box for a number with decimals."""

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
