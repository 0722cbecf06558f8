"""The result of measuring one engine on one choice of devices at one global batch."""

from __future__ import annotations

from typing import Literal

import msgspec

from seqdec_gui.runs.engine_names import EngineName
from seqdec_gui.runs.spec import DeviceChoice

OUT_OF_MEMORY = "out_of_memory"
"""Value of `Measurement.failed` for a batch that ran out of memory."""


class Measurement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Times in seconds, memory in bytes; None for what was not measured or has no meaning.

    Attributes:
        ready_s: From the start of the process to the end of the first step. A training on GPUs takes longer than a probe
            (docs/decisions/0017-brief-children-try-few-kernels.md).
        compile_s: The part of `ready_s` that the compiler took.
        step_s: Median time of a step over `intervals` intervals, timed through the engine's `train`.
        spread: The range of the times of the intervals, relative to `step_s`.
        reduction_share: The part of a step that summing over the devices takes.
        input_share: The part of a step that waiting for rows takes; 0 if they are stored on the devices (`resident`).
        peak_memory: Most bytes in use on the fullest GPU; on a CPU by the whole process, frameworks included.
        cudnn_layers: How many of the `recurrent_layers` run in cuDNN's kernel.
        epoch_s: The training part of an epoch of the design's own rows.
        failure: A sentence, if the measurement failed; then there are no times.
        failed: Why it failed.
    """

    engine: EngineName
    devices: DeviceChoice
    batch_size: int
    precision: Literal["float32", "bfloat16"] = "float32"
    data: Literal["real", "random"] = "random"
    ready_s: float | None = None
    compile_s: float | None = None
    step_s: float | None = None
    intervals: int = 0
    spread: float | None = None
    reduction_share: float | None = None
    input_share: float | None = None
    resident: bool | None = None
    peak_memory: int | None = None
    cudnn_layers: int | None = None
    recurrent_layers: int = 0
    epoch_s: float | None = None
    failure: str = ""
    failed: Literal["", "out_of_memory", "time", "other"] = ""

    @property
    def samples_per_s(self) -> float | None:
        """Rows per second over all devices."""
        return None if self.step_s is None else self.batch_size / self.step_s
