"""The plots of the Train page and their tools. Imports pyqtgraph, so this module is imported when the page is first shown."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from PyQt5.QtCore import QPoint, Qt, QTimer, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QPainter, QPixmap, QResizeEvent, QShowEvent
from PyQt5.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSlider,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.domain.short_numbers import value_text
from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.pages.train.awaited import awaited_words
from seqdec_gui.gui.pages.train.line_look import color
from seqdec_gui.gui.pages.train.plots import SEPARATOR, Look, MetricPlot, Series
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.widgets.segments import Segments
from seqdec_gui.gui.workspace.training_session import TrainingSession
from seqdec_gui.runs.curve_table import columns_of, write_csv
from seqdec_gui.runs.curves import AXES, Axis, family, in_order, is_validation
from seqdec_gui.runs.history import RunHistory
from seqdec_gui.runs.metric_words import in_words

PLOTS: dict[str, tuple[str, bool, str]] = {
    "loss": ("Loss", False, ""),
    "metrics": ("Metrics", False, "Value"),
    "quality": ("Generated freely", False, "Share"),
    "scores": ("Scores of what is generated", False, "Score"),
    "learning_rate": ("Learning rate", True, ""),
    "throughput": ("Samples per second", True, "Samples/s"),
    "devices": ("Devices", True, "Share used"),
}
"""The title of each plot, whether its vertical axis begins at zero, and the title of that axis, by the family of metrics."""
ON_DEMAND = ("quality", "scores")
"""The plots that are made and shown only where a run has their metrics."""
ABOVE = ("loss", "metrics", *ON_DEMAND)
"""The plots of the upper row."""
REDRAW_MS = 50
"""The time from an event to the redrawing of the plots, in milliseconds."""
MIN_HEIGHT = 180
"""The least height of the board, in pixels."""
TWO_ROWS_HEIGHT = 300
"""The height of the board from which the lower row of plots is shown, in pixels."""
POINT_MS = 33
"""The time from a movement of the mouse to that of the cross hair, in milliseconds."""
PNG_SCALE = 2
"""The pixels of an exported picture for one pixel of the screen."""
AXIS_WORDS: dict[Axis, tuple[str, str]] = {
    "step": ("Steps", "One point per report, over optimizer steps"),
    "epoch": ("Epochs", "One point per epoch: the means of whole epochs"),
    "time": ("Time", "One point per report, over the time since the start"),
}
"""The words and the tooltip of each horizontal axis."""
SMOOTHING = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
"""The weights of the moving average to choose from; 0 is off."""


class Board(QWidget):
    """Two rows of plots: loss, metrics and what is generated above; learning rate, throughput and devices below.

    They share their range and the cross hair.
    """

    fork_requested = pyqtSignal(float)  # a new run is to go on from this step

    def __init__(self, session: TrainingSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._history: RunHistory | None = None
        self._look = Look()
        self._pointed: float | None = None
        self._fitted = True
        self.plots: dict[str, MetricPlot] = {}
        self._build()
        self._queue: list[str] = []
        self._asked = False
        self._spent = 0.0
        self._redraw = _timer(self, REDRAW_MS, self._on_redraw_timeout)
        self._point = _timer(self, POINT_MS, self._point_all)
        self._more = _timer(self, 0, self._on_more_timeout)
        self._add_plot("loss")
        self._more.start()
        session.overlays_changed.connect(self._on_session_overlays_changed)
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self._on_session_overlays_changed()

    # -- building
    def _build(self) -> None:
        self._above = _row()
        self._below = _row()
        self.rows = QSplitter(Qt.Vertical)
        self.rows.setChildrenCollapsible(False)
        self.rows.setHandleWidth(1)
        for row, stretch in ((self._above, 5), (self._below, 3)):
            self.rows.addWidget(row)
            self.rows.setStretchFactor(self.rows.count() - 1, stretch)
        self.rows.setSizes([500, 300])
        self.setMinimumHeight(MIN_HEIGHT)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._build_tools())
        layout.addWidget(self.rows, 1)

    def _add_plot(self, name: str) -> None:
        title, from_zero, unit = PLOTS[name]
        write = {"devices": self._write_device, "metrics": self._write_metric}.get(name, value_text)
        plot = self.plots[name] = MetricPlot(title, f"{name}_plot", write, from_zero, unit)
        plot.value_axis.set_percent(name in ("devices", "quality"))
        if name == "loss":
            for far_above in ("perplexity", "val_perplexity"):  # it would flatten the curve of the loss
                plot.hide_at_first(far_above)
        plot.pointed.connect(self._on_plot_pointed)
        plot.left.connect(self._on_plot_left)
        plot.ranged.connect(self._on_plot_ranged)
        plot.fitted.connect(self.fit)
        plot.toggled.connect(self.ask_redraw)
        plot.fork_requested.connect(
            lambda at: self.fork_requested.emit((self._history or RunHistory()).step_at(at, self._look.axis))
        )
        row = self._above if name in ABOVE else self._below
        row.addWidget(plot)
        row.setStretchFactor(row.count() - 1, 1)
        row.setSizes([1000] * row.count())

    @pyqtSlot()
    def _on_more_timeout(self) -> None:
        """Make one plot per turn of the event loop: each takes a tenth of a second on a slow machine."""
        missing = [name for name in PLOTS if name not in (*self.plots, *ON_DEMAND)]
        if missing:
            self._add_plot(missing[0])
            self._more.start()
        else:
            self.redraw()

    def _build_tools(self) -> QHBoxLayout:
        self._axes = Segments([(axis, *AXIS_WORDS[axis]) for axis in AXES], "axis")
        self._axes.chosen.connect(self._on_axes_chosen)
        self._log = QCheckBox("Log scale", objectName="log_scale", toolTip="Draw the loss on a logarithmic scale")
        self._log.toggled.connect(self._on_log_toggled)
        caption = QLabel("Smoothing")
        caption.setProperty("role", "dim")
        self._smoothing = QSlider(Qt.Horizontal, objectName="smoothing")
        self._smoothing.setRange(0, len(SMOOTHING) - 1)
        self._smoothing.setFixedWidth(84)
        self._smoothing.setPageStep(1)
        self._smoothing.setAccessibleName("Smoothing")
        self._smoothing.setToolTip("Exponential moving average; the measured curve stays faintly visible")
        self._smoothing.valueChanged.connect(self._on_smoothing_changed)
        self._weight = QLabel("Off")
        self._weight.setProperty("role", "dim")
        self._weight.setFixedWidth(36)
        self._overlays = QPushButton(objectName="clear_overlays", toolTip="Remove the earlier runs from the plots")
        self._overlays.setProperty("kind", "flat")
        self._overlays.clicked.connect(self._session.clear_overlays)
        self._fit = QToolButton(objectName="fit_plots", toolTip="Show the whole curves (double click on a plot)")
        self._fit.setAccessibleName("Show the whole curves")
        self._fit.clicked.connect(self.fit)
        self._export = QToolButton(objectName="export_plots", toolTip="Export plots or curves")
        self._export.setAccessibleName("Export plots or curves")
        self._export.setPopupMode(QToolButton.InstantPopup)
        menu = QMenu(self._export)
        menu.addAction("Plots as PNG…", self._on_export_png)
        menu.addAction("Curves as CSV…", self._on_export_csv)
        self._export.setMenu(menu)
        tools = QHBoxLayout()
        tools.setContentsMargins(3 * theme.SPACE, theme.SPACE, 2 * theme.SPACE, theme.SPACE)
        tools.setSpacing(2 * theme.SPACE)
        for widget in (self._axes, self._log, caption, self._smoothing, self._weight):
            tools.addWidget(widget)
        tools.addStretch(1)
        for widget in (self._overlays, self._fit, self._export):
            tools.addWidget(widget)
        return tools

    # -- display
    def show_history(self, history: RunHistory | None) -> None:
        """Draw the curves of another run."""
        self._history = history
        self._pointed = None
        self.fit()

    @pyqtSlot()
    def ask_redraw(self) -> None:
        """Redraw within REDRAW_MS. A page that is not visible draws nothing."""
        self._asked = True
        if not self._redraw.isActive() and self.isVisible():
            self._redraw.start(REDRAW_MS)

    @pyqtSlot()
    def _on_redraw_timeout(self) -> None:
        """Draw one plot per turn of the event loop, so that mouse and keyboard events are handled in between."""
        if not self._queue:
            self._show_demanded()
            self._queue = list(self.plots)
            self._asked = False
            self._spent = 0.0
        begun = time.perf_counter()
        self._draw(self._queue.pop(0))
        self._spent += time.perf_counter() - begun
        if self._queue:
            self._redraw.start(0)
        elif self._asked:  # a slow machine draws less often
            self._redraw.start(max(REDRAW_MS, int(4000 * self._spent)))

    @pyqtSlot()
    def redraw(self) -> None:
        """Draw all plots at once."""
        self._show_demanded()
        for name in self.plots:
            self._draw(name)
        if self._fitted:  # again, now that none has the positions of an earlier axis or run any more
            farthest = max(plot.farthest for plot in self.plots.values())
            for plot in self.plots.values():
                plot.fit(farthest)

    def _show_demanded(self) -> None:
        """Show the plots of `ON_DEMAND` that have a curve, and no others."""
        found = {family(metric) for metric in self._metrics_shown()}
        for name in ON_DEMAND:
            if name in found and name not in self.plots:
                self._add_plot(name)
            if name in self.plots:
                self.plots[name].setVisible(name in found)

    def _draw(self, name: str) -> None:
        plot = self.plots[name]
        log = self._look.log and name in ("loss", "learning_rate")
        look = Look(self._look.axis, self._look.smoothing if name in ("loss", "metrics") else 0.0, log)
        if name == "metrics":
            plot.value_axis.set_percent(self._in_percent())
        plot.show_awaited(awaited_words(name, self._session.shown))
        plot.show_series(self._series(name), look)
        marks = () if self._history is None else tuple(self._history.marks)
        plot.show_marks(marks if name == "loss" else tuple(mark for mark in marks if mark.kind not in ("best", "saved")))
        if self._fitted:
            plot.fit(max(shown.farthest for shown in self.plots.values()))
        if self._pointed is not None:
            plot.point_at(self._pointed)

    def _series(self, plot: str) -> Iterator[Series]:
        history = self._history
        if history is None:
            return
        if plot == "devices":
            yield from self._device_series(history)
            return
        yield from self._metric_series(plot, history)
        overlays = self._session.overlays.values() if plot in ABOVE else ()
        for number, (name, earlier) in enumerate(overlays, start=1):
            yield from self._metric_series(plot, earlier, name, number)

    def _metric_series(self, plot: str, history: RunHistory, run: str = "", number: int = 0) -> Iterator[Series]:
        """Yield the curves of a run. Alone it has a colour per metric; among several, each run has a colour.

        The pattern of a line belongs to the metric in both cases; the validation of a metric has another one than its training.
        """
        names = [name for name in in_order(self._metrics_shown()) if family(name) == plot]
        plain = list(dict.fromkeys(name.removeprefix("val_") for name in names))
        several = bool(self._session.overlays)
        for name in names:
            curve = history.curve(name, self._look.axis == "epoch")
            if curve is not None:
                metric = plain.index(name.removeprefix("val_"))
                place = 2 * metric + is_validation(name)
                text = run or ("" if plot in ("learning_rate", "throughput") else in_words(name))
                sparse = curve is history.epochs.get(name)
                series = f"{name}{SEPARATOR}{run}" if run else name
                yield Series(series, text, color(number if several else place), curve, sparse, run, place)

    def _metrics_shown(self) -> list[str]:
        """Return the metrics of all runs that are shown, so that a metric has the same pattern in each of them."""
        histories = [earlier for _, earlier in self._session.overlays.values()]
        histories = [self._history, *histories] if self._history is not None else histories
        return list(dict.fromkeys(name for history in histories for name in history.metrics))

    def _in_percent(self) -> bool:
        """Return whether all metrics beside the loss are shares of what was predicted right."""
        shown = [name for name in self._metrics_shown() if family(name) == "metrics"]
        return all("accuracy" in name for name in shown)

    def _write_metric(self, name: str, value: float | None) -> str:
        """Return a value as the axis writes it: in percent, or where other numbers share the axis, as a fraction."""
        return value_text(name, value) if self._in_percent() or value is None else f"{value:.4g}"

    def _device_series(self, history: RunHistory) -> Iterator[Series]:
        devices = list(dict.fromkeys((*history.load, *history.memory)))
        for number, device in enumerate(devices):
            of = "" if len(devices) == 1 else f"{device} "  # alone it is named above; the legend has little room
            if device in history.load:
                yield Series(f"{device} load", f"{of}load", color(number), history.load[device])
            if device in history.memory_share:
                yield Series(f"{device} memory", f"{of}memory", color(number), history.memory_share[device], pattern=1)

    def _write_device(self, name: str, value: float | None) -> str:
        device = name.removesuffix(" memory")
        total = self._history.memory_total.get(device) if self._history else None
        if value is not None and name != device and total:
            return f"{value:.0%} ({value * total / 2**30:.1f} GiB)"
        return "" if value is None else f"{value:.0%}"

    # -- moving and pointing together
    @pyqtSlot()
    def fit(self) -> None:
        self._fitted = True
        self.redraw()

    @pyqtSlot(float, float)
    def _on_plot_ranged(self, low: float, high: float) -> None:
        self._fitted = False
        for plot in self.plots.values():
            if plot is not self.sender():
                plot.set_range(low, high)

    @pyqtSlot(float)
    def _on_plot_pointed(self, position: float) -> None:
        self._pointed = position
        if not self._point.isActive():
            self._point.start()

    @pyqtSlot()
    def _on_plot_left(self) -> None:
        if self._pointed is not None:
            self._pointed = None
            self._point.start()

    def _step_at(self, place: float) -> float:
        return self._history.step_at(place, self._look.axis) if self._history is not None else 0.0

    @pyqtSlot()
    def _point_all(self) -> None:
        for plot in self.plots.values():
            plot.point_at(self._pointed)

    # -- the tools
    def _set_look(self, **changes: object) -> None:
        values = {"axis": self._look.axis, "smoothing": self._look.smoothing, "log": self._look.log}
        self._look = Look(**(values | changes))  # type: ignore[arg-type]
        self.redraw()

    @pyqtSlot(str)
    def _on_axes_chosen(self, axis: str) -> None:
        self._pointed = None
        self._fitted = True
        self._set_look(axis=axis)

    @pyqtSlot(bool)
    def _on_log_toggled(self, on: bool) -> None:
        self._set_look(log=on)

    @pyqtSlot(int)
    def _on_smoothing_changed(self, stop: int) -> None:
        weight = SMOOTHING[stop]
        self._weight.setText(f"{weight:g}" if weight else "Off")
        self._set_look(smoothing=weight)

    @pyqtSlot()
    def _on_session_overlays_changed(self) -> None:
        count = len(self._session.overlays)
        self._overlays.setVisible(count > 0)
        self._overlays.setText(f"Clear {counted(count, 'overlaid run')}")
        self.ask_redraw()

    # -- export
    def picture(self) -> QPixmap:
        """Return an image of the plots at twice the resolution of the screen."""
        area = self.rows
        image = QPixmap(area.size() * PNG_SCALE)
        image.setDevicePixelRatio(PNG_SCALE)
        image.fill(theme.color(theme.current().surface))
        painter = QPainter(image)
        area.render(painter, QPoint())
        painter.end()
        return image

    def _start(self, suffix: str) -> Path | None:
        run = self._session.shown.run if self._session.shown else None
        return self._session.workspace.proposed_file(f"{run.name}.{suffix}") if run is not None else None

    @pyqtSlot()
    def _on_export_png(self) -> None:
        notify.choose_target(self, "Export plots", ["Images (*.png)"], "png", self.save_png, self._start("png"))

    @pyqtSlot()
    def _on_export_csv(self) -> None:
        notify.choose_target(self, "Export curves", ["Tables (*.csv)"], "csv", self.save_csv, self._start("csv"))

    def save_png(self, path: Path) -> None:
        if self.picture().save(str(path), "PNG"):
            self._session.workspace.status_message.emit(f"Plots exported to {path}.")
        else:
            notify.failure(self, OSError(f"The image cannot be written to {path}: choose another folder."))

    def save_csv(self, path: Path) -> None:
        """Write all curves of the shown run to a CSV file, in a thread."""
        if self._history is not None and self._history.thinned:
            notify.failure(self, SeqdecError("The curves of this long run are still being read: export them in a moment."))
        elif self._history is not None:
            curves, status = columns_of(self._history), self._session.workspace.status_message
            background.run(
                lambda: write_csv(curves, path), lambda rows: status.emit(f"{rows:,} values exported to {path}."), owner=self
            )

    # --
    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Hide the lower row of plots if there is little room."""
        super().resizeEvent(event)
        self._below.setVisible(self.height() >= TWO_ROWS_HEIGHT)

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        self.ask_redraw()

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self._fit.setIcon(icon("fit-to-screen-outline"))
        self._export.setIcon(icon("export-variant"))
        self.redraw()


def _timer(owner: QWidget, milliseconds: int, slot: object) -> QTimer:
    timer = QTimer(owner)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(slot)
    return timer


def _row() -> QSplitter:
    row = QSplitter(Qt.Horizontal)
    row.setChildrenCollapsible(False)
    row.setHandleWidth(1)
    return row
