"""A child that trains designs on virtual CPU devices and writes what came of it: `train_on.py ENGINE DEVICES OUT NAME...`.

A process can set up its devices once; several designs share it one after the other. OUT/NAME.npz holds the losses of all steps,
the predictions of every row, the validation's fractions, and the final variables by name.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from seqdec_gui.data.dataset import Dataset, open_dataset
from seqdec_gui.data.order import epoch_order
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.runner.checkpoints import _model_variables
from seqdec_gui.runner.engines import create
from seqdec_gui.runner.engines.base import Engine
from seqdec_gui.runner.program import Program
from seqdec_gui.runner.schedule import padded
from seqdec_gui.runs.environment import child_environment
from seqdec_gui.runs.spec import DeviceChoice, EngineName, Placement
from tests.runner import designs

BATCH, EPOCHS, SEED = 12, 2, 3
DESIGNS = {
    "stack": lambda: designs.stack(units=(6,)),
    "rates": lambda: designs.stack(units=(6,), learning_rate_factor=0.1),
    "masked": lambda: designs.translation(layers=1),
    "masked between layers": lambda: designs.translation(cell="GRU", layers=2),
    "attention": lambda: designs.attentive("bahdanau", "GRU", output_dropout=0.2),
    "input feeding": lambda: designs.attentive("bahdanau", "GRU", input_feeding="luong", output_dropout=0.2),
    "attention without states": lambda: designs.attentive("luong_general", mode="free_running", mask_padding=True),
    "two losses": lambda: designs.variational(),
    "noisy": lambda: designs.noisy(),
    "ragged": lambda: designs.translation(layers=1, normalised=False),
    "transformer": lambda: designs.transformer(
        decoder={"mask_padding": True, "attention_dropout": 0.1, "tie_embeddings": True}
    ),
}


def is_compared(variable: str) -> bool:
    """Return whether devices have to agree on it: not the state of random numbers, nor the bias of the keys of an attention.

    That adds the same to all scores of a query; its gradient is rounding error, which Adam enlarges.
    """
    return "seed_generator" not in variable and not ("_Attention_" in variable and variable.endswith(" 03 bias"))


def environment(engine: EngineName, count: int) -> dict[str, str]:
    """For a child of this script on so many virtual devices."""
    return child_environment(Placement(DeviceChoice("cpu", count), engine), os.environ)


def prepared(name: str, folder: Path, **training: Any) -> tuple[Program, Dataset]:
    """A design on 50 rows: 40 train, which no batch size divides, and 10 validate."""
    file = designs.write_rows(folder)
    given = {"batch_size": BATCH, "epochs": EPOCHS, "seed": SEED, "clip_norm": 0.5, "learning_rate": 1e-2} | training
    design: Design = designs.bound(DESIGNS[name](), file, **given)
    dataset = open_dataset(design.data, data_ports(design), folder)
    return Program.of(design, designs.write_script(design, folder)), dataset


def silence(engine: Engine) -> None:
    """Switch the random layers off: equality is promised without them."""
    from seqdec_gui.runner.normalization import all_layers

    for layer in all_layers(engine.training_model):
        if type(layer).__name__ == "GaussianNoise":
            layer.stddev = 0.0
        for rate in ("rate", "dropout", "recurrent_dropout"):
            if vars(layer).get(rate):
                setattr(layer, rate, 0.0)


def trained(engine: Engine, dataset: Dataset) -> dict[str, Any]:
    """Two epochs, a validation and predictions."""
    steps = len(dataset.training) // BATCH
    terms = len(engine.program.kl_terms)
    losses = []
    for epoch in range(1, EPOCHS + 1):
        order = epoch_order(SEED, epoch, len(dataset.training))[: steps * BATCH]
        rows = dataset.training[order].reshape(steps, BATCH)
        rates = np.full(steps, engine.program.training.learning_rate, np.float32)
        losses.append(engine.train(rows, rates, np.full((steps, terms), 0.1, np.float32)).losses)
    sums = engine.evaluate(*padded(dataset.validation, BATCH))
    engine.sync()
    found = {f"predictions {i}": values for i, values in enumerate(engine.predict(np.arange(dataset.rows)))}
    found |= {f"validation {name}": np.array([part.total, part.count]) for name, part in sums.items()}
    found |= {f"variable {name.replace('/', ' ')}": np.asarray(value) for name, value in _model_variables(engine.models)}
    return found | {"losses": np.concatenate(losses)}


def main(engine_name: EngineName, count: int, out: Path, *names: str) -> None:
    for name in names:
        folder = out / f"{name} {count}"
        folder.mkdir(parents=True)
        program, dataset = prepared(name, folder)
        engine = create(Placement(DeviceChoice("cpu", count), engine_name), program)
        engine.build()
        silence(engine)
        engine.start(dataset)
        np.savez(out / f"{name} {count}.npz", **trained(engine, dataset))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:])  # type: ignore[arg-type]
