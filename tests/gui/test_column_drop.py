"""Columns dragged from the Data tab onto the ports of the Design tab, by real mouse events on the window handle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from PyQt5.QtCore import QEvent, QPoint, Qt
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QFrame, QLabel, QTreeWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.data import column_fit as dropping
from seqdec_gui.data.formats.base import Column
from seqdec_gui.domain import document as design_file
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.gui.pages.data import column_drag
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.resource_files import path as resource
from tests.gui.conftest import point_on
from tests.gui.trained_runs import example_in

pytestmark = pytest.mark.slow

Opened = Callable[..., MainWindow]


@pytest.fixture
def window(qtbot: QtBot, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    """The molecules with nothing bound, on the Data tab."""
    monkeypatch.setattr(column_drag, "REST_MS", 150)
    window = opened(example_in(tmp_path, "molecules", _unbound))
    window.pages.show_page("data")
    qtbot.waitUntil(lambda: columns(window).topLevelItemCount() == 3, timeout=10_000)
    return window


def _unbound(design: Design) -> Design:
    return design.with_data(msgspec.structs.replace(design.data, bindings=()))


def columns(window: MainWindow) -> QTreeWidget:
    found = window.findChild(QTreeWidget, "columns_list")
    assert found is not None
    return found


def bound(window: MainWindow) -> dict[str, tuple[str, ...]]:
    return {binding.port: binding.columns for binding in window.document.design.data.bindings}


def move(window: MainWindow, place: QPoint) -> None:
    """The mouse, its button held, is here (in the window's coordinates)."""
    handle = window.windowHandle()
    moved = QMouseEvent(QEvent.MouseMove, place, handle.mapToGlobal(place), Qt.NoButton, Qt.LeftButton, Qt.NoModifier)
    QApplication.sendEvent(handle, moved)


def take(qtbot: QtBot, window: MainWindow, *names: str) -> None:
    """Press on these columns and carry them over the tab of the design until it comes to the front."""
    tree = columns(window)
    tree.clearSelection()
    items = [tree.findItems(name, Qt.MatchExactly, 0)[0] for name in names]
    tree.setCurrentItem(items[-1])
    for item in items:
        item.setSelected(True)
    place = tree.viewport().mapTo(window, tree.visualItemRect(items[-1]).center())
    QTest.mousePress(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, place)
    tabs = window.pages.tabBar()
    tab = tabs.mapTo(window, tabs.tabRect(0).center())
    for part in range(1, 6):
        move(window, place + (tab - place) * part / 5)
    qtbot.waitUntil(lambda: window.pages.current == "design", timeout=3_000)


def port(window: MainWindow, block_id: str, name: str) -> QPoint:
    view = window.design_view
    return view.viewport().mapTo(window, view.port_point(block_id, name))


def body(window: MainWindow, block_id: str) -> QPoint:
    view = window.design_view
    return view.viewport().mapTo(window, view.block_rect(block_id).center())


def release(window: MainWindow, place: QPoint) -> None:
    move(window, place)
    QTest.mouseRelease(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, place)


def verdict(window: MainWindow) -> str:
    tip = window.design_view.overlays.verdict_tip
    return tip.text() if tip.isVisible() else ""


def glowing(window: MainWindow) -> set[str]:
    items = window.design_view.design_scene.blocks.values()
    return {str(end.port) for item in items for end, ok in (item.targets or {}).items() if ok}


def test_a_column_carried_to_the_design_tab_is_bound_where_it_is_dropped(qtbot: QtBot, window: MainWindow) -> None:
    take(qtbot, window, "smiles")
    move(window, body(window, "model_2"))
    assert glowing(window) == {"decoder_inputs.output", "model_2.inputs"}
    assert verdict(window) == "✓ Bind smiles to model_2.inputs. loss follows one step ahead."
    release(window, port(window, "model_2", "inputs"))
    assert bound(window) == {"model_2.inputs": ("smiles",)}
    assert window.document.undo_stack.undoText() == "Bind smiles to model_2.inputs"
    assert glowing(window) == set()
    assert not window.findChildren(QLabel, "dragged_columns") or not window.findChild(QLabel, "dragged_columns").isVisible()
    window.document.undo_stack.undo()
    assert bound(window) == {}


def test_a_column_that_does_not_fit_is_refused_with_the_reason(qtbot: QtBot, window: MainWindow) -> None:
    take(qtbot, window, "smiles")
    move(window, port(window, "descriptors", "output"))
    assert verdict(window).startswith("✗ smiles holds text, descriptors.output takes float32")
    release(window, port(window, "descriptors", "output"))
    assert bound(window) == {}
    bar = window.findChild(QFrame, "offer_bar")
    assert bar.isVisible()
    assert "choose numbers" in bar.findChild(QLabel, "offer_reason").text()


@pytest.mark.parametrize(
    ("block_id", "name", "words"),
    [("model_2", "initial_states", "is fed by model_1"), ("model_1", "", "takes no column")],
)
def test_wires_and_blocks_without_data_say_where_columns_go(
    qtbot: QtBot, window: MainWindow, block_id: str, name: str, words: str
) -> None:
    take(qtbot, window, "X")
    place = port(window, block_id, name) if name else body(window, block_id)
    if not name:  # the descriptors are the only data port of model_1; its middle means that
        window.document.edit(window.document.design.unlinked(window.document.design.links), "Unlink all")
        place = body(window, block_id)
    release(window, place)
    assert bound(window) == {}
    assert words in window.findChild(QLabel, "offer_reason").text()


def test_a_drop_on_the_empty_canvas_and_escape_do_nothing(qtbot: QtBot, window: MainWindow) -> None:
    before = window.document.design
    take(qtbot, window, "X")
    view = window.design_view
    move(window, body(window, "descriptors"))
    assert glowing(window) >= {"descriptors.output"}
    QTest.keyClick(window.windowHandle(), Qt.Key_Escape)
    assert glowing(window) == set()
    QTest.mouseRelease(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, body(window, "descriptors"))
    window.pages.show_page("data")
    take(qtbot, window, "X")
    release(window, view.viewport().mapTo(window, view.viewport().rect().bottomRight() - QPoint(4, 4)))
    assert window.document.design is before
    assert not window.findChild(QFrame, "offer_bar").isVisible()


def test_a_vector_is_dropped_on_its_block_and_replaces_what_was_bound(qtbot: QtBot, window: MainWindow) -> None:
    take(qtbot, window, "X")
    release(window, body(window, "descriptors"))
    assert bound(window) == {"descriptors.output": ("X",)}
    window.pages.show_page("data")
    take(qtbot, window, "X")
    move(window, body(window, "descriptors"))
    assert verdict(window) == "✓ Bind X to descriptors.output instead of X."
    QTest.keyClick(window.windowHandle(), Qt.Key_Escape)
    QTest.mouseRelease(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, body(window, "descriptors"))


def test_the_mouse_passes_a_tab_without_changing_it(window: MainWindow) -> None:
    tree = columns(window)
    place = tree.viewport().mapTo(window, tree.visualItemRect(tree.topLevelItem(0)).center())
    QTest.mousePress(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, place)
    tabs = window.pages.tabBar()
    move(window, tabs.mapTo(window, tabs.tabRect(0).center()))
    move(window, point_on(tree, window))
    QTest.qWait(2 * column_drag.REST_MS)
    assert window.pages.current == "data"
    QTest.mouseRelease(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, point_on(tree, window))


# -- what is offered, without a window
MOLECULES = design_file.load(resource("examples/molecules.seqdec"))


def column(kind: str, *shape: int) -> Column:
    return Column("c", kind, "", shape, 100)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "given", "ok", "words"),
    [
        ("descriptors", [column("array", 11)], True, "Bind c to descriptors.output"),
        ("descriptors", [column("array", 12)], True, "12 numbers a row, not 11"),
        ("descriptors", [column("array", 5, 11)], False, "number of axes differs"),
        ("descriptors", [column("number")], True, "1 number a row, not 11"),
        ("descriptors", [column("text")], False, "c holds text"),
        ("descriptors", [column("number")] * 11, True, "Bind 11 columns to descriptors.output"),
        ("descriptors", [column("number"), column("text")], False, "c holds other values"),
        ("decoder_inputs", [column("text")], True, "loss follows one step ahead"),
        ("decoder_inputs", [column("array", 44)], True, "Bind"),
        ("decoder_inputs", [column("array", 44, 22)], True, "Bind"),
        ("decoder_inputs", [column("array", 4, 44, 22)], False, "axes"),
        ("decoder_inputs", [column("number")], False, "one number a row"),
        ("decoder_inputs", [column("number")] * 2, False, "takes one column"),
    ],
)
def test_types_decide_what_may_be_dropped(name: str, given: list[Column], ok: bool, words: str) -> None:
    design = _unbound(MOLECULES)
    ports = data_ports(design)
    port = dropping.port_at(design, ports, name)
    assert port is not None
    found = dropping.offer(design, ports, port, given)
    assert found.ok == ok
    assert words in found.text


def test_targets_that_a_decoder_teaches_take_no_column_of_their_own() -> None:
    ports = data_ports(MOLECULES)
    port = dropping.port_at(MOLECULES, ports, "loss", "predictions")
    assert port is not None
    found = dropping.offer(MOLECULES, ports, port, [column("text")])
    assert not found.ok
    assert "one step ahead" in found.text
