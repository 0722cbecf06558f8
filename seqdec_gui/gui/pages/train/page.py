"""The Train page: the curves of one run, while it trains or afterwards from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt, pyqtSlot
from PyQt5.QtGui import QShowEvent
from PyQt5.QtWidgets import QFrame, QPushButton, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from seqdec_gui.gui.dialogs.begin_from_weights import ask_what_to_keep
from seqdec_gui.gui.pages.train.batch_button import BatchButton
from seqdec_gui.gui.pages.train.board import Board
from seqdec_gui.gui.pages.train.header import Header
from seqdec_gui.gui.pages.train.last_run import LastRunButton
from seqdec_gui.gui.pages.train.outcome import Outcome
from seqdec_gui.gui.pages.train.run_log import LogPanel
from seqdec_gui.gui.pages.train.samples_panel import SamplesPanel
from seqdec_gui.gui.widgets.empty_state import EmptyState
from seqdec_gui.gui.workspace.readiness import readiness
from seqdec_gui.gui.workspace.training_session import FollowedRun, session_of
from seqdec_gui.gui.workspace.workspace import PageName, Workspace
from seqdec_gui.runs.folder import RunFolder

if TYPE_CHECKING:
    from seqdec_gui.gui.pages.train.scaling.panel import AdvisorPanel


class TrainingPage(QWidget):
    """Shows the run of the session. Without a run it shows a sentence and a button that starts the first one."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "page")
        self.setAttribute(Qt.WA_StyledBackground)
        self._workspace = workspace
        self._session = session_of(workspace)
        self._followed: FollowedRun | None = None
        self.empty = EmptyState("chart-line", "Nothing trained yet", "", "Train")
        self.empty.button.setObjectName("start_training")
        self.empty.button.clicked.connect(self._on_empty_button_clicked)
        self.measure_button = QPushButton("Measure these devices", objectName="measure_first")
        self.measure_button.setProperty("kind", "flat")
        self.measure_button.setToolTip("Measure how fast this design trains on one and on all of the chosen devices")
        self.measure_button.clicked.connect(self.show_advisor)
        self.empty.add_button(self.measure_button)
        self.active_button = QPushButton("Show the run that is training", objectName="show_active_run")
        self.active_button.setProperty("kind", "flat")
        self.active_button.setToolTip("It is a run of another design")
        self.active_button.clicked.connect(self._session.show_active)
        self.active_button.hide()
        self.empty.add_button(self.active_button)
        self.last_run_button = LastRunButton(workspace)
        self.empty.add_button(self.last_run_button)
        self.advisor: AdvisorPanel | None = None
        self.header = Header(self._session)
        self.outcome = Outcome(BatchButton(workspace))
        self.board = Board(self._session)
        self.samples = SamplesPanel()
        self.log = LogPanel(self)
        self.log.hide()  # until the window gives it a place
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        run = QWidget()
        self._stack.addWidget(run)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        self._arrange(run)
        self._connect()
        self._on_session_shown_changed()
        self._show_readiness()

    def _arrange(self, run: QWidget) -> None:
        """Put the parts into their places, from the outermost inwards: what is moved with its contents is styled once more."""
        line = QFrame()
        line.setProperty("role", "line")
        layout = QVBoxLayout(run)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self.outcome)
        layout.addWidget(line)
        beside = QSplitter(Qt.Horizontal, objectName="plots_and_samples")
        beside.setHandleWidth(1)
        layout.addWidget(beside, 1)
        for place, (widget, stretch) in enumerate(((self.board, 3), (self.samples, 1))):
            beside.addWidget(widget)
            beside.setStretchFactor(place, stretch)
        beside.setCollapsible(0, False)
        beside.setSizes([900, 380])

    def _connect(self) -> None:
        session, workspace = self._session, self._workspace
        session.shown_changed.connect(self._on_session_shown_changed)
        session.active_changed.connect(self._on_session_active_changed)
        workspace.run_requested.connect(self._on_workspace_run_requested)
        workspace.advice_requested.connect(self.show_advisor)
        workspace.document.design_changed.connect(self._show_readiness)
        workspace.devices.devices_changed.connect(self._show_readiness)
        workspace.devices.choice_changed.connect(self._show_readiness)
        workspace.training_changed.connect(self._show_readiness)
        workspace.checking.changed.connect(self._show_readiness)
        self.last_run_button.looked.connect(self._on_last_run_button_looked)
        self.last_run_button.chosen.connect(self._on_workspace_run_requested)
        self.header.resume_requested.connect(self._on_header_resume_requested)
        self.header.continue_requested.connect(self._on_header_continue_requested)
        self.header.back_requested.connect(session.show_active)
        self.board.fork_requested.connect(self._fork)
        self.outcome.generate_requested.connect(self._on_outcome_generate_requested)
        self.outcome.export_requested.connect(self._on_outcome_export_requested)

    @pyqtSlot()
    def show_advisor(self) -> None:
        """Show the speed of the chosen devices, or how to measure it."""
        if self.advisor is None:
            from seqdec_gui.gui.pages.train.scaling.panel import AdvisorPanel

            self.advisor = AdvisorPanel(self._workspace)
            self.advisor.closed.connect(self._show_run)
            self._stack.addWidget(self.advisor)
        self._stack.setCurrentWidget(self.advisor)
        self.advisor.measure_button.setFocus()

    # -- the run shown
    @pyqtSlot()
    def _on_session_shown_changed(self) -> None:
        if self._followed is not None:
            self._followed.changed.disconnect(self._on_followed_changed)
            self._followed.ended.disconnect(self._on_followed_ended)
        self._followed = followed = self._session.shown
        self._show_run()
        self.header.show_run(followed)
        self.log.show_run(followed)
        self.board.show_history(followed.history if followed else None)
        self._show_samples()
        self.outcome.hide()
        if followed is not None:
            followed.changed.connect(self._on_followed_changed)
            followed.ended.connect(self._on_followed_ended)
            if followed.status is not None:
                self._on_followed_ended()

    @pyqtSlot()
    def _show_run(self) -> None:
        """Show the run instead of the advisor; without a run, how to start the first one."""
        self._stack.setCurrentIndex(0 if self._followed is None else 1)
        if self._followed is None and self.isVisible():
            self.last_run_button.look()

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        if self._followed is None:
            self.last_run_button.look()

    @pyqtSlot(bool)
    def _on_last_run_button_looked(self, has_run: bool) -> None:
        self.empty.heading.setText("No run is shown" if has_run else "Nothing trained yet")

    def _show_samples(self) -> None:
        followed = self._followed
        self.samples.show_file(followed.run.samples if followed is not None and followed.run is not None else None)

    @pyqtSlot()
    def _on_followed_changed(self) -> None:
        self.board.ask_redraw()
        if self.samples.file is None:
            self._show_samples()
        self.samples.refresh()
        self.log.refresh()
        self.header.refresh()

    @pyqtSlot()
    def _on_followed_ended(self) -> None:
        followed = self._followed
        if followed is None:
            return
        self.outcome.show_status(followed.status, followed.history, followed.run)
        self.board.ask_redraw()
        self.samples.refresh()
        self.header.refresh()

    @pyqtSlot()
    def _on_session_active_changed(self) -> None:
        self.active_button.setVisible(self._session.active is not None)
        self.header.refresh()

    @pyqtSlot(Path)
    def _on_workspace_run_requested(self, path: Path) -> None:
        if self.isVisible():
            self._session.show(RunFolder(path))

    # -- starting
    @pyqtSlot()
    def _show_readiness(self, *_changes: object) -> None:
        state = readiness(self._workspace)
        if state.ready:
            self.empty.words.setText("The curves of loss and metrics appear here while the design trains.")
            self.empty.button.setText(state.text)
            return
        self.empty.words.setText(state.reason)
        self.empty.button.setText(f"Go to the {state.page.title()} tab")

    @pyqtSlot()
    def _on_empty_button_clicked(self) -> None:
        state = readiness(self._workspace)
        if state.ready:
            self._workspace.train_requested.emit()
        else:
            self._workspace.page_requested.emit(state.page)

    @pyqtSlot()
    def _on_header_resume_requested(self) -> None:
        if self._followed is not None and self._followed.alive and self._followed.history.silent:
            self._followed.restart()
        elif self._followed is not None and self._followed.run is not None:
            self._session.resume(self._followed.run, self._followed.name)

    @pyqtSlot(str)
    def _on_header_continue_requested(self, checkpoint: str) -> None:
        if self._followed is None or self._followed.run is None:
            return
        if checkpoint == "fork":
            self._fork()
        elif checkpoint == "choose":
            ask_what_to_keep(self._session, self._followed.run.path, self._followed.name)
        else:
            self._session.start(self._followed.run.path, "last" if checkpoint == "last" else "best")

    @pyqtSlot(float)
    def _fork(self, step: float | None = None) -> None:
        """Ask for the settings of a run that goes on from a checkpoint of the run shown."""
        if self._followed is not None and self._followed.run is not None:
            from seqdec_gui.gui.dialogs.fork_run import open_fork

            open_fork(self._workspace, self._followed.run.path, step)

    # -- actions on a trained run
    @pyqtSlot()
    def _on_outcome_generate_requested(self) -> None:
        self._go_to(PageName.GENERATE)

    @pyqtSlot()
    def _on_outcome_export_requested(self) -> None:
        if self._followed is not None and self._followed.run is not None:
            from seqdec_gui.gui.dialogs.export import open_export_of

            open_export_of(self._workspace, self._followed.run.path)

    def _go_to(self, page: PageName) -> None:
        if self._followed is not None and self._followed.run is not None:
            self._workspace.page_requested.emit(page)
            self._workspace.run_requested.emit(self._followed.run.path)
