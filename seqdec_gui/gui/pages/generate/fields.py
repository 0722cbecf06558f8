"""Fields for the inputs of a trained run, one per port. The codec that was fitted in training decides which field is used.

A field judges what is typed at once: `fault` is the sentence under it, and `edited` says that it may be another one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.data.codecs import FittedBits, FittedCategory, FittedNumbers, FittedText
from seqdec_gui.data.display import number_text
from seqdec_gui.data.fitted import FittedPort
from seqdec_gui.data.formats.notation import Doubt, Notation
from seqdec_gui.data.new_numbers import parse_numbers
from seqdec_gui.data.typed_text import text_fault
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.pages.generate.paint_grid import PaintGrid
from seqdec_gui.gui.widgets.array_pictures import square_side
from seqdec_gui.gui.widgets.wrapped_label import WrappedLabel

MAX_FIELDS = 64
"""The number of numbers up to which each has a field of its own."""
MAX_IMAGE_SIDE = 64
"""The side up to which a square vector can be painted, in cells."""


class Field(Protocol):
    """The interface of all fields: a widget for the values of one port."""

    edited: Any
    """The signal that the values, and with them `fault`, may have changed."""

    def fault(self) -> str:
        """Return why the values cannot be used; empty if they can, or if nothing has been typed yet."""

    def is_empty(self) -> bool:
        """Return whether nothing has been typed."""

    def values(self) -> list[Any]:
        """Return one value per typed row. Raises InvalidInput."""

    def show_value(self, value: Any) -> None:
        """Show the value of one row of the data."""


def field_for(
    port: FittedPort, highest: float | None, several: bool, notations: Sequence[Notation | None] = ()
) -> Field:  # fmt: skip
    """Return the field for a port. With `several` more than one row may be typed, as it is the only input.

    `notations` are those of the numbers of the port's columns. Numbers with decimal points are read as the form shows them.
    """
    codec = port.codec
    if isinstance(codec, FittedText | FittedBits):
        return TextField(port, codec, several)
    if isinstance(codec, FittedCategory):
        return LabelField(port, codec)
    size = math.prod(codec.shape) * (getattr(codec, "depth", 0) or 1)
    side = square_side(size) if isinstance(codec, FittedNumbers) and len(codec.shape) in (1, 2) else 0
    named = len(port.number_names or port.columns) == size
    if 8 <= side <= MAX_IMAGE_SIDE and not (named and size > 1):
        return ImageField(port, side, highest or 1.0)
    if isinstance(codec, FittedNumbers) and size <= MAX_FIELDS and len(codec.shape) <= 1:
        return NumbersField(port, codec, size, notations)
    return PastedField(port, size, notations)


class TextField(QWidget):
    """Text, one row per line if `several`. Object names `input_<port>` and `fault_<port>`."""

    edited = pyqtSignal()

    def __init__(self, port: FittedPort, codec: FittedText | FittedBits, several: bool) -> None:
        super().__init__()
        self._port = port
        self._codec = codec
        self._several = several
        subwords = isinstance(codec, FittedText) and codec.subwords is not None
        kind = "subwords" if subwords else codec.tokens if codec.tokens == "words" else "symbols"
        symbols = "".join(codec.charset) if codec.tokens == "characters" else ", ".join(codec.charset)
        self._edit = QPlainTextEdit(objectName=f"input_{port.name}") if several else QLineEdit(objectName=f"input_{port.name}")
        self._edit.setAccessibleName(port.name)
        self._edit.setPlaceholderText("One row per line" if several else "Text")
        if several:
            self._edit.setFixedHeight(104)
        shortened = symbols if len(symbols) <= 120 else f"{symbols[:119]}…"
        words = WrappedLabel(f"At most {codec.room} {kind} of: {shortened}")
        words.setProperty("role", "small")
        self._fault = _fault_label(port)
        layout = _column(self)
        layout.addWidget(self._edit)
        layout.addWidget(self._fault)
        layout.addWidget(words)
        self._edit.textChanged.connect(self._on_edit_text_changed)

    def _lines(self) -> list[str]:
        text = self._edit.toPlainText() if self._several else self._edit.text()
        return [line for line in text.splitlines() if line.strip()]

    def fault(self) -> str:
        return text_fault(self._codec, self._lines())

    def is_empty(self) -> bool:
        return not self._lines()

    def _on_edit_text_changed(self, *_text: str) -> None:
        _say(self._fault, self.fault(), self._edit)
        self.edited.emit()

    def values(self) -> list[Any]:
        lines = self._lines()
        if not lines:
            raise InvalidInput(f"Nothing is typed for {self._port.name}; expected text.", "no_rows", self._port.name)
        return lines

    def show_value(self, value: Any) -> None:
        if self._several:
            self._edit.setPlainText(str(value))
        else:
            self._edit.setText(str(value))


class LabelField(QWidget):
    """A choice among the labels that were in the training rows. Object name `input_<port>`."""

    edited = pyqtSignal()

    def __init__(self, port: FittedPort, codec: FittedCategory) -> None:
        super().__init__()
        self._box = QComboBox(objectName=f"input_{port.name}")
        self._box.setAccessibleName(port.name)
        self._box.addItems(codec.labels)
        _column(self).addWidget(self._box)

    def fault(self) -> str:
        return ""

    def is_empty(self) -> bool:
        return not self._box.currentText()

    def values(self) -> list[Any]:
        return [self._box.currentText()]

    def show_value(self, value: Any) -> None:
        self._box.setCurrentText(str(value))


class NumbersField(QWidget):
    """A field per number, `input_<port>_<n>`, labelled with the names of the columns.

    A whole row may be pasted into any of them. `fault_<port>` names the first that is no number.
    """

    edited = pyqtSignal()

    def __init__(
        self, port: FittedPort, codec: FittedNumbers, size: int, notations: Sequence[Notation | None] = ()
    ) -> None:  # fmt: skip
        super().__init__()
        self._notations = notations if len(notations) == size else (notations[0] if len(notations) == 1 else None,) * size
        self._port = port
        self._shape = codec.shape
        self._filling = True
        names = port.number_names if len(port.number_names) == size else tuple(str(place + 1) for place in range(size))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(2 * theme.SPACE)
        grid.setVerticalSpacing(theme.SPACE)
        self._edits: list[QLineEdit] = []
        pairs = 2 if size > 1 and max(map(len, names)) <= 8 else 1
        lines = -(-size // pairs)
        for place in range(size):
            edit = QLineEdit(objectName=f"input_{port.name}_{place}")
            edit.setAccessibleName(f"{port.name} {names[place]}")
            start = codec.mean[place] if len(codec.mean) == size else 0.0
            edit.setText(number_text(float(start)))
            edit.setAlignment(Qt.AlignRight)
            edit.setMinimumWidth(48)
            edit.textEdited.connect(self._on_edit_text_edited)
            edit.textChanged.connect(self._judge)
            label = QLabel(names[place])
            label.setProperty("role", "dim")
            label.setBuddy(edit)
            column, row = divmod(place, lines)
            grid.addWidget(label, row, 2 * column)
            grid.addWidget(edit, row, 2 * column + 1)
            grid.setColumnStretch(2 * column + 1, 1)
            self._edits.append(edit)
        self._fault = _fault_label(port)
        grid.addWidget(self._fault, lines, 0, 1, 2 * pairs)
        self._filling = False
        self.setToolTip("A whole row of numbers may be pasted into any of these fields.")

    def fault(self) -> str:
        place = next((place for place in range(len(self._edits)) if not isinstance(self._number(place), float)), None)
        if place is None:
            return ""
        which = f"Number {place + 1} of {self._port.name}"
        if isinstance(doubt := self._number(place), Doubt):
            return f"{which}: {doubt.cell!r} may be {doubt.settled} or {doubt.other}; type one of them."
        typed = self._edits[place].text()
        return f"{which} is {repr(typed) if typed.strip() else 'empty'}; expected a finite number such as 1.5."

    def _number(self, place: int) -> float | Doubt | None:
        return _number(self._edits[place].text(), self._notations[place])

    def is_empty(self) -> bool:
        return False

    def _judge(self, _text: str = "") -> None:
        if self._filling:
            return
        for place, edit in enumerate(self._edits):
            polish(edit, "invalid", not isinstance(self._number(place), float))
        _say(self._fault, self.fault())
        self.edited.emit()

    def values(self) -> list[Any]:
        if fault := self.fault():
            raise InvalidInput(fault, "not_numbers", self._port.name)
        numbers = [self._number(place) for place in range(len(self._edits))]
        return [numbers if self._shape else numbers[0]]

    def show_value(self, value: Any) -> None:
        numbers = np.asarray(value, np.float64).reshape(-1).tolist()
        self._filling = True
        try:
            for edit, number in zip(self._edits, numbers, strict=True):
                edit.setText(_shortest(number))
        finally:
            self._filling = False
        self._judge()

    def _on_edit_text_edited(self, text: str) -> None:
        size = len(self._edits)
        several = size > 1 and len(text.split()) + text.count(",") + text.count(";") > 1
        numbers = parse_numbers(text, size, notations=self._notations, is_typed=True) if several else ""
        if isinstance(numbers, list) and len(numbers) == size:
            self.show_value(numbers)


class ImageField(QWidget):
    """A square image to paint. Object name `input_<port>`."""

    edited = pyqtSignal()

    def __init__(self, port: FittedPort, side: int, ink: float) -> None:
        super().__init__()
        self._port = port
        self.grid = PaintGrid(side, ink)
        self.grid.setObjectName(f"input_{port.name}")
        clear = QPushButton("Clear", objectName=f"clear_{port.name}")
        clear.clicked.connect(self.grid.wipe)
        words = QLabel(f"{side} × {side}, painted with {number_text(ink)}. The right mouse button erases.", wordWrap=True)
        words.setProperty("role", "small")
        row = QHBoxLayout()
        row.addWidget(words, 1)
        row.addWidget(clear)
        layout = _column(self)
        layout.addWidget(self.grid)
        layout.addLayout(row)

    def fault(self) -> str:
        return ""

    def is_empty(self) -> bool:
        return False

    def values(self) -> list[Any]:
        return [self.grid.values.reshape(-1).tolist()]

    def show_value(self, value: Any) -> None:
        self.grid.set_values(np.asarray(value, np.float64))


class PastedField(QWidget):
    """Many numbers as text, one row per line. Object names `input_<port>` and `fault_<port>`."""

    edited = pyqtSignal()

    def __init__(self, port: FittedPort, size: int, notations: Sequence[Notation | None] = ()) -> None:
        super().__init__()
        self._notations = notations
        self._port = port
        self._size = size
        self._shape = port.codec.row_shape
        self._edit = QPlainTextEdit(objectName=f"input_{port.name}")
        self._edit.setAccessibleName(port.name)
        self._edit.setPlaceholderText(f"{size:,} numbers, one row per line")
        self._edit.setFixedHeight(104)
        self._fault = _fault_label(port)
        layout = _column(self)
        layout.addWidget(self._edit)
        layout.addWidget(self._fault)
        self._edit.textChanged.connect(self._on_edit_text_changed)

    def _lines(self) -> list[str]:
        return [line for line in self._edit.toPlainText().splitlines() if line.strip()]

    def _numbers(self, line: str) -> list[float] | str | Doubt:
        return parse_numbers(line, self._size, notations=self._notations, is_typed=True)

    def fault(self) -> str:
        for row, line in enumerate(self._lines()):
            numbers = self._numbers(line)
            if isinstance(numbers, Doubt):
                return f"Row {row + 1} of {self._port.name}: {numbers.cell!r} may be {numbers.settled} or {numbers.other}."
            if isinstance(numbers, str) or len(numbers) != self._size:
                got = f"{numbers!r}" if isinstance(numbers, str) else counted(len(numbers), "number")
                return f"Row {row + 1} of {self._port.name} has {got}; expected {self._size:,} numbers."
        return ""

    def is_empty(self) -> bool:
        return not self._lines()

    def _on_edit_text_changed(self) -> None:
        _say(self._fault, self.fault(), self._edit)
        self.edited.emit()

    def values(self) -> list[Any]:
        if fault := self.fault():
            raise InvalidInput(fault, "not_numbers", self._port.name)
        rows: list[Any] = [self._numbers(line) for line in self._lines()]
        if not rows:
            text = f"Nothing is typed for {self._port.name}; expected {self._size:,} numbers."
            raise InvalidInput(text, "no_rows", self._port.name)
        return rows

    def show_value(self, value: Any) -> None:
        self._edit.setPlainText(", ".join(f"{number:g}" for number in np.asarray(value, np.float64).reshape(-1).tolist()))


def _fault_label(port: FittedPort) -> WrappedLabel:
    label = WrappedLabel(name=f"fault_{port.name}")
    label.setProperty("role", "error")
    label.hide()
    return label


def _say(label: WrappedLabel, fault: str, edit: QWidget | None = None) -> None:
    """Show what is wrong below a field, and mark the field."""
    label.setText(fault)
    label.setVisible(bool(fault))
    if edit is not None:
        polish(edit, "invalid", bool(fault))


def _column(widget: QWidget) -> QVBoxLayout:
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(theme.SPACE)
    return layout


def _shortest(number: float) -> str:
    """Return the number with the fewest digits that identify it, as a float32 if it came from one."""
    if number == int(number):
        return str(int(number))
    narrow = np.float32(number)
    return str(narrow) if float(narrow) == number else repr(number)


def _number(text: str, notation: Notation | None) -> float | Doubt | None:
    """Return the number in a text, the doubt about its comma, or None if it is no number."""
    numbers = parse_numbers(text.strip(), 1, notations=(notation,), is_typed=True)
    if isinstance(numbers, Doubt):
        return numbers
    return numbers[0] if isinstance(numbers, list) and len(numbers) == 1 and math.isfinite(numbers[0]) else None
