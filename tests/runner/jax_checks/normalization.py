"""Moments over devices: exact, and with the derivatives of the whole batch."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from seqdec_gui.runner.engines.jax import layers
from tests.runner.jax_checks.engines import Array


def moments_are_exact_far_from_zero(folder: Path) -> None:
    layer = keras.layers.BatchNormalization(momentum=0.0)
    layer.build((None, 5, 4))
    model = keras.Sequential([keras.Input((5, 4)), layer])
    layers.share_moments(model)
    random = np.random.default_rng(0)
    values = (random.normal(size=(12, 5, 4)) + 3000.0).astype("float32")
    mask = random.uniform(size=(12, 5)) < 0.6
    mask[4:8] = False  # a device without a single valid step
    mesh = Mesh(np.array(jax.devices()), (layers.REPLICAS,))
    rows = P(layers.REPLICAS)
    found = jax.shard_map(layer._moments, mesh=mesh, in_specs=(rows, rows), out_specs=P(), check_vma=False)(values, mask)
    exact = values.astype("float64")[mask]
    np.testing.assert_allclose(found[0], exact.mean(0), rtol=1e-6)
    np.testing.assert_allclose(found[1], exact.var(0), rtol=1e-3)
    found = jax.shard_map(lambda x: layer._moments(x, None), mesh=mesh, in_specs=(rows,), out_specs=P(), check_vma=False)(
        values
    )
    np.testing.assert_allclose(found[1], values.astype("float64").var((0, 1)), rtol=1e-3)


def moments_have_the_derivatives_of_the_whole_batch(folder: Path) -> None:
    random = np.random.default_rng(0)
    values, goal = (random.normal(size=(12, 5, 4)).astype("float32") for _ in range(2))
    plain, shared = keras.layers.BatchNormalization(), keras.layers.BatchNormalization()
    for layer in (plain, shared):
        layer.build((None, 5, 4))
    layers.share_moments(keras.Sequential([keras.Input((5, 4)), shared]))

    def slope(layer: Any, masked: bool, x: Array, goal: Array, mask: Array) -> Array:
        def loss(x: Array) -> Array:
            trainable, others = ([v.value for v in vs] for vs in (layer.trainable_variables, layer.non_trainable_variables))
            out, _ = layer.stateless_call(trainable, others, x, training=True, mask=mask if masked else None)
            return jnp.sum(jnp.where(mask[..., None], jnp.sin(out) * goal, 0))

        return jax.grad(loss)(x)

    mesh, rows = Mesh(np.array(jax.devices()), (layers.REPLICAS,)), P(layers.REPLICAS)
    for masked in (False, True):
        mask = random.uniform(size=(12, 5)) < 0.6
        expected = slope(plain, masked, values, goal, mask)
        part = functools.partial(slope, shared, masked)
        run = jax.shard_map(part, mesh=mesh, in_specs=(rows, rows, rows), out_specs=rows, check_vma=False)
        np.testing.assert_allclose(run(values, goal, mask), expected, rtol=1e-4, atol=1e-5)
