"""What `bench --generate` measures: a model and how many sequences of it. Imports no framework."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.domain.design import Design
from seqdec_gui.runner.bench import work
from seqdec_gui.runs.engine_names import EngineName
from seqdec_gui.runs.spec import DeviceChoice

MODULE = "seqdec_gui.runner.bench.generating"
"""The module that measures a contender in a process of its own."""
TRANSLATING_MODULE = "seqdec_gui.runner.bench.translating"
"""The same for Transformers."""
Who = Literal["product", "keras-predict", "keras-predict-batch", "jax-while", "torch-graph", "keras-prefix", "compiled-prefix"]


PEERS: tuple[tuple[Who, EngineName], ...] = (
    ("jax-while", "jax"),
    ("torch-graph", "jax"),
    ("keras-predict", "tensorflow"),
    ("keras-predict-batch", "tensorflow"),
)
"""What is written by hand, and the framework that it is written for, or whose Keras makes its weights."""
WITHOUT_A_CACHE: tuple[tuple[Who, EngineName], ...] = (("compiled-prefix", "jax"), ("keras-prefix", "tensorflow"))
"""What decodes with Transformers, and computes the whole prefix for each token."""
BEGIN, END = 1, 2
TOGETHER, TOGETHER_ON_GPU = 1024, 4096
"""Sequences in a batch of all who generate in batches, this program and what is written by hand."""


class GenerateJob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One measurement: `rows` sequences of a model of this size, as many symbols in as out."""

    who: Who
    size: work.SizeName
    rows: int
    devices: DeviceChoice

    @property
    def shape(self) -> work.Size:
        size = work.SIZES[self.size]
        return size._replace(inputs=size.outputs)

    @property
    def together(self) -> int:
        """Sequences in a batch."""
        return min(self.rows, TOGETHER_ON_GPU if self.devices.kind == "gpu" else TOGETHER)


class GenerateMeasured(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sequences and symbols per second of the median call after the first, and the seconds of the first, with compilation."""

    sequences_per_s: float
    symbols_per_s: float
    first_s: float
    mean_length: float


def design(job: GenerateJob) -> Design:
    """The model of a job, which takes the symbols that it predicts."""
    size = job.shape
    made = work.design(work.Job(job.size, job.devices, 64, 1))
    blocks = [
        msgspec.structs.replace(block, parameters=msgspec.structs.replace(block.parameters, symbols=size.inputs))
        if block.id == "decoder_inputs"
        else block
        for block in made.blocks
    ]
    return msgspec.structs.replace(made, blocks=tuple(blocks))


def latents(job: GenerateJob) -> npt.NDArray[Any]:
    """Return the vectors to decode, float32 `(rows, latent)`."""
    return np.random.default_rng(1).standard_normal((job.rows, job.shape.latent), np.float32)
