"""A prior of REINVENT that is dropped on the window: a whole design on an empty canvas, else its decoder, in one step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.gui.dialogs.import_keras import ImportDialog
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.window.main_window import MainWindow
from tests.gui.trained_runs import asked, child

__all__ = ["asked", "child"]


@pytest.mark.usefixtures("child")
def test_on_an_empty_canvas_a_prior_is_a_whole_design(
    opened: Callable[..., MainWindow], asked: Callable[[], dict], tmp_path: Path, qtbot: QtBot
) -> None:
    window = opened()
    identity = window.document.design.id
    window.take_file(tmp_path / "my.prior")
    qtbot.waitUntil(lambda: len(window.document.design.blocks) == 2, timeout=20_000)
    assert asked() == {"type": "prior", "path": str(tmp_path / "my.prior"), "folder": str(tmp_path)}
    design = window.document.design
    assert design.id == identity
    assert [binding.codec.charset for binding in design.data.bindings] == [("C", "N")]  # type: ignore[union-attr]
    window.document.undo_stack.undo()
    assert window.document.design.blocks == ()
    qtbot.waitUntil(lambda: not background.busy(), timeout=20_000)


@pytest.mark.usefixtures("child")
def test_beside_other_blocks_a_prior_is_its_decoder_and_the_dialog_says_so(
    opened: Callable[..., MainWindow], tmp_path: Path, qtbot: QtBot
) -> None:
    window = opened(resource_files.path("templates/latent-to-sequence.seqdec"))
    before = window.document.design
    window.take_file(tmp_path / "my.prior")
    qtbot.waitUntil(lambda: window.document.design.has("my"), timeout=20_000)
    design = window.document.design
    assert len(design.blocks) == len(before.blocks) + 1
    assert design.data == before.data
    assert design.block("my").weights is not None
    dialog = window.findChild(ImportDialog, "import_dialog")
    assert "without wires" in dialog.findChild(QLabel, "import_status").text()
    qtbot.waitUntil(lambda: not background.busy(), timeout=20_000)
