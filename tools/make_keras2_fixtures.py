"""Makes the small files of Keras 2 in tests/fixtures/keras2, with inputs and what tf_keras predicts for them.

Needs tf_keras (`pip install seqdec-gui[keras2]`). Files of layers that run on GPUs alone (CuDNNLSTM, CuDNNGRU) are made of the
same layers for CPUs: tf_keras's own function turns their weights into cuDNN's layout, and the description is renamed.
"""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

os.environ |= {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "1"}

import h5py
import numpy as np
import tf_keras
from tf_keras.src.saving.legacy import hdf5_format

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "keras2"
L = tf_keras.layers
RANDOM = np.random.default_rng(7)


def randomised(model: Any) -> Any:
    """Give every weight a value that no initializer gives, so that nothing can be right by chance."""
    values = []
    for weight in model.weights:
        value = RANDOM.normal(scale=0.4, size=weight.shape)
        values.append(np.abs(value) + 0.1 if "variance" in weight.name else value)
    model.set_weights(values)
    return model


def inputs_for(model: Any) -> list[Any]:
    sizes = [layer.input_dim for layer in model._flatten_layers() if isinstance(layer, L.Embedding)]
    arrays = []
    for tensor in model.inputs:
        rows = 2 if tensor.shape[0] else 3
        shape = (rows, *(6 if size is None else size for size in tensor.shape[1:]))
        if sizes and len(shape) == 2 and tensor.shape[1] != 4:
            ids = RANDOM.integers(1, min(sizes), shape)
            ids[0, 3:] = 0
            arrays.append(ids.astype("float32"))
        else:
            array = RANDOM.normal(size=shape).astype("float32")
            if len(shape) == 3:
                array[0, 3:] = 0
            arrays.append(array)
    return arrays


def keep(model: Any, *names: str) -> None:
    """Write the model under these names, and what it predicts beside each."""
    inputs = inputs_for(model)
    outputs = model.predict_on_batch(inputs if len(inputs) > 1 else inputs[0])
    outputs = outputs if isinstance(outputs, list) else [outputs]
    arrays = {f"input_{i}": array for i, array in enumerate(inputs)} | {f"output_{i}": out for i, out in enumerate(outputs)}
    for name in names:
        if name.endswith(".json"):
            (FOLDER / name).write_text(model.to_json(), encoding="utf-8")
        elif ".weights" in name or name.endswith("_ck"):
            model.save_weights(FOLDER / name)
        elif name.endswith("_saved"):
            model.save(FOLDER / name, save_format="tf", save_traces=False, include_optimizer=False)
        else:
            model.save(FOLDER / name)
        np.savez_compressed(FOLDER / f"{name.partition('.')[0]}.npz", allow_pickle=False, **arrays)


def stack() -> Any:
    """A dense encoder of states and a recurrent decoder as nested models, one of them with BatchNormalization."""
    latent = L.Input((5,), name="latent")
    h = L.BatchNormalization(name="norm")(L.Dense(6, name="to_h")(latent))
    encoder = tf_keras.Model(latent, [h, L.Dense(6, activation="relu", name="to_c")(latent)], name="encoder")
    x, h0, c0 = L.Input((None, 4), name="x"), L.Input((6,), name="h0"), L.Input((6,), name="c0")
    y = L.LSTM(6, return_sequences=True, name="lstm")(x, initial_state=[h0, c0])
    y = L.Bidirectional(L.GRU(3, return_sequences=True), name="both")(y)
    y = L.TimeDistributed(L.Dense(4, activation="softmax"), name="each")(y)
    decoder = tf_keras.Model([x, h0, c0], y, name="decoder")
    a, b = L.Input((5,), name="a"), L.Input((None, 4), name="b")
    return randomised(tf_keras.Model([a, b], decoder([b, *encoder(a)]), name="stack"))


def masked_translator() -> Any:
    ids = L.Input((None,), name="source")
    _, h, c = L.LSTM(5, return_state=True, name="reader")(L.Embedding(11, 6, mask_zero=True, name="words")(ids))
    target = L.Input((None,), name="target")
    x = L.Dropout(0.1)(L.Embedding(12, 6, mask_zero=True, name="others")(target))
    y = L.LSTM(5, return_sequences=True, name="writer")(x, initial_state=[h, c])
    return randomised(tf_keras.Model([ids, target], L.Dense(12, activation="softmax", name="symbols")(y)))


def masked_numbers() -> Any:
    x, state = L.Input((6, 3), name="x"), L.Input((4,), name="state")
    return randomised(tf_keras.Model([x, state], L.GRU(4, name="gru")(L.Masking()(x), initial_state=state)))


def stateful_hard_sigmoids() -> Any:
    x = L.Input((6, 3), batch_size=2, name="x")
    y = L.LSTM(4, recurrent_activation="hard_sigmoid", return_sequences=True, stateful=True)(x)
    y = L.GRU(4, reset_after=False, recurrent_activation="hard_sigmoid", return_sequences=True, go_backwards=True)(y)
    y = L.GRU(3, reset_after=True, recurrent_activation="hard_sigmoid")(y)
    return randomised(tf_keras.Model(x, L.Dense(2, activation="hard_sigmoid")(y)))


def frozen_and_shared() -> Any:
    """A chain, partly frozen, that is used three times in two models: its weights are not in the order of its layers."""
    inner = tf_keras.Sequential([L.Input((4,)), L.Dense(4, trainable=False), L.BatchNormalization(), L.Dense(4)], name="inner")
    x = L.Input((4,))
    outer = tf_keras.Model(x, L.Dense(4)(inner(x)), name="outer")
    a, b = L.Input((4,), name="a"), L.Input((4,), name="b")
    return randomised(tf_keras.Model([a, b], L.Dense(1)(L.Concatenate()([outer(a), outer(b), inner(a)]))))


def convolutions() -> Any:
    layers = [
        L.Conv1D(5, 3, padding="same", activation="relu", input_shape=(12, 4)), L.MaxPooling1D(2), L.BatchNormalization(),
        L.LeakyReLU(0.2), L.Bidirectional(L.LSTM(4, return_sequences=True), merge_mode="sum"), L.SpatialDropout1D(0.2),
        L.GlobalMaxPooling1D(), L.Dense(3, kernel_regularizer="l2", kernel_constraint="max_norm"),
    ]  # fmt: skip
    return randomised(tf_keras.Sequential(layers, name="convolutions"))


def classifier() -> Any:
    layers = [L.Embedding(9, 4, input_length=7), L.LSTM(5), L.Dense(2, activation="softmax")]
    return randomised(tf_keras.Sequential(layers, name="classifier"))


def cells_and_attention() -> Any:
    q, v = L.Input((5, 4), name="q"), L.Input((6, 4), name="v")
    y = L.Add()([L.MultiHeadAttention(2, 3)(q, v), q])
    y = L.Attention()([L.LayerNormalization()(y), v])
    y = L.RNN([L.LSTMCell(3), L.GRUCell(4)], return_sequences=True)(y)
    return randomised(tf_keras.Model([q, v], L.RNN(L.SimpleRNNCell(2))(y)))


def of_cudnn(name: str) -> None:
    """Write a model as Keras 2.2 wrote it on a GPU: CuDNNLSTM and CuDNNGRU, in cuDNN's layout."""
    x = L.Input((6, 3), name="x")
    y = L.Bidirectional(L.LSTM(4, return_sequences=True, name="lstm"), name="both")(x)
    y = L.GRU(3, reset_after=True, name="gru")(y)
    model = randomised(tf_keras.Model(x, L.Dense(2, name="out")(y)))
    keep(model, f"{name}.h5")
    with h5py.File(FOLDER / f"{name}.h5", "r+") as file:
        config = json.loads(file.attrs["model_config"])
        rows = {row["name"]: row for row in config["config"]["layers"]}
        _as_cudnn(rows["both"]["config"]["layer"], "CuDNNLSTM")
        _as_cudnn(rows["gru"], "CuDNNGRU")
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.2.4"
        layers = file["model_weights"]
        for layer, class_name in (("both", "CuDNNLSTM"), ("gru", "CuDNNGRU")):
            names = [text if isinstance(text, str) else text.decode() for text in layers[layer].attrs["weight_names"]]
            for first in range(0, len(names), 3):
                three = names[first : first + 3]
                plain = [np.array(layers[layer][one]) for one in three]
                for one, value in zip(three, to_cudnn(plain, class_name), strict=True):
                    del layers[layer][one]
                    layers[layer][one] = value


def _as_cudnn(row: dict[str, Any], class_name: str) -> None:
    row["class_name"] = class_name
    kept = ("name", "trainable", "units", "return_sequences", "return_state", "go_backwards", "stateful", "unit_forget_bias")
    row["config"] = {key: value for key, value in row["config"].items() if key in kept}


def to_cudnn(weights: list[Any], class_name: str) -> list[Any]:
    """Return the weights of an LSTM or GRU in the layout of cuDNN, by tf_keras's own function."""
    layer = type(class_name, (), {"units": weights[1].shape[0]})()
    if class_name == "CuDNNLSTM":  # two biases, of which only the sum is known
        weights = [*weights[:2], weights[2]]
    return list(hdf5_format._convert_rnn_weights(layer, weights))


def of_2017(name: str) -> None:
    """Write a classifier as Keras 2.0 wrote it: a bare list of layers, ids of type int32, no word on reset_after."""
    layers = [L.Embedding(9, 4, input_length=7), L.GRU(5, reset_after=False, recurrent_activation="hard_sigmoid"), L.Dense(2)]
    keep(randomised(tf_keras.Sequential(layers, name="old")), f"{name}.h5")
    with h5py.File(FOLDER / f"{name}.h5", "r+") as file:
        config = json.loads(file.attrs["model_config"])
        rows = [row for row in config["config"]["layers"] if row["class_name"] != "InputLayer"]
        rows[0]["config"]["dtype"] = "int32"
        del rows[1]["config"]["reset_after"]
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": rows})
        file.attrs["keras_version"] = "2.0.9"


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    keep(stack(), "stack.h5", "stack.keras", "stack.json", "stack.weights.h5", "stack_ck", "stack_saved")
    (FOLDER / "stack_ck.npz").unlink(missing_ok=True)
    keep(masked_translator(), "translator.h5")
    keep(masked_numbers(), "masked_numbers.h5")
    keep(stateful_hard_sigmoids(), "hard.h5", "hard.keras")
    keep(frozen_and_shared(), "shared.h5", "shared.keras")
    keep(convolutions(), "convolutions.h5")
    keep(classifier(), "classifier.keras")
    keep(cells_and_attention(), "cells.h5", "cells.keras")
    of_cudnn("cudnn")
    of_2017("old")
    for file in (FOLDER / "checkpoint", FOLDER / "stack_saved.npz"):
        file.unlink(missing_ok=True)
    for file in FOLDER.glob("stack_saved/**/*"):
        if file.name in ("fingerprint.pb",):
            file.unlink()
    for archive in FOLDER.glob("*.keras"):
        with zipfile.ZipFile(archive) as opened:
            assert "config.json" in opened.namelist()


if __name__ == "__main__":
    main()
