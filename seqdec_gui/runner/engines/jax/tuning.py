"""Choices that make the engine faster or slower and change nothing else; their defaults come from measurements."""

from __future__ import annotations

from typing import Literal

import msgspec

Recurrent = Literal["auto", "cudnn", "loop"]


class Tuning(msgspec.Struct, frozen=True):
    """`recurrent`: cuDNN or our loops for LSTMs on GPUs. `unroll`: steps of a sequence per turn of our loops. `fixed`: whether
    training loops have lengths known to the compiler; None: where they must (docs/decisions/0012-fixed-loops-on-gpus.md).
    """

    recurrent: Recurrent = "auto"
    unroll: int = 1
    fixed: bool | None = None

    def on_cudnn(self, platform: str, precision: str) -> bool:
        """Whether LSTMs go to cuDNN, which JAX offers in float32 only: bfloat16 values are cast on the way in and out."""
        return platform == "gpu" and self.recurrent != "loop"
