"""Opens the design of a run, as it was trained or as it is now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.workspace.files import DesignFiles
from seqdec_gui.gui.workspace.run_design import RunDesign, read

Then = Callable[[], None]


def open_as_it_was(files: DesignFiles, run: Path, then: Callable[[str], None]) -> None:
    """Open the design of a run as it was trained, as one without a file. `then` gets a sentence about it."""
    _read(files, run, lambda found: files.new(found.design, lambda: then(found.sentence), found.title))


def open_as_it_is(files: DesignFiles, run: Path, then: Then) -> None:
    """Open the file of a run's design or, if there is none any more, the design as it was trained."""

    def open_it(found: RunDesign) -> None:
        if found.file is not None:
            files.open(found.file, then)
        else:
            files.new(found.design, then, found.title)

    _read(files, run, open_it)


def _read(files: DesignFiles, run: Path, done: Callable[[RunDesign], None]) -> None:
    def fail(error: Exception) -> None:
        notify.failure(files, error, "The design of the run cannot be opened")

    background.run(lambda: read(run), done, fail, files)
