"""What the building of a page and the changing of pages cost, counted rather than timed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QComboBox, QListView, QWidget
from pyqtgraph import PlotWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.domain.drawing import routing
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets import tab_order
from seqdec_gui.gui.widgets.choice_box import SizedBox
from seqdec_gui.gui.window import pages
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.window.page_stack import Pages
from seqdec_gui.gui.workspace.document import DesignDocument
from seqdec_gui.gui.workspace.workspace import PageName, Workspace

STYLED = 3.6
"""How often a widget of a page is styled at most until it is seen, on average: Qt does it again for each part that is moved."""


@pytest.mark.parametrize("name", [PageName.CODE, PageName.DATA, PageName.TRAIN, PageName.RUNS, PageName.GENERATE])
def test_parts_are_put_into_places_that_they_keep(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    stack = Pages(pages.PAGES, Workspace(DesignDocument()), {})
    qtbot.addWidget(stack)
    stack.show()
    styled: list[object] = []
    polish = theme.PlainLabels.polish

    def counted(style: theme.PlainLabels, thing: Any) -> Any:
        styled.append(thing)
        return polish(style, thing)

    monkeypatch.setattr(theme.PlainLabels, "polish", counted)
    page = stack.page(name)
    assert len(styled) / (1 + len(page.findChildren(QWidget))) < STYLED


def test_a_box_makes_its_list_when_it_is_opened(qtbot: QtBot) -> None:
    """And has the width that Qt gives it, as it follows its texts."""
    sized, plain = SizedBox(), QComboBox()
    plain.setSizeAdjustPolicy(QComboBox.AdjustToContents)
    letters, plain_letters = SizedBox(letters=8), QComboBox()
    plain_letters.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
    plain_letters.setMinimumContentsLength(8)
    for box in (sized, plain, letters, plain_letters):
        qtbot.addWidget(box)
    for text in ("", "short", "a much longer text than before"):
        for box in (sized, plain, letters, plain_letters):
            if text:
                box.addItem(text)
        assert sized.sizeHint() == plain.sizeHint()
        assert letters.sizeHint() == letters.minimumSizeHint() == plain_letters.sizeHint()
    assert plain.findChildren(QListView)
    assert not sized.findChildren(QListView)
    assert not letters.findChildren(QListView)


def test_a_change_of_pages_looks_for_no_control(archetype: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page in front takes the focus: Qt, which hides the other first, would search all controls of the window for one."""
    archetype.pages.show_page(PageName.DATA)
    archetype.pages.show_page(PageName.DESIGN)
    archetype.design_view.setFocus()
    searched: list[object] = []
    monkeypatch.setattr(tab_order, "tab_order", lambda *_: searched.append(_) or [])
    for key, name in ((Qt.Key_3, PageName.DATA), (Qt.Key_1, PageName.DESIGN)):
        QTest.keyClick(archetype.windowHandle(), key, Qt.AltModifier)
        assert archetype.pages.current == name
        assert archetype.pages.widget(archetype.pages.currentIndex()).isAncestorOf(archetype.focusWidget())
    assert searched == []


def test_a_script_that_nobody_sees_is_not_written(opened: Callable[..., MainWindow], monkeypatch: pytest.MonkeyPatch) -> None:
    from seqdec_gui import resource_files
    from seqdec_gui.gui.pages.code import page as code

    written: list[object] = []
    generate = code.generate
    monkeypatch.setattr(code, "DELAY_MS", 0)
    monkeypatch.setattr(code, "generate", lambda design, **more: written.append(design) or generate(design, **more))
    window = opened(resource_files.path("examples/digits.seqdec"))
    page = window.pages.page(PageName.CODE)
    design = window.document.design
    window.document.edit(design.with_training(msgspec.structs.replace(design.training, epochs=7)), "Change epochs")
    QTest.qWait(20)
    assert written == []
    window.pages.show_page(PageName.CODE)
    assert written == [window.document.design]
    assert page.isVisible()


def test_the_cheapest_route_is_taken() -> None:
    """Of straight, bent and blocked ways, as before the lengths were computed once."""
    router: routing.Router[str] = routing.Router()
    assert router.route("a", routing.Wire((0, 0), (200, 0), "a")) == ((0, 0), (200, 0))
    router.blocks.put("wall", routing.Rect(80, -50, 120, 50))
    path = router.route("b", routing.Wire((0, 0), (200, 0), "b"))
    assert router.clear(path)
    assert len(path) > 2


def test_plots_and_modes_are_made_when_they_are_needed(qtbot: QtBot) -> None:
    """They took more than half of what the Generate page took until it was seen."""
    stack = Pages(pages.PAGES, Workspace(DesignDocument()), {})
    qtbot.addWidget(stack)
    stack.show()
    page: Any = stack.page(PageName.GENERATE)
    assert page.findChildren(PlotWidget) == []
    assert list(page.modes) == ["generate"]
    assert page.findChild(QWidget, "codes_plot") is None
    qtbot.mouseClick(page.findChild(QWidget, "generate_mode_codes"), Qt.LeftButton)
    assert page.findChild(QWidget, "codes_plot") is not None
    assert list(page.modes) == ["generate", "codes"]
