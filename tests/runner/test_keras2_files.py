"""Files of Keras 2 predict here what they predicted there, and what cannot be opened says what helps, which then does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runner.keras2 import convert as conversion
from seqdec_gui.runner.keras2 import reference
from seqdec_gui.runner.keras2.convert import convert, difference_of
from seqdec_gui.runner.keras2.files import describe
from seqdec_gui.runner.model_files import opened

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "keras2"
LARGEST = 1e-6


@pytest.fixture
def without_keras2(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if tf_keras were not installed: what it predicts stands in the fixtures, and starting it takes seconds."""
    real = reference.is_installed
    monkeypatch.setattr(reference, "is_installed", lambda package: package != "tf_keras" and real(package))


def predicted(file: Path, expected: str) -> tuple[list[Any], list[Any]]:
    """What a converted file predicts for the inputs of a fixture, and what Keras 2 predicted."""
    import keras

    from seqdec_gui.runner.reopen import predictions

    with np.load(FOLDER / f"{expected}.npz") as arrays:
        inputs = [arrays[f"input_{i}"] for i in range(sum(name.startswith("input") for name in arrays.files))]
        outputs = [arrays[f"output_{i}"] for i in range(sum(name.startswith("output") for name in arrays.files))]
    model = keras.models.load_model(file, compile=False, safe_mode=True)
    given = [array.astype(str(tensor.dtype)) for array, tensor in zip(inputs, model.inputs, strict=True)]
    return predictions(model, given), outputs


@pytest.mark.parametrize(
    ("file", "weights"),
    [
        ("stack.h5", ""),
        ("stack.keras", ""),
        ("stack.json", "stack.weights.h5"),
        ("stack.json", "stack.h5"),
        ("stack.json", "stack_ck"),
        ("stack_saved", ""),
        ("translator.h5", ""),  # a mask and initial states
        ("masked_numbers.h5", ""),
        ("hard.h5", ""),  # hard sigmoids of another slope, stateful, batches of two rows
        ("hard.keras", ""),
        ("shared.h5", ""),
        ("shared.keras", ""),
        ("convolutions.h5", ""),
        ("classifier.keras", ""),
        ("cells.h5", ""),
        ("cells.keras", ""),
        ("cudnn.h5", ""),
        ("old.h5", ""),
    ],
)
@pytest.mark.usefixtures("without_keras2")
def test_the_model_predicts_what_it_predicted_in_keras_2(file: str, weights: str, tmp_path: Path) -> None:
    made = convert(FOLDER / file, tmp_path, FOLDER / weights if weights else None)
    assert made.difference is None
    assert any("pip install 'seqdec-gui[keras2]'" in note for note in made.notes)
    found, expected = predicted(made.path, file.partition(".")[0].partition("_saved")[0])
    assert difference_of(found, expected) < LARGEST


@pytest.mark.usefixtures("without_keras2")
def test_the_description_inside_an_older_saved_model_is_read(tmp_path: Path) -> None:
    """TensorFlow before 2.5 wrote it into saved_model.pb; here it is moved there, by TensorFlow's own protocol buffers."""
    import shutil

    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
    from tensorflow.python.keras.protobuf.saved_metadata_pb2 import SavedMetadata

    folder = tmp_path / "older"
    shutil.copytree(FOLDER / "stack_saved", folder)
    metadata, saved = SavedMetadata(), SavedModel()
    metadata.ParseFromString((folder / "keras_metadata.pb").read_bytes())
    saved.ParseFromString((folder / "saved_model.pb").read_bytes())
    nodes = saved.meta_graphs[0].object_graph_def.nodes
    for described in metadata.nodes:
        nodes[described.node_id].user_object.identifier = described.identifier
        nodes[described.node_id].user_object.metadata = described.metadata
    (folder / "keras_metadata.pb").unlink()
    (folder / "saved_model.pb").write_bytes(saved.SerializeToString())
    found, expected = predicted(convert(folder, tmp_path).path, "stack")
    assert difference_of(found, expected) < LARGEST


@pytest.mark.usefixtures("without_keras2")
def test_what_is_not_as_it_was_is_said(tmp_path: Path) -> None:
    notes = " ".join(convert(FOLDER / "hard.h5", tmp_path).notes)
    assert "x took batches of 2 rows" in notes
    assert "was stateful: here every batch begins with states of zero" in notes


@pytest.mark.usefixtures("without_keras2")
def test_the_same_file_twice_is_written_once_and_another_under_another_name(tmp_path: Path) -> None:
    first, again = (convert(FOLDER / "hard.h5", tmp_path).path for _ in range(2))
    assert first == again
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "hard.h5"
    other.write_bytes((FOLDER / "old.h5").read_bytes())
    assert convert(other, tmp_path).path.name == "hard_2.keras"


def test_predictions_are_compared_with_keras_2_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tf_keras")
    made = convert(FOLDER / "hard.h5", tmp_path)
    assert made.difference is not None
    assert made.difference < LARGEST
    monkeypatch.setattr(reference, "predictions", lambda *_: [np.zeros((2, 2), np.float32)])
    with pytest.raises(InvalidInput, match="its predictions would differ by"):
        convert(FOLDER / "stack.h5", tmp_path)
    monkeypatch.setattr(conversion, "LARGEST_DIFFERENCE", 0.0)


def test_ids_are_ids_and_the_rest_is_known_to_the_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from seqdec_gui.runner.keras_files import inspect

    monkeypatch.setattr(reference, "is_installed", lambda _: False)
    found = inspect(convert(FOLDER / "translator.h5", tmp_path).path)
    assert [(tensor.name, tensor.dtype) for tensor in found.inputs] == [("source", "int32"), ("target", "int32")]
    assert found.symbols == (11, 12)
    assert found.activations == ("softmax",)


@pytest.mark.usefixtures("without_keras2")
def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    for weights in ("translator.h5", "cells.h5", "hard.h5"):
        with pytest.raises(InvalidInput, match="weights do not fit the model"):
            convert(FOLDER / "stack.json", tmp_path, FOLDER / weights)
    assert list(tmp_path.iterdir()) == []


# -- advice
MAKE = '''
import sys
import tf_keras as keras, tensorflow as tf
L, folder = keras.layers, sys.argv[1]

def both(name, bad, good, ending=".h5", **options):
    """A file that is refused, and the one that its hint asks for, with the weights of the first."""
    bad.save(f"{folder}/{name}_bad{ending}", **options)
    good.set_weights([w.reshape(v.shape) for w, v in zip(bad.get_weights(), good.weights)])
    good.save(f"{folder}/{name}_good.h5")

def chain(*layers):
    return keras.Sequential([L.Input((4, 3)), *layers])

both("lambda", chain(L.Dense(2), L.Lambda(lambda t: t * 2, name="double")), chain(L.Dense(2), L.Rescaling(2.0)))
leaky = L.Dense(2, activation=lambda t: tf.nn.leaky_relu(t, 0.1), name="leaky")
both("activation", chain(leaky), chain(L.Dense(2), L.LeakyReLU(0.1)))
x = L.Input((4, 3)); y = L.Input((4, 3))
both("operation", keras.Model(x, tf.nn.leaky_relu(L.Dense(2)(x), 0.1)), keras.Model(y, L.LeakyReLU(0.1)(L.Dense(2)(y))))

class Mine(L.Dense):
    pass

mine = chain(L.LSTM(2, name="before"), Mine(2, name="mine"))
both("custom", mine, chain(L.LSTM(2), L.Dense(2)))
keras.Model(mine.inputs, mine.get_layer("before").output).save(f"{folder}/custom_part.h5")

class Sub(keras.Model):
    def __init__(self):
        super().__init__()
        self.only = L.Dense(2)
    def call(self, x):
        return self.only(x)

sub = Sub(); sub(tf.zeros((1, 4, 3)))
both("subclass", sub, chain(L.Dense(2)), ".keras")
def of(f, *shapes, **options):
    inputs = [L.Input(shape, **options) for shape in shapes or [(4, 3)]]
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], f(*inputs))

both("ragged", of(lambda x: L.LSTM(2)(x), (None, 3), ragged=True), of(lambda x: L.LSTM(2)(x), (None, 3)))
norm = L.BatchNormalization([1, 2], name="norm")
both("together", chain(norm), chain(L.Flatten(), L.BatchNormalization(), L.Reshape((4, 3))))
pool = lambda x: L.GlobalAveragePooling1D()(x)
both("axes", of(lambda x: L.Dense(2)(x) + L.Dense(2)(pool(x))),
     of(lambda x: L.Add()([L.Dense(2)(x), L.Reshape((1, 2))(L.Dense(2)(pool(x)))])))
both("rows", of(lambda x: tf.reduce_mean(L.Dense(2)(x), axis=-3)), of(lambda x: pool(L.Dense(2)(x))))
scaled = [1.0, 2.0, 3.0]
both("masked", of(lambda x: L.LSTM(2)(L.Masking()(x) * scaled)), of(lambda x: L.LSTM(2)(L.Masking()(x * scaled))))
late = keras.Sequential([L.Dense(2)]); late.save(f"{folder}/unbuilt_bad.keras")
late.build((None, 4, 3)); late.save(f"{folder}/unbuilt_good.keras")
a, b = L.Input((3,), name="a"), L.Input((3,), name="b")
out = L.Dense(2)(L.Add()([a, b]))
both("names", keras.Model({"a": a, "b": b}, out), keras.Model([a, b], out))
'''
ADVICE = {
    "lambda_bad.h5": ("its layer 'double' is a Lambda layer, which would run code", "with a layer of Keras in its place"),
    "activation_bad.h5": ("The layer leaky has the activation '<lambda>'", "a layer such as LeakyReLU after this one"),
    "operation_bad.h5": (
        "is an operation of TensorFlow, nn.leaky_relu, that cannot be carried over",
        "with a layer of Keras in its place",
    ),
    "custom_bad.h5": ("The layer mine is a Mine", "rebuild the layer from Keras's own"),
    "subclass_bad.keras": ("a subclass of Model", "as a functional model"),
    "ragged_bad.h5": ("takes ragged or sparse tensors", "with a plain Input"),
    "together_bad.h5": ("The layer norm normalises over the axes", "one axis"),
    "axes_bad.h5": ("combines tensors with different numbers of axes", "with a Reshape layer"),
    "rows_bad.h5": ("that mixes the rows of a batch", "every row is computed by itself"),
    "masked_bad.h5": ("on the features of a masked sequence", "before the masked layer"),
    "unbuilt_bad.keras": ("was saved before it was built", "model.build"),
    "names_bad.h5": ("in a dictionary", "as lists"),
}


@pytest.fixture(scope="module")
def made_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that cannot be opened, and what their makers made of them after they had read the hint."""
    pytest.importorskip("tf_keras")
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "make.py").write_text(MAKE, encoding="utf-8")
    command = [sys.executable, str(folder / "make.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.mark.parametrize("file", ADVICE)
@pytest.mark.usefixtures("without_keras2")
def test_advice_leads_to_a_file_that_opens(file: str, made_elsewhere: Path, tmp_path: Path) -> None:
    why, hint = ADVICE[file]
    with pytest.raises(InvalidInput) as caught:
        opened(made_elsewhere / file, tmp_path)
    (problem,) = caught.value.problems
    assert why in problem.text
    assert hint in problem.hint
    good = made_elsewhere / file.replace("_bad", "_good")
    good = good if good.exists() else good.with_suffix(".h5")
    assert opened(good, tmp_path).path.exists()


@pytest.mark.usefixtures("without_keras2")
def test_the_part_before_a_custom_layer_opens_too(made_elsewhere: Path, tmp_path: Path) -> None:
    assert opened(made_elsewhere / "custom_part.h5", tmp_path).path.exists()


@pytest.mark.usefixtures("without_keras2")
def test_a_description_asks_for_its_weights_and_weights_for_their_description(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"describes a model and holds no weights.*--weights FILE"):
        opened(FOLDER / "stack.json", tmp_path)
    only = tmp_path / "only.h5"
    make_only_weights(only)
    with pytest.raises(InvalidInput, match=r"holds weights alone, and no model.*import model.json --weights FILE"):
        opened(only, tmp_path)
    assert opened(FOLDER / "stack.json", tmp_path, only).path.exists()


def make_only_weights(path: Path) -> None:
    """The weights of the stack as `save_weights` of Keras 2 writes them."""
    import h5py

    with h5py.File(FOLDER / "stack.h5") as whole, h5py.File(path, "w") as file:
        weights = whole["model_weights"]
        for name in weights:
            whole.copy(weights[name], file)
        for name, value in weights.attrs.items():
            file.attrs[name] = value


@pytest.mark.parametrize(
    ("name", "what"), [("a.onnx", "it is ONNX"), ("a.pt", "it is PyTorch"), ("a.yaml", "configuration in YAML")]
)
def test_files_of_others_are_called_by_their_name(name: str, what: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InvalidInput, match=what):
        opened(tmp_path / name, tmp_path)


@pytest.mark.parametrize("version", ["2.2.4", "2.15.0", ""])
def test_a_description_of_keras_2_is_known_by_its_version_or_its_form(version: str, tmp_path: Path) -> None:
    described = json.loads((FOLDER / "stack.json").read_text()) | {"keras_version": version}
    (tmp_path / "m.json").write_text(json.dumps(described))
    assert describe(tmp_path / "m.json").is_keras2
