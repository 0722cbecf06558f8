"""The bar above the data that says how a text file is read, in the real window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtWidgets import QComboBox, QLabel, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.domain.bindings import Binding, Reading, TextCodec
from seqdec_gui.gui.pages.data.page import DataPage
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace import data_trial as checking
from tests.gui.conftest import press

PAIRS = "apple\tApfel\nbread\tBrot\nmilk\tMilch\nsalt\tSalz\n"


@pytest.fixture
def window(opened: Callable[..., MainWindow], monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    monkeypatch.setattr(checking, "DELAY_MS", 10)
    found = opened(resource_files.path("templates/sequence-to-sequence.seqdec"))
    found.pages.show_page("data")
    return found


@pytest.fixture
def settled(window: MainWindow, qtbot: QtBot) -> Callable[[], DataPage]:
    page = window.findChild(DataPage, "data_page")

    def wait() -> DataPage:
        qtbot.waitUntil(lambda: not background.busy() and not page.checking.busy, timeout=20_000)
        return page

    return wait


def choose(window: MainWindow, name: str, value: str) -> None:
    field = window.findChild(QComboBox, f"field_{name}")
    field.setCurrentIndex(field.findData(value))


def names(page: DataPage) -> list[str]:
    assert page.table is not None
    return [column.name for column in page.table.columns]


def test_what_was_detected_is_shown_and_a_choice_is_read_at_once_and_undone(
    window: MainWindow, settled: Callable[[], DataPage], tmp_path: Path
) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text(PAIRS)
    window.take_file(path)
    page = settled()
    shown = {name: window.findChild(QComboBox, f"field_{name}").currentText() for name in ("header", "delimiter", "encoding")}
    assert shown == {"header": "Auto: No", "delimiter": "Auto: Tab", "encoding": "Auto: UTF-8"}
    assert "looks like its other lines" in window.findChild(QLabel, "reading_warnings").text()
    assert (names(page), page.table.rows) == (["column 1", "column 2"], 4)

    choose(window, "header", "yes")
    page = settled()
    assert window.document.design.data.reading == Reading(header="yes")
    assert (names(page), page.table.rows) == (["apple", "Apfel"], 3)
    assert not window.findChild(QLabel, "reading_warnings").isVisible()

    window.document.undo_stack.undo()
    page = settled()
    assert (names(page), page.table.rows) == (["column 1", "column 2"], 4)
    assert window.findChild(QComboBox, "field_header").currentData() == "auto"


def test_a_file_that_cannot_be_read_keeps_the_fields_that_may_mend_it(
    window: MainWindow, settled: Callable[[], DataPage], tmp_path: Path
) -> None:
    path = tmp_path / "words.csv"
    path.write_bytes("wort;n\nsüß;1\n".encode("cp1252"))
    window.take_file(path)
    settled()
    choose(window, "encoding", "utf-8")
    page = settled()
    assert page.table is None
    assert window.findChild(QWidget, "reading_bar").isVisible()
    choose(window, "encoding", "auto")
    assert names(settled()) == ["wort", "n"]


def test_a_setting_of_a_file_is_not_that_of_the_next(
    window: MainWindow, settled: Callable[[], DataPage], tmp_path: Path
) -> None:
    for name in ("a.tsv", "b.tsv"):
        (tmp_path / name).write_text(PAIRS)
    window.take_file(tmp_path / "a.tsv")
    settled()
    choose(window, "header", "yes")
    settled()
    window.take_file(tmp_path / "b.tsv")
    assert names(settled()) == ["column 1", "column 2"]
    assert window.document.design.data.reading == Reading()


def test_an_array_file_has_no_field_but_the_encoding_of_its_texts(window: MainWindow, settled: Callable[[], DataPage]) -> None:
    window.take_file(resource_files.path("examples/data/molecules.npz"))
    settled()
    fields = window.findChild(QWidget, "reading_bar").findChildren(QComboBox)
    assert [field.objectName() for field in fields if field.isVisible()] == ["field_encoding"]


def test_warnings_about_the_data_reach_the_problems_of_the_window(
    window: MainWindow, settled: Callable[[], DataPage], tmp_path: Path
) -> None:
    from seqdec_gui.domain import data_edits as edits

    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"word {i}\tsame\n" for i in range(40)))
    window.take_file(path)
    page = settled()
    ports = page.ports.ports
    design: Any = window.document.design
    for port in ports:
        if port.role == "input":
            column = "column 2" if port.generated else "column 1"
            design = edits.with_columns(design, ports, port, (column,))
    window.document.edit(design, "Bind")
    page = settled()
    assert all(isinstance(binding, Binding) for binding in window.document.design.data.bindings)
    found = {problem.code for problem in page.checking.problems}
    assert {"constant_column", "header_missing"} <= found


def test_a_file_of_another_alphabet_can_be_opened_by_choosing_its_encoding(
    window: MainWindow, settled: Callable[[], DataPage], tmp_path: Path
) -> None:
    path = tmp_path / "words.csv"
    path.write_bytes("n;слово\n1;кошка\n2;собака\n3;лиса\n".encode("cp1251"))
    window.take_file(path)
    page = settled()
    assert page.table is None
    assert window.findChild(QWidget, "reading_bar").isVisible()
    choose(window, "encoding", "cp1251")
    assert names(settled()) == ["n", "слово"]


def test_the_encoding_that_is_proposed_is_taken_by_a_click(
    window: MainWindow, settled: Callable[[], DataPage], tmp_path: Path
) -> None:
    path = tmp_path / "words.csv"
    lines = "".join(f"{i};быстрая лиса прыгает через ленивую собаку, а кошка спит\n" for i in range(20))
    path.write_bytes(f"n;слово\n{lines}".encode("cp1251"))
    window.take_file(path)
    assert settled().table is None
    button = window.findChild(QPushButton, "reading_proposal")
    assert (button.isVisible(), button.text()) == (True, "Read it as Cyrillic (cp1251)")
    press(button)
    assert names(settled()) == ["n", "слово"]
    assert window.document.design.data.reading == Reading(encoding="cp1251")
    assert not button.isVisible()
    window.document.undo_stack.undo()
    assert settled().table is None
    assert button.isVisible()


def test_the_decimal_mark_and_comment_lines_are_shown_and_set(
    window: MainWindow, settled: Callable[[], DataPage], tmp_path: Path
) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("a;b\n1,5;1.234\n% made by hand\n2,25;2.345\n")
    window.take_file(path)
    settled()
    choose(window, "comment", "%")
    page = settled()
    assert page.table is not None
    assert page.table.rows == 2
    assert window.findChild(QComboBox, "field_decimal").currentText() == "Auto: Comma"
    assert page.table.page("b", 0, 1) == [1234]
    choose(window, "decimal", ".")
    page = settled()
    assert page.table is not None
    assert page.table.page("b", 0, 1) == [1.234]
    assert window.document.design.data.reading == Reading(comment="%", decimal=".")


def test_the_bar_of_a_workbook_offers_its_sheets_alone(
    window: MainWindow, settled: Callable[[], DataPage], tmp_path: Path
) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["word", "n"])
    book.active.append(["a", 1])
    book.create_sheet("more").append([1.5, 2.5])
    book.save(tmp_path / "book.xlsx")
    window.take_file(tmp_path / "book.xlsx")
    settled()
    shown = [name for name in ("header", "sheet", "delimiter", "encoding") if _is_shown(window, name)]
    assert shown == ["header", "sheet"]
    assert window.findChild(QComboBox, "field_sheet").currentText() == "Auto: Sheet"
    choose(window, "sheet", "more")
    page = settled()
    assert names(page) == ["column 1", "column 2"]


def _is_shown(window: MainWindow, name: str) -> bool:
    return window.findChild(QComboBox, f"field_{name}").isVisibleTo(window)


def test_an_option_of_text_is_chosen_in_the_form_of_the_codec(
    window: MainWindow, settled: Callable[[], DataPage], tmp_path: Path
) -> None:
    path = tmp_path / "molecules.csv"
    path.write_text("smiles,n\n" + "CCl,1\nC[nH],2\nBrC,3\n" * 9)
    window.take_file(path)
    settled()
    document = window.document
    document.edit(document.design.with_data(document.design.data.with_bindings((Binding("decoder.inputs", "smiles"),))), "bind")
    settled()
    window.findChild(QToolButton, "options_decoder_inputs").click()
    form = window.findChild(QComboBox, "codec_decoder_inputs_tokens")
    form.setCurrentIndex(form.findData("smiles"))
    settled()
    (binding,) = document.design.data.bindings
    assert isinstance(binding.codec, TextCodec)
    assert binding.codec.tokens == "smiles"
    labels = [label.text() for label in window.findChildren(QLabel)]
    assert any("4 atoms and bonds" in text for text in labels)


@pytest.mark.parametrize(("name", "rows"), [("reading_replace", 3), ("reading_leave_out", 3)])
def test_bytes_that_are_no_text_are_replaced_or_left_out_by_a_click(
    window: MainWindow, settled: Callable[[], DataPage], tmp_path: Path, name: str, rows: int
) -> None:
    path = tmp_path / "words.csv"
    path.write_bytes("n;word\n1;übel\n2;X\n3;ähnlich\n".encode().replace(b"X", b"b\xffd"))
    window.take_file(path)
    assert settled().table is None
    button = window.findChild(QPushButton, name)
    assert button.isVisible()
    press(button)
    page = settled()
    assert page.table is not None
    assert page.table.rows == rows
    data = window.document.design.data
    assert (data.reading.wrong_bytes, data.faulty_rows) == (
        ("replace", "refuse") if name == "reading_replace" else ("mark", "leave_out")
    )
    assert not button.isVisible()
    assert window.findChild(QComboBox, "field_wrong_bytes").isVisible()
    window.document.undo_stack.undo()
    assert settled().table is None
    assert button.isVisible()


@pytest.mark.parametrize(
    ("name", "content", "button_text", "setting", "rows"),
    [
        ("a.txt", '"hello"\n"wor, ld"\n"again"\n', "Read it as Comma", Reading(delimiter=","), ["hello", "wor, ld", "again"]),
        ("a.txt", 'word\n"hello"\n"bye"\n', "Read it as Comma", Reading(delimiter=","), ["hello", "bye"]),
        ("a.csv", "apple\nfoo\nbar\nbaz\n", "Read it as Yes", Reading(header="yes"), ["foo", "bar", "baz"]),
    ],
)
def test_what_a_warning_proposes_is_taken_by_a_click(
    window: MainWindow,
    settled: Callable[[], DataPage],
    tmp_path: Path,
    name: str,
    content: str,
    button_text: str,
    setting: Reading,
    rows: list[str],
) -> None:
    path = tmp_path / name
    path.write_text(content)
    window.take_file(path)
    settled()
    button = window.findChild(QPushButton, "reading_proposal")
    assert (button.isVisible(), button.text()) == (True, button_text)
    assert not window.findChild(QPushButton, "reading_replace").isVisible()
    press(button)
    table = settled().table
    assert window.document.design.data.reading == setting
    assert table is not None
    assert table.page(table.columns[0].name, 0, 10) == rows
    assert not button.isVisible() or button.text() != button_text  # the next warning may propose something else
