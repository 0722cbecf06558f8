"""The export dialog: what is asked of the child, what its check found, and what to do where a format cannot carry the model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import (
    QAction,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QToolButton,
    QTreeWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.dialogs.export import ExportDialog, open_export_of
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.runs import export_formats
from seqdec_gui.runs.export_formats import EXPORT_FORMATS
from seqdec_gui.runs.format_result import FormatResult
from seqdec_gui.runs.notes import Note, write_note
from tests.gui.conftest import press
from tests.gui.trained_runs import asked, child, example_in, trained

pytestmark = pytest.mark.slow

__all__ = ["asked", "child"]
Child = Callable[[str], None]


@pytest.fixture
def roman(tmp_path: Path) -> Path:
    path = example_in(tmp_path, "roman")
    trained(path, "first")
    return path


@pytest.fixture
def dialog(opened: Callable[..., MainWindow], roman: Path, child: Child, qtbot: QtBot) -> Any:
    """The dialog as the action opens it; closed at the end."""
    window = opened(roman)
    window.findChild(QAction, "action_export_h5").trigger()
    found = window.findChild(ExportDialog, "export_dialog")
    qtbot.waitUntil(lambda: not background.busy(), timeout=5000)
    yield found
    found.reject()
    qtbot.waitUntil(lambda: not background.busy(), timeout=5000)


def find(dialog: ExportDialog, kind: type[Any], name: str) -> Any:
    found = dialog.findChildren(kind, name)
    assert len(found) == 1, f"{len(found)} of {name}"
    return found[0]


def export(dialog: ExportDialog, qtbot: QtBot) -> None:
    press(find(dialog, QPushButton, "export_button"))
    qtbot.waitUntil(lambda: not dialog.task.running and not background.busy(), timeout=20_000)


def test_a_long_reason_covers_nothing(dialog: ExportDialog, qtbot: QtBot) -> None:
    dialog._say("The folder that was asked for does not exist; make it, or choose another. " * 4, "error")
    labels = [label for label in dialog.findChildren(QLabel) if label.isVisible() and label.wordWrap()]
    assert len(labels) > 1
    qtbot.waitUntil(lambda: all(label.height() >= label.heightForWidth(label.width()) for label in labels))


def test_runs_are_called_what_the_user_calls_them(dialog: ExportDialog, roman: Path, qtbot: QtBot) -> None:
    runs = find(dialog, QComboBox, "export_run")
    assert runs.currentText().startswith("first · ")
    write_note(roman.parent / "runs" / "first", Note(name="the good one"))
    press(find(dialog, QToolButton, "export_refresh"))
    qtbot.waitUntil(lambda: runs.currentText().startswith("the good one · "), timeout=5_000)


def test_it_exports_the_full_model_of_the_newest_run_and_says_what_the_check_found(
    dialog: ExportDialog, roman: Path, asked: Callable[[], dict], qtbot: QtBot
) -> None:
    run = roman.parent / "runs" / "first"
    assert find(dialog, QComboBox, "export_format").currentText() == "Keras .h5, one file"
    assert find(dialog, QLineEdit, "export_path").text() == str(roman.parent / "roman.h5")
    export(dialog, qtbot)
    wanted = {name: asked()[name] for name in ("run", "format", "part", "checkpoint", "output")}
    assert wanted == {
        "run": str(run),
        "format": "h5",
        "part": "full",
        "checkpoint": "best",
        "output": str(roman.parent / "roman.h5"),
    }
    assert find(dialog, QLabel, "export_status").property("role") == "ok"
    result = find(dialog, QLabel, "export_result").text()
    assert "Largest difference on 64 rows: 2.5e-07" in result
    assert "The data of the run cannot be read." in result
    assert str(roman.parent / "roman.h5") in result


def test_the_file_of_a_run_of_another_design_is_not_called_as_the_open_one(
    dialog: ExportDialog, roman: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "elsewhere").mkdir()
    other = trained(example_in(tmp_path / "elsewhere", "molecules"), "theirs")
    dialog.picker._workspace.run_requested.emit(other.path)
    runs = find(dialog, QComboBox, "export_run")
    qtbot.waitUntil(lambda: runs.currentText().startswith("theirs") and not background.busy(), timeout=5_000)
    assert Path(find(dialog, QLineEdit, "export_path").text()).name == "molecules.h5"
    runs.setFocus()
    QTest.keyClick(runs, Qt.Key_Home)
    QTest.keyClick(runs, Qt.Key_Down) if not runs.currentText().startswith("first") else None
    qtbot.waitUntil(lambda: runs.currentText().startswith("first") and not background.busy(), timeout=5_000)
    assert Path(find(dialog, QLineEdit, "export_path").text()).name == "roman.h5"


def test_a_run_on_standardised_numbers_can_be_exported_with_raw_inputs(
    opened: Callable[..., MainWindow], tmp_path: Path, child: Child, asked: Callable[[], dict], qtbot: QtBot
) -> None:
    path = example_in(tmp_path, "molecules")
    trained(path, "first")
    window = opened(path)
    window.findChild(QAction, "action_export_h5").trigger()
    dialog = window.findChild(ExportDialog, "export_dialog")
    raw = find(dialog, QCheckBox, "export_raw_inputs")
    qtbot.waitUntil(lambda: raw.isVisible() and not background.busy(), timeout=5000)
    export(dialog, qtbot)
    assert not asked().get("raw_inputs")
    assert "Input latent expects standardised numbers" in find(dialog, QLabel, "export_result").text()
    raw.click()
    (tmp_path / "molecules.h5").unlink()
    export(dialog, qtbot)
    assert asked()["raw_inputs"]
    assert "expects standardised" not in find(dialog, QLabel, "export_result").text()
    dialog.reject()


def test_a_run_on_symbols_has_no_raw_inputs(dialog: ExportDialog, asked: Callable[[], dict], qtbot: QtBot) -> None:
    assert not find(dialog, QCheckBox, "export_raw_inputs").isVisible()
    export(dialog, qtbot)
    assert not asked().get("raw_inputs")


def test_only_formats_that_are_there_are_offered_and_the_ending_follows(dialog: ExportDialog) -> None:
    formats, path = find(dialog, QComboBox, "export_format"), find(dialog, QLineEdit, "export_path")
    assert [formats.itemData(i) for i in range(formats.count())] == [*EXPORT_FORMATS, ""]
    parts = find(dialog, QComboBox, "export_part")
    every = ["full", "encoder", "decoder", "one-step", "initial-states"]
    assert [parts.itemData(i) for i in range(parts.count())] == every
    parts.setCurrentIndex(1)
    assert Path(path.text()).name == "roman-encoder.h5"
    formats.setCurrentIndex(1)
    assert Path(path.text()).name == "roman-encoder.keras"
    path.setText("/some/where/mine.keras")
    formats.setCurrentIndex(formats.findData("script"))
    assert path.text() == "/some/where/mine.py"
    assert [parts.itemData(i) for i in range(parts.count())] == ["full", "one-step"]
    formats.setCurrentIndex(formats.findData("bundle"))
    assert path.text() == "/some/where/mine.bundle.zip"
    assert [parts.itemData(i) for i in range(parts.count())] == ["full"]
    formats.setCurrentIndex(formats.findData("keras2-h5"))
    assert path.text() == "/some/where/mine.keras2.h5"


def test_all_formats_are_listed_with_what_each_is_for_and_what_came_of_it(
    dialog: ExportDialog, roman: Path, asked: Callable[[], dict], qtbot: QtBot
) -> None:
    table, formats = find(dialog, QTreeWidget, "export_table"), find(dialog, QComboBox, "export_format")
    assert not table.isVisible()
    formats.setCurrentIndex(formats.count() - 1)
    assert table.isVisible()
    rows = [[table.topLevelItem(i).text(column) for column in range(5)] for i in range(table.topLevelItemCount())]
    assert [row[1] for row in rows] == [row.use for row in EXPORT_FORMATS.values()]
    assert {row[2] for row in rows} == {""}
    export(dialog, qtbot)
    assert asked()["formats"] == list(EXPORT_FORMATS)
    assert asked()["folder"] == str(roman.parent / "roman-exports")
    assert (roman.parent / "roman-exports").is_dir()
    rows = [[table.topLevelItem(i).text(column) for column in range(5)] for i in range(table.topLevelItemCount())]
    assert rows[0][2:] == ["equal, 2e-07", "123 kB", "full.x"]
    assert rows[-1][2:] == ["not possible", "", "It cannot carry full."]
    reason = "This design has an encoder and a layer that the format has no operator for. Export the decoder as a part. " * 2
    table.show_results([FormatResult(format=list(EXPORT_FORMATS)[-1], sentence=reason.strip(), limit=True)])
    last = table.topLevelItem(table.topLevelItemCount() - 1)
    lines = len(reason) * table.fontMetrics().averageCharWidth() / table.columnWidth(4)
    qtbot.waitUntil(lambda: table.visualItemRect(last).height() > lines * table.fontMetrics().height())
    qtbot.waitUntil(lambda: table.viewport().rect().contains(table.visualItemRect(last)))  # no part of it is cut
    count = len(EXPORT_FORMATS)
    assert f"{count - 1} of {count} formats exported" in find(dialog, QLabel, "export_status").text()
    parts = find(dialog, QComboBox, "export_part")
    parts.setCurrentIndex(parts.findData("encoder"))
    rows = [[table.topLevelItem(i).text(column) for column in range(5)] for i in range(table.topLevelItemCount())]
    assert [row[2] for row in rows] == ["not for this part" if not row.blocks else "" for row in EXPORT_FORMATS.values()]


def test_a_format_whose_packages_are_missing_says_how_to_install_them(
    dialog: ExportDialog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_formats, "find_spec", lambda name: None if name == "onnxruntime" else object())
    formats = find(dialog, QComboBox, "export_format")
    formats.setCurrentIndex(formats.findData("onnx"))
    shown = [label.text() for label in dialog.findChildren(QLabel) if label.isVisible()]
    assert any("pip install 'seqdec-gui[onnx]'" in text for text in shown)


def test_where_h5_cannot_carry_the_model_keras_is_one_click_away(
    dialog: ExportDialog, child: Child, asked: Callable[[], dict], qtbot: QtBot
) -> None:
    child("refuse")
    export(dialog, qtbot)
    status = find(dialog, QLabel, "export_status")
    assert (status.text(), status.property("role")) == ("A .h5 file cannot carry full. Export as .keras.", "error")
    press(find(dialog, QPushButton, "export_as_keras"))
    qtbot.waitUntil(lambda: not dialog.task.running and not background.busy(), timeout=20_000)
    assert asked()["format"] == "keras"
    assert status.property("role") == "ok"
    assert not find(dialog, QPushButton, "export_as_keras").isVisible()


def test_a_file_that_exists_is_replaced_only_after_a_question(dialog: ExportDialog, tmp_path: Path, qtbot: QtBot) -> None:
    target = tmp_path / "mine.h5"
    target.write_bytes(b"precious")
    find(dialog, QLineEdit, "export_path").setText(str(target))
    press(find(dialog, QPushButton, "export_button"))
    box = dialog.findChild(QMessageBox, "question_box")
    press(box.findChild(QPushButton, "answer_cancel"))
    assert target.read_bytes() == b"precious"
    press(find(dialog, QPushButton, "export_button"))
    box = next(each for each in dialog.findChildren(QMessageBox, "question_box") if each.isVisible())
    press(box.findChild(QPushButton, "answer_accept"))
    qtbot.waitUntil(lambda: not dialog.task.running and not background.busy(), timeout=20_000)
    assert target.read_bytes() == b"exported"


def test_an_ending_in_capitals_replaces_the_file_that_would_be_written_only_after_a_question(
    dialog: ExportDialog, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "mine.h5").write_bytes(b"precious")
    find(dialog, QLineEdit, "export_path").setText(str(tmp_path / "mine.H5"))
    press(find(dialog, QPushButton, "export_button"))
    box = dialog.findChild(QMessageBox, "question_box")
    assert "mine.h5 exists already" in box.informativeText()
    press(box.findChild(QPushButton, "answer_cancel"))
    assert (tmp_path / "mine.h5").read_bytes() == b"precious"


def test_an_ending_of_another_format_is_refused_before_anything_starts(dialog: ExportDialog, tmp_path: Path) -> None:
    find(dialog, QLineEdit, "export_path").setText(str(tmp_path / "mine.pkl"))
    press(find(dialog, QPushButton, "export_button"))
    assert "Expected a file name that ends with .h5 or .hdf5" in find(dialog, QLabel, "export_status").text()
    assert not (tmp_path / "asked.json").exists()
    formats = find(dialog, QComboBox, "export_format")
    formats.setCurrentIndex(formats.findData("onnx"))
    assert find(dialog, QLabel, "export_status").text() == ""  # it was about another format


def test_the_ending_follows_the_format_from_capitals_too(dialog: ExportDialog) -> None:
    formats, path = find(dialog, QComboBox, "export_format"), find(dialog, QLineEdit, "export_path")
    path.setText("/some/where/mine.HDF5")
    formats.setCurrentIndex(formats.findData("script"))
    assert path.text() == "/some/where/mine.py"


def test_a_path_that_is_not_whole_is_refused_before_anything_starts(dialog: ExportDialog, tmp_path: Path) -> None:
    find(dialog, QLineEdit, "export_path").setText("model.h5")
    press(find(dialog, QPushButton, "export_button"))
    assert "Expected the full path" in find(dialog, QLabel, "export_status").text()
    assert not (tmp_path / "asked.json").exists()


def test_cancel_ends_the_child_and_leaves_the_dialog_ready(dialog: ExportDialog, child: Child, qtbot: QtBot) -> None:
    child("slow")
    press(find(dialog, QPushButton, "export_button"))
    cancel = find(dialog, QPushButton, "export_cancel")
    qtbot.waitUntil(lambda: find(dialog, QLabel, "export_status").text() == "Working", timeout=10_000)
    assert cancel.text() == "Cancel"
    choices = ("export_run", "export_format", "export_path", "export_browse")
    assert not any(dialog.findChild(QWidget, name).isEnabled() for name in choices)  # what is shown is what is exported
    assert not cancel.hasFocus()  # where a stray key would end it
    press(cancel)
    qtbot.waitUntil(lambda: not dialog.task.running and not background.busy(), timeout=10_000)
    assert find(dialog, QLabel, "export_status").text() == "Cancelled; nothing was written."
    assert (cancel.text(), dialog.isVisible()) == ("Close", True)
    assert all(dialog.findChild(QWidget, name).isEnabled() for name in choices)


def test_without_a_run_it_says_so(opened: Callable[..., MainWindow], tmp_path: Path, qtbot: QtBot) -> None:
    window = opened(example_in(tmp_path, "roman"))
    window.findChild(QAction, "action_export").trigger()
    dialog = window.findChild(ExportDialog, "export_dialog")
    qtbot.waitUntil(lambda: not background.busy(), timeout=5000)
    assert "no run of this design with weights" in find(dialog, QLabel, "export_status").text()
    assert not find(dialog, QPushButton, "export_button").isEnabled()
    dialog.reject()


def test_it_begins_with_the_run_that_was_shown_last(opened: Callable[..., MainWindow], roman: Path, qtbot: QtBot) -> None:
    trained(roman, "second", created=2000.0)
    window = opened(roman)
    window.workspace.run_requested.emit(roman.parent / "runs" / "first")
    window.findChild(QAction, "action_export").trigger()
    dialog = window.findChild(ExportDialog, "export_dialog")
    qtbot.waitUntil(lambda: not background.busy(), timeout=5000)
    assert dialog.picker.run.run.name == "first"
    QTest.qWait(0)
    dialog.reject()


def test_an_open_dialog_follows_the_run_that_another_page_wants_exported(
    opened: Callable[..., MainWindow], roman: Path, qtbot: QtBot
) -> None:
    trained(roman, "second", created=2000.0)
    window = opened(roman)
    open_export_of(window.workspace, roman.parent / "runs" / "first")
    dialog = window.findChild(ExportDialog, "export_dialog")
    qtbot.waitUntil(lambda: not background.busy(), timeout=5000)
    assert dialog.picker.run.run.name == "first"
    assert find(dialog, QComboBox, "export_run").currentText().startswith("first")
    dialog.reject()
