"""The tree of the window on the accessibility bus, walked by another process as a screen reader does (`make test-at-spi`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from PyQt5 import sip
from PyQt5.QtCore import QProcess, QProcessEnvironment, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.look.assistive import ALWAYS_ON
from seqdec_gui.gui.window.main_window import MainWindow
from tests.gui.every_dialog import DIALOGS, open_dialog, settle
from tests.gui.trained_runs import example_in, trained

pytestmark = [
    pytest.mark.at_spi,
    pytest.mark.skipif(not os.environ.get(ALWAYS_ON), reason="needs the accessibility bus: run make test-at-spi"),
]
WALKER = ("/usr/bin/python3", str(Path(__file__).parents[2] / "tools" / "walk_at_spi.py"))
PAGES = ("design", "code", "data", "train", "runs", "queue", "sweep", "generate")
CONTAINERS = ("filler", "panel", "layered pane", "split pane", "frame", "scroll pane")
"""The roles that Qt gives to widgets which only hold others."""
NO_ROLE = ("unknown", "invalid")


class Line(msgspec.Struct, frozen=True):
    """What `tools/walk_at_spi.py` prints of an accessible."""

    depth: int
    role: str
    name: str
    label: str
    description: str
    states: list[str]
    actions: list[str]
    children: int


def walked(qtbot: QtBot, *options: str) -> list[Line]:
    """Let the other process walk, and return what it printed."""
    environment = QProcessEnvironment.systemEnvironment()
    for name in ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH"):
        environment.remove(name)
    walker = QProcess()
    walker.setProcessEnvironment(environment)
    with qtbot.waitSignal(walker.finished, timeout=60_000):
        walker.start(*WALKER[:1], [*WALKER[1:], str(os.getpid()), *options])
    assert walker.exitCode() == 0, bytes(walker.readAllStandardError()).decode()[-2000:]
    printed = bytes(walker.readAllStandardOutput()).decode().splitlines()
    return [msgspec.json.decode(line, type=Line) for line in printed if line.startswith("{")]


def faults(lines: list[Line]) -> list[str]:
    """Return what a screen reader could not tell of the controls that can be seen."""
    found = []
    for line in lines:
        if "focusable" not in line.states and not line.actions:
            continue
        if line.role == "table cell" and not line.name:
            continue  # an empty cell
        holds = line.role in CONTAINERS and line.children
        if line.role in NO_ROLE or (line.role in CONTAINERS and not line.children):
            found.append(f"{line.name or 'something'} has no role: {line}")
        if not holds and not (line.name.strip() or line.label.strip() or line.role == "scroll bar"):
            found.append(f"without a name: {line}")
        if line.role == "combo box" and not (line.label.strip() or line.description.strip()):
            found.append(f"a combo box tells its value only: {line}")
    return found


@pytest.fixture
def roman(opened: Callable[..., MainWindow], tmp_path: Path) -> Iterator[MainWindow]:
    path = example_in(tmp_path, "roman")
    trained(path, "first")
    return opened(path)


def told(found: list[str]) -> None:
    assert found == [], "\n".join(dict.fromkeys(found))


def test_every_control_of_every_page_has_a_name_and_a_role(roman: MainWindow, qtbot: QtBot) -> None:
    found = []
    for page in PAGES:
        roman.pages.show_page(page)
        settle(qtbot)
        lines = walked(qtbot)
        assert len(lines) > 40
        found += [f"{page}: {fault}" for fault in faults(lines)]
    told(found)


def test_the_blocks_and_ports_of_the_canvas_are_in_the_tree_and_can_be_pressed(roman: MainWindow, qtbot: QtBot) -> None:
    settle(qtbot)
    blocks = roman.document.design.blocks
    view = roman.design_view
    qtbot.waitUntil(lambda: all(view.findChild(QPushButton, f"spoken_{block.id}") is not None for block in blocks))
    lines = walked(qtbot)
    for block in blocks:
        (line,) = [line for line in lines if line.name == f"{block.parameters.title} {block.id}"]
        assert (line.role, line.actions) == ("push button", ["Press"])
        assert ("parameters" in line.description) == (block.id in ("encoder", "decoder"))
    (canvas,) = [line for line in lines if line.name.startswith("Canvas, ")]
    assert (canvas.role, canvas.name, canvas.children) == ("panel", "Canvas, 5 blocks and 4 wires", len(blocks))
    ports = [line.name for line in lines if line.name.startswith(("input ", "output "))]
    assert len(ports) == 8
    assert any(name.startswith("input initial_states") and name.endswith("connected with encoder.states") for name in ports)
    walked(qtbot, "--press", "Recurrent decoder decoder")
    qtbot.waitUntil(lambda: roman.document.selection == {"decoder"})


def test_what_a_screen_reader_presses_is_done(roman: MainWindow, qtbot: QtBot) -> None:
    settle(qtbot)
    before = len(roman.document.design.blocks)
    walked(qtbot, "--press", "Add Vector")
    qtbot.waitUntil(lambda: [block.kind for block in roman.document.design.blocks[before:]] == ["vector"])
    walked(qtbot, "--press", "Runs")
    qtbot.waitUntil(lambda: roman.pages.current == "runs")


def test_every_control_of_every_dialog_has_a_name_and_a_role(roman: MainWindow, qtbot: QtBot) -> None:
    found = []
    for name in DIALOGS:
        dialog = open_dialog(name, roman, qtbot)
        lines = walked(qtbot, "--window", dialog.windowTitle())
        assert lines != [], name
        found += [f"{name}: {fault}" for fault in faults(lines)]
        QTest.keyPress(dialog.windowHandle(), Qt.Key_Escape)
        qtbot.waitUntil(lambda dialog=dialog: sip.isdeleted(dialog) or not dialog.isVisible())
        QApplication.setActiveWindow(roman)
    told(found)


def test_every_control_of_the_empty_window_has_a_name_and_a_role(window: MainWindow, qtbot: QtBot) -> None:
    settle(qtbot)
    told(faults(walked(qtbot)))
    walked(qtbot, "--press", "Sequence to sequence")
    qtbot.waitUntil(lambda: len(window.document.design.blocks) > 3)
    window.actions_by_name["palette"].trigger()
    settle(qtbot)
    told(faults(walked(qtbot)))
    QTest.keyClick(window.windowHandle(), Qt.Key_Escape)
