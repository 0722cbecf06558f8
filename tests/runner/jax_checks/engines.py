"""Engines on some of the devices, ready to train."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np

from seqdec_gui.data.dataset import Dataset
from seqdec_gui.runner import engines
from seqdec_gui.runner.engines.jax import memory
from seqdec_gui.runner.engines.jax.engine import JaxEngine
from seqdec_gui.runner.engines.jax.tuning import Tuning
from seqdec_gui.runs.spec import DeviceChoice, Placement
from tests.runner import train_on

Array = Any
BATCH = 12


def made(
    name: str,
    folder: Path,
    count: int,
    silent: bool = True,
    storage: memory.Storage = "auto",
    tuning: Tuning | None = None,
    **training: Any,
) -> tuple[JaxEngine, Dataset]:
    """An engine on `count` of the devices, with its data, random layers switched off."""
    here = folder / f"{name} {count} {len(list(folder.iterdir()))}"
    here.mkdir(parents=True)
    program, dataset = train_on.prepared(name, here, **training)
    placement = Placement(DeviceChoice("cpu", count), "jax")
    made = cast(JaxEngine, engines.create(placement, program, storage=storage, keep_compiled=False, tuning=tuning))
    made.build()
    if silent:
        train_on.silence(made)
    made.start(dataset)
    return made, dataset


def some_rows(dataset: Dataset, steps: int, seed: int = 0) -> Array:
    random = np.random.default_rng(seed)
    return np.stack([random.permutation(dataset.training)[:BATCH] for _ in range(steps)])


def train(made: JaxEngine, rows: Array, rate: float = 1e-2) -> Any:
    steps = len(rows)
    return made.train(rows, np.full(steps, rate, "float32"), np.full((steps, len(made.program.kl_terms)), 0.1, "float32"))


def weights_of(made: JaxEngine) -> list[Array]:
    made.sync()
    return [np.asarray(variable.value) for variable in made.training_model.variables]


def difference(one: Array, other: Array) -> float:
    return float(np.max(np.abs(one - other) / np.maximum(1.0, np.abs(one)), initial=0.0))
