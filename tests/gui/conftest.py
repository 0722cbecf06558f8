"""What every test of the window gets: the theme, a window that closes in peace, and a check that no dialog or timer stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtCore import QCoreApplication, QEvent, QPoint, Qt, QThreadPool, QTimer
from PyQt5.QtGui import QWindow
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QDialog, QFileDialog, QLineEdit, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.gui.look import preferences, theme
from seqdec_gui.gui.tasks import background, collection
from seqdec_gui.gui.window.main_window import MainWindow, open_window
from seqdec_gui.gui.window.pages import PAGES, Page


@pytest.fixture(autouse=True)
def nothing_stays_open(qapp: QApplication) -> Iterator[None]:
    """Fail the test that leaves a dialog, a running timer or a background operation behind.

    Each begins in light, and without keys such as Ctrl that an earlier one has pressed.
    """
    if QApplication.keyboardModifiers() != Qt.NoModifier:
        QTest.keyRelease(QWindow(), Qt.Key_Control)
    collection.begin(qapp)
    theme.install(qapp)
    theme.set_mode("light")
    yield
    QThreadPool.globalInstance().waitForDone(5000)
    QCoreApplication.sendPostedEvents()
    QCoreApplication.sendPostedEvents(None, QEvent.DeferredDelete)
    left = [f"{type(widget).__name__} {widget.objectName()}" for widget in qapp.topLevelWidgets() if _is_open(widget)]
    timers = [timer for timer in qapp.findChildren(QTimer) if timer.isActive()]
    left += [f"timer of {type(timer.parent()).__name__}" for timer in timers]
    assert left == []
    assert background.busy() == 0


def _is_open(widget: QWidget) -> bool:
    return isinstance(widget, QDialog | MainWindow) and widget.isVisible()


@pytest.fixture
def opened(qtbot: QtBot) -> Iterator[Callable[..., MainWindow]]:
    """Open a window as the program does; it is closed without questions at the end."""
    windows: list[MainWindow] = []
    preferences.set_first_minute_seen()

    def open_one(path: Path | None = None, rows: Sequence[Page] = PAGES) -> MainWindow:
        window = open_window(path, rows)
        windows.append(window)
        window.resize(1280, 800)
        qtbot.waitExposed(window)
        QApplication.setActiveWindow(window)  # as a desktop does; a bare screen does not
        qtbot.waitUntil(window.isActiveWindow)
        qtbot.waitUntil(lambda: window.workspace.devices.known, timeout=10_000)
        return window

    yield open_one
    for window in windows:
        for tab in window.designs.tabs:
            tab.workspace.close_guards.clear()
            tab.document.undo_stack.setClean()
        window.close()
        window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.DeferredDelete)


@pytest.fixture
def window(opened: Callable[..., MainWindow]) -> MainWindow:
    """A window without a design."""
    return opened()


@pytest.fixture
def archetype(window: MainWindow) -> MainWindow:
    """A window with the design of the template `latent-to-sequence`."""
    window.files.new_from(resource_files.path("templates/latent-to-sequence.seqdec"))
    return window


@pytest.fixture
def find(window: MainWindow) -> Callable[..., Any]:
    """A widget or action of the window by its object name; there must be exactly one."""

    def by_name(kind: type[Any], name: str) -> Any:
        found = window.findChildren(kind, name)
        assert len(found) == 1, f"{len(found)} of {name}"
        return found[0]

    return by_name


def name_file(qtbot: QtBot, path: Path) -> None:
    """Type a path into the file dialog that opens, as soon as it takes keys, and press Return."""

    def shown() -> list[QFileDialog]:
        return [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, QFileDialog) and widget.isVisible()]

    qtbot.waitUntil(lambda: len(shown()) == 1)
    (files,) = shown()
    QApplication.setActiveWindow(files)
    line = files.findChild(QLineEdit, "fileNameEdit")
    qtbot.waitUntil(line.hasFocus)
    line.selectAll()
    QTest.keyClicks(line, str(path))
    QTest.keyClick(line, Qt.Key_Return)


def point_on(widget: QWidget, window: QWidget) -> QPoint:
    """The middle of a widget in the coordinates of its window."""
    return widget.mapTo(window, widget.rect().center())


def press(widget: QWidget) -> None:
    """A real click on the window that the widget lies in, where the widget is."""
    area = widget.parent()
    while area is not None and not isinstance(area, QScrollArea):
        area = area.parent()
    window, place = widget.window(), QPoint(-1, -1)
    while place != point_on(widget, window):  # until what was just made is laid out
        place = point_on(widget, window)
        if area is not None:
            area.ensureWidgetVisible(widget)
        QApplication.processEvents()
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, point_on(widget, window))
