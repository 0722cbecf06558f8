"""What all of them train on random data: a stack (latent vector -> LSTM states -> LSTMs), or a Transformer.

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

SizeName = Literal["tiny", "seed", "smiles", "large", "tiny-translator", "small-translator", "translator"]
Arrays = dict[str, npt.NDArray[Any]]
DATA_FILE = "work.npz"


class Size(NamedTuple):
    """A stack: latent vector to the states of LSTMs, BatchNormalization throughout.

    `steps` of a sequence, decoder input and output `symbols`, width of the latent vector, LSTM units and layers.
    """

    steps: int
    inputs: int
    outputs: int
    latent: int
    units: int
    layers: int

    def arrays(self, rows: int, seed: int) -> Arrays:
        """Return `latent` (rows, latent) float32; `inputs` and `targets` (rows, steps) uint8 ids."""
        random = np.random.default_rng(seed)
        return {
            "latent": random.standard_normal((rows, self.latent), np.float32),
            "inputs": random.integers(0, self.inputs, (rows, self.steps)).astype(np.uint8),
            "targets": random.integers(0, self.outputs, (rows, self.steps)).astype(np.uint8),
        }

    def blocks(self) -> tuple[Block, ...]:
        units = (self.units,) * self.layers
        return (
            _block("latent", "vector", width=self.latent),
            _block("decoder_inputs", "token_sequence", length=self.steps, symbols=self.inputs),
            _block("model_1", "dense_states", units=units),
            _block("model_2", "recurrent_decoder", units=units, output_units=self.outputs),
            _block("loss", "loss"),
        )

    def links(self) -> tuple[Link, ...]:
        return _links({
            "latent.output": "model_1.inputs",
            "decoder_inputs.output": "model_2.inputs",
            "model_1.states": "model_2.initial_states",
            "model_2.outputs": "loss.predictions",
        })  # fmt: skip

    def bindings(self) -> tuple[Binding, ...]:
        return (
            Binding("latent.output", "latent", VectorCodec(standardise=False)),
            Binding("decoder_inputs.output", "inputs", IdsCodec()),
            Binding("loss.targets", "targets", IdsCodec()),
        )


class Translator(NamedTuple):
    """A Transformer, normalised before each part, with sinusoidal positions, without dropout and padding.

    `steps` of source and target each, `symbols` of both, and the numbers of Vaswani et al. (2017).
    """

    steps: int
    symbols: int
    layers: int
    width: int
    heads: int
    feed_forward: int

    def arrays(self, rows: int, seed: int) -> Arrays:
        """Return `source`, `inputs` and `targets`, each (rows, steps) uint16 ids without padding, which is 0.

        Targets are the inputs a step later.
        """
        random = np.random.default_rng(seed)
        source, target = (random.integers(1, self.symbols, (rows, self.steps + 1)).astype(np.uint16) for _ in range(2))
        return {"source": source[:, 1:], "inputs": target[:, :-1], "targets": target[:, 1:]}

    def blocks(self) -> tuple[Block, ...]:
        shared = {
            "layers": self.layers, "width": self.width, "heads": self.heads, "feed_forward": self.feed_forward,
            "dropout": 0.0, "mask_padding": False,
        }  # fmt: skip
        return (
            _block("source", "token_sequence", length=self.steps, symbols=self.symbols, encoding="ids"),
            _block("decoder_inputs", "token_sequence", length=self.steps, symbols=self.symbols, encoding="ids"),
            _block("model_1", "transformer_encoder", **shared),
            _block("model_2", "transformer_decoder", **shared, output_units=self.symbols),
            _block("loss", "loss"),
        )

    def links(self) -> tuple[Link, ...]:
        return _links({
            "source.output": "model_1.inputs",
            "decoder_inputs.output": "model_2.inputs",
            "model_1.memory": "model_2.memory",
            "model_2.outputs": "loss.predictions",
        })  # fmt: skip

    def bindings(self) -> tuple[Binding, ...]:
        ports = {"source.output": "source", "decoder_inputs.output": "inputs", "loss.targets": "targets"}
        return tuple(Binding(port, column, IdsCodec()) for port, column in ports.items())


SIZES: dict[str, Size] = {
    "tiny": Size(6, 7, 5, 3, 8, 2),
    "seed": Size(33, 44, 22, 11, 128, 2),
    "smiles": Size(142, 35, 35, 7, 256, 3),
    "large": Size(71, 29, 29, 512, 512, 4),
}
TRANSLATORS: dict[str, Translator] = {
    "tiny-translator": Translator(6, 7, 2, 8, 2, 16),
    "small-translator": Translator(128, 1000, 2, 128, 4, 512),
    "translator": Translator(128, 8000, 6, 512, 8, 2048),
}
STEPS_ON_GPU = 300
STEPS_ON_CPU: dict[SizeName, int] = {
    "tiny": 200, "seed": 40, "smiles": 4, "large": 3, "tiny-translator": 50, "small-translator": 5, "translator": 2,
}  # fmt: skip
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
        """The numbers of a stack; KeyError for a Transformer."""
        return SIZES[self.size]

    @property
    def network(self) -> Size | Translator:
        return SIZES.get(self.size) or TRANSLATORS[self.size]


class Measured(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came of a job.

    `samples_per_s` is that of the median epoch after the first, `first_step_s` the seconds from the start of Python to the end
    of a step, `loss` the mean over the steps of the last epoch: it tells whether everybody trains the same model.
    """

    samples_per_s: float
    first_step_s: float
    loss: float


def arrays(network: Size | Translator, rows: int, seed: int = 0) -> Arrays:
    """Return the columns of the data by name, the same for the same seed."""
    return network.arrays(rows, seed)


def write_arrays(job: Job, folder: Path) -> Path:
    """The job's rows as a file that `design` is bound to."""
    path = folder / DATA_FILE
    found: Mapping[str, Any] = arrays(job.network, job.rows)
    np.savez(path, **found)
    return path


def design(job: Job) -> Design:
    """The model of a job, bound to the columns of `arrays`, without validation."""
    network = job.network
    training = Training(epochs=job.epochs, batch_size=job.batch, precision=job.precision)
    source = DataSource(DATA_FILE, Split(validation=0.0), network.bindings())
    return Design(network.blocks(), network.links()).with_data(source).with_training(training)


def _links(feeds: Mapping[str, str]) -> tuple[Link, ...]:
    return tuple(Link(Port.parse(source), Port.parse(target)) for source, target in feeds.items())


def _block(block_id: str, kind: str, **parameters: Any) -> Block:
    return Block(block_id, msgspec.convert({"kind": kind, **parameters}, KINDS[kind]))
