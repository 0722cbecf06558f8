"""The names of checkpoints and of parts of the data, as tasks take them."""

from __future__ import annotations

from typing import Literal

CheckpointName = Literal["best", "last"]
SplitName = Literal["training", "validation", "test"]
