"""The dialog that imports a Keras file as a block. The file is inspected in a child process, which runs no code of it.

Object names: `import_dialog`, `import_status`, `import_progress`, `import_cancel`.
"""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import Qt, pyqtSlot
from PyQt5.QtWidgets import QDialog, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from seqdec_gui.domain.design import Block, Design
from seqdec_gui.domain.kinds.keras_model import SUFFIXES
from seqdec_gui.domain.names import usable_id
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.tasks import notify
from seqdec_gui.gui.tasks.child_task import ChildTask, sentence_of
from seqdec_gui.gui.widgets.focus import KeepsFocus
from seqdec_gui.gui.workspace.workspace import PageName, Workspace
from seqdec_gui.runs.imports import keras_model
from seqdec_gui.runs.tasks import Cancelled, Inspected, InspectTask

FILTER = f"Keras models ({' '.join(f'*{suffix}' for suffix in SUFFIXES)})"
"""The filter of the file dialog for Keras files."""
BLOCK_SPACING = 300.0
"""The horizontal distance from the rightmost block to an imported one, in scene units."""


def import_keras(workspace: Workspace, path: Path | None = None) -> QDialog:
    """Import a Keras file as a block of the open design. Without `path` the file is asked for."""
    if path is None:

        def chosen(file: Path) -> None:
            _begin(workspace, file)

        return notify.choose_file(workspace, "Import Keras model", [FILTER], chosen)
    return _begin(workspace, path)


def _begin(workspace: Workspace, path: Path) -> QDialog:
    dialog = ImportDialog(workspace, Path(path).absolute(), notify.window_of(workspace))
    dialog.start()
    return notify.present(dialog)


class ImportDialog(KeepsFocus, QDialog):
    """Shows that a file is being inspected, or why it cannot be imported. Adding the block can be undone."""

    def __init__(self, workspace: Workspace, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("import_dialog")
        self.setWindowTitle("Import Keras model")
        self._workspace = workspace
        self._path = path
        self.task = ChildTask(self)
        self._title = QLabel(f"Inspecting {path.name}")
        self._title.setProperty("role", "value")
        self._status = QLabel(objectName="import_status", wordWrap=True, textInteractionFlags=Qt.TextSelectableByMouse)
        self._status.setText("A process of its own opens the file; no code in it is run.")
        self._status.setProperty("role", "small")
        self._progress = QProgressBar(objectName="import_progress", textVisible=False)
        self._progress.setRange(0, 0)
        self._cancel = QPushButton("Cancel", objectName="import_cancel")
        self._cancel.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self._cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*4 * (5 * theme.SPACE,))
        layout.setSpacing(3 * theme.SPACE)
        layout.addWidget(self._title)
        layout.addWidget(self._status)
        layout.addWidget(self._progress)
        layout.addStretch(1)
        layout.addLayout(row)
        self.setMinimumWidth(440)
        self.task.returned.connect(self._on_task_returned)
        self.task.failed.connect(self._on_task_failed)

    def start(self) -> None:
        """Start inspecting the file."""
        self.task.start(InspectTask(path=str(self._path)))

    def reject(self) -> None:
        """End the child process and close. *Cancel*, Escape and the close button of the window end here."""
        self.task.cancel()
        super().reject()

    @pyqtSlot(object)
    def _on_task_returned(self, inspected: Inspected) -> None:
        document = self._workspace.document
        folder = None if document.path is None else document.path.parent
        new, block_id = with_keras_model(document.design, inspected, self._path, folder)
        document.edit(new, f"Import {self._path.name}", select=[block_id])
        self._workspace.status_message.emit(f"{self._path.name} is the block {block_id}: {inspected.parameters:,} parameters.")
        self.accept()
        self._workspace.page_requested.emit(PageName.DESIGN)
        self._workspace.block_requested.emit(block_id)

    @pyqtSlot(object)
    def _on_task_failed(self, error: Exception) -> None:
        if not isinstance(error, SeqdecError):
            raise error
        if isinstance(error, Cancelled):
            return
        self._progress.hide()
        self._title.setText(f"{self._path.name} was not imported")
        polish(self._status, "role", "error")
        self._status.setText(sentence_of(error))
        self._cancel.setText("Close")


def with_keras_model(design: Design, inspected: Inspected, path: Path, folder: Path | None) -> tuple[Design, str]:
    """Return the design with a block for the inspected file to the right of all others, and the id of that block."""
    file = path.relative_to(folder) if folder is not None and path.is_relative_to(folder) else path
    kind = keras_model(inspected, file.as_posix())
    block_id = design.free_id(usable_id(path.stem.lower(), "model"))
    across = max((block.position[0] for block in design.blocks), default=-BLOCK_SPACING) + BLOCK_SPACING
    down = min((block.position[1] for block in design.blocks), default=0.0)
    return design.with_block(Block(block_id, kind, (across, down))), block_id
