"""A key never presses a button that the focus slipped to, because the one before it was disabled or hidden."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QDialog, QHBoxLayout, QLineEdit, QMessageBox, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.domain import document as design_file
from seqdec_gui.gui.widgets.focus import KeepsFocus, follow_focus
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.training_session import session_of
from seqdec_gui.resource_files import path as resource
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.process import RunProcess

CHILD = Path(__file__).with_name("training_child.py")
Opened = Callable[..., MainWindow]


class Box(KeepsFocus, QDialog):
    """Three buttons and a field in a frame; it counts how often each button is pressed."""

    def __init__(self) -> None:
        super().__init__()
        self.frame = QWidget()
        row = QHBoxLayout(self.frame)
        self.first, self.second, self.third = (QPushButton(name, autoDefault=False) for name in ("1", "2", "3"))
        self.field = QLineEdit()
        self.pressed: list[str] = []
        for widget in (self.first, self.second, self.third, self.field):
            row.addWidget(widget)
        for button in (self.first, self.second, self.third):
            button.clicked.connect(lambda _checked, button=button: self.pressed.append(button.text()))
        QVBoxLayout(self).addWidget(self.frame)


@pytest.fixture
def box(qtbot: QtBot) -> Iterator[Box]:
    found = Box()
    found.open()
    qtbot.waitExposed(found)
    activate(qtbot, found)
    found.first.setFocus()
    yield found
    found.close()
    found.deleteLater()


def activate(qtbot: QtBot, window: QWidget) -> None:
    """Do what a desktop does with the window in front; a bare screen does not."""
    QApplication.setActiveWindow(window)
    qtbot.waitUntil(window.isActiveWindow)


def press(window: QWidget, key: Qt.Key) -> None:
    QTest.keyClick(window.windowHandle(), key)


@pytest.mark.parametrize("take_away", ["disable", "hide"])
@pytest.mark.parametrize("key", [Qt.Key_Space, Qt.Key_Return])
def test_a_key_after_a_button_was_taken_away_presses_no_neighbour(box: Box, take_away: str, key: Qt.Key) -> None:
    change = box.first.setEnabled if take_away == "disable" else box.first.setVisible
    box.first.clicked.connect(lambda: change(False))
    press(box, Qt.Key_Space)
    press(box, key)
    press(box, key)
    assert box.pressed == ["1"]
    change(True)
    assert box.first.hasFocus()


@pytest.mark.parametrize("key", [Qt.Key_Space, Qt.Key_Return])
def test_the_focus_goes_on_to_rest_where_its_resting_place_goes_away_too(box: Box, key: Qt.Key) -> None:
    """A button goes away with its click, and the line that it stood in a moment later."""
    line = QWidget()
    row = QHBoxLayout(line)
    inner = QPushButton("inner", autoDefault=False)
    row.addWidget(inner)
    box.frame.layout().insertWidget(0, line)
    line.show()
    inner.setFocus()
    inner.hide()
    line.hide()
    assert QApplication.focusWidget() not in (box.first, box.second, box.third, box.field)
    press(box, key)
    assert box.pressed == []


def test_tab_goes_on_from_where_the_button_was(box: Box) -> None:
    box.second.setFocus()
    box.second.setEnabled(False)
    assert not box.third.hasFocus()
    press(box, Qt.Key_Tab)
    assert QApplication.focusWidget() in (box.first, box.third)
    before = QApplication.focusWidget()
    box.second.setEnabled(True)
    assert QApplication.focusWidget() is before  # the user has moved it


def test_the_successor_has_the_focus_once_it_is_there(box: Box) -> None:
    box.third.hide()
    follow_focus(box.first, box.third)
    box.first.hide()
    box.third.show()
    assert box.third.hasFocus()
    box.first.show()
    assert box.third.hasFocus()


def test_typing_does_not_go_on_into_a_button(box: Box) -> None:
    box.field.setFocus()
    box.field.setEnabled(False)
    press(box, Qt.Key_Space)
    assert box.pressed == []


def test_a_window_that_is_not_active_keeps_its_focus_too(box: Box) -> None:
    other = QWidget()
    other.show()
    QApplication.setActiveWindow(other)
    box.first.setEnabled(False)
    QApplication.setActiveWindow(box)
    press(box, Qt.Key_Space)
    assert box.pressed == []
    other.close()


# -- the Train page
@pytest.fixture
def trained(qtbot: QtBot, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MainWindow]:
    """A window in which a run goes on."""
    monkeypatch.setattr("seqdec_gui.runs.engine_choice.missing", lambda *_: "")
    monkeypatch.setattr("seqdec_gui.runs.process.RUNNER", (sys.executable, str(CHILD), "obey"))
    file = tmp_path / "roman.seqdec"
    design_file.save(design_file.load(resource("examples/roman.seqdec")), file)
    shutil.copytree(resource("examples/data"), tmp_path / "data")
    window = opened(file)
    qtbot.waitUntil(window.train_button.isEnabled, timeout=10_000)
    window.train_button.setFocus()
    press(window, Qt.Key_Space)
    session = session_of(window.workspace)
    qtbot.waitUntil(lambda: session.active is not None and session.active.state == "running", timeout=15_000)
    activate(qtbot, window)
    yield window
    for run in (tmp_path / "runs").iterdir():
        process = RunProcess(RunFolder(run))
        process.kill()
        process.wait(10)


def button(window: MainWindow, name: str) -> QPushButton:
    found = window.findChild(QPushButton, name)
    assert found is not None
    return found


def test_space_after_pause_does_not_stop_the_run_and_then_continues_it(qtbot: QtBot, trained: MainWindow) -> None:
    pause, session = button(trained, "pause_button"), session_of(trained.workspace)
    pause.setFocus()
    press(trained, Qt.Key_Space)
    qtbot.waitUntil(lambda: not pause.isEnabled() or session.active.state == "paused", timeout=5_000)
    for _ in range(3):
        if not pause.isEnabled() and session.active is not None:  # it may be Continue already, which Space is meant for
            press(trained, Qt.Key_Space)
    qtbot.waitUntil(lambda: session.active is None, timeout=10_000)
    assert session.shown.state == "paused"
    go_on = button(trained, "resume_button")
    activate(qtbot, trained)
    qtbot.waitUntil(go_on.hasFocus, timeout=5_000)
    assert go_on.text() == "Continue"
    press(trained, Qt.Key_Space)
    qtbot.waitUntil(lambda: session.active is not None and session.active.state == "running", timeout=10_000)


def test_space_after_saving_the_weights_does_not_pause_the_run(qtbot: QtBot, trained: MainWindow) -> None:
    checkpoint, session = button(trained, "checkpoint_button"), session_of(trained.workspace)
    checkpoint.setFocus()
    press(trained, Qt.Key_Space)
    qtbot.waitUntil(lambda: not checkpoint.isEnabled() or len(session.active.history.answers) > 0, timeout=5_000)
    press(trained, Qt.Key_Space)
    qtbot.waitUntil(checkpoint.hasFocus, timeout=10_000)
    assert session.active.state == "running"


def question() -> QMessageBox:
    (found,) = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, QMessageBox) and widget.isVisible()]
    return found


def test_a_key_on_stop_asks_and_the_focus_then_goes_to_resume(qtbot: QtBot, trained: MainWindow) -> None:
    stop, session = button(trained, "stop_button"), session_of(trained.workspace)
    qtbot.waitUntil(lambda: session.active.history.saved is not None, timeout=15_000)  # or there is nothing to resume
    stop.setFocus()
    press(trained, Qt.Key_Space)
    with qtbot.waitSignal(question().finished):
        press(question(), Qt.Key_Space)  # the default is Cancel
    assert session.active.state == "running"
    activate(qtbot, trained)
    press(trained, Qt.Key_Return)
    QTest.mouseClick(question().findChild(QWidget, "answer_accept"), Qt.LeftButton)
    activate(qtbot, trained)
    qtbot.waitUntil(lambda: session.active is None, timeout=10_000)
    activate(qtbot, trained)
    qtbot.waitUntil(button(trained, "resume_button").hasFocus, timeout=5_000)


@pytest.mark.parametrize("holder", ["page_tabs", "design_view"])
def test_the_key_of_a_page_puts_the_focus_into_it(opened: Callable[..., MainWindow], holder: str) -> None:
    """From the tabs of the pages too, which have it where somebody walked there with Tab."""
    window = opened(resource("examples/roman.seqdec"))
    assert window.design_view.hasFocus()
    for place in (5, 0, 2, 4, 3, 1):
        window.findChild(QWidget, holder).setFocus()
        QTest.keyClick(window.windowHandle(), Qt.Key_1 + place, Qt.AltModifier)
        assert window.pages.currentIndex() == place
        assert window.pages.currentWidget().isAncestorOf(window.focusWidget())


def test_the_arrows_walk_along_the_tabs(opened: Callable[..., MainWindow]) -> None:
    window = opened(resource("examples/roman.seqdec"))
    bar = window.findChild(QWidget, "page_tabs")
    bar.setFocus()
    for place in (1, 2):
        QTest.keyClick(window.windowHandle(), Qt.Key_Right)
        assert window.pages.currentIndex() == place
        assert bar.hasFocus()
