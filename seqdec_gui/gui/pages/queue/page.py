"""The Queue page: the runs of this machine that wait for devices, whoever put them there.

Object names: `queue_table`, `queue_add`, `queue_pause`, `queue_up`, `queue_down`, `queue_priority`, `queue_now`,
`queue_remove`, `queue_open`, `queue_clear`, `queue_remark`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import Qt, pyqtSlot
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QPushButton, QShortcut, QStackedWidget, QVBoxLayout, QWidget

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.pages.queue.rows import QueueRows
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.widgets.elided_label import ElidedLabel
from seqdec_gui.gui.widgets.empty_state import EmptyState
from seqdec_gui.gui.widgets.while_shown import WhileShown
from seqdec_gui.gui.workspace.launch import request
from seqdec_gui.gui.workspace.queueing import enqueue
from seqdec_gui.gui.workspace.readiness import readiness
from seqdec_gui.gui.workspace.training_session import session_of
from seqdec_gui.gui.workspace.workspace import PageName, Workspace
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.notes import display_name
from seqdec_gui.runs.queue.job import LARGEST_PRIORITY, Job
from seqdec_gui.runs.queue.overview import Overview, overview
from seqdec_gui.runs.queue.place import ThisMachine
from seqdec_gui.runs.queue.store import Queue
from seqdec_gui.runs.queue.worker import ensure_worker

REFRESH_MS = 1000
"""The time between two looks at the queue while the page is shown, in milliseconds."""


NOTHING = "Runs that are put here start when their devices are free, also while the window is closed."
ENSURE_S = 10.0
"""The least time between two times that the page sees to it that somebody works on the queue, in seconds."""


class QueuePage(QWidget):
    """Shows and changes the queue. All that touches files or devices happens in threads."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._queue, self._place = Queue(), ThisMachine()
        self._shown = Overview()
        self._busy = self._again = False
        self._chosen_next = ""
        self._ensured = -1e9
        self.rows = QueueRows()
        self.rows.moved.connect(self._on_rows_moved)
        self.rows.itemSelectionChanged.connect(self._show_buttons)
        self.rows.itemActivated.connect(self._on_open_clicked)
        self.empty = EmptyState("playlist-play", "Nothing waits", NOTHING, "Add the open design", self)
        self.empty.button.setObjectName("queue_add_first")
        self.empty.button.clicked.connect(self._on_add_clicked)
        self._title = ElidedLabel("queue_title")
        self._title.setProperty("role", "title")
        self._remark = QLabel(objectName="queue_remark", wordWrap=True)
        self._remark.setProperty("role", "small")
        self._build()
        WhileShown(self, self.refresh, REFRESH_MS)
        workspace.checking.changed.connect(self._show_readiness)
        workspace.document.design_changed.connect(self._show_readiness)
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self._show_buttons()
        self._show_readiness()

    def _build(self) -> None:
        self.buttons: dict[str, QPushButton] = {}
        heading, bar = QHBoxLayout(), QHBoxLayout()
        heading.addWidget(self._title, 1)
        bar.setSpacing(theme.SPACE)
        for place, name, text, tip, clicked in (
            (heading, "add", "Add Open Design", "Put a run of the open design at the end", self._on_add_clicked),
            (heading, "pause", "Pause Queue", "Start nothing more; runs that go on are left alone", self._on_pause_clicked),
            (heading, "clear", "Clear Ended", "Take off what has ended; the runs stay", self._on_clear_clicked),
            (bar, "open", "Open Run", "Show the run on the Train tab (Enter)", self._on_open_clicked),
            (bar, "up", "Up", "Start it earlier (Alt+Up, or drag the row)", lambda: self.rows.step(-1)),
            (bar, "down", "Down", "Start it later (Alt+Down, or drag the row)", lambda: self.rows.step(1)),
            (bar, "priority", "Priority…", "Runs of a higher priority start first", self._on_priority_clicked),
            (bar, "now", "Start Now", "Start it at once, also where no device is free", self._on_now_clicked),
            (bar, "remove", "Remove", "Take it off the queue (Delete)", self._on_remove_clicked),
        ):
            button = self.buttons[name] = QPushButton(text, objectName=f"queue_{name}", toolTip=tip)
            button.clicked.connect(clicked)
            place.addWidget(button)
        bar.addStretch(1)
        self._bar = QWidget()  # nothing to act on, no buttons
        self._bar.setLayout(bar)
        bar.setContentsMargins(0, 0, 0, 0)
        delete = QShortcut(QKeySequence(Qt.Key_Delete), self.rows, context=Qt.WidgetShortcut)
        delete.activated.connect(self._on_remove_clicked)
        listed = QWidget()
        inner = QVBoxLayout(listed)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.rows)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(listed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * theme.SPACE, 3 * theme.SPACE, 3 * theme.SPACE, 2 * theme.SPACE)
        layout.setSpacing(2 * theme.SPACE)
        layout.addLayout(heading)
        layout.addWidget(self._bar)
        layout.addWidget(self._remark)
        layout.addWidget(self._stack, 1)

    # -- looking
    @pyqtSlot()
    def refresh(self) -> None:
        """Look at the queue, in a thread, and see to it that somebody works on it."""
        if self._busy:
            self._again = True
            return
        self._busy = True

        due = time.monotonic() - self._ensured >= ENSURE_S
        self._ensured = time.monotonic() if due else self._ensured

        def look() -> Overview:
            if due:
                ensure_worker(self._queue)
            return overview(self._queue, self._place)

        background.run(look, self._on_looked, self._on_not_looked, self)

    def _on_looked(self, shown: Overview) -> None:
        self._busy = False
        self._shown = shown
        self.rows.show_jobs(shown.jobs)
        if self._chosen_next:
            self.rows.choose(self._chosen_next)
            self._chosen_next = ""
        waiting = sum(each.state == "waiting" for each in shown.jobs)
        going = sum(each.state in ("starting", "running") for each in shown.jobs)
        words = f"{counted(waiting, 'run')} {'waits' if waiting == 1 else 'wait'}, {going} on the way"
        self._title.setText(words if shown.jobs else "Queue")
        self._bar.setVisible(bool(shown.jobs))
        self._remark.setText("The queue is paused." if shown.paused else "")
        self._remark.setVisible(bool(self._remark.text()))
        self._stack.setCurrentIndex(1 if shown.jobs else 0)
        self._show_buttons()
        if self._again:
            self._again = False
            self.refresh()

    def _on_not_looked(self, error: Exception) -> None:
        self._busy = self._again = False
        self._remark.setText(str(error))
        self._remark.show()

    @pyqtSlot()
    def _show_buttons(self) -> None:
        chosen = self.rows.chosen
        waits = chosen is not None and chosen.state == "waiting"
        for name in ("up", "down", "priority", "now"):
            self.buttons[name].setEnabled(waits)
        self.buttons["remove"].setEnabled(chosen is not None and chosen.state in ("waiting", "ended"))
        self.buttons["open"].setEnabled(chosen is not None and not waits)
        self.buttons["pause"].setText("Continue Queue" if self._shown.paused else "Pause Queue")
        self.buttons["clear"].setEnabled(any(each.state == "ended" for each in self._shown.jobs))

    @pyqtSlot()
    def _show_readiness(self, *_changes: object) -> None:
        state = readiness(self._workspace)
        for button in (self.buttons["add"], self.empty.button):
            button.setEnabled(state.ready)
            button.setToolTip(state.reason or "Put a run of the open design at the end")
        self.empty.words.setText(f"{NOTHING} {state.reason}".strip())

    # -- acting
    def _do(self, change: Callable[[], object]) -> None:
        """Change the queue in a thread, and look again. A refusal is told: the queue has changed meanwhile."""
        self._ensured = -1e9  # what is changed may be waited for
        background.run(change, lambda _result: self.refresh(), self._on_refused, self)

    def _on_refused(self, error: Exception) -> None:
        notify.failure(self, error, "The queue was not changed")
        self.refresh()

    @pyqtSlot()
    def _on_add_clicked(self) -> None:
        wanted = request(self._workspace)

        def put() -> tuple[Job, str]:
            job = enqueue(wanted)
            return job, display_name(Path(job.run))

        def then(made: tuple[Job, str]) -> None:
            job, name = made
            self._chosen_next = job.id
            self._workspace.status_message.emit(f"{name} waits for {job.devices}.")
            self.refresh()

        background.run(put, then, self._on_refused, self)

    @pyqtSlot()
    def _on_pause_clicked(self) -> None:
        paused = not self._shown.paused
        self._do(lambda: self._queue.pause(paused))

    @pyqtSlot()
    def _on_clear_clicked(self) -> None:
        self._do(self._queue.clear)

    @pyqtSlot(str, int)
    def _on_rows_moved(self, job: str, place: int) -> None:
        self._chosen_next = job
        self._do(lambda: self._queue.move(job, place))

    @pyqtSlot()
    def _on_priority_clicked(self) -> None:
        chosen = self.rows.chosen
        if chosen is None:
            return
        job = chosen.job

        def then(text: str) -> None:
            self._do(lambda: self._queue.set_priority(job.id, _priority(text)))

        notify.ask_text(
            self, f"Priority of {chosen.title or job.name}", "From -100 to 100; higher starts first", str(job.priority), then
        )

    @pyqtSlot()
    def _on_now_clicked(self) -> None:
        if (chosen := self.rows.chosen) is not None:
            self._do(lambda: self._queue.start_now(chosen.job.id))

    @pyqtSlot()
    def _on_remove_clicked(self) -> None:
        if (chosen := self.rows.chosen) is not None and self.buttons["remove"].isEnabled():
            self._do(lambda: self._queue.remove(chosen.job.id))

    @pyqtSlot()
    def _on_open_clicked(self, *_item: object) -> None:
        chosen = self.rows.chosen
        if chosen is not None and self.buttons["open"].isEnabled():
            self._workspace.page_requested.emit(PageName.TRAIN)
            session_of(self._workspace).show(RunFolder(chosen.job.run), chosen.title or chosen.job.name)

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        for name, picture in (("up", "arrow-up"), ("down", "arrow-down"), ("remove", "close"), ("add", "playlist-plus")):
            self.buttons[name].setIcon(icon(picture))


def _priority(text: str) -> int:
    """Return the priority that was typed. Raises InvalidInput."""
    try:
        number = int(text)
    except ValueError:
        number = LARGEST_PRIORITY + 1
    if abs(number) > LARGEST_PRIORITY:
        raise InvalidInput(f"Expected a whole number from -100 to 100, received {text!r}.", "bad_queue_command")
    return number
