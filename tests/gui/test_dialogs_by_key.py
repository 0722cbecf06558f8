"""Every dialog without a mouse: names, the round of Tab, what Return and Escape do, and where the focus is seen to be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5 import sip
from PyQt5.QtCore import QRect, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QDialogButtonBox, QLineEdit, QMessageBox, QPlainTextEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.tab_order import tab_order
from seqdec_gui.gui.window.main_window import MainWindow
from tests.gui.accessible import nameless
from tests.gui.every_dialog import DIALOGS, open_dialog, settle
from tests.gui.trained_runs import example_in, trained

PAGES = ("design", "code", "data", "train", "runs", "queue", "sweep", "generate")
MOST_LINKS = 60
"""The most links of a page of the guide; Tab goes to each."""
DANGEROUS = (QMessageBox.DestructiveRole, QDialogButtonBox.DestructiveRole)


@pytest.fixture
def roman(opened: Callable[..., MainWindow], tmp_path: Path) -> MainWindow:
    path = example_in(tmp_path, "roman")
    trained(path, "first")
    return opened(path)


def press(dialog: QWidget, key: Qt.Key) -> None:
    handle = dialog.windowHandle()
    QTest.keyPress(handle, key)
    if not sip.isdeleted(handle):  # the key may have closed the dialog
        QTest.keyRelease(handle, key)


def place(widget: QWidget) -> str:
    return f"{type(widget).__name__} {widget.objectName() or widget.property('text')}"


def told(faults: list[str]) -> None:
    """Fail with all of them, a line each."""
    assert faults == [], "\n".join(faults)


def faults_by_dialog(window: MainWindow, qtbot: QtBot, look_at: Callable[[QWidget], list[str]]) -> list[str]:
    """Open each dialog, look at it, and close it with Escape. Return what was found, `dialog: fault`."""
    faults: list[str] = []
    for name in DIALOGS:
        dialog = open_dialog(name, window, qtbot)
        faults += [f"{name}: {fault}" for fault in look_at(dialog)]
        press(dialog, Qt.Key_Escape)
        qtbot.waitUntil(lambda dialog=dialog: sip.isdeleted(dialog) or not dialog.isVisible())
        QApplication.setActiveWindow(window)
        qtbot.waitUntil(window.isActiveWindow)
    return faults


def test_every_dialog_is_worked_by_key(roman: MainWindow, qtbot: QtBot) -> None:
    """All controls have names; Tab and Shift+Tab reach each and come round; Return presses nothing dangerous; Escape closes."""
    told(faults_by_dialog(roman, qtbot, _faults_by_key))


def _faults_by_key(dialog: QWidget) -> list[str]:
    faults = [f"{control} has no name" for control in nameless(dialog)]
    if not dialog.windowTitle().strip():
        faults.append("no title")
    controls = tab_order(dialog, ())
    if dialog.focusWidget() not in controls:
        faults.append("the focus does not begin on a control")
    for key, words in ((Qt.Key_Tab, "Tab"), (Qt.Key_Backtab, "Shift+Tab")):
        passed = [dialog.focusWidget()]
        while len(passed) < len(controls) + MOST_LINKS and (len(passed) == 1 or passed[-1] is not passed[0]):
            press(dialog, key)
            passed.append(dialog.focusWidget())
        faults += [f"{words} does not reach {place(control)}" for control in controls if control not in passed]
        if passed[-1] is not passed[0]:
            faults.append(f"{words} does not come round: {[place(control) for control in passed][:20]}")
    defaults = [button for button in dialog.findChildren(QPushButton) if button.isDefault() and button.isVisible()]
    boxes = [box for box in (dialog, *dialog.findChildren(QDialogButtonBox)) if hasattr(box, "buttonRole")]
    faults += [f"Return presses {place(button)}" for box in boxes for button in defaults if box.buttonRole(button) in DANGEROUS]
    if len(defaults) > 1 or (isinstance(dialog, QMessageBox) and not defaults):
        faults.append(f"{len(defaults)} default buttons")
    return faults


@pytest.mark.parametrize("mode", ["light", "dark_contrast"])
def test_the_focus_is_seen_in_every_dialog(roman: MainWindow, qtbot: QtBot, mode: theme.Mode) -> None:
    theme.set_mode(mode)
    settle(qtbot)
    told(faults_by_dialog(roman, qtbot, controls_that_look_the_same))


@pytest.mark.parametrize("page", PAGES)
def test_the_focus_is_seen_on_every_page(roman: MainWindow, qtbot: QtBot, page: str) -> None:
    roman.pages.show_page(page)
    settle(qtbot)
    if page == "code":
        qtbot.waitUntil(lambda: roman.findChild(QPlainTextEdit, "code_view").isVisible())
    told(controls_that_look_the_same(roman))


def controls_that_look_the_same(window: QWidget) -> list[str]:
    """Return the controls of a window that look the same with the focus as without it."""
    same = []
    controls = tab_order(window, window.tab_parts() if isinstance(window, MainWindow) else ())
    for before, control in zip([controls[-1], *controls], controls, strict=False):
        before.setFocus(Qt.TabFocusReason)
        if before.objectName() != "design_view":  # where Tab selects the next block
            press(window, Qt.Key_Tab)
        if window.focusWidget() is not control:
            control.setFocus(Qt.TabFocusReason)  # Tab goes to a link, or is a character in the text before
        pictures = []
        for focused in (True, False):
            if not focused:
                control.clearFocus()
            if isinstance(control, QLineEdit):
                control.deselect()
            QApplication.processEvents()
            around = QRect(control.mapTo(window, control.rect().topLeft()), control.size()).adjusted(-3, -3, 3, 3)
            pictures.append(window.grab(around).toImage())
        if pictures[0] == pictures[1]:
            same.append(place(control))
    return same
