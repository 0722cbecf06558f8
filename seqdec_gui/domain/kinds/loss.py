"""The loss block, which compares predictions with targets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from msgspec import Meta

from seqdec_gui.domain.graph import Submodel
from seqdec_gui.domain.kinds.base import Category, InPort, InputTypes, Kind, PortError
from seqdec_gui.domain.kinds.roles import Judge, Role
from seqdec_gui.domain.losses import LOSSES, LossName, LossSpec, MetricName
from seqdec_gui.domain.types import PortType, TensorType


class Loss(Kind, frozen=True, tag="loss"):
    """One loss over one output; several loss blocks are summed with their weights."""

    title: ClassVar[str] = "Loss"
    summary: ClassVar[str] = "What is predicted here, compared with the targets of the data."
    category: ClassVar[Category] = "Training"
    icon: ClassVar[str] = "target"
    role: ClassVar[Role] = "loss"

    loss: Annotated[
        LossName, Meta(description="Cross-entropy for symbols (softmax) or yes/no values (sigmoid); errors for numbers.")
    ] = "categorical_crossentropy"
    weight: Annotated[float, Meta(gt=0, le=1e6, description="Factor in the sum of all losses.")] = 1.0
    mask_padding: Annotated[bool, Meta(description="Padding steps of the target do not count.")] = True
    metrics: Annotated[
        tuple[MetricName, ...],
        Meta(max_length=4, description="Token accuracy, whole sequences right, perplexity, mean absolute error."),
    ] = ("token_accuracy", "exact_accuracy")

    @property
    def judge(self) -> Judge:
        return self

    @property
    def masked_by(self) -> str:
        return ""  # `mask_padding` is about targets

    @property
    def spec(self) -> LossSpec:
        """The row of the chosen loss in `domain.losses`."""
        return LOSSES[self.loss]

    @property
    def classes(self) -> bool:
        """Whether the targets choose one of several classes."""
        return self.spec.compares == "classes"

    def inputs(self) -> tuple[InPort, ...]:
        return (InPort("predictions", "the output to judge"),)

    def faults(self) -> Iterator[tuple[str, str]]:
        if len(set(self.metrics)) != len(self.metrics):
            yield "metrics", f"each metric can be named once, got {', '.join(self.metrics)}."
        wrong = [name for name in self.metrics if name not in self.spec.metrics]
        if wrong and self.classes:
            yield "metrics", f"{', '.join(wrong)} needs numbers, the loss is {self.loss}."
        elif wrong:
            yield "metrics", f"{', '.join(wrong)} need symbols (categorical_crossentropy), the loss is {self.loss}."

    def check_port(self, port: str, received: PortType) -> None:
        if not isinstance(received, TensorType) or received.dtype != "float32" or not received.shape:
            raise PortError(f"expected predictions (None, ..., numbers), got {received}", port)

    def output_types(self, input_types: InputTypes, submodel: Submodel | None) -> dict[str, PortType]:
        return {}
