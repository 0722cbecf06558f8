"""In how many parts a single CPU computes a batch.

XLA's own threads are of little use for the small products of a recurrent step; a part of the rows on every core uses them.
The parts are devices to JAX and talk to each other at every BatchNormalization and at the end of a step, so that the result
is that of one device. It costs: where a step is over in a moment, one part is faster, most of all on a busy machine.
"""

from __future__ import annotations

import os

from seqdec_gui.domain.cost import operations_per_row
from seqdec_gui.runner.program import Program

LEAST_ROWS = 8
"""Of a part."""
LEAST_WORK = 2e8
"""Floating-point operations of a step below which it is not divided: some milliseconds."""


def parts_for(program: Program, cores: int) -> int:
    """The largest number of equal parts that is worth its messages; 1 on one core."""
    batch = program.training.batch_size
    if work(program) < LEAST_WORK:
        return 1
    return max(n for n in range(1, max(cores, 1) + 1) if n == 1 or (batch % n == 0 and batch // n >= LEAST_ROWS))


def work(program: Program) -> float:
    """About how many floating-point operations a training step takes."""
    return operations_per_row(program.inference) * program.training.batch_size


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
