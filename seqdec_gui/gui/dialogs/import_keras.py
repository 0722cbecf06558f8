"""The dialog that imports a model as a block: a Keras file, or a prior of REINVENT. A child process reads the file and runs no
code of it.

Object names: `import_dialog`, `import_status`, `import_progress`, `import_split`, `import_cancel`.
"""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import Qt, pyqtSlot
from PyQt5.QtWidgets import QCheckBox, QDialog, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.kinds.keras_model import SUFFIXES
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.gui.dialogs.split_model import split_model
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.tasks import notify
from seqdec_gui.gui.tasks.child_task import ChildTask, sentence_of
from seqdec_gui.gui.widgets.focus import KeepsFocus
from seqdec_gui.gui.workspace.workspace import Notice as WorkspaceNotice
from seqdec_gui.gui.workspace.workspace import PageName, Workspace
from seqdec_gui.runs import priors
from seqdec_gui.runs.imports import import_folder, with_keras_model
from seqdec_gui.runs.task_results import Inspected, PriorOpened
from seqdec_gui.runs.tasks import Cancelled, InspectTask, Notice, PriorTask

FILTER = f"Models ({' '.join(f'*{suffix}' for suffix in (*SUFFIXES, *priors.SUFFIXES))} *.json saved_model.pb)"
"""The filter of the file dialog for models."""
WEIGHTS_FILTER = "Weights (*.h5 *.hdf5 *.keras *.index)"
"""The filter of the file dialog for the weights of a model that is described without them."""


def import_keras(workspace: Workspace, path: Path | None = None) -> QDialog:
    """Import a Keras file as a block of the open design. Without `path` the file is asked for."""
    if path is None:

        def chosen(file: Path) -> None:
            _begin(workspace, file)

        return notify.choose_file(workspace, "Import Keras model", [FILTER], chosen)
    return _begin(workspace, path)


def _begin(workspace: Workspace, path: Path) -> QDialog:
    if path.suffix.lower() == ".json":  # it describes a model; its weights are in another file

        def chosen(weights: Path) -> None:
            _show(workspace, path, weights)

        return notify.choose_file(workspace, f"Weights of {path.name}", [WEIGHTS_FILTER], chosen)
    return _show(workspace, path)


def _show(workspace: Workspace, path: Path, weights: Path | None = None) -> QDialog:
    dialog = ImportDialog(workspace, Path(path).absolute(), notify.window_of(workspace), weights)
    dialog.start()
    return notify.present(dialog)


class ImportDialog(KeepsFocus, QDialog):
    """Shows that a file is being inspected, or why it cannot be imported. Adding the block can be undone.

    It stays open where the model is not quite what it was, to say so.
    """

    def __init__(self, workspace: Workspace, path: Path, parent: QWidget | None = None, weights: Path | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("import_dialog")
        self.setWindowTitle("Import Keras model")
        self._workspace = workspace
        self._path = path
        self._weights = weights
        self._notes: list[str] = []
        self.task = ChildTask(self)
        self._title = QLabel(f"Inspecting {path.name}")
        self._title.setProperty("role", "value")
        self._status = QLabel(objectName="import_status", wordWrap=True, textInteractionFlags=Qt.TextSelectableByMouse)
        self._status.setText("A process of its own opens the file; no code in it is run.")
        self._status.setProperty("role", "small")
        self._progress = QProgressBar(objectName="import_progress", textVisible=False)
        self._progress.setAccessibleName("Progress of the import")
        self._progress.setRange(0, 0)
        self._split = QCheckBox("Split it into its submodels afterwards", objectName="import_split")
        self._split.setToolTip(
            "Its parts become blocks: to edit and to train alone where a block kind makes the same, closed elsewhere"
        )
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
        layout.addWidget(self._split)
        layout.addStretch(1)
        layout.addLayout(row)
        self.setMinimumWidth(440)
        self.task.progressed.connect(self._on_task_progressed)
        self.task.returned.connect(self._on_task_returned)
        self.task.failed.connect(self._on_task_failed)

    def start(self) -> None:
        """Start inspecting the file."""
        folder = import_folder(self._path, self._folder)
        if priors.is_prior(self._path):
            self.task.start(PriorTask(path=str(self._path), folder=str(folder)))
            return
        weights = "" if self._weights is None else str(self._weights.absolute())
        self.task.start(InspectTask(path=str(self._path), weights=weights, folder=str(folder)))

    @property
    def _folder(self) -> Path | None:
        """The folder of the design; None if it has no file."""
        path = self._workspace.document.path
        return None if path is None else path.parent

    @pyqtSlot(object)
    def _on_task_progressed(self, event: object) -> None:
        if isinstance(event, Notice):
            self._notes.append(event.text)

    def reject(self) -> None:
        """End the child process and close. *Cancel*, Escape and the close button of the window end here."""
        self.task.cancel()
        super().reject()

    @pyqtSlot(object)
    def _on_task_returned(self, found: Inspected | PriorOpened) -> None:
        document = self._workspace.document
        if isinstance(found, PriorOpened):
            new, block_id = self._with_prior(found)
        else:
            new, block_id = with_keras_model(document.design, found, self._path, self._folder)
        document.edit(new, f"Import {self._path.name}", select=[block_id])
        self._workspace.status_message.emit(f"{self._path.name} is the block {block_id}: {found.parameters:,} parameters.")
        self._workspace.page_requested.emit(PageName.DESIGN)
        self._workspace.block_requested.emit(block_id)
        if isinstance(found, Inspected):
            self._offer_split(block_id, len(found.layers))
        if self._notes:
            self._progress.hide()
            self._split.hide()
            self._title.setText(f"{self._path.name} is the block {block_id}")
            polish(self._status, "role", "")
            self._status.setText("\n\n".join([*_about_keras2(found), *self._notes]))
            self._cancel.setText("Close")
        else:
            self.accept()

    def _offer_split(self, block_id: str, layers: int) -> None:
        """Split the block if that was asked for, or else offer it above the page."""
        workspace = self._workspace
        if self._split.isChecked():
            self.finished.connect(lambda _result: split_model(workspace, block_id))
        elif layers > 1:

            def split() -> None:
                workspace.notice.emit(WorkspaceNotice("split"))
                if workspace.document.design.has(block_id):
                    split_model(workspace, block_id)

            text = f"{block_id} is one block. It can be split into its submodels, to edit them and to train them alone."
            workspace.notice.emit(WorkspaceNotice("split", text, {"split": ("Split…", split)}))

    def _with_prior(self, opened: PriorOpened) -> tuple[Design, str]:
        """Return the design with a prior: the whole of it where nothing was on the canvas, else its decoder, and its id."""
        design = self._workspace.document.design
        if design.blocks:
            self._notes.append(
                "Its decoder was added without wires. On an empty canvas a prior comes with its tokens, their ids and a loss, "
                "so that it can be trained and handed back."
            )
            return priors.with_prior(design, opened, self._path, self._folder)
        made = priors.design_of_prior(opened, self._folder)
        data = design.data.with_bindings(made.data.bindings)
        return made.with_data(data).with_id(design.id), opened.block

    @pyqtSlot(object)
    def _on_task_failed(self, error: Exception) -> None:
        if not isinstance(error, SeqdecError):
            raise error
        if isinstance(error, Cancelled):
            return
        self._progress.hide()
        self._split.hide()
        self._title.setText(f"{self._path.name} was not imported")
        polish(self._status, "role", "error")
        self._status.setText(sentence_of(error))
        self._cancel.setText("Close")


def _about_keras2(inspected: Inspected | PriorOpened) -> list[str]:
    """Return what was done with a file of Keras 2: where it was written, and how it compares."""
    if isinstance(inspected, PriorOpened) or not inspected.file:
        return []
    lines = [f"It was written for Keras 3 as {inspected.file}."]
    if inspected.difference is not None:
        lines.append(f"Its predictions differ from those of Keras 2 by {inspected.difference:.1g} at most.")
    return lines
