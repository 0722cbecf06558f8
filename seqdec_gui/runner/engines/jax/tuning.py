"""Choices that make the engine faster or slower and change nothing else; their defaults come from measurements."""

from __future__ import annotations

import os

import msgspec

WHOLE_SEQUENCE_KERNELS = "SEQDEC_GUI_WHOLE_SEQUENCE_KERNELS"
"""Environment variable; 1 lets trainings take kernels for whole sequences. Off until their last form has run on a GPU."""


class Tuning(msgspec.Struct, frozen=True):
    """`cudnn`: LSTMs on GPUs by cuDNN instead of our loops. `per_turn`: about how many steps of a sequence a turn of our loops
    takes; None: as many as are fast on the platform. `fixed`: whether training loops have lengths known to the compiler; None:
    where they must (docs/decisions/0012-fixed-loops-on-gpus.md). `whole`: LSTMs as one kernel for the
    whole sequence where they can (docs/decisions/0044-whole-sequence-kernels.md); None: where that is measured to be faster, if
    the environment asks for it (`WHOLE_SEQUENCE_KERNELS`).
    """

    cudnn: bool = False
    per_turn: int | None = None
    fixed: bool | None = None
    whole: bool | None = None

    @property
    def tries_whole_layers(self) -> bool:
        """Whether LSTMs may run as one kernel for the whole sequence."""
        return os.environ.get(WHOLE_SEQUENCE_KERNELS) == "1" if self.whole is None else self.whole

    def steps_per_turn(self, platform: str) -> int:
        """On a GPU the steps of a turn are started as one graph; more of them gain little and take long to compile."""
        if self.per_turn is not None:
            return self.per_turn
        return 8 if platform == "gpu" else 1
