"""The table of measurements: one row per choice of devices and batch."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from PyQt5.QtCore import Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QColor, QFontMetrics
from PyQt5.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from seqdec_gui.domain.short_numbers import duration
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.last_column import LastColumn
from seqdec_gui.gui.widgets.table_style import show_as_list
from seqdec_gui.runs.advice import OWN_LOOPS, Advice, devices_in_words, failure_in_words, kernels_in_words, times
from seqdec_gui.runs.measurement import Measurement

NOTHING = "–"
"""The text of a cell without a value."""
CELL_PADDING = 23
"""The space around the text of a cell, in pixels."""
TITLE_PADDING = 16
"""The space around the title of a column, in pixels."""
ROW_HEIGHT = 6 * theme.SPACE
"""The height of a row, in pixels."""
OWN_LOOPS_TIP = "The engine's own loops, which were measured to be faster than cuDNN's (docs/performance.md)."
"""The tooltip of a cell that says that the engine's own loops run."""
MEASUREMENT_ROLE = Qt.UserRole
"""The item role with the Measurement of the row."""


class Column(msgspec.Struct, frozen=True):
    """One column. `text` returns NOTHING if there is no value; a column without any value is hidden."""

    title: str
    tip: str
    text: Callable[[Advice, Measurement], str]
    number: bool = True


class AdviceTable(QTableWidget):
    """The table of the measurements of an advice. The rows of the design's own batch size are bold.

    Object name `advice_table`.
    """

    batch_chosen = pyqtSignal(int)  # the batch of the selected row; 0 if no usable row is selected

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(COLUMNS), parent)
        self.setObjectName("advice_table")
        self.setAccessibleName("Measurements")
        self.setHorizontalHeaderLabels([column.title for column in COLUMNS])
        show_as_list(self, ROW_HEIGHT)
        self.setEditTriggers(QAbstractItemView.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectRows)
        self.setSelectionMode(QAbstractItemView.SingleSelection)
        self.verticalHeader().setMinimumSectionSize(ROW_HEIGHT)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.Interactive)
        header.setMinimumSectionSize(10 * theme.SPACE)
        for place, column in enumerate(COLUMNS):
            item = self.horizontalHeaderItem(place)
            item.setToolTip(column.tip)
            item.setTextAlignment(int((Qt.AlignRight if column.number else Qt.AlignLeft) | Qt.AlignVCenter))
        self._last_column = LastColumn(self)
        self._shown: tuple[object, ...] = ()
        self.itemSelectionChanged.connect(self._on_self_selection_changed)

    @property
    def chosen(self) -> Measurement | None:
        """Return the measurement of the selected row."""
        items = self.selectedItems()
        return items[0].data(MEASUREMENT_ROLE) if items else None

    def show_advice(self, advice: Advice, batch_size: int) -> None:
        """Show the measurements: fewest devices first, then the smallest batch. `batch_size` is the design's."""
        shown = (advice.measurements, batch_size, theme.current().name)
        if shown == self._shown:
            return
        before = self.chosen
        self._shown = shown
        rows = sorted(advice.measurements, key=lambda measurement: (measurement.devices.replicas, measurement.batch_size))
        self.clearSpans()
        self.setRowCount(0)
        self.setRowCount(len(rows))
        for row, measurement in enumerate(rows):
            self._fill(row, advice, measurement, measurement.batch_size == batch_size)
        if before in rows:
            self.selectRow(rows.index(before))
        self._set_widths(advice, rows)
        measured = [measurement for measurement in rows if measurement.step_s is not None]
        for place, column in enumerate(COLUMNS[3:], 3):
            empty = all(column.text(advice, measurement) == NOTHING for measurement in measured)
            self.setColumnHidden(place, bool(rows) and empty)
        self._last_column.fit()
        self.horizontalHeaderItem(2).setText(COLUMNS[2].title if measured or not rows else "")
        self.setMaximumHeight(self.horizontalHeader().sizeHint().height() + max(1, len(rows)) * ROW_HEIGHT + 3 * theme.SPACE)
        self.batch_chosen.emit(self._batch())

    def _fill(self, row: int, advice: Advice, measurement: Measurement, of_design: bool) -> None:
        font = theme.font("body", bold=of_design)
        columns = COLUMNS if measurement.step_s is not None else COLUMNS[:2]
        for place, column in enumerate(columns):
            text = column.text(advice, measurement)
            item = QTableWidgetItem(text)
            item.setTextAlignment(int((Qt.AlignRight if column.number else Qt.AlignLeft) | Qt.AlignVCenter))
            item.setData(MEASUREMENT_ROLE, measurement)
            item.setFont(font)
            item.setToolTip(OWN_LOOPS_TIP if text == OWN_LOOPS else "The design's batch." if of_design else "")
            self.setItem(row, place, item)
        if measurement.step_s is None:
            item = QTableWidgetItem(failure_in_words(measurement).capitalize())
            item.setData(MEASUREMENT_ROLE, measurement)
            item.setForeground(QColor(theme.current().warning if measurement.failed != "time" else theme.current().text_dim))
            item.setTextAlignment(int(Qt.AlignLeft | Qt.AlignVCenter))
            item.setToolTip(measurement.failure)
            self.setItem(row, len(columns), item)
            self.setSpan(row, len(columns), 1, len(COLUMNS) - len(columns))

    def _set_widths(self, advice: Advice, rows: list[Measurement]) -> None:
        """Set the widths of the columns by their texts, without those that span several columns."""
        of_cells = QFontMetrics(theme.font("body", bold=True))
        of_titles = QFontMetrics(theme.font("small", bold=True))
        for place, column in enumerate(COLUMNS):
            texts = [column.text(advice, measurement) for measurement in rows if measurement.step_s is not None or place < 2]
            widest = max((of_cells.horizontalAdvance(text) for text in texts), default=0)
            self.setColumnWidth(place, max(widest + CELL_PADDING, of_titles.horizontalAdvance(column.title) + TITLE_PADDING))

    def _batch(self) -> int:
        measurement = self.chosen
        return 0 if measurement is None or measurement.step_s is None else measurement.batch_size

    @pyqtSlot()
    def _on_self_selection_changed(self) -> None:
        self.batch_chosen.emit(self._batch())


def _devices(_advice: Advice, measurement: Measurement) -> str:
    count = measurement.devices.replicas
    return (
        devices_in_words(measurement.devices) if measurement.devices.kind == "gpu" else "CPU" if count == 1 else f"{count}× CPU"
    )


def _speed_up(advice: Advice, measurement: Measurement) -> str:
    ratio = advice.speed_up(measurement) if measurement.devices != advice.alone else None
    return NOTHING if ratio is None else times(ratio)


def _batch(_advice: Advice, measurement: Measurement) -> str:
    return f"{measurement.batch_size:,}"


def _speed(_advice: Advice, measurement: Measurement) -> str:
    samples_per_s = measurement.samples_per_s or 0.0
    return f"{float(f'{samples_per_s:.3g}'):,.0f}" if samples_per_s >= 100 else f"{samples_per_s:.3g}"


def _step(_advice: Advice, measurement: Measurement) -> str:
    milliseconds = 1000 * (measurement.step_s or 0.0)
    return f"{milliseconds:.3g} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.3g} s"


def _share(share: float | None) -> str:
    return NOTHING if share is None else f"{max(0.0, share):.0%}"


def _reduction(_advice: Advice, measurement: Measurement) -> str:
    return NOTHING if measurement.devices.replicas == 1 else _share(measurement.reduction_share)


def _input(_advice: Advice, measurement: Measurement) -> str:
    return _share(measurement.input_share)


def _memory(_advice: Advice, measurement: Measurement) -> str:
    return NOTHING if measurement.peak_memory is None else f"{measurement.peak_memory / 2**30:.1f} GiB"


def _cudnn(_advice: Advice, measurement: Measurement) -> str:
    return kernels_in_words(measurement) or NOTHING


def _epoch(_advice: Advice, measurement: Measurement) -> str:
    if measurement.epoch_s is None:
        return NOTHING
    return f"{measurement.epoch_s:#.2g} s" if measurement.epoch_s < 10 else duration(measurement.epoch_s)


COLUMNS = (
    Column("Devices", "The devices that the design was trained on", _devices, number=False),
    Column("Batch", "Rows per step, over all devices together", _batch),
    Column("Samples/s", "Rows per second, over all devices together", _speed),
    Column("Speed-up", "Compared with one device at the same batch", _speed_up),
    Column("Epoch", "Expected time of an epoch of the bound rows", _epoch),
    Column("Memory", "Peak: of the fullest GPU; on a CPU of the whole process", _memory),
    Column("Reduce", "Share of a step that is spent on summing over the devices", _reduction),
    Column("Input", "Share of a step that is spent on copying the rows to the devices", _input),
    Column("Step", "Time of one training step", _step),
    Column("cuDNN", "Whether the recurrent layers run in cuDNN's kernels (GPUs only)", _cudnn, number=False),
)  # fmt: skip
"""The columns from left to right: those that matter most come first, where a small window shows them without scrolling."""
