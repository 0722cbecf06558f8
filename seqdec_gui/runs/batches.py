"""Whether batch, devices and rows fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdec_gui.domain.problems import Problem, errors
from seqdec_gui.domain.training import Training
from seqdec_gui.domain.wording import counted
from seqdec_gui.runs.spec import DeviceChoice

if TYPE_CHECKING:
    from seqdec_gui.data.dataset import Trial

WHERE = "training.batch_size"
"""Place of all problems here."""


def batch_problems(training: Training, devices: DeviceChoice) -> tuple[Problem, ...]:
    """Return an error if the global batch does not divide by the devices (not `auto`) and their micro-batches.

    Its hint has the nearest sizes.
    """
    count, batch = devices.replicas * training.micro_batches, training.batch_size
    if batch % count == 0:
        return ()
    lower, upper = batch // count * count, (batch // count + 1) * count
    nearest = f"{lower} or {upper}" if lower else str(upper)
    text = f"{counted(batch, 'row')} cannot be shared evenly by {counted(devices.replicas, 'device')}"
    if training.micro_batches > 1:
        text += f" with {training.micro_batches:,} micro-batches each"
    return (Problem("error", "batch_devices", WHERE, f"{text}.", f"Set it to {nearest}."),)


def problems_of_trial(trial: Trial, training: Training, devices: DeviceChoice) -> tuple[Problem, ...]:
    """Return the problems of the data, and an error if its rows do not fill a batch."""
    if trial.parts is None or errors(trial.problems):
        return trial.problems
    return (*trial.problems, *row_problems(training, devices, len(trial.parts.training)))


def row_problems(training: Training, devices: DeviceChoice, rows: int) -> tuple[Problem, ...]:
    """Return an error if the training rows do not fill one batch; an epoch leaves out the rows that fill none.

    Returns a warning if the training ends before its warm-up does.
    """
    batch, count = training.batch_size, devices.replicas * training.micro_batches
    if rows >= batch:
        return _long_warmup(training, rows // batch)
    text = f"A batch takes {counted(batch, 'row')}, but there {'is' if rows == 1 else 'are'} only {rows:,} to train on."
    most = rows // count * count
    hint = f"Set it to {most} or less, or give more rows." if most else f"Give at least {counted(count, 'row')}."
    return (Problem("error", "too_few_rows", WHERE, text, hint),)


def _long_warmup(training: Training, steps_per_epoch: int) -> tuple[Problem, ...]:
    steps = steps_per_epoch * training.epochs
    if training.warmup_steps < steps or not training.warmup_steps:
        return ()
    text = f"The warm-up takes {counted(training.warmup_steps, 'step')}, and the whole training has {steps:,}."
    hint = f"Set it to {max(1, steps // 10):,} for a tenth of them."
    return (Problem("warning", "long_warmup", "training.warmup_steps", text, hint),)
