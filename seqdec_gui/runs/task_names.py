"""The names of checkpoints and of parts of the data, as tasks take them."""

from __future__ import annotations

from typing import Literal

CheckpointName = Literal["best", "last", "best-averaged", "best-trained", "last-averaged", "last-trained"]
"""A checkpoint of a run, with the weights that its training uses, or with those that are named."""
WeightsInUse = Literal["averaged", "trained"]
"""The moving average of the weights, or the weights that the optimizer has changed."""
WEIGHTS_WORDS: dict[WeightsInUse, str] = {
    "averaged": "the moving average of the weights",
    "trained": "the weights as they were trained, not their moving average",
}
"""What is said of a file or a result that has these weights."""


def checkpoint_in(name: str) -> str:
    """Return the name of the checkpoint alone: `best` or `last`."""
    return name.partition("-")[0]


def weights_in(name: str) -> WeightsInUse | None:
    """Return the weights that the name of a checkpoint names; None if it leaves it to the training."""
    _, _, which = name.partition("-")
    return "averaged" if which == "averaged" else "trained" if which else None


SplitName = Literal["training", "validation", "test"]
