"""Whether the kernels for whole sequences are right and fast on this GPU: run on a machine with GPUs, by hand.

`check_whole.py [--quick] [UNITS ...]`: a line per width and data type with the largest difference to float64 and, without
`--quick`, how many of 50 calls gave other bits than the first (as blocks that do not wait for each other would), and
microseconds a step of the kernel and of the loops at 64, 256 and 2048 rows. `--quick` is for compute-sanitizer. Exit status 1
if one is wrong.
"""

from __future__ import annotations

import sys

import jax
import jax.numpy as jnp
import numpy as np

from seqdec_gui.runner.engines.jax import whole, whole_probe

ROWS = (64, 256, 2048)
CALLS = 50
"""Calls whose results are compared to the bit."""
STEPS = 128
"""Steps of the sequence of these calls."""


def main() -> None:
    quick = "--quick" in sys.argv
    widths = [int(text) for text in sys.argv[1:] if text.isdecimal()] or list(whole.WIDTHS)
    right = True
    for units in widths:
        for dtype in whole.DTYPES:
            for rows in ROWS[:1] if quick else ROWS:
                right &= checked(units, rows, dtype, quick)
    sys.exit(0 if right else 1)


def checked(units: int, rows: int, dtype: str, quick: bool) -> bool:
    """Whether the kernel is right; prints what was found."""
    plan = whole.plan_for(units, rows, dtype)
    assert plan is not None
    try:
        wrong = whole_probe.difference(plan, dtype)
        others = 0 if quick else other_bits(plan, rows, dtype)
        found = "" if quick else f"{others} other; {whole_probe.measured(plan, rows, dtype, jax.devices()[0], 8)}"
    except Exception as error:  # the next may work
        sys.stdout.write(f"{units} units, {rows} rows, {dtype}: {type(error).__name__}: {error}\n"[:400])
        return False
    sys.stdout.write(f"{units} units, {rows} rows, {dtype}: differs by {wrong:.1e}; {found}\n")
    sys.stdout.flush()
    return wrong <= whole_probe.TOLERANCE[dtype] and not others


def other_bits(plan: whole.Plan, rows: int, dtype: str) -> int:
    """How many of `CALLS` calls, both ways, gave other outputs or gradients than the first."""
    z, h, c, kernel = (jnp.asarray(value, dtype) for value in whole_probe.example(STEPS, rows, plan.units))
    z = z.reshape(*z.shape[:2], plan.units, 4)

    def loss(*given: jax.Array) -> tuple[jax.Array, jax.Array]:
        hs, h, c = whole.lstm_whole(*given, plan)
        return hs.sum() + h.sum() + c.sum(), hs

    call = jax.jit(jax.grad(loss, argnums=(0, 1, 2), has_aux=True))
    results = [[np.asarray(value).tobytes() for value in jax.tree.leaves(call(z, h, c, kernel))] for _ in range(CALLS)]
    return sum(result != results[0] for result in results)


if __name__ == "__main__":
    main()
