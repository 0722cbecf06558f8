"""The Generate tab in the real window: forms made from what a run was trained on, results to copy and save."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import (
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QTableView,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from seqdec_gui.data.generated_results import read_results, save_results
from seqdec_gui.domain.bindings import Binding, DataSource
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.document import save
from seqdec_gui.gui.pages.generate.page import GeneratePage
from seqdec_gui.gui.pages.generate.paint_grid import PaintGrid
from seqdec_gui.gui.pages.generate.results_table import INPUT_COLUMN, PROBLEM_COLUMN, TEXT_COLUMN, ResultsTable
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.runs.generate_inputs import read_inputs, rows_of_data
from tests.domain import designs
from tests.gui.conftest import press
from tests.gui.trained_runs import asked, child, example_in, trained

pytestmark = pytest.mark.slow

__all__ = ["asked", "child"]
Asked = Callable[[], dict]
Child = Callable[[str], None]


class Driver:
    """The page of one window, driven by its object names."""

    def __init__(self, window: MainWindow, qtbot: QtBot) -> None:
        self.window, self._qtbot = window, qtbot
        window.pages.show_page("generate")
        self.page: GeneratePage = window.findChild(QWidget, "generate_panel")
        self.settle()

    def find(self, kind: type[Any], name: str) -> Any:
        found = self.page.findChildren(kind, name)
        assert len(found) == 1, f"{len(found)} of {name}"
        return found[0]

    def settle(self) -> None:
        for _ in range(2):  # what came back may ask for more
            self._qtbot.waitUntil(lambda: not background.busy() and not self.page.task.running, timeout=20_000)
            QApplication.processEvents()

    def generate(self) -> list[list[str]]:
        """Press the button, wait, and give the table."""
        press(self.find(QPushButton, "generate_button"))
        self.settle()
        model = self.find(QTableView, "results_table").model()
        return [[model.index(row, column).data() for column in range(4)] for row in range(model.rowCount())]

    @property
    def error(self) -> str:
        label = self.find(QLabel, "generate_error")
        return label.text() if label.isVisible() else ""


@pytest.fixture
def drive(opened: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path) -> Callable[..., Driver]:
    """Open an example that was trained, at the Generate tab."""

    def start(name: str, edit: Callable[[Design], Design] = lambda design: design) -> Driver:
        path = example_in(tmp_path, name, edit)
        trained(path, f"first-{name}")
        return Driver(opened(path), qtbot)

    return start


def test_without_a_trained_run_the_page_says_what_to_do(
    opened: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path
) -> None:
    path = example_in(tmp_path, "roman")
    trained(path, "no-weights", checkpoints=())
    driver = Driver(opened(path), qtbot)
    words = [label.text() for label in driver.page.findChildren(QLabel) if label.isVisible()]
    assert "No trained run yet" in words
    assert not driver.find(QPushButton, "generate_button").isVisible()


def test_typed_lines_are_rows_and_their_sequences_stand_in_the_table(
    drive: Callable[..., Driver], child: Child, asked: Asked
) -> None:
    driver = drive("roman")
    field = driver.find(QPlainTextEdit, "input_number")
    QTest.keyClicks(field, "1987")
    QTest.keyClick(field, Qt.Key_Return)
    QTest.keyClicks(field, "44")
    press(driver.find(QToolButton, "generate_strategy_sampling"))
    driver.find(QSpinBox, "generate_count").setValue(2)
    driver.find(QDoubleSpinBox, "generate_temperature").setValue(0.7)
    driver.find(QSpinBox, "generate_seed").setValue(5)
    driver.find(QComboBox, "generate_checkpoint").setCurrentIndex(1)
    table = driver.generate()
    wanted = asked()
    assert wanted["rows"] == [{"number": "1987"}, {"number": "44"}]
    assert [wanted[name] for name in ("count", "seed", "checkpoint")] == [2, 5, "last"]
    assert (wanted["strategy"]["name"], wanted["strategy"]["temperature"]) == ("sampling", 0.7)
    assert table == [
        ["1", "1", '{"number": "1987"}', "0.000"],
        ["1", "2", '{"number": "1987"}', "-0.125"],
        ["2", "1", '{"number": "44"}', "-1.000"],
        ["2", "2", '{"number": "44"}', "-1.125"],
    ]
    view = driver.find(QTableView, "results_table")
    assert [view.model().index(row, INPUT_COLUMN).data() for row in range(4)] == ["1987", "1987", "44", "44"]
    assert not view.isColumnHidden(INPUT_COLUMN)
    assert view.columnViewportPosition(INPUT_COLUMN) < view.columnViewportPosition(TEXT_COLUMN)
    assert driver.find(QLabel, "generate_summary").text() == "4 sequences, 2 different"
    assert not driver.find(QToolButton, "show_structures").isVisible()  # what is Roman is no molecule
    assert not Path(wanted["output"]).parent.exists()  # nothing is left in the temporary folder


def test_of_a_run_that_averages_either_weights_generate(drive: Callable[..., Driver], child: Child, asked: Asked) -> None:
    def averages(design: Design) -> Design:
        return design.with_training(msgspec.structs.replace(design.training, average_decay=0.99))

    driver = drive("roman", averages)
    weights = driver.find(QComboBox, "generate_checkpoint")
    words = [weights.itemText(place).partition(" · ")[0] for place in range(weights.count())]
    assert words == [f"{name} weights, {which}" for which in ("averaged", "trained") for name in ("Best", "Last")]
    QTest.keyClicks(driver.find(QPlainTextEdit, "input_number"), "1987")
    for place, name in enumerate(("best", "last", "best-trained", "last-trained")):
        weights.setCurrentIndex(place)
        driver.generate()
        assert asked()["checkpoint"] == name


def test_nothing_typed_is_said_in_place_and_the_button_waits(
    drive: Callable[..., Driver], child: Child, tmp_path: Path
) -> None:
    driver = drive("roman")
    button = driver.find(QPushButton, "generate_button")
    assert not button.isEnabled()
    assert driver.error == button.toolTip() == "Nothing is typed for number yet."
    assert driver.generate() == []
    assert not (tmp_path / "asked.json").exists()
    QTest.keyClicks(driver.find(QPlainTextEdit, "input_number"), "7")
    assert button.isEnabled()
    assert driver.error == button.toolTip() == ""


@pytest.mark.parametrize(
    ("typed", "fault"),
    [("19x7", "'x' is none of the symbols"), ("19870", "5 symbols, and the run takes 4 at most"), ("1\n2 2", "Line 2: ' '")],
)
def test_typed_text_is_judged_while_it_is_typed(drive: Callable[..., Driver], typed: str, fault: str) -> None:
    driver = drive("roman")
    field, words = driver.find(QPlainTextEdit, "input_number"), driver.find(QLabel, "fault_number")
    button = driver.find(QPushButton, "generate_button")
    for letter in typed:
        QTest.keyClick(field, Qt.Key_Return) if letter == "\n" else QTest.keyClicks(field, letter)
    assert words.isVisible()
    assert fault in words.text()
    assert field.property("invalid")
    assert not button.isEnabled()
    assert fault in button.toolTip()
    for _ in range(len(typed) - 1):
        QTest.keyClick(field, Qt.Key_Backspace)
    assert not words.isVisible()
    assert not field.property("invalid")
    assert button.isEnabled()


def test_the_first_look_puts_the_cursor_into_the_field(opened: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path) -> None:
    """Once the run is read, and its fields are made."""
    path = example_in(tmp_path, "roman")
    trained(path, "first")
    window = opened(path)
    QTest.keyClick(window.windowHandle(), Qt.Key_6, Qt.AltModifier)
    qtbot.waitUntil(lambda: window.focusWidget().objectName() == "input_number")


def test_a_fault_in_a_field_is_said_once_and_the_cursor_is_in_the_field(drive: Callable[..., Driver], qtbot: QtBot) -> None:
    driver = drive("roman")
    driver.settle()
    window = driver.page.window()
    window.pages.show_page("design")
    window.design_view.setFocus()
    QTest.keyClick(window.windowHandle(), Qt.Key_6, Qt.AltModifier)
    driver.settle()
    qtbot.waitUntil(lambda: QApplication.focusWidget().objectName().startswith("input_"))
    for letter in "19x7":
        QTest.keyClick(window.windowHandle(), letter)
    qtbot.waitUntil(lambda: not driver.find(QPushButton, "generate_button").isEnabled())
    assert "'x'" in driver.find(QLabel, "fault_number").text()
    assert driver.error == ""
    assert driver.find(QPushButton, "generate_button").toolTip()


def test_a_number_is_judged_while_it_is_typed(drive: Callable[..., Driver]) -> None:
    driver = drive("molecules")
    field, button = driver.find(QLineEdit, "input_descriptors_3"), driver.find(QPushButton, "generate_button")
    assert button.isEnabled()
    field.selectAll()
    QTest.keyClicks(field, "1e")
    assert "Number 4 of descriptors is '1e'" in driver.find(QLabel, "fault_descriptors").text()
    assert not button.isEnabled()
    QTest.keyClicks(field, "3")
    assert button.isEnabled()
    assert not driver.find(QLabel, "fault_descriptors").isVisible()


def test_a_vector_has_a_field_per_number_and_a_whole_row_may_be_pasted(
    drive: Callable[..., Driver], child: Child, asked: Asked
) -> None:
    driver = drive("molecules")
    first = driver.find(QLineEdit, "input_descriptors_0")
    numbers = [float(number) for number in range(1, 11)] + [0.25]
    QApplication.clipboard().setText("\t".join(map(str, numbers)))
    first.setFocus()
    first.selectAll()
    QTest.keyClick(first, Qt.Key_V, Qt.ControlModifier)
    assert driver.find(QLineEdit, "input_descriptors_10").text() == "0.25"
    driver.generate()
    assert asked()["rows"] == [{"descriptors": numbers}]


def test_a_number_that_is_none_is_marked_and_named(drive: Callable[..., Driver], child: Child, tmp_path: Path) -> None:
    driver = drive("molecules")
    field = driver.find(QLineEdit, "input_descriptors_3")
    field.setText("much")
    driver.generate()
    assert "Number 4 of descriptors is 'much'" in driver.find(QLabel, "fault_descriptors").text()
    assert field.property("invalid")
    assert not (tmp_path / "asked.json").exists()
    field.setText("0,5")
    driver.generate()
    assert driver.error == ""
    assert not field.property("invalid")


def test_named_columns_name_the_fields(
    opened: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path, child: Child, asked: Asked
) -> None:
    names = ("weight", "logp", "rings")
    lines = ["weight,logp,rings,text"] + [f"{100 + row},{row / 10},{row % 3},{'CO' * (1 + row % 3)}" for row in range(40)]

    def edit(design: Design) -> Design:
        (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        width = msgspec.structs.replace(design.block("descriptors").parameters, width=3)
        bindings = (Binding("descriptors.output", names), Binding("model_2.inputs", "text"))
        data = msgspec.structs.replace(design.data, file="rows.csv", bindings=bindings)
        return design.with_parameters("descriptors", width).with_data(data)

    path = example_in(tmp_path, "molecules", edit)
    trained(path, "named")
    driver = Driver(opened(path), qtbot)
    words = [label.text() for label in driver.page.findChildren(QLabel)]
    assert set(names) <= set(words)
    driver.find(QSpinBox, "fill_row").setValue(12)
    press(driver.find(QPushButton, "fill_row_button"))
    driver.settle()
    assert driver.find(QLineEdit, "input_descriptors_0").text() == "111"
    driver.generate()
    assert asked()["rows"] == [{"descriptors": [111.0, 1.1, 2.0]}]


def test_an_image_is_painted_with_the_mouse(qtbot: QtBot, drive: Callable[..., Driver], child: Child, asked: Asked) -> None:
    driver = drive("digits")
    grid = driver.find(PaintGrid, "input_image")
    handle, window = driver.window.windowHandle(), driver.window
    seen: list[QPoint] = []

    def stands_still() -> bool:
        seen.append(grid.mapTo(window, grid.rect().center()))
        return len(seen) > 3 and len({(at.x(), at.y()) for at in seen[-4:]}) == 1

    qtbot.waitUntil(stands_still)  # the form is laid out after it was made
    assert (grid.side, grid.ink) == (8, 1.0)
    for column, row in ((2, 1), (3, 1), (3, 2)):
        QTest.mouseClick(handle, Qt.LeftButton, Qt.NoModifier, grid.mapTo(window, grid.cell_centre(column, row)))
    QTest.mouseClick(handle, Qt.RightButton, Qt.NoModifier, grid.mapTo(window, grid.cell_centre(3, 1)))
    driver.generate()
    expected = np.zeros((8, 8))
    expected[1, 2] = expected[2, 3] = 1.0
    assert asked()["rows"] == [{"image": expected.reshape(-1).tolist()}]


def test_an_image_is_painted_with_the_keyboard_and_cleared(drive: Callable[..., Driver], child: Child) -> None:
    driver = drive("digits")
    grid = driver.find(PaintGrid, "input_image")
    for key in (Qt.Key_Right, Qt.Key_Down, Qt.Key_Space, Qt.Key_Right, Qt.Key_Space):
        QTest.keyClick(grid, key)
    assert np.argwhere(grid.values).tolist() == [[1, 1], [1, 2]]
    press(driver.find(QPushButton, "clear_image"))
    assert not grid.values.any()


def test_rows_come_from_the_data_of_the_run(drive: Callable[..., Driver], child: Child, asked: Asked) -> None:
    driver = drive("roman")
    driver.find(QComboBox, "generate_source").setCurrentText("From the data of the run")
    driver.find(QSpinBox, "generate_first_row").setValue(10)
    driver.find(QSpinBox, "generate_rows").setValue(3)
    driver.generate()
    assert asked()["rows"] == [{"number": "10"}, {"number": "11"}, {"number": "12"}]


def test_rows_come_from_a_file(drive: Callable[..., Driver], child: Child, asked: Asked, tmp_path: Path) -> None:
    driver = drive("roman")
    driver.find(QComboBox, "generate_source").setCurrentText("From a file")
    assert driver.error == "No file is chosen."
    driver.find(QLineEdit, "generate_file").setText("nowhere.csv")
    assert "Expected a file with rows, received nowhere.csv" in driver.error
    assert not driver.find(QPushButton, "generate_button").isEnabled()
    (tmp_path / "rows.csv").write_text("number\n7\n", encoding="utf-8")
    driver.find(QLineEdit, "generate_file").setText(str(tmp_path / "rows.csv"))
    driver.generate()
    assert asked()["input"] == str(tmp_path / "rows.csv")
    assert driver.error == ""


def test_columns_of_the_file_are_ticked_to_be_carried_over_and_a_row_that_failed_says_why(
    drive: Callable[..., Driver], child: Child, asked: Asked, tmp_path: Path, qtbot: QtBot
) -> None:
    driver = drive("roman")
    driver.find(QComboBox, "generate_source").setCurrentText("From a file")
    columns = driver.find(QListWidget, "generate_keep")
    assert not columns.isVisible()
    (tmp_path / "rows.csv").write_text("year id,number,source,note\na1,7,book,x\na2,,list,y\n", encoding="utf-8")
    driver.find(QLineEdit, "generate_file").setText(str(tmp_path / "rows.csv"))
    driver.settle()
    qtbot.waitUntil(columns.isVisible)
    assert [columns.item(row).text() for row in range(columns.count())] == ["year id", "source", "note"]
    assert [columns.item(row).checkState() for row in range(3)] == [Qt.Checked, Qt.Unchecked, Qt.Unchecked]
    assert not columns.item(0).flags() & Qt.ItemIsEnabled  # ids are carried over in any case
    columns.setFocus()
    columns.setCurrentRow(1)
    QTest.keyClick(columns, Qt.Key_Space)
    driver.generate()
    assert asked()["keep"] == ["year id", "source"]
    view = driver.find(QTableView, "results_table")
    model = view.model()
    titles = [model.headerData(column, Qt.Horizontal) for column in range(model.columnCount())]
    assert titles == ["Row", "Sample", "Text", "log p", "Input", "Problem", "Finished", "year id", "source"]
    shown = [[model.index(row, column).data() for column in (0, 1, 2, 5, 7, 8)] for row in range(2)]
    assert shown == [["1", "1", "text", "", "a1", "book"], ["2", "–", "", "It is empty.", "a2", "list"]]
    assert not view.isColumnHidden(PROBLEM_COLUMN)
    assert driver.find(QLabel, "generate_summary").text() == "1 sequence; 1 row could not be decoded"
    view.sortByColumn(1, Qt.DescendingOrder)
    save_results(tmp_path / "all.csv", view.results.results)
    assert (tmp_path / "all.csv").read_text(encoding="utf-8").splitlines() == [
        "row,sample,text,log_probability,year id,source,problem",
        "0,0,text,-1.500000,a1,book,",
        "1,,,,a2,list,It is empty.",
    ]
    driver.find(QLineEdit, "generate_file").setText("nowhere.csv")
    assert not columns.isVisible()


def test_a_design_that_cannot_generate_says_why(drive: Callable[..., Driver], child: Child) -> None:
    child("refuse")
    driver = drive("molecules")
    assert driver.generate() == []
    assert driver.error == "model_2 cannot generate: it takes 44 symbols per step and predicts 22."
    assert driver.find(QPushButton, "generate_button").isEnabled()


def test_a_long_generation_can_be_cancelled(drive: Callable[..., Driver], child: Child, qtbot: QtBot) -> None:
    child("slow")
    driver = drive("molecules")
    press(driver.find(QPushButton, "generate_button"))
    cancel = driver.find(QPushButton, "cancel_generate_button")
    qtbot.waitUntil(cancel.isVisible, timeout=5000)
    assert not driver.find(QPushButton, "generate_button").isEnabled()
    press(cancel)
    driver.settle()
    assert driver.find(QPushButton, "generate_button").isEnabled()
    assert driver.error == ""


def test_a_window_may_close_while_it_generates(drive: Callable[..., Driver], child: Child) -> None:
    child("slow")  # the fixtures fail the test if the child stays
    driver = drive("molecules")
    press(driver.find(QPushButton, "generate_button"))
    assert driver.page.task.running


def test_notices_are_shown(drive: Callable[..., Driver], child: Child) -> None:
    driver = drive("molecules")
    press(driver.find(QToolButton, "generate_strategy_sampling"))
    driver.find(QSpinBox, "generate_count").setValue(3)
    driver.generate()
    assert driver.error == "1 row had fewer than 3 different samples."


def test_results_are_copied_and_saved_as_the_command_line_writes_them(
    drive: Callable[..., Driver], child: Child, tmp_path: Path, qtbot: QtBot
) -> None:
    driver = drive("roman")
    driver.find(QPlainTextEdit, "input_number").setPlainText("1\n2")
    driver.generate()
    press(driver.find(QPushButton, "copy_results_button"))
    lines = QApplication.clipboard().text().split("\n")
    assert lines[0].split("\t") == ["row", "sample", "text", "log_probability"]
    assert lines[2].split("\t") == ["1", "0", '{"number": "2"}', "-1.000000"]
    press(driver.find(QPushButton, "save_results_button"))
    dialog = driver.window.findChild(QFileDialog, "file_dialog")
    dialog.fileSelected.emit(str(tmp_path / "out.csv"))
    dialog.close()
    qtbot.waitUntil(lambda: (tmp_path / "out.csv").exists() and not background.busy(), timeout=5000)
    text = (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert text.splitlines()[1] == '0,0,"{""number"": ""1""}",0.000000'


@pytest.mark.parametrize("first", [0.0, None], ids=["rows begin alike", "rows begin differently"])
def test_the_form_asks_for_the_first_step_of_numbers_where_the_rows_begin_differently(
    first: float | None, tmp_path: Path
) -> None:
    series = np.random.default_rng(0).normal(size=(9, 6, 2))
    series[:, 0] = series[:, 0] if first is None else first
    np.savez(tmp_path / "rows.npz", x=series[:, :-1], y=series[:, 1:])
    wanted = designs.design(
        [
            designs.block("series", "float_sequence", length=5, features=2),
            designs.block(
                "decoder", "recurrent_decoder", mode="free_running", units=[4], output_units=2, output_activation="linear"
            ),
            designs.block("loss", "loss", loss="mean_squared_error", metrics=[]),
        ],
        ["series.output -> decoder.inputs", "decoder.outputs -> loss.predictions"],
    )
    bindings = (Binding("series.output", "x"), Binding("loss.targets", "y"))
    save(wanted.with_data(DataSource("rows.npz", bindings=bindings)), tmp_path / "numbers.seqdec")
    inputs = read_inputs(trained(tmp_path / "numbers.seqdec", "run"))
    if first is not None:
        assert (inputs.first_step, inputs.ports) == ("", ())
        return
    assert inputs.first_step == "series"
    assert [(port.name, port.codec.row_shape) for port in inputs.ports] == [("series", (2,))]
    assert inputs.data is not None
    assert rows_of_data(inputs.fitted, inputs.data, 3, 1, inputs.reading, "series") == [{"series": series[3, 0].tolist()}]


def test_a_sequence_that_was_cut_is_marked_in_the_table_and_in_what_is_saved(qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "made.csv"
    file.write_text("row,sample,text,log_probability,finished\n0,0,ab,-1.0,0\n1,0,b,-2.0,1\n")
    results = read_results(file)
    table = ResultsTable()
    qtbot.addWidget(table)
    table.show_results(results)
    texts = [table.results.data(table.results.index(row, TEXT_COLUMN)) for row in range(2)]
    assert texts == ["ab …", "b"]
    assert "Unfinished" in table.results.data(table.results.index(0, TEXT_COLUMN), Qt.ToolTipRole)
    save_results(file, results)
    assert file.read_text().splitlines()[:2] == ["row,sample,text,log_probability,finished", "0,0,ab,-1.000000,0"]
    save_results(file, results[1:])
    assert file.read_text() == "row,sample,text,log_probability\n1,0,b,-2.000000\n"


def test_the_newest_run_is_offered_first_and_the_one_that_was_shown_is_chosen(
    opened: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path, child: Child
) -> None:
    path = example_in(tmp_path, "roman")
    old, _new = trained(path, "old", created=1000.0), trained(path, "new", created=2000.0)
    driver = Driver(opened(path), qtbot)
    runs = driver.find(QComboBox, "generate_run")
    assert [runs.itemText(i).split(" ")[0] for i in range(runs.count())] == ["new", "old"]
    assert driver.page.picker.run.run.name == "new"
    driver.window.workspace.run_requested.emit(old.path)
    driver.settle()
    assert driver.page.picker.run.run == old


@pytest.mark.parametrize("by_hand", [False, True])
def test_the_run_that_ended_last_is_chosen_unless_another_was_by_hand(
    opened: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path, child: Child, by_hand: bool
) -> None:
    """The weights of an earlier run, which nobody chose, were taken where another had been trained since the first look."""
    path = example_in(tmp_path, "roman")
    old, older = trained(path, "old", created=1000.0), trained(path, "older", created=500.0)
    driver = Driver(opened(path), qtbot)
    assert driver.page.picker.run.run == old
    if by_hand:
        runs = driver.find(QComboBox, "generate_run")
        runs.setFocus()
        QTest.keyClick(runs, Qt.Key_Down)
        driver.settle()
        assert driver.page.picker.run.run == older
    driver.window.pages.show_page("train")
    new = trained(path, "new", created=2000.0)
    driver.window.workspace.run_ended.emit(new.path)
    driver.settle()
    driver.window.pages.show_page("generate")
    driver.settle()
    assert driver.page.picker.run.run == (older if by_hand else new)


def test_a_second_space_after_generate_does_not_cancel_it(drive: Callable[..., Driver], child: Child, qtbot: QtBot) -> None:
    child("slow")
    driver = drive("roman")
    QTest.keyClicks(driver.find(QPlainTextEdit, "input_number"), "7")
    button = driver.find(QPushButton, "generate_button")
    button.setFocus()
    QTest.keyClick(driver.window.windowHandle(), Qt.Key_Space)
    qtbot.waitUntil(lambda: driver.page.task.running, timeout=10_000)
    QTest.keyClick(driver.window.windowHandle(), Qt.Key_Space)
    QTest.keyClick(driver.window.windowHandle(), Qt.Key_Return)
    assert driver.page.task.running
    press(driver.find(QPushButton, "cancel_generate_button"))
    driver.settle()
