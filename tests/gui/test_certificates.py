"""The certificate of a run: its badge, the table's column and the dialog; one of the comparisons is done by real children."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAbstractButton, QComboBox, QDialog, QLabel, QPushButton, QTableView, QTableWidget, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.domain import document as design_file
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.workspace import TrainingState
from seqdec_gui.runs import certificate as certificates
from seqdec_gui.runs import folder, process
from seqdec_gui.runs.certificate import BlockDifference, Certificate
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.spec import DeviceChoice, RunSpec
from seqdec_gui.runs.tasks import Cancelled, Progress
from tests.gui.conftest import press
from tests.gui.trained_runs import example_in

pytestmark = pytest.mark.slow

CHILD = Path(__file__).with_name("training_child.py")
TWO, CPU = DeviceChoice("cpu", count=2), DeviceChoice("cpu")
Opened = Callable[..., MainWindow]
Make = Callable[..., RunFolder]
GOOD = Certificate(
    passed=True, engine="jax", devices=TWO, reference=CPU, batch_size=64, steps=5, seed=0, data="real",
    prediction_difference=6e-8, weight_difference=1.2e-7, weight="decoder/LSTM/kernel", metric_differences={"loss": 0.0},
    blocks=(BlockDifference("decoder", 1.2e-7, "LSTM/kernel"),), created=1e9,
)  # fmt: skip
BAD = Certificate(
    passed=False, engine="jax", devices=TWO, reference=CPU, batch_size=64, steps=5, seed=0, data="real",
    prediction_difference=2.5e-2, weight_difference=3e-2, metric_differences={"loss": 1e-3, "loss/kl": None},
    blocks=(BlockDifference("decoder", 3e-2, "BN/moving_mean"),), culprit="decoder", cause="its statistics are local.",
    repair="training.batch_statistics=global", repair_text="Set training.batch_statistics=global.",
)  # fmt: skip


@pytest.fixture
def design(tmp_path: Path) -> Path:
    return example_in(tmp_path, "roman")


@pytest.fixture
def make(design: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes finished runs of the design."""
    with monkeypatch.context() as patched:
        patched.setattr("seqdec_gui.runs.engine_choice.missing", lambda *_: "")
        made: list[process.RunProcess] = []

        def make_one(devices: DeviceChoice = TWO) -> RunFolder:
            spec = RunSpec(
                design=design_file.to_builtins(design_file.load(design)),
                design_path=str(design),
                folder=str(design.parent),
                devices=devices,
                engine="jax",
                created=1e9 + len(made),
            )
            run = folder.create(None, design, now=1e9 + len(made))
            made.append(process.start(run, spec, argv=(sys.executable, str(CHILD), "finish")))
            made[-1].wait(20)
            return run

        yield make_one
        for each in made:
            each.kill()
            each.wait(10)


@pytest.fixture
def comparison(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What stands in for `certify` gives back `result`, after `waits`; `asked` is what it was called with."""
    answer: dict[str, Any] = {"result": GOOD, "waits": 0.0}

    def certify(design, folder, devices, *, engine, on_progress, cancelled):
        answer["asked"] = (design, folder, devices, engine)
        on_progress(Progress(done=1, total=5, text="cpu:2"))
        until = time.monotonic() + answer["waits"]
        while time.monotonic() < until:
            if cancelled():
                raise Cancelled("Cancelled.")
            time.sleep(0.01)
        return answer["result"]

    monkeypatch.setattr(certificates, "certify", certify)
    return answer


def column(window: MainWindow, title: str, role: int = Qt.DisplayRole) -> list[Any]:
    model = window.findChild(QTableView, "runs_table").model()
    titles = [model.headerData(number, Qt.Horizontal) for number in range(model.columnCount())]
    return [model.index(row, titles.index(title)).data(role) for row in range(model.rowCount())]


def show_runs(qtbot: QtBot, window: MainWindow, count: int) -> None:
    window.pages.show_page("runs")
    qtbot.waitUntil(lambda: window.findChild(QTableView, "runs_table").model().rowCount() == count, timeout=10_000)


def show_run(qtbot: QtBot, window: MainWindow, run: RunFolder, text: str) -> QAbstractButton:
    """Show a run on the Train page and wait until its badge says this."""
    window.pages.show_page("train")
    window.workspace.run_requested.emit(run.path)
    badge = window.findChild(QAbstractButton, "certificate_badge")
    qtbot.waitUntil(lambda: badge.text() == text and badge.isVisible(), timeout=10_000)
    return badge


def dialog_of(qtbot: QtBot, window: MainWindow) -> QDialog:
    qtbot.waitUntil(lambda: window.findChild(QDialog, "certificate_dialog") is not None, timeout=5_000)
    dialog = window.findChild(QDialog, "certificate_dialog")
    qtbot.waitExposed(dialog)
    qtbot.waitUntil(lambda: find(dialog, "certificate_devices").count() > 0, timeout=5_000)
    return dialog


def find(parent: QWidget, name: str) -> Any:
    found = parent.findChild(QWidget, name)
    assert found is not None, name
    return found


def close(qtbot: QtBot, window: MainWindow, dialog: QDialog) -> None:
    press(find(dialog, "certificate_close"))
    qtbot.waitUntil(lambda: window.findChild(QDialog, "certificate_dialog") is None, timeout=2_000)


def test_a_run_is_certified_from_the_table_and_keeps_its_badge(
    qtbot: QtBot, opened: Opened, design: Path, make: Make, comparison: dict[str, Any]
) -> None:
    run, window = make(), opened(design)
    show_runs(qtbot, window, 1)
    assert column(window, "Certificate") == ["Not certified"]
    window.findChild(QTableView, "runs_table").selectRow(0)
    press(find(window, "run_certify"))
    dialog = dialog_of(qtbot, window)
    assert find(dialog, "certificate_verdict").text() == "Not certified"
    press(find(dialog, "certify_button"))
    qtbot.waitUntil(lambda: find(dialog, "certificate_verdict").text() == "Equal", timeout=5_000)
    asked, base, devices, engine = comparison["asked"]
    assert (asked, base, devices, engine) == (design_file.load(design), design.parent, TWO, "jax")
    assert "6.0e-08 at most" in find(dialog, "certificate_sentence").text()
    assert "Compared on the design's own rows." in find(dialog, "certificate_sentence").text()
    assert certificates.read(run) == GOOD
    qtbot.waitUntil(lambda: column(window, "Certificate") == ["Equal"], timeout=5_000)
    assert column(window, "Certificate", Qt.ForegroundRole)[0].name() == theme.current().ok
    assert "Predictions: 6.0e-08" in column(window, "Certificate", Qt.ToolTipRole)[0]
    close(qtbot, window, dialog)


def test_a_failed_comparison_names_the_block_and_its_repair_can_be_undone(
    qtbot: QtBot, opened: Opened, design: Path, make: Make, comparison: dict[str, Any]
) -> None:
    run = make()
    comparison["result"] = BAD
    window = opened(design)
    design_before = window.document.design
    badge = show_run(qtbot, window, run, "Not certified")
    press(badge)
    dialog = dialog_of(qtbot, window)
    press(find(dialog, "certify_button"))
    qtbot.waitUntil(lambda: badge.text() == "Not equal: decoder", timeout=5_000)
    assert "It begins in block decoder" in badge.toolTip()
    assert "Loss: 1.0e-03" in badge.toolTip()
    assert "Kl: not a number" in badge.toolTip()
    table: QTableWidget = find(dialog, "certificate_table")
    last = table.item(table.rowCount() - 1, 0)
    assert last.text() == "Block decoder"
    assert last.foreground().color().name() == theme.current().error
    window.document.edit(design_before.with_training(_local(design_before.training)), "Local statistics")
    repair = find(dialog, "certificate_repair")
    press(repair)
    assert window.document.design == design_before
    assert not repair.isEnabled()
    window.document.undo_stack.undo()
    assert window.document.design.training.batch_statistics == "local"
    close(qtbot, window, dialog)


def _local(training):
    import msgspec

    return msgspec.structs.replace(training, batch_statistics="local")


def test_a_run_on_one_device_has_no_badge_until_it_was_compared(
    qtbot: QtBot, opened: Opened, design: Path, make: Make, comparison: dict[str, Any]
) -> None:
    run, other = make(CPU), make()
    window = opened(design)
    show_run(qtbot, window, other, "Not certified")
    window.workspace.run_requested.emit(run.path)
    badge = window.findChild(QAbstractButton, "certificate_badge")
    qtbot.waitUntil(lambda: not badge.isVisible(), timeout=5_000)
    show_runs(qtbot, window, 2)
    assert column(window, "Certificate") == ["Not certified", ""]
    window.findChild(QTableView, "runs_table").selectRow(1)
    press(find(window, "run_certify"))
    dialog = dialog_of(qtbot, window)
    devices: QComboBox = find(dialog, "certificate_devices")
    assert [devices.itemData(number) for number in range(devices.count())] == [TWO]
    press(find(dialog, "certify_button"))
    qtbot.waitUntil(lambda: column(window, "Certificate") == ["Not certified", "Equal"], timeout=5_000)
    close(qtbot, window, dialog)


def test_a_comparison_can_be_given_up_and_is_refused_while_a_run_trains(
    qtbot: QtBot, opened: Opened, design: Path, make: Make, comparison: dict[str, Any]
) -> None:
    run = make()
    comparison["waits"] = 60.0
    window = opened(design)
    press(show_run(qtbot, window, run, "Not certified"))
    dialog = dialog_of(qtbot, window)
    button: QPushButton = find(dialog, "certify_button")
    window.workspace.set_training(TrainingState("running", ("cpu:0",)))
    assert not button.isEnabled()
    assert "A run is training" in button.toolTip()
    window.workspace.set_training(TrainingState())
    press(button)
    words: QLabel = find(dialog, "certificate_progress_words")
    qtbot.waitUntil(lambda: words.text() == "1 of 5 steps on cpu:2", timeout=5_000)
    press(find(dialog, "cancel_certifying"))
    qtbot.waitUntil(lambda: button.isVisible(), timeout=5_000)
    assert certificates.read(run) is None
    press(button)
    QTest.keyPress(dialog.windowHandle(), Qt.Key_Escape)  # ends the comparison, and the window that a release would go to
    qtbot.waitUntil(lambda: window.findChild(QDialog, "certificate_dialog") is None, timeout=5_000)


def test_a_damaged_run_says_so(qtbot: QtBot, opened: Opened, design: Path, make: Make) -> None:
    run = make()
    window = opened(design)
    badge = show_run(qtbot, window, run, "Not certified")
    shutil.rmtree(run.copies)
    run.spec.write_text("{")
    press(badge)
    qtbot.waitUntil(lambda: window.findChild(QDialog, "certificate_dialog") is not None, timeout=5_000)
    dialog = window.findChild(QDialog, "certificate_dialog")
    qtbot.waitUntil(lambda: "is damaged" in find(dialog, "certificate_sentence").text(), timeout=5_000)
    assert not find(dialog, "certify_button").isEnabled()
    close(qtbot, window, dialog)


@pytest.mark.slow
def test_two_cpu_devices_are_compared_with_one_by_real_children(qtbot: QtBot, opened: Opened, design: Path, make: Make) -> None:
    run, window = make(), opened(design)
    press(show_run(qtbot, window, run, "Not certified"))
    dialog = dialog_of(qtbot, window)
    press(find(dialog, "certify_button"))
    qtbot.waitUntil(lambda: find(dialog, "certificate_verdict").text() == "Equal", timeout=180_000)
    found = certificates.read(run)
    assert found is not None
    assert found.passed
    assert (found.devices, found.engine, found.data) == (TWO, "jax", "real")
    close(qtbot, window, dialog)
