"""Hosts in the window: the dialog, the list of devices, and a run on a host whose link is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QLineEdit, QPlainTextEdit, QTreeWidget, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.domain import document as design_file
from seqdec_gui.gui.dialogs.hosts import open_hosts
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.training_session import session_of
from seqdec_gui.runs.hosts import book
from seqdec_gui.runs.hosts.book import Host
from tests.hosts import sshd
from tests.hosts.sshd import Server
from tests.runner import designs

LONGEST_MS = 120_000


def click(window: QWidget, widget: QWidget) -> None:
    place = widget.mapTo(window, widget.rect().center())
    QTest.mouseClick(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, place)


def part(window: QWidget, name: str) -> QWidget:
    found = window.findChildren(QWidget, name)
    assert len(found) == 1, f"{len(found)} of {name}"
    return found[0]


def type_into(dialog: QWidget, name: str, text: str) -> None:
    field = part(dialog, name)
    assert isinstance(field, QLineEdit)
    click(dialog, field)
    field.selectAll()
    for letter in text:
        QTest.keyClick(dialog.windowHandle(), letter)


def test_hosts_are_added_and_removed_in_the_dialog(qtbot: QtBot, window: MainWindow) -> None:
    dialog = open_hosts(window.workspace, window)
    qtbot.waitExposed(dialog)
    output, table = part(dialog, "hosts_output"), part(dialog, "hosts_table")
    assert isinstance(output, QPlainTextEdit)
    assert isinstance(table, QTreeWidget)
    type_into(dialog, "hosts_name", "my lab")
    type_into(dialog, "hosts_address", "me@server")
    click(dialog, part(dialog, "hosts_add"))
    qtbot.waitUntil(lambda: "Expected a name of letters" in output.toPlainText())
    assert not part(dialog, "hosts_prepare").isEnabled()
    type_into(dialog, "hosts_name", "lab")
    click(dialog, part(dialog, "hosts_add"))
    qtbot.waitUntil(lambda: table.topLevelItemCount() == 1)
    assert [host.name for host in book.read()] == ["lab"]
    assert part(dialog, "hosts_prepare").isEnabled()
    click(dialog, part(dialog, "hosts_remove"))
    qtbot.waitUntil(lambda: table.topLevelItemCount() == 0)
    assert book.read() == ()
    dialog.close()
    qtbot.waitUntil(lambda: window.workspace.devices.hosts == {}, timeout=20_000)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with sshd.running(tmp_path) as server:
        book.add(Host("lab", "there", str(server.home / "work"), server.python()))
        yield server


@pytest.mark.slow
def test_a_run_on_a_host_is_followed_through_a_lost_link_and_stopped(
    qtbot: QtBot, opened: Callable[..., MainWindow], server: Server, tmp_path: Path
) -> None:
    data = designs.write_rows(tmp_path, 240)
    file = tmp_path / "mine.seqdec"
    design_file.save(designs.bound(designs.noisy(), data, batch_size=12, epochs=100_000, learning_rate=1e-2), file)
    window = opened(file)
    picker, train = part(window, "device_picker"), part(window, "train_button")
    click(window, picker)
    devices = window.findChild(QWidget, "device_list")
    qtbot.waitUntil(lambda: devices.findChild(QWidget, "device_lab_cpu") is not None, timeout=LONGEST_MS)
    chosen = part(devices, "device_lab_cpu")
    QTest.mouseClick(devices.windowHandle(), Qt.LeftButton, Qt.NoModifier, chosen.mapTo(devices, chosen.rect().center()))
    devices.hide()
    qtbot.waitUntil(lambda: train.text() == "Train on CPU of lab", timeout=10_000)
    assert "CPU of lab" in picker.text()
    qtbot.waitUntil(train.isEnabled, timeout=20_000)
    click(window, train)
    session, bar = session_of(window.workspace), part(window, "message_bar")
    qtbot.waitUntil(lambda: session.active is not None and session.active.history.started is not None, timeout=LONGEST_MS)
    run = session.active
    qtbot.waitUntil(lambda: run.state == "running", timeout=LONGEST_MS)
    server.proxy.down = True
    server.proxy.cut()
    qtbot.waitUntil(lambda: bar.isVisible() and "The link to lab is lost" in bar.text, timeout=LONGEST_MS)
    assert "the run goes on there" in bar.text
    server.proxy.down = False
    qtbot.waitUntil(lambda: not bar.isVisible(), timeout=LONGEST_MS)
    click(window, part(window, "stop_button"))
    qtbot.waitUntil(lambda: session.active is None, timeout=LONGEST_MS)
    assert session.shown.status.state == "stopped"
    # Resumed on the host, though the devices of this machine are chosen now
    click(window, picker)
    here = part(devices, "device_cpu")
    QTest.mouseClick(devices.windowHandle(), Qt.LeftButton, Qt.NoModifier, here.mapTo(devices, here.rect().center()))
    devices.hide()
    session.resume(run.run)
    qtbot.waitUntil(lambda: session.active is not None and session.active.state == "running", timeout=LONGEST_MS)
    session.active.stop()
    qtbot.waitUntil(lambda: session.active is None, timeout=LONGEST_MS)
    assert session.shown.status.state == "stopped"
