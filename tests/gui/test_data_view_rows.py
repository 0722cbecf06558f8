"""Millions of rows in the table, and the figures of columns."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtCore import QElapsedTimer, Qt, QTimer
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from seqdec_gui.data.display import cell_text, size_text, type_text
from seqdec_gui.data.formats.base import Cell, Chunk, Column, Table
from seqdec_gui.data.tables import open_table
from seqdec_gui.gui.pages.data.measuring import Measurements, measure_column
from seqdec_gui.gui.pages.data.preview import Preview
from seqdec_gui.gui.pages.data.rows_model import KEPT_PAGES, RowsModel
from seqdec_gui.gui.tasks import background

ROWS = 1_600_000


class Counted(Table):
    """1.6 million rows that are made up when they are asked for, slowly if wanted."""

    def __init__(self, delay_s: float = 0.0, rows: int = ROWS) -> None:
        super().__init__(Path("counted"))
        self.columns = (Column("row", "integer", "int64", (), rows), Column("text", "text", "text", (), rows))
        self.asked: list[tuple[str, int, int]] = []
        self._delay_s = delay_s

    def chunks(self, name: str) -> Iterator[Chunk]:
        raise AssertionError("the table must never read it all")

    def page(self, name: str, first: int, count: int) -> list[Cell]:
        time.sleep(self._delay_s)
        self.asked.append((name, first, count))
        return [row if name == "row" else f"row {row}" for row in range(first, min(first + count, self.columns[0].rows))]


def wait_for(qtbot: QtBot, model: RowsModel, row: int) -> None:
    model.data(model.index(row, 0))
    qtbot.waitUntil(lambda: model.loaded(row), timeout=5000)


def test_only_the_page_that_is_looked_at_is_read(qtbot: QtBot) -> None:
    model, table = RowsModel(), Counted()
    model.show_table(table)
    assert model.rowCount() == ROWS
    assert table.asked == []
    assert model.index(ROWS - 1, 1).data() == "…"
    wait_for(qtbot, model, ROWS - 1)
    assert [model.index(ROWS - 1, column).data() for column in (0, 1)] == [str(ROWS - 1), f"row {ROWS - 1}"]
    first = (ROWS - 1) // model.page_rows * model.page_rows
    assert table.asked == [("row", first, model.page_rows), ("text", first, model.page_rows)]


def test_the_title_of_a_column_stands_above_its_cells() -> None:
    model = RowsModel()
    model.show_table(Counted())
    for column, side in ((0, Qt.AlignRight), (1, Qt.AlignLeft)):
        title = model.headerData(column, Qt.Horizontal, Qt.TextAlignmentRole)
        assert title == model.index(0, column).data(Qt.TextAlignmentRole)
        assert title & int(side)


def test_few_pages_are_kept_and_passing_by_reads_little(qtbot: QtBot) -> None:
    model, table = RowsModel(), Counted()
    model.show_table(table)
    for page in range(KEPT_PAGES + 10):
        wait_for(qtbot, model, page * model.page_rows)
    assert model.pages == KEPT_PAGES
    table.asked.clear()
    table._delay_s = 0.02
    for row in range(500_000, 1_500_000, model.page_rows):
        model.data(model.index(row, 0))
    qtbot.waitUntil(lambda: not background.busy() and model.loaded(row), timeout=5000)
    assert len(table.asked) <= 2 * 5


def test_another_file_forgets_the_pages_of_the_one_before(qtbot: QtBot) -> None:
    model = RowsModel()
    model.show_table(Counted(delay_s=0.05))
    model.data(model.index(0, 0))
    model.show_table(Counted(rows=3))
    wait_for(qtbot, model, 0)
    assert (model.rowCount(), model.pages) == (3, 1)
    model.show_table(None)
    assert (model.rowCount(), model.columnCount(), model.pages) == (0, 0, 0)


def test_a_page_that_cannot_be_read_is_told(qtbot: QtBot) -> None:
    class Broken(Counted):
        def page(self, name: str, first: int, count: int) -> list[Cell]:
            raise OSError("gone")

    model = RowsModel()
    model.show_table(Broken())
    with qtbot.waitSignal(model.page_failed, timeout=5000) as told:
        model.data(model.index(0, 0))
    assert str(told.args[0]) == "gone"


@pytest.mark.timing
def test_scrolling_through_1_600_000_rows_never_holds_up_the_window(qtbot: QtBot, tmp_path: Path) -> None:
    """Jumps of the scroll bar every few milliseconds over a real file; prints the delays of the event loop and of paints."""
    path = tmp_path / "rows.npz"
    words = np.array([f"CC(=O)N{i % 997}c1ccccc1" for i in range(0, ROWS, 4)]).repeat(4)
    np.savez(path, row=np.arange(ROWS, dtype=np.int32), words=words, value=np.linspace(0, 1, ROWS, dtype=np.float32))
    view = Preview()
    qtbot.addWidget(view)
    view.resize(700, 500)
    view.show()
    began = time.perf_counter()
    view.show_table(open_table(path))
    opened_ms = 1000 * (time.perf_counter() - began)
    qtbot.waitUntil(lambda: view.rows.loaded(0), timeout=10_000)
    delays, paints = [], []
    clock = QElapsedTimer()
    clock.start()
    ticks = QTimer()
    ticks.setTimerType(Qt.PreciseTimer)
    ticks.timeout.connect(lambda: delays.append(clock.restart() - 5))
    ticks.start(5)
    bar, random = view.verticalScrollBar(), np.random.default_rng(0)
    for step in range(300):
        bar.setValue(int(random.integers(bar.maximum())) if step % 3 == 0 else min(bar.maximum(), bar.value() + 40))
        before = time.perf_counter()
        view.viewport().repaint()
        paints.append(1000 * (time.perf_counter() - before))
        qtbot.wait(4)
    ticks.stop()
    qtbot.waitUntil(lambda: not background.busy() and view.rows.loaded(bar.value()), timeout=5000)
    assert view.rows.index(bar.value(), 0).data() == str(bar.value())
    late = np.percentile(delays, 99)
    print(
        f"shown after {opened_ms:.0f} ms; event loop late by {late:.0f} ms (99 %), {max(delays)} ms at most; "
        f"repaint {np.median(paints):.1f} ms (median), {max(paints):.1f} ms at most; {view.rows.pages} pages kept"
    )
    assert late <= 50
    assert np.median(paints) <= 20
    assert QApplication.instance() is not None


# -- figures
def test_figures_and_histograms_of_numbers_text_and_arrays(tmp_path: Path) -> None:
    path = tmp_path / "rows.npz"
    numbers = np.array([1.0, 2.0, 2.0, np.nan, 5.0])
    np.savez(
        path, number=numbers, count=np.array([3, 3, 4, 9, 3]), text=np.array(["a", "abc", "", "ab", "abc"]), image=np.eye(5)
    )
    table = open_table(path)
    found = measure_column(table, "number")
    assert (found.statistics.missing, found.statistics.minimum, found.statistics.maximum) == (1, 1.0, 5.0)
    assert sum(found.histogram.counts) == 4
    found = measure_column(table, "count")
    assert found.histogram.counts == (3, 1, 0, 0, 0, 0, 1)
    assert (found.histogram.low, found.histogram.high, found.histogram.whole) == (3, 9, True)
    found = measure_column(table, "text")
    assert found.histogram.counts == (1, 1, 1, 2)
    found = measure_column(table, "image")
    assert sum(found.histogram.counts) == 25


def test_long_ranges_of_lengths_are_grouped_and_no_row_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    lengths = [1, 7, 150, 400, 400, 999]
    path.write_text("text\n" + "\n".join("a" * length for length in lengths) + "\n", encoding="utf-8")
    found = measure_column(open_table(path), "text").histogram
    assert len(found.counts) <= 49
    assert sum(found.counts) == len(lengths)
    assert found.low == 1
    assert found.high >= 999


def test_a_constant_column_has_a_histogram_of_one_bar(tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", same=np.full(7, 2.5))
    found = measure_column(open_table(tmp_path / "rows.npz"), "same").histogram
    assert sum(found.counts) == 7


def test_columns_are_measured_one_by_one_the_wanted_one_first(qtbot: QtBot, tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", **{name: np.arange(10) for name in "abcd"})
    measurements, heard = Measurements(), []
    measurements.measured.connect(heard.append)
    measurements.show_table(open_table(tmp_path / "rows.npz"))
    measurements.want("d")
    qtbot.waitUntil(lambda: len(heard) == 4, timeout=5000)
    assert heard == ["a", "d", "b", "c"]
    assert measurements.known("c").statistics.maximum == 9


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (None, ""), ("two\nlines", "two⏎lines"), (7, "7"), (0.1, "0.1"), (float("nan"), "missing"), (1234567.0, "1.23457e+06"),
        (np.arange(3), "0, 1, 2"), (np.zeros((4, 4)), "0, 0, 0, 0, 0, 0, 0, 0, …"), ("x" * 300, "x" * 159 + "…"),
    ],
)  # fmt: skip
def test_cells_are_written_on_one_short_line(cell: Cell, words: str) -> None:
    assert cell_text(cell) == words


def test_words_for_counts_sizes_and_types() -> None:
    assert [size_text(size) for size in (12, 3400, 132_000_000)] == ["12 bytes", "3.4 kB", "132.0 MB"]
    assert type_text(Column("x", "array", "float32", (8, 8), 1)) == "8 × 8 numbers"
    assert type_text(Column("x", "array", "uint8", (3,), 1)) == "3 whole numbers"
