"""The roles of blocks, and the protocols of kinds that are more than an ordinary part of the model."""

from __future__ import annotations

from typing import Literal, Protocol

from seqdec_gui.domain.losses import LossName, LossSpec, MetricName

Role = Literal["input", "model", "loss"]
"""The purpose of a block: data enters at an input, a model block has layers, a loss judges predictions."""


class Judge(Protocol):
    """The settings by which a loss block judges the predictions on its port `predictions`."""

    @property
    def loss(self) -> LossName:
        """The loss, a row of `domain.losses`."""

    @property
    def weight(self) -> float:
        """The factor of this loss in the sum of all losses."""

    @property
    def mask_padding(self) -> bool:
        """Whether padding steps of the target are left out."""

    @property
    def metrics(self) -> tuple[MetricName, ...]:
        """The metrics that are reported beside the loss."""

    @property
    def spec(self) -> LossSpec:
        """The row of the loss in `domain.losses`."""

    @property
    def classes(self) -> bool:
        """Whether the targets choose one of several classes."""


class KullbackLeibler(Protocol):
    """The KL term of a block whose second and third output are the mean and the log variance of a normal distribution."""

    @property
    def kl_weight(self) -> float:
        """The factor of the term in the loss."""

    @property
    def kl_warmup_epochs(self) -> int:
        """The epochs over which the factor grows from 0."""


class ImportedFile(Protocol):
    """A Keras file that stands for a block, with the results of its inspection."""

    @property
    def file(self) -> str:
        """The path as it stands in the design; empty if no file was chosen yet."""

    @property
    def sha256(self) -> str:
        """The check sum of the inspected file, in hexadecimal; empty if it is unknown."""

    @property
    def parameter_count(self) -> int:
        """The number of weights."""

    @property
    def trainable_count(self) -> int:
        """The number of weights that training changes."""

    @property
    def layer_names(self) -> tuple[str, ...]:
        """The names of its layers, which stay as they are in the file."""

    @property
    def is_inspected(self) -> bool:
        """Whether its inputs and outputs are known."""
