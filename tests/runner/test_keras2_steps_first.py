"""Models of Keras 2 with steps before rows (`time_major`) take rows first here, and predict what they predicted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runner.keras2 import reference
from seqdec_gui.runner.keras2.convert import convert, difference_of
from seqdec_gui.runner.keras2.models import migrate
from seqdec_gui.runner.keras2.steps_first import rows_first

MAKE = '''
import sys
import numpy as np
import tensorflow as tf
import tf_keras as keras

L, folder, random = keras.layers, sys.argv[1], np.random.default_rng(1)
V = 9

def turned(x, rank=3):
    return tf.transpose(x, [1, 0, *range(2, rank)])

def save(name, model, first, last, shapes):
    """A file, rows for its inputs (rows first), and what it predicts, each with rows and steps exchanged where they are so."""
    model.set_weights([random.normal(size=w.shape).astype("float32") * 0.4 for w in model.get_weights()])
    model.save(f"{folder}/{name}.h5")
    ids = "ids" in name
    rows = [random.integers(0, V, s).astype("int32") if ids else random.normal(size=s).astype("float32") for s in shapes]
    if name.startswith("masked"):
        rows[0][1, 3:] = 0
    given = [np.swapaxes(r, 0, 1) if t else r for r, t in zip(rows, first)]
    found = model([tf.constant(g) for g in given] if len(given) > 1 else tf.constant(given[0]), training=False)
    found = list(found) if isinstance(found, (list, tuple)) else [found]
    out = [np.swapaxes(f.numpy(), 0, 1) if t else f.numpy() for f, t in zip(found, last)]
    np.savez(f"{folder}/{name}.npz", **{f"in_{i}": r for i, r in enumerate(rows)}, **{f"out_{i}": o for i, o in enumerate(out)})

x = [(4, 6, 3)]
save("chain", keras.Sequential([L.Input((4, 3)), L.LSTM(2, time_major=True)]), [1], [0], x)
save("chain_of_sequences", keras.Sequential([
    L.LSTM(2, time_major=True, return_sequences=True, input_shape=(None, 3)), L.TimeDistributed(L.Dense(2)), L.Dropout(0.5),
    L.GRU(3, time_major=True, return_sequences=True)]), [1], [1], x)
i = L.Input((6, 3))
save("within", keras.Model(i, L.Dense(2)(turned(L.LSTM(4, time_major=True, return_sequences=True)(turned(i))))), [0], [0], x)
y = L.Bidirectional(L.GRU(4, time_major=True, return_sequences=True, reset_after=False))(turned(i))
save("both_ways", keras.Model(i, L.Bidirectional(L.LSTM(3, time_major=True), merge_mode="sum")(y)), [0], [0], x)
save("masked_before", keras.Model(i, L.LSTM(4, time_major=True)(turned(L.Masking()(i)))), [0], [0], x)
ids = L.Input((None,), dtype="int32")
e = L.Embedding(V, 5, mask_zero=True)(turned(ids, 2))
both = L.Bidirectional(L.GRU(2, time_major=True))(e)
y = turned(L.LSTM(4, time_major=True, return_sequences=True)(e))
save("masked_ids", keras.Model(ids, [y, both]), [0], [0, 0], [(4, 6)])
h, c = L.Input((4,)), L.Input((4,))
out = L.LSTM(4, time_major=True, return_sequences=True, return_state=True)(i, initial_state=[h, c])
save("states", keras.Model([i, h, c], out), [1, 0, 0], [1, 0, 0], [(6, 6, 3), (6, 4), (6, 4)])
backwards = L.LSTM(4, time_major=True, return_sequences=True, go_backwards=True)
inner = keras.Sequential([L.Input((None, 3)), backwards], name="inner")
y = L.LSTM(2, time_major=True, return_sequences=True)(inner(turned(i)))
save("nested", keras.Model(i, L.Dense(1)(turned(y + 1.0))), [0], [0], x)
cells = L.RNN([L.LSTMCell(3), L.GRUCell(2)], time_major=True)
save("cells", keras.Model(i, cells(turned(i))), [0], [0], x)
y = L.LSTM(4, time_major=True, return_sequences=True)(turned(i))
for name, wrong, right in (
    ("mixed", L.LSTM(2)(y), L.LSTM(2)(turned(y))),
    ("pooled", L.GlobalAveragePooling1D()(y), L.GlobalAveragePooling1D()(turned(y))),
):
    keras.Model(i, wrong).save(f"{folder}/{name}_bad.h5")
    save(f"{name}_good", keras.Model(i, right), [0], [0], x)
'''
CASES = ("chain", "chain_of_sequences", "within", "both_ways", "masked_before", "masked_ids", "states", "nested", "cells")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of tf_keras, with rows and predictions."""
    pytest.importorskip("tf_keras")
    folder = tmp_path_factory.mktemp("steps_first")
    (folder / "make.py").write_text(MAKE, encoding="utf-8")
    command = [sys.executable, str(folder / "make.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.fixture
def without_keras2(monkeypatch: pytest.MonkeyPatch) -> None:
    """What tf_keras predicts is known already; another process would be started for each file."""
    real = reference.is_installed
    monkeypatch.setattr(reference, "is_installed", lambda package: package != "tf_keras" and real(package))


def difference(made: Path, name: str, folder: Path) -> float:
    import keras

    from seqdec_gui.runner.reopen import predictions

    model = keras.models.load_model(convert(made / f"{name}.h5", folder).path, compile=False, safe_mode=True)
    with np.load(made / f"{name}.npz") as arrays:
        rows, expected = ([arrays[key] for key in sorted(arrays.files) if key.startswith(side)] for side in ("in_", "out_"))
    return difference_of(predictions(model, rows), expected)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", CASES)
@pytest.mark.usefixtures("without_keras2")
def test_rows_come_first_and_predictions_stay(name: str, made: Path, tmp_path: Path) -> None:
    assert difference(made, name, tmp_path) < 1e-6


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", ["mixed", "pooled"])
@pytest.mark.usefixtures("without_keras2")
def test_a_layer_of_rows_that_is_given_steps_is_named_and_the_advice_opens(name: str, made: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"steps come before its rows .*tf\.transpose\(x, \[1, 0, 2\]\)"):
        convert(made / f"{name}_bad.h5", tmp_path)
    assert difference(made, f"{name}_good", tmp_path) < 1e-6


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tf_keras_is_asked_with_steps_first(made: Path, tmp_path: Path) -> None:
    """Steps, rows and states of different numbers: each input is given as the file takes it."""
    found = convert(made / "states.h5", tmp_path)
    assert found.difference is not None
    assert found.difference < 1e-6
    assert sum("(time_major)" in note for note in found.notes) == 2


# -- without any Keras
def chain(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "chain", "layers": list(layers)}}


def lstm(**config: Any) -> dict[str, Any]:
    settings = {"units": 2, "activation": "tanh", "recurrent_activation": "sigmoid", "time_major": True}
    return {"class_name": "LSTM", "config": {"name": "lstm", **settings, **config}}


def test_the_shape_of_the_input_is_that_of_rows_first() -> None:
    found = rows_first(chain(lstm(batch_input_shape=[7, 5, 3], return_sequences=True)))
    assert (found.inputs, found.outputs) == ((True,), (True,))
    layers = migrate(found.config).config["config"]["layers"]
    assert layers[0]["config"]["batch_shape"] == [None, 7, 3]
    assert "time_major" not in layers[1]["config"]


def test_what_has_rows_first_is_not_touched() -> None:
    model = chain(lstm(batch_input_shape=[None, 5, 3], time_major=False))
    found = rows_first(model)
    assert found.config is model
    assert (found.inputs, found.outputs, found.notes) == ((), (), ())


def test_the_given_model_stays_as_it_is() -> None:
    model = chain(lstm(batch_input_shape=[None, 5, 3]))
    rows_first(model)
    assert model["config"]["layers"][0]["config"] == lstm(batch_input_shape=[None, 5, 3])["config"]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([lstm(return_sequences=True), lstm(time_major=False, name="later")], "The layer later"),
        ([lstm(return_sequences=True), {"class_name": "Flatten", "config": {"name": "flat"}}], "The layer flat"),
        ([{"class_name": "TimeDistributed", "config": {"name": "each", "layer": lstm()}}], "wraps a layer with time_major"),
        (
            [
                {
                    "class_name": "Bidirectional",
                    "config": {"name": "two", "layer": lstm(), "backward_layer": lstm(time_major=False)},
                }
            ],
            "one without",
        ),
    ],
)
def test_what_mixes_rows_and_steps_is_refused_by_name(rows: list[dict[str, Any]], why: str) -> None:
    rows[0]["config"]["batch_input_shape"] = [None, 5, 3]
    with pytest.raises(InvalidInput, match=why) as caught:
        rows_first(chain(*rows))
    assert caught.value.problems[0].hint
