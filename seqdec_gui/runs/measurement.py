"""What was measured about one way to train: one engine, one choice of devices, one global batch."""

from __future__ import annotations

from typing import Literal

import msgspec

from seqdec_gui.runs.engine_names import EngineName
from seqdec_gui.runs.spec import DeviceChoice

OUT_OF_MEMORY = "out_of_memory"


class Measurement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Times in seconds, memory in bytes. What was not measured, or has no meaning here, is None.

    `ready_s`: from the start of the process to the end of the first step, `compile_s` the part of it that the compiler took; a
    training on GPUs takes longer for both (docs/decisions/0017-brief-children-try-few-kernels.md).
    `step_s`: median over `intervals` stretches of steps, through the engine's own `train`; `spread` is the range of those
    stretches as a share of it. `reduction_share`: how much of a step goes when nothing is summed over the devices;
    `input_share`: how much of it goes when the rows already lie on the devices, 0 where they do (`resident`).
    `peak_memory`: of the fullest GPU; on a CPU of the whole process, frameworks included. `cudnn_layers` of
    `recurrent_layers` run in cuDNN's kernel. `epoch_s`: the training part of an epoch of the rows that are bound.
    `failure` is a sentence and `failed` why: then there are no times.
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

    def steps_in(self, seconds: float) -> int | None:
        """How many steps fill a reporting interval of so many seconds; at least 1."""
        return None if self.step_s is None else max(1, round(seconds / self.step_s))
