"""A child that trains small designs, one after the other, and exports them: `report_and_export.py FOLDER NAME...`.

FOLDER/NAME.npz holds what plain Keras is to evaluate (inputs, targets, sample weights of the validation rows), made from the
data of the case and not by the program's codecs. FOLDER/NAME.json holds what the run reports for the same rows.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seqdec_gui.data.dataset import Dataset, open_dataset
from seqdec_gui.data.order import epoch_order
from seqdec_gui.data.scaling import scalings
from seqdec_gui.domain import document
from seqdec_gui.domain.bindings import Binding, CategoryCodec, Codec, DataSource, IdsCodec, Split, TextCodec, VectorCodec
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.edit import set_value
from seqdec_gui.resource_files import path
from seqdec_gui.runner.engines import create
from seqdec_gui.runner.engines.base import Engine
from seqdec_gui.runner.metrics import reported
from seqdec_gui.runner.program import Program, load_build
from seqdec_gui.runner.schedule import padded
from seqdec_gui.runs.environment import child_environment
from seqdec_gui.runs.export_formats import EXPORT_FORMATS
from seqdec_gui.runs.spec import DeviceChoice, Placement
from tests.domain.designs import block, design
from tests.runner import designs

Array = npt.NDArray[Any]
ROWS, STEPS, SYMBOLS, BATCH = 40, 6, 5, 8


class Case(NamedTuple):
    """A design and its data: `columns` as bound, and what its model takes and predicts, as a user of Keras has it."""

    design: Design
    columns: dict[str, Array]
    bindings: tuple[Binding, ...]
    inputs: dict[str, Array]
    targets: Array
    weights: Array
    format: str = "keras"
    epochs: int = 2


class Taught(NamedTuple):
    """A decoder's column, its codec, and what it means: `fed` (rows, steps, symbols), targets and weights (rows, steps)."""

    column: Array
    codec: Codec | None
    fed: Array
    targets: Array
    weights: Array


def one_hot(ids: Array, depth: int = SYMBOLS) -> Array:
    return np.eye(depth, dtype=np.float32)[ids]


# -- what a decoder can be taught from: class 0 is a symbol unless it is said to be padding
def ids() -> Taught:
    found = np.random.default_rng(0).integers(0, SYMBOLS, (ROWS, STEPS + 1))
    return Taught(found, IdsCodec(), one_hot(found[:, :-1]), found[:, 1:], np.ones((ROWS, STEPS)))


def hot() -> Taught:
    found = ids()
    return found._replace(column=one_hot(found.column), codec=None)


def lengths() -> Array:
    return np.random.default_rng(1).integers(2, STEPS + 2, (ROWS, 1))


def padded_ids() -> Taught:
    found = np.where(np.arange(STEPS + 1) < lengths(), 1 + ids().column % (SYMBOLS - 1), 0)
    shown = (found != 0)[..., None]
    return Taught(found, IdsCodec(0), one_hot(found[:, :-1]) * shown[:, :-1], found[:, 1:], shown[:, 1:, 0])


def hot_with_zeros() -> Taught:
    shown = np.arange(STEPS + 1) < lengths()
    found = one_hot(ids().column) * shown[..., None]
    return Taught(found, None, found[:, :-1], ids().column[:, 1:], shown[:, 1:])


def text() -> Taught:
    random = np.random.default_rng(2)
    words = ["".join(random.choice(["a", "b"], random.integers(1, STEPS))) for _ in range(ROWS)]
    found = np.zeros((ROWS, STEPS + 1), np.int64)  # 0 padding, 1 begin, 2 end, then a and b
    for row, word in zip(found, words, strict=True):
        row[: len(word) + 2] = [1, *(3 + "ab".index(letter) for letter in word), 2]
    shown = found != 0
    codec = TextCodec(charset=("a", "b"))
    return Taught(np.array(words), codec, one_hot(found[:, :-1]) * shown[:, :-1, None], found[:, 1:], shown[:, 1:])


WAYS: dict[str, Callable[[], Taught]] = {
    "ids": ids, "one-hot": hot, "ids with pad_id": padded_ids, "one-hot with zeros": hot_with_zeros, "text": text,
}  # fmt: skip


# -- the templates, small
TEMPLATES = {
    "latent-to-sequence": ("latent.width=3", "model_1.units=6", "model_2.units=6", f"model_2.output_units={SYMBOLS}"),
    "image-to-sequence": ("image.width=3", "image_states.units=6", "decoder.units=6", "decoder.embedding=4",
                          f"decoder.output_units={SYMBOLS}"),
    "language-model": ("decoder.units=6", f"decoder.output_units={SYMBOLS}"),
    "conditional-language-model": ("conditions.width=3", "decoder.layers=1", "decoder.width=8", "decoder.feed_forward=6",
                                   "decoder.tie_embeddings=true", f"decoder.output_units={SYMBOLS}"),
    "sequence-autoencoder": (f"sequence.length={STEPS}", f"sequence.symbols={SYMBOLS}", "encoder.units=5", "bottleneck.units=4",
                             "states.units=6", "decoder.units=6", f"decoder.output_units={SYMBOLS}"),
    "sequence-to-sequence": (f"source.length={STEPS}", f"source.symbols={SYMBOLS}", "encoder.units=6", "decoder.units=6",
                             f"decoder.output_units={SYMBOLS}"),
}  # fmt: skip


def template(name: str, way: str, format: str = "keras") -> Case:
    """A template whose decoder and loss are taught by one column."""
    wanted = document.loads(path(f"templates/{name}.seqdec").read_bytes())
    for text in (*TEMPLATES[name], f"decoder_inputs.length={STEPS}", f"decoder_inputs.symbols={SYMBOLS}"):
        wanted = set_value(wanted, *text.split("="))
    taught = WAYS[way]()
    fed = taught.fed
    if name in ("image-to-sequence", "conditional-language-model"):  # their decoders have an embedding
        fed = taught.column[:, :-1].argmax(-1) if taught.column.ndim > 2 else taught.column[:, :-1]
    columns, inputs = {"taught": taught.column}, {"decoder_inputs": fed}
    bindings = [Binding("decoder_inputs", "taught", taught.codec)]
    random = np.random.default_rng(3)
    for port in data_ports(wanted):
        if port.role == "input" and not port.generated:
            vector = len(port.type.shape) == 1
            values = random.normal(4, 3, (ROWS, 3)) if vector else random.integers(0, SYMBOLS, (ROWS, STEPS))
            columns[port.name], inputs[port.name] = values, values if vector else one_hot(values)
            bindings.append(Binding(port.name, port.name, None if vector else IdsCodec()))
    return Case(wanted, columns, tuple(bindings), inputs, taught.targets, np.asarray(taught.weights, np.float32), format)


def soft_targets() -> Case:
    """Probabilities as targets, bound on their own; a step of zeros is padding."""
    case = template("latent-to-sequence", "ids")
    soft = np.random.default_rng(4).dirichlet(np.ones(SYMBOLS), (ROWS, STEPS)).astype(np.float32)
    soft[::3, -2:] = 0
    columns = case.columns | {"taught": case.columns["taught"][:, :-1], "soft": soft}
    weights = soft.any(axis=-1).astype(np.float32)
    return case._replace(columns=columns, bindings=(*case.bindings, Binding("loss", "soft")), targets=soft, weights=weights)


def dense(loss: str, units: int, activation: str, target: Array, codec: Codec | None, plain: Array, **more: Any) -> Case:
    """A vector to one layer to a loss."""
    metrics = ["token_accuracy", "exact_accuracy"] if activation == "softmax" else ["mean_absolute_error"]
    wanted = design(
        [
            block("x", "vector", width=3),
            block("head", "layer_stack", layers=[{"layer": "Dense", "units": units, "activation": activation}]),
            block("loss", "loss", loss=loss, metrics=metrics),
        ],
        ["x.output -> head.inputs", "head.outputs -> loss.predictions"],
    )
    x = np.random.default_rng(5).normal(size=(ROWS, 3)).astype(np.float32)
    bindings = (Binding("x", "x", VectorCodec(False)), Binding("loss", "y", codec))
    return Case(wanted, {"x": x, "y": target}, bindings, {"x": x}, plain, np.ones(len(plain), np.float32), **more)


def two_classes(hot: bool) -> Case:
    """Six steps of two classes, the target is the input: nothing is easier, and class 0 is half of it."""
    wanted = design(
        [
            block("x", "token_sequence", length=STEPS, symbols=2),
            block("head", "layer_stack", layers=[{"layer": "Dense", "units": 2, "activation": "softmax"}]),
            block("loss", "loss"),
        ],
        ["x.output -> head.inputs", "head.outputs -> loss.predictions"],
    )
    bits = np.random.default_rng(6).integers(0, 2, (ROWS, STEPS))
    column = one_hot(bits, 2) if hot else bits
    bindings = (Binding("x", "x", None if hot else IdsCodec()), Binding("loss", "x", None if hot else IdsCodec()))
    return Case(wanted, {"x": column}, bindings, {"x": one_hot(bits, 2)}, bits, np.ones((ROWS, STEPS), np.float32), "h5", 30)


_labels = np.random.default_rng(7).choice(["ant", "bee", "cow"], ROWS)
_numbers = np.random.default_rng(8).normal(20, 4, (ROWS, 2))
CASES: dict[str, Callable[[], Case]] = {
    **{f"latent-to-sequence, {way}": lambda way=way: template("latent-to-sequence", way, "h5") for way in WAYS},
    **{
        f"{name}, {way}": lambda name=name, way=way: template(name, way)
        for name, way in (
            ("image-to-sequence", "ids"),
            ("language-model", "one-hot"),
            ("conditional-language-model", "ids"),
            ("sequence-autoencoder", "text"),
            ("sequence-to-sequence", "one-hot with zeros"),
        )
    },
    "soft targets": soft_targets,
    "labels": lambda: dense(
        "categorical_crossentropy", 3, "softmax", _labels, CategoryCodec(), np.searchsorted(["ant", "bee", "cow"], _labels)
    ),
    "numbers": lambda: dense("mean_squared_error", 2, "linear", _numbers, None, _numbers),
    "standardised numbers": lambda: dense("mean_squared_error", 2, "linear", _numbers, VectorCodec(), _numbers),
    "two classes, ids": lambda: two_classes(hot=False),
    "two classes, one-hot": lambda: two_classes(hot=True),
}


# -- the child
def train(engine: Engine, dataset: Dataset, epochs: int) -> None:
    steps = len(dataset.training) // BATCH
    for epoch in range(1, epochs + 1):
        rows = dataset.training[epoch_order(0, epoch, len(dataset.training))[: steps * BATCH]].reshape(steps, BATCH)
        engine.train(rows, np.full(steps, 0.1, np.float32), np.zeros((steps, 0), np.float32))


def do(name: str, folder: Path) -> None:
    from seqdec_gui.runner.export import fresh_copy
    from seqdec_gui.runner.exports.keras_file import KerasFile

    case = CASES[name]()
    np.savez(folder / "rows.npz", **case.columns)
    wanted = case.design.with_data(DataSource("rows.npz", Split(validation=0.25), case.bindings))
    dataset = open_dataset(wanted.data, data_ports(wanted), folder)
    program = Program.of(wanted, designs.write_script(wanted, folder))
    engine = create(Placement(DeviceChoice("cpu", 1), "tensorflow"), program)
    engine.build()
    engine.load()
    engine.start(dataset)
    train(engine, dataset, case.epochs)
    metrics = reported(program, engine.evaluate(*padded(dataset.validation, BATCH)), [])
    engine.sync()
    full = fresh_copy(load_build(program.model_file), engine.models)["full"]
    file = folder / f"{name}.{case.format}"
    KerasFile(EXPORT_FORMATS[case.format]).save(full, file, file)
    known = {scaling.name: scaling for scaling in scalings(dataset.fitted)}
    rows = dataset.validation

    def taken(port: str, values: Array) -> Array:
        scaling = known.get(port)
        return values[rows] if scaling is None else (values[rows] - scaling.mean) / scaling.deviation

    inputs = {f"input {i}": taken(tensor.name, case.inputs[tensor.name]) for i, tensor in enumerate(full.inputs)}
    np.savez(folder / f"{name}.npz", targets=taken("loss", case.targets), weights=case.weights[rows], **inputs)
    about = {"file": file.name, "loss": program.losses[0].loss, "metrics": metrics, "scaled": sorted(known)}
    (folder / f"{name}.json").write_text(json.dumps(about))


def environment() -> dict[str, str]:
    return child_environment(Placement(DeviceChoice("cpu", 1), "tensorflow"), os.environ)


if __name__ == "__main__":
    for name in sys.argv[2:]:
        do(name, Path(sys.argv[1]))
