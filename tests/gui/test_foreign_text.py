"""Text from files of others is shown as text, and names from elsewhere become legal ones."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtWidgets import QApplication, QLabel, QMessageBox, QToolTip, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.domain.block_edits import pasted
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.document import dumps, save, to_builtins
from seqdec_gui.domain.names import name_problem
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.gui.tasks import notify
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace import autosave
from seqdec_gui.gui.workspace.document import DesignDocument
from seqdec_gui.gui.workspace.training_session import session_of
from seqdec_gui.runs.events import (
    Checkpoint,
    DeviceLoad,
    Epoch,
    EventWriter,
    Failed,
    Message,
    ParameterCount,
    RowCount,
    Started,
    Step,
)
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.lock import LockRecord
from seqdec_gui.runs.spec import RunSpec, write
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
    grown, names, _ = pasted(Design(), dumps(foreign), (0.0, 0.0))

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
    (found,) = autosave.left_behind_unsaved()

    assert found.design is None


def test_window_opens_a_design_with_hostile_names(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "a.seqdec"
    path.write_text(dumps(archetype().renamed("latent", HTML).renamed("model_1", "\x1b[2J\u202e\n")))
    window.files.open(path)

    qtbot.waitUntil(lambda: window.document.path == path)
    assert any(problem.code == "bad_name" for problem in window.document.report.problems)


def foreign_run(folder: Path, count: int, value: float, at: float) -> RunFolder:
    """A run beside a design whose events hold markup, these counts, this loss, and times that begin at `at`."""
    run = RunFolder(folder / "runs" / "foreign")
    run.path.mkdir(parents=True)
    design_path = folder / f"{HTML.replace('/', '_')}.seqdec"
    write(RunSpec(design=to_builtins(archetype()), design_path=str(design_path), created=at), run.spec)
    run.lock.write_bytes(msgspec.json.encode(LockRecord(1, socket.gethostname(), 0.0)) + b"\n")
    (run.path / "note.json").write_text(json.dumps({"format": 1, "name": HTML, "note": HTML}))
    size = {"epochs": count, "steps_per_epoch": count, "batch_size": count}
    sizes = {"parameters": ParameterCount(count, count), "rows": RowCount(count, count), "versions": {HTML: HTML}}
    place = {"epoch": count, "step": count, "time": at}
    metrics = {"loss": value, HTML: -value, "learning_rate": 1e-300, "samples_per_s": value}
    with EventWriter(run.events) as events:
        events.write(Started(**size, **sizes, devices=(HTML,), engine=HTML, time=at))
        events.write(DeviceLoad(id=HTML, memory_used=count, memory_total=1, load=value, time=at))
        events.write(Step(**place, metrics=metrics))
        events.write(Step(**place, metrics={"loss": -value}))
        events.write(Epoch(**place, part=count, parts=1, seconds=min(at, 1e12), metrics=metrics))
        events.write(Message(text=HTML, severity="error", time=at))
        events.write(Checkpoint(**place, name="best", path="../../x", metrics=metrics))
        events.write(Failed(**place, kind="crashed", sentence=HTML, details=HTML))
    return run


@pytest.mark.parametrize(("count", "value", "at"), [(1, 1.0, 1.0), (2**53, 1e300, 253_402_300_799), (0, 1e308, 0.0)])
def test_window_lists_and_shows_a_run_of_any_content(
    count: int, value: float, at: float, qtbot: QtBot, opened: Callable[..., MainWindow], tmp_path: Path
) -> None:
    path = tmp_path / "a.seqdec"
    save(archetype(), path)
    run = foreign_run(tmp_path, count, value, at)
    window = opened(path)
    window.pages.show_page("runs")
    session = session_of(window.workspace)
    session.show(run)
    window.pages.show_page("train")
    qtbot.waitUntil(lambda: session.shown is not None and not session.shown.alive, timeout=10_000)
    sentence = window.findChild(QLabel, "outcome_sentence")
    qtbot.waitUntil(lambda: sentence is not None and sentence.isVisible(), timeout=10_000)
    labels = [label for label in window.findChildren(QLabel) if "<" in label.text() and label.isVisible()]

    assert sentence is not None
    assert sentence.text().startswith(HTML)
    assert all(label.textFormat() == Qt.PlainText for label in labels)
