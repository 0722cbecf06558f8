"""The way back to the curves of a design that was trained before, on the Train page that shows no run."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QPushButton

from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.workspace.launch import design_key, runs_places
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs import listing
from seqdec_gui.runs.folder import DesignKey
from seqdec_gui.runs.known import Places


class LastRunButton(QPushButton):
    """Offers the design's newest run; hidden until `look` has found one."""

    looked = pyqtSignal(bool)  # whether the design has a run
    chosen = pyqtSignal(Path)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__("Show the last run", objectName="show_last_run")
        self.setProperty("kind", "flat")
        self.setToolTip("Show the curves of the newest run of this design")
        self._workspace = workspace
        self._newest: Path | None = None
        self.clicked.connect(self._on_clicked)
        self.hide()

    def look(self) -> None:
        """Look in a thread for the newest run."""
        key, places = design_key(self._workspace.document), runs_places(self._workspace.document.path)
        background.run(lambda: newest_run(key, places), self._on_listed, owner=self)

    @pyqtSlot(object)
    def _on_listed(self, newest: Path | None) -> None:
        self._newest = newest
        self.setVisible(newest is not None)
        self.looked.emit(newest is not None)

    @pyqtSlot()
    def _on_clicked(self) -> None:
        if self._newest is not None:
            self.chosen.emit(self._newest)


def newest_run(design: DesignKey, places: Places) -> Path | None:
    """Return the folder of the newest run of a design that can be read, None without one."""
    entries = [entry for entry in listing.shared().read(places, design) if entry.own and not entry.missing]
    readable = [entry for entry in entries if entry.summary.state != "unreadable"]
    newest = max(readable, key=lambda entry: entry.summary.created or 0.0, default=None)
    return None if newest is None else newest.path
