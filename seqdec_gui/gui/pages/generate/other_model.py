"""The choice of a second model to score the same sequences: the run that training began with, others, or any folder."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.widgets.run_picker import trained_runs
from seqdec_gui.gui.workspace.launch import design_key, runs_places
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.notes import display_name

NONE = "no other model"


class OtherModel(QWidget):
    """Combo box `score_against`, and the button `choose_score_against` for another folder. `edited` after each choice."""

    edited = pyqtSignal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._run: RunFolder | None = None
        title = QLabel("Compare with")
        title.setProperty("role", "section")
        self._models = QComboBox(objectName="score_against")
        self._models.setAccessibleName("Compare with")
        self._models.setToolTip("A second model that scores the same sequences: the prior that a run was tuned from")
        self._models.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Fixed)
        self._models.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self._models.addItem(NONE, "")
        self._models.currentIndexChanged.connect(self._on_models_current_index_changed)
        choose = QPushButton("Choose…", objectName="choose_score_against")
        choose.setToolTip("Choose the folder of any other run")
        choose.clicked.connect(self._on_choose_clicked)
        row = QHBoxLayout()
        row.setSpacing(2 * theme.SPACE)
        row.addWidget(self._models, 1)
        row.addWidget(choose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * theme.SPACE)
        layout.addWidget(title)
        layout.addLayout(row)

    @property
    def path(self) -> str:
        """The run to compare with; empty for none."""
        return str(self._models.currentData() or "")

    @property
    def name(self) -> str:
        """What the run to compare with is called."""
        return display_name(Path(self.path)) if self.path else ""

    def show_run(self, run: RunFolder | None) -> None:
        """Offer the run that this one began with, and the others of the design, once they are listed."""
        self._run = run
        if run is None:
            return
        document = self._workspace.document
        design, place = design_key(document), runs_places(document.path)

        def find() -> list[tuple[str, str]]:
            began = run.read_spec().initial_run
            found = [(f"{display_name(Path(began))} (training began with it)", began)] if began else []
            others = trained_runs(design, place)
            return found + [(other.words, str(other.run.path)) for other in others if other.run != run]

        background.run(find, lambda models: self._offer(run, models), self._on_failed, self)

    def _offer(self, run: RunFolder, models: list[tuple[str, str]]) -> None:
        if run != self._run:
            return
        before = self.path
        self._models.blockSignals(True)
        self._models.clear()
        self._models.addItem(NONE, "")
        for words, path in models:
            if self._models.findData(path) < 0 and Path(path).is_dir():
                self._models.addItem(words, path)
        self._models.setCurrentIndex(max(0, self._models.findData(before)))
        self._models.blockSignals(False)
        self.edited.emit()

    def choose(self, path: Path) -> None:
        """Choose a run by its folder."""
        if not RunFolder(path).exists:
            notify.message(self, "No run", f"{path} is no folder of a run; expected one with a trained model.")
            return
        place = self._models.findData(str(path))
        if place < 0:
            self._models.addItem(display_name(path), str(path))
            place = self._models.count() - 1
        self._models.setCurrentIndex(place)

    def _on_failed(self, error: Exception) -> None:
        if not isinstance(error, SeqdecError | OSError):
            raise error  # a run that cannot be read is offered no others

    @pyqtSlot(int)
    def _on_models_current_index_changed(self, _index: int) -> None:
        self.edited.emit()

    @pyqtSlot()
    def _on_choose_clicked(self) -> None:
        notify.choose_folder(self, "The run to compare with", self.choose)
