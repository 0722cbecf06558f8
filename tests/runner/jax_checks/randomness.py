"""Random layers: other numbers on each device, the same after a pause."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.sharding import PartitionSpec as P

from seqdec_gui.runner.engines.jax import layers
from tests.runner.jax_checks.engines import Array, made, some_rows, train


def replicas_draw_different_numbers_and_the_sequence_goes_on(folder: Path) -> None:
    there, _ = made("noisy", folder, 2, silent=False)
    model = there.models["noise"]
    seeds = layers.are_seeds(model)
    assert sum(seeds) == 3

    def draw(others: list[Array], x: Array) -> Any:
        given = [layers.own_seed(v) if seed else v for v, seed in zip(others, seeds, strict=True)]
        out, new = model.stateless_call([], given, x, training=True)
        kept = [layers.shared_seed(n, o) if seed else n for n, o, seed in zip(new, others, seeds, strict=True)]
        return out, kept

    rows = P(layers.REPLICAS)
    run = jax.shard_map(draw, mesh=there._mesh, in_specs=(P(), rows), out_specs=(rows, P()), check_vma=False)
    state = [variable.value for variable in model.non_trainable_variables]
    x = np.ones((8, 9, 10), "float32")
    first, state = run(state, x)
    second, _ = run(state, x)
    halves = [np.asarray(part) for part in (first[:4], first[4:], second[:4], second[4:])]
    assert all(np.any(a != b) for i, a in enumerate(halves) for b in halves[:i])


def a_resumed_training_goes_on_as_if_it_had_not_stopped(folder: Path) -> None:
    whole, dataset = made("noisy", folder, 2, silent=False)
    rows = some_rows(dataset, 6)
    expected = train(whole, rows).losses
    first, _ = made("noisy", folder, 2, silent=False)
    train(first, rows[:3])
    first.sync()
    second, _ = made("noisy", folder, 2, silent=False)
    for old, new in (
        (first.training_model.variables, second.training_model.variables),
        (first.optimizer.variables, second.optimizer.variables),
    ):
        for one, other in zip(old, new, strict=True):
            other.assign(one.value)
    second.load()
    np.testing.assert_array_equal(train(second, rows[3:]).losses, expected[3:])
