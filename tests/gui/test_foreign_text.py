"""Text from files of others is shown as text, and names from elsewhere become legal ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtWidgets import QApplication, QLabel, QMessageBox, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.document import dumps
from seqdec_gui.domain.names import name_problem
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.gui import autosave, notify
from seqdec_gui.gui.design_view.edits import pasted
from seqdec_gui.gui.document import DesignDocument
from seqdec_gui.gui.main_window import MainWindow
from tests.domain.designs import archetype

HTML = "<b>bold</b><img src='file:///etc/passwd'><a href='file:///etc'>here</a>"


def test_label_shows_markup_as_text(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    label = QLabel(HTML, window)
    window.show()
    qtbot.waitExposed(window)
    later = QLabel(window)
    later.setText(HTML)
    later.show()

    assert label.textFormat() == Qt.PlainText
    assert later.textFormat() == Qt.PlainText
    assert label.sizeHint().width() > label.fontMetrics().horizontalAdvance("boldhere") * 3


def test_tooltip_shows_markup_as_text(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    QToolTip.showText(window.mapToGlobal(QPoint(5, 5)), HTML, window)
    tips = [
        widget for widget in QApplication.topLevelWidgets() if widget.objectName() == "qtooltip_label" and widget.isVisible()
    ]
    QToolTip.hideText()

    assert tips
    assert all(isinstance(tip, QLabel) and tip.textFormat() == Qt.PlainText for tip in tips)


@pytest.mark.parametrize("with_problems", [False, True])
def test_message_boxes_escape_all_that_they_are_given(with_problems: bool, qtbot: QtBot, window: MainWindow) -> None:
    error: Exception = InvalidInput([Problem("error", "x", HTML, HTML, HTML)]) if with_problems else ValueError(HTML)
    box = notify.failure(window, error, title=HTML)
    text = box.text() + box.informativeText()
    box.close()

    assert isinstance(box, QMessageBox)
    assert "<img" not in text
    assert "<a " not in text
    assert "&lt;img" in text


def test_pasted_blocks_of_illegal_names_get_legal_ones() -> None:
    foreign = archetype().renamed("model_1", 'x"\nimport os').renamed("latent", "build")
    grown, names = pasted(Design(), dumps(foreign), (0.0, 0.0))

    assert all(name_problem(name) is None for name in names)
    assert len(set(names)) == 5
    assert {link.source.block for link in grown.links} <= set(names)


def test_rename_says_why_and_which_name_would_do(qtbot: QtBot) -> None:
    document = DesignDocument(archetype())

    assert "for example class_block." in document.rename_fault("latent", "class")
    assert "used by the generated script" in document.rename_fault("latent", "keras")
    assert document.rename_fault("latent", "build_model_1") == ""


@pytest.mark.parametrize(
    "name", ["untitled-99999999999999999999", "untitled-²", "untitled-0", "untitled--1", "untitled-", "untitled-x"]
)
def test_recovery_file_of_any_name_is_looked_at(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autosave, "cache_folder", lambda: tmp_path)
    (tmp_path / f"{name}.seqdec{autosave.SUFFIX}").write_text("{}")
    found = autosave.left_behind()

    assert found is not None
    assert found.design is None


def test_window_opens_a_design_with_hostile_names(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "a.seqdec"
    path.write_text(dumps(archetype().renamed("latent", HTML).renamed("model_1", "\x1b[2J\u202e\n")))
    window.files.open(path)

    qtbot.waitUntil(lambda: window.document.path == path)
    assert any(problem.code == "bad_name" for problem in window.document.report.problems)
