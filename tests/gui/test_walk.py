"""The walk of a new user through the whole window: real mouse and key events, real training, a file that plain Keras opens.

Only object names and what the design view offers are used, as a script or another program would.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt5 import sip
from PyQt5.QtCore import QEvent, QPoint, Qt
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAction,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QScrollArea,
    QTreeWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.process import RunProcess
from tests.gui.conftest import name_file, press

ROWS, PARAMETERS = 320, 232_214
LONGEST_MS = 240_000
KINDS = ("vector", "token_sequence", "dense_states", "recurrent_decoder", "loss")
PLAIN_KERAS = """
import sys, keras, numpy as np
model = keras.models.load_model(sys.argv[1])
data = np.load(sys.argv[2])
p = model.predict([data["X"][:8], data["decoder_inputs"][:8]], verbose=0)
p = p[0] if isinstance(p, list) else p
assert p.shape == (8, 33, 22), p.shape
assert np.allclose(p.sum(-1), 1, atol=1e-5)
print(model.count_params())
"""


class User:
    """Hands and eyes of somebody before the window."""

    def __init__(self, window: MainWindow, qtbot: QtBot) -> None:
        self.window, self.qtbot = window, qtbot
        self.view = self.find("design_view")

    # -- finding
    def find(self, name: str, kind: type[Any] = QWidget, inside: QWidget | None = None) -> Any:
        found = [widget for widget in (inside or self.window).findChildren(kind, name) if _shown(widget)]
        assert len(found) == 1, f"{len(found)} of {name}"
        return found[0]

    def wait(self, condition: Any, timeout_ms: int = 15_000) -> None:
        self.qtbot.waitUntil(condition, timeout=timeout_ms)

    # -- mouse
    def move(self, to: QPoint, held: bool) -> None:
        """To a place in the window. QTest's own move carries no held button."""
        handle = self.window.windowHandle()
        buttons = Qt.LeftButton if held else Qt.NoButton
        moved = QMouseEvent(QEvent.MouseMove, to, handle.mapToGlobal(to), Qt.NoButton, buttons, Qt.NoModifier)
        QApplication.sendEvent(handle, moved)

    def drag(self, start: QPoint, end: QPoint, release: bool = True) -> None:
        self.move(start, held=False)
        QTest.mousePress(self.window.windowHandle(), Qt.LeftButton, Qt.NoModifier, start)
        for part in range(1, 9):
            self.move(start + (end - start) * part / 8, held=True)
        if release:
            self.drop(end)

    def drop(self, at: QPoint) -> None:
        QTest.mouseRelease(self.window.windowHandle(), Qt.LeftButton, Qt.NoModifier, at)

    def click(self, name: str) -> None:
        button = self.find(name, QAbstractButton)
        self.wait(button.isEnabled)
        press(button)

    def click_on_canvas(self, at: QPoint) -> None:
        QTest.mouseClick(self.window.windowHandle(), Qt.LeftButton, Qt.NoModifier, self.canvas(at))

    # -- keys
    def key(self, key: Qt.Key | str, modifiers: Qt.KeyboardModifiers = Qt.NoModifier) -> None:
        target = QApplication.activeModalWidget() or QApplication.activePopupWidget() or self.window
        handle = target.window().windowHandle()
        QTest.keyPress(handle, key, modifiers)
        if not sip.isdeleted(handle):  # the key may have closed a dialog
            QTest.keyRelease(handle, key, modifiers)

    def type(self, text: str) -> None:
        for letter in text:
            self.key(letter)

    def fill(self, name: str, text: str) -> None:
        """Click into a field, type over what stands there, and leave it with Tab."""
        press(self.find(name))
        self.key(Qt.Key_A, Qt.ControlModifier)
        self.type(text)
        self.key(Qt.Key_Tab)

    # -- canvas
    def canvas(self, at: QPoint) -> QPoint:
        """A place of the canvas in the window."""
        return self.view.viewport().mapTo(self.window, at)

    def port(self, name: str) -> QPoint:
        block, _, port = name.partition(".")
        return self.canvas(self.view.port_point(block, port))

    def place(self, kind: str, at: QPoint) -> str:
        """Drag a block in from the palette; the name that it was given."""
        before = set(self.view.block_ids())
        entry = self.find(f"palette_{kind}")
        area = entry.parent()
        while not isinstance(area, QScrollArea):
            area = area.parent()
        area.ensureWidgetVisible(entry)
        QApplication.processEvents()
        self.drag(entry.mapTo(self.window, entry.rect().center()), self.canvas(at))
        (new,) = set(self.view.block_ids()) - before
        return new

    def select(self, block: str) -> None:
        rect = self.view.block_rect(block)
        self.click_on_canvas(QPoint(rect.left() + rect.width() // 3, rect.top() + 8))
        self.wait(lambda: self.find("field_id").text() == block)

    def choose(self, name: str, text: str) -> None:
        """Choose an entry of a combo box with the keyboard."""
        combo = self.find(name, QComboBox)
        place = combo.findText(text)
        assert place >= 0, [combo.itemText(i) for i in range(combo.count())]
        press(combo)
        self.key(Qt.Key_Home)
        for _ in range(place):
            self.key(Qt.Key_Down)
        self.key(Qt.Key_Return)
        self.wait(lambda: combo.currentText() == text)

    def page(self, name: str) -> None:
        """Click a tab."""
        tabs = self.find("page_tabs")
        index = ("design", "code", "data", "train", "runs", "generate").index(name)
        QTest.mouseClick(
            self.window.windowHandle(), Qt.LeftButton, Qt.NoModifier, tabs.mapTo(self.window, tabs.tabRect(index).center())
        )
        self.wait(lambda: self.window.pages.current == name)

    def curves(self) -> dict[str, int]:
        """The number of points of every curve of the loss plot."""
        plot = self.find("loss_plot")
        items = [(item.name(), item.getData()[0]) for item in plot.listDataItems()]
        return {name: len(x) for name, x in items if name and x is not None}


def _shown(widget: Any) -> bool:
    return not isinstance(widget, QWidget) or widget.isVisible()


@pytest.fixture
def user(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> Iterator[User]:
    """Before a new window that has just opened, with runs kept in a folder of their own."""
    from seqdec_gui.gui.look import preferences

    preferences.settings().setValue("runs/folder", str(tmp_path / "runs"))
    QApplication.setActiveWindow(window)
    qtbot.waitUntil(window.isActiveWindow)
    user = User(window, qtbot)
    user.click("welcome_new")
    yield user
    parent = tmp_path / "runs"
    for run in map(RunFolder, parent.iterdir() if parent.is_dir() else ()):
        process = RunProcess(run)
        process.kill()
        process.wait(20)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """320 rows as an old script would have kept them: vectors, one-hot inputs and one-hot targets."""
    random = np.random.default_rng(4)
    path = tmp_path / "old.npz"
    np.savez(
        path,
        X=random.normal(size=(ROWS, 11)).astype(np.float32),
        decoder_inputs=np.eye(44, dtype=np.float32)[random.integers(0, 44, (ROWS, 33))],
        targets=np.eye(22, dtype=np.float32)[random.integers(0, 22, (ROWS, 33))],
    )
    return path


def build(user: User) -> None:
    """The five blocks, each where there is room, named as in every paper about them."""
    room = user.view.viewport().rect()
    places = [(0.16, 0.2), (0.16, 0.65), (0.42, 0.2), (0.64, 0.55), (0.86, 0.55)]
    names = ("latent", "decoder_inputs", "model_1", "model_2", "loss")
    for kind, (x, y), name in zip(KINDS, places, names, strict=True):
        given = user.place(kind, QPoint(int(x * room.width()), int(y * room.height())))
        user.wait(lambda given=given: user.find("field_id").text() == given)
        if given != name:
            user.fill("field_id", name)
    assert set(user.view.block_ids()) == set(names)
    user.window.findChild(QAction, "action_fit").trigger()


def type_the_hyperparameters(user: User) -> None:
    user.select("latent")
    user.fill("field_width", "11")
    user.select("decoder_inputs")
    user.fill("field_length", "33")
    user.fill("field_symbols", "44")
    user.select("model_1")
    user.fill("field_units", "128, 128")
    user.select("model_2")
    user.fill("field_units", "128, 128")
    user.fill("field_output_units", "22")


@pytest.mark.slow
def test_a_new_user_builds_trains_and_exports_the_archetype(user: User, data: Path, tmp_path: Path) -> None:
    build(user)
    type_the_hyperparameters(user)

    # Refused once: a vector is no pair of states.
    start, wrong = user.port("latent.output"), user.port("model_2.initial_states")
    user.drag(start, wrong, release=False)
    user.wait(lambda: "states" in user.find("verdict_tip").text())
    user.drop(wrong)
    assert not user.window.document.design.links
    # Drawn right, port to port.
    for source, target in (
        ("latent.output", "model_1.inputs"),
        ("decoder_inputs.output", "model_2.inputs"),
        ("model_1.states", "model_2.initial_states"),
        ("model_2.outputs", "loss.predictions"),
    ):
        user.drag(user.port(source), user.port(target))
    assert len(user.window.document.design.links) == 4
    assert user.window.document.report.inference.parameters == PARAMETERS
    assert any(f"{PARAMETERS:,}" in label.text() for label in user.window.findChildren(QLabel) if label.isVisible())

    # The data.
    user.page("data")
    user.click("open_first_data_button")
    name_file(user.qtbot, data)
    user.wait(lambda: user.window.findChild(QComboBox, "bind_latent_output") is not None)
    user.wait(lambda: user.find("bind_latent_output", QComboBox).findText("X") > 0)
    user.choose("bind_latent_output", "X")
    user.choose("bind_model_2_inputs", "decoder_inputs")
    user.choose("bind_loss_targets", "targets")
    train = user.find("train_button")
    user.wait(train.isEnabled)

    # Training on two virtual devices.
    user.click("device_picker")
    user.click("device_cpu_2")
    user.key(Qt.Key_Escape)
    user.wait(lambda: "2 CPU" in train.text())
    user.click("train_button")
    user.wait(lambda: user.curves().get("loss", 0) > 2, LONGEST_MS)
    user.click("stop_button")
    user.wait(lambda: user.window.workspace.training.phase is None, LONGEST_MS)
    (run,) = (RunFolder(path) for path in (tmp_path / "runs").iterdir())
    assert run.status().state in ("stopped", "finished")

    # Export, opened again by plain Keras.
    user.window.findChild(QAction, "action_export_h5").trigger()
    user.wait(lambda: user.find("export_button").isEnabled())
    target = tmp_path / "model.h5"
    user.fill("export_path", str(target))
    user.click("export_button")
    user.wait(lambda: user.find("export_status").property("role") in ("ok", "error"), LONGEST_MS)
    assert user.find("export_status").text().startswith("Exported"), user.find("export_status").text()
    user.click("export_cancel")
    opened = subprocess.run(
        [sys.executable, "-c", PLAIN_KERAS, str(target), str(data)], capture_output=True, text=True, timeout=240
    )
    assert opened.returncode == 0, opened.stderr[-2000:]
    assert opened.stdout.split()[-1] == str(PARAMETERS)


def test_the_stack_is_built_with_the_keyboard_alone(user: User) -> None:
    """Blocks from the palette's search, wires by the outline's *Connect to...*."""
    for words in ("vector", "token sequence", "dense to states", "recurrent decoder", "loss"):
        search = user.find("palette_search", QLineEdit)
        search.setFocus()
        search.selectAll()
        user.type(words)
        user.key(Qt.Key_Return)
    design = user.window.document.design
    assert [block.kind for block in design.blocks] == list(KINDS)
    names = [block.id for block in design.blocks]
    outline = user.find("outline", QTreeWidget)
    for source, target in ((0, f"{names[2]}.inputs"), (1, f"{names[3]}.inputs"), (2, "initial_states"), (3, "predictions")):
        outline.setFocus()
        item = outline.findItems(names[source], Qt.MatchStartsWith)[0]
        outline.setCurrentItem(item)
        user.key(Qt.Key_C)
        user.wait(lambda: QApplication.activeModalWidget() is not None)
        dialog = QApplication.activeModalWidget()
        assert dialog.objectName() == "connect_dialog"
        user.type(target)
        listed = dialog.findChild(QListWidget, "connect_targets")
        user.wait(lambda listed=listed: listed.currentItem() is not None)
        user.key(Qt.Key_Return)
        user.wait(lambda: QApplication.activeModalWidget() is None)
        QApplication.setActiveWindow(user.window)  # as a desktop does; offscreen nobody does
        user.wait(user.window.isActiveWindow)
    assert len(user.window.document.design.links) == 4
    for _ in range(user.window.document.undo_stack.count()):
        user.key(Qt.Key_Z, Qt.ControlModifier)
    assert not user.window.document.design.blocks
