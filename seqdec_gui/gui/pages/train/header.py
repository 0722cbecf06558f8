"""The header of the Train page: the run, its progress, and the buttons that control it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PyQt5.QtCore import Qt, QTimer, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QProgressBar,
    QPushButton,
    QShortcut,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.short_numbers import duration, value_text
from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.pages.train.stop_button import StopButton
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.widgets.certificate_badge import CertificateBadge
from seqdec_gui.gui.widgets.command_reason import set_command_reason
from seqdec_gui.gui.widgets.elided_label import ElidedLabel
from seqdec_gui.gui.widgets.focus import follow_focus
from seqdec_gui.gui.widgets.state_badge import Badge
from seqdec_gui.gui.workspace.training_session import FollowedRun, TrainingSession
from seqdec_gui.runs.engines import engine_title
from seqdec_gui.runs.events import CommandAnswer
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.run_words import device_words

if TYPE_CHECKING:
    from seqdec_gui.runs.certificate import Certificate

TICK_MS = 1000
"""The time between two updates of the header while a run is active, in milliseconds."""
_FROM = {"best": "New run from the best weights", "last": "New run from the last weights"}
"""The texts of the two ways to begin another run with the weights of this one."""
PART_READ = "curves in part, the rest is read"
_WIDEST_RATE = "0.0008888"
"""The widest text of a learning rate, which is shown with four digits."""
_FIELD_PADDING = 4 * theme.SPACE
"""The space at each side of the text in a field, in pixels, its frame and cursor included."""
_FULL_BAR = 10_000
"""The maximum of the progress bar. The number of steps itself may exceed Qt's integers."""
Button = TypeVar("Button", bound=QPushButton)


class Header(QWidget):
    """Shows one run. Its buttons send commands to the run, or ask the session for a new start."""

    resume_requested = pyqtSignal()
    continue_requested = pyqtSignal(str)  # best, last: a new run from these weights; choose: ask what to keep; fork: from where
    back_requested = pyqtSignal()

    def __init__(self, session: TrainingSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._followed: FollowedRun | None = None
        self._answered = 0
        self._rate_order = ""
        self._rate_edited = False
        self._rate_refused = False
        self._certified: Path | None = None
        self._build_words()
        self._build_buttons()
        self._lay_out()
        self._tick = QTimer(self)
        self._tick.setInterval(TICK_MS)
        self._tick.timeout.connect(self.refresh)
        session.workspace.run_certified.connect(self._on_workspace_run_certified)
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _build_words(self) -> None:
        self._name = ElidedLabel("run_name", fills=False)
        self._name.setProperty("role", "title")
        self._badge = Badge()
        self.certificate_badge = CertificateBadge()
        self.certificate_badge.clicked.connect(self._on_certificate_badge_clicked)
        self._facts = ElidedLabel("run_facts", Qt.ElideRight, fills=False)
        self._facts.setProperty("role", "small")
        self.progress_bar = QProgressBar(objectName="progress_bar")
        self.progress_bar.setTextVisible(False)
        self.progress_bar.setAccessibleName("Progress of the training")
        self._progress_words = ElidedLabel("progress_words", Qt.ElideRight)
        self._left = QLabel(objectName="time_left", alignment=Qt.AlignRight)
        self._stuck = QLabel(objectName="stop_failed", wordWrap=True, textInteractionFlags=Qt.TextSelectableByMouse)
        self._stuck.setProperty("role", "error")
        self._stuck.setTextFormat(Qt.PlainText)
        self._stuck.hide()
        for words in (self._progress_words, self._left):
            words.setProperty("role", "small")

    def _build_buttons(self) -> None:
        self._rate_label = QLabel("LR", toolTip="Learning rate")
        self._rate_label.setProperty("role", "dim")
        self.rate = QLineEdit(objectName="learning_rate_field", toolTip="A new learning rate; press Enter")
        self.rate.setAccessibleName("Learning rate")
        digits = self.rate.fontMetrics().horizontalAdvance(_WIDEST_RATE)
        self.rate.setFixedWidth(digits + 2 * _FIELD_PADDING)
        self.rate.returnPressed.connect(self._on_rate_return_pressed)
        self.rate.textEdited.connect(self._on_rate_text_edited)
        self.rate.editingFinished.connect(self._on_rate_editing_finished)
        QShortcut(QKeySequence(Qt.Key_Escape), self.rate, self._on_rate_escaped, context=Qt.WidgetShortcut)
        self.checkpoint_button = _button("checkpoint_button", "", "Save the weights now (checkpoint last)")
        self.checkpoint_button.setAccessibleName("Save the weights now")
        self.checkpoint_button.clicked.connect(self._on_checkpoint_clicked)
        self.pause_button = _button("pause_button", "Pause", "")
        self.pause_button.clicked.connect(self._on_pause_clicked)
        self.stop_button = _fixed(StopButton("Stop", objectName="stop_button", toolTip="Save the weights and stop"))
        self.stop_button.clicked.connect(self._on_stop_clicked)
        self.stop_button.key_pressed.connect(self._on_stop_key_pressed)
        self.resume_button = _button("resume_button", "Resume", "Continue from the last checkpoint, on the chosen devices")
        self.resume_button.clicked.connect(self.resume_requested)
        self.continue_button = _button("continue_button", "Continue from this run", "Train the open design from these weights")
        menu = QMenu(self.continue_button)
        self._from_best = menu.addAction(_FROM["best"], lambda: self.continue_requested.emit("best"))
        self._from_last = menu.addAction(_FROM["last"], lambda: self.continue_requested.emit("last"))
        menu.addAction("New Run from a Checkpoint…", lambda: self.continue_requested.emit("fork")).setObjectName("fork_run")
        menu.addAction("Choose Fitted Values to Keep…", lambda: self.continue_requested.emit("choose"))
        self.continue_button.setMenu(menu)
        self.back_button = _button("back_button", "Show the run that is training", "")
        self.back_button.setProperty("kind", "flat")
        self.back_button.clicked.connect(self.back_requested)
        for button in (self.checkpoint_button, self.pause_button, self.stop_button):
            set_command_reason(button, "No run is training here")
        set_command_reason(self.resume_button, "No run that can go on is shown here")
        follow_focus(self.stop_button, self.resume_button)
        follow_focus(self.resume_button, self.pause_button)
        follow_focus(self.pause_button, self.resume_button)

    def _lay_out(self) -> None:
        self._buttons = (self._rate_label, self.rate, self.checkpoint_button, self.pause_button, self.stop_button,
                         self.back_button, self.resume_button, self.continue_button)  # fmt: skip
        title = QHBoxLayout()
        title.setSpacing(2 * theme.SPACE)
        title.addWidget(self._name)
        title.addWidget(self._badge)
        title.addWidget(self.certificate_badge)
        title.addStretch(1)
        self._facts.setMinimumHeight(theme.CONTROL_HEIGHT)  # so that nothing moves while no button is visible
        steering = QHBoxLayout()
        steering.setSpacing(2 * theme.SPACE)
        steering.addWidget(self._facts, 1)
        for widget in self._buttons:
            steering.addWidget(widget)
        below = QHBoxLayout()
        below.addWidget(self._progress_words, 1)
        below.addWidget(self._left)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * theme.SPACE, 3 * theme.SPACE, 4 * theme.SPACE, 2 * theme.SPACE)
        layout.setSpacing(theme.SPACE)
        layout.addLayout(title)
        layout.addLayout(steering)
        layout.addWidget(self._stuck)
        layout.addSpacing(theme.SPACE)
        layout.addWidget(self.progress_bar)
        layout.addSpacing(theme.SPACE)
        layout.addLayout(below)

    # -- display
    def show_run(self, followed: FollowedRun | None) -> None:
        self._followed = followed
        self._answered = 0
        self._rate_order = ""
        self.rate.clear()
        polish(self.rate, "invalid", False)
        self.refresh()

    @pyqtSlot()
    def refresh(self) -> None:
        """Update every text and button. Called up to 20 times a second, so it must be fast."""
        followed = self._followed
        self._stuck.setText(followed.unstoppable if followed is not None else "")
        self._stuck.setVisible(followed is not None and bool(followed.unstoppable))
        if followed is None:
            self._tick.stop()
            for button in self._buttons:  # hidden buttons take no room
                button.hide()
            return
        self._name.setText(followed.name)
        active = followed is self._session.active
        state: str = followed.state if active or not followed.alive else "reading"
        if state == "reading" and followed.silent is not None:
            state = "elsewhere" if followed.silent.state == "unfinished" and followed.history.started else followed.silent.state
        self._badge.set_state(state)
        self._facts.setText(_facts(followed))
        self._show_certificate(followed)
        self._show_progress(followed, state)
        self._show_buttons(followed, state, active)
        self._show_rate(followed)
        if not active:
            self._tick.stop()
        elif not self._tick.isActive():
            self._tick.start()

    def _show_certificate(self, followed: FollowedRun) -> None:
        """Read the certificate of a run once, in a thread."""
        path = followed.run.path if followed.run is not None else None
        if path == self._certified:
            return
        self._certified = path
        self.certificate_badge.hide()
        if path is not None:
            background.run(lambda: _certificate_of(path), lambda result: self._on_certificate_read(path, *result), owner=self)

    def _on_certificate_read(self, path: Path, certificate: Certificate | None, devices: int) -> None:
        if path == self._certified:
            self.certificate_badge.show_certificate(certificate, devices)

    @pyqtSlot(Path)
    def _on_workspace_run_certified(self, path: Path) -> None:
        if path == self._certified and self._followed is not None:
            self._certified = None
            self._show_certificate(self._followed)

    @pyqtSlot()
    def _on_certificate_badge_clicked(self) -> None:
        if self._certified is not None:
            from seqdec_gui.gui.dialogs.certificate.dialog import open_certificate

            open_certificate(self._session.workspace, self._certified)

    def _show_progress(self, followed: FollowedRun, state: str) -> None:
        history = followed.history
        started = history.started
        if started is None or state == "starting":  # or it is started again
            waiting = followed.alive and state != "reading" and followed.silent is None
            self.progress_bar.setRange(0, 0 if waiting else 1)
            note = "" if followed.silent is None else followed.silent.text
            self._progress_words.setText(_starting(followed) if waiting else note)
            self._left.setText("")
            return
        if history.compiling_since is not None and followed.alive and state == "running":
            self.progress_bar.setRange(0, 0)
            self._progress_words.setText(_compiling(history.compiling_since))
            self._left.setText("")
            return
        self.progress_bar.setRange(0, _FULL_BAR)
        self.progress_bar.setValue(round(history.progress * _FULL_BAR))
        words = [f"Epoch {min(max(1, history.epoch), started.epochs)} of {started.epochs}",
                 f"step {history.step:,} of {started.steps:,}", f"{history.progress:.0%}",
                 *[PART_READ] * history.thinned]  # fmt: skip
        rate = history.latest.get("samples_per_s")
        if rate is not None and followed.alive:
            words.append(f"{value_text('samples_per_s', rate)} samples/s")
        self._progress_words.setText("  ·  ".join(words))
        left = history.seconds_left if followed.alive else None
        after = f"after {duration(history.seconds)}" if not followed.alive else ""
        self._left.setText(f"{duration(left)} left" if left is not None else after)

    def _show_buttons(self, followed: FollowedRun, state: str, active: bool) -> None:
        steerable = active and state in ("running", "paused")
        for widget in (self._rate_label, self.rate, self.checkpoint_button, self.pause_button, self.stop_button):
            widget.setVisible(active)
        self.rate.setEnabled(steerable)
        self.checkpoint_button.setEnabled(steerable and not followed.waits_for("checkpoint"))
        paused = state == "paused"
        waiting = followed.waits_for("continue" if paused else "pause")
        self.pause_button.setText("Continue" if paused else "Pause")
        action = "Continue training" if paused else "Pause training: saves everything and frees the devices until you continue"
        self.pause_button.setToolTip("Pauses at the end of the current interval" if waiting else action)
        self.pause_button.setEnabled(steerable and not waiting)
        self.stop_button.setEnabled(active and state in ("starting", "running", "paused"))
        ended = followed.status is not None
        idle = self._session.active is None
        # a run that was paused while it started has saved nothing yet, and begins anew
        begun = state in ("stopped", "failed", "crashed") and followed.history.saved is not None
        unfinished = ended and (begun or state == "paused")
        hangs = active and bool(followed.history.silent) and state != "stopping"
        self.resume_button.setText("Restart" if hangs else "Continue" if ended and state == "paused" else "Resume")
        self.resume_button.setVisible((unfinished and idle) or hangs)
        self.continue_button.setVisible(ended and idle and followed.history.saved is not None)
        best, saved = followed.history.best, followed.history.saved
        self._from_best.setText(_FROM["best"] + (f" (epoch {best.epoch})" if best is not None else ""))
        self._from_last.setText(_FROM["last"] + (f" (epoch {saved.epoch})" if saved is not None else ""))
        self.back_button.setVisible(not active and not idle)
        self.pause_button.setIcon(icon("play" if paused else "pause"))

    def _show_rate(self, followed: FollowedRun) -> None:
        for answer in list(followed.history.answers):
            if followed.pending.pop(answer.id, None) is not None:
                self._show_answer(answer)
        current = followed.history.latest.get("learning_rate")
        if current is not None and not (self.rate.hasFocus() or self._rate_edited or self._rate_order):
            self.rate.setText(f"{current:.4g}")
            self.rate.setCursorPosition(0)

    def _show_answer(self, answer: CommandAnswer) -> None:
        """Show the run's answer to a command in the status bar."""
        if answer.id == self._rate_order:
            self._rate_order = ""
            polish(self.rate, "invalid", not answer.ok)
        sentence = {
            "set_learning_rate": "The learning rate is set.", "checkpoint": "The weights are saved.",
            "pause": "Pausing: all is saved, then the devices are free.", "continue": "Training continues.",
        }.get(answer.command, "")  # fmt: skip
        self._session.workspace.status_message.emit(sentence if answer.ok else answer.text or "The run refused the command.")

    # -- user actions
    @pyqtSlot()
    def _on_rate_return_pressed(self) -> None:
        if self._followed is None:
            return
        try:
            value = float(self.rate.text().replace(",", "."))
        except ValueError:
            self._refuse(f"Expected a learning rate such as 0.001 or 3e-4, received {self.rate.text()!r}.")
            return
        try:
            self._rate_order = self._followed.set_learning_rate(value).id
        except InvalidInput:
            self._refuse(f"Expected a learning rate above 0 and at most 100, received {value:g}.")
            return
        self.rate.clearFocus()
        self._session.workspace.status_message.emit(f"Setting the learning rate to {value:g}.")

    @pyqtSlot()
    def _on_rate_escaped(self) -> None:
        """Show the present learning rate again."""
        self._rate_edited = False
        self.rate.clearFocus()
        polish(self.rate, "invalid", False)
        self.refresh()

    def _refuse(self, sentence: str) -> None:
        self._rate_refused = True
        polish(self.rate, "invalid", True)
        self.rate.setToolTip(sentence)
        self._session.workspace.status_message.emit(sentence)

    @pyqtSlot(str)
    def _on_rate_text_edited(self, _text: str) -> None:
        self._rate_edited = True
        polish(self.rate, "invalid", False)
        self.rate.setToolTip("A new learning rate; press Enter")

    @pyqtSlot()
    def _on_rate_editing_finished(self) -> None:
        self._rate_edited = False
        if self._rate_refused:  # by Return; it stays until the cursor leaves the field
            self._rate_refused = False
        elif self.rate.property("invalid") and not self._rate_order:
            self._on_rate_escaped()

    @pyqtSlot()
    def _on_checkpoint_clicked(self) -> None:
        if self._followed is not None:
            self._followed.checkpoint()

    @pyqtSlot()
    def _on_pause_clicked(self) -> None:
        if self._followed is not None:
            (self._followed.resume if self._followed.history.paused else self._followed.pause)()

    @pyqtSlot()
    def _on_stop_clicked(self) -> None:
        if self._followed is not None:
            self._followed.stop()

    @pyqtSlot()
    def _on_stop_key_pressed(self) -> None:
        """Ask before stopping: a key is pressed by accident more easily than the mouse."""
        followed = self._followed
        if followed is None:
            return

        def then(answer: notify.Answer) -> None:
            if answer == "accept" and followed is self._session.active and followed.alive:
                followed.stop()

        text = "Its weights are saved first, and it can be resumed later."
        notify.ask(self, f"Stop {followed.name}?", text, then, accept="Stop the run", destructive=True)

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self.checkpoint_button.setIcon(icon("content-save-outline"))
        self.stop_button.setIcon(icon("stop"))
        self.resume_button.setIcon(icon("play"))
        self.pause_button.setIcon(icon("pause"))


def _certificate_of(path: Path) -> tuple[Certificate | None, int]:
    """Return the certificate of a run and the number of devices it trains on. Runs in a thread."""
    from seqdec_gui.runs import certificate

    run = RunFolder(path)
    try:
        placement = run.read_spec().placement
    except InvalidInput:
        placement = None
    return certificate.read(run), 0 if placement is None else placement.devices.replicas


def _button(name: str, text: str, tip: str) -> QPushButton:
    return _fixed(QPushButton(text, objectName=name, toolTip=tip))


def _fixed(button: Button) -> Button:
    button.setSizePolicy(QSizePolicy.Fixed, QSizePolicy.Fixed)
    return button


def _starting(followed: FollowedRun) -> str:
    """Return a sentence about the start, because imports and compilation take some time."""
    return f"Building the model and opening the data  ·  {duration(max(0.0, time.time() - followed.begun))}"


def _compiling(since: float) -> str:
    """Return a sentence about the time in which the first step is compiled, which says nothing of the pace of the others."""
    waited = max(0.0, time.time() - since)
    return f"Compiling the training step; the first one takes longest  ·  {duration(waited)}"


def _facts(followed: FollowedRun) -> str:
    """Return a line about the run: `2 GPUs · JAX · 232,214 parameters · 12,000 rows`."""
    started = followed.history.started
    facts = [device_words(followed.devices)]
    if started is not None:
        facts.append(engine_title(started.engine))
        if started.parameters.total:
            facts.append(f"{started.parameters.total:,} parameters")
        facts.append(f"batch {started.batch_size:,}")
        if started.rows.training:
            facts.append(counted(started.rows.training, "row"))
        if started.precision != "float32":
            facts.append(started.precision)
    return "  ·  ".join(fact for fact in facts if fact)
