"""What the wheel and the corner button do to the plots of the Train page, with and without curves."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtCore import QPoint, QPointF, Qt
from PyQt5.QtGui import QWheelEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.pages.train.plots import MetricPlot
from seqdec_gui.gui.window.main_window import MainWindow
from tests.gui.conftest import press
from tests.gui.test_plots import runs, shown, write_events  # noqa: F401 - two fixtures
from tests.gui.trained_runs import example_in, trained


def wheel(plot: MetricPlot, notches: int) -> None:
    """Turn the wheel in the middle of a plot."""
    area = plot.plot.viewport()
    middle = area.rect().center()
    at = QPointF(middle)
    event = QWheelEvent(
        at,
        QPointF(area.mapToGlobal(middle)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.NoButton,
        Qt.NoModifier,
        Qt.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(area, event)


def drag(plot: MetricPlot) -> None:
    """Drag the middle of a plot to the right and up."""
    area, middle = plot.plot.viewport(), plot.plot.viewport().rect().center()
    QTest.mousePress(area, Qt.LeftButton, Qt.NoModifier, middle)
    for step in range(1, 6):
        QTest.mouseMove(area, middle + QPoint(8 * step, -4 * step))
    QTest.mouseRelease(area, Qt.LeftButton, Qt.NoModifier, middle + QPoint(40, -20))


def ranges(window: MainWindow) -> dict[str, tuple[float, ...]]:
    """Return what each plot shows: from where to where, across and up."""
    plots = window.pages.page("train").findChildren(MetricPlot)
    return {plot.plot.objectName(): tuple(itertools.chain(*plot.plot.getPlotItem().getViewBox().viewRange())) for plot in plots}


def test_the_corner_button_shows_the_whole_of_every_curve_again(shown: MainWindow, qtbot: QtBot) -> None:  # noqa: F811
    plots = shown.pages.page("train").findChildren(MetricPlot)
    QTest.qWait(50)
    before = ranges(shown)
    for plot, notches in itertools.product(plots, (14, -14)):
        for _ in range(abs(notches)):
            wheel(plot, 1 if notches > 0 else -1)
            QApplication.processEvents()
        assert ranges(shown) != before
        press(shown.findChild(QToolButton, "fit_plots"))
        qtbot.waitUntil(lambda: {name: pytest.approx(shows, rel=1e-6) for name, shows in before.items()} == ranges(shown))


def test_a_plot_without_curves_cannot_be_moved_from_where_they_will_be(
    opened: Callable[..., MainWindow], tmp_path: Path, qtbot: QtBot
) -> None:
    design = example_in(tmp_path, "roman")
    run = trained(design, "first")
    write_events(run)
    window = opened(design)
    window.pages.show_page("train")
    plots = window.pages.page("train").findChildren(MetricPlot)
    for plot in plots:
        wheel(plot, 3)
        wheel(plot, -9)
        drag(plot)
    assert all(-0.1 <= bound <= 1.1 for bounds in ranges(window).values() for bound in bounds)
