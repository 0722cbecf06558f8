"""The dialog that divides an imported model into its submodels. A child process compares them with the block kinds.

Object names: `split_dialog`, `split_status`, `split_progress`, `split_cancel`.
"""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import Qt, pyqtSlot
from PyQt5.QtWidgets import QDialog, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.tasks import notify
from seqdec_gui.gui.tasks.child_task import ChildTask, sentence_of
from seqdec_gui.gui.widgets.focus import KeepsFocus
from seqdec_gui.gui.workspace.workspace import PageName, Workspace
from seqdec_gui.runs.imports import import_folder
from seqdec_gui.runs.splitting import outcome, split_task, with_divided
from seqdec_gui.runs.task_results import Divided
from seqdec_gui.runs.tasks import Cancelled


def split_model(workspace: Workspace, block_id: str) -> None:
    """Divide the imported block, in one step that can be undone. A block that cannot be divided says why."""
    try:
        dialog = SplitDialog(workspace, block_id, notify.window_of(workspace))
        dialog.start()
    except InvalidInput as error:
        notify.failure(workspace, error, f"{block_id} was not split")
        return
    notify.present(dialog)


class SplitDialog(KeepsFocus, QDialog):
    """Shows that a model is being divided, then what it has become: which parts are editable, which stay closed, and why."""

    def __init__(self, workspace: Workspace, block_id: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("split_dialog")
        self.setWindowTitle("Split into submodels")
        self._workspace = workspace
        self._block_id = block_id
        self._design: Design = workspace.document.design
        self.task = ChildTask(self)
        self._title = QLabel(f"Splitting {block_id}")
        self._title.setProperty("role", "value")
        self._status = QLabel(objectName="split_status", wordWrap=True, textInteractionFlags=Qt.TextSelectableByMouse)
        self._status.setText(
            "A process of its own finds the parts of the model, and replaces those by blocks that predict exactly the same."
        )
        self._status.setProperty("role", "small")
        self._progress = QProgressBar(objectName="split_progress", textVisible=False)
        self._progress.setAccessibleName("Progress of the split")
        self._progress.setRange(0, 0)
        self._cancel = QPushButton("Cancel", objectName="split_cancel")
        self._cancel.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self._cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*4 * (5 * theme.SPACE,))
        layout.setSpacing(3 * theme.SPACE)
        for widget in (self._title, self._status, self._progress):
            layout.addWidget(widget)
        layout.addStretch(1)
        layout.addLayout(row)
        self.setMinimumWidth(480)
        self.task.returned.connect(self._on_task_returned)
        self.task.failed.connect(self._on_task_failed)

    @property
    def _folder(self) -> Path | None:
        """The folder of the design; None if it has no file."""
        path = self._workspace.document.path
        return None if path is None else path.parent

    def start(self) -> None:
        """Start dividing. Raises InvalidInput where the block is no imported one."""
        folder = self._workspace.folder
        task = split_task(self._design, self._block_id, folder, folder)
        self.task.start(split_task(self._design, self._block_id, folder, import_folder(Path(task.path), self._folder)))

    def reject(self) -> None:
        """End the child process and close. *Cancel*, Escape and the close button of the window end here."""
        self.task.cancel()
        super().reject()

    @pyqtSlot(object)
    def _on_task_returned(self, divided: Divided) -> None:
        document = self._workspace.document
        before = document.design
        same = (
            before.has(self._block_id)
            and before.block(self._block_id).parameters == self._design.block(self._block_id).parameters
        )
        taken = {block.id for block in before.blocks} - {self._block_id}
        if not same or taken & {block["id"] for block in divided.design["blocks"]}:
            self._say(f"{self._block_id} was not split", "The design has changed meanwhile. Split it again.", "error")
            return
        new, blocks = with_divided(before, self._block_id, divided, self._folder)
        document.edit(new, f"Split {self._block_id}", select=blocks)
        self._workspace.page_requested.emit(PageName.DESIGN)
        self._workspace.whole_design_requested.emit()
        self._workspace.status_message.emit(f"{self._block_id} is {', '.join(blocks)} now.")
        self._say(f"{self._block_id} is {len(blocks)} blocks now", outcome(new, blocks, divided), "")

    @pyqtSlot(object)
    def _on_task_failed(self, error: Exception) -> None:
        if not isinstance(error, SeqdecError):
            raise error
        if not isinstance(error, Cancelled):
            self._say(f"{self._block_id} was not split", sentence_of(error), "error")

    def _say(self, title: str, text: str, role: str) -> None:
        self._progress.hide()
        self._title.setText(title)
        polish(self._status, "role", role)
        self._status.setText(text.replace("\n", "\n\n"))
        self._cancel.setText("Close")
        self.adjustSize()
