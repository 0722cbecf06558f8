"""The task of analysing errors, one of those in `runs.tasks`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from seqdec_gui.runs.quality.errors import Order
from seqdec_gui.runs.task_names import CheckpointName, SplitName
from seqdec_gui.runs.task_results import Tagged


class ErrorsTask(Tagged, frozen=True, kw_only=True, tag="errors"):
    """Decode rows of a `split` of the run's own data greedily, compare them with their targets, and write what is wrong.

    `output` is a file that ends in .json or a folder (an absolute path). At most `rows` rows are decoded, drawn at random; 0:
    all. `order` says which rows are the worst; of `worst` of them the `candidates` likeliest symbols of each step are kept. The
    result has `shown` lines of each table.
    """

    run: str
    output: str
    split: SplitName = "validation"
    trained_on: int = 0
    rows: Annotated[int, Meta(ge=0)] = 2000
    order: Order = "edits"
    worst: Annotated[int, Meta(ge=0)] = 100
    candidates: Annotated[int, Meta(ge=1)] = 5
    shown: Annotated[int, Meta(ge=0)] = 10
    checkpoint: CheckpointName = "best"
