"""The plots of the Train page, from a finished run's folder: axes, cross hair, marks, overlaid runs, colours."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt5.QtCore import QEvent, QPoint, Qt
from PyQt5.QtGui import QFontMetricsF, QMouseEvent
from PyQt5.QtWidgets import QApplication, QCheckBox, QLabel, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.train.line_look import DARK, LIGHT
from seqdec_gui.gui.pages.train.plots import MetricPlot
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.training_session import session_of
from seqdec_gui.runs.events import (
    Checkpoint,
    CommandAnswer,
    Continued,
    DeviceLoad,
    Epoch,
    EventWriter,
    Finished,
    Paused,
    Started,
    Step,
)
from seqdec_gui.runs.folder import RunFolder
from tests.gui.conftest import press
from tests.gui.trained_runs import example_in, trained

EPOCHS, STEPS = 6, 50


def write_events(run: RunFolder, scale: float = 1.0, epochs: int = EPOCHS) -> None:
    with EventWriter(run.events) as events:
        now = 1_700_000_000.0
        events.write(Started(time=now, epochs=epochs, steps_per_epoch=STEPS, batch_size=64, devices=("gpu:0",), engine="jax"))
        for at in range(5, epochs * STEPS + 1, 5):
            now += 1.0
            loss = scale * (2.0 * math.exp(-at / 60) + 0.05)
            figures = {"loss": loss, "token_accuracy": 1 - loss / 3, "learning_rate": 1e-3, "samples_per_s": 5000.0}
            events.write(Step(time=now, epoch=(at - 1) // STEPS + 1, step=at, metrics=figures))
            events.write(DeviceLoad(time=now, id="gpu:0", memory_used=6 << 30, memory_total=24 << 30, load=0.9))
            if at == 100:
                events.write(CommandAnswer(time=now, id="a", command="set_learning_rate", text="The learning rate is 0.0003."))
            if at == 150:
                events.write(Paused(time=now, step=at))
                now += 120
                events.write(Continued(time=now, step=at))
            if at % STEPS == 0:
                epoch = at // STEPS
                measured = {"loss": loss, "val_loss": 1.2 * loss, "token_accuracy": 0.5, "val_token_accuracy": 0.4}
                events.write(Epoch(time=now, epoch=epoch, step=at, metrics=measured))
                events.write(Checkpoint(time=now, name="best", epoch=epoch, step=at, path="best", metrics=measured))
        events.write(Finished(time=now, epoch=epochs, step=epochs * STEPS))


@pytest.fixture
def runs(tmp_path: Path) -> list[RunFolder]:
    """Three finished runs of one design; the last is shorter."""
    design = example_in(tmp_path, "roman")
    made = [trained(design, name) for name in ("first", "second", "third")]
    for run, scale, epochs in zip(made, (1.0, 0.5, 2.0), (EPOCHS, EPOCHS, 2), strict=True):
        write_events(run, scale, epochs)
    return made


@pytest.fixture
def shown(opened: Callable[..., MainWindow], runs: list[RunFolder], qtbot: QtBot) -> MainWindow:
    """The Train page with the curves of the first run."""
    window = opened(runs[0].path.parent.parent / "roman.seqdec")
    window.pages.show_page("train")
    session_of(window.workspace).show(runs[0])
    qtbot.waitUntil(lambda: curve(window, "loss_plot", "val_loss") is not None, timeout=10_000)
    qtbot.waitUntil(lambda: window.findChild(QWidget, "devices_plot") is not None)
    return window


def curve(window: MainWindow, plot: str, name: str) -> Any:
    found = window.findChild(QWidget, plot)
    items = [] if found is None else [item for item in found.listDataItems() if item.name() == name]
    return items[0] if items and items[0].getData()[0] is not None else None


def metric_plot(window: MainWindow, name: str) -> MetricPlot:
    parent = window.findChild(QWidget, name).parent()
    assert isinstance(parent, MetricPlot)
    return parent


def point(window: MainWindow, plot: str, position: float) -> None:
    """Move the mouse to a place of the horizontal axis, by an event of the window."""
    widget = window.findChild(QWidget, plot)
    box = widget.getPlotItem().getViewBox()
    low, high = box.viewRange()[1]
    at = widget.mapFromScene(box.mapViewToScene(box.viewRect().center().__class__(position, (low + high) / 2)))
    place = widget.viewport().mapTo(window, QPoint(at.x(), at.y()))
    handle = window.windowHandle()
    for shift in (1, 0):  # the second move is one even where the first found the mouse there
        spot = place + QPoint(0, shift)
        moved = QMouseEvent(QEvent.MouseMove, spot, handle.mapToGlobal(spot), Qt.NoButton, Qt.NoButton, Qt.NoModifier)
        QApplication.sendEvent(handle, moved)


def values(window: MainWindow, plot: str) -> dict[str, str]:
    return {name: chip.value for name, chip in metric_plot(window, plot).legend.chips.items()}


def labels_of(window: MainWindow, plot: str) -> list[str]:
    axis = metric_plot(window, plot).value_axis
    ticks = axis.tickValues(*axis.range, axis.height())
    return [text for spacing, places in ticks for text in axis.tickStrings(list(places), 1.0, spacing)]


def test_every_axis_has_a_title_and_the_horizontal_one_follows_the_choice(shown: MainWindow) -> None:
    titles = {
        name: metric_plot(shown, f"{name}_plot").value_axis.labelText
        for name in ("loss", "metrics", "learning_rate", "throughput", "devices")
    }
    assert titles == {
        "loss": "Loss",
        "metrics": "Value",
        "learning_rate": "Learning rate",
        "throughput": "Samples/s",
        "devices": "Share used",
    }
    loss = metric_plot(shown, "loss_plot")
    assert loss.position_axis.labelText == "Step"
    press(shown.findChild(QWidget, "axis_epoch"))
    assert loss.position_axis.labelText == "Epoch"
    press(shown.findChild(QWidget, "axis_time"))
    assert loss.position_axis.labelText == "Time since the start"


def test_every_plot_ends_where_the_curves_end_whatever_the_axis_and_the_run_before(
    shown: MainWindow, runs: list[RunFolder], qtbot: QtBot
) -> None:
    def ends() -> list[float]:
        plots = [metric_plot(shown, f"{name}_plot") for name in ("loss", "metrics", "learning_rate", "throughput", "devices")]
        return [round(float(plot.plot.getPlotItem().getViewBox().viewRange()[0][1]), 1) for plot in plots]

    for axis, end in (("epoch", EPOCHS), ("step", EPOCHS * STEPS), ("epoch", EPOCHS)):
        press(shown.findChild(QWidget, f"axis_{axis}"))
        assert ends() == [pytest.approx(end, rel=0.05)] * 5
    session_of(shown.workspace).show(runs[2])  # two epochs
    qtbot.waitUntil(lambda: ends() == [pytest.approx(2, rel=0.05)] * 5, timeout=5_000)


def test_no_title_of_an_axis_lies_on_its_labels(shown: MainWindow) -> None:
    for name in ("loss", "metrics", "learning_rate", "throughput", "devices"):
        axis = metric_plot(shown, f"{name}_plot").value_axis
        metrics = QFontMetricsF(theme.font("small"))
        widest = max(metrics.horizontalAdvance(label) for label in [*labels_of(shown, f"{name}_plot"), "0.00075"])
        title = axis.label.mapRectToItem(axis, axis.label.boundingRect())
        ink = title.left() + (title.width() + metrics.height()) / 2  # a text item has a margin around its letters
        assert ink <= axis.size().width() - axis.style["tickTextOffset"][0] - widest, name


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_a_logarithmic_axis_shows_two_labels_at_least(shown: MainWindow, size: tuple[int, int], qtbot: QtBot) -> None:
    shown.resize(*size)
    press(shown.findChild(QCheckBox, "log_scale"))
    qtbot.waitUntil(lambda: metric_plot(shown, "loss_plot").value_axis.logMode)
    for name in ("loss_plot", "learning_rate_plot"):
        assert len(labels_of(shown, name)) >= 2, name
        assert len(set(labels_of(shown, name))) == len(labels_of(shown, name))


def test_shares_are_percent_in_the_legend_and_on_the_axis_alike(shown: MainWindow) -> None:
    assert values(shown, "metrics_plot")["val_token_accuracy"] == "40.0%"
    assert all(label.endswith("%") for label in labels_of(shown, "metrics_plot"))
    assert values(shown, "devices_plot") == {"gpu:0 load": "90%", "gpu:0 memory": "25% (6.0 GiB)"}
    assert all(label.endswith("%") for label in labels_of(shown, "devices_plot"))
    assert not any("%" in label for label in labels_of(shown, "loss_plot"))


def test_the_cross_hair_says_where_it_is_and_what_happened_there(shown: MainWindow, qtbot: QtBot) -> None:
    words = shown.findChild(QLabel, "loss_plot_position")
    assert not words.isVisible()
    point(shown, "loss_plot", 220)
    qtbot.waitUntil(words.isVisible)
    number = int(words.text().removeprefix("step ").replace(",", ""))
    assert abs(number - 220) <= 3
    assert words.geometry().right() <= words.parent().width()
    assert shown.findChild(QLabel, "metrics_plot_position").text() == words.text()  # all plots point at one place
    point(shown, "loss_plot", 150)
    qtbot.waitUntil(lambda: "Paused for 2 min" in words.text())
    point(shown, "loss_plot", 100)
    qtbot.waitUntil(lambda: "The learning rate is 0.0003" in words.text())


def test_what_happened_is_marked_on_the_curves_and_said_in_the_log(shown: MainWindow, qtbot: QtBot) -> None:
    marks = metric_plot(shown, "loss_plot").marks.marks
    assert [(mark.kind, mark.step) for mark in marks] == [("learning_rate", 100), ("pause", 150), ("best", 300)]
    assert {mark.kind for mark in metric_plot(shown, "learning_rate_plot").marks.marks} == {"learning_rate", "pause"}
    log = shown.findChild(QWidget, "run_messages").toPlainText()
    for sentence in (
        "The learning rate is 0.0003",
        "Paused after step 150.",
        "Continued after a pause of 2 min.",
        "Best weights",
    ):
        assert sentence in log, sentence


def test_overlaid_runs_have_a_colour_each_and_series_a_pattern_each(
    shown: MainWindow, runs: list[RunFolder], qtbot: QtBot
) -> None:
    alone = curve(shown, "loss_plot", "val_loss").opts["pen"].color().name()
    for run in runs[1:]:
        session_of(shown.workspace).overlay(run.path, run.name)
    qtbot.waitUntil(lambda: curve(shown, "loss_plot", "val_loss · third") is not None, timeout=10_000)
    pens = {
        (metric, run): curve(shown, "loss_plot", metric + (f" · {run}" if run else "")).opts["pen"]
        for metric in ("loss", "val_loss")
        for run in ("", "second", "third")
    }
    for run in ("", "second", "third"):
        assert pens["loss", run].color() == pens["val_loss", run].color()
        assert pens["loss", run].style() != pens["val_loss", run].style()
    assert len({pen.color().name() for pen in pens.values()}) == 3
    assert len({pen.style() for (metric, _), pen in pens.items() if metric == "val_loss"}) == 1
    point(shown, "loss_plot", 200)
    qtbot.waitUntil(lambda: shown.findChild(QLabel, "loss_plot_position").isVisible())
    expected = 2.0 * math.exp(-200 / 60) + 0.05
    shown_values = values(shown, "loss_plot")
    assert float(shown_values["loss"]) == pytest.approx(expected, rel=0.1)
    assert [float(text) for text in shown_values["second"].split()] == pytest.approx([0.5 * expected, 0.6 * expected], rel=0.1)
    assert shown_values["third"].split() == ["–", "–"]  # it had ended by then
    session_of(shown.workspace).clear_overlays()
    qtbot.waitUntil(lambda: curve(shown, "loss_plot", "loss · second") is None)
    assert curve(shown, "loss_plot", "val_loss").opts["pen"].color().name() == alone


# -- colours, as people see them who lack a kind of cone (Machado, Oliveira and Fernandes 2009, severity 1)
SEEN = {
    "all": np.eye(3),
    "protan": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deutan": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritan": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}


def linear(color: str) -> np.ndarray:
    parts = np.array([int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def cielab(light: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = (
        np.cbrt(part) if part > 0.008856 else 7.787 * part + 16 / 116
        for part in to_xyz @ light / np.array([0.9505, 1.0, 1.089])
    )
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("palette", [LIGHT, DARK])
@pytest.mark.parametrize("kind", SEEN)
def test_no_two_colours_of_curves_look_alike_to_anybody(palette: tuple[str, ...], kind: str) -> None:
    seen = [cielab(np.clip(SEEN[kind] @ linear(color), 0, 1)) for color in palette]
    assert min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2)) >= 20


@pytest.mark.parametrize(("palette", "look"), [(LIGHT, "LIGHT"), (DARK, "DARK")])
def test_every_colour_of_a_curve_stands_out_from_the_ground(palette: tuple[str, ...], look: str) -> None:
    from seqdec_gui.gui.look import scheme

    weights = np.array([0.2126, 0.7152, 0.0722])
    ground = float(weights @ linear(getattr(scheme, look).surface))
    for color in palette:
        light, dark = sorted((float(weights @ linear(color)), ground), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3, color


def test_the_colours_follow_the_theme(shown: MainWindow, qtbot: QtBot) -> None:
    names = set()
    for mode in ("light", "dark"):
        theme.set_mode(mode)
        palette = DARK if theme.current().dark else LIGHT
        qtbot.waitUntil(lambda colors=palette: curve(shown, "loss_plot", "loss").opts["pen"].color().name() == colors[0])
        names.add(palette[0])
    theme.set_mode("system")
    assert len(names) == 2


def test_a_design_that_was_trained_leads_to_its_last_run(
    opened: Callable[..., MainWindow], runs: list[RunFolder], qtbot: QtBot
) -> None:
    window = opened(runs[0].path.parent.parent / "roman.seqdec")
    window.pages.show_page("train")
    button = window.findChild(QWidget, "show_last_run")
    qtbot.waitUntil(button.isVisible, timeout=10_000)
    assert window.pages.page("train").empty.heading.text() == "No run is shown"
    press(button)
    qtbot.waitUntil(lambda: session_of(window.workspace).shown is not None)
    assert session_of(window.workspace).shown.run in runs
    qtbot.waitUntil(lambda: curve(window, "loss_plot", "val_loss") is not None, timeout=10_000)
