"""Seeing and finding on the canvas: mini-map, zoom control, the least zoom of *Fit*, Ctrl+F, the text of the empty canvas."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PyQt5.QtCore import QPoint, QPointF, Qt
from PyQt5.QtGui import QPainter, QPixmap
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QLabel, QMenu, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.domain import document
from seqdec_gui.domain.annotations import Note
from seqdec_gui.domain.design import Design
from seqdec_gui.gui.look import canvas_style, icons, preferences
from seqdec_gui.gui.look.canvas_style import DETAIL_SCALE, ICON_SIZE, PADDING
from seqdec_gui.gui.pages.design.canvas_view import OVERVIEW_ZOOM
from seqdec_gui.gui.window.main_window import MainWindow
from tests.domain.designs import archetype
from tests.gui.canvas_driver import Canvas
from tests.gui.test_design_view_layout import tangle


@pytest.fixture
def many(qtbot: QtBot) -> Canvas:
    canvas = Canvas(qtbot, tangle(60, 1))
    canvas.view.editor.auto_layout()
    canvas.document.undo_stack.clear()
    return canvas


def press(canvas: Canvas, widget: QWidget, at: QPoint) -> None:
    place = widget.mapTo(canvas.view.window(), at)
    QTest.mouseClick(canvas.view.window().windowHandle(), Qt.LeftButton, Qt.NoModifier, place)


def button(canvas: Canvas, name: str) -> QToolButton:
    return canvas.view.findChild(QToolButton, name)


# -- the mini-map
def test_a_press_in_the_minimap_shows_that_place(many: Canvas) -> None:
    minimap, far = many.view.overlays.minimap, many.view.block_ids()[-1]
    many.view.zoom_reset()
    target = many.view.design_scene.bounds([far]).center()
    assert not many.view.visible_rect().contains(target)
    press(many, minimap, minimap.point_of(target).toPoint())
    assert many.view.visible_rect().contains(target)
    assert not many.document.selection  # the canvas below heard nothing


def test_a_drag_in_the_minimap_moves_the_view_on(many: Canvas) -> None:
    minimap, handle = many.view.overlays.minimap, many.view.window().windowHandle()
    many.view.zoom_reset()
    start, end = QPoint(20, 20), QPoint(minimap.width() - 20, minimap.height() - 20)
    before = many.view.visible_rect().center()
    QTest.mousePress(handle, Qt.LeftButton, Qt.NoModifier, minimap.mapTo(many.view.window(), start))
    QTest.mouseMove(handle, minimap.mapTo(many.view.window(), end))
    QTest.mouseRelease(handle, Qt.LeftButton, Qt.NoModifier, minimap.mapTo(many.view.window(), end))
    after = many.view.visible_rect().center()
    assert after.x() > before.x()
    assert many.document.undo_stack.count() == 0


def test_the_minimap_can_be_hidden_and_stays_so(many: Canvas, qtbot: QtBot) -> None:
    assert many.view.overlays.minimap.isVisible()
    press(many, button(many, "zoom_minimap"), QPoint(8, 8))
    assert not many.view.overlays.minimap.isVisible()
    assert many.view.hasFocus()
    assert not preferences.minimap_is_shown()
    another = Canvas(qtbot, archetype())
    assert not another.view.overlays.minimap.isVisible()
    another.key(Qt.Key_M)
    assert another.view.overlays.minimap.isVisible()
    assert preferences.minimap_is_shown()


@pytest.mark.parametrize(("size", "shown"), [((345, 248), False), ((680, 536), True)])
def test_a_small_canvas_is_not_covered_by_the_minimap(qtbot: QtBot, size: tuple[int, int], shown: bool) -> None:
    """As between all panels of a screen of 1920x1080 at 200 %, and of 1280x800."""
    canvas = Canvas(qtbot, archetype(), *size)
    assert canvas.view.overlays.minimap.isVisible() == shown


def test_an_empty_canvas_has_no_minimap(qtbot: QtBot) -> None:
    canvas = Canvas(qtbot, Design())
    assert not canvas.view.overlays.minimap.isVisible()
    canvas.view.editor.add_block("vector")
    assert canvas.view.overlays.minimap.isVisible()


# -- zoom
def test_the_zoom_control_says_and_changes_the_zoom(many: Canvas) -> None:
    many.view.zoom_reset()
    percent = button(many, "zoom_percent")
    assert percent.text() == "100 %"
    press(many, button(many, "zoom_in"), QPoint(8, 8))
    assert percent.text() == "120 %"
    assert percent.accessibleName() == "Zoom 120 %"
    press(many, button(many, "zoom_out"), QPoint(8, 8))
    press(many, button(many, "zoom_out"), QPoint(8, 8))
    assert percent.text() == "83 %"
    percent.click()
    menu = many.view.findChild(QMenu, "menu_zoom")
    next(action for action in menu.actions() if action.text().startswith("50 %")).trigger()
    menu.close()
    assert percent.text() == "50 %"
    press(many, button(many, "zoom_fit"), QPoint(8, 8))
    assert many.view.zoom >= DETAIL_SCALE


@pytest.mark.parametrize("width", [660, 900])
def test_fit_cuts_off_no_block_whose_name_can_be_read(qtbot: QtBot, width: int) -> None:
    """The canvas of a small window with all panels, and a line of nine blocks: the last one is seen whole."""
    design = document.load(resource_files.path("templates/sequence-autoencoder.seqdec"))
    canvas = Canvas(qtbot, design, width, 480)
    canvas.key(Qt.Key_F)
    assert OVERVIEW_ZOOM <= canvas.view.zoom < DETAIL_SCALE
    shown = canvas.view.viewport().rect()
    assert [one for one in canvas.view.block_ids() if not shown.contains(canvas.view.block_rect(one))] == []


@pytest.mark.parametrize("make", [archetype, lambda: tangle(60, 1)], ids=["archetype", "sixty blocks"])
def test_fit_never_goes_below_what_can_be_read(qtbot: QtBot, make: Callable[[], Design]) -> None:
    canvas = Canvas(qtbot, make(), 640, 480)
    canvas.view.editor.auto_layout()
    assert canvas.view.zoom >= DETAIL_SCALE
    bounds = canvas.view.design_scene.bounds()
    assert canvas.view.visible_rect().contains(QPointF(bounds.left(), canvas.view.visible_rect().center().y()))
    canvas.key(Qt.Key_F, Qt.ShiftModifier)
    assert canvas.view.visible_rect().contains(bounds)


def test_fit_keeps_blocks_off_the_corner_where_there_is_room(qtbot: QtBot) -> None:
    canvas = Canvas(qtbot, archetype(), 1000, 560)
    canvas.view.editor.auto_layout()
    overlays = canvas.view.overlays
    for corner in (overlays.minimap.geometry(), overlays.zoom_bar.geometry()):
        assert not any(corner.intersects(canvas.view.block_rect(one)) for one in canvas.view.block_ids())


@pytest.mark.parametrize("size", [(1000, 560), (680, 460), (680, 620), (900, 400)])
def test_fit_keeps_a_block_below_right_off_the_corner(qtbot: QtBot, size: tuple[int, int]) -> None:
    """As it lies when a wire is dropped below the decoder."""
    canvas = Canvas(qtbot, archetype(), *size)
    document = canvas.document
    document.edit(document.design.moved({document.design.blocks[-1].id: (760.0, 420.0)}), "Move")
    canvas.key(Qt.Key_F, Qt.ShiftModifier)
    overlays = canvas.view.overlays
    for corner in (overlays.minimap.geometry(), overlays.zoom_bar.geometry()):
        assert not any(corner.intersects(canvas.view.block_rect(one)) for one in canvas.view.block_ids())


# -- find
def test_find_steps_through_blocks_layers_and_notes(qtbot: QtBot) -> None:
    canvas = Canvas(qtbot, archetype().with_annotations([Note("note_1", "the decoder", position=(0.0, 900.0))]))
    canvas.view.editor.auto_layout()
    canvas.key(Qt.Key_F, Qt.ControlModifier)
    bar = canvas.view.overlays.find_bar
    QTest.keyClicks(bar.text, "decoder")
    count = canvas.view.findChild(QLabel, "find_count")
    seen = []
    for _ in range(3):
        seen.append((count.text(), canvas.view.editor.only_selected(), set(canvas.view.design_scene.annotations.selected)))
        QTest.keyClick(bar.text, Qt.Key_Return)
    assert [text for text, _, _ in seen] == ["1 of 3", "2 of 3", "3 of 3"]
    assert {only for _, only, _ in seen} == {"decoder_inputs", "model_2", None}
    assert seen[-1][2] == {"note_1"}
    assert count.text() == "1 of 3"
    QTest.keyClick(bar.text, Qt.Key_Return, Qt.ShiftModifier)
    assert count.text() == "3 of 3"
    assert canvas.view.visible_rect().intersects(canvas.view.design_scene.annotations.bounds())


def test_find_moves_the_view_and_says_when_there_is_nothing(many: Canvas) -> None:
    far = many.view.block_ids()[-1]
    many.view.zoom_by(0.3)
    many.key(Qt.Key_F, Qt.ControlModifier)
    bar = many.view.overlays.find_bar
    QTest.keyClicks(bar.text, far)
    assert many.view.visible_rect().contains(many.view.design_scene.bounds([far]))
    assert many.view.zoom >= DETAIL_SCALE
    QTest.keyClicks(bar.text, "zzz")
    assert many.view.findChild(QLabel, "find_count").text() == "Nothing found"
    assert not button(many, "find_next").isEnabled()
    QTest.keyClick(bar.text, Qt.Key_Escape)
    assert not bar.isVisible()
    assert many.view.hasFocus()
    assert many.document.undo_stack.count() == 0


def test_find_leaves_the_view_where_what_is_found_can_be_read_in_it(qtbot: QtBot) -> None:
    canvas = Canvas(qtbot, archetype())
    canvas.view.editor.auto_layout()
    canvas.key(Qt.Key_F, Qt.ControlModifier)
    before = canvas.view.visible_rect()
    QTest.keyClicks(canvas.view.overlays.find_bar.text, "latent")
    assert canvas.view.editor.only_selected() == "latent"
    assert canvas.view.visible_rect() == before


# -- the empty canvas
def test_the_text_of_the_empty_canvas_is_always_in_the_middle(window: MainWindow, qtbot: QtBot) -> None:
    window.files.new(then=window.welcome.hide)
    qtbot.waitUntil(lambda: not window.welcome.isVisible())
    view = window.design_view
    state = view.overlays.empty_state

    def centred() -> bool:
        off = state.geometry().center() - view.viewport().rect().center()
        return bool(off.manhattanLength() <= 2)

    qtbot.waitUntil(centred)
    view.pan(130, -70)
    assert centred()
    view.zoom_by(2.0, QPoint(10, 10))
    assert centred()
    window.resize(1100, 700)
    qtbot.waitUntil(centred)
    window.actions_by_name["show_right"].trigger()
    qtbot.waitUntil(centred)


def test_a_block_that_is_added_or_chosen_is_not_below_the_minimap(qtbot: QtBot) -> None:
    canvas = Canvas(qtbot, archetype(), 900, 600)
    view, minimap = canvas.view, canvas.view.overlays.minimap
    view.zoom_reset()
    view.editor.auto_layout()
    for block_id in view.block_ids():
        view.centerOn(view.design_scene.bounds([block_id]).topLeft() - QPointF(300, 130))
        view.editor.select_none()
        view.editor.go_to(block_id)
        covered = minimap.geometry() | view.overlays.zoom_bar.geometry()
        assert not view.block_rect(block_id).intersects(covered), block_id
        assert view.viewport().rect().contains(view.block_rect(block_id)), block_id


def test_a_wire_dropped_beside_the_minimap_shows_the_new_block(qtbot: QtBot) -> None:
    canvas = Canvas(qtbot, archetype().without_blocks(["loss"]), 900, 600)
    view = canvas.view
    view.fit()
    corner = view.overlays.minimap.geometry().topLeft()
    canvas.drag(view.port_point("model_2", "outputs"), corner - QPoint(40, 20))
    QTest.keyClicks(QApplication.focusWidget(), "loss")
    QTest.keyClick(QApplication.focusWidget(), Qt.Key_Return)
    (added,) = canvas.document.selection
    assert not view.block_rect(added).intersects(view.overlays.minimap.geometry())


def test_a_view_of_one_size_shows_the_same_whatever_sizes_it_had(qtbot: QtBot) -> None:
    """What lies over the corner has its place before the design is fitted beside it."""
    canvas = Canvas(qtbot, archetype())
    window = canvas.view.window()
    canvas.view.fit()
    shown = []
    for before in ((1300, 900), (420, 300), (700, 260)):
        window.resize(*before)
        window.resize(620, 420)
        QApplication.processEvents()
        shown.append((canvas.view.zoom, canvas.view.mapFromScene(0, 0)))
    assert len(set(map(str, shown))) == 1, shown


def test_the_icon_of_a_block_is_whole_on_a_screen_of_high_density(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """There Qt gives a picture of twice the pixels; the lower right quarter of this one alone is red."""

    class DenseIcon:
        def pixmap(self, width: int, height: int) -> QPixmap:
            picture = QPixmap(2 * width, 2 * height)
            picture.fill(Qt.white)
            painter = QPainter(picture)
            painter.fillRect(width, height, width, height, Qt.red)
            painter.end()
            picture.setDevicePixelRatio(2.0)
            return picture

    monkeypatch.setattr(icons, "kind_icon", lambda _kind: DenseIcon())
    monkeypatch.setattr(canvas_style, "_current", [])
    canvas = Canvas(qtbot, archetype())
    picture = canvas.view.viewport().grab().toImage()
    item = canvas.view.design_scene.blocks["latent"]
    places = [item.pos() + QPointF(PADDING + part * ICON_SIZE, 15 + part * ICON_SIZE) for part in (0.25, 0.75)]
    colours = [picture.pixelColor(canvas.view.mapFromScene(place)).name() for place in places]
    assert colours == ["#ffffff", "#ff0000"]
