"""The run that trains and the run that is shown. Each open design has one session, which its Train and Runs pages share."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from PyQt5.QtCore import QCoreApplication, QObject, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QApplication

from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.workspace.launch import design_key, launch, relaunching, request, runs_places
from seqdec_gui.gui.workspace.training_thread import TrainingThread, leave_all
from seqdec_gui.gui.workspace.workspace import Notice, Phase, TrainingState, Workspace
from seqdec_gui.runs.active import active_run, is_alive
from seqdec_gui.runs.control import Command
from seqdec_gui.runs.events import Event, Finished
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.history import RunHistory, read_history
from seqdec_gui.runs.hosts.copied import attach
from seqdec_gui.runs.notes import display_name
from seqdec_gui.runs.process import RESTART_GRACE_S, STOP_GRACE_S, RunProcess, stop_unattended
from seqdec_gui.runs.spec import FitChoice
from seqdec_gui.runs.state import RunStatus

seen: set[Path] = set()
"""Active runs that a window of this program has started or has told of."""
MAX_LOG_LINES = 2000
"""The number of lines of a run's log that are kept for the window."""


class FollowedRun(QObject):
    """A run, its history and the thread that follows it. `run` is None until its folder has been made."""

    changed = pyqtSignal()  # events were added to `history`
    log_received = pyqtSignal(str)
    launched = pyqtSignal()
    ended = pyqtSignal()
    failed = pyqtSignal(Exception)
    link_changed = pyqtSignal(str)  # a sentence while the host of the run is not reached, else empty

    def __init__(self, launch_it: Callable[[], RunProcess], name: str, run: RunFolder | None = None) -> None:
        super().__init__()
        self.run = run
        self.name = name
        self.devices: tuple[str, ...] = ()
        self.history = RunHistory()
        self.status: RunStatus | None = None
        self.silent: RunStatus | None = None
        """The status of a run that has not ended and is not seen alive: not started, or on another host."""
        self.log: deque[str] = deque(maxlen=MAX_LOG_LINES)
        self.pending: dict[str, Command] = {}
        self.stopping = self.restarting = False
        self.begun_now = False
        """Whether the run has begun in the start that is followed; until then its history is that of earlier starts."""
        self.unstoppable = ""
        """Why a run that was asked to stop goes on, in a sentence with what to do; empty as long as it may still obey."""
        self.begun = time.time()
        self._thread = thread = TrainingThread(launch_it)
        thread.launched.connect(self._on_thread_launched)
        thread.history_read.connect(self._on_thread_history_read)
        thread.event_received.connect(self._on_thread_event_received)
        thread.log_received.connect(self._on_thread_log_received)
        thread.begun.connect(self._on_thread_begun)
        thread.ended.connect(self._on_thread_ended)
        thread.fell_silent.connect(self._on_thread_fell_silent)
        thread.stop_failed.connect(self._on_thread_stop_failed)
        thread.failed.connect(self.failed)
        thread.link_changed.connect(self.link_changed)
        thread.begin()

    @property
    def alive(self) -> bool:
        """Return whether the run is active, as far as is known."""
        return self.status is None

    @property
    def state(self) -> Phase:
        """Return `starting`, `running`, `paused`, `stopping`, or how the run ended."""
        if self.status is not None:
            return self.status.state
        if not self.begun_now:
            return "stopping" if self.stopping else "starting"
        if self.history.final is not None:
            return "ending"
        if self.stopping:
            return "stopping"
        if self.history.paused:
            return "paused"
        return "running"

    def stop(self, grace_s: float = STOP_GRACE_S) -> None:
        self.stopping = True
        self._thread.stop(grace_s)
        self.changed.emit()

    def restart(self) -> None:
        """End the run, by force if it hangs; its session goes on from the last checkpoint."""
        self.restarting = True
        self.stop(RESTART_GRACE_S)

    def stop_alone(self) -> None:
        """Stop the run although the window closes. The process that stays behind kills the run if it does not answer."""
        self.stop()
        if self.run is not None:
            stopper = stop_unattended(self.run)
            stopper.returncode = 0  # keeps Popen from warning that the process still runs

    def pause(self) -> None:
        self._await(self._thread.pause())

    def resume(self) -> None:
        self._await(self._thread.resume())

    def checkpoint(self) -> Command:
        return self._await(self._thread.checkpoint())

    def set_learning_rate(self, rate: float) -> Command:
        """Send another learning rate to the run. Raises InvalidInput."""
        return self._await(self._thread.set_learning_rate(rate))

    def waits_for(self, name: str) -> bool:
        """Return whether a command of this name was sent and has not been answered."""
        return any(order.command == name for order in self.pending.values())

    def leave(self) -> None:
        """Stop following the run, which goes on."""
        self._thread.leave()

    def wait(self, timeout_s: float) -> None:
        """Wait until the thread has ended. Called at the end of the program."""
        self._thread.wait(int(timeout_s * 1000))

    def _await(self, order: Command) -> Command:
        self.pending[order.id] = order
        self.changed.emit()
        return order

    @pyqtSlot(object)
    def _on_thread_launched(self, run: RunFolder) -> None:
        self.run = run
        self.name = display_name(run.path)
        self.launched.emit()
        self.changed.emit()

    @pyqtSlot(object)
    def _on_thread_history_read(self, history: RunHistory) -> None:
        self.history.become(history)
        self._on_thread_event_received([])

    @pyqtSlot(object)
    def _on_thread_event_received(self, events: list[Event]) -> None:
        self.silent = None
        self.history.take(events)
        if self.history.started:
            self.devices = self.history.started.devices
        self.changed.emit()

    @pyqtSlot()
    def _on_thread_begun(self) -> None:
        self.begun_now = True  # the events that follow tell it

    @pyqtSlot(str)
    def _on_thread_log_received(self, text: str) -> None:
        self.log.extend(text.rstrip("\n").split("\n"))
        self.log_received.emit(text)

    @pyqtSlot(object)
    def _on_thread_fell_silent(self, status: RunStatus) -> None:
        self.silent = status
        self.unstoppable = ""
        self.changed.emit()

    @pyqtSlot(str)
    def _on_thread_stop_failed(self, sentence: str) -> None:
        self.unstoppable = sentence
        self.changed.emit()

    @pyqtSlot(object)
    def _on_thread_ended(self, status: RunStatus) -> None:
        self.status = status
        self.unstoppable = ""
        self.pending.clear()
        self.ended.emit()


class TrainingSession(QObject):
    """The runs of an open design: `active` is the one that trains, `shown` the one on the Train page.

    They are often the same; either may be None.
    """

    shown_changed = pyqtSignal()
    active_changed = pyqtSignal()
    overlays_changed = pyqtSignal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.workspace = workspace
        self.active: FollowedRun | None = None
        self.shown: FollowedRun | None = None
        self.overlays: dict[Path, tuple[str, RunHistory]] = {}
        self._overlays_asked: list[Path] = []
        self._stops = False
        """Whether the run that trains is to stop when the design closes."""
        workspace.train_requested.connect(self._on_workspace_train_requested)
        workspace.document.path_changed.connect(self._on_document_path_changed)
        workspace.document.replaced.connect(self._on_document_replaced)
        workspace.add_close_guard(self._ask_before_close)
        workspace.closing.connect(self._on_workspace_closing)
        QCoreApplication.instance().aboutToQuit.connect(_on_application_about_to_quit)
        followed: list[FollowedRun] = []
        self._followed = followed
        self.destroyed.connect(lambda: _leave(followed))
        self.find_active_run()

    # -- starting and following runs
    def start(
        self,
        initial_run: Path | None = None,
        checkpoint: Literal["best", "last"] = "best",
        fit: FitChoice = "initial",
    ) -> None:
        """Train the open design on the chosen devices, from the start or from the weights of a run."""
        if self._busy():
            return
        to_train = request(self.workspace, initial_run, checkpoint, fit)
        self._begin(_noted(FollowedRun(lambda: launch(to_train), to_train.name)), to_train.devices.names)

    def resume(self, run: RunFolder, name: str = "") -> None:
        """Continue an ended run on the chosen devices."""
        if self._busy():
            return
        devices = self.workspace.devices
        self._begin(_noted(FollowedRun(relaunching(run, devices), name or display_name(run.path), run)), devices.resolved.names)

    def attach(self, run: RunFolder, name: str = "") -> None:
        """Follow an active run, with its curves from the beginning."""
        if self.active is not None and self.active.run == run:
            self._show(self.active)
        elif self.active is None:
            self._begin(FollowedRun(lambda: attach(run), name or display_name(run.path), run), ())

    def show(self, run: RunFolder, name: str = "") -> None:
        """Show a run on the Train page, whether it is active or not."""
        if self.active is not None and self.active.run == run:
            self._show(self.active)
        elif self.shown is None or self.shown.run != run:
            followed = FollowedRun(lambda: attach(run), name or display_name(run.path), run)
            if self.active is None and is_alive(run):
                self._begin(followed, ())
            else:
                self._keep(followed)
                self._show(followed)

    def show_active(self) -> None:
        if self.active is not None:
            self._show(self.active)

    def forget(self, path: Path) -> None:
        """Stop showing a run that is about to be deleted."""
        self.remove_overlay(path)
        if self.shown is not None and self.shown is not self.active and self.shown.run == RunFolder(path):
            self._show(self.active)

    def find_active_run(self) -> None:
        """Look in a thread for an active run of the open design, and follow it."""
        key, path = design_key(self.workspace.document), self.workspace.document.path
        background.run(lambda: active_run(key, runs_places(path)), self._on_active_run_found, owner=self)

    # -- earlier runs beside the one shown
    def overlay(self, path: Path, name: str) -> None:
        """Draw the curves of an earlier run as well."""
        if path not in self.overlays:
            self._overlays_asked.append(path)
            background.run(
                lambda: read_history(RunFolder(path)), lambda history: self._on_overlay_read(path, name, history), owner=self
            )

    def remove_overlay(self, path: Path) -> None:
        self._overlays_asked = [each for each in self._overlays_asked if each != path]
        if self.overlays.pop(path, None) is not None:
            self.overlays_changed.emit()

    def clear_overlays(self) -> None:
        self._overlays_asked.clear()
        if self.overlays:
            self.overlays.clear()
            self.overlays_changed.emit()

    # --
    def _busy(self) -> bool:
        if self.active is not None:
            self.workspace.status_message.emit("One run at a time: stop the run that is training first.")
        return self.active is not None

    def _begin(self, followed: FollowedRun, devices: tuple[str, ...]) -> None:
        followed.devices = devices
        followed.changed.connect(self._on_active_changed)
        followed.ended.connect(self._on_active_ended)
        followed.failed.connect(self._on_active_failed)
        followed.link_changed.connect(lambda sentence: self.workspace.notice.emit(Notice("link_to_host", sentence)))
        self.active = followed
        self._keep(followed)
        self._show(followed)
        self._tell_training()
        self.active_changed.emit()

    def _keep(self, followed: FollowedRun) -> None:
        self._followed.append(followed)

    def _show(self, followed: FollowedRun | None) -> None:
        before, self.shown = self.shown, followed
        if before is not None and before is not followed and before is not self.active:
            before.leave()
            self._followed.remove(before)
        self.shown_changed.emit()

    def _tell_training(self) -> None:
        active = self.active
        self.workspace.set_training(TrainingState() if active is None else TrainingState(active.state, active.devices))

    def _release_active(self) -> FollowedRun | None:
        followed, self.active = self.active, None
        if followed is not None and followed is not self.shown:
            self._followed.remove(followed)
        self._tell_training()
        self.active_changed.emit()
        return followed

    def _ask_before_close(self, proceed: Callable[[], None]) -> bool:
        """Ask what to do with the run that trains, and return whether the window may close now.

        The answer is carried out when the design closes: other questions follow, and the user may cancel one of them.
        """
        self._stops = False
        if self.active is None:
            return True
        name = self.active.name

        def then(answer: notify.Answer) -> None:
            self._stops = answer == "discard"
            if answer != "cancel":
                proceed()

        notify.ask(
            self.workspace,
            f"{name} is still training",
            "It can continue without the window, which shows its curves again at the next start. If you stop it, "
            f"its weights are saved; a run that does not answer within {STOP_GRACE_S:g} seconds "
            "is ended by force and keeps its last checkpoint.",
            then,
            accept="Keep running",
            discard="Stop the run",
        )
        return False

    @pyqtSlot()
    def _on_workspace_closing(self) -> None:
        if self._stops and self.active is not None:
            self.active.stop_alone()
        self._leave_all()

    def _leave_all(self) -> None:
        seen.difference_update(each.run.path for each in self._followed if each.run is not None)
        for followed in self._followed:
            followed.leave()
        for followed in self._followed:
            followed.wait(1.0)

    @pyqtSlot()
    def _on_workspace_train_requested(self) -> None:
        self.start()

    @pyqtSlot(object)
    def _on_document_path_changed(self, _path: Path | None) -> None:
        if self.active is None:
            self.find_active_run()

    @pyqtSlot()
    def _on_document_replaced(self) -> None:
        """Another design is open: show none of the runs of the former one. A run that trains goes on unseen."""
        self.clear_overlays()
        self._show(None)
        self.find_active_run()

    def _on_active_run_found(self, run: RunFolder | None) -> None:
        if run is not None and (self.active is None or self.active.run == run):
            self.attach(run, display_name(run.path))

    def _on_overlay_read(self, path: Path, name: str, history: RunHistory) -> None:
        if path not in self._overlays_asked:
            return  # removed meanwhile
        self.overlays[path] = (name, history)
        asked = {each: place for place, each in enumerate(self._overlays_asked)}
        in_order = sorted(self.overlays.items(), key=lambda item: asked[item[0]])  # not in that in which they were read
        self.overlays.clear()
        self.overlays.update(in_order)
        self.overlays_changed.emit()

    @pyqtSlot()
    def _on_active_changed(self) -> None:
        self._tell_training()

    @pyqtSlot()
    def _on_active_ended(self) -> None:
        self.workspace.notice.emit(Notice("link_to_host"))
        followed = self._release_active()
        if followed is None or followed.run is None or followed.status is None:
            return
        self.workspace.run_ended.emit(followed.run.path)
        if followed.restarting and not isinstance(followed.status.final, Finished):
            self.resume(followed.run, followed.name)
            return
        self.workspace.status_message.emit(f"{followed.name}: {followed.status.text}")
        window = notify.window_of(self.workspace)
        if window is not None and QApplication.applicationState() != Qt.ApplicationActive:
            QApplication.alert(window)

    @pyqtSlot(object)
    def _on_active_failed(self, error: Exception) -> None:
        followed = self._release_active()
        if followed is not None and followed is self.shown:
            self._followed.remove(followed)
            self.shown = None
            self.shown_changed.emit()
        notify.failure(self.workspace, error, "The run could not be started")


def session_of(workspace: Workspace) -> TrainingSession:
    """Return the session of the workspace, made at the first call."""
    return workspace.part(TrainingSession)


def _noted(followed: FollowedRun) -> FollowedRun:
    """Return the run, which was started here, so that no window tells that it goes on."""
    followed.launched.connect(lambda: seen.add(followed.run.path) if followed.run is not None else None)
    return followed


def _leave(followed: list[FollowedRun]) -> None:
    for run in followed:
        run.leave()


def _on_application_about_to_quit() -> None:
    leave_all()
