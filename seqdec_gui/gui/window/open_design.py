"""One of the open designs as the bar of tabs knows it: its name, its file and its state, whether its tab is built or not."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal, pyqtSlot

from seqdec_gui.gui.window.design_tab import DesignTab


class OpenDesign(QObject):
    """A design in the bar. One of an earlier session is read, and its tab built, when it is first shown (`tab` is None)."""

    changed = pyqtSignal()

    def __init__(self, path: Path | None, tab: DesignTab | None, parent: QObject) -> None:
        super().__init__(parent)
        self._path = path
        self.tab: DesignTab | None = None
        if tab is not None:
            self.build(tab)

    def build(self, tab: DesignTab) -> None:
        """Take the tab that shows the design from now on."""
        self.tab = tab
        document = tab.document
        for signal in (document.path_changed, document.clean_changed, tab.workspace.training_changed):
            signal.connect(self.changed)
        document.undo_stack.indexChanged.connect(self.changed)
        document.destroyed.connect(self._on_document_destroyed)

    @pyqtSlot()
    def _on_document_destroyed(self) -> None:
        self.blockSignals(True)  # its undo steps are dropped after it

    @property
    def path(self) -> Path | None:
        return self._path if self.tab is None else self.tab.document.path

    @property
    def name(self) -> str:
        """Return the design's name."""
        if self.tab is None:
            return self._path.stem if self._path is not None else ""
        return self.tab.document.name

    @property
    def clean(self) -> bool:
        """Return whether the design has no unsaved changes."""
        return self.tab is None or self.tab.document.clean

    @property
    def training(self) -> bool:
        """Return whether a run of the design trains."""
        return self.tab is not None and self.tab.workspace.training.running

    def shows(self, path: Path) -> bool:
        """Return whether this is the design in a file."""
        mine = self.path
        if mine is None:
            return False
        try:
            return mine == path or mine.resolve() == path.resolve() or mine.samefile(path)
        except OSError:
            return False
