"""A Keras file becomes a block: inspected in a child, added with undo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QAction, QFileDialog, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.kinds.keras_model import KerasModel, NamedTensor
from seqdec_gui.gui.dialogs.import_keras import ImportDialog
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.runs.imports import with_keras_model
from seqdec_gui.runs.model_description import ArrayDescription
from seqdec_gui.runs.task_results import Inspected
from tests.gui.conftest import press
from tests.gui.trained_runs import asked, child

__all__ = ["asked", "child"]
Child = Callable[[str], None]
FOUND = Inspected(
    name="m", inputs=(ArrayDescription("x", (3,), "float32"),), outputs=(), layers=(), parameters=1, trainable=1, sha256="00"
)


@pytest.fixture
def window(opened: Callable[..., MainWindow]) -> MainWindow:
    return opened(resource_files.path("templates/latent-to-sequence.seqdec"))


def idle(qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not background.busy(), timeout=20_000)


def test_a_chosen_file_becomes_a_selected_block_in_one_step(
    window: MainWindow, child: Child, asked: Callable[[], dict], tmp_path: Path, qtbot: QtBot
) -> None:
    before = window.document.design
    window.findChild(QAction, "action_import_keras").trigger()
    files = window.findChild(QFileDialog, "file_dialog")
    files.fileSelected.emit(str(tmp_path / "My model.keras"))
    files.close()
    idle(qtbot)
    file = tmp_path / "My model.keras"
    assert asked() == {"type": "inspect", "path": str(file), "weights": "", "folder": str(window.document.path.parent)}
    block = window.document.design.block("my_model")
    assert block.parameters == KerasModel(
        file=str(tmp_path / "My model.keras"),
        sha256="ab" * 32,
        model_inputs=(NamedTensor("latent", (11,)), NamedTensor("ids", (None,), "int32")),
        model_outputs=(NamedTensor("probabilities", (33, 22)),),
        parameter_count=120,
        trainable_count=100,
        layer_names=("dense",),
    )
    assert window.document.selection == {"my_model"}
    assert block.position[0] > max(other.position[0] for other in before.blocks)
    assert not window.findChildren(ImportDialog) or not window.findChild(ImportDialog).isVisible()
    window.document.undo_stack.undo()
    assert window.document.design is before


def test_a_file_that_cannot_be_used_says_why_in_place(window: MainWindow, child: Child, tmp_path: Path, qtbot: QtBot) -> None:
    child("refuse")
    before = window.document.design
    window.take_file(tmp_path / "bad.keras")
    dialog = window.findChild(ImportDialog, "import_dialog")
    idle(qtbot)
    status = dialog.findChild(QLabel, "import_status")
    assert status.text() == "bad.h5 cannot become a block: it holds no model. Save the model."
    assert status.property("role") == "error"
    assert window.document.design is before
    press(dialog.findChild(QPushButton, "import_cancel"))
    qtbot.waitUntil(lambda: not window.findChildren(ImportDialog), timeout=2000)


def test_cancel_ends_the_inspection(window: MainWindow, child: Child, tmp_path: Path, qtbot: QtBot) -> None:
    child("slow")
    before = window.document.design
    window.take_file(tmp_path / "large.keras")
    press(window.findChild(ImportDialog, "import_dialog").findChild(QPushButton, "import_cancel"))
    idle(qtbot)
    assert window.document.design is before


@pytest.mark.parametrize(
    ("stem", "block_id"),
    [
        ("My model", "my_model"),
        ("2024-run", "model_2024_run"),
        ("full", "full_model"),
        ("lambda", "lambda_model"),
        ("größe", "gr_e"),
    ],
)
def test_the_block_is_called_after_the_file(stem: str, block_id: str) -> None:
    assert with_keras_model(Design(), FOUND, Path(f"/x/{stem}.h5"), None)[1] == block_id


def test_a_file_below_the_designs_folder_is_named_relative_and_names_stay_different() -> None:
    design, first = with_keras_model(Design(), FOUND, Path("/x/models/m.h5"), Path("/x"))
    design, second = with_keras_model(design, FOUND, Path("/y/m.h5"), Path("/x"))
    assert (first, second) == ("m", "m_2")
    assert [block.parameters.file for block in design.blocks] == ["models/m.h5", "/y/m.h5"]
    assert design.blocks[1].position[0] > design.blocks[0].position[0]
