"""The sample batch: some rows as arrays, as the model will receive them."""

from __future__ import annotations

import numpy as np
from PyQt5.QtCore import Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QShowEvent
from PyQt5.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.data.dataset import Trial
from seqdec_gui.data.sample import ROWS, PortSample, Sample, take_sample
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.widgets.array_pictures import IdsPicture, MatrixPicture, NumbersPicture, Picture, square_side

MAX_IMAGE_SYMBOLS = 4096
"""The number of symbols up to which one-hot rows are shown as an image."""


class SamplePanel(QWidget):
    """Shows the rows `sample_rows` at the left and the arrays of the chosen row at the right, one per port.

    The buttons `sample_earlier` and `sample_later` step through the data. Object name `sample_panel`.
    """

    shown = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sample_panel")
        self._trial: Trial | None = None
        self._running: background.Operation | None = None
        self._first = 0
        self._stale = False
        self.sample: Sample | None = None
        self._title = QLabel()
        self._title.setProperty("role", "small")
        self._earlier = QToolButton(objectName="sample_earlier", toolTip=f"{ROWS} rows before")
        self._earlier.setAccessibleName("Earlier rows")
        self._earlier.clicked.connect(self._on_earlier_clicked)
        self._later = QToolButton(objectName="sample_later", toolTip=f"{ROWS} rows further")
        self._later.setAccessibleName("Later rows")
        self._later.clicked.connect(self._on_later_clicked)
        self._rows = QListWidget(objectName="sample_rows")
        self._rows.setAccessibleName("Rows of the sample")
        self._rows.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self._rows.setTextElideMode(Qt.ElideRight)
        self._rows.currentRowChanged.connect(self._on_rows_current_row_changed)
        head = QHBoxLayout()
        head.setContentsMargins(3 * theme.SPACE, theme.SPACE, theme.SPACE, theme.SPACE)
        head.setSpacing(0)
        head.addWidget(self._title, 1)
        head.addWidget(self._earlier)
        head.addWidget(self._later)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._rows, 1)
        self._ports = QScrollArea(objectName="sample_ports", widgetResizable=True)
        self._ports.setFrameShape(QFrame.NoFrame)
        self._ports.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self._splitter = QSplitter()
        self._splitter.addWidget(left)
        self._splitter.addWidget(self._ports)
        self._splitter.setStretchFactor(1, 1)
        self._splitter.setSizes([130, 440])
        self._splitter.setChildrenCollapsible(False)
        self._empty = QLabel(wordWrap=True, alignment=Qt.AlignCenter, objectName="sample_empty")
        self._empty.setProperty("role", "dim")
        self._empty.setContentsMargins(*4 * (6 * theme.SPACE,))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._splitter)
        layout.addWidget(self._empty)
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self._show(None)

    def show_trial(self, trial: Trial | None) -> None:
        """Use the rows of this trial. They are encoded when the panel is first visible."""
        self._trial = trial
        rows = 0 if trial is None else trial.rows
        self._first = min(self._first, max(0, rows - 1) // ROWS * ROWS)
        self._stale = True
        if self.isVisible():
            self._take()

    def show_row(self, row: int) -> None:
        """Show the batch that contains this row."""
        first = row // ROWS * ROWS
        if first != self._first:
            self._first = first
            self._stale = True
            if self.isVisible():
                self._take()

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        if self._stale:
            self._take()

    def _take(self) -> None:
        trial, first, self._stale = self._trial, self._first, False
        if self._running is not None:
            self._running.cancel()
        if trial is None or not trial.rows:
            self._running = None
            self._show(None)
            return
        self._running = background.run(lambda: take_sample(trial, first), self._on_taken, self._on_not_taken, self)

    def _on_taken(self, sample: Sample) -> None:
        self._running = None
        self._show(sample)
        self.shown.emit()

    def _on_not_taken(self, error: Exception) -> None:
        self._running = None
        self._show(None, str(error))

    def _show(self, sample: Sample | None, failure: str = "") -> None:
        self.sample = sample
        some = sample is not None and bool(sample.ports)
        self._splitter.setVisible(some)
        self._empty.setVisible(not some)
        self._empty.setText(failure or "Bind a column to a port to see its rows as arrays, as the model receives them.")
        if not some or sample is None:
            return
        total = 0 if self._trial is None else self._trial.rows
        self._title.setText(f"{sample.first + 1:,}–{sample.first + sample.rows:,} of {total:,}")
        self._earlier.setEnabled(sample.first > 0)
        self._later.setEnabled(sample.first + sample.rows < total)
        row = max(0, self._rows.currentRow())
        self._rows.blockSignals(True)
        self._rows.clear()
        for place in range(sample.rows):
            item = QListWidgetItem(f"{sample.first + place + 1:,}   {_row_text(sample, place)}")
            item.setToolTip(_row_text(sample, place))
            self._rows.addItem(item)
        self._rows.setCurrentRow(min(row, sample.rows - 1))
        self._rows.blockSignals(False)
        self._show_ports()

    def _show_ports(self) -> None:
        sample, row = self.sample, self._rows.currentRow()
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(3 * theme.SPACE, 2 * theme.SPACE, 2 * theme.SPACE, 3 * theme.SPACE)
        column.setSpacing(theme.SPACE)
        for port in () if sample is None or row < 0 else sample.ports:
            name = QLabel(port.name)
            name.setProperty("role", "value")
            shape = QLabel(_type_text(port))
            shape.setProperty("role", "small")
            column.addWidget(name)
            column.addWidget(shape)
            column.addWidget(_picture(port, row))
            column.addSpacing(3 * theme.SPACE)
        column.addStretch(1)
        place = self._ports.verticalScrollBar().value()
        self._ports.setWidget(content)
        self._ports.verticalScrollBar().setValue(place)

    @pyqtSlot(int)
    def _on_rows_current_row_changed(self, _row: int) -> None:
        self._show_ports()

    @pyqtSlot()
    def _on_earlier_clicked(self) -> None:
        self.show_row(max(0, self._first - ROWS))

    @pyqtSlot()
    def _on_later_clicked(self) -> None:
        self.show_row(self._first + ROWS)

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self._earlier.setIcon(icon("chevron-left"))
        self._later.setIcon(icon("chevron-right"))


def _type_text(port: PortSample) -> str:
    role = "target" if port.role == "target" else "input"
    if port.problem:
        return role
    return f"{role} · {port.values.dtype} ({', '.join(map(str, port.values.shape))})"


def _row_text(sample: Sample, place: int) -> str:
    """Return a short description of a row: its text or its first numbers."""
    for port in sample.ports:
        if port.texts and place < len(port.texts) and port.role == "input":
            return port.texts[place]
    return ""


def _picture(port: PortSample, row: int) -> QWidget:
    if port.problem:
        words = QLabel(port.problem, wordWrap=True)
        words.setProperty("role", "error")
        return words
    values = port.values[row]
    if port.ids is not None and values.ndim == 2 and values.shape[1] <= MAX_IMAGE_SYMBOLS:
        return _image_above_ids(MatrixPicture(values, _names(port, port.ids[row]), port.symbols[: values.shape[1]]), port, row)
    if port.ids is not None and port.ids.ndim == 2:
        return IdsPicture(port.ids[row], port.symbols)
    if port.ids is not None and values.ndim < 2:
        return IdsPicture(np.atleast_1d(port.ids[row]), port.symbols)
    if values.ndim == 2:
        return MatrixPicture(values)
    if values.ndim == 1 and square_side(len(values)):
        side = square_side(len(values))
        return MatrixPicture(np.ascontiguousarray(values.reshape(side, side).T))
    return NumbersPicture(np.asarray(values), port.names)


def _image_above_ids(image: Picture, port: PortSample, row: int) -> QWidget:
    """Return a widget with the one-hot image above the ids that it stands for."""
    assert port.ids is not None
    holder = QWidget()
    layout = QVBoxLayout(holder)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(2 * theme.SPACE)
    layout.addWidget(image)
    layout.addWidget(IdsPicture(port.ids[row], port.symbols))
    return holder


def _names(port: PortSample, ids: np.ndarray) -> tuple[str, ...]:
    return tuple(port.symbols[number] if number < len(port.symbols) else "" for number in ids.tolist())
