"""Messages about long names, and the dialog that chooses a file: nothing is cut, and what is typed is what is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtCore import QItemSelectionModel, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QComboBox, QFileSystemModel, QLabel, QLineEdit, QMessageBox, QTreeView
from pytestqt.qtbot import QtBot

from seqdec_gui.domain.wording import breakable
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.tasks import notify
from seqdec_gui.gui.tasks.file_dialog import FileDialog
from seqdec_gui.gui.window.main_window import MainWindow

LONG = "n" * 200


@pytest.mark.parametrize(
    "title",
    ["A title", "Roman numerals · 30 Nov 01:06:23 is still training", f"{LONG} is still training", "word " * 40],
    ids=["short", "a run", "one long word", "many words"],
)
@pytest.mark.parametrize("text", ["It goes on.", f"{LONG}.seqdec was changed elsewhere."], ids=["short text", "long text"])
def test_no_word_of_a_message_is_cut(window: MainWindow, qtbot: QtBot, title: str, text: str) -> None:
    nothing_is_cut(window, qtbot, notify.ask(window, title, text, lambda answer: None))


def nothing_is_cut(window: MainWindow, qtbot: QtBot, box: QMessageBox) -> None:
    qtbot.waitUntil(box.isVisible)
    QApplication.processEvents()
    for name in ("qt_msgbox_label", "qt_msgbox_informativelabel"):
        label = box.findChild(QLabel, name)
        needed = label.heightForWidth(label.width()) if label.wordWrap() else label.sizeHint().height()
        assert label.height() >= needed, name
        assert label.wordWrap() or label.width() >= label.sizeHint().width(), name
        assert label.minimumSizeHint().width() <= label.width(), name
    assert box.width() <= window.screen().availableGeometry().width()
    box.reject()
    qtbot.waitUntil(lambda: not window.findChildren(QMessageBox))


def test_no_heading_is_cut_whatever_its_length_and_the_buttons(window: MainWindow, qtbot: QtBot) -> None:
    title = "Train the open design from the weights of Roman numerals by attention · 30 Nov 10:51:11?"
    text = "The weights depend on the alphabets, labels and scalers that were fitted to the data of that run. " * 3
    for letters in (20, 45, 52, 60, 70, len(title)):
        heading = title[-letters:].strip()
        box = notify.ask(window, heading, text, lambda answer: None, "Keep fitted values", "Fit again")
        nothing_is_cut(window, qtbot, box)


def test_long_words_can_be_broken_and_keep_their_letters() -> None:
    assert breakable("a short text /of/several/folders/and/names/that/can/be/broken.txt") == (
        "a short text /of/several/folders/and/names/that/can/be/broken.txt"
    )
    assert breakable(LONG).replace("\u200b", "") == LONG
    assert max(map(len, breakable(LONG).split("\u200b"))) == 12


@pytest.fixture
def files(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> Callable[[], tuple[FileDialog, list[Path]]]:
    """Open a file dialog in a folder with some files; returns it with the list that what is chosen goes to."""
    (tmp_path / "deeper").mkdir()
    for name, size in (("a.csv", 18), (f"{'long ' * 30}.csv", 123_456), ("b & ü.csv", 10_000_000)):
        (tmp_path / name).write_bytes(b"x" * size)

    def start() -> tuple[FileDialog, list[Path]]:
        chosen: list[Path] = []
        dialog = notify.choose_file(window, "Open", [notify.data_filter()], chosen.append, tmp_path)
        table = dialog.findChild(QTreeView, "treeView")
        qtbot.waitUntil(lambda: table.model().rowCount(table.rootIndex()) >= 4)
        QApplication.setActiveWindow(dialog)
        return dialog, chosen

    return start


def test_sizes_and_dates_are_never_cut(files: Callable[[], tuple[FileDialog, list[Path]]], qtbot: QtBot) -> None:
    dialog, _chosen = files()
    table = dialog.findChild(QTreeView, "treeView")
    model, root, header = table.model(), table.rootIndex(), table.header()

    def narrow() -> list[str]:
        """What is wider than its column, but for names."""
        cells = [model.index(row, column, root) for row in range(model.rowCount(root)) for column in (1, 2, 3)]
        room = {column: table.columnWidth(column) - 2 * theme.SPACE for column in (1, 2, 3)}
        return [one.data() for one in cells if table.fontMetrics().horizontalAdvance(one.data() or "") > room[one.column()]]

    assert model.index(0, 3, root).data()
    qtbot.waitUntil(lambda: narrow() == [])
    qtbot.waitUntil(lambda: header.length() == table.viewport().width())
    kinds = dialog.findChild(QComboBox, "fileTypeCombo")
    assert kinds.currentText() == "Data"
    assert "*.parquet" in kinds.toolTip()
    dialog.reject()


@pytest.mark.parametrize("where", ["here", "deeper", "above"])
def test_a_path_that_is_typed_is_opened_whatever_is_selected(
    files: Callable[[], tuple[FileDialog, list[Path]]], qtbot: QtBot, tmp_path: Path, where: str
) -> None:
    """Qt selects folders while a path is typed through them, and on a busy machine it keeps one of them."""
    target = {"here": tmp_path, "deeper": tmp_path / "deeper", "above": tmp_path.parent}[where] / "typed.csv"
    target.write_text("a\n1\n")
    dialog, chosen = files()
    line, table = dialog.findChild(QLineEdit, "fileNameEdit"), dialog.findChild(QTreeView, "treeView")
    qtbot.waitUntil(line.hasFocus)
    QTest.keyClicks(line, str(target))
    model = next(one for one in dialog.findChildren(QFileSystemModel) if one.rootPath())
    folder = model.index(str(tmp_path / "deeper"))
    table.selectionModel().select(folder, QItemSelectionModel.ClearAndSelect | QItemSelectionModel.Rows)
    QTest.keyClick(line, Qt.Key_Return)
    qtbot.waitUntil(lambda: chosen == [target])
    assert not dialog.isVisible()
