"""The Code tab: the script that a run trains, live."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtWidgets import QApplication, QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot

from seqdec_gui.domain.codegen import generate
from seqdec_gui.domain.design import Design
from seqdec_gui.gui.pages.code import page as code_view
from seqdec_gui.gui.window.main_window import MainWindow
from tests.gui.conftest import press
from tests.gui.test_main_window import name_file, template

Find = Callable[..., Any]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the script soon after a change."""
    monkeypatch.setattr(code_view, "DELAY_MS", 20)


def test_the_script_follows_the_design(window: MainWindow, find: Find, qtbot: QtBot) -> None:
    editor = find(QPlainTextEdit, "code_view")
    window.files.new_from(template())
    window.pages.show_page("code")
    qtbot.waitUntil(lambda: editor.toPlainText() == generate(window.document.design))
    window.document.rename("model_1", "encoder")
    qtbot.waitUntil(lambda: "def build_encoder()" in editor.toPlainText())
    assert editor.isReadOnly()


def test_a_design_with_errors_has_no_script_and_says_why(window: MainWindow, find: Find, qtbot: QtBot) -> None:
    window.files.new_from(template())
    window.pages.show_page("code")
    editor = find(QPlainTextEdit, "code_view")
    qtbot.waitUntil(lambda: editor.isVisible() and bool(editor.toPlainText()))
    window.document.edit(window.document.design.without_blocks(["loss"]), "Delete")
    qtbot.waitUntil(lambda: not editor.isVisible())
    assert editor.toPlainText() == ""
    window.document.undo_stack.undo()
    qtbot.waitUntil(lambda: bool(editor.toPlainText()))
    window.document.edit(Design(), "Delete all")
    qtbot.waitUntil(lambda: not editor.toPlainText())


def test_the_script_is_copied_and_saved_whole(window: MainWindow, find: Find, qtbot: QtBot, tmp_path: Path) -> None:
    window.files.new_from(template())
    window.pages.show_page("code")
    editor = find(QPlainTextEdit, "code_view")
    qtbot.waitUntil(lambda: bool(editor.toPlainText()))
    press(find(QPushButton, "code_copy"))
    assert QApplication.clipboard().text() == generate(window.document.design)
    press(find(QPushButton, "code_save"))
    name_file(qtbot, tmp_path / "stack")
    qtbot.waitUntil((tmp_path / "stack.py").exists)
    assert (tmp_path / "stack.py").read_text() == generate(window.document.design)


def test_reading_on_is_not_disturbed_by_a_change_elsewhere(window: MainWindow, find: Find, qtbot: QtBot) -> None:
    window.files.new_from(template())
    window.pages.show_page("code")
    editor = find(QPlainTextEdit, "code_view")
    qtbot.waitUntil(lambda: editor.verticalScrollBar().maximum() > 10)
    editor.verticalScrollBar().setValue(10)
    block = window.document.design.block("model_2")
    changed = window.document.design.with_parameters("model_2", type(block.parameters)(output_units=30))
    window.document.edit(changed, "Change")
    qtbot.waitUntil(lambda: "30" in editor.toPlainText())
    assert editor.verticalScrollBar().value() == 10
