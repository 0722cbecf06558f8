"""The Data tab in the real window: files, rows, columns, bindings, split and the sample batch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PyQt5.QtCore import QEvent, QPoint, Qt
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QLabel,
    QListWidget,
    QMessageBox,
    QPushButton,
    QTableView,
    QToolButton,
    QTreeWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.data.dataset import expand, open_dataset
from seqdec_gui.domain.bindings import Binding, TextCodec, VectorCodec
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.gui.pages.data.page import DataPage
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace import data_trial as checking
from tests.gui.conftest import point_on, press

Find = Callable[..., Any]
LATENT, DECODER = "bind_latent_output", "bind_model_2_inputs"


def example(name: str) -> Path:
    return resource_files.path(f"examples/data/{name}")


@pytest.fixture
def window(opened: Callable[..., MainWindow], monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    """The archetype (11 numbers; 33 steps of 44 symbols in, 22 out), at the Data tab."""
    monkeypatch.setattr(checking, "DELAY_MS", 10)
    found = opened(resource_files.path("templates/latent-to-sequence.seqdec"))
    found.pages.show_page("data")
    return found


@pytest.fixture
def page(window: MainWindow) -> DataPage:
    return window.findChild(DataPage, "data_page")


@pytest.fixture
def settled(page: DataPage, qtbot: QtBot) -> Callable[[], None]:
    """Wait until everything that was asked for has been read."""

    def wait() -> None:
        qtbot.waitUntil(lambda: not background.busy() and not page.checking.busy, timeout=20_000)

    return wait


@pytest.fixture
def molecules(window: MainWindow, page: DataPage, settled: Callable[[], None]) -> Design:
    """5,000 molecules as data: X (11 numbers) and smiles."""
    window.take_file(example("molecules.npz"))
    settled()
    return window.document.design


def choose(combo: QComboBox, text: str) -> None:
    """Open the list of a combo box and choose an entry with the keyboard."""
    place = combo.findText(text)
    assert place >= 0, [combo.itemText(i) for i in range(combo.count())]
    combo.showPopup()
    combo.view().setCurrentIndex(combo.model().index(place, 0))
    QTest.keyClick(combo.view(), Qt.Key_Return)


def drag(source: QWidget, start: QPoint, target: QWidget, window: MainWindow, release: bool = True) -> None:
    """Drag from a place in one widget to the middle of another, by real events on the window handle."""
    handle, begin, end = window.windowHandle(), source.mapTo(window, start), point_on(target, window)
    QTest.mousePress(handle, Qt.LeftButton, Qt.NoModifier, begin)
    for part in range(1, 9):
        place = begin + (end - begin) * part / 8
        moved = QMouseEvent(QEvent.MouseMove, place, handle.mapToGlobal(place), Qt.NoButton, Qt.LeftButton, Qt.NoModifier)
        QApplication.sendEvent(handle, moved)
    if release:
        QTest.mouseRelease(handle, Qt.LeftButton, Qt.NoModifier, end)


def bound(design: Design) -> dict[str, tuple[str, ...]]:
    return {binding.port: binding.columns for binding in design.data.bindings}


# -- files
def test_without_data_the_page_says_what_to_do_and_its_button_asks_for_a_file(window: MainWindow, find: Find) -> None:
    press(find(QPushButton, "open_first_data_button"))
    dialog = find(QDialog, "file_dialog")
    assert dialog.isVisible()
    dialog.reject()


def test_a_file_becomes_the_designs_data_in_one_step_that_can_be_undone(
    window: MainWindow, molecules: Design, find: Find, settled: Callable[[], None], qtbot: QtBot
) -> None:
    assert molecules.data.file == str(example("molecules.npz"))
    assert window.document.undo_stack.undoText() == "Use molecules.npz as data"
    model = find(QTableView, "data_table").model()
    assert (model.rowCount(), model.columnCount()) == (5000, 3)
    assert model.index(0, 1).data() == "COc1ccnc(NC(=O)c2cccc3c2OCCO3)c1"
    window.document.undo_stack.undo()
    assert window.document.design.data.file == ""
    assert find(QPushButton, "open_first_data_button").isVisible()
    window.document.undo_stack.redo()
    settled()
    assert find(QTableView, "data_table").model().rowCount() == 5000


def test_a_file_below_the_designs_folder_is_named_relative_to_it(
    window: MainWindow, tmp_path: Path, settled: Callable[[], None]
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.csv").write_text("a,b\n1,x\n", encoding="utf-8")
    window.document.save(tmp_path / "here.seqdec")
    window.take_file(tmp_path / "data" / "rows.csv")
    settled()
    assert window.document.design.data.file == "data/rows.csv"


def test_a_file_that_cannot_be_read_is_refused_with_a_sentence_and_changes_nothing(
    window: MainWindow, molecules: Design, find: Find, tmp_path: Path, qtbot: QtBot, settled: Callable[[], None]
) -> None:
    (tmp_path / "bad.npz").write_bytes(b"not a zip file")
    window.take_file(tmp_path / "bad.npz")
    qtbot.waitUntil(lambda: bool(window.findChildren(QMessageBox, "failure_box")), timeout=5000)
    box = find(QMessageBox, "failure_box")
    assert "cannot be read as a .npz file" in box.informativeText()
    assert window.document.design is molecules
    assert find(QTableView, "data_table").isVisible()
    box.reject()
    settled()


def test_a_design_whose_data_is_gone_says_so_in_place(
    window: MainWindow, find: Find, page: DataPage, settled: Callable[[], None]
) -> None:
    design = window.document.design
    window.document.edit(design.with_data(msgspec.structs.replace(design.data, file="/nowhere/gone.csv")), "Move data")
    settled()
    words = [label.text() for label in page.findChildren(QLabel) if label.isVisible()]
    assert any("/nowhere/gone.csv does not exist" in text for text in words)


def test_opening_a_csv_file_imports_neither_h5py_nor_a_framework(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n1,x\n2,y\n", encoding="utf-8")
    script = f"""
import sys
from pathlib import Path
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.pages.data.page import DataPage
from seqdec_gui.gui.workspace.document import DesignDocument
from seqdec_gui.gui.workspace.workspace import Workspace
application = QApplication([])
workspace = Workspace(DesignDocument())
page = DataPage(workspace)
assert "pyarrow" not in sys.modules, "pyarrow before a file needs it"
page.show()
workspace.data_file_offered.emit(Path({str(tmp_path / "rows.csv")!r}))
while page.table is None or background.busy():
    QTest.qWait(10)
assert page.table.rows == 2
found = {{"keras", "tensorflow", "jax", "h5py", "pyqtgraph"}} & set(sys.modules)
assert not found, found
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


# -- columns
def test_the_chosen_column_shows_its_figures_histogram_and_charset(
    molecules: Design, find: Find, page: DataPage, settled: Callable[[], None], qtbot: QtBot
) -> None:
    columns = find(QTreeWidget, "columns_list")
    assert [columns.topLevelItem(i).text(0) for i in range(3)] == ["X", "smiles", "names"]
    item = columns.topLevelItem(1)
    QTest.mouseClick(columns.viewport(), Qt.LeftButton, Qt.NoModifier, columns.visualItemRect(item).center())
    settled()
    assert find(QLabel, "figure_longest").text() == "32"
    assert find(QLabel, "figure_distinct").text() == "5,000"
    charset = find(QTreeWidget, "column_charset")
    assert charset.topLevelItemCount() == 24
    assert [charset.topLevelItem(0).text(i) for i in (0, 1)] == ["c", "39,174"]
    histogram = page.columns.details._histogram.histogram
    assert (histogram.low, histogram.high, sum(histogram.counts)) == (18, 32, 5000)


def test_a_long_name_of_a_column_leaves_room_for_its_figures(
    window: MainWindow, find: Find, settled: Callable[[], None], tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "long.csv"
    path.write_text(f"{'a column with a name ' * 6}\n" + "word\n" * 20)
    window.take_file(path)
    settled()
    details = find(QWidget, "column_details")
    figure = find(QLabel, "figure_rows")
    qtbot.waitUntil(lambda: figure.mapTo(details, figure.rect().topRight()).x() < details.viewport().width())
    assert find(QLabel, "column_name").toolTip().startswith("a column with a name")


def test_words_can_be_counted_instead_of_characters(
    window: MainWindow, page: DataPage, find: Find, settled: Callable[[], None]
) -> None:
    window.take_file(example("pronunciations.csv"))
    settled()
    page.columns.choose("phones")
    choose(find(QComboBox, "column_tokens"), "Words")
    settled()
    assert find(QTreeWidget, "column_charset").topLevelItemCount() == 39
    assert find(QLabel, "figure_longest").text() == "13"


# -- bindings
def test_columns_are_bound_by_combo_box_and_problems_are_mended_by_a_button(
    window: MainWindow, molecules: Design, find: Find, page: DataPage, settled: Callable[[], None]
) -> None:
    choose(find(QComboBox, LATENT), "X")
    choose(find(QComboBox, DECODER), "smiles")
    settled()
    design = window.document.design
    assert bound(design) == {"latent.output": ("X",), "model_2.inputs": ("smiles",)}
    assert find(QComboBox, "bind_loss_targets").currentText() == "From model_2.inputs"
    words = [label.text() for label in page.ports.findChildren(QLabel) if label.property("role") == "error"]
    assert any("found 27 symbols" in text and "room for 22" in text for text in words)
    assert page.tabs.tabText(0) == "Ports (1 error)"
    remedy = find(QPushButton, "remedy_model_2_inputs_0")
    assert remedy.text() == "Set symbols = 27 and output_units = 27"
    press(remedy)
    settled()
    after = window.document.design
    assert after.block("decoder_inputs").parameters.symbols == 27
    assert after.block("model_2").parameters.output_units == 27
    assert page.tabs.tabText(0) == "Ports"
    assert window.document.report.ok
    assert not page.findChildren(QPushButton, "remedy_model_2_inputs_0")
    window.document.undo_stack.undo()
    assert window.document.design is design


def test_room_that_the_data_does_not_need_is_offered_to_be_given_up(
    window: MainWindow, molecules: Design, find: Find, settled: Callable[[], None]
) -> None:
    design = window.document.design
    decoder = msgspec.structs.replace(design.block("model_2").parameters, output_units=44)
    window.document.edit(design.with_parameters("model_2", decoder), "Widen")
    choose(find(QComboBox, DECODER), "smiles")
    settled()
    assert find(QPushButton, "remedy_model_2_inputs_0").text() == "Set symbols = 27 and output_units = 27"


@pytest.mark.parametrize("start", ["columns_list", "data_table"])
def test_a_column_is_bound_by_dragging_it_onto_a_port(
    window: MainWindow, molecules: Design, find: Find, settled: Callable[[], None], start: str
) -> None:
    if start == "columns_list":
        view = find(QTreeWidget, start)
        place = view.visualItemRect(view.topLevelItem(0)).center()
    else:
        view = find(QTableView, start).horizontalHeader()
        place = QPoint(view.sectionViewportPosition(0) + 20, view.height() // 2)
    drag(view.viewport(), place, find(QWidget, "port_latent_output"), window, release=False)
    assert find(QLabel, "dragged_columns").text() == "X"
    assert find(QWidget, "port_latent_output").property("hot")
    QTest.mouseRelease(
        window.windowHandle(), Qt.LeftButton, Qt.NoModifier, point_on(find(QWidget, "port_latent_output"), window)
    )
    settled()
    assert bound(window.document.design) == {"latent.output": ("X",)}
    assert find(QComboBox, LATENT).currentText() == "X"
    assert not find(QWidget, "port_latent_output").property("hot")


def test_escape_ends_a_drag_and_binds_nothing(window: MainWindow, molecules: Design, find: Find, qtbot: QtBot) -> None:
    view = find(QTreeWidget, "columns_list")
    target = find(QWidget, "port_latent_output")
    drag(view.viewport(), view.visualItemRect(view.topLevelItem(0)).center(), target, window, release=False)
    QTest.keyClick(window.windowHandle(), Qt.Key_Escape)
    QTest.mouseRelease(window.windowHandle(), Qt.LeftButton, Qt.NoModifier, point_on(target, window))
    assert window.document.design is molecules
    qtbot.waitUntil(lambda: not window.findChildren(QLabel, "dragged_columns"))


@pytest.fixture
def descriptors(window: MainWindow, settled: Callable[[], None], tmp_path: Path) -> Path:
    """A CSV file of 11 numeric columns, a text and a split, opened."""
    random = np.random.default_rng(0)
    names = [f"d{i}" for i in range(11)]
    lines = [
        ",".join([*(f"{value:.3f}" for value in random.normal(size=11)), "CCO", "train" if i % 5 else "test"])
        for i in range(50)
    ]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([",".join([*names, "smiles", "part"]), *lines]) + "\n", encoding="utf-8")
    window.take_file(path)
    settled()
    return path


def test_several_numeric_columns_make_one_vector(
    window: MainWindow, descriptors: Path, find: Find, page: DataPage, settled: Callable[[], None]
) -> None:
    choose(find(QComboBox, LATENT), "Several columns…")
    dialog = find(QDialog, "several_columns")
    names = find(QListWidget, "several_columns_list")
    assert names.count() == 11
    press(find(QPushButton, "several_columns_all"))
    dialog.accept()
    settled()
    assert bound(window.document.design) == {"latent.output": tuple(f"d{i}" for i in range(11))}
    assert find(QComboBox, LATENT).currentText().startswith("11 columns: d0, d1")
    trial = page.checking.trial
    assert trial.fits[0].codec.shape == (11,)


def test_selected_columns_are_dragged_together(
    window: MainWindow, descriptors: Path, find: Find, settled: Callable[[], None]
) -> None:
    view = find(QTreeWidget, "columns_list")
    for row in range(3):
        view.topLevelItem(row).setSelected(True)
    drag(view.viewport(), view.visualItemRect(view.topLevelItem(1)).center(), find(QWidget, "port_latent_output"), window)
    settled()
    assert bound(window.document.design) == {"latent.output": ("d0", "d1", "d2")}
    remedy = find(QPushButton, "remedy_latent_output_0")
    assert remedy.text() == "Set width = 3"


def test_options_of_the_codec_are_edits_of_the_binding(
    window: MainWindow, molecules: Design, find: Find, settled: Callable[[], None]
) -> None:
    choose(find(QComboBox, DECODER), "smiles")
    settled()
    press(find(QToolButton, "options_model_2_inputs"))
    find(QCheckBox, "codec_model_2_inputs_lowercase").click()
    assert window.document.design.data.bindings[0].codec == TextCodec(lowercase=True)
    choose(find(QComboBox, "codec_model_2_inputs_tokens"), "words")
    assert window.document.design.data.bindings[0].codec == TextCodec(tokens="words", lowercase=True)
    window.document.undo_stack.undo()
    assert find(QComboBox, "codec_model_2_inputs_tokens").currentText() == "characters"
    assert find(QCheckBox, "codec_model_2_inputs_lowercase").isChecked()
    choose(find(QComboBox, "codec_model_2_inputs"), "Automatic (text to symbols)")
    assert window.document.design.data.bindings[0].codec is None
    settled()


def test_standardising_can_be_switched_off(
    window: MainWindow, molecules: Design, find: Find, settled: Callable[[], None]
) -> None:
    choose(find(QComboBox, LATENT), "X")
    settled()
    press(find(QToolButton, "options_latent_output"))
    field = find(QComboBox, "codec_latent_output_standardise")
    assert field.currentText() == "automatic"
    for words, wanted in (("no", False), ("yes", True), ("automatic", "auto")):
        choose(field, words)
        codec = window.document.design.data.bindings[0].codec
        assert codec == VectorCodec(standardise=wanted)
        settled()
        assert field.currentText() == words


def test_choosing_no_column_unbinds(window: MainWindow, molecules: Design, find: Find, settled: Callable[[], None]) -> None:
    choose(find(QComboBox, LATENT), "X")
    choose(find(QComboBox, LATENT), "Not bound")
    assert window.document.design.data.bindings == ()
    settled()


def test_a_binding_of_an_unknown_column_is_shown_and_its_problem_too(
    window: MainWindow, molecules: Design, find: Find, page: DataPage, settled: Callable[[], None]
) -> None:
    data = msgspec.structs.replace(molecules.data, bindings=(Binding("latent.output", "gone"),))
    window.document.edit(molecules.with_data(data), "Bind")
    settled()
    assert find(QComboBox, LATENT).currentText() == "gone (not in this file)"
    words = " ".join(label.text() for label in page.ports.findChildren(QLabel))
    assert "has no column 'gone'" in words


# -- split and sample
def test_the_split_is_edited_and_says_how_many_rows_each_part_has(
    window: MainWindow, molecules: Design, find: Find, page: DataPage, settled: Callable[[], None]
) -> None:
    choose(find(QComboBox, LATENT), "X")
    page.tabs.setCurrentIndex(1)
    test_share = find(QDoubleSpinBox, "split_test")
    test_share.setValue(20)
    settled()
    assert window.document.design.data.split.test == pytest.approx(0.2)
    assert find(QLabel, "split_rows").text() == "3,500 rows train, 500 rows validate, 1,000 rows test."


def test_the_split_may_come_from_a_column(
    window: MainWindow, descriptors: Path, find: Find, page: DataPage, settled: Callable[[], None]
) -> None:
    choose(find(QComboBox, "bind_latent_output"), "d0")
    page.tabs.setCurrentIndex(1)
    choose(find(QComboBox, "split_kind"), "By a column")
    choose(find(QComboBox, "split_column"), "part")
    settled()
    assert find(QLabel, "split_rows").text() == "40 rows train, 0 rows validate, 10 rows test."
    assert not find(QDoubleSpinBox, "split_validation").isVisible()


def test_the_sample_batch_is_what_the_training_feeds(opened: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path) -> None:
    window = opened(resource_files.path("examples/molecules.seqdec"))
    window.pages.show_page("data")
    page = window.findChild(DataPage, "data_page")
    qtbot.waitUntil(lambda: page.checking.trial is not None and not background.busy(), timeout=20_000)
    page.tabs.setCurrentIndex(2)
    qtbot.waitUntil(lambda: page.sample.sample is not None, timeout=5000)
    rows = page.sample._rows
    assert rows.count() == 16
    design = window.document.design
    reference = open_dataset(design.data, data_ports(design), window.workspace.folder)
    page.preview.setCurrentIndex(page.preview.model().index(4990, 0))
    qtbot.waitUntil(lambda: page.sample.sample.first == 4976 and not background.busy(), timeout=5000)
    sample = page.sample.sample
    assert [(port.name, port.role) for port in sample.ports] == [
        ("descriptors.output", "input"), ("model_2.inputs", "input"), ("loss.targets", "target"),
    ]  # fmt: skip
    for port, feed in zip(sample.ports, reference.feeds, strict=True):
        assert port.values.tobytes() == expand(feed, reference.arrays[feed.array][4976:4992]).tobytes()
    assert sample.ports[1].texts[0] == reference.fitted.decode(reference.arrays["decoder_inputs"][4976])
    press(window.findChild(QToolButton, "sample_later"))
    qtbot.waitUntil(lambda: page.sample.sample.first == 4992 and not background.busy(), timeout=5000)
    assert page.sample.sample.rows == 8
