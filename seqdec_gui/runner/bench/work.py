"""What all of them train: latent vector -> LSTM states -> LSTM stack, BatchNormalization throughout, Adam, random data.

Imports no framework.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.domain.bindings import Binding, DataSource, IdsCodec, Split, VectorCodec
from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.training import Training
from seqdec_gui.runs.spec import DeviceChoice

SizeName = Literal["tiny", "seed", "smiles", "large"]
DATA_FILE = "work.npz"


class Size(NamedTuple):
    """`steps` of a sequence, decoder input and output `symbols`, width of the latent vector, LSTM units and layers."""

    steps: int
    inputs: int
    outputs: int
    latent: int
    units: int
    layers: int


SIZES: dict[SizeName, Size] = {
    "tiny": Size(6, 7, 5, 3, 8, 2),
    "seed": Size(33, 44, 22, 11, 128, 2),
    "smiles": Size(142, 35, 35, 7, 256, 3),
    "large": Size(71, 29, 29, 512, 512, 4),
}
STEPS_ON_GPU = 300
STEPS_ON_CPU: dict[SizeName, int] = {"tiny": 200, "seed": 40, "smiles": 4, "large": 3}
"""Optimizer steps of an epoch, so that an epoch takes a second or two."""
PEER_STEPS_ON_CPU = 20
"""Most steps of a peer's epoch on a CPU: theirs hold floats in memory. On GPUs a start and a wait would count."""


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One measurement. `steps` is an epoch's; the first of the `epochs` warms up and is not counted."""

    size: SizeName
    devices: DeviceChoice
    per_device_batch: int
    steps: int
    epochs: int = 4
    precision: Literal["float32", "bfloat16"] = "float32"

    @property
    def batch(self) -> int:
        """Rows per step over all devices."""
        return self.per_device_batch * self.devices.replicas

    @property
    def rows(self) -> int:
        return self.batch * self.steps

    @property
    def shape(self) -> Size:
        return SIZES[self.size]


class Measured(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came of a job.

    `samples_per_s` is that of the median epoch after the first, `first_step_s` the seconds from the start of Python to the end
    of a step, `loss` the mean over the steps of the last epoch: it tells whether everybody trains the same model.
    """

    samples_per_s: float
    first_step_s: float
    loss: float


def arrays(size: Size, rows: int, seed: int = 0) -> dict[str, npt.NDArray[Any]]:
    """`latent` (rows, latent) float32; `inputs` and `targets` (rows, steps) uint8 ids. The same for the same seed."""
    random = np.random.default_rng(seed)
    return {
        "latent": random.standard_normal((rows, size.latent), np.float32),
        "inputs": random.integers(0, size.inputs, (rows, size.steps)).astype(np.uint8),
        "targets": random.integers(0, size.outputs, (rows, size.steps)).astype(np.uint8),
    }


def write_arrays(job: Job, folder: Path) -> Path:
    """The job's rows as a file that `design` is bound to."""
    path = folder / DATA_FILE
    found: Mapping[str, Any] = arrays(job.shape, job.rows)
    np.savez(path, **found)
    return path


def design(job: Job) -> Design:
    """The model of a job, bound to the columns of `arrays`, without validation."""
    size = job.shape
    units = (size.units,) * size.layers
    blocks = (
        _block("latent", "vector", width=size.latent),
        _block("decoder_inputs", "token_sequence", length=size.steps, symbols=size.inputs),
        _block("model_1", "dense_states", units=units),
        _block("model_2", "recurrent_decoder", units=units, output_units=size.outputs),
        _block("loss", "loss"),
    )
    feeds = {
        "latent.output": "model_1.inputs",
        "decoder_inputs.output": "model_2.inputs",
        "model_1.states": "model_2.initial_states",
        "model_2.outputs": "loss.predictions",
    }
    links = tuple(Link(Port.parse(source), Port.parse(target)) for source, target in feeds.items())
    bindings = (
        Binding("latent.output", "latent", VectorCodec(standardise=False)),
        Binding("decoder_inputs.output", "inputs", IdsCodec()),
        Binding("loss.targets", "targets", IdsCodec()),
    )
    training = Training(epochs=job.epochs, batch_size=job.batch, precision=job.precision)
    return Design(blocks, links).with_data(DataSource(DATA_FILE, Split(validation=0.0), bindings)).with_training(training)


def _block(block_id: str, kind: str, **parameters: Any) -> Block:
    return Block(block_id, msgspec.convert({"kind": kind, **parameters}, KINDS[kind]))
