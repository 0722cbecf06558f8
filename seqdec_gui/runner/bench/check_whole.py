"""Whether the kernels for whole sequences are right and fast on this GPU: run on a machine with GPUs, by hand.

`check_whole.py [--quick] [UNITS ...]`: a line per cell, width and data type with the largest difference to float64, without a
mask and with one, and, without `--quick`, how many of 50 calls gave other bits than the first (as blocks that do not wait for
each other would), and microseconds a step of the kernel and of the loops at 64, 256 and 2048 rows. `--quick` is for
compute-sanitizer. Exit status 1 if one is wrong.
"""

from __future__ import annotations

import itertools
import sys

import jax
import jax.numpy as jnp

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
    for cell, units, dtype in itertools.product(whole.CELLS, widths, whole.DTYPES):
        for rows in ROWS[:1] if quick else ROWS:
            right &= checked(whole.Layer(cell, units, dtype), rows, quick)
    sys.exit(0 if right else 1)


def checked(layer: whole.Layer, rows: int, quick: bool) -> bool:
    """Whether the kernel is right; prints what was found."""
    plan = layer.plan(rows)
    assert plan is not None
    try:
        wrong = [whole_probe.difference(plan, layer.dtype, masked) for masked in (False, True)]
        others = 0 if quick else other_bits(plan, rows, layer.dtype)
        found = "" if quick else f"{others} other; {whole_probe.measured(plan, rows, layer.dtype, jax.devices()[0], 8)}"
    except Exception as error:  # the next may work
        sys.stdout.write(
            f"{layer.cell}, {layer.units} units, {rows} rows, {layer.dtype}: {type(error).__name__}: {error}\n"[:400]
        )
        return False
    differs = ", masked ".join(f"{each:.1e}" for each in wrong)
    sys.stdout.write(f"{layer.cell}, {layer.units} units, {rows} rows, {layer.dtype}: differs by {differs}; {found}\n")
    sys.stdout.flush()
    return max(wrong) <= whole_probe.TOLERANCE[layer.dtype] and not others


def other_bits(plan: whole.Plan, rows: int, dtype: str) -> int:
    """How many of `CALLS` calls, both ways and under a mask, gave other outputs or gradients than the first."""
    given = whole_probe.case(plan, dtype, STEPS, rows)
    call = jax.jit(lambda given: whole_probe.both_ways(plan, True, *given))
    first = call(given)
    same = jax.jit(lambda one, two: jnp.all(jnp.stack([(a == b).all() for a, b in zip(one, two, strict=True)])))
    return sum(not same(jax.tree.leaves(first), jax.tree.leaves(call(given))) for _ in range(CALLS))


if __name__ == "__main__":
    main()
