"""How many virtual devices share a batch on a single CPU.

XLA's own threads gain little for the small matrix products of a recurrent step, but a shard of the rows on each core uses them
all. The shards are devices to JAX and communicate at every BatchNormalization and at the end of a step, so that the result is
that of one device. The communication costs: for short steps one shard is faster, most of all on a busy machine.
"""

from __future__ import annotations

import os

from seqdec_gui.domain.cost import operations_per_row
from seqdec_gui.runner.program import Program

MIN_ROWS_PER_SHARD = 8
"""Fewest rows of a batch for each shard."""
MIN_STEP_OPERATIONS = 2e8
"""Floating-point operations, some milliseconds, below which a training step is not divided."""


def shards_for(program: Program, cores: int) -> int:
    """Return the largest number of equal shards, at most `cores`, that is worth its communication; at least 1."""
    batch = program.training.rows_at_once
    if step_operations(program) < MIN_STEP_OPERATIONS:
        return 1
    return max(n for n in range(1, max(cores, 1) + 1) if n == 1 or (batch % n == 0 and batch // n >= MIN_ROWS_PER_SHARD))


def step_operations(program: Program) -> float:
    """Estimate the floating-point operations of one training step, or of one part of it (`Training.rows_at_once`)."""
    return operations_per_row(program.inference) * program.training.rows_at_once


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
