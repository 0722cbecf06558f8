"""What one part of the window asks of another: the canvas of the inspector and the welcome page, the palette of the import."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt, QUrl
from PyQt5.QtGui import QKeySequence, QMouseEvent, QNativeGestureEvent, QTextBlock, QTextFormat
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAction, QApplication, QDialog, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.gui.dialogs.guide import GuideText, GuideWindow
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.widgets.elided_label import ElidedLabel
from seqdec_gui.gui.window.main_window import MainWindow
from tests.gui.conftest import press

Find = Callable[..., Any]
Opened = Callable[..., MainWindow]


@pytest.fixture
def archetype(opened: Opened) -> MainWindow:
    return opened(resource_files.path("templates/latent-to-sequence.seqdec"))


def test_enter_on_a_block_puts_the_cursor_into_its_first_field(archetype: MainWindow, qtbot: QtBot) -> None:
    QApplication.setActiveWindow(archetype)
    qtbot.waitUntil(archetype.isActiveWindow)
    view = archetype.design_view
    place = view.viewport().mapTo(archetype, view.block_rect("model_2").center())
    QTest.mouseClick(archetype.windowHandle(), Qt.LeftButton, Qt.NoModifier, place)
    qtbot.waitUntil(view.hasFocus)
    QTest.keyClick(archetype.windowHandle(), Qt.Key_Return)
    first = next(iter(archetype.inspector._forms["block"].rows.values())).editor.input
    qtbot.waitUntil(lambda: QApplication.focusWidget() is first)
    QTest.keyClick(archetype.windowHandle(), Qt.Key_Tab)
    assert QApplication.focusWidget() is not first
    assert archetype.inspector.isAncestorOf(QApplication.focusWidget())


def test_an_empty_canvas_offers_the_templates_again(window: MainWindow, find: Find, qtbot: QtBot) -> None:
    find(QAction, "action_new").trigger()
    assert not window.welcome.isVisible()
    button = find(QPushButton, "empty_state_templates")
    assert button.isVisible()
    press(button)
    assert window.welcome.isVisible()
    press(find(QWidget, "template_latent-to-sequence"))
    assert len(window.document.design.blocks) == 5
    assert not window.welcome.isVisible()


def test_a_long_sentence_of_the_status_bar_ends_in_dots_before_the_totals(archetype: MainWindow) -> None:
    archetype.workspace.status_message.emit("Expected states, got a vector. " * 9)
    bar, totals = archetype.statusBar(), archetype.statusBar().findChild(QWidget, "totals")
    assert bar.currentMessage().endswith("…")
    assert bar.fontMetrics().horizontalAdvance(bar.currentMessage()) < totals.x()
    archetype.workspace.status_message.emit("Undone.")
    assert bar.currentMessage() == "Undone."
    bar.clearMessage()


def test_a_long_name_of_a_design_pushes_nothing_out_of_the_window(opened: Opened, tmp_path: Path, qtbot: QtBot) -> None:
    name = "a design whose file has a name " * 5
    path = tmp_path / f"{name.strip()}.seqdec"
    path.write_bytes(resource_files.path("templates/latent-to-sequence.seqdec").read_bytes())
    window = opened(path)
    window.document.select([])
    form, place = window.inspector.findChild(QWidget, "field_epochs"), window.inspector.mapToGlobal(QPoint(0, 0))
    assert window.inspector.findChild(ElidedLabel, "design_name").toolTip() == path.stem
    assert form.mapToGlobal(form.rect().topRight()).x() < place.x() + window.inspector.width()
    runs = window.pages.page("runs")
    runs.empty.show_others(True)
    runs.tools.set_count(2, 2, path.stem)
    window.pages.show_page("runs")
    qtbot.waitUntil(lambda: not background.busy())
    assert window.minimumSizeHint().width() <= 1280
    assert window.width() == 1280


def dialog_of(window: MainWindow, qtbot: QtBot) -> QDialog:
    qtbot.waitUntil(lambda: window.findChild(QDialog, "file_dialog") is not None, timeout=5_000)
    return window.findChild(QDialog, "file_dialog")


@pytest.mark.parametrize("how", ["double click", "enter", "search"])
def test_the_keras_model_of_the_palette_asks_for_its_file(archetype: MainWindow, qtbot: QtBot, how: str) -> None:
    find = archetype.findChild
    entry, before = find(QWidget, "palette_keras_model"), archetype.document.design
    if how == "search":
        line = find(QLineEdit, "palette_search")
        line.setFocus()
        QTest.keyClicks(line, "keras model")
        QTest.keyClick(line, Qt.Key_Return)
    elif how == "enter":
        entry.setFocus()
        QTest.keyClick(entry, Qt.Key_Return)
    else:
        find(QLineEdit, "palette_search").setText("keras model")  # the list is scrolled otherwise
        QApplication.processEvents()
        place = entry.mapTo(archetype, entry.rect().center())
        QTest.mouseDClick(archetype.windowHandle(), Qt.LeftButton, Qt.NoModifier, place)
    dialog = dialog_of(archetype, qtbot)
    assert "Keras" in dialog.windowTitle()
    dialog.reject()
    assert archetype.document.design is before


@pytest.mark.parametrize("inside", [True, False])
def test_a_keras_model_dragged_onto_the_canvas_asks_for_its_file(archetype: MainWindow, qtbot: QtBot, inside: bool) -> None:
    archetype.findChild(QLineEdit, "palette_search").setText("keras model")
    QApplication.processEvents()
    entry, handle = archetype.findChild(QWidget, "palette_keras_model"), archetype.windowHandle()
    start = entry.mapTo(archetype, entry.rect().center())
    view = archetype.design_view.viewport()
    end = view.mapTo(archetype, view.rect().center()) if inside else start + QPoint(0, 60)
    QTest.mousePress(handle, Qt.LeftButton, Qt.NoModifier, start)
    for part in range(1, 5):
        place = start + (end - start) * part / 4
        moved = QMouseEvent(QEvent.MouseMove, place, handle.mapToGlobal(place), Qt.NoButton, Qt.LeftButton, Qt.NoModifier)
        QApplication.sendEvent(handle, moved)
    QTest.mouseRelease(handle, Qt.LeftButton, Qt.NoModifier, end)
    assert len(archetype.document.design.blocks) == 5
    if inside:
        dialog_of(archetype, qtbot).reject()
    else:
        assert archetype.findChild(QDialog, "file_dialog") is None


def test_two_fingers_on_a_touchpad_zoom_about_their_middle(archetype: MainWindow) -> None:
    view = archetype.design_view
    at = QPointF(view.viewport().rect().center()) + QPointF(60, -40)
    on_window = QPointF(view.viewport().mapTo(archetype, at.toPoint()))
    on_screen = QPointF(view.viewport().mapToGlobal(at.toPoint()))
    zoom, before = view.zoom, view.mapToScene(at.toPoint())
    for value in (0.1, 0.1):
        pinch = QNativeGestureEvent(Qt.ZoomNativeGesture, at, on_window, on_screen, value, 0, 0)
        QApplication.sendEvent(archetype.windowHandle(), pinch)
    assert view.zoom == pytest.approx(zoom * 1.1 * 1.1, rel=0.02)
    after = view.mapToScene(at.toPoint())
    assert abs(after.x() - before.x()) < 3 / view.zoom
    assert abs(after.y() - before.y()) < 3 / view.zoom


@pytest.mark.parametrize("name", ["templates/latent-to-sequence", "templates/sequence-autoencoder", "examples/digits"])
def test_every_wire_of_a_bundled_design_has_room_for_its_shape(opened: Opened, name: str) -> None:
    scene = opened(resource_files.path(f"{name}.seqdec")).design_view.design_scene
    scene.finish_routes()
    assert [str(link.source) for link, wire in scene.wires.items() if wire.label_place is None] == []


def test_the_guide_opens_in_a_window_and_its_links_lead_to_headings_and_pages(window: MainWindow, qtbot: QtBot) -> None:
    QTest.keyClick(window.windowHandle(), Qt.Key_F1)
    guide = window.findChild(GuideWindow)
    assert guide.isVisible()
    text = guide.text
    assert text.verticalScrollBar().value() == 0
    assert text.document().idealWidth() <= text.viewport().width()
    text.anchorClicked.emit(QUrl("#train"))
    assert text.cursorForPosition(QPoint(60, 12)).block().text() == "Train"
    plain = [block for block in _blocks(text) if block.text().startswith("A run is a process of its own")]
    assert not plain[0].begin().fragment().charFormat().hasProperty(QTextFormat.FontSizeAdjustment)
    text.anchorClicked.emit(QUrl("../sampling.md"))
    assert text.document().begin().blockFormat().headingLevel() == 1
    assert guide is window.findChild(GuideWindow)
    theme.set_mode("dark")
    QTest.keySequence(guide, QKeySequence(QKeySequence.Close))
    assert not guide.isVisible()
    window.actions_by_name["guide"].trigger()
    assert guide.isVisible()
    guide.close()


def _blocks(text: GuideText) -> list[QTextBlock]:
    block, found = text.document().begin(), []
    while block.isValid():
        found.append(block)
        block = block.next()
    return found


def test_a_block_called_like_its_kind_is_named_once(window: MainWindow, qtbot: QtBot) -> None:
    said: list[str] = []
    window.workspace.status_message.connect(said.append)
    window.design_view.editor.add_block("loss")
    window.design_view.editor.add_block("loss")
    assert said[-2:] == ["Added Loss.", "Added Loss loss_2."]


def test_keys_that_keyboards_have_no_longer_are_not_shown(window: MainWindow) -> None:
    from seqdec_gui.gui.window.commands import commands, sheet

    shown = {keys for rows in sheet(window.actions_by_name).values() for _, keys in rows}
    shown |= {command.keys for command in commands(window.actions_by_name, window.designs, lambda: None)}
    rare = [keys for keys in shown if re.search(r"\bF(1[3-9]|2\d|3[0-5])\b", keys)]
    assert rare == []
    assert any("Ctrl+Z" in keys for keys in shown)
