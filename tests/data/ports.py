"""Ports of the archetype, small: a vector of 3, a teacher-forced decoder of 6 steps and 9 symbols, its loss."""

from collections.abc import Callable, Sequence

import pytest

from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.types import TensorType

LATENT = DataPort("latent", "latent.output", "input", TensorType((3,)), ("latent", "model_1.inputs"))
STEPS = DataPort(
    "steps",
    "steps.output",
    "input",
    TensorType((6, 9)),
    ("steps", "model_2.inputs"),
    taught="loss",
    one_hot=True,
    generated=True,
)
LOSS = DataPort("loss", "loss.targets", "target", TensorType((6, 9)), ("loss",), classes=9, mask_padding=True)
ARCHETYPE = (LATENT, STEPS, LOSS)


def port(role: str = "input", **fields: object) -> DataPort:
    """One port named `x`."""
    return DataPort("x", "x.output", role, **fields)  # type: ignore[arg-type]


def problems_of(call: Callable[..., object], *arguments: object, **options: object) -> tuple[Problem, ...]:
    """What the call refuses its input for."""
    with pytest.raises(InvalidInput) as caught:
        call(*arguments, **options)
    return caught.value.problems


def codes(problems: Sequence[Problem]) -> list[str]:
    return [problem.code for problem in problems]
