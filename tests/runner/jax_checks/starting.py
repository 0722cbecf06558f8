"""What happens before the first step."""

from __future__ import annotations

import threading
from pathlib import Path
from unittest.mock import patch

import jax
import keras
import numpy as np
from jax.sharding import Mesh

from seqdec_gui.runner import engines
from seqdec_gui.runner.engines.jax import engine, steps
from seqdec_gui.runner.engines.jax.layers import REPLICAS
from seqdec_gui.runner.numpy_initializers import numpy_initializers
from seqdec_gui.runs.spec import DeviceChoice, Placement
from tests.runner.jax_checks.engines import made, some_rows, train
from tests.runner.jax_checks.loops import compilations


def gpus_start_while_other_things_are_done(folder: Path) -> None:
    cpus, gpu = DeviceChoice("cpu", count=3), DeviceChoice("gpu", gpus=(0,))
    begun = threading.Event()
    for placement, begins in (
        (Placement(cpus, "jax"), False),
        (Placement(gpu, "tensorflow"), False),
        (Placement(gpu, "jax"), True),
    ):
        with patch.object(jax, "devices", begun.set):
            engines.begin(placement)
            assert begun.wait(20 if begins else 0.2) == begins


def devices_are_introduced_before_anything_is_compiled(folder: Path) -> None:
    mesh = Mesh(np.array(jax.devices()), (REPLICAS,))
    assert steps.initialise_collectives(mesh).result(60) == len(jax.devices())
    there, _ = made("masked", folder, 2)
    there.devices = DeviceChoice("gpu", gpus=(0, 1))
    order: list[str] = []
    introduced = patch.object(engine, "initialise_collectives", lambda mesh: order.append(f"{mesh.devices.size} introduced"))
    with introduced, patch.object(there, "_build", lambda: order.append("built")):
        there.build()
    assert order == ["2 introduced", "built"]


def weights_for_measuring_are_drawn_without_a_compilation(folder: Path) -> None:
    with compilations() as compiled, numpy_initializers():
        quick, dataset = made("masked", folder, 2)
    usual, _ = made("masked", folder, 2)
    assert not [name for name in compiled if any(drawn in name for drawn in ("uniform", "normal", "qr"))], compiled
    for a, b in zip(usual.training_model.variables, quick.training_model.variables, strict=True):
        assert (a.name, a.shape, a.dtype) == (b.name, b.shape, b.dtype)
        if np.std(np.asarray(a.value).astype("float64")) > 0 and len(a.shape) > 1:
            spread = np.std(np.asarray(b.value)) * np.prod(b.shape[:-1]) ** 0.5
            assert 0.5 < spread < 1.5, (b.path, spread)
        elif a.dtype == "float32":
            np.testing.assert_array_equal(a.value, b.value, b.path)
    assert np.isfinite(train(quick, some_rows(dataset, 3)).losses).all()
    glorot = np.asarray(keras.initializers.GlorotUniform(seed=1)((500, 500)))
    assert abs(glorot).max() <= (6 / 1000) ** 0.5  # Keras's own again
