"""The user guide in its window: search, contents, Escape, and pictures of the theme."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt5.QtCore import Qt, QUrl
from PyQt5.QtGui import QImage, QTextDocument
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.gui.dialogs.guide import GuideWindow, sections
from seqdec_gui.gui.look import theme


@pytest.fixture
def guide(qtbot: QtBot) -> GuideWindow:
    window = GuideWindow()
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    return window


def shown(guide: GuideWindow) -> list[str]:
    return [guide.contents.item(row).text().strip() for row in range(guide.contents.count())]


def test_the_contents_are_the_headings_of_all_pages(guide: GuideWindow) -> None:
    assert shown(guide)[0] == "User guide"
    assert {"Design", "Keyboard", "The run folder"} <= set(shown(guide))


def test_words_lead_to_the_section_that_has_them_and_are_marked(guide: GuideWindow) -> None:
    everything = guide.contents.count()
    guide.search.setFocus()
    QTest.keyClicks(guide.search, "temperature")
    assert 0 < guide.contents.count() < everything
    section = guide.contents.currentItem().data(Qt.UserRole)
    assert "temperature" in section.text
    assert guide.text.extraSelections()
    QTest.keyClicks(guide.search, " xyzzy")
    assert guide.contents.count() == 0


def test_what_is_typed_at_once_is_searched_and_page_keys_turn_the_page(guide: GuideWindow, qtbot: QtBot) -> None:
    QApplication.setActiveWindow(guide)
    qtbot.waitUntil(guide.search.hasFocus)
    QTest.keyClick(guide.windowHandle(), Qt.Key_PageDown)
    assert guide.text.verticalScrollBar().value() > 0
    for letter in "pause":
        QTest.keyClick(guide.windowHandle(), letter)
    assert guide.search.text() == "pause"
    assert guide.text.extraSelections()


def test_a_click_goes_to_the_heading(guide: GuideWindow) -> None:
    row = shown(guide).index("Keyboard")
    QTest.mouseClick(
        guide.contents.viewport(),
        Qt.LeftButton,
        Qt.NoModifier,
        guide.contents.visualItemRect(guide.contents.item(row)).center(),
    )
    assert guide.text.verticalScrollBar().value() > 0


def test_escape_empties_the_search_and_then_closes(guide: GuideWindow, qtbot: QtBot) -> None:
    QApplication.setActiveWindow(guide)
    qtbot.waitUntil(guide.isActiveWindow)
    guide.search.setFocus()
    QTest.keyClicks(guide.search, "runs")
    QTest.keyClick(guide.search, Qt.Key_Escape)
    assert guide.search.text() == ""
    assert guide.isVisible()
    QTest.keyClick(guide.windowHandle(), Qt.Key_Escape)
    assert not guide.isVisible()


def test_every_heading_can_be_gone_to() -> None:
    found = sections(resource_files.docs("guide/index.md").parent.parent)
    assert len(found) > 30
    assert all(section.title and section.anchor for section in found)


def test_pictures_are_those_of_the_theme(guide: GuideWindow, tmp_path: Path) -> None:
    for name, colour in (("a", Qt.white), ("a-dark", Qt.black)):
        image = QImage(10, 10, QImage.Format_RGB32)
        image.fill(colour)
        image.save(str(tmp_path / f"{name}.png"))
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n![a](a.png)\n")
    guide.text.show_page(page)
    picture = QUrl.fromLocalFile(str(tmp_path / "a.png"))
    assert guide.text.loadResource(QTextDocument.ImageResource, picture).pixelColor(0, 0).lightness() == 255
    theme.set_mode("dark")
    assert guide.text.loadResource(QTextDocument.ImageResource, picture).pixelColor(0, 0).lightness() == 0
