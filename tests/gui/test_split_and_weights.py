"""An imported model is split in the window, and a block begins with the weights of a file, with real children and files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtWidgets import QCheckBox, QDialog, QLabel, QPushButton, QTreeWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.domain import document
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import errors
from seqdec_gui.domain.validation import check
from seqdec_gui.gui.dialogs.import_keras import ImportDialog
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.window.main_window import MainWindow
from tests.gui.conftest import name_file, press
from tests.runner import designs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
MAKE = """
import keras, numpy as np, sys
layers = keras.layers
latent, sequence = keras.Input((3,), name="latent"), keras.Input((9, 10), name="sequence")
states = [layers.Dense(8, activation="relu", name=name)(latent) for name in ("h", "c")]
encoder = keras.Model(latent, states, name="encoder")
taken = [keras.Input((8,)), keras.Input((8,))]
x = layers.LSTM(8, return_sequences=True, name="lstm")(sequence, initial_state=taken)
decoder = keras.Model([*taken, sequence], layers.Dense(10, activation="softmax", name="out")(x), name="decoder")
a, b = keras.Input((3,), name="latent"), keras.Input((9, 10), name="sequence")
y = decoder([*encoder(a), b])
y = layers.Conv1D(10, 3, padding="same", activation="gelu", name="odd")(layers.UnitNormalization(name="unit")(y))
keras.Model([a, b], y, name="whole").save(sys.argv[1])
"""
OTHER = """
import keras, sys
layers = keras.layers
latent = keras.Input((3,))
states = [layers.BatchNormalization(epsilon=0.1)(layers.Dense(8, activation="relu")(latent)) for _ in range(4)]
keras.Model(latent, states).save(sys.argv[1])
"""
PREDICT = """
import sys
from pathlib import Path
import numpy as np
from seqdec_gui.domain.document import load
from seqdec_gui.runner.block_weights import load_block_weights
from seqdec_gui.runner.program import load_build
from seqdec_gui.runner.reopen import predictions
from seqdec_gui.runner.script_files import write_script
found = []
for name in sys.argv[1:]:
    path = Path(name)
    design = load(path)
    script = path.parent / path.stem / "model.py"
    script.parent.mkdir()
    write_script(design, script, (path.parent,))
    models = load_build(script)()
    load_block_weights(design, models, (path.parent,))
    random = np.random.default_rng(1)
    rows = {tensor.name: random.normal(size=(4, *tensor.shape[1:])).astype("float32")
            for tensor in sorted(models["full"].inputs, key=lambda tensor: tensor.name)}
    found.append(predictions(models["full"], [rows[tensor.name] for tensor in models["full"].inputs])[0])
print(float(np.max(np.abs(found[0] - found[1]))))
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "whole.keras"
    subprocess.run([sys.executable, "-c", MAKE, str(path)], check=True, timeout=120, capture_output=True)
    return path


def idle(qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not background.busy(), timeout=100_000)


def test_a_model_is_split_in_one_step_and_predicts_the_same(
    opened: Callable[..., MainWindow], model: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    from seqdec_gui import cli

    assert cli.main(["import", str(model), "-o", str(tmp_path / "whole.seqdec")]) == 0
    window = opened(tmp_path / "whole.seqdec")
    before = window.document.design
    window.document.select(["whole"])
    press(window.findChild(QPushButton, "block_split"))
    dialog = window.findChild(QDialog, "split_dialog")
    idle(qtbot)
    status = dialog.findChild(QLabel, "split_status").text()
    press(dialog.findChild(QPushButton, "split_cancel"))
    after = window.document.design
    kinds = {block.id: block.kind for block in after.blocks if not before.has(block.id)}
    assert kinds.pop("encoder") == "dense_states"
    assert kinds.pop("decoder") == "recurrent_decoder"
    assert sorted(kinds.values()) == ["keras_model", "layer_stack"]
    closed = next(name for name, kind in kinds.items() if kind == "keras_model")
    assert f"{closed} stays a closed model. " in status
    assert "UnitNormalization" in status
    assert errors(check(after).problems) == ()
    assert check(after).inference.parameters == check(before).inference.parameters
    assert len({block.position for block in after.blocks}) == len(after.blocks)
    document.save(after, tmp_path / "after.seqdec")
    made = subprocess.run(
        [sys.executable, "-c", PREDICT, str(tmp_path / "whole.seqdec"), str(tmp_path / "after.seqdec")],
        check=True, timeout=120, capture_output=True, text=True,
    )  # fmt: skip
    assert float(made.stdout.splitlines()[-1]) < 1e-6
    window.document.undo_stack.undo()
    assert window.document.design is before


def test_the_import_dialog_splits_if_asked_and_cancel_leaves_the_block(
    opened: Callable[..., MainWindow], model: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    document.save(Design(), tmp_path / "empty.seqdec")
    window = opened(tmp_path / "empty.seqdec")
    window.take_file(model)
    dialog = window.findChild(ImportDialog, "import_dialog")
    press(dialog.findChild(QCheckBox, "import_split"))
    qtbot.waitUntil(lambda: window.findChild(QDialog, "split_dialog") is not None, timeout=100_000)
    split = window.findChild(QDialog, "split_dialog")
    press(split.findChild(QPushButton, "split_cancel"))
    idle(qtbot)
    assert [block.id for block in window.document.design.blocks] == ["whole"]


def test_a_block_begins_with_the_weights_of_a_file_after_they_were_shown(
    opened: Callable[..., MainWindow], model: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    from seqdec_gui.domain.kinds.recurrent_decoder import RecurrentDecoder

    stack = designs.stack(units=(8,))
    for name in ("model_1", "model_2"):
        kind = stack.block(name).parameters
        stack = stack.with_parameters(name, type(kind)(**{**_fields(kind), "batch_normalization": False}))
    assert isinstance(stack.block("model_2").parameters, RecurrentDecoder)
    document.save(stack, tmp_path / "d.seqdec")
    window = opened(tmp_path / "d.seqdec")
    before = window.document.design
    window.document.select(["model_2"])
    assert window.findChild(QLabel, "fact_begins_with").text() == "new weights"
    press(window.findChild(QPushButton, "block_weights"))
    dialog = window.findChild(QDialog, "weights_dialog")
    press(dialog.findChild(QPushButton, "weights_file"))
    name_file(qtbot, model)
    table = dialog.findChild(QTreeWidget, "weights_table")
    use = dialog.findChild(QPushButton, "weights_use")
    qtbot.waitUntil(use.isEnabled, timeout=100_000)
    assert window.document.design is before
    rows = [[table.topLevelItem(row).text(column) for column in (2, 3)] for row in range(table.topLevelItemCount())]
    assert rows == [["decoder/lstm", "shape and order"], ["decoder/out", "shape and order"]]
    assert "Not used: encoder/h, encoder/c, odd." in dialog.findChild(QLabel, "weights_status").text()
    press(use)
    idle(qtbot)
    weights = window.document.design.block("model_2").weights
    assert weights is not None
    assert (weights.source, weights.part) == ("whole.keras", "model_2")
    assert (tmp_path / weights.file).is_file()
    assert window.findChild(QLabel, "fact_begins_with").text() == "whole.keras"
    window.document.undo_stack.undo()
    assert window.document.design is before


def test_weights_that_compute_something_else_are_used_only_with_a_tick(
    opened: Callable[..., MainWindow], tmp_path: Path, qtbot: QtBot
) -> None:
    subprocess.run([sys.executable, "-c", OTHER, str(tmp_path / "other.h5")], check=True, timeout=120, capture_output=True)
    document.save(designs.stack(), tmp_path / "d.seqdec")
    window = opened(tmp_path / "d.seqdec")
    window.document.select(["model_1"])
    press(window.findChild(QPushButton, "block_weights"))
    dialog = window.findChild(QDialog, "weights_dialog")
    press(dialog.findChild(QPushButton, "weights_file"))
    name_file(qtbot, tmp_path / "other.h5")
    tick = dialog.findChild(QCheckBox, "weights_in_spite")
    qtbot.waitUntil(tick.isVisible, timeout=100_000)
    use = dialog.findChild(QPushButton, "weights_use")
    assert "epsilon 0.1" in dialog.findChild(QLabel, "weights_status").text()
    assert not use.isEnabled()
    qtbot.mouseClick(tick, Qt.LeftButton, pos=QPoint(8, tick.height() // 2))
    assert use.isEnabled()
    press(use)
    idle(qtbot)
    assert window.document.design.block("model_1").weights is not None


def _fields(kind: object) -> dict[str, object]:
    import msgspec

    return {name: getattr(kind, name) for name in type(kind).__struct_fields__} if isinstance(kind, msgspec.Struct) else {}
