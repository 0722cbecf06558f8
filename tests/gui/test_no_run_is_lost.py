"""Whatever the order of training, saving, renaming, closing and opening: every run of the design stays in its list."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAction, QApplication, QCheckBox, QLineEdit
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.resource_files import path as resource
from seqdec_gui.runs import folder
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.process import RunProcess
from tests.gui.conftest import name_file
from tests.gui.test_design_identity import CHILD, train

pytestmark = pytest.mark.slow

Opened = Callable[..., MainWindow]


@pytest.fixture(autouse=True)
def child(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let runs be children that finish at once."""
    monkeypatch.setattr("seqdec_gui.runs.engine_choice.missing", lambda *_: "")
    monkeypatch.setattr("seqdec_gui.runs.process.RUNNER", (sys.executable, str(CHILD), "finish"))
    yield
    parent = folder.default_parent(None)
    for path in parent.iterdir() if parent.is_dir() else ():
        RunProcess(RunFolder(path)).wait(10)


class Walk:
    """A user with one design, whose file lies in folders that change their names too."""

    def __init__(self, qtbot: QtBot, opened: Opened, home: Path) -> None:
        self.qtbot, self._opened, self._home = qtbot, opened, home
        self.window = opened()
        self.window.files.new_from(resource("examples/roman.seqdec"))
        self.runs: list[str] = []
        self._moves = 0

    @property
    def _file(self) -> Path | None:
        path: Path | None = self.window.document.path
        return path

    def train(self) -> None:
        """Click on Train."""
        self.runs.append(train(self.qtbot, self.window).name)

    def save(self) -> None:
        """Save; the first time under a name."""
        first = self._file is None
        self.window.findChild(QAction, "action_save").trigger()
        if first:
            name_file(self.qtbot, self._new_place())
        self.qtbot.waitUntil(lambda: self._file is not None)

    def save_as(self) -> None:
        """Save under another name, as the same design."""
        if self._file is None:
            self.save()
        place = self._new_place()
        self.window.findChild(QAction, "action_save_as").trigger()
        keep = self.window.findChild(QCheckBox, "keep_runs")
        QApplication.setActiveWindow(keep.window())
        QTest.mouseClick(keep, Qt.LeftButton, Qt.NoModifier, QPoint(10, keep.height() // 2))
        keep.window().findChild(QLineEdit, "fileNameEdit").setFocus()
        name_file(self.qtbot, place)
        self.qtbot.waitUntil(lambda: self._file == place)

    def rename(self) -> None:
        """Give the file another name while it is open, and save it there."""
        if self._file is not None:
            place = self._new_place()
            self._file.rename(place)
            self._reopen(place)

    def move(self) -> None:
        """Close the window, give the folder of the design another name, and open the design there."""
        if self._file is not None:
            old = self._file.parent
            new = old.with_name(f"moved{self._moves}")
            self._moves += 1
            name = self._file.name
            self._close()
            old.rename(new)
            self._open(new / name)

    def close(self) -> None:
        """Close the window, and open the design again: from its file, or from one of its runs if it was never saved."""
        self._reopen(self._file)

    def _reopen(self, path: Path | None) -> None:
        id = self.window.document.design.id
        self._close()
        self._open(path)
        if path is None and self.runs:
            run = next(entry for entry in self.all_runs() if entry.summary.design_id == id)
            self.window.workspace.design_as_it_was_requested.emit(run.path)
            self.qtbot.waitUntil(lambda: self.window.document.design.id == id, timeout=5_000)
        elif path is None:
            self.window.files.new_from(resource("examples/roman.seqdec"))

    def _close(self) -> None:
        self.window.document.undo_stack.setClean()
        self.window.close()
        self.qtbot.waitUntil(lambda: not self.window.isVisible())

    def _open(self, path: Path | None) -> None:
        self.window = self._opened(path)

    def _new_place(self) -> Path:
        self._moves += 1
        place = (self._home / "designs" if self._file is None else self._file.parent) / f"design{self._moves}.seqdec"
        place.parent.mkdir(exist_ok=True)
        return place

    def all_runs(self) -> list:
        """Every run that the Runs page shows, with those of this design marked."""
        self.window.pages.show_page("runs")
        page = self.window.pages.page("runs")
        page.tools.show_all_designs()
        self.qtbot.waitUntil(lambda: not page.reading and len(page.model.entries) >= len(self.runs), timeout=5_000)
        return list(page.model.entries)

    def check(self) -> None:
        """The list of the design has all of its runs and no other, and none is missing."""
        entries = self.all_runs()
        assert sorted(entry.path.name for entry in entries if entry.own) == sorted(self.runs)
        assert not any(entry.missing for entry in entries)


@pytest.mark.parametrize(
    "steps",
    [
        "train close train save move",
        "save train rename train save_as move train",
        "close save move train save_as rename close",
    ],
)
def test_no_run_is_lost_whatever_the_order(qtbot: QtBot, opened: Opened, tmp_path: Path, steps: str) -> None:
    walk = Walk(qtbot, opened, tmp_path)
    for step in steps.split():
        getattr(walk, step)()
        walk.check()
