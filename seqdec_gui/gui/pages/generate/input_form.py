"""The form for the rows to decode: typed, from a file, or from the data of the run."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
from PyQt5.QtCore import Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.number_codecs import FittedBits
from seqdec_gui.data.outside import Outside, outside_port, outside_training, sentence
from seqdec_gui.data.rows import read_input
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.domain.wording import counted, listed
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.generate.fields import Field, field_for
from seqdec_gui.gui.pages.generate.kept_columns import KeptColumns
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.widgets.discarding import discard_all
from seqdec_gui.gui.widgets.number_boxes import WholeNumberBox
from seqdec_gui.gui.widgets.wrapped_label import WrappedLabel
from seqdec_gui.runs.generate_inputs import Row, RunInputs, rows_of_data
from seqdec_gui.runs.tasks import SplitName

SPLITS: dict[SplitName, str] = {"test": "Test rows", "validation": "Validation rows", "training": "Training rows"}
"""The words of the splits."""
MOST_BYTES_LOOKED_AT = 16 << 20
"""The size up to which a chosen file is looked through for numbers outside the training range; others are when decoded."""


class InputForm(QWidget):
    """The source of the rows (typed, file, data or split) and its fields.

    `judged` is emitted when `fault` may have changed.
    """

    failed = pyqtSignal(object)
    judged = pyqtSignal()
    source_changed = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._inputs: RunInputs | None = None
        self._fields: dict[str, Field] = {}
        self._source = QComboBox(objectName="generate_source")
        self._source.setAccessibleName("Where the rows come from")
        self._source.currentIndexChanged.connect(self._on_source_current_index_changed)
        self._typed = QWidget()
        self._typed_layout = QVBoxLayout(self._typed)
        self._typed_layout.setContentsMargins(0, 0, 0, 0)
        self._typed_layout.setSpacing(2 * theme.SPACE)
        self._looking: background.Operation | None = None
        self._outside = WrappedLabel(name="outside_training")
        self._outside.setProperty("role", "warning")
        self._outside.hide()
        self._stack = QStackedWidget()
        self._stack.addWidget(self._typed)
        self._stack.addWidget(self._file_page())
        self._stack.addWidget(self._data_page())
        self._stack.addWidget(self._split_page())
        self._source_label = QLabel("Rows")
        self._source_label.setProperty("role", "section")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * theme.SPACE)
        layout.addWidget(self._source_label)
        layout.addWidget(self._source)
        layout.addWidget(self._stack)
        layout.addWidget(self._outside)
        layout.addStretch(1)
        self.judged.connect(self._on_judged)

    def _file_page(self) -> QWidget:
        self._file = QLineEdit(objectName="generate_file", placeholderText="A file with a column per input")
        self._file.setAccessibleName("File with rows")
        self._file.textChanged.connect(self._on_file_text_changed)
        choose = QPushButton("Choose…", objectName="choose_generate_file")
        choose.clicked.connect(self._on_choose_clicked)
        row = QHBoxLayout()
        row.setSpacing(2 * theme.SPACE)
        row.addWidget(self._file, 1)
        row.addWidget(choose)
        self._file_words = _small("")
        self._kept = KeptColumns()
        return _page(row, self._file_words, self._kept)

    def _data_page(self) -> QWidget:
        self._first = WholeNumberBox(objectName="generate_first_row")
        self._first.setAccessibleName("First row")
        self._rows = WholeNumberBox(objectName="generate_rows")
        self._rows.setAccessibleName("Number of rows")
        self._rows.setRange(1, 100_000)
        self._rows.setValue(8)
        form = QFormLayout()
        form.setHorizontalSpacing(3 * theme.SPACE)
        form.addRow(_dim("First row"), self._first)
        form.addRow(_dim("Rows"), self._rows)
        self._data_words = _small("")
        return _page(form, self._data_words)

    def _split_page(self) -> QWidget:
        self._split = QComboBox(objectName="generate_split")
        self._split.setAccessibleName("Which rows of the data")
        for name, words in SPLITS.items():
            self._split.addItem(words, name)
        self._split_words = _small("")
        return _page(self._split, self._split_words)

    # -- display
    def show_inputs(self, inputs: RunInputs | None) -> None:
        """Make the fields for another run. Values typed for the same ports are kept if they still fit."""
        typed = self._typed_values()
        self._inputs = inputs
        self._fields.clear()
        discard_all(self._typed_layout)
        self._fill_sources(inputs)
        if inputs is None:
            return
        lines = len(inputs.ports) == 1 or all(isinstance(port.codec, FittedText | FittedBits) for port in inputs.ports)
        for port in inputs.ports:
            notations = inputs.fitted.notations(port)
            field = field_for(port, inputs.highest.get(port.name), lines, notations)
            title = QLabel(
                port.name if port.columns in ((port.name,), ()) or len(port.columns) > 1 else f"{port.name} ({port.columns[0]})"
            )
            title.setProperty("role", "value")
            self._typed_layout.addWidget(title)
            self._typed_layout.addWidget(field)
            self._fields[port.name] = field
            field.edited.connect(self.judged)
        if inputs.rows and inputs.ports:
            self._typed_layout.addWidget(self._fill_row(inputs))
        self._typed_layout.addStretch(1)
        self._restore(typed)
        self._first.setRange(1, max(1, inputs.rows))
        name = "" if inputs.data is None else inputs.data.name
        self._data_words.setText(f"{name} has {counted(inputs.rows, 'row')}.")
        self._split_words.setText(f"Of {name}, as it was divided for the training.")
        names = ", ".join(port.name for port in inputs.ports)
        self._look_beside()
        self._file_words.setText(f"Its columns are named like the inputs ({names}) or like the columns trained on.")
        self.judged.emit()

    def _fill_sources(self, inputs: RunInputs | None) -> None:
        before = self._source.currentData()
        self._source.blockSignals(True)
        self._source.clear()
        self._source.addItem("Typed in", "typed")
        self._source.addItem("From a file", "file")
        if inputs is not None and inputs.rows:
            self._source.addItem("From the data of the run", "data")
            if inputs.trained_on:
                self._source.addItem("A split of the data", "split")
        self._source.setCurrentIndex(max(0, self._source.findData(before)))
        self._source.blockSignals(False)
        self._on_source_current_index_changed(0)
        needed = inputs is not None and bool(inputs.ports)
        for widget in (self._source, self._source_label, self._stack):
            widget.setVisible(needed)

    def _fill_row(self, inputs: RunInputs) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        number = WholeNumberBox(objectName="fill_row")
        number.setRange(1, inputs.rows)
        number.setAccessibleName("Row of the data")
        button = QPushButton("Fill in row", objectName="fill_row_button", toolTip="Take the values of a row of the data")
        button.clicked.connect(lambda: self._fill(number.value() - 1))
        row.addWidget(button)
        row.addWidget(number)
        row.addStretch(1)
        return holder

    def _typed_values(self) -> dict[str, object]:
        kept = {}
        for name, field in self._fields.items():
            try:
                values = field.values()
            except InvalidInput:
                continue
            kept[name] = "\n".join(values) if isinstance(values[0], str) else values[0]
        return kept

    def _restore(self, kept: dict[str, object]) -> None:
        for name, value in kept.items():
            if name in self._fields:
                try:
                    self._fields[name].show_value(value)
                except (ValueError, TypeError):  # another shape: another run
                    continue

    def _fill(self, row: int) -> None:
        inputs = self._inputs
        if inputs is None or inputs.data is None:
            return
        fitted, data = inputs.fitted, inputs.data

        def done(rows: list[Row]) -> None:
            for name, value in (rows[0] if rows else {}).items():
                if name in self._fields:
                    self._fields[name].show_value(value)

        background.run(lambda: rows_of_data(fitted, data, row, 1, inputs.reading), done, self.failed.emit, self)

    # -- user actions
    @property
    def kept_columns(self) -> tuple[str, ...]:
        """Return the columns of the file that the results are to have beside them."""
        return self._kept.chosen()

    @property
    def split(self) -> SplitName:
        """Return which rows of the data are chosen."""
        return self._split.currentData() or "test"

    @property
    def source(self) -> str:
        return str(self._source.currentData() or "typed")

    @property
    def fault(self) -> str:
        """Return why the rows cannot be decoded as they are; empty if they can, or if something is only missing yet."""
        if self._inputs is None or not self._inputs.ports or self.source in ("data", "split"):
            return ""
        if self.source == "file":
            try:
                self.read_file()
            except InvalidInput as error:
                return str(error) if self._file.text().strip() else ""
            return ""
        return next((fault for field in self._fields.values() if (fault := field.fault())), "")

    @property
    def missing(self) -> str:
        """Return what has not been typed or chosen yet, a sentence; empty if nothing is missing."""
        if self._inputs is None or not self._inputs.ports or self.source in ("data", "split"):
            return ""
        if self.source == "file":
            return "" if self._file.text().strip() else "No file is chosen."
        names = [name for name, field in self._fields.items() if field.is_empty()]
        return f"Nothing is typed for {listed(names)} yet." if names else ""

    def take_focus(self) -> None:
        """Put the cursor into the first field that is seen."""
        fields = [field for field in self._stack.currentWidget().findChildren(QWidget) if field.focusPolicy() & Qt.TabFocus]
        first = next((field for field in fields if field.isVisible() and field.isEnabled()), None)
        if first is not None:
            first.setFocus(Qt.ShortcutFocusReason)

    def read_file(self) -> str:
        """Return the absolute path of the file with rows. Raises InvalidInput if there is no such file."""
        name = self._file.text().strip()
        path = expanded(name)
        if not name or not path.is_file():
            received = f"{name}, which does not exist" if name else "an empty name"
            raise InvalidInput(f"Expected a file with rows, received {received}.")
        return str(path.absolute())

    def read_typed(self) -> tuple[Row, ...]:
        """Return the typed rows. If one input has a single value, it is repeated for all rows. Raises InvalidInput."""
        values = {name: field.values() for name, field in self._fields.items()}
        count = max((len(column) for column in values.values()), default=0)
        for name, column in values.items():
            if len(column) not in (1, count):
                raise InvalidInput(f"{name} has {len(column)} rows, another input has {count}; expected as many.")
        return tuple({name: column[row % len(column)] for name, column in values.items()} for row in range(count))

    def data_range(self) -> tuple[int, int]:
        """Return the first row and the number of rows of the data to decode."""
        for box in (self._first, self._rows):
            box.interpretText()
        return self._first.value() - 1, self._rows.value()

    @pyqtSlot(int)
    def _on_source_current_index_changed(self, _index: int) -> None:
        shown = {"typed": 0, "file": 1, "data": 2, "split": 3}[self.source]
        for page in range(self._stack.count()):  # only the page that is shown takes room
            policy = QSizePolicy.Preferred if page == shown else QSizePolicy.Ignored
            self._stack.widget(page).setSizePolicy(policy, policy)
        self._stack.setCurrentIndex(shown)
        self.source_changed.emit(self.source)
        self.judged.emit()

    @pyqtSlot(str)
    def _on_file_text_changed(self, _text: str) -> None:
        self._look_beside()
        self.judged.emit()

    @pyqtSlot()
    def _on_judged(self) -> None:
        """Say which typed numbers lie outside the range of the training rows; those of a file once it was read."""
        inputs = self._inputs
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        if inputs is None or self.source in ("data", "split"):
            self._say_outside([])
        elif self.source == "typed":
            found = []
            for name, field in self._fields.items():
                with contextlib.suppress(InvalidInput):
                    found += outside_port(inputs.fitted.port(name), np.asarray(field.values()))
            self._say_outside(found)
        else:
            self._look_outside(inputs)

    def _look_outside(self, inputs: RunInputs) -> None:
        self._say_outside([])
        try:
            path = Path(self.read_file())
            if path.stat().st_size > MOST_BYTES_LOOKED_AT:
                return
        except (InvalidInput, OSError):
            return

        def look() -> list[Outside]:
            return outside_training(inputs.fitted, read_input(inputs.fitted, path, how=inputs.reading).values)

        def failed(error: Exception) -> None:
            if not isinstance(error, SeqdecError | OSError):
                raise error  # what is wrong in the file is said once it is decoded

        if any(getattr(port.codec, "low", ()) for port in inputs.ports):
            self._looking = background.run(look, self._say_outside, failed, self)

    def _say_outside(self, found: list[Outside]) -> None:
        self._outside.setText(sentence(found))
        self._outside.setVisible(bool(found))

    def _look_beside(self) -> None:
        """Offer the columns of the chosen file that no input reads."""
        try:
            path = self.read_file()
        except InvalidInput:
            path = ""
        self._kept.look_at(self._inputs, path)

    @pyqtSlot()
    def _on_choose_clicked(self) -> None:
        notify.choose_file(self, "Rows to decode", [notify.data_filter()], lambda path: self._file.setText(str(path)))


def _page(*parts: object) -> QWidget:
    page = QWidget()
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(2 * theme.SPACE)
    for part in parts:
        if isinstance(part, QWidget):
            layout.addWidget(part)
        else:
            layout.addLayout(part)
    layout.addStretch(1)
    return page


def _small(text: str) -> QLabel:
    label = QLabel(text, wordWrap=True)
    label.setProperty("role", "small")
    label.setTextInteractionFlags(Qt.TextSelectableByMouse)
    return label


def _dim(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "dim")
    return label
