"""The choice of a trained run of the open design and of one of its checkpoints, for generating and exporting."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, cast

from PyQt5.QtCore import pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.widgets.choice_box import SizedBox
from seqdec_gui.gui.workspace.launch import design_key, runs_places
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs import listing
from seqdec_gui.runs.folder import DesignKey, RunFolder
from seqdec_gui.runs.hosts import record
from seqdec_gui.runs.known import Places
from seqdec_gui.runs.notes import display_name
from seqdec_gui.runs.state import RunSummary
from seqdec_gui.runs.task_names import WeightsInUse, checkpoint_in, weights_in
from seqdec_gui.runs.tasks import CheckpointName

CHECKPOINTS: dict[CheckpointName, str] = {"best": "Best weights", "last": "Last weights"}
"""The words of the checkpoints, by their name."""
OTHERS: dict[WeightsInUse, WeightsInUse] = {"averaged": "trained", "trained": "averaged"}
"""The weights that a run does not use, by those that it uses."""


class TrainedRun(NamedTuple):
    """A run with weights, its checkpoints, and the name that the user gave it."""

    run: RunFolder
    summary: RunSummary
    checkpoints: tuple[CheckpointName, ...]
    name: str

    @property
    def words(self) -> str:
        """Return a line about the run: `roman · 14 Mar 09:12:00 · finished · epoch 20 · loss 0.31`."""
        loss = self.summary.best.get("val_loss", self.summary.metrics.get("loss"))
        figures = [self.name, self.summary.state, f"epoch {self.summary.epoch}"]
        return " · ".join(figures + ([f"loss {loss:.4g}"] if loss is not None else []))


def checkpoints_of(
    run: RunFolder, weights: WeightsInUse | None = None, there: tuple[str, ...] = ()
) -> tuple[CheckpointName, ...]:
    """Return the checkpoints whose weights exist, the best first.

    `weights` are those that the run uses of the two that it has kept; the others then follow by name. `there` are the
    checkpoints that the host of the run has, from which they are fetched.
    """
    names = tuple(name for name in CHECKPOINTS if name in there or any(run.checkpoints.glob(f"{name}*")))
    if weights is None:
        return names
    return (*names, *(cast(CheckpointName, f"{name}-{OTHERS[weights]}") for name in names))


def _there(run: RunFolder, summary: RunSummary) -> tuple[str, ...]:
    """Return the checkpoints that a run on a host has written, as its events say."""
    if not record.is_copy(run.path):
        return ()
    return tuple(name for name, epoch in (("best", summary.best_epoch), ("last", summary.last_epoch)) if epoch)


def checkpoint_words(name: CheckpointName, summary: RunSummary) -> str:
    """Return what a checkpoint is called, with its epoch if that is known: `Best weights · epoch 18`."""
    plain = checkpoint_in(name)
    epoch = summary.best_epoch if plain == "best" else summary.last_epoch
    words = CHECKPOINTS[cast(CheckpointName, plain)]
    if summary.weights is not None:
        words += f", {weights_in(name) or summary.weights}"
    return f"{words} · epoch {epoch}" if epoch else words


def trained_runs(design: DesignKey, places: Places, also: Path | None = None) -> list[TrainedRun]:
    """Return the design's runs with weights, the newest first. `also` is a chosen run to include, whatever its design is."""
    entries = [entry for entry in listing.shared().read(places, design) if entry.own and not entry.missing]
    runs = {entry.path: TrainedRun(RunFolder(entry.path), entry.summary, (), entry.name) for entry in entries}
    if also is not None and RunFolder(also).exists and RunFolder(also).path not in runs:
        run = RunFolder(also)
        runs[run.path] = TrainedRun(run, run.summary(), (), display_name(run.path))
    trained = [
        run._replace(checkpoints=checkpoints_of(run.run, run.summary.weights, _there(run.run, run.summary)))
        for run in runs.values()
    ]
    trained = [run for run in trained if run.checkpoints and run.summary.state != "unreadable"]
    return sorted(trained, key=lambda run: run.summary.created or 0.0, reverse=True)


class RunPicker(QWidget):
    """Combo boxes `<name>_run` and `<name>_checkpoint`.

    `refreshed` is emitted after every listing, `changed` after every other choice.
    """

    refreshed = pyqtSignal()
    changed = pyqtSignal()

    def __init__(self, workspace: Workspace, name: str, parent: QWidget | None = None, *, named_weights: bool = True) -> None:
        """`named_weights` says whether the weights that a run does not use can be chosen, where it keeps a moving average."""
        super().__init__(parent)
        self._named_weights = named_weights
        self._workspace = workspace
        self._listing: background.Operation | None = None
        self._wanted: Path | None = None
        self._ended: RunFolder | None = None
        self._by_hand = False
        self.listed = False
        self._runs = SizedBox(letters=0, name=f"{name}_run")
        self._runs.setAccessibleName("Trained run")
        self._runs.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Fixed)
        self._runs.currentIndexChanged.connect(self._on_runs_current_index_changed)
        self._runs.activated.connect(self._on_runs_activated)
        self._checkpoints = SizedBox(name=f"{name}_checkpoint")
        self._checkpoints.setAccessibleName("Which weights")
        self._checkpoints.currentIndexChanged.connect(self._on_checkpoints_current_index_changed)
        self._again = QToolButton(objectName=f"{name}_refresh", toolTip="Look for runs again")
        self._again.setAccessibleName("Look for runs again")
        self._again.clicked.connect(self.refresh)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * theme.SPACE)
        row.addWidget(self._runs, 1)
        row.addWidget(self._checkpoints)
        row.addWidget(self._again)
        workspace.run_ended.connect(self._on_workspace_run_ended)
        workspace.run_requested.connect(self._on_workspace_run_requested)
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def run(self) -> TrainedRun | None:
        chosen: TrainedRun | None = self._runs.currentData()
        return chosen

    @property
    def stem(self) -> str:
        """Return what files made from the chosen run are called: as its design is, or as the run of a design without a file."""
        chosen, document = self.run, self._workspace.document
        if chosen is None:
            return ""
        if not design_key(document).owns(chosen.run.path, chosen.summary.design_id, chosen.summary.design_path):
            return chosen.summary.design or chosen.run.name
        return chosen.run.name if document.path is None else document.path.stem

    @property
    def checkpoint(self) -> CheckpointName:
        return self._checkpoints.currentData() or "best"

    @pyqtSlot()
    def refresh(self) -> None:
        """List the runs of the open design again, in a thread. The chosen run stays chosen."""
        if self._listing is not None:
            self._listing.cancel()
        document = self._workspace.document
        design, path = design_key(document), document.path
        also = self._wanted or self._workspace.chosen_run
        self._listing = background.run(lambda: trained_runs(design, runs_places(path), also), self._on_listed, owner=self)

    def _on_listed(self, runs: list[TrainedRun]) -> None:
        self._listing = None
        self.listed = True
        chosen = self.run.run if self.run is not None else None
        if self._wanted is not None:
            chosen, self._wanted = RunFolder(self._wanted), None
        elif self._ended in [run.run for run in runs]:
            chosen = self._ended
        elif chosen is None and self._workspace.chosen_run is not None:
            chosen = RunFolder(self._workspace.chosen_run)
        self._ended = None
        self._runs.blockSignals(True)
        self._runs.clear()
        for run in runs:
            self._runs.addItem(run.words, run)
            self._runs.setItemData(self._runs.count() - 1, str(run.run.path), 3)  # Qt.ToolTipRole
        at = next((place for place, run in enumerate(runs) if run.run == chosen), 0)
        self._runs.setCurrentIndex(at if runs else -1)
        self._runs.blockSignals(False)
        self._show_checkpoints()
        self.refreshed.emit()

    def _show_checkpoints(self) -> None:
        before = self._checkpoints.currentData()
        self._checkpoints.blockSignals(True)
        self._checkpoints.clear()
        run = self.run
        if run is not None:
            for name in run.checkpoints if self._named_weights else checkpoints_of(run.run):
                self._checkpoints.addItem(checkpoint_words(name, run.summary), name)
        self._checkpoints.setCurrentIndex(max(0, self._checkpoints.findData(before)))
        self._checkpoints.blockSignals(False)

    @pyqtSlot(int)
    def _on_runs_current_index_changed(self, _index: int) -> None:
        self._show_checkpoints()
        self.changed.emit()

    @pyqtSlot(int)
    def _on_checkpoints_current_index_changed(self, _index: int) -> None:
        self.changed.emit()

    @pyqtSlot(int)
    def _on_runs_activated(self, _index: int) -> None:
        self._by_hand = True

    @pyqtSlot(Path)
    def _on_workspace_run_ended(self, run: Path) -> None:
        """List again, and choose the run that ended, unless another was chosen by hand or is in sight."""
        if not self._by_hand and not self.isVisible():
            self._ended = RunFolder(run)
        self.refresh()

    @pyqtSlot(Path)
    def _on_workspace_run_requested(self, run: Path) -> None:
        """List again, with this run: a listing that is under way knows nothing of it.

        The boxes may be hidden while their page is in front: it says that there is no run.
        """
        self._wanted = Path(run)
        self.refresh()

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self._again.setIcon(icon("refresh"))
