"""The Train button. Its text says what a click does; if it is disabled, its tooltip says why."""

from __future__ import annotations

from PyQt5.QtCore import QSize, QTimer, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QPushButton, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.window.subscriptions import Subscriptions
from seqdec_gui.gui.workspace.readiness import Readiness, readiness
from seqdec_gui.gui.workspace.workspace import Workspace


class TrainButton(QPushButton):
    """The button that starts training. `readiness_changed` is emitted with its state whenever that may have changed.

    Object name `train_button`.
    """

    readiness_changed = pyqtSignal(Readiness)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("train_button")
        self.setProperty("kind", "primary")
        self.setIconSize(QSize(18, 18))
        self.setMinimumWidth(160)
        self._subscriptions = Subscriptions()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.refresh)
        theme.notifier.changed.connect(self._ask)
        self.follow(workspace)

    def follow(self, workspace: Workspace) -> None:
        """Train another design from now on."""
        self._workspace = workspace
        self._subscriptions.drop()
        devices = workspace.devices
        self._subscriptions.add(workspace.document.design_changed, lambda _old, _new: self._timer.start(0))
        for signal in (workspace.training_changed, devices.devices_changed, devices.choice_changed, workspace.checking.changed):
            self._subscriptions.add(signal, self._ask)
        self.refresh()

    @pyqtSlot()
    def _ask(self) -> None:
        """Refresh once, after all consequences of a change have been handled."""
        self._timer.start(0)

    @pyqtSlot()
    def refresh(self) -> None:
        """Show what can be done now."""
        state = readiness(self._workspace)
        self.setText(state.text)
        self.setEnabled(state.ready)
        note = f"\n{state.note}" if state.note else ""
        self.setToolTip(state.reason or f"{state.text} (Ctrl+R){note}")
        self.setAccessibleDescription(state.reason or state.note)
        look = theme.current()
        self.setIcon(icon("play", look.accent_text if state.ready else look.text_disabled))
        self.readiness_changed.emit(state)
