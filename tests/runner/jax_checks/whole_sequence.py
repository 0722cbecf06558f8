"""LSTMs and GRUs as one kernel for the whole sequence: everything around the kernels, which need a GPU.

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

    def run(name: str, plan: whole.Plan, saves: bool, masked: bool, outputs: tuple[Any, ...], *inputs: Array) -> list[Array]:
        started.append(name)
        cells = {"LSTM": (forward, backward), "GRU": (gru_forward, gru_backward)}
        found = cells[plan.cell][name == "lstm_backward"](plan, masked, *inputs)
        return [
            jnp.zeros(like.shape) if like.shape == (1,) else value + off for like, value in zip(outputs, found, strict=True)
        ]

    before = whole.run, whole._operand
    whole.run, whole._operand = run, lambda kernel, dtype: kernel  # type: ignore[assignment]
    try:
        yield started
    finally:
        whole.run, whole._operand = before


def forward(plan: whole.Plan, masked: bool, z: Array, h: Array, c: Array, weights: Array) -> list[Array]:
    """The kernel's outputs, states and activated gates; weights (groups, gate pairs, blocks, gate of a pair, 8, 4, numbers)."""
    hs, cs, gates = [], [], []
    for given in z:
        y = given + from_states(plan, h, weights)
        i, f, o = (jax.nn.sigmoid(y[..., k]) for k in (0, 1, 3))
        a = jnp.tanh(y[..., 2])
        new_c = f * c + i * a
        new_h = o * jnp.tanh(new_c)
        activated = jnp.stack([i, f, a, o], axis=-1)
        if masked:
            held = given[..., 1] > 1e29
            activated = jnp.where(held[..., None], jnp.array([0.0, 1.0, 0.0, -1.0]), activated)
            new_h, new_c = jnp.where(held, h, new_h), jnp.where(held, c, new_c)
        h, c = new_h, new_c
        hs.append(h)
        cs.append(c)
        gates.append(activated)
    return [jnp.stack(values) for values in (hs, cs, gates)]


def from_states(plan: whole.Plan, h: Array, weights: Array) -> Array:
    kernel = weights.transpose(1, 3, 0, 4, 2, 5, 6).reshape(4, plan.units, plan.units)  # gate, unit, unit before
    return jnp.einsum("bk,guk->bug", h, kernel)


def to_states(plan: whole.Plan, d_z: Array, weights: Array) -> Array:
    own = weights.transpose(1, 3, 4, 0, 2, 5, 6).reshape(plan.units, plan.units, 4)  # unit before, unit, gate
    return jnp.einsum("bug,kug->bk", d_z, own)


def backward(
    plan: whole.Plan, masked: bool, gates: Array, cs: Array, c0: Array, d_hs: Array, d_h: Array, d_c: Array, weights: Array
) -> Any:
    """Gradients of gates before activation and first states; weights (blocks of a cluster, tiles, ..., 2, 8, 4, numbers)."""
    d_z = [jnp.zeros(())] * len(gates)
    for step in reversed(range(len(gates))):
        i, f, a, o = jnp.moveaxis(gates[step], -1, 0)
        held, o = o < 0, jnp.maximum(o, 0)
        tanh_c = jnp.tanh(cs[step])
        d_h = d_h + d_hs[step]
        d_c = d_c + d_h * o * (1 - tanh_c**2)
        earlier = cs[step - 1] if step else c0
        parts = d_c * a * i * (1 - i), d_c * earlier * f * (1 - f), d_c * i * (1 - a**2), d_h * tanh_c * o * (1 - o)
        d_z[step] = jnp.stack(parts, axis=-1)
        d_h, d_c = to_states(plan, d_z[step], weights) + jnp.where(held & masked, d_h, 0), d_c * f
    return [jnp.stack(d_z), d_h, d_c]


def gru_forward(plan: whole.Plan, masked: bool, z: Array, h: Array, c: Array, weights: Array) -> list[Array]:
    hs, gates = [], []
    for given in z:
        y = given + from_states(plan, h, weights)
        update, reset, q = jax.nn.sigmoid(y[..., 0]), jax.nn.sigmoid(y[..., 1]), y[..., 2]
        candidate = jnp.tanh(given[..., 3] + reset * q)
        h = update * h + (1 - update) * candidate
        hs.append(h)
        gates.append(jnp.stack([update, reset, q, candidate], axis=-1))
    return [jnp.stack(hs), jnp.zeros(1), jnp.stack(gates)]


def gru_backward(
    plan: whole.Plan, masked: bool, gates: Array, hs: Array, h0: Array, d_hs: Array, d_h: Array, d_c: Array, weights: Array
) -> Any:
    d_z = [jnp.zeros(())] * len(gates)
    for step in reversed(range(len(gates))):
        update, reset, q, candidate = jnp.moveaxis(gates[step], -1, 0)
        d_h = d_h + d_hs[step]
        d_inputs = d_h * (1 - update) * (1 - candidate**2)
        d_update = d_h * ((hs[step - 1] if step else h0) - candidate) * update * (1 - update)
        d_z[step] = jnp.stack([d_update, d_inputs * q * reset * (1 - reset), d_inputs * reset, d_inputs], axis=-1)
        d_h = to_states(plan, d_z[step], weights) + d_h * update
    return [jnp.stack(d_z), d_h, jnp.zeros(1)]


def outputs_and_gradients_equal_those_of_the_loops(folder: Path) -> None:
    """For widths and rows that need padding and that need none, with masks and without, of both cells."""
    random = np.random.default_rng(5)
    for rows, steps, width, units in ((8, 3, 4, 32), (5, 4, 3, 20), (1, 1, 2, 33), (300, 2, 3, 64)):
        mask = jnp.asarray(random.random((rows, steps)) > 0.4)
        check_lstm(random, rows, steps, width, units, None if units == 33 else mask)
        check_gru(random, rows, steps, width, units, None if units == 20 else mask)


def check_lstm(random: np.random.Generator, rows: int, steps: int, width: int, units: int, mask: Array | None) -> None:
    sizes = ((rows, steps, width), (rows, units), (rows, units), (width, 4 * units), (units, 4 * units), (4 * units,))
    plan = whole.plan_for(units, rows, "float32")
    assert plan is not None

    def as_kernel(x: Array, h: Array, c: Array, *weights: Array) -> recurrent.Outputs:
        return whole.lstm(x, h, c, *weights, plan=plan, mask=mask)

    def as_loop(x: Array, h: Array, c: Array, *weights: Array) -> recurrent.Outputs:
        return recurrent.lstm(x, h, c, mask, *weights)

    compare(random, sizes, as_kernel, as_loop)


def check_gru(random: np.random.Generator, rows: int, steps: int, width: int, units: int, mask: Array | None) -> None:
    sizes = ((rows, steps, width), (rows, units), (width, 3 * units), (units, 3 * units), (2, 3 * units))
    plan = whole.plan_for(units, rows, "float32", "GRU")
    assert plan is not None

    def as_kernel(x: Array, h: Array, *weights: Array) -> recurrent.Outputs:
        return whole.gru(x, h, *weights, plan=plan, mask=mask)

    def as_loop(x: Array, h: Array, *weights: Array) -> recurrent.Outputs:
        return recurrent.gru(x, h, mask, *weights, reset_after=True)

    compare(random, sizes, as_kernel, as_loop)


def compare(random: np.random.Generator, sizes: tuple[Any, ...], as_kernel: Any, as_loop: Any) -> None:
    values = [jnp.asarray(random.normal(size=size, scale=0.5), "float32") for size in sizes]
    with stand_in() as started:
        one = with_gradients(as_kernel, values)
    assert started == ["lstm_forward", "lstm_backward"]
    for a, b in zip(one, with_gradients(as_loop, values), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5, err_msg=str(sizes))


def with_gradients(run: Any, values: list[Array]) -> list[Array]:
    def loss(*given: Array) -> Any:
        found = run(*given)
        return sum(jnp.sum(jnp.sin(value)) for value in jax.tree.leaves(found)), found

    return jax.tree.leaves(jax.value_and_grad(loss, argnums=tuple(range(len(values))), has_aux=True)(*values))


def layers_take_it_with_a_mask_and_without(folder: Path) -> None:
    x = np.random.default_rng(6).normal(size=(6, 5, 3)).astype("float32")
    mask = np.arange(5) < np.array([5, 3, 1, 0, 5, 2])[:, None]
    for cell in whole.CELLS:
        layer = getattr(keras.layers, cell)(12, return_sequences=True, return_state=True, go_backwards=True)
        right = [layer(x, mask=shown) for shown in (None, mask)]
        holder = keras.Model()
        holder.layer = layer
        layers.accelerate_layers(
            holder, global_statistics=True, replicas=1, shards=1, cudnn=False, whole_layers={whole.Layer(cell, 12, "float32")}
        )
        for shown, expected in zip((None, mask), right, strict=True):
            with stand_in() as started:
                found = layer(x, mask=shown)
            assert started == ["lstm_forward"]
            for a, b in zip(found, expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    before = keras.layers.GRU(12, reset_after=False)
    before(x)
    assert layers.whole_layer(before) is None


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
        for cell, masked in itertools.product(whole.CELLS, (False, True)):
            assert whole_probe.difference(plan._replace(cell=cell), "float32", masked) < 1e-4
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
