"""A label of several lines whose words may be longer than a line: paths, names of columns, symbols of a file."""

from __future__ import annotations

import re

from PyQt5.QtCore import QSize
from PyQt5.QtWidgets import QLabel, QWidget

LONGEST = 24
"""The number of characters of a word from which it may be broken."""
_LONG_WORD = re.compile(rf"\S{{{LONGEST},}}")
_BREAK = "\u200b"
"""A space without a width, at which a line may end."""


class WrappedLabel(QLabel):
    """Breaks words that are too long for a line, so that no text widens the window. `text` is what was set."""

    def __init__(self, text: str = "", name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setWordWrap(True)
        self._plain = ""
        self.setText(text)

    def setText(self, text: str | None) -> None:
        self._plain = text or ""
        self.setAccessibleName(self._plain)
        super().setText(_LONG_WORD.sub(lambda word: _BREAK.join(word[0]), self._plain))

    def text(self) -> str:
        return self._plain

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())
