"""LSTMs as one kernel for the whole sequence: everything around the kernels, which need a GPU.

Where a kernel would start, the same is computed from the same inputs, weights in the kernel's order included.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from seqdec_gui.runner.engines.jax import layers, recurrent, whole, whole_probe
from tests.runner.jax_checks.engines import Array

SHARED_MEMORY = 232_448
"""Bytes that a block may have on a Hopper GPU."""
DEVICE = SimpleNamespace(device_kind="stand-in")


@contextlib.contextmanager
def stand_in(*, off: float = 0.0) -> Iterator[list[str]]:
    """Computes what kernels would, at full precision, with `off` added; yields the names of those started."""
    started: list[str] = []

    def run(name: str, plan: whole.Plan, saves: bool, outputs: tuple[Any, ...], *inputs: Array) -> list[Array]:
        started.append(name)
        found = (forward if name == "lstm_forward" else backward)(plan, *inputs)
        return [
            jnp.zeros(like.shape) if like.shape == (1,) else value + off for like, value in zip(outputs, found, strict=True)
        ]

    before = whole.run, whole._operand
    whole.run, whole._operand = run, lambda kernel, dtype: kernel  # type: ignore[assignment]
    try:
        yield started
    finally:
        whole.run, whole._operand = before


def forward(plan: whole.Plan, z: Array, h: Array, c: Array, weights: Array) -> list[Array]:
    """The kernel's outputs, states and activated gates; weights (groups, gate pairs, blocks, gate of a pair, 8, 4, numbers)."""
    kernel = weights.transpose(1, 3, 0, 4, 2, 5, 6).reshape(4, plan.units, plan.units)  # gate, unit, unit before
    hs, cs, gates = [], [], []
    for given in z:
        y = given + jnp.einsum("bk,guk->bug", h, kernel)
        i, f, o = (jax.nn.sigmoid(y[..., k]) for k in (0, 1, 3))
        a = jnp.tanh(y[..., 2])
        c = f * c + i * a
        h = o * jnp.tanh(c)
        hs.append(h)
        cs.append(c)
        gates.append(jnp.stack([i, f, a, o], axis=-1))
    return [jnp.stack(values) for values in (hs, cs, gates)]


def backward(plan: whole.Plan, gates: Array, cs: Array, c0: Array, d_hs: Array, d_h: Array, d_c: Array, weights: Array) -> Any:
    """Gradients of gates before activation and first states; weights (blocks of a cluster, tiles, ..., 2, 8, 4, numbers)."""
    own = weights.transpose(1, 3, 4, 0, 2, 5, 6).reshape(plan.units, plan.units, 4)  # unit before, unit, gate
    d_z = [jnp.zeros(())] * len(gates)
    for step in reversed(range(len(gates))):
        i, f, a, o = jnp.moveaxis(gates[step], -1, 0)
        tanh_c = jnp.tanh(cs[step])
        d_h = d_h + d_hs[step]
        d_c = d_c + d_h * o * (1 - tanh_c**2)
        earlier = cs[step - 1] if step else c0
        parts = d_c * a * i * (1 - i), d_c * earlier * f * (1 - f), d_c * i * (1 - a**2), d_h * tanh_c * o * (1 - o)
        d_z[step] = jnp.stack(parts, axis=-1)
        d_h, d_c = jnp.einsum("bug,kug->bk", d_z[step], own), d_c * f
    return [jnp.stack(d_z), d_h, d_c]


def outputs_and_gradients_equal_those_of_the_loops(folder: Path) -> None:
    """For widths and rows that need padding and that need none."""
    random = np.random.default_rng(5)
    for rows, steps, width, units in ((8, 3, 4, 32), (5, 4, 3, 20), (1, 1, 2, 33), (300, 2, 3, 64)):
        sizes = ((rows, steps, width), (rows, units), (rows, units), (width, 4 * units), (units, 4 * units), (4 * units,))
        values = [jnp.asarray(random.normal(size=size, scale=0.5), "float32") for size in sizes]
        plan = whole.plan_for(units, rows, "float32")
        assert plan is not None

        def as_kernel(x: Array, h: Array, c: Array, *weights: Array, plan: whole.Plan = plan) -> recurrent.Outputs:
            return whole.lstm(x, h, c, *weights, plan=plan)

        def as_loop(x: Array, h: Array, c: Array, *weights: Array) -> recurrent.Outputs:
            return recurrent.lstm(x, h, c, None, *weights)

        with stand_in() as started:
            one = with_gradients(as_kernel, values)
        assert started == ["lstm_forward", "lstm_backward"]
        for a, b in zip(one, with_gradients(as_loop, values), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5, err_msg=f"{rows} rows, {steps} steps, {units} units")


def with_gradients(run: Any, values: list[Array]) -> list[Array]:
    def loss(*given: Array) -> Any:
        found = run(*given)
        return sum(jnp.sum(jnp.sin(value)) for value in jax.tree.leaves(found)), found

    return jax.tree.leaves(jax.value_and_grad(loss, argnums=tuple(range(len(values))), has_aux=True)(*values))


def layers_take_it_where_there_is_no_mask(folder: Path) -> None:
    x = np.random.default_rng(6).normal(size=(6, 5, 3)).astype("float32")
    mask = np.arange(5) < np.array([5, 3, 1, 0, 5, 2])[:, None]
    layer = keras.layers.LSTM(12, return_sequences=True, return_state=True, go_backwards=True)
    right = {shown is None: layer(x, mask=shown) for shown in (None, mask)}
    holder = keras.Model()
    holder.layer = layer
    whole_layers = {(12, "float32")}
    layers.accelerate_layers(holder, global_statistics=True, replicas=1, shards=1, cudnn=False, whole_layers=whole_layers)
    for shown in (None, mask):
        with stand_in() as started:
            found = layer(x, mask=shown)
        assert started == (["lstm_forward"] if shown is None else [])
        for a, b in zip(found, right[shown is None], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def plans_fit(folder: Path) -> None:
    for units, rows in itertools.product((*range(1, 513, 17), 512), (1, 8, 100, 256, 2048, 100_000)):
        plan = whole.plan_for(units, rows, "float32")
        assert plan is not None
        assert plan.units >= units
        assert plan.cluster * plan.warps * 8 == plan.units, plan
        assert plan.cluster <= 8
        assert max(plan.forward_bytes(), plan.backward_bytes()) <= SHARED_MEMORY, plan
        assert plan.tiles * plan.warps == plan.units // 16 * plan.halves, plan
    assert whole.plan_for(513, 8, "float32") is None
    assert whole.plan_for(64, 8, "float16") is None


def a_probe_refuses_what_is_wrong_slow_or_does_not_start(folder: Path) -> None:
    plan = whole.plan_for(32, 8, "float32")
    assert plan is not None
    with stand_in():
        assert whole_probe.difference(plan, "float32") < 1e-4
    with stand_in(off=0.1):
        wrong = whole_probe.measured(plan, 8, "float32", jax.devices()[0], 8)
    assert wrong.refused.startswith("it differs by")
    assert not wrong.takes_it
    assert not whole_probe.Answer(kernel=2.0, loop=1.0).takes_it
    assert whole_probe.Answer(kernel=1.0, loop=2.0).takes_it
    # without a GPU a kernel cannot start
    failed = whole_probe.answer(plan, 8, "float32", DEVICE, 8, folder)
    assert failed.refused
    assert not list(folder.glob("whole-*.json"))  # it may start next time
    # a measured answer is kept, a broken one is asked for again
    with stand_in(off=0.1):
        assert whole_probe.answer(plan, 8, "float32", jax.devices()[0], 8, folder).refused.startswith("it differs by")
    (file,) = folder.glob("whole-*.json")
    file.write_text('{"kernel": 1.0, "loop": 2.0}')
    assert whole_probe.answer(plan, 8, "float32", jax.devices()[0], 8, folder).takes_it
    file.write_text("{")
    assert whole_probe.answer(plan, 8, "float32", jax.devices()[0], 8, folder).refused
