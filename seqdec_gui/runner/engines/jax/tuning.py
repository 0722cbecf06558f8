"""Options that change the speed of the engine and not its results; the defaults come from measurements."""

from __future__ import annotations

import os

import msgspec

WHOLE_SEQUENCE_KERNELS = "SEQDEC_GUI_WHOLE_SEQUENCE_KERNELS"
"""Environment variable: `0` keeps trainings to loops, `one` those on several GPUs."""


class Tuning(msgspec.Struct, frozen=True):
    """Options of the JAX engine.

    Attributes:
        cudnn: Whether LSTMs on GPUs run in cuDNN's kernel instead of this program's own loops.
        unroll: About how many steps of a sequence one iteration of the own loops takes; None for what is fast on the platform.
        fixed: Whether the lengths of training loops are known to the compiler; None for only where they have to be
            (docs/decisions/0012-fixed-loops-on-gpus.md).
        whole: Whether LSTMs run as one kernel for the whole sequence where they can
            (docs/decisions/0039-whole-sequence-kernels.md); None for where that is measured to be faster, unless the
            environment forbids it (`WHOLE_SEQUENCE_KERNELS`).
    """

    cudnn: bool = False
    unroll: int | None = None
    fixed: bool | None = None
    whole: bool | None = None

    def tries_whole_layers(self, devices: int) -> bool:
        """Whether LSTMs may run as one kernel for the whole sequence on so many GPUs."""
        if self.whole is not None:
            return self.whole
        asked = os.environ.get(WHOLE_SEQUENCE_KERNELS, "")
        return asked != "0" and (asked != "one" or devices == 1)

    def unroll_on(self, platform: str) -> int:
        """Return how many steps of a sequence one iteration of a recurrent loop takes on "gpu" or "cpu".

        A GPU starts the steps of an iteration as one graph; more than 8 gain little and take long to compile.
        """
        if self.unroll is not None:
            return self.unroll
        return 8 if platform == "gpu" else 1
