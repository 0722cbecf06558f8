"""What some kinds of block are beside a part of the model, as the rest of the program asks for it."""

from __future__ import annotations

from typing import Literal, Protocol

from seqdec_gui.domain.losses import LossName, LossSpec, MetricName

Role = Literal["input", "model", "loss"]
"""Whether data enters at a block, whether it becomes part of the model, or whether it judges a prediction."""


class Judge(Protocol):
    """How a loss block judges the predictions on its port `predictions`."""

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
        """What is reported beside the loss."""

    @property
    def spec(self) -> LossSpec:
        """What the program knows of the loss."""

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
    """A Keras file that stands for a block, with what an inspection found in it."""

    @property
    def file(self) -> str:
        """The path as the design has it; empty where no file was chosen yet."""

    @property
    def sha256(self) -> str:
        """The check sum of the inspected file, in hexadecimal; empty where it is not known."""

    @property
    def parameter_count(self) -> int:
        """All weights."""

    @property
    def trainable_count(self) -> int:
        """The weights that training changes."""

    @property
    def layer_names(self) -> tuple[str, ...]:
        """The names of its layers, which stay as they are in the file."""

    @property
    def is_inspected(self) -> bool:
        """Whether its inputs and outputs are known."""
