"""Opens the designs of runs, as they were trained or as they are now, when a page asks for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import QTimer

from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.window.design_tabs import DesignTabs
from seqdec_gui.gui.workspace.workspace import Notice, PageName, Workspace
from seqdec_gui.runs.run_design import RunDesign, read

Then = Callable[[], None]


def open_designs_of_runs(workspace: Workspace, designs: Callable[[], DesignTabs], opened: Then) -> None:
    """Obey the wishes of a tab for designs of runs, which are opened in `designs()`; `opened` is called afterwards."""

    def as_it_was(run: Path) -> None:
        def open_it(found: RunDesign) -> None:
            def then() -> None:
                opened()
                designs().current.workspace.notice.emit(Notice("as_it_was", found.sentence))

            designs().new(found.design, then, found.title)

        _read(workspace, run, open_it)

    def as_it_is(run: Path) -> None:
        """Open the file of the design or, if there is none any more, the design as it was trained; and show the curves."""

        def open_it(found: RunDesign) -> None:
            if found.file is not None:
                designs().open(found.file, opened)
            else:
                designs().new(found.design, opened, found.title)
            QTimer.singleShot(0, lambda: show_curves(found))  # a tab of an earlier session shows its design first

        def show_curves(found: RunDesign) -> None:
            current = designs().current
            if current.document.path == found.file:
                current.workspace.page_requested.emit(PageName.TRAIN)

        _read(workspace, run, open_it)

    workspace.design_as_it_was_requested.connect(as_it_was)
    workspace.design_of_run_requested.connect(as_it_is)


def show_all_runs(workspace: Workspace, state: str = "") -> None:
    """Show the runs of all designs on the Runs page, or those in this state."""
    workspace.page_requested.emit(PageName.RUNS)  # which then exists, and hears the next
    workspace.all_runs_requested.emit(state)


def _read(workspace: Workspace, run: Path, done: Callable[[RunDesign], None]) -> None:
    def fail(error: Exception) -> None:
        notify.failure(workspace, error, "The design of the run cannot be opened")

    background.run(lambda: read(run), done, fail, workspace)
