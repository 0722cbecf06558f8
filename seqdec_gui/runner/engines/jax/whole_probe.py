"""Which recurrent layers run as one kernel for the whole sequence on this GPU: where it is right, and faster than the loops.

Asked once per kind of GPU, version of JAX, and shape; the answer is kept beside compiled code. A kernel that does not compile,
does not start, or computes something else is an answer, too: a line in the log, and the loops.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent import futures
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import msgspec
import numpy as np
import numpy.typing as npt
from jax import lax

from seqdec_gui.runner.engines.jax import recurrent, whole
from seqdec_gui.runner.engines.jax.unrolled_scan import unroll_for
from seqdec_gui.runs.files import write_atomically

Array = Any
Numbers = npt.NDArray[np.floating[Any]]
STEPS = 16
"""Steps of the sequence that is tried: two turns of the loops."""
CHECKED_ROWS = 16
"""Rows whose results are compared: two clusters."""
TOLERANCE = {"float32": 5e-3, "bfloat16": 4e-2}
"""Largest relative difference to float64, in the 2-norm: products have 11 binary digits in float16, 8 in bfloat16."""
CALLS = 40
"""Times that a layer runs in the call that is timed."""
MASKS = {"LSTM": (False, True), "GRU": (False,)}
"""With and without a mask where that is another kernel; a GRU's is tried under a mask, too, by hand (`bench.check_whole`)."""
ROUNDS = 3
"""How often; the quickest counts."""


class Answer(msgspec.Struct, frozen=True):
    """Microseconds of a step of the sequence forth with the kernel and with the loops, or why the kernel is not used."""

    kernel: float = 0.0
    loop: float = 0.0
    refused: str = ""

    @property
    def takes_it(self) -> bool:
        return not self.refused and self.kernel < self.loop

    def __str__(self) -> str:
        if self.refused:
            return f"loops, as the kernel cannot be used: {self.refused}"
        return f"{'kernel' if self.takes_it else 'loops'} ({self.kernel:.1f} us a step, loops {self.loop:.1f})"


def suits(device: Any) -> bool:
    """Whether the kernels are for such a device."""
    return device.platform == "gpu" and str(getattr(device, "compute_capability", "")) == "9.0"


def whole_layers(layers: Iterable[whole.Layer], rows: int, device: Any, unroll: int, folder: Path | None) -> set[whole.Layer]:
    """Of layers those that should run as one kernel, for batches of `rows`; `folder` keeps answers."""
    taken = set()
    for layer in sorted(set(layers)):
        plan = layer.plan(rows)
        if plan is None:
            continue
        found = answer(plan, rows, layer.dtype, device, unroll, folder)
        sys.stderr.write(f"{layer.cell} of {layer.units} units, {rows} rows, {layer.dtype}: {found}\n")
        if found.takes_it:
            taken.add(layer)
    return taken


def load(layers: Iterable[whole.Layer], rows: int, devices: Sequence[Any]) -> None:
    """Runs the kernels of these layers, for batches of at most `rows`, once on every device.

    A kernel is loaded when it first runs, and loading waits for every GPU that shares its memory: for ever, where one of them
    waits for a sum over all GPUs.
    """

    def run(plan: whole.Plan, dtype: str, masked: bool, device: Any) -> None:
        with jax.default_device(device):
            jax.block_until_ready(jax.jit(lambda given: both_ways(plan, masked, *given))(case(plan, dtype, 2, whole.ROWS)))

    kernels = {
        (layer.plan(batch), layer.dtype, masked) for layer in layers for batch in (1, rows) for masked in MASKS[layer.cell]
    }
    jobs = [(plan, dtype, masked, device) for plan, dtype, masked in kernels if plan is not None for device in devices]
    with futures.ThreadPoolExecutor(max(1, len(jobs))) as threads:
        list(threads.map(run, *zip(*jobs, strict=True)))


def answer(plan: whole.Plan, rows: int, dtype: str, device: Any, unroll: int, folder: Path | None) -> Answer:
    """Kept or measured; for the next power of two of `rows`, so that batches of about a size share an answer."""
    rows = 1 << (rows - 1).bit_length()
    file = None if folder is None else folder / f"whole-{_digest(plan, rows, dtype, device, unroll)}.json"
    if file is not None and file.exists():
        try:
            return msgspec.json.decode(file.read_bytes(), type=Answer)
        except (OSError, msgspec.MsgspecError):
            pass  # measured anew
    try:
        found = measured(plan, rows, dtype, device, unroll)
    except Exception as error:  # of a private part of JAX, a compiler, or a driver: whatever it is, the loops need none of them
        return Answer(
            refused=f"{type(error).__name__}: {error}".splitlines()[0][:300]
        )  # not kept: memory may be free next time
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, msgspec.json.encode(found))
    return found


def _digest(plan: whole.Plan, rows: int, dtype: str, device: Any, unroll: int) -> str:
    source = whole.SOURCE.read_text(encoding="utf-8")
    return hashlib.sha256(repr((plan, rows, dtype, device.device_kind, unroll, source)).encode()).hexdigest()[:16]


def measured(plan: whole.Plan, rows: int, dtype: str, device: Any, unroll: int) -> Answer:
    """Compares a small case with float64, then times the way forth, where the loops are at their best."""
    with jax.default_device(device):
        for masked in MASKS[plan.cell]:
            wrong = difference(plan, dtype, masked)
            if not wrong <= TOLERANCE[dtype]:
                return Answer(refused=f"it differs by {wrong:.1e}" + (" under a mask" if masked else ""))
        z, *states, kernel = case(plan, dtype, STEPS, rows + -rows % whole.ROWS)
        turn = unroll_for(STEPS, unroll)
        if plan.cell == "GRU":
            by_gate = jnp.concatenate([z[..., 0], z[..., 1], z[..., 3]], -1)
            inner, bias = kernel[:, : 3 * plan.units], jnp.zeros(3 * plan.units)
            kernel_time = _seconds(lambda z, h: whole.gru_whole(z, h, kernel, plan), z, *states)
            loop_time = _seconds(lambda z, h: recurrent.gru_loop(z, h, inner, bias, None, turn), by_gate, *states)
        else:
            by_gate = z.swapaxes(2, 3).reshape(*z.shape[:2], -1)
            kernel_time = _seconds(lambda z, h, c: whole.lstm_whole(z, h, c, kernel, plan), z, *states)
            loop_time = _seconds(lambda z, h, c: recurrent.lstm_loop(z, h, c, kernel, None, turn), by_gate, *states)
    return Answer(round(1e6 * kernel_time / STEPS, 2), round(1e6 * loop_time / STEPS, 2))


def _seconds(layer: Callable[..., Any], z: Array, *states: Array) -> float:
    """Of one layer: a call runs it `CALLS` times on the device, since to start a call takes as long as a kernel."""

    def calls(z: Array, *states: Array) -> Any:
        # all outputs are carried along: those that nobody reads would not be computed
        return lax.fori_loop(0, CALLS, lambda _, before: layer(z, *before[1:]), layer(z, *states))

    calls = jax.jit(calls)
    jax.block_until_ready(calls(z, *states))
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        jax.block_until_ready(calls(z, *states))
        times.append((time.perf_counter() - start) / (CALLS + 1))
    return min(times)


# -- right?
def difference(plan: whole.Plan, dtype: str, masked: bool = False) -> float:
    """The largest relative difference of outputs and gradients to those in float64, for a small case."""
    given = case(plan, dtype, STEPS, CHECKED_ROWS)
    weights = np.random.default_rng(1).normal(size=(STEPS, CHECKED_ROWS, plan.units))
    hs, gradients = jax.jit(lambda given: both_ways(plan, masked, *given, weights=weights.astype("float32")))(given)
    # what float64 computes with is what the kernel is given: rounded to its type
    found = [np.asarray(value, "float64") for value in (hs, *gradients)]
    by_hand: Callable[..., list[Numbers]] = gru_by_hand if plan.cell == "GRU" else lstm_by_hand
    right = by_hand(*(np.asarray(value, "float64") for value in given), weights, valid_steps(masked))
    return max(float(np.linalg.norm(a - b) / np.linalg.norm(b)) for a, b in zip(found, right, strict=True))


def both_ways(plan: whole.Plan, masked: bool, *given: Array, weights: Any = 1.0) -> tuple[Array, tuple[Array, ...]]:
    """All outputs, and the gradients of sum(weights * outputs) + sum(last states) with respect to all of `case`.

    With a mask (`valid_steps`) if `masked`.
    """

    def loss(z: Array, *others: Array) -> tuple[Array, Array]:
        if masked:
            valid = valid_steps(True, z.shape[:2])[..., None, None]
            gate = 0 if plan.cell == "GRU" else 1
            z = jnp.where(valid, z, jnp.zeros(4, z.dtype).at[gate].set(whole.MASKED))
        if plan.cell == "GRU":
            hs, *last = whole.gru_whole(z, *others, plan)
        else:
            hs, *last = whole.lstm_whole(z, *others, plan, masked)
        return (hs.astype("float32") * weights).sum() + sum(state.astype("float32").sum() for state in last), hs

    gradients, hs = jax.grad(loss, argnums=tuple(range(len(given))), has_aux=True)(*given)
    return hs, gradients


def valid_steps(masked: bool, shape: tuple[int, int] = (STEPS, CHECKED_ROWS)) -> npt.NDArray[np.bool_]:
    """A mask (T, B): with `masked`, holes, an empty sequence, padding before and after; otherwise all True."""
    steps, rows = np.indices(shape)
    if not masked:
        return np.ones(shape, bool)
    holes = (steps * 7 + rows * 3) % 5 > rows % 4
    valid: npt.NDArray[np.bool_] = holes & (rows != 5) & ((rows != 6) | (steps < 3)) & ((rows != 7) | (steps > 2))
    return valid


def case(plan: whole.Plan, dtype: str, steps: int, rows: int) -> list[Array]:
    """Gates from the inputs (T, B, H, 4), states (B, H), recurrent kernel (H, 4H), as the kernels take them."""
    random, units = np.random.default_rng(0), plan.units
    z, h, c = (random.normal(size=size) for size in ((steps, rows, units, 4), (rows, units), (rows, units)))
    kernel = random.normal(size=(units, 4 * units)) / units**0.5
    if plan.cell == "GRU":
        kernel[:, 3 * units :] = 0
    states = [0.5 * h] if plan.cell == "GRU" else [0.5 * h, c]
    return [jnp.asarray(value, dtype) for value in (z, *states, kernel)]


def lstm_by_hand(z: Numbers, h0: Numbers, c0: Numbers, kernel: Numbers, weights: Numbers, valid: Any) -> list[Numbers]:
    """All outputs, and the gradients of sum(weights * outputs) + sum(last states) with respect to z, h0, c0 and kernel."""
    h, c, saved, hs = h0, c0, [], []
    for gates, going in zip(z, valid[..., None], strict=True):
        i, f, a, o = np.moveaxis(gates, -1, 0) + np.stack(np.split(h @ kernel, 4, axis=-1))
        i, f, a, o = sigmoid(i), sigmoid(f), np.tanh(a), sigmoid(o)
        before, new_c = (h, c), f * c + i * a
        h, c = np.where(going, o * np.tanh(new_c), h), np.where(going, new_c, c)
        saved.append((i, f, a, o, *before, np.tanh(new_c), going))
        hs.append(h)
    d_h, d_c, d_kernel, d_z = np.ones_like(h), np.ones_like(c), np.zeros_like(kernel), np.zeros_like(z)
    for step in reversed(range(len(z))):
        i, f, a, o, earlier_h, earlier_c, tanh_c, going = saved[step]
        d_h = d_h + weights[step]
        d_state = d_c + d_h * o * (1 - tanh_c**2)
        slopes = a * i * (1 - i), earlier_c * f * (1 - f), i * (1 - a**2)
        parts = [going * part for part in (*(d_state * slope for slope in slopes), d_h * tanh_c * o * (1 - o))]
        d_z[step] = np.stack(parts, axis=-1)
        flat = np.concatenate(parts, axis=-1)
        d_kernel += earlier_h.T @ flat
        d_h, d_c = np.where(going, flat @ kernel.T, d_h), np.where(going, d_state * f, d_c)
    return [np.stack(hs), d_z, d_h, d_c, d_kernel]


def gru_by_hand(z: Numbers, h0: Numbers, kernel: Numbers, weights: Numbers, valid: Any) -> list[Numbers]:
    """As `lstm_by_hand`, with respect to z, h0 and kernel; gates are those of `whole`."""
    h, saved, hs = h0, [], []
    for gates, going in zip(z, valid[..., None], strict=True):
        update, reset, q, of_inputs = np.moveaxis(gates, -1, 0) + np.stack(np.split(h @ kernel, 4, axis=-1))
        update, reset = sigmoid(update), sigmoid(reset)
        candidate = np.tanh(of_inputs + reset * q)
        saved.append((update, reset, q, candidate, h, going))
        h = np.where(going, update * h + (1 - update) * candidate, h)
        hs.append(h)
    d_h, d_kernel, d_z = np.ones_like(h), np.zeros_like(kernel), np.zeros_like(z)
    for step in reversed(range(len(z))):
        update, reset, q, candidate, earlier, going = saved[step]
        d_h = d_h + weights[step]
        d_inputs = d_h * (1 - update) * (1 - candidate**2)
        d_update = d_h * (earlier - candidate) * update * (1 - update)
        parts = [going * part for part in (d_update, d_inputs * q * reset * (1 - reset), d_inputs * reset, d_inputs)]
        d_z[step] = np.stack(parts, axis=-1)
        flat = np.concatenate(parts, axis=-1)
        d_kernel += earlier.T @ flat
        d_h = np.where(going, flat @ kernel.T + d_h * update, d_h)
    return [np.stack(hs), d_z, d_h, d_kernel]


def sigmoid(x: Numbers) -> Numbers:
    return 1 / (1 + np.exp(-x))
