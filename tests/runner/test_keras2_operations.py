"""Operations of TensorFlow between the layers of Keras 2 become layers or operations of Keras 3 that compute the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runner.keras2.convert import convert, difference_of
from seqdec_gui.runner.keras2.models import migrate
from seqdec_gui.runner.keras2.operations import operation_of

MAKE = """
import json, sys
import numpy as np
import tensorflow as tf, tf_keras as keras
L, folder = keras.layers, sys.argv[1]
random = np.random.default_rng(2)
sequence = lambda steps=7: keras.Input((steps, 4))
ids = lambda: keras.Input((7,), dtype="int32")

def steps(x):
    return L.LSTM(4, return_sequences=True)(x)

def model(f, *inputs):
    return keras.Model(inputs[0] if len(inputs) == 1 else list(inputs), f(*inputs))

def attention(x, y):
    return tf.matmul(tf.nn.softmax(tf.matmul(steps(x), y, transpose_b=True)), y)

def masked(x):
    return L.Embedding(9, 4, mask_zero=True)(x)

def bidirectional(x, target):
    _, *states = L.Bidirectional(L.LSTM(3, return_state=True))(x)
    return L.Bidirectional(L.LSTM(3, return_sequences=True))(target, initial_state=states)

models = {
    "last_step": model(lambda x: L.Dense(2)(steps(x)[:, -1, :]), sequence()),
    "last_of_any": model(lambda x: L.Dense(2)(steps(x)[:, -1, :]), sequence(None)),
    "some_steps": model(lambda x: steps(x)[:, 1:5, ::2], sequence()),
    "new_axis": model(lambda x: L.GRU(3)(L.LSTM(5)(x)[:, tf.newaxis]), sequence()),
    "reshaped": model(lambda x: L.GRU(2)(tf.reshape(L.LSTM(6)(x), (-1, 3, 2))), sequence()),
    "joined": model(lambda x: tf.stack([tf.concat([L.LSTM(3)(x), L.GRU(2)(x)], -1), L.LSTM(5)(x)], 1), sequence()),
    "repeated": model(lambda x: L.GRU(2)(tf.tile(tf.expand_dims(L.LSTM(4)(x), 1), [1, 4, 1])), sequence()),
    "reduced": model(lambda x: tf.reduce_mean(steps(x), 1) + tf.reduce_max(x, axis=1) - tf.reduce_sum(x, 1), sequence()),
    "arithmetic": model(lambda x: (2.0 - steps(x)) / 3.0 * x + np.arange(4, dtype="float32"), sequence()),
    "functions": model(lambda x: tf.nn.relu(tf.tanh(steps(x))) + tf.exp(-tf.square(x)) * tf.sigmoid(x), sequence()),
    "turned": model(lambda x: tf.transpose(tf.nn.softmax(steps(x), axis=1), [0, 2, 1]), sequence()),
    "attention": model(attention, sequence(), sequence(5)),
    "turned_product": model(lambda x, y: tf.linalg.matmul(steps(x), y, adjoint_a=True), sequence(), sequence()),
    "split": model(lambda x: (lambda a, b: tf.concat([b, tf.tanh(a)], -1))(*tf.split(steps(x), 2, axis=-1)), sequence()),
    "split_steps": model(lambda x: (lambda a, b, c: L.GRU(2)(b))(*tf.split(steps(x), [1, 4, 2], 1)), sequence()),
    "unit": model(lambda x: tf.math.l2_normalize(steps(x), axis=-1) + tf.nn.l2_normalize(x, 1, epsilon=4.0), sequence()),
    "adapted": model(lambda x: steps(L.Normalization()(x)), sequence()),
    "constants": model(lambda x: steps(L.Normalization(mean=[1.0, 2, 3, 4], variance=[4.0, 1, 2, 9])(x)), sequence()),
    "back": model(lambda x: L.Normalization(axis=None, mean=2.0, variance=4.0, invert=True)(steps(x)), sequence()),
    "symbols": model(lambda x: L.LSTM(3)(tf.one_hot(x, 9)), ids()),
    "mask_ends": model(lambda x: L.LSTM(3)(masked(x) * 2.0), ids()),
    "masked_and_not": model(lambda x, y: L.LSTM(3)(L.Dropout(0.1)(L.Concatenate()([masked(x), y]))), ids(), sequence()),
    "two_masks": model(lambda x, y: L.LSTM(3)(L.Concatenate()([masked(x), masked(y)])), ids(), ids()),
    "two_masks_mean": model(lambda x, y: L.GlobalAveragePooling1D()(L.Concatenate()([masked(x), masked(y)])), ids(), ids()),
    "both_ways": model(bidirectional, sequence(), sequence(5)),
    "separable": model(lambda x: L.SeparableConv1D(4, 3)(L.Conv1DTranspose(3, 2)(x)), sequence()),
}
for name, made in models.items():
    values = [random.normal(scale=0.4, size=w.shape) for w in made.weights]
    values = [abs(value) if "variance" in w.name else value for value, w in zip(values, made.weights)]
    made.set_weights([value.astype(w.dtype.as_numpy_dtype) for value, w in zip(values, made.weights)])
    for layer in made.layers:
        if isinstance(layer, L.Normalization):
            layer.finalize_state()
    given = []
    for place, tensor in enumerate(made.inputs):
        shape = (4, *(5 if axis is None else axis for axis in tensor.shape[1:]))
        array = random.integers(1, 9, shape) if "int" in tensor.dtype.name else random.normal(size=shape)
        if "int" in tensor.dtype.name:
            array[0, 5 - 2 * place :] = array[2, 2 + 2 * place :] = 0
        given.append(array.astype("int32" if "int" in tensor.dtype.name else "float32"))
    outputs = made.predict_on_batch(given if len(given) > 1 else given[0])
    made.save(f"{folder}/{name}.h5")
    np.savez(f"{folder}/{name}.npz", outputs, *given)
"""
WITH_LAYERS = {
    "last_step", "new_axis", "reshaped", "arithmetic", "repeated", "turned", "separable", "both_ways", "adapted", "constants",
    "back",
}  # fmt: skip
"""Models of which no operation is left, so that they can be exported in every format."""
WITH_OPERATIONS = {
    "last_of_any", "some_steps", "reduced", "joined", "functions", "symbols", "mask_ends", "masked_and_not", "two_masks",
    "two_masks_mean", "attention", "turned_product", "split", "split_steps", "unit",
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("tf_keras")
    folder = tmp_path_factory.mktemp("operations")
    (folder / "make.py").write_text(MAKE, encoding="utf-8")
    command = [sys.executable, str(folder / "make.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", sorted(WITH_LAYERS | WITH_OPERATIONS))
def test_the_model_predicts_what_it_predicted_in_keras_2(
    name: str, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    from seqdec_gui.runner.keras2 import reference
    from seqdec_gui.runner.reopen import predictions

    monkeypatch.setattr(reference, "is_installed", lambda _: False)
    model = keras.models.load_model(convert(made / f"{name}.h5", tmp_path).path, compile=False, safe_mode=True)
    with np.load(made / f"{name}.npz") as arrays:
        expected, *given = (arrays[key] for key in arrays.files)
    assert difference_of(predictions(model, given), [expected]) < 1e-6
    operations = [each for each in model.operations if not isinstance(each, keras.layers.Layer)]
    assert bool(operations) == (name in WITH_OPERATIONS)


# -- configurations
def row(function: str, arguments: dict[str, Any], class_name: str = "TFOpLambda", first: Any = ("x", 0, 0)) -> dict[str, Any]:
    config = {"name": "this_one", "function": function}
    return {"class_name": class_name, "name": "this_one", "config": config, "inbound_nodes": [[*first, arguments]]}


WHOLE = {"start": None, "stop": None, "step": None}


@pytest.mark.parametrize(
    ("function", "arguments", "why"),
    [
        ("os.system", {}, "os.system, that cannot be carried over"),
        ("io.read_file", {}, "cannot be carried over"),
        ("math.cumsum", {"axis": -1}, "cannot be carried over"),
        ("math.l2_normalize", {}, "over all rows"),
        ("linalg.matmul", {"b": ["y", 0, 0], "a_is_sparse": True}, "in a way which cannot"),
        ("split", {"num_or_size_splits": 2}, "along the rows"),
        ("split", {"num_or_size_splits": [2, -1], "axis": 1}, "of unknown size"),
        ("evil.add", {"y": 1.0}, "cannot be carried over"),
        ("reshape", {"shape": [3, 2]}, "with a fixed number of rows"),
        ("reshape", {"shape": [-1, ["tf.shape", 0, 0]]}, "in a way which cannot"),
        ("math.reduce_mean", {}, "over all rows"),
        ("math.reduce_mean", {"axis": [0, 1]}, "over all rows"),
        ("concat", {"axis": 1}, "in a way which cannot"),
        ("expand_dims", {"axis": 0}, "along the rows"),
        ("transpose", {"perm": [1, 0]}, "exchanges rows"),
        ("tile", {"multiples": [2, 1]}, "along the rows"),
        ("squeeze", {}, "rows included"),
        ("cast", {"dtype": "string"}, "to string"),
        ("__operators__.getitem", {"slice_spec": [0, WHOLE]}, "of some rows"),
        ("__operators__.getitem", {"slice_spec": [{"start": None, "stop": 2, "step": None}]}, "of some rows"),
        ("__operators__.getitem", {"slice_spec": [WHOLE, ["y", 0, 0]]}, "in a way which cannot"),
        ("__operators__.getitem", {"slice_spec": [WHOLE, {"start": "os"}]}, "in a way which cannot"),
    ],
)
def test_what_cannot_be_carried_over_is_refused_by_its_name(function: str, arguments: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as caught:
        operation_of(row(function, arguments))
    assert caught.value.problems[0].text.startswith("The layer this_one is an operation of TensorFlow")
    assert caught.value.problems[0].hint


def test_an_operation_of_a_number_and_a_tensor_keeps_their_order() -> None:
    made = operation_of(row("math.subtract", {"y": ["x", 0, 0]}, first=("_CONSTANT_VALUE", -1, 2.0)))
    assert (made.class_name, made.arguments) == ("Subtract", (2.0, ["x", 0, 0]))


def test_a_circle_of_layers_that_keep_masks_ends() -> None:
    def layer(class_name: str, name: str, node: list[Any], **config: Any) -> dict[str, Any]:
        return {"class_name": class_name, "name": name, "config": {"name": name, **config}, "inbound_nodes": [[node]]}

    start = {"class_name": "InputLayer", "name": "i", "config": {"name": "i", "batch_input_shape": [None, 4, 2]}}
    rows = [
        {**start, "inbound_nodes": []},
        layer("Dropout", "p", ["q", 0, 0, {}], rate=0.1),
        layer("Dropout", "q", ["p", 0, 0, {}], rate=0.1),
        layer("GRU", "d", ["p", 0, 0, {"initial_state": [["i", 0, 0]]}], units=2),
    ]
    ends = {"input_layers": [["i", 0, 0]], "output_layers": [["d", 0, 0]]}
    model = {"class_name": "Model", "config": {"name": "m", "layers": rows, **ends}}
    assert migrate(json.loads(json.dumps(model))).config["class_name"] == "Functional"
