"""Objects of Qt are collected in the thread of the window, whoever allocates."""

from __future__ import annotations

import gc
import threading
import weakref

from PyQt5.QtCore import QObject
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.tasks import background, collection


def cycle() -> list[object]:
    made: list[object] = []
    made.append(made)
    return made


def test_an_object_of_qt_that_nobody_has_is_destroyed_in_the_thread_of_the_window(qtbot: QtBot, qapp: QApplication) -> None:
    collection.begin(qapp)
    assert not gc.isenabled()
    where: list[int] = []

    def make() -> None:
        thing = QObject()
        thing.itself = thing
        weakref.finalize(thing, lambda: where.append(threading.get_ident()))

    make()
    kept: list[list[object]] = []

    def allocate() -> int:
        kept.extend(cycle() for _ in range(100_000))  # Python would collect a hundred times here
        return threading.get_ident()

    done: list[int] = []
    background.run(allocate, done.append)
    qtbot.waitUntil(lambda: bool(done), timeout=20_000)
    assert done != [threading.get_ident()]
    qtbot.waitUntil(lambda: bool(where), timeout=20_000)
    assert where == [threading.get_ident()]
