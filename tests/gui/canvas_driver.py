"""Drives a canvas as a user does. Mouse events go to the window: in Qt 5 a moved mouse never reaches a widget itself."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.domain.design import Design
from seqdec_gui.gui.pages.design import DesignView
from seqdec_gui.gui.workspace.document import DesignDocument


class Canvas:
    """A shown DesignView and its hands."""

    def __init__(self, qtbot: QtBot, design: Design, width: int = 1200, height: int = 700) -> None:
        self.qtbot = qtbot
        self.document = DesignDocument(design)
        self.view = DesignView(self.document)
        self.window = self.make_window()
        qtbot.addWidget(self.window)
        self.show(self.window, width, height)
        self.view.fit()
        self.view.setFocus()
        qtbot.waitUntil(self.view.hasFocus)

    def make_window(self) -> QWidget:
        """What the canvas is shown in; by default it is a window itself."""
        return self.view

    def show(self, window: QWidget, width: int, height: int) -> None:
        window.resize(width, height)
        with self.qtbot.waitExposed(window):
            window.show()
        QApplication.setActiveWindow(window)  # a request to the platform would be refused offscreen, with a warning
        self.qtbot.waitUntil(window.isActiveWindow)

    @property
    def design(self) -> Design:
        return self.document.design

    # -- mouse, in viewport coordinates
    def at(self, point: QPoint) -> QPoint:
        return self.view.viewport().mapTo(self.view.window(), point)

    def move(self, point: QPoint) -> None:
        QTest.mouseMove(self.view.window().windowHandle(), self.at(point))

    def press(
        self, point: QPoint, button: Qt.MouseButton = Qt.LeftButton, modifiers: Qt.KeyboardModifiers = Qt.NoModifier
    ) -> None:
        self.move(point)
        QTest.mousePress(self.view.window().windowHandle(), button, modifiers, self.at(point))

    def release(
        self, point: QPoint, button: Qt.MouseButton = Qt.LeftButton, modifiers: Qt.KeyboardModifiers = Qt.NoModifier
    ) -> None:
        QTest.mouseRelease(self.view.window().windowHandle(), button, modifiers, self.at(point))

    def click(
        self, point: QPoint, button: Qt.MouseButton = Qt.LeftButton, modifiers: Qt.KeyboardModifiers = Qt.NoModifier
    ) -> None:
        self.press(point, button, modifiers)
        self.release(point, button, modifiers)

    def double_click(self, point: QPoint) -> None:
        QTest.mouseDClick(self.view.window().windowHandle(), Qt.LeftButton, Qt.NoModifier, self.at(point))

    def drag(
        self,
        start: QPoint,
        end: QPoint,
        before_release: Callable[[], object] | None = None,
        button: Qt.MouseButton = Qt.LeftButton,
        modifiers: Qt.KeyboardModifiers = Qt.NoModifier,
        steps: int = 6,
    ) -> None:
        """Press, move in steps, and release; `before_release` is called while the button is still down."""
        self.press(start, button, modifiers)
        for i in range(1, steps + 1):
            self.move(start + (end - start) * (i / steps))
        if before_release is not None:
            before_release()
        self.release(end, button, modifiers)

    def drag_wire(self, source: str, target: str, before_release: Callable[[], object] | None = None) -> None:
        """From one port to another, written `block.port`."""
        self.drag(self.port(source), self.port(target), before_release)

    # -- places
    def port(self, name: str) -> QPoint:
        block, _, port = name.partition(".")
        return self.view.port_point(block, port)

    def title(self, block_id: str) -> QPoint:
        """A point in a block's title, where it is grabbed."""
        rect = self.view.block_rect(block_id)
        return QPoint(rect.left() + min(60, rect.width() // 3), rect.top() + 8)

    def nowhere(self) -> QPoint:
        """A point of the canvas where nothing is."""
        return QPoint(30, self.view.viewport().height() - 30)

    def tip(self) -> str:
        """What the tip beside a dragged wire says; empty while it is hidden."""
        tip = self.view.overlays.verdict_tip
        return tip.text() if tip.isVisible() else ""

    # -- keys
    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifiers = Qt.NoModifier) -> None:
        QTest.keyClick(self.view, key, modifiers)

    def links(self) -> set[str]:
        return {str(link) for link in self.design.links}
