"""The prototype that the engine on JAX grew out of: Keras's stateless API, an epoch is one scan, rows are not shuffled.

Every BatchNormalization averages its moments over the devices, so it is equal to one device.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from seqdec_gui.runner.bench.peer import given, measure, tell, write_model
from seqdec_gui.runner.bench.work import arrays
from seqdec_gui.runner.normalization import all_layers
from seqdec_gui.runner.program import load_build

Array = Any
EVERYWHERE, ROWS = P(), P(None, "batch")  # data is (steps, batch, ...)


class AveragedBatchNormalization(keras.layers.BatchNormalization):
    """Mean and mean square over the rows of all devices, in one message."""

    def _moments(self, inputs: Array, mask: Array | None) -> tuple[Array, Array]:
        axes = tuple(self._reduction_axes)
        mean, square = jax.lax.pmean(jnp.stack([inputs.mean(axes), jnp.square(inputs).mean(axes)]), "batch")
        return mean, jnp.maximum(square - jnp.square(mean), 0)


def main() -> None:
    job, folder = given()
    mesh = Mesh(np.array(jax.devices()[: job.devices.replicas]), ("batch",))
    model = load_build(write_model(job, folder))()["full"]
    for layer in all_layers(model):
        if type(layer) is keras.layers.BatchNormalization:
            layer.__class__ = AveragedBatchNormalization
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(model.trainable_variables)
    variables = (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
    state = jax.device_put(
        tuple([np.asarray(variable.value) for variable in group] for group in variables), NamedSharding(mesh, EVERYWHERE)
    )
    rows = arrays(job.shape, job.rows)
    data = [
        jax.device_put(rows[name].reshape(job.steps, job.batch, -1), NamedSharding(mesh, ROWS))
        for name in ("latent", "inputs", "targets")
    ]

    def loss_of(weights: Array, others: Array, latent: Array, x: Array, y: Array) -> tuple[Array, Array]:
        inputs = [latent, jax.nn.one_hot(x, job.shape.inputs)]
        p, others = model.stateless_call(weights, others, inputs, training=True)
        log_p = jnp.log(jnp.clip(p.astype(jnp.float32), 1e-7, 1))
        return -jnp.mean(jnp.take_along_axis(log_p, y[..., None].astype(jnp.int32), -1)), others

    def step(state: Any, batch: Any) -> Any:
        weights, others, slots = state
        (loss, others), gradients = jax.value_and_grad(loss_of, has_aux=True)(weights, others, *batch)
        gradients, others, loss = _mean_over_devices((gradients, others, loss))
        weights, slots = optimizer.stateless_apply(slots, gradients, weights)
        return (weights, others, slots), loss

    def run(state: Any, *data: Array) -> Any:
        state, losses = jax.lax.scan(step, state, data)
        return state, losses.mean()

    specs = (EVERYWHERE, ROWS, ROWS, ROWS)
    compiled = jax.jit(jax.shard_map(run, mesh=mesh, in_specs=specs, out_specs=EVERYWHERE, check_vma=False), donate_argnums=0)

    def epoch() -> float:
        nonlocal state
        state, loss = compiled(state, *data)
        return float(loss)  # waits for the devices

    tell(measure(job, epoch))


def _mean_over_devices(tree: Any) -> Any:
    """All floating arrays of the tree as one vector: a single message."""
    arrays, structure = jax.tree.flatten(tree)
    floats = [array for array in arrays if jnp.issubdtype(array.dtype, jnp.floating)]
    vector = jax.lax.pmean(jnp.concatenate([array.ravel() for array in floats]), "batch")
    parts = iter(jnp.split(vector, np.cumsum([array.size for array in floats])[:-1]))
    shaped = [next(parts).reshape(a.shape) if jnp.issubdtype(a.dtype, jnp.floating) else a for a in arrays]
    return structure.unflatten(shaped)


if __name__ == "__main__":
    main()
