"""The list of the queue: what goes on, what waits, what has ended. Waiting rows are dragged, or moved with keys."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QPoint, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PyQt5.QtWidgets import QAbstractItemView, QApplication, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.state_badge import state_color
from seqdec_gui.gui.widgets.table_style import show_as_list
from seqdec_gui.runs.queue.overview import QueuedRun
from seqdec_gui.runs.run_words import STATE_WORDS

TITLES = ("Place", "Run", "State", "Devices", "Priority", "What it does")
ROW_HEIGHT = 7 * theme.SPACE
"""The height of a row, in pixels."""
_WORDS = {"waiting": "Waiting", "refused": "Not started", "gone": "Gone"}


class QueueRows(QTableWidget):
    """Shows the queue. `moved` asks for a waiting job in another place among the waiting ones, counted from 0."""

    moved = pyqtSignal(str, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(TITLES), parent)
        self.setObjectName("queue_table")
        self.setAccessibleName("Queue")
        self.setHorizontalHeaderLabels(TITLES)
        show_as_list(self, ROW_HEIGHT)
        self.setSelectionBehavior(QAbstractItemView.SelectRows)
        self.setSelectionMode(QAbstractItemView.SingleSelection)
        self.setEditTriggers(QAbstractItemView.NoEditTriggers)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignLeft | Qt.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeToContents)
        header.setSectionResizeMode(len(TITLES) - 1, QHeaderView.Stretch)
        self.jobs: tuple[QueuedRun, ...] = ()
        self._pressed: QPoint | None = None
        self._dragged = ""
        self._target: int | None = None
        theme.notifier.changed.connect(self._on_theme_changed)

    # -- contents
    def show_jobs(self, jobs: Sequence[QueuedRun]) -> None:
        """Show these jobs; the selected one stays selected, and what is being dragged stays in hand."""
        if self._dragged or tuple(jobs) == self.jobs:
            return
        chosen = self.chosen
        self.jobs = tuple(jobs)
        self.setRowCount(len(jobs))
        for row, each in enumerate(jobs):
            for column, text in enumerate(_cells(each)):
                self.setItem(row, column, _item(text, each, column))
            if chosen is not None and each.job.id == chosen.job.id:
                self.selectRow(row)

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        jobs, self.jobs = self.jobs, ()
        self.show_jobs(jobs)

    @property
    def chosen(self) -> QueuedRun | None:
        """Return the selected job."""
        rows = {index.row() for index in self.selectedIndexes()}
        return self.jobs[min(rows)] if rows and min(rows) < len(self.jobs) else None

    def choose(self, job: str) -> None:
        """Select the row of a job."""
        for row, each in enumerate(self.jobs):
            if each.job.id == job:
                self.selectRow(row)

    # -- moving
    def step(self, by: int) -> None:
        """Move the selected job, if it waits, so many places down."""
        chosen = self.chosen
        if chosen is not None and chosen.state == "waiting":
            self.moved.emit(chosen.job.id, max(0, chosen.place - 1 + by))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Alt with Up and Down moves the selected job."""
        assert event is not None
        if event.modifiers() & Qt.AltModifier and event.key() in (Qt.Key_Up, Qt.Key_Down):
            self.step(-1 if event.key() == Qt.Key_Up else 1)
        elif event.key() == Qt.Key_Escape and self._dragged:
            self._end_drag()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        super().mousePressEvent(event)
        self._pressed = event.pos() if event.button() == Qt.LeftButton else None

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        chosen = self.chosen
        far = self._pressed is not None and (event.pos() - self._pressed).manhattanLength() >= QApplication.startDragDistance()
        if far and not self._dragged and chosen is not None and chosen.state == "waiting":
            self._dragged = chosen.job.id
            self.viewport().setCursor(Qt.ClosedHandCursor)
        if self._dragged:
            self._target = self._place_at(event.pos().y())
            self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        super().mouseReleaseEvent(event)
        dragged, target = self._dragged, self._target
        self._end_drag()
        if dragged and target is not None:
            here = next(each.place - 1 for each in self.jobs if each.job.id == dragged)
            place = target - 1 if target > here else target  # the gap that it leaves closes
            if place != here:
                self.moved.emit(dragged, place)

    def _end_drag(self) -> None:
        self._pressed, self._dragged, self._target = None, "", None
        self.viewport().unsetCursor()
        self.viewport().update()

    def _waiting_rows(self) -> list[int]:
        return [row for row, each in enumerate(self.jobs) if each.state == "waiting"]

    def _place_at(self, y: int) -> int:
        """Return the gap among the waiting rows that is nearest to a height: 0 in front of the first one."""
        rows = self._waiting_rows()
        middles = [self.rowViewportPosition(row) + self.rowHeight(row) // 2 for row in rows]
        return sum(middle < y for middle in middles)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        super().paintEvent(event)
        rows = self._waiting_rows()
        if self._target is None or not rows:
            return
        last = self._target >= len(rows)
        row = rows[-1] if last else rows[self._target]
        y = self.rowViewportPosition(row) + (self.rowHeight(row) if last else 0)
        painter = QPainter(self.viewport())
        painter.fillRect(0, y - 1, self.viewport().width(), 3, QColor(theme.current().accent))


def _cells(each: QueuedRun) -> tuple[str, ...]:
    job = each.job
    wish = f"Any {job.width}" if job.devices.kind == "auto" else str(job.devices)
    state = job.outcome or each.state
    return (
        str(each.place or ""),
        each.title or job.name,
        _WORDS.get(state, STATE_WORDS.get(state, state)),
        str(job.given) if job.given is not None else wish,
        str(job.priority or ""),
        each.text,
    )


def _item(text: str, each: QueuedRun, column: int) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    item.setToolTip(each.job.run if column == 1 else each.text)
    if column == 2:
        item.setForeground(QColor(state_color(each.job.outcome or each.state)))
    return item
