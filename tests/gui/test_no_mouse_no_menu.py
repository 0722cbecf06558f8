"""The archetype twice: with the mouse, but without a menu or the list of a combo box; and with the keys alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import QEvent, QObject, Qt
from PyQt5.QtWidgets import QApplication, QComboBox, QListWidget, QMenu, QPushButton, QTableView, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.data.dataset import open_dataset
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.runs.folder import RunFolder
from tests.gui.conftest import name_file
from tests.gui.test_walk import KINDS, User, build, type_the_hyperparameters, user
from tests.gui.trained_runs import asked, child

__all__ = ["asked", "child", "user"]
RUN_CHILD = Path(__file__).with_name("training_child.py")
MOLECULES = "examples/data/molecules.npz"
WIRES = (
    ("latent.output", "model_1.inputs"),
    ("decoder_inputs.output", "model_2.inputs"),
    ("model_1.states", "model_2.initial_states"),
    ("model_2.outputs", "loss.predictions"),
)
BOUND = {"latent.output": ("X",), "model_2.inputs": ("smiles",)}
MOST_TABS = 150


class Watch(QObject):
    """Notes what kinds of things were shown or pressed in the program."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Show and isinstance(watched, QMenu):
            self.seen.append("menu")
        elif event.type() == QEvent.Show and isinstance(watched.parent(), QComboBox) and isinstance(watched, QWidget):
            if watched.isWindow():
                self.seen.append("list of a combo box")
        elif event.type() in (QEvent.MouseButtonPress, QEvent.MouseMove, QEvent.Wheel) and event.spontaneous():
            self.seen.append("mouse")
        return False


@pytest.fixture
def watch(qapp: QApplication) -> Iterator[Watch]:
    watch = Watch()
    qapp.installEventFilter(watch)
    yield watch
    qapp.removeEventFilter(watch)


def bound(user: User) -> dict[str, tuple[str, ...]]:
    return {binding.port: binding.columns for binding in user.window.document.design.data.bindings}


def bind(user: User, press: object) -> None:
    """Take the proposals for the molecules, and the repair of the decoder that they ask for. `press` presses a button."""
    for name in ("bind_all_button", "propose_model_2_inputs_0", "remedy_model_2_inputs_0"):
        user.wait(lambda name=name: any(button.isVisible() for button in user.window.findChildren(QPushButton, name)))
        press(name)  # type: ignore[operator]
    user.wait(lambda: user.window.workspace.checking.passed is not None)


def test_the_archetype_is_built_and_bound_by_mouse_without_a_menu_or_a_combo_box(user: User, watch: Watch) -> None:
    build(user)
    type_the_hyperparameters(user)
    for source, target in WIRES:
        user.drag(user.port(source), user.port(target))
    assert [(str(link.source), str(link.target)) for link in user.window.document.design.links] == list(WIRES)
    user.page("data")
    user.click("open_first_data_button")
    watch.seen.clear()  # the combo boxes of Qt's file dialog
    name_file(user.qtbot, resource_files.path(MOLECULES))
    bind(user, user.click)
    assert bound(user) == BOUND
    assert set(watch.seen) == {"mouse"}
    user.page("design")  # and the watch would have seen them
    box = next(box for box in user.window.findChildren(QComboBox) if box.isVisible() and box.count())
    box.showPopup()
    box.hidePopup()
    menu = QMenu(user.window)
    menu.popup(user.window.pos())
    menu.close()
    assert set(watch.seen) == {"mouse", "menu", "list of a combo box"}


class Typist(User):
    """Somebody without a mouse."""

    def tab_to(self, name: str) -> QWidget:
        """Press Tab until a control has the focus, as one does who knows where it is only by reading on."""
        for _ in range(MOST_TABS):
            at = self.window.focusWidget()
            if at is not None and at.objectName() == name:
                return at
            self.key(Qt.Key_Tab)
        raise AssertionError(f"Tab does not reach {name}")

    def press(self, name: str) -> None:
        button = self.tab_to(name)
        self.wait(button.isEnabled)
        self.key(Qt.Key_Space)

    def write(self, name: str, text: str) -> None:
        self.tab_to(name)
        self.key(Qt.Key_A, Qt.ControlModifier)
        self.type(text)
        self.key(Qt.Key_Tab)

    def go_to_block(self, name: str) -> None:
        """Choose a block in the outline."""
        outline = self.tab_to("outline")
        self.key(Qt.Key_Home)
        while not outline.currentItem().text(0).startswith(name):
            before = outline.currentItem()
            self.key(Qt.Key_Down)
            assert outline.currentItem() is not before, f"{name} is not in the outline"
        self.wait(lambda: self.find("field_id").text() == name)

    def back(self) -> None:
        """To the window, as a desktop goes when a dialog closes; a bare screen does not."""
        self.wait(lambda: QApplication.activeModalWidget() is None)
        QApplication.setActiveWindow(self.window)
        self.wait(self.window.isActiveWindow)


@pytest.mark.slow
def test_the_archetype_is_built_bound_trained_and_generates_by_key(
    user: User, qtbot: QtBot, watch: Watch, child: object, asked: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Training and generating are done by the stand-ins for their processes."""
    monkeypatch.setattr("seqdec_gui.runs.engine_choice.missing", lambda *_: "")
    monkeypatch.setattr("seqdec_gui.runs.process.RUNNER", (sys.executable, str(RUN_CHILD), "finish"))
    typist = Typist(user.window, qtbot)
    document = typist.window.document
    watch.seen.clear()
    # The blocks, by the search of the palette.
    for words in ("vector", "token sequence", "dense to states", "recurrent decoder", "loss"):
        typist.tab_to("palette_search")
        typist.key(Qt.Key_A, Qt.ControlModifier)
        typist.type(words)
        typist.key(Qt.Key_Return)
    assert tuple(block.kind for block in document.design.blocks) == KINDS
    names = ("latent", "decoder_inputs", "model_1", "model_2", "loss")
    fields = ({"width": "11"}, {"length": "33", "symbols": "44"}, {"units": "128, 128"}, {}, {})
    fields[3].update({"units": "128, 128", "output_units": "22"})
    for block, name, values in zip(list(document.design.blocks), names, fields, strict=True):
        typist.go_to_block(block.id)
        if block.id != name:
            typist.key(Qt.Key_F2)
            typist.key(Qt.Key_A, Qt.ControlModifier)
            typist.type(name)
            typist.key(Qt.Key_Return)
            typist.go_to_block(name)
        typist.key(Qt.Key_Return)  # to the fields of the block
        for field, value in values.items():
            typist.write(f"field_{field}", value)
    # The wires, by Connect to in the outline.
    for source, target in WIRES:
        typist.go_to_block(source.partition(".")[0])
        typist.key(Qt.Key_C)
        typist.wait(lambda: QApplication.activeModalWidget() is not None)
        typist.type(target)
        listed = QApplication.activeModalWidget().findChild(QListWidget, "connect_targets")
        typist.wait(lambda listed=listed: listed.currentItem() is not None)
        typist.key(Qt.Key_Return)
        typist.back()
    assert sorted((str(link.source), str(link.target)) for link in document.design.links) == sorted(WIRES)
    # The data.
    typist.key(Qt.Key_3, Qt.AltModifier)
    typist.wait(lambda: typist.window.pages.current == "data")
    typist.press("open_first_data_button")
    name_file(qtbot, resource_files.path(MOLECULES))
    typist.back()
    bind(typist, typist.press)
    assert bound(typist) == BOUND
    # A run, and a sequence of it.
    typist.key(Qt.Key_R, Qt.ControlModifier)
    typist.wait(lambda: typist.window.pages.current == "train")
    typist.wait(lambda: typist.curves().get("loss", 0) > 2)
    typist.wait(lambda: typist.window.workspace.training.phase is None)
    (run,) = (RunFolder(path) for path in (tmp_path / "runs").iterdir())
    open_dataset(document.design.data, data_ports(document.design), tmp_path).fitted.save(run.data)  # the stand-in has no data
    typist.key(Qt.Key_6, Qt.AltModifier)
    typist.wait(lambda: typist.window.pages.current == "generate")
    typist.wait(lambda: any(button.isVisible() for button in typist.window.findChildren(QPushButton, "generate_button")))
    typist.press("fill_row_button")
    typist.wait(typist.find("generate_button").isEnabled)
    typist.press("generate_button")
    results = typist.window.findChild(QTableView, "results_table")
    typist.wait(lambda: results.model().rowCount() > 0)
    assert asked()["type"] == "generate"  # type: ignore[operator]
    assert "mouse" not in watch.seen
