"""Slow work off the window's thread, and what happens when it fails."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PyQt5.QtCore import QObject, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QDialog, QMessageBox, QPlainTextEdit
from pytestqt.qtbot import QtBot

from seqdec_gui.domain import document as design_file
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.gui.dialogs import crash_report
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.window.main_window import MainWindow
from tests.gui.test_main_window import template


def test_the_result_comes_back_in_the_windows_thread(qtbot: QtBot) -> None:
    seen: list[tuple[int, bool]] = []
    background.run(lambda: 42, lambda result: seen.append((result, threading.current_thread() is threading.main_thread())))
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [(42, True)]


def test_a_failure_reaches_whoever_asked(qtbot: QtBot) -> None:
    seen: list[Exception] = []

    def fail() -> None:
        raise OSError("no disk")

    background.run(fail, failed=seen.append)
    qtbot.waitUntil(lambda: bool(seen))
    assert str(seen[0]) == "no disk"


def test_the_result_of_an_owner_that_is_gone_is_dropped(qtbot: QtBot) -> None:
    seen: list[int] = []
    owner, may_end = QObject(), threading.Event()
    operation = background.run(lambda: may_end.wait(5), lambda _result: seen.append(1), owner=owner)
    from PyQt5 import sip

    sip.delete(owner)
    with qtbot.waitSignal(operation.finished, timeout=5000):
        may_end.set()
    assert seen == []


def test_a_cancelled_operation_says_nothing(qtbot: QtBot) -> None:
    seen: list[int] = []
    operation = background.run(lambda: 1, seen.append)
    operation.cancel()
    with qtbot.waitSignal(operation.finished, timeout=5000):
        pass
    assert seen == []


def test_an_expected_failure_without_a_listener_is_shown_with_all_its_problems(window: MainWindow, qtbot: QtBot) -> None:
    def fail() -> None:
        raise InvalidInput([Problem("error", "a", "model_1", "First."), Problem("error", "b", "", "Second.", "Do this.")])

    background.run(fail, owner=window)
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "failure_box") is not None)
    box = window.findChild(QMessageBox, "failure_box")
    assert "model_1: First." in box.informativeText()
    assert "Second. Do this." in box.informativeText()
    QTest.keyClick(box, Qt.Key_Escape)


def test_the_text_of_a_dialog_is_never_taken_for_markup(window: MainWindow) -> None:
    box = notify.message(window, "Shapes", "expected <b>x</b> & y")
    assert "&lt;b>x" in box.informativeText()
    QTest.keyClick(box, Qt.Key_Escape)


def test_a_bug_saves_the_design_and_opens_one_dialog_that_blocks_nothing(
    window: MainWindow, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "mine.seqdec"
    design_file.save(design_file.load(template()), path)
    window.files.open(path)
    window.document.edit(window.document.design.without_blocks(["loss"]), "Delete")
    for words in ("first bug", "second bug"):
        try:
            raise RuntimeError(words)
        except RuntimeError as error:
            crash_report.report(RuntimeError, error, error.__traceback__)
    reports = [w for w in QApplication.topLevelWidgets() if w.objectName() == "crash_report" and w.isVisible()]
    assert len(reports) == 1
    report = reports[0]
    assert isinstance(report, QDialog)
    assert not report.isModal()
    details = report.findChild(QPlainTextEdit, "crash_details").toPlainText()
    assert "first bug" in details
    assert "second bug" in details
    assert design_file.load(tmp_path / "mine.recovered.seqdec") == window.document.design
    assert design_file.load(path).has("loss")  # the file itself is as it was saved
    report.close()
