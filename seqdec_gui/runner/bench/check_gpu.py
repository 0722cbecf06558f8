"""Whether the engine on JAX computes on these GPUs what it computes elsewhere: run on a machine with GPUs, by hand.

cuDNN's LSTM against our loops (outputs and gradients; no mask, right, left, holes, empty rows), and the loops against cuDNN's
own order of gates; N GPUs against one after some steps. One line per check, exit status 1 if one fails.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import msgspec
import numpy as np

from seqdec_gui.data.dataset import open_dataset
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.runner import engines
from seqdec_gui.runner.bench.peer import given, write_model
from seqdec_gui.runner.bench.work import Job, design, write_arrays
from seqdec_gui.runner.engines.jax import recurrent
from seqdec_gui.runner.program import Program
from seqdec_gui.runs.spec import DeviceChoice, Placement

Array = Any
TOLERANCE = 2e-5
failed: list[str] = []


def main() -> None:
    job, folder = given()
    jax.config.update("jax_default_matmul_precision", "highest")
    for name, mask in masks().items():
        tell(f"cuDNN equals the loops, mask: {name}", lstm_difference(mask))
    tell(f"{job.devices} equals one GPU", replica_difference(job, folder))
    sys.exit(1 if failed else 0)


def tell(what: str, difference: float) -> None:
    passed = difference <= TOLERANCE
    if not passed:
        failed.append(what)
    sys.stdout.write(f"{'passed' if passed else 'FAILED'}: {what} (largest difference {difference:.1e})\n")
    sys.stdout.flush()


def masks() -> dict[str, Array | None]:
    ragged = np.arange(17) < np.array([17, 3, 1, 0, 5, 16, 9, 2])[:, None]
    holes = np.random.default_rng(0).uniform(size=(8, 17)) < 0.5
    return {"none": None, "right": ragged, "left": ragged[:, ::-1].copy(), "holes": holes}


def lstm_difference(mask: Array | None) -> float:
    """Outputs, states and gradients of everything."""
    random = np.random.default_rng(1)
    sizes = ((8, 17, 12), (8, 32), (8, 32), (12, 128), (32, 128), (128,))
    x, h, c, *weights = (random.normal(size=size, scale=0.5).astype("float32") for size in sizes)

    def result(x: Array, h: Array, c: Array, weights: list[Array], cudnn: bool) -> Any:
        kernel, recurrent_kernel, bias = weights
        found = recurrent.lstm(x, h, c, mask, kernel, recurrent_kernel, bias, cudnn, unroll=8)
        return sum(jnp.sum(jnp.sin(value)) for value in jax.tree.leaves(found)), found

    run = jax.jit(jax.value_and_grad(result, argnums=(0, 1, 2, 3), has_aux=True), static_argnums=4)
    one, other = (jax.tree.leaves(run(x, h, c, weights, cudnn)) for cudnn in (False, True))
    return max(float(jnp.max(jnp.abs(a - b) / jnp.maximum(1.0, jnp.abs(a)))) for a, b in zip(one, other, strict=True))


def replica_difference(job: Job, folder: Path) -> float:
    """Predictions after ten steps on all of the job's GPUs and on the first, for the same global batch."""
    found = []
    for devices in (job.devices, DeviceChoice("gpu", gpus=job.devices.gpus[:1])):
        each = job.batch // devices.replicas
        of_these = msgspec.structs.replace(job, devices=devices, per_device_batch=each)
        write_arrays(of_these, folder)
        wanted = design(of_these)
        program = Program.of(wanted, write_model(of_these, folder))
        engine = engines.create(Placement(devices, "jax"), program, exact=True, keep_compiled=False)
        engine.build()
        dataset = open_dataset(wanted.data, data_ports(wanted), folder)
        engine.start(dataset)
        rows = np.random.default_rng(0).permutation(dataset.training).reshape(job.steps, job.batch)[:10]
        engine.train(rows, np.full(len(rows), 1e-3, "float32"), np.zeros((len(rows), 0), "float32"))
        found.append(engine.predict(dataset.training[:64])[0])
    return float(np.max(np.abs(found[0] - found[1])))


if __name__ == "__main__":
    main()
