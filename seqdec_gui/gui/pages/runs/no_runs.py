"""The contents of the Runs page while the design has no runs."""

from __future__ import annotations

from PyQt5.QtCore import pyqtSlot
from PyQt5.QtWidgets import QPushButton, QWidget

from seqdec_gui.gui.widgets.empty_state import EmptyState
from seqdec_gui.gui.workspace.readiness import readiness
from seqdec_gui.gui.workspace.workspace import PageName, Workspace

MAX_NAME_LENGTH = 48
"""The number of characters up to which a name is shown in full."""


def shortened(name: str) -> str:
    """Return a name short enough for one line: `a very long …end of it`."""
    half = MAX_NAME_LENGTH // 2
    return name if len(name) <= MAX_NAME_LENGTH else f"{name[:half]}…{name[-half:]}"


class NoRuns(EmptyState):
    """The button `start_first_run` starts training; `show_other_runs` is visible if other designs have runs."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        text = "Every training of this design is kept here, with its settings, curves and weights."
        super().__init__("history", "No runs yet", text, "Train", parent)
        self._workspace = workspace
        self.button.setObjectName("start_first_run")
        self.button.clicked.connect(self._on_button_clicked)
        self.others = QPushButton("Show the runs of all designs", objectName="show_other_runs")
        self.others.setProperty("kind", "flat")
        self.others.hide()
        self.add_button(self.others)
        workspace.checking.changed.connect(self.show_readiness)

    def show_others(self, there: bool) -> None:
        """Set whether other designs have runs."""
        self.heading.setText(f"No runs of {shortened(self._workspace.document.name)} yet" if there else "No runs yet")
        self.others.setVisible(there)

    @pyqtSlot()
    def show_readiness(self) -> None:
        """Show what the button would do, or why it is disabled."""
        state = readiness(self._workspace)
        self.button.setText(state.text)
        self.button.setEnabled(state.ready)
        self.button.setToolTip(state.reason)

    @pyqtSlot()
    def _on_button_clicked(self) -> None:
        self._workspace.page_requested.emit(PageName.TRAIN)
        self._workspace.train_requested.emit()
