"""The list of problems: every text is readable whole, whatever it holds, and nothing widens the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QFontMetricsF
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QLabel, QListWidget, QStyleOptionViewItem
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.domain.edit import set_value
from seqdec_gui.domain.problems import Problem
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.window.main_window import MainWindow

Find = Callable[..., Any]
LONG = "/somewhere/" + "a_long_name_without_any_space_" * 8 + ".npz"


def with_problems(window: MainWindow, qtbot: QtBot) -> QListWidget:
    window.files.new_from(resource_files.path("templates/latent-to-sequence.seqdec"))
    design = set_value(window.document.design, "data.file", LONG)
    window.document.edit(set_value(design, "training.batch_size", "64"), "Name a file that is not there")
    from seqdec_gui.domain.edit import bind

    window.document.edit(bind(window.document.design, "latent", ["X"]), "Bind")
    found = window.findChild(QListWidget, "problems_list")
    qtbot.waitUntil(lambda: any(LONG in found.item(row).text() for row in range(found.count())), timeout=10_000)
    return found


@pytest.mark.parametrize("width", [1280, 1000])
def test_a_text_with_a_long_word_is_shown_whole_in_as_many_lines_as_it_needs(
    window: MainWindow, qtbot: QtBot, width: int
) -> None:
    found = with_problems(window, qtbot)
    window.resize(width, 800)
    qtbot.waitUntil(lambda: window.width() <= width)
    assert not found.horizontalScrollBar().isVisible()
    for row in range(found.count()):
        item = found.item(row)
        place = found.visualItemRect(item)
        assert place.width() <= found.viewport().width()
        metrics = QFontMetricsF(found.font())
        lines = metrics.horizontalAdvance(item.text()) / (found.viewport().width() - 40)
        assert place.height() >= metrics.height() * min(lines, int(lines) + 1), item.text()


def test_no_text_runs_into_the_next_after_the_list_became_narrower(window: MainWindow, qtbot: QtBot) -> None:
    found = with_problems(window, qtbot)

    def heights_suit() -> bool:
        option = QStyleOptionViewItem()
        option.initFrom(found)
        option.font, option.fontMetrics = found.font(), found.fontMetrics()
        rows = range(found.count())
        needed = [found.itemDelegate().sizeHint(option, found.model().index(row, 0)).height() for row in rows]
        return [found.visualItemRect(found.item(row)).height() for row in rows] == needed

    for width in (1900, 1280, 1050, 1400, 1280):
        window.resize(width, 800)
        qtbot.waitUntil(heights_suit, timeout=5_000)


def test_a_wider_list_needs_fewer_lines(window: MainWindow, qtbot: QtBot) -> None:
    found = with_problems(window, qtbot)
    (row,) = [row for row in range(found.count()) if LONG in found.item(row).text()]
    window.resize(1000, 800)
    qtbot.waitUntil(lambda: found.visualItemRect(found.item(row)).height() > 40)
    high = found.visualItemRect(found.item(row)).height()
    window.resize(1920, 800)
    qtbot.waitUntil(lambda: found.visualItemRect(found.item(row)).height() < high)


def test_a_click_on_any_line_of_a_problem_leads_to_its_place(window: MainWindow, qtbot: QtBot, find: Find) -> None:
    found = with_problems(window, qtbot)
    chosen = []
    window.problems.problem_chosen.connect(chosen.append)
    (item,) = [found.item(row) for row in range(found.count()) if LONG in found.item(row).text()]
    found.scrollToItem(item)
    below = found.visualItemRect(item).bottomLeft()
    QTest.mouseClick(found.viewport(), Qt.LeftButton, Qt.NoModifier, below.__class__(below.x() + 60, below.y() - 6))
    assert chosen == [item.data(Qt.UserRole)]
    assert item.data(Qt.AccessibleTextRole).startswith("error: ")


def test_the_name_of_a_file_never_widens_the_window(window: MainWindow, qtbot: QtBot, tmp_path: Path, find: Find) -> None:
    path = tmp_path / ("long_name_" * 20 + ".csv")
    path.write_text("one,two\n" + "a,b\n" * 50)
    window.files.new_from(resource_files.path("templates/sequence-to-sequence.seqdec"))
    window.resize(1280, 800)
    window.pages.show_page("data")
    window.take_file(path)
    qtbot.waitUntil(lambda: not background.busy(), timeout=10_000)
    assert window.width() == 1280
    path.unlink()
    window.document.edit(set_value(window.document.design, "data.file", str(path) + "x"), "Another")
    qtbot.waitUntil(lambda: not background.busy(), timeout=10_000)
    assert window.width() == 1280
    assert window.minimumSizeHint().width() <= 1280


def test_a_refusal_speaks_of_the_window_and_not_of_the_command_line() -> None:
    problem = Problem("error", "empty_file", "data", "a.csv is empty.", "If its first line is a row, say so: data.header=no.")
    assert notify.without_place(problem) == "a.csv is empty. Choose a file that has rows."


def test_an_empty_panel_says_of_which_design_it_is(window: MainWindow, qtbot: QtBot) -> None:
    """No problems in an empty design are something else than none in one that was opened after it."""
    words = window.problems.findChildren(QLabel)
    assert [label.text() for label in words] == ["The design is empty."]
    window.files.open(resource_files.path("examples/digits.seqdec"))
    qtbot.waitUntil(lambda: [label.text() for label in words] == ["No problems."])
