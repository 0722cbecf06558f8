"""The words of the forms: labels, units, sections, and which fields are relevant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seqdec_gui.domain.catalog import Field
from seqdec_gui.domain.field_text import format_value
from seqdec_gui.domain.kinds.base import Kind
from seqdec_gui.domain.losses import LOSSES
from seqdec_gui.domain.quality import MEASURES, PREFIX

LABELS = {
    "kl_weight": "KL weight", "kl_warmup_epochs": "KL warm-up", "mini_epochs": "Reports per epoch", "clip_norm": "Clip norm",
    "keep_checkpoints": "Keep newest", "warmup_steps": "Warm-up", "clip_value": "Clip value",
    "decayed": "Decaying weights", "average_decay": "Weight averaging", "use_weights": "Weights to use",
    "early_stopping_patience": "Patience", "early_stopping_delta": "Least change", "plateau_patience": "Patience",
    "plateau_factor": "Factor", "schedule_first_epoch": "Decay from epoch", "schedule_last_epoch": "Decay to epoch",
    "batch_normalization": "Batch normalization", "units": "Units", "kernel_sizes": "Kernel sizes",
    "split_kind": "Split", "split_validation": "Validation", "split_test": "Test", "split_seed": "Seed",
    "split_column": "Column", "quality": "Measures", "quality_rows": "Rows decoded", "quality_share": "Share of time",
    "rematerialise": "Recompute activations", "squeeze_units": "Per-step Dense", "split_states": "Port per state",
    "per_step": "At every step", "sha256": "SHA-256", "momentum": "Momentum", "batch_statistics": "Batch statistics",
}  # fmt: skip
"""Labels of fields whose name does not make a good label."""

_UNITS = {
    "epochs": "epochs", "batch_size": "rows", "early_stopping_patience": "reports", "plateau_patience": "reports",
    "kl_warmup_epochs": "epochs", "keep_checkpoints": "checkpoints", "quality_rows": "rows",
    "micro_batches": "parts", "warmup_steps": "steps",
}  # fmt: skip
"""The unit of each field that has one."""

_CHOICES = {
    "val_loss": "validation loss", "val_token_accuracy": "validation token accuracy",
    "val_exact_accuracy": "validation exact accuracy", "one_hot": "one-hot", "auto": "automatic", "adam": "Adam",
    "adamw": "AdamW", "rmsprop": "RMSprop", "sgd": "SGD", "relu": "ReLU", "elu": "ELU", "selu": "SELU",
    "gelu": "GELU", "silu": "SiLU", "leaky_relu": "leaky ReLU", **{name: spec.title for name, spec in LOSSES.items()},
    **{name: measure.title for name, measure in MEASURES.items()},
    **{PREFIX + name: f"free {measure.title}" for name, measure in MEASURES.items()},
}  # fmt: skip
"""Words for choices whose value does not read well."""

HELP = {
    "split_kind": "Random rows, or a column of the data that says train, validation or test.",
    "split_seed": "Which rows the random split chooses.",
    "split_column": "The column that says train, validation or test.",
}
"""Help texts of fields without a description."""

TRAINING_SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Training", ("epochs", "batch_size", "micro_batches", "mini_epochs", "seed")),
    ("Optimizer", (
        "optimizer", "learning_rate", "weight_decay", "decayed", "momentum", "clip_norm", "clip_value", "label_smoothing",
        "average_decay", "use_weights",
    )),
    ("Learning rate schedule", (
        "warmup_steps", "schedule", "schedule_first_epoch", "schedule_last_epoch", "final_learning_rate",
        "plateau_factor", "plateau_patience",
    )),
    ("Best checkpoint and early stopping", ("monitor", "keep_checkpoints", "early_stopping_patience", "early_stopping_delta")),
    ("Quality of what is generated", ("quality", "quality_rows", "quality_share")),
    ("Arithmetic", ("precision", "batch_statistics", "rematerialise")),
)  # fmt: skip
"""The sections of the training form: heading and fields."""

_Rule = Callable[[Any], bool]
_TRAINING: dict[str, _Rule] = {
    "weight_decay": lambda t: t.optimizer == "adamw",
    "decayed": lambda t: t.optimizer == "adamw" and t.weight_decay > 0,
    "use_weights": lambda t: t.average_decay > 0,
    "momentum": lambda t: t.optimizer in ("sgd", "rmsprop"),
    "schedule_first_epoch": lambda t: t.schedule in ("exponential", "cosine"),
    "schedule_last_epoch": lambda t: t.schedule in ("exponential", "cosine"),
    "final_learning_rate": lambda t: t.schedule != "constant",
    "plateau_factor": lambda t: t.schedule == "plateau",
    "plateau_patience": lambda t: t.schedule == "plateau",
    "early_stopping_delta": lambda t: t.early_stopping_patience > 0,
    "quality_rows": lambda t: bool(t.measures),
    "quality_share": lambda t: bool(t.measures),
}
"""The fields of the training that are relevant only with certain values of others."""

_SPLIT: dict[str, _Rule] = {
    "validation": lambda s: s.kind == "random",
    "test": lambda s: s.kind == "random",
    "seed": lambda s: s.kind == "random",
    "column": lambda s: s.kind == "column",
}
"""The fields of the split that are relevant only with certain values of others."""

FACTS = ("sha256", "model_inputs", "model_outputs", "parameter_count", "trainable_count", "layer_names")
"""The parameters of an imported model that are shown and cannot be edited."""


def label(name: str) -> str:
    """Return the label of a field: `Batch size` for `batch_size`."""
    return LABELS.get(name) or name.replace("_", " ").capitalize()


def choice(value: str) -> str:
    """Return the words for a choice: `validation loss` for `val_loss`. Files and scripts keep the value itself."""
    return _CHOICES.get(value) or value.replace("_", " ")


def value(field: Field, content: Any) -> str:
    """A field's value as the form shows it."""
    if field.type == "choice":
        return choice(str(content))
    if field.type == "choices":
        return ", ".join(map(choice, content)) or "none"
    return format_value(content)


def unit(name: str, number: float | None = None) -> str:
    """Return the unit of a number, `epochs` or of 1 `epoch`; empty if the label names it."""
    word = _UNITS.get(name, "")
    return word.removesuffix("s") if number == 1 else word


def matters(owner: str, name: str, values: Any) -> bool:
    """Return whether a field has an effect with the other values: `momentum` has none with an optimizer without momentum.

    `owner` is "training", "split", "block", or "row" for a row of a layer stack, where all fields matter. `values` is the
    struct of the form.
    """
    if isinstance(values, Kind):
        return values.is_relevant(name)
    rule = {"training": _TRAINING, "split": _SPLIT}.get(owner, {}).get(name)
    return rule is None or rule(values)
