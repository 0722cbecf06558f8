"""What the model attended to while it made the wrong sequence that is clicked."""

from __future__ import annotations

import tempfile
import weakref
from pathlib import Path

from PyQt5.QtCore import pyqtSlot
from PyQt5.QtGui import QShowEvent
from PyQt5.QtWidgets import QVBoxLayout, QWidget

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.tasks.child_task import ChildTask, sentence_of
from seqdec_gui.gui.widgets.attention.view import AttentionView
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs.attention import RowAttention, read_attention
from seqdec_gui.runs.quality.errors import WrongRow
from seqdec_gui.runs.task_results import Attended
from seqdec_gui.runs.tasks import AttentionTask, Cancelled, SplitName

WAITING = "Computing…"


class AttentionTab(QWidget):
    """The attention of one row of a run's data, computed by a child once the tab is seen."""

    def __init__(self, workspace: Workspace, run: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run = run
        self._row: WrongRow | None = None
        self._shown: WrongRow | None = None
        self._split: SplitName = "validation"
        self._trained_on = 0
        self._scratch = tempfile.TemporaryDirectory(prefix="seqdec-gui-attention-")
        weakref.finalize(self, self._scratch.cleanup)
        self.view = AttentionView(workspace)
        self.task = ChildTask(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)
        self.task.returned.connect(self._on_task_returned)
        self.task.failed.connect(self._on_task_failed)
        self.task.finished.connect(self._ask)

    def show_row(self, row: WrongRow | None, split: SplitName, trained_on: int) -> None:
        """Show the attention of this row's generated sequence; None: nothing."""
        self._row, self._split, self._trained_on = row, split, trained_on
        if row is None:
            self.view.show_attention(None)
        self._ask()

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        self._ask()

    @pyqtSlot()
    def _ask(self) -> None:
        row = self._row
        if row is None or row == self._shown or self.task.running or not self.isVisible():
            return
        self._shown = row
        self.view.show_attention(None, WAITING)
        output = str(Path(self._scratch.name) / f"row_{row.row}.json")
        given = ((row.row, row.generated),)
        self.task.start(
            AttentionTask(
                run=str(self._run), output=output, split=self._split, trained_on=self._trained_on, given=given
            )
        )  # fmt: skip

    @pyqtSlot(object)
    def _on_task_returned(self, result: Attended) -> None:
        of = self._shown
        background.run(lambda: read_attention(Path(result.path)), lambda found: self._on_read(of, found), owner=self)

    def _on_read(self, of: WrongRow | None, found: tuple[RowAttention, ...]) -> None:
        if of == self._row:
            self.view.show_attention(found[0] if found else None, "" if found else "The sequence could not be read.")

    @pyqtSlot(object)
    def _on_task_failed(self, error: Exception) -> None:
        if not isinstance(error, SeqdecError):
            raise error
        if not isinstance(error, Cancelled):
            self.view.show_attention(None, sentence_of(error))
