"""What a device can do at most: operations per second of products of large square matrices, on the first of a job's devices.

`peak.py JOB FOLDER`, started as the peers are; one line `MEASURED` and the number. A CPU counts with all its cores.
"""

from __future__ import annotations

import statistics
import sys
import time

import jax
import jax.numpy as jnp
from jax import lax

from seqdec_gui.runner.bench.peer import PREFIX, given

SIZE = {"cpu": 2048, "gpu": 8192}
PRODUCTS = {"cpu": 2, "gpu": 50}
"""In one call, each with the result of the one before."""
TURNS = 5


def main() -> None:
    job, _ = given()
    kind = job.devices.kind
    size, products = SIZE[kind], PRODUCTS[kind]
    one = jax.random.normal(jax.random.key(0), (size, size), job.precision) / size**0.5

    @jax.jit
    def chain(matrix: jax.Array) -> jax.Array:
        return lax.fori_loop(0, products, lambda _, found: jnp.dot(found, one, preferred_element_type=one.dtype), matrix)

    chain(one).block_until_ready()
    seconds = []
    for _ in range(TURNS):
        start = time.perf_counter()
        chain(one).block_until_ready()
        seconds.append(time.perf_counter() - start)
    sys.stdout.write(f"{PREFIX}{2 * size**3 * products / statistics.median(seconds)}\n")


if __name__ == "__main__":
    main()
