"""Pictures of the window: as accepted, whatever the font; and what the comparison notices."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtCore import QPoint, QRect
from PyQt5.QtGui import QColor, QFont, QImage, QPainter
from PyQt5.QtWidgets import QApplication, QSplitter, QToolBar, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.window.main_window import MainWindow
from tools.pictures.album import ACCEPTED
from tools.pictures.compare import OTHER_FONT, SAME_FONT, Tolerance, changes, difference, reduced

ROOT = Path(__file__).resolve().parent.parent.parent
LARGEST, ALL = 40_000, 1_500_000
"""The size of the largest accepted picture, and of all together, in bytes."""
BOTH = pytest.mark.parametrize("tolerance", [SAME_FONT, OTHER_FONT], ids=["same-font", "other-font"])


@pytest.fixture
def picture(archetype: MainWindow, qtbot: QtBot) -> Callable[[], QImage]:
    """Take a picture of the window with the archetype, as the album keeps it."""

    def take() -> QImage:
        before = QImage()
        while (now := archetype.grab().toImage()) != before:
            before = now
            qtbot.wait(100)
        return reduced(now)

    return take


@pytest.mark.pictures
@pytest.mark.timeout(1860)  # some 45 s on two idle cores, and 270 s were seen beside other programs
def test_the_window_looks_as_accepted(tmp_path: Path) -> None:
    """Every compared state. What changed on purpose is accepted with `make screenshots ACCEPT=1`."""
    command = [sys.executable, str(ROOT / "tools" / "screenshots.py"), "--compare", str(ROOT / "pictures-changed")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, cwd=tmp_path)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\nmake screenshots ACCEPT=1 accepts what was meant"


def test_a_part_of_the_guide_that_there_is_not_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "tools" / "screenshots.py"), "--only", "nosuch"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 2
    assert "design, data, training, generate" in done.stderr


def test_accepted_pictures_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in ACCEPTED.glob("*.png")}
    assert len(sizes) > 40
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}
    assert sum(sizes.values()) < ALL


def test_the_guide_shows_every_picture_of_its_folder_in_light_and_dark() -> None:
    folder, named = ROOT / "docs" / "guide" / "images", set()
    for page, pattern in (
        ("docs/guide/index.md", r"\(images/([\w-]+)\.png\)"),
        ("README.md", r"\(docs/guide/images/([\w-]+)\.png\)"),
    ):
        shown = set(re.findall(pattern, (ROOT / page).read_text(encoding="utf-8")))
        named |= shown | ({f"{name}-dark" for name in shown} if page != "README.md" else set())
    assert len(named) > 20
    assert named == {path.stem for path in folder.glob("*.png")}


def test_the_same_state_is_the_same_picture(picture: Callable[[], QImage]) -> None:
    assert changes(picture(), picture()) == []


@BOTH
def test_a_panel_that_moves_is_noticed(picture: Callable[[], QImage], archetype: MainWindow, tolerance: Tolerance) -> None:
    before, columns = picture(), archetype.findChild(QSplitter, "columns")
    left, middle, right = columns.sizes()
    columns.setSizes([left + 60, middle - 60, right])
    found = changes(before, picture(), tolerance)
    assert any(change.left < left + 80 and change.height > 200 for change in found), found


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        *((name, SAME_FONT) for name in ("train_button", "device_picker", "palette_search", "zoom_bar", "minimap")),
        *((name, OTHER_FONT) for name in ("train_button", "device_picker", "minimap")),
    ],
)
def test_a_part_that_is_missing_is_noticed(
    picture: Callable[[], QImage], archetype: MainWindow, name: str, tolerance: Tolerance
) -> None:
    before, part = picture(), archetype.findChild(QWidget, name)
    place = QRect(part.mapTo(archetype, QPoint()), part.size())
    bar = archetype.findChild(QToolBar)
    if bar.isAncestorOf(part):
        (action,) = (action for action in bar.actions() if bar.widgetForAction(action) is part)
        action.setVisible(False)
    else:
        kept = part.sizePolicy()
        kept.setRetainSizeWhenHidden(True)  # what it leaves is a hole, the smallest change that hiding can make
        part.setSizePolicy(kept)
        part.hide()
    found = changes(before, picture(), tolerance)
    where = [QRect(*change[1:]) for change in found]
    assert any(place.intersects(rect) or bar.isAncestorOf(part) for rect in where), found  # in the bar others take its place


@BOTH
def test_another_theme_and_other_colours_of_blocks_are_noticed(
    picture: Callable[[], QImage], archetype: MainWindow, tolerance: Tolerance
) -> None:
    light = picture()
    theme.set_mode("dark")
    dark = picture()
    assert max(change.width * change.height for change in changes(light, dark, tolerance)) > 500_000
    swapped = dark.convertToFormat(QImage.Format_RGB888).rgbSwapped()  # blue accents become red ones; grey stays
    assert changes(dark, swapped, tolerance)


@BOTH
def test_a_new_box_over_the_canvas_is_noticed(picture: Callable[[], QImage], tolerance: Tolerance) -> None:
    before = picture()
    after = before.convertToFormat(QImage.Format_RGB888)
    painter = QPainter(after)
    painter.fillRect(300, 150, 60, 30, QColor("#c0c8d8"))
    painter.end()
    found = changes(before, after, tolerance)
    assert QRect(*found[0][1:]).contains(QRect(610, 310, 90, 30))
    both = difference(before, after, found)
    assert (both.width(), both.height()) == (3 * before.width(), before.height())


def write_with(application: QApplication, font: QFont) -> None:
    """Use a font everywhere: the style sheet takes it when the theme changes."""
    application.setFont(font)
    theme.set_mode("dark")
    theme.set_mode("light")


@pytest.mark.parametrize("other", ["DejaVu Serif", "DejaVu Sans Condensed"])
def test_another_font_is_tolerated(picture: Callable[[], QImage], qapp: QApplication, other: str) -> None:
    before, font = picture(), qapp.font()
    try:
        changed = QFont(font)
        changed.setFamily(other)
        write_with(qapp, changed)
        after = picture()
        assert after != before
        assert changes(before, after, OTHER_FONT) == []
    finally:
        write_with(qapp, font)


def test_other_hinting_is_tolerated_as_the_same_font(picture: Callable[[], QImage], qapp: QApplication) -> None:
    before, font = picture(), qapp.font()
    try:
        changed = QFont(font)
        changed.setHintingPreference(QFont.PreferNoHinting)
        write_with(qapp, changed)
        assert changes(before, picture(), SAME_FONT) == []
    finally:
        write_with(qapp, font)
