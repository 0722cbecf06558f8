"""Has a worker warmed for what the user will probably do next: train where the design is worked on, a task on other pages."""

from __future__ import annotations

from PyQt5.QtCore import QObject, QTimer, pyqtSlot

from seqdec_gui.gui.tasks import warm_workers
from seqdec_gui.gui.window.page_stack import Pages
from seqdec_gui.gui.window.subscriptions import Subscriptions
from seqdec_gui.gui.workspace import launch
from seqdec_gui.gui.workspace.workspace import PageName, Workspace

SETTLE_MS = 1500
"""The time after the last change before a worker is started, in milliseconds."""
PAGES_OF_TASKS = (PageName.RUNS, PageName.GENERATE)
"""The pages from which tasks are started; from the others the design is trained."""


class Anticipation(QObject):
    """Follows the design in front, and asks for a worker once nothing has changed for a moment, if workers are kept at all."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace: Workspace | None = None
        self._pages: Pages | None = None
        self._changes = Subscriptions()
        self._timer = QTimer(self, interval=SETTLE_MS, singleShot=True)
        self._timer.timeout.connect(self._on_timer_timeout)

    def follow(self, workspace: Workspace, pages: Pages) -> None:
        """Follow this design from now on, and no other."""
        self._workspace, self._pages = workspace, pages
        self._changes.drop()
        devices = workspace.devices
        for change in (workspace.document.design_changed, devices.choice_changed, devices.devices_changed):
            self._changes.add(change, self._on_change)
        self._changes.add(workspace.training_changed, self._on_change)
        self._changes.add(pages.page_shown, self._on_change)
        self._on_change()

    @pyqtSlot()
    def _on_change(self, *_arguments: object) -> None:
        if warm_workers.current() is not None:
            self._timer.start()

    @pyqtSlot()
    def _on_timer_timeout(self) -> None:
        workspace, pages = self._workspace, self._pages
        if workspace is None or pages is None:
            return
        if pages.current in PAGES_OF_TASKS:
            warm_workers.expect_task(str(workspace.chosen_run or ""))
        elif workspace.document.design.blocks and workspace.devices.known and workspace.training.phase in (None, "paused"):
            wanted = launch.request(workspace)
            if wanted.host:  # nothing will be started here
                return
            warm_workers.expect(lambda: launch.environment(wanted))
