"""One editor per type of field. No editor changes typed text: a value out of range stays, and the form says why it is refused.

An editor is a widget with `read()`, `show_value(value)` and the signal `edited`; `box` is the widget to lay out, and the widget
called `field_<name>` is the one with the keyboard focus.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from PyQt5.QtCore import QLocale, QObject, QPoint, QSignalBlocker, Qt, pyqtSignal
from PyQt5.QtGui import QFocusEvent, QKeyEvent, QValidator, QWheelEvent
from PyQt5.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLineEdit,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain import form_words as words
from seqdec_gui.domain.catalog import Field
from seqdec_gui.domain.field_text import (
    Reading,
    format_number,
    in_range,
    read_choices,
    read_integer,
    read_integers,
    read_number,
    read_numbers,
    read_texts,
)
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.widgets.choice_box import ChoiceBox

INT_LIMIT = 2**31 - 1
"""The largest absolute value of an integer that a box takes."""
NUMBER_LIMIT = 1e18
"""The largest absolute value of a number that a box takes."""


class Editor(QObject):
    """The base class of all editors.

    `edited` is emitted for every change by the user, valid or not; never by `show_value`. `stepped` is emitted after changes
    that are complete, by an arrow or a button; typing is complete with Enter or when the field loses the focus. `fallback` is
    the value before the present edit, to which the design returns while the text is not a value.
    """

    edited = pyqtSignal()
    stepped = pyqtSignal()
    typed = True  # consecutive changes are one undo step
    fallback: Any = None

    def __init__(self, field: Field, parent: QWidget) -> None:
        super().__init__(parent)
        self.field = field
        self.input = self._make(parent)
        self.box: QWidget = self.input

    def _make(self, parent: QWidget) -> QWidget:
        raise NotImplementedError

    def add_button(self, button: QToolButton) -> None:
        """Add a button of the form to the editor's own row of buttons, if it has one."""

    def recolour(self) -> None:
        """Apply the theme's colours that do not come from the style sheet."""

    def read(self) -> Reading:
        raise NotImplementedError

    def show_value(self, value: Any) -> None:
        """Show a value of the design."""
        with QSignalBlocker(self):
            self._show(value)

    def _show(self, value: Any) -> None:
        raise NotImplementedError


if TYPE_CHECKING:
    from PyQt5.QtWidgets import QAbstractSpinBox as _SpinBox
else:
    _SpinBox = object  # two classes of Qt cannot be bases of one


class FormBox(_SpinBox):
    """The common part of the spin boxes of a form, a mixin that comes before the Qt class."""

    editor: BoxEditor | None = None

    def _settle(self, field: Field, limit: float) -> None:
        self._field = field
        self.setLocale(QLocale.c())
        self.setRange(-limit, limit)
        self.setFocusPolicy(Qt.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:  # let the form scroll
            event.ignore()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        with self._typed_text_kept():
            super().focusOutEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() not in (Qt.Key_Return, Qt.Key_Enter):
            super().keyPressEvent(event)
            return
        with self._typed_text_kept():
            super().keyPressEvent(event)

    @contextmanager
    def _typed_text_kept(self) -> Iterator[None]:
        """Keep a text that Qt would replace by the last valid number in it, such as `999` for `999x`."""
        line = self.lineEdit()
        text, place = line.text(), line.cursorPosition()
        if self.validate(text, 0)[0] == QValidator.Acceptable:
            yield
            return
        with QSignalBlocker(self), QSignalBlocker(line):
            yield
            line.setText(text)
            line.setCursorPosition(place)

    def _step_from(self, known: Reading) -> Any:
        """Return the value that an arrow starts from: the typed one, or the one before if the text is not a value."""
        if not known.fault:
            return known.value
        return self.value() if self.editor is None else self.editor.fallback

    def _stepped(self) -> None:
        self.selectAll()
        if self.editor is not None:
            self.editor.stepped.emit()

    def plain_text(self) -> str:
        return self.cleanText()


class IntegerBox(FormBox, QSpinBox):
    """A spin box for any integer of 32 bits. Its arrows stay within the field's range."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settle(field, INT_LIMIT)
        if words.unit(field.name):
            self.valueChanged.connect(self._show_unit)
            self._show_unit(self.value())

    def _show_unit(self, value: int) -> None:
        """Write the unit in the number of the value: `1 epoch`, `2 epochs`. Text, cursor and selection stay."""
        suffix = f" {words.unit(self._field.name, value)}"
        if suffix != self.suffix():
            self.setSuffix(suffix)

    def stepBy(self, steps: int) -> None:
        low = -INT_LIMIT if self._field.minimum is None else int(self._field.minimum)
        high = INT_LIMIT if self._field.maximum is None else int(self._field.maximum)
        start = int(self._step_from(read_integer(self._field, self.plain_text())))
        self.setValue(min(max(start + steps, low), high))
        self._stepped()

    def validate(self, text: str | None, position: int) -> tuple[QValidator.State, str, int]:
        digits = (text or "").removesuffix(self.suffix()).strip()
        if digits.removeprefix("-").isdigit() and abs(int(digits)) <= INT_LIMIT:
            return QValidator.Acceptable, text or "", position
        return QValidator.Intermediate, text or "", position  # a key that is swallowed would make 13 of 1e3


class NumberBox(FormBox, QDoubleSpinBox):
    """A spin box for any number, also written `1e-3`. Its arrows change the leading digit and stay within the field's range."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDecimals(15)
        self._settle(field, NUMBER_LIMIT)

    def textFromValue(self, value: float) -> str:
        return format_number(value)

    def valueFromText(self, text: str | None) -> float:
        try:
            return float(text or "")
        except ValueError:
            return self.value()

    def validate(self, text: str | None, position: int) -> tuple[QValidator.State, str, int]:
        try:
            fits = abs(float(text or "")) <= NUMBER_LIMIT
        except ValueError:
            fits = False
        if fits and not (text or "").strip().lower().endswith(("inf", "nan")):
            return QValidator.Acceptable, text or "", position
        return QValidator.Intermediate, text or "", position  # a key that is swallowed would make 0001 of 0,001

    def stepBy(self, steps: int) -> None:
        value = float(self._step_from(read_number(self._field, self.plain_text())))
        target = float(f"{value + steps * _step(value, steps < 0):.10g}")
        if in_range(self._field, target):
            self.setValue(target)
        elif self._field.minimum is not None and target < self._field.minimum and not self._field.open_minimum:
            self.setValue(self._field.minimum)
        elif self._field.maximum is not None and target > self._field.maximum and not self._field.open_maximum:
            self.setValue(self._field.maximum)
        self._stepped()


def _step(value: float, down: bool) -> float:
    """Return one unit of the leading digit: 0.001 for 0.003; going down from 0.001, 0.0001."""
    if value == 0:
        return 0.1
    exponent = math.floor(math.log10(abs(value)) + 1e-9)
    at_power = abs(abs(value) / 10.0**exponent - 1) < 1e-9
    return float(10.0 ** (exponent - 1 if at_power and down else exponent))


class BoxEditor(Editor):
    """An editor with a spin box."""

    def _make(self, parent: QWidget) -> QWidget:
        box = self._make_box(parent)
        box.editor = self
        box.lineEdit().textChanged.connect(lambda _text: self.edited.emit())  # texts that are not a value yet, too
        box.valueChanged.connect(lambda _value: self.edited.emit())  # steps, for which the line edit emits nothing
        return box

    def _make_box(self, parent: QWidget) -> IntegerBox | NumberBox:
        raise NotImplementedError

    def _show(self, value: Any) -> None:
        self.input.setValue(value)


class IntegerEditor(BoxEditor):
    """Edits an integer."""

    def _make_box(self, parent: QWidget) -> IntegerBox:
        return IntegerBox(self.field, parent)

    def read(self) -> Reading:
        return read_integer(self.field, self.input.plain_text())


class NumberEditor(BoxEditor):
    """Edits a number."""

    def _make_box(self, parent: QWidget) -> NumberBox:
        return NumberBox(self.field, parent)

    def read(self) -> Reading:
        return read_number(self.field, self.input.plain_text())


class LineEditor(Editor):
    """Edits text, an optional integer (empty: any), or words separated by commas."""

    def _make(self, parent: QWidget) -> QWidget:
        line = QLineEdit(parent)
        if self.field.optional:
            line.setPlaceholderText("any")
        line.textChanged.connect(lambda _text: self.edited.emit())
        return line

    def read(self) -> Reading:
        text = self.input.text()
        if self.field.type == "integer":
            return read_integer(self.field, text)
        if self.field.type == "number":
            return read_number(self.field, text)
        return read_texts(self.field, text) if self.field.type == "texts" else Reading(text)

    def _show(self, value: Any) -> None:
        if self.field.type == "texts":
            value = ", ".join(value)
        self.input.setText("" if value is None else str(value))


class IntegersEditor(Editor):
    """Edits integers such as `128, 128`, or numbers such as `0.1, 0.2`.

    The buttons `field_<name>_add` and `field_<name>_remove` add and remove the last one.
    """

    def _make(self, parent: QWidget) -> QWidget:
        return QLineEdit(parent)

    def __init__(self, field: Field, parent: QWidget) -> None:
        super().__init__(field, parent)
        self.input.textChanged.connect(lambda _text: self.edited.emit())
        if not field.min_items:
            self.input.setPlaceholderText("none")
        self.box = QWidget(parent)
        row = QHBoxLayout(self.box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self.input, 1)
        self.remove = self._button("remove", "Remove the last", self._on_remove_clicked)
        self.add = self._button("add", "Add one more", self._on_add_clicked)
        for button in (self.remove, self.add):
            row.addWidget(button)
        self.box.setFocusProxy(self.input)

    def recolour(self) -> None:
        self.remove.setIcon(icon("minus"))
        self.add.setIcon(icon("plus"))

    def _button(self, name: str, tip: str, slot: Any) -> QToolButton:
        button = QToolButton(self.box)
        button.setProperty("kind", "small")
        button.setToolTip(tip)
        button.setAccessibleName(f"{words.label(self.field.name)}: {tip.lower()}")
        button.setObjectName(f"field_{self.field.name}_{name}")
        button.clicked.connect(slot)
        return button

    def read(self) -> Reading:
        read = read_numbers if self.field.type == "numbers" else read_integers
        return read(self.field, self.input.text())

    def _show(self, value: Any) -> None:
        self.input.setText(", ".join(map(str, value)))
        self.input.setCursorPosition(0)

    def _on_add_clicked(self) -> None:
        values = self._values()
        self.input.setText(", ".join(map(str, (*values, values[-1] if values else self._first()))))
        self.stepped.emit()

    def _on_remove_clicked(self) -> None:
        values = self._values()
        if len(values) > (self.field.min_items or 0):
            self.input.setText(", ".join(map(str, values[:-1])))
            self.stepped.emit()

    def _first(self) -> float:
        """Return what an empty list begins with."""
        return 0.1 if self.field.type == "numbers" else 64

    def _values(self) -> tuple[float, ...]:
        """Return the typed numbers, or those before the edit if the text is not a list of them."""
        reading = self.read()
        return tuple(self.fallback or ()) if reading.fault else tuple(reading.value)


class ChoiceEditor(Editor):
    """Edits a choice among values. Items show words; their data is the value."""

    typed = False

    def _make(self, parent: QWidget) -> QWidget:
        box = ChoiceBox(parent, letters=8)
        for choice in self.field.choices:
            box.addItem(words.choice(choice), choice)
        box.currentIndexChanged.connect(lambda _index: self.edited.emit())
        return box

    def read(self) -> Reading:
        return Reading(self.input.currentData())

    def _show(self, value: Any) -> None:
        self.input.setCurrentIndex(self.input.findData(value))


class _Switch(QCheckBox):
    """A check box that reacts to clicks on its whole line."""

    def hitButton(self, place: QPoint) -> bool:
        return self.rect().contains(place)


class BooleanEditor(Editor):
    """Edits a yes-or-no value."""

    typed = False

    def _make(self, parent: QWidget) -> QWidget:
        box = _Switch(parent)
        box.toggled.connect(lambda _on: self.edited.emit())
        return box

    def read(self) -> Reading:
        return Reading(self.input.isChecked())

    def _show(self, value: Any) -> None:
        self.input.setChecked(bool(value))


class ChoicesEditor(Editor):
    """Edits a selection, with a check box `field_<name>_<choice>` for each choice. The value keeps the order of the choices."""

    typed = False

    def _make(self, parent: QWidget) -> QWidget:
        holder = QWidget(parent)
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._checks: dict[str, QCheckBox] = {}
        for choice in self.field.choices:
            check = _Switch(words.choice(choice), holder)
            check.setObjectName(f"field_{self.field.name}_{choice}")
            check.toggled.connect(lambda _on: self.edited.emit())
            column.addWidget(check)
            self._checks[choice] = check
        holder.setFocusProxy(next(iter(self._checks.values())))
        return holder

    def read(self) -> Reading:
        return read_choices(self.field, tuple(choice for choice, check in self._checks.items() if check.isChecked()))

    def _show(self, value: Any) -> None:
        for choice, check in self._checks.items():
            check.setChecked(choice in value)


EDITORS: dict[str, type[Editor]] = {
    "integer": IntegerEditor,
    "number": NumberEditor,
    "boolean": BooleanEditor,
    "text": LineEditor,
    "choice": ChoiceEditor,
    "integers": IntegersEditor,
    "numbers": IntegersEditor,
    "texts": LineEditor,
    "choices": ChoicesEditor,
}
"""The editor for each type of field, except `table`, which has an editor in `layer_table`."""
