"""What the modes of the Generate page have in common: rows go in, a task computes, a view shows what came out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from PyQt5.QtCore import pyqtSignal
from PyQt5.QtWidgets import QWidget

from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs.generate_inputs import Row, RunInputs, in_words
from seqdec_gui.runs.tasks import CheckpointName, SplitName


class Source(NamedTuple):
    """The rows of a task, one of these, or none for a run without inputs: values, a file, or a split of the run's data.

    `words` has a line about each row, as far as they are known here.
    """

    rows: tuple[Row, ...] = ()
    file: str = ""
    keep: tuple[str, ...] = ()
    split: SplitName | None = None
    words: tuple[str, ...] = ()


class Order(NamedTuple):
    """Where a task reads and writes: the run, which weights, a file that says what is fed, and a folder for its files."""

    inputs: RunInputs
    checkpoint: CheckpointName
    feed_map: str
    folder: Path


def fields_of_rows(source: Source, order: Order, name: str) -> dict[str, Any]:
    """Return the fields of a `RowsTask` that writes the file `name`."""
    return {
        "run": str(order.inputs.run.path), "output": str(order.folder / name), "input": source.file, "rows": source.rows,
        "split": source.split, "trained_on": order.inputs.trained_on if source.split else 0, "checkpoint": order.checkpoint,
        "keep": source.keep,
    }  # fmt: skip


class Mode(QWidget):
    """The view of one mode, on the right side of the page; `options` are its fields on the left side.

    `edited` is emitted when `fault` may have changed, `asked` to start a task that `next_task` then gives, `failed` with an
    error of its own.
    """

    edited = pyqtSignal()
    asked = pyqtSignal()
    failed = pyqtSignal(object)

    verb = ""
    """The text of the button, an imperative."""
    busy = ""
    """The text of the button while the task runs."""
    stale = ""
    """Why `next_task` may give none: what is shown is of another run, or of other weights."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.options: QWidget | None = None

    def show_run(self, inputs: RunInputs | None) -> None:
        """Show the fields for a run."""

    def keep_choice(self) -> None:
        """Keep what is chosen for this run."""

    def form_inputs(self, inputs: RunInputs) -> RunInputs:
        """Return the inputs whose values are typed or read in this mode."""
        return inputs

    def words(self, row: Row) -> str:
        """Return a row as a line of text, as it stands beside what comes out."""
        return in_words(row)

    def source_changed(self, source: str) -> None:
        """Note where rows come from: `typed`, `file`, `data` or `split`."""

    @property
    def fault(self) -> str:
        """Return why the task cannot be done as it is chosen; empty if it can."""
        return ""

    def task(self, source: Source, order: Order) -> Any:
        """Return the task to run. Raises InvalidInput."""
        raise NotImplementedError

    def next_task(self, order: Order) -> Any:
        """Return the task that was asked for; None if it is not wanted any more."""
        return None

    def read(self, result: Any) -> Any:
        """Read what a task has written, in a thread. Raises OSError, SeqdecError."""
        raise NotImplementedError

    def show_result(self, result: Any, content: Any, source: Source) -> None:
        """Show what `read` returned."""
        raise NotImplementedError
