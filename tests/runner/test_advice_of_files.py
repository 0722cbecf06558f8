"""Every piece of advice that is given for a file of Keras is followed to its end: the file that it asks for opens.

The advice is read from the source, so that a new piece without such an end fails here.
"""

from __future__ import annotations

import ast
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdec_gui.domain.problems import InvalidInput, errors
from seqdec_gui.runner import keras_bounds, keras_files, keras_safety

KERAS2 = Path(__file__).resolve().parent.parent / "fixtures" / "keras2"
MODULES = (keras_files, keras_safety, keras_bounds)
REFUSALS = ("_unusable", "unusable", "refused", "_refused")
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built"),
]


# -- the advice, as it stands in the source
def _texts(expression: ast.expr, constants: dict[str, ast.expr]) -> Iterator[str]:
    """Yield the texts that an expression may have; what is put in stands as `{}`."""
    if isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        yield expression.value
    elif isinstance(expression, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in expression.values)
    elif isinstance(expression, ast.IfExp):
        yield from _texts(expression.body, constants)
        yield from _texts(expression.orelse, constants)
    elif isinstance(expression, ast.Name) and expression.id in constants:
        yield from _texts(constants[expression.id], constants)


def advice() -> set[str]:
    trees = [ast.parse(Path(str(module.__file__)).read_text("utf-8")) for module in MODULES]
    constants = {
        str(target.id): node.value
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            place = 2 if node.func.id in REFUSALS else 4 if node.func.id == "Problem" else None
            if place is not None and len(node.args) > place:
                found |= set(_texts(node.args[place], constants))
        elif isinstance(node, ast.Assign) and any(isinstance(name, ast.Name) and name.id == "hint" for name in node.targets):
            found |= set(_texts(node.value, constants))
    return found - {""}


# -- files that are refused, and those that were made of them by the advice
def chain(*layers: Any, shape: tuple[int | None, ...] = (4, 3)) -> Any:
    import keras

    return keras.Sequential([keras.Input(shape), *layers])


def saved(model: Any, path: Path) -> Path:
    model.save(path)
    return path


def _path(folder: Path) -> tuple[Path, Path]:
    from keras import layers

    good = saved(chain(layers.Dense(2)), folder / "good.keras")
    (folder / "else").mkdir()
    return folder / "else" / "good.keras", shutil.copy(good, folder / "put_there.keras")


def _subclass(folder: Path) -> tuple[Path, Path]:
    import keras

    class Sub(keras.Model):  # type: ignore[misc]
        """A model whose wiring is Python code."""

        def __init__(self, **keywords: Any) -> None:
            super().__init__(**keywords)
            self.only = keras.layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.only(x)

    registered = keras.saving.register_keras_serializable("seqdec_tests", "Sub")(Sub)
    model = registered()
    model(np.zeros((1, 4, 3), np.float32))
    inputs = keras.Input((4, 3))
    functional = keras.Model(inputs, model.only(inputs))
    return saved(model, folder / "bad.keras"), saved(functional, folder / "good.keras")


def _unbuilt(folder: Path) -> tuple[Path, Path]:
    import keras

    model = keras.Sequential([keras.layers.Dense(2)])
    bad = saved(model, folder / "bad.keras")
    model.build((None, 4, 3))
    return bad, saved(model, folder / "good.keras")


def _named(folder: Path) -> tuple[Path, Path]:
    import keras

    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    out = keras.layers.Dense(2)(keras.layers.Add()([a, b]))
    bad = saved(keras.Model({"a": a, "b": b}, out), folder / "bad.keras")
    return bad, saved(keras.Model([a, b], out), folder / "good.keras")


def _failed(folder: Path) -> tuple[Path, Path]:
    from keras import layers

    model = chain(layers.Dense(2))
    good = saved(model, folder / "epoch_1.keras")
    model.set_weights([np.full(weight.shape, np.nan, np.float32) for weight in model.get_weights()])
    return saved(model, folder / "epoch_2.keras"), good


def _batch(folder: Path) -> tuple[Path, Path]:
    import keras

    made = [keras.Sequential([keras.Input((4, 3), batch_size=size), keras.layers.Dense(2)]) for size in (8, None)]
    return saved(made[0], folder / "bad.keras"), saved(made[1], folder / "good.keras")


def _lambda(folder: Path) -> tuple[Path, Path]:
    from keras import layers

    bad = saved(chain(layers.Dense(2), layers.Lambda(lambda t: t * 2)), folder / "bad.keras")
    return bad, saved(chain(layers.Dense(2), layers.Rescaling(2.0)), folder / "good.keras")


def _keras2(folder: Path) -> tuple[Path, Path]:
    from seqdec_gui.runner.keras2.convert import convert

    return KERAS2 / "old.h5", convert(KERAS2 / "old.h5", folder).path


def _masked(folder: Path) -> tuple[Path, Path]:
    import keras

    inputs = keras.Input((4, 3))
    model = keras.Model(inputs, keras.layers.LSTM(2)(keras.layers.Masking()(inputs)))
    return saved(model, folder / "bad.h5"), saved(model, folder / "good.keras")


def _weights(folder: Path) -> tuple[Path, Path]:
    from keras import layers

    model = chain(layers.Dense(2))
    model.save_weights(folder / "bad.weights.h5")
    return folder / "bad.weights.h5", saved(model, folder / "good.keras")


def _damaged(folder: Path) -> tuple[Path, Path]:
    from keras import layers

    model = chain(layers.Dense(2))
    bad = saved(model, folder / "bad.keras")
    bad.write_bytes(bad.read_bytes()[:200])
    return bad, saved(model, folder / "good.keras")


def _unknown(folder: Path) -> tuple[Path, Path]:
    from keras import layers

    good = saved(chain(layers.Dense(2)), folder / "good.keras")
    bad = folder / "bad.keras"
    with zipfile.ZipFile(good) as before, zipfile.ZipFile(bad, "w") as after:
        for entry in before.infolist():
            content = before.read(entry)
            if entry.filename == "config.json":
                config = json.loads(content)
                row = next(row for row in config["config"]["layers"] if row["class_name"] == "Dense")
                row.update(class_name="Mine", module="my_layers", registered_name="Mine")
                content = json.dumps(config).encode()
            after.writestr(entry.filename, content)
    return bad, good


def _huge(folder: Path) -> tuple[Path, Path]:
    from keras import layers

    good = saved(chain(layers.Dense(2)), folder / "good.keras")
    bad = folder / "bad.keras"
    with zipfile.ZipFile(good) as before, zipfile.ZipFile(bad, "w") as after:
        for entry in before.infolist():
            content = before.read(entry)
            after.writestr(entry.filename, content.replace(b'"units": 2', b'"units": 900000000'))
    return bad, good


FOLLOWED: dict[str, Callable[[Path], tuple[Path, Path]]] = {
    "Correct the path, or put the file there.": _path,
    "Save it as a functional model.": _subclass,
    "Build it, and save it again.": _unbuilt,
    "Give the {}s as one list.": _named,
    "Take the weights of an earlier epoch, before the training failed.": _failed,
    "Build it without a batch size.": _batch,
    "Rebuild the model with a layer of Keras in its place (for example Activation, Rescaling, Reshape, Permute, Add or "
    "Concatenate), copy the weights with set_weights, and save it again.": _lambda,
    "Import it with seqdec-gui import, which writes it for Keras 3.": _keras2,
    "Save it as .keras.": _masked,
    "Save the whole model with model.save.": _weights,
    "Save it again.": _damaged,
    "Rebuild it from Keras's layers.": _unknown,
    "Save the model again from Keras's own layers.": _huge,
}
"""What leads to each piece of advice, and what comes of following it."""
NEVER_NEEDED = {"Replace the Lambda by layers."}
"""What Keras itself would refuse, had the file not been refused before Keras opens it (`fail_if_unsafe`)."""
ELSEWHERE = {"Use optimizer=adamw with weight_decay, or freeze the block."}
"""Advice on designs, below."""


def test_every_piece_of_advice_is_followed_here() -> None:
    assert advice() == set(FOLLOWED) | NEVER_NEEDED | ELSEWHERE


@pytest.mark.slow
@pytest.mark.parametrize("hint", FOLLOWED)
def test_advice_leads_to_a_file_that_opens(hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from seqdec_gui.runner.keras2 import reference

    monkeypatch.setattr(reference, "is_installed", lambda _: False)  # predictions are compared in test_keras2_files.py
    bad, good = FOLLOWED[hint](tmp_path)
    with pytest.raises(InvalidInput) as caught:
        keras_files.inspect(bad)
    (problem,) = caught.value.problems
    assert problem.hint in (hint, hint.format("input"), hint.format("output"))
    assert keras_files.inspect(good).parameters > 0


def test_weight_decay_can_be_set_in_place_of_regularizers() -> None:
    from seqdec_gui.commands.templates import template_path
    from seqdec_gui.domain import document
    from seqdec_gui.domain.edit import set_value
    from seqdec_gui.domain.validation import check

    design = document.load(template_path("sequence-to-sequence"))
    before = {problem.code for problem in errors(check(design).problems)}
    changed = set_value(set_value(design, "training.optimizer", "adamw"), "training.weight_decay", "0.01")
    assert changed.training.weight_decay == 0.01
    assert {problem.code for problem in errors(check(changed).problems)} == before
