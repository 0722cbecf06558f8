"""The hyperparameters of the training: optimizer, schedule, stopping. Devices and engine belong to a run."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from seqdec_gui.domain.quality import MeasureName, MonitorName, measure_of

MOST = 2**31 - 1
"""The largest whole number of a setting that means "never" where it is large; forms show no larger ones."""


class Training(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hyperparameters of the training, in one flat struct, so that each can be set as `training.learning_rate`."""

    epochs: Annotated[int, Meta(ge=1, le=1_000_000, description="Passes over the training rows.")] = 20
    batch_size: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Rows per optimizer step over all devices together (global batch).")
    ] = 64
    micro_batches: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="Parts in which each device computes its rows of a step one by one, to save memory; 1: all at once.",
        ),
    ] = 1
    rematerialise: Annotated[
        bool,
        Meta(
            description="Keep no activations inside the layers of Transformers, and compute them again in the backward pass: "
            "less memory on a GPU, about a third more work. JAX only."
        ),
    ] = False
    optimizer: Annotated[Literal["adam", "adamw", "rmsprop", "sgd"], Meta(description="Optimizer.")] = "adam"
    learning_rate: Annotated[float, Meta(gt=0, le=100, description="Learning rate at the start.")] = 1e-3
    weight_decay: Annotated[float, Meta(ge=0, le=1, description="Decoupled weight decay (AdamW).")] = 0.004
    decayed: Annotated[
        Literal["kernels", "all"],
        Meta(description="Weights that decay: kernels alone, or all of them (biases, normalisation and embeddings too)."),
    ] = "kernels"
    momentum: Annotated[float, Meta(ge=0, lt=1, description="Momentum (SGD and RMSprop).")] = 0.0
    clip_norm: Annotated[
        float, Meta(ge=0, le=1e15, description="Scale all gradients down together to this global norm; 0: off.")
    ] = 0.0
    clip_value: Annotated[
        float, Meta(ge=0, le=1e15, description="Limit each value of a gradient to this size, before the norm; 0: off.")
    ] = 0.0
    label_smoothing: Annotated[
        float,
        Meta(
            ge=0,
            lt=1,
            description="Share of each target that is spread evenly over all symbols while training; reports are without it.",
        ),
    ] = 0.0
    average_decay: Annotated[
        float,
        Meta(ge=0, lt=1, description="Decay per step of a moving average of the weights (0.999, say); 0: none is kept."),
    ] = 0.0
    use_weights: Annotated[
        Literal["averaged", "trained"],
        Meta(description="Which weights validate, pick the best checkpoint, and are generated from and exported."),
    ] = "averaged"
    warmup_steps: Annotated[
        int,
        Meta(
            ge=0,
            le=MOST,
            description="Steps over which the learning rate grows evenly, before the schedule; 0: off.",
        ),
    ] = 0
    schedule: Annotated[
        Literal["constant", "exponential", "cosine", "inverse_square_root", "plateau"],
        Meta(description="How the learning rate changes (inverse_square_root: as 1/sqrt(step), from the end of the warm-up)."),
    ] = "constant"
    schedule_first_epoch: Annotated[
        int, Meta(ge=1, le=MOST, description="Epoch whose first step begins the decay, step by step (exponential, cosine).")
    ] = 1
    schedule_last_epoch: Annotated[
        int,
        Meta(ge=0, le=MOST, description="Epoch whose last step has the final rate (exponential, cosine); 0: the last epoch."),
    ] = 0
    final_learning_rate: Annotated[
        float,
        Meta(ge=0, le=100, description="Rate at the end of the decay; the least for inverse_square_root and plateau."),
    ] = 1e-6
    plateau_factor: Annotated[float, Meta(gt=0, lt=1, description="Factor applied when the metric stands still (plateau).")] = (
        0.5
    )
    plateau_patience: Annotated[
        int, Meta(ge=1, le=MOST, description="Reports without improvement before the rate falls (plateau).")
    ] = 5
    early_stopping_patience: Annotated[
        int,
        Meta(
            ge=0,
            le=MOST,
            description="Reports without improvement of the monitored metric after which the training stops; 0: off.",
        ),
    ] = 0
    early_stopping_delta: Annotated[
        float, Meta(ge=0, le=1e15, description="Smallest change that counts as an improvement.")
    ] = 0.0
    monitor: Annotated[
        MonitorName, Meta(description="Metric that picks the best checkpoint and drives plateau and early stopping.")
    ] = "val_loss"
    quality: Annotated[
        tuple[MeasureName, ...],
        Meta(description="Measures of what is generated for validation rows, reported beside the losses while training."),
    ] = ()
    quality_rows: Annotated[
        int,
        Meta(ge=1, le=100_000, description="Validation rows that are decoded to measure quality, always the same ones."),
    ] = 200
    quality_share: Annotated[
        float,
        Meta(gt=0, le=1, description="Most of the time that measuring quality may take; 1: measure at every report."),
    ] = 0.1
    mini_epochs: Annotated[
        int, Meta(ge=1, le=1000, description="How many times in an epoch to report, validate and save a checkpoint.")
    ] = 1
    keep_checkpoints: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            description="How many of the newest checkpoints to keep, besides the best: a damaged one costs no run.",
        ),
    ] = 3
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"], Meta(description="Arithmetic of the layers; weights stay float32.")
    ] = "auto"
    batch_statistics: Annotated[
        Literal["global", "local"],
        Meta(description="BatchNormalization over the global batch (equal to one device), or over each device's rows."),
    ] = "global"
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1, description="Initial weights, row order and random layers.")] = 0

    @property
    def rows_at_once(self) -> int:
        """Rows that all devices together compute at once: a part of the batch with `micro_batches`."""
        return max(1, self.batch_size // self.micro_batches)

    @property
    def averages(self) -> bool:
        """Whether a moving average of the weights is kept."""
        return self.average_decay > 0

    @property
    def validates_averages(self) -> bool:
        """Whether reports are of the averaged weights."""
        return self.averages and self.use_weights == "averaged"

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures of what is generated: those asked for, and the one that is monitored."""
        return tuple(dict.fromkeys((*self.quality, *[name for name in [measure_of(self.monitor)] if name])))
