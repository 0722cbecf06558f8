"""A small screen, such as 1280x800 at 200 %: every page, panel and field can be reached in a window of 640x376 pixels."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PyQt5.QtCore import QPoint, QRect, QSize, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAction, QApplication, QScrollArea, QStyle, QStyleOptionComboBox, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.gui.widgets.choice_box import SizedBox
from seqdec_gui.gui.widgets.tab_order import tab_order
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.window.pages import PAGES

WIDTH, HEIGHT = 640, 376
"""Half of 1280x800, without the title bar that a desktop puts above the window."""


@pytest.fixture
def small(opened: Callable[..., MainWindow], qtbot: QtBot) -> MainWindow:
    window = opened(resource_files.path("examples/digits.seqdec"))
    window.resize(WIDTH, HEIGHT)
    qtbot.waitUntil(lambda: (window.width(), window.height()) == (WIDTH, HEIGHT))
    return window


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_everything_that_takes_the_focus_can_be_scrolled_into_sight(small: MainWindow, page: str, qtbot: QtBot) -> None:
    small.pages.show_page(page)
    qtbot.waitUntil(small.pages.page(page).isVisible)
    QTest.qWait(100)
    small.resize(WIDTH, HEIGHT)
    assert (small.width(), small.height()) == (WIDTH, HEIGHT)  # no page makes the window grow
    for control in tab_order(small, small.tab_parts()):
        control.setFocus(Qt.TabFocusReason)
        _scroll_to(control)
        assert _seen(control, small).height() >= min(8, control.height()), f"{type(control).__name__} {control.objectName()}"
        assert _seen(control, small).width() >= min(8, control.width()), f"{type(control).__name__} {control.objectName()}"


def _scroll_to(control: QWidget) -> None:
    """What Qt does when Tab moves the focus into an area that scrolls."""
    around = control.parentWidget()
    while around is not None:
        if isinstance(around, QScrollArea) and around.widget() is not None and around.widget().isAncestorOf(control):
            around.ensureWidgetVisible(control)
        around = around.parentWidget()


def _seen(control: QWidget, window: QWidget) -> QRect:
    """The part of a control that none of those around it cuts off, in pixels of the window."""
    seen = QRect(control.mapTo(window, control.rect().topLeft()), control.size())
    around = control.parentWidget()
    while around is not None:
        seen &= QRect(around.mapTo(window, around.rect().topLeft()), around.size())
        around = None if around is window else around.parentWidget()
    return seen


def test_one_panel_is_beside_the_canvas_at_a_time(small: MainWindow) -> None:
    assert small.shell.left.isVisible()
    assert not small.inspector.isVisible()
    assert not small.bottom.isVisible()
    assert small.design_view.width() >= 320
    keys = small.findChild(QAction, "action_show_right")
    assert keys.isEnabled()
    assert not keys.isChecked()
    keys.trigger()
    assert small.inspector.isVisible()
    assert not small.shell.left.isVisible()
    assert keys.isChecked()
    assert not small.findChild(QAction, "action_show_left").isChecked()
    small.findChild(QAction, "action_show_left").trigger()
    assert small.shell.left.isVisible()
    small.findChild(QAction, "action_show_bottom").trigger()
    assert small.bottom.isVisible()


def test_all_panels_come_back_with_the_room(small: MainWindow, qtbot: QtBot) -> None:
    small.resize(1280, 800)
    qtbot.waitUntil(lambda: small.shell.left.isVisible() and small.inspector.isVisible() and small.bottom.isVisible())
    small.resize(WIDTH, HEIGHT)
    qtbot.waitUntil(lambda: not small.inspector.isVisible())
    small.resize(1280, 800)
    qtbot.waitUntil(small.inspector.isVisible)


def test_a_field_that_is_asked_for_brings_its_panel(small: MainWindow, qtbot: QtBot) -> None:
    small.document.select(["decoder"])
    QTest.keyClick(small.windowHandle(), Qt.Key_F2)
    qtbot.waitUntil(small.inspector.isVisible)
    assert QApplication.focusWidget().objectName() == "field_id"
    small.findChild(QAction, "action_show_left").trigger()
    qtbot.waitUntil(lambda: not small.inspector.isVisible())
    small.design_view.setFocus()
    QTest.keyClick(small.windowHandle(), Qt.Key_Return)
    qtbot.waitUntil(small.inspector.isVisible)
    assert small.inspector.isAncestorOf(QApplication.focusWidget())


def test_the_train_button_is_seen_and_the_others_are_back_with_the_room(small: MainWindow, qtbot: QtBot) -> None:
    bar = small.findChild(QWidget, "toolbar")
    for width in (WIDTH, 1280, 470, 900):
        small.resize(width, HEIGHT)
        qtbot.waitUntil(lambda width=width: small.width() == width)
        for button in (small.train_button, small.device_picker):
            qtbot.waitUntil(lambda button=button: _seen(button, small).width() == button.width() and button.isVisible())
        redo = bar.widgetForAction(small.actions_by_name["fit"])
        assert (redo is not None) == (width >= 900)
    assert "Ctrl" in bar.widgetForAction(small.actions_by_name["undo"]).toolTip()


def test_a_train_button_that_is_wider_than_its_text_is_seen(small: MainWindow, qtbot: QtBot) -> None:
    small.train_button.setMinimumWidth(small.train_button.sizeHint().width() + 60)
    for width in range(560, 700, 7):
        small.resize(width, HEIGHT)
        qtbot.waitUntil(lambda width=width: small.width() == width)
        qtbot.waitUntil(lambda: small.train_button.isVisible(), timeout=1_000)


def test_a_dialog_too_large_for_the_screen_scrolls(small: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    from seqdec_gui.gui.tasks import fitting_dialogs
    from seqdec_gui.gui.window import dialogs

    screen = small.screen().availableGeometry().size().expandedTo(small.size())
    monkeypatch.setattr(fitting_dialogs, "FRAME", QSize(screen.width() - 600, screen.height() - 340))
    openings = {
        "settings_dialog": lambda: dialogs.settings(small.workspace, small),
        "about_dialog": lambda: dialogs.about(small),
        "export_dialog": lambda: dialogs.export(small.workspace),
    }
    for name, open_it in openings.items():
        open_it()
        (dialog,) = [each for each in QApplication.topLevelWidgets() if each.objectName() == name and each.isVisible()]
        qtbot.waitUntil(dialog.isVisible)
        QTest.qWait(100)
        assert dialog.width() <= 600
        assert dialog.height() <= 340
        for control in tab_order(dialog, [dialog]):
            control.setFocus(Qt.TabFocusReason)
            _scroll_to(control)
            assert _seen(control, dialog).height() >= min(8, control.height()), control.objectName()
            assert _seen(control, dialog).width() >= min(8, control.width()), control.objectName()
        QTest.keyClick(dialog, Qt.Key_Escape)
        qtbot.waitUntil(
            lambda name=name: not [w for w in QApplication.topLevelWidgets() if w.objectName() == name and w.isVisible()]
        )


def test_a_dialog_that_grows_over_the_edge_of_the_screen_comes_back(small: MainWindow, qtbot: QtBot) -> None:
    from seqdec_gui.gui.window import dialogs

    dialogs.export(small.workspace)
    (dialog,) = [each for each in QApplication.topLevelWidgets() if each.objectName() == "export_dialog" and each.isVisible()]
    screen = dialog.screen().availableGeometry()
    dialog.resize(500, 300)
    dialog.move(screen.right() - dialog.width(), screen.bottom() - dialog.height())
    dialog.resize(min(screen.width(), 780), min(screen.height(), 560))
    qtbot.waitUntil(lambda: screen.contains(dialog.frameGeometry()))
    QTest.keyClick(dialog, Qt.Key_Escape)
    qtbot.waitUntil(lambda: not dialog.isVisible())


def test_no_title_of_a_page_and_no_field_of_the_reading_is_cut(opened: Callable[..., MainWindow], qtbot: QtBot) -> None:
    small = opened(resource_files.path("examples/roman.seqdec"))
    small.resize(WIDTH, HEIGHT)
    small.pages.show_page("data")
    bar = small.pages.bar
    fields = [small.findChild(SizedBox, f"field_{name}") for name in ("header", "delimiter", "quoting", "encoding", "decimal")]
    qtbot.waitUntil(lambda: all(field.isVisible() and field.currentText().startswith("Auto: ") for field in fields))
    widths = [bar.fontMetrics().horizontalAdvance(bar.tabText(index)) for index in range(bar.count())]
    assert all(bar.tabRect(index).width() >= width for index, width in enumerate(widths))
    assert bar.sizeHint().width() <= bar.width()  # or the titles end in dots
    page = small.pages.page("data")
    for field in fields:
        option = QStyleOptionComboBox()
        field.initStyleOption(option)
        room = field.style().subControlRect(QStyle.CC_ComboBox, option, QStyle.SC_ComboBoxEditField, field).width()
        assert room >= field.fontMetrics().horizontalAdvance(field.currentText()), field.currentText()
        assert field.mapTo(page, QPoint(field.width(), 0)).x() <= page.width()
    assert len({field.mapTo(page, QPoint(0, 0)).y() for field in fields}) > 1  # in several lines
