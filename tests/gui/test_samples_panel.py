"""The Train page while a run measures what it generates: its curves, and the rows with the differences from their targets."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QLabel, QTableView, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.widgets.text_differences import CARET, OTHER, Marked, marked
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.training_session import session_of
from seqdec_gui.runs.events import Epoch, EventWriter, Finished, Started
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.quality import samples
from seqdec_gui.runs.quality.samples import Sampled, SampledRow
from tests.gui.trained_runs import example_in, trained

Opened = Callable[..., MainWindow]


@pytest.mark.parametrize(
    ("target", "generated", "expected"),
    [
        ("XIV", "XIV", Marked("XIV", ())),
        ("XIV", "XVV", Marked("XVV", ((1, 1),))),
        ("XIV", "XV", Marked(f"X{CARET}V", ((1, 1),))),
        ("XIIV", "XV", Marked(f"X{CARET}V", ((1, 1),))),
        ("X", "XI", Marked("XI", ((1, 1),))),
        ("", "", Marked("", ())),
    ],
)
def test_differences_are_marked_where_they_are(target: str, generated: str, expected: Marked) -> None:
    assert marked(target, generated) == expected


def run_with_samples(folder: Path) -> RunFolder:
    run = trained(example_in(folder, "roman"), "20250101-000000-roman")
    rows = (SampledRow(7, "8", "VIII", "VIII"), SampledRow(13, "14", "XIV", "XVV"))
    with EventWriter(run.events) as events:
        events.write(Started(epochs=2, steps_per_epoch=5, batch_size=64, devices=("cpu:0",), engine="jax"))
        for epoch, exact in ((1, 0.1), (2, 0.5)):
            metrics = {"loss": 1 / epoch, "val_loss": 1 / epoch, "token_accuracy": 0.5, "val_free_exact_match": exact}
            metrics |= {"val_free_chrf": 30.0 * epoch}
            events.write(Epoch(epoch=epoch, step=5 * epoch, metrics=metrics))
            samples.append(run.samples, Sampled(epoch=epoch, step=5 * epoch, rows=rows[:epoch]))
        events.write(Finished(epoch=2, step=10))
    return run


def find(window: QWidget, name: str) -> QWidget:
    found = window.findChild(QWidget, name)
    assert found is not None, name
    return found


def test_the_rows_of_the_last_report_stand_beside_the_curves(qtbot: QtBot, opened: Opened, tmp_path: Path) -> None:
    run = run_with_samples(tmp_path)
    window = opened(tmp_path / "roman.seqdec")
    window.pages.show_page("train")
    session_of(window.workspace).show(run)
    panel, table = find(window, "samples_panel"), window.findChild(QTableView, "samples_table")
    qtbot.waitUntil(panel.isVisible, timeout=10_000)
    qtbot.waitUntil(lambda: table.model().rowCount() == 2, timeout=10_000)
    caption = window.findChild(QLabel, "samples_caption").text()
    assert caption == "Generated after epoch 2: 1 of 2 rows right"
    shown = [[table.model().index(row, column).data() for column in range(4)] for row in range(2)]
    assert shown == [["✓", "8", "VIII", "VIII"], ["✗", "14", "XIV", "XVV"]]
    wrong = table.model().index(1, 3)
    assert wrong.data(OTHER) == "XIV"
    assert wrong.data(Qt.ToolTipRole) == "Row 14: 1 edit away from XIV"

    def plotted(plot: str) -> list[str]:
        return [item.name() for item in find(window, plot).listDataItems() if item.getData()[0] is not None]

    qtbot.waitUntil(lambda: window.findChild(QWidget, "scores_plot") is not None, timeout=10_000)
    qtbot.waitUntil(lambda: plotted("quality_plot") == ["val_free_exact_match"], timeout=10_000)
    qtbot.waitUntil(lambda: plotted("scores_plot") == ["val_free_chrf"], timeout=10_000)
    assert "val_free_exact_match" not in plotted("metrics_plot")
    if folder := os.environ.get("SAMPLES_PICTURE"):
        qtbot.wait(500)
        window.grab().save(folder)


def test_a_run_that_measures_nothing_shows_neither_table_nor_plots(qtbot: QtBot, opened: Opened, tmp_path: Path) -> None:
    measured = run_with_samples(tmp_path)
    plain = trained(tmp_path / "roman.seqdec", "20250102-000000-roman")
    with EventWriter(plain.events) as events:
        events.write(Started(epochs=1, steps_per_epoch=5, batch_size=64, devices=("cpu:0",), engine="jax"))
        events.write(Epoch(epoch=1, step=5, metrics={"loss": 1.0, "val_loss": 1.0}))
        events.write(Finished(epoch=1, step=5))
    window = opened(tmp_path / "roman.seqdec")
    window.pages.show_page("train")
    session = session_of(window.workspace)
    session.show(measured)
    qtbot.waitUntil(lambda: window.findChild(QWidget, "quality_plot") is not None, timeout=10_000)
    session.show(plain)
    qtbot.waitUntil(lambda: not find(window, "samples_panel").isVisible(), timeout=10_000)
    qtbot.waitUntil(lambda: not find(window, "quality_plot").isVisible(), timeout=10_000)
