"""Has a worker warmed for what the user will probably do next: train where the design is worked on, a task on other pages."""

from __future__ import annotations

from PyQt5.QtCore import QObject, QTimer, pyqtSlot

from seqdec_gui.gui.tasks import warm_workers
from seqdec_gui.gui.workspace import launch
from seqdec_gui.gui.workspace.workspace import PageName, Workspace

SETTLE_MS = 1500
"""The time after the last change before a worker is started, in milliseconds."""
PAGES_OF_TASKS = (PageName.RUNS, PageName.GENERATE)
"""The pages from which tasks are started; from the others the design is trained."""


class Anticipation(QObject):
    """Follows the window, and asks for a worker once nothing has changed for a moment. Idle where no workers are kept."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self._page: str = PageName.DESIGN
        self._timer = QTimer(self, interval=SETTLE_MS, singleShot=True)
        self._timer.timeout.connect(self._on_timer_timeout)
        changes = (workspace.document.design_changed, workspace.devices.choice_changed, workspace.devices.devices_changed)
        for change in (*changes, workspace.training_changed):
            change.connect(self._on_change)

    @pyqtSlot(str)
    def show_page(self, name: str) -> None:
        """Take note of the page that is shown now."""
        self._page = name
        self._on_change()

    @pyqtSlot()
    def _on_change(self, *_arguments: object) -> None:
        if warm_workers.current() is not None:
            self._timer.start()

    @pyqtSlot()
    def _on_timer_timeout(self) -> None:
        workspace = self._workspace
        if self._page in PAGES_OF_TASKS:
            warm_workers.expect_task(str(workspace.chosen_run or ""))
        elif workspace.document.design.blocks and workspace.devices.known and not workspace.training.running:
            wanted = launch.request(workspace)
            warm_workers.expect(lambda: launch.environment(wanted))
