"""Opens the designs of runs, as they were trained or as they are now, when a page asks for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.workspace.files import DesignFiles
from seqdec_gui.gui.workspace.workspace import Notice, PageName, Workspace
from seqdec_gui.runs.run_design import RunDesign, read

Then = Callable[[], None]


def open_designs_of_runs(workspace: Workspace, files: DesignFiles, opened: Then) -> None:
    """Obey the wishes for designs of runs; `opened` is called when one of them has been opened."""

    def as_it_was(run: Path) -> None:
        def open_it(found: RunDesign) -> None:
            def then() -> None:
                opened()
                workspace.notice.emit(Notice("as_it_was", found.sentence))

            files.new(found.design, then, found.title)

        _read(files, run, open_it)

    def as_it_is(run: Path) -> None:
        """Open the file of the design or, if there is none any more, the design as it was trained; and show the curves."""

        def then() -> None:
            opened()
            workspace.page_requested.emit(PageName.TRAIN)

        def open_it(found: RunDesign) -> None:
            if found.file is not None:
                files.open(found.file, then)
            else:
                files.new(found.design, then, found.title)

        _read(files, run, open_it)

    workspace.design_as_it_was_requested.connect(as_it_was)
    workspace.design_of_run_requested.connect(as_it_is)


def show_all_runs(workspace: Workspace, state: str = "") -> None:
    """Show the runs of all designs on the Runs page, or those in this state."""
    workspace.page_requested.emit(PageName.RUNS)  # which then exists, and hears the next
    workspace.all_runs_requested.emit(state)


def _read(files: DesignFiles, run: Path, done: Callable[[RunDesign], None]) -> None:
    def fail(error: Exception) -> None:
        notify.failure(files, error, "The design of the run cannot be opened")

    background.run(lambda: read(run), done, fail, files)
