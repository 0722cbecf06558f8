"""Whatever the order of training, saving, renaming, closing and opening: every run of the design stays in its list."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise, product
from pathlib import Path

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QCheckBox, QLineEdit
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
        self._key(Qt.Key_S, Qt.ControlModifier)
        if first:
            name_file(self.qtbot, self._new_place())
        self.qtbot.waitUntil(lambda: self._file is not None)

    def save_as(self) -> None:
        """Save under another name, as the same design."""
        if self._file is None:
            self.save()
        place = self._new_place()
        self._key(Qt.Key_S, Qt.ControlModifier | Qt.ShiftModifier)
        self.qtbot.waitUntil(lambda: self.window.findChild(QCheckBox, "keep_runs") is not None)
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

    def tab(self) -> None:
        """Close the design with Ctrl+W, and open it again with Ctrl+Shift+T."""
        if self._file is not None:
            self._key(Qt.Key_W, Qt.ControlModifier)
            self.qtbot.waitUntil(lambda: self._file is None)
            self._key(Qt.Key_T, Qt.ControlModifier | Qt.ShiftModifier)
            self.qtbot.waitUntil(lambda: self._file is not None)

    def recent(self) -> None:
        """Close the window with Ctrl+Shift+W, and choose the design among the recent ones of a new window, by the keyboard."""
        if self._file is not None:
            place = self._file
            self._key(Qt.Key_W, Qt.ControlModifier | Qt.ShiftModifier)
            self.qtbot.waitUntil(lambda: not self.window.isVisible())
            self._open(None)
            self._key(Qt.Key_P, Qt.ControlModifier | Qt.ShiftModifier)
            self.qtbot.waitUntil(lambda: isinstance(QApplication.focusWidget(), QLineEdit))
            line = QApplication.focusWidget()
            QTest.keyClicks(line, f"{place.stem}  ({place.parent})")
            QTest.keyClick(line, Qt.Key_Return)
            self.qtbot.waitUntil(lambda: self._file == place)

    def close(self) -> None:
        """Close the window, and open the design again: from its file, or from one of its runs if it was never saved."""
        self._reopen(self._file)

    def _key(self, key: Qt.Key, modifiers: Qt.KeyboardModifiers) -> None:
        """Press a key in the window, which a dialog may have left without the keyboard."""
        QApplication.setActiveWindow(self.window)
        self.qtbot.waitUntil(self.window.isActiveWindow)
        QTest.keyClick(self.window.windowHandle(), key, modifiers)

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


def every_pair(steps: Sequence[str]) -> list[str]:
    """Return the shortest walk in which each of the steps comes right after each of them."""
    left = {step: list(steps) for step in steps}
    path, walk = [steps[0]], []
    while path:  # a circle through all pairs, by Hierholzer
        if left[path[-1]]:
            path.append(left[path[-1]].pop())
        else:
            walk.append(path.pop())
    return walk[::-1]


@pytest.mark.parametrize(
    "steps",
    [
        ["close", "train", "close", "train", "save", "move"],
        every_pair(("train", "save", "save_as", "rename", "tab", "recent")),
    ],
    ids=["unsaved", "every pair"],
)
def test_no_run_is_lost_whatever_the_order(qtbot: QtBot, opened: Opened, tmp_path: Path, steps: Sequence[str]) -> None:
    walk = Walk(qtbot, opened, tmp_path)
    for step in steps:
        getattr(walk, step)()
        walk.check()


def test_the_walk_has_every_order_of_two_steps() -> None:
    walk = every_pair("abc")
    assert len(walk) == 10
    assert {*pairwise(walk)} == {*product("abc", repeat=2)}
