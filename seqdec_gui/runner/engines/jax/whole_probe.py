"""Which LSTM layers run as one kernel for the whole sequence on this GPU: those where it is right, and faster than the loops.

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


def whole_layers(
    layers: Iterable[tuple[int, str]], rows: int, device: Any, unroll: int, folder: Path | None
) -> set[tuple[int, str]]:
    """Of layers (units, data type) those that should run as one kernel, for batches of `rows`; `folder` keeps answers."""
    taken = set()
    for units, dtype in sorted(set(layers)):
        plan = whole.plan_for(units, rows, dtype)
        if plan is None:
            continue
        found = answer(plan, rows, dtype, device, unroll, folder)
        sys.stderr.write(f"LSTM of {units} units, {rows} rows, {dtype}: {found}\n")
        if found.takes_it:
            taken.add((units, dtype))
    return taken


def load(layers: Iterable[tuple[int, str]], rows: int, devices: Sequence[Any]) -> None:
    """Runs the kernels of these layers, for batches of at most `rows`, once on every device.

    A kernel is loaded when it first runs, and loading waits for every GPU that shares its memory: for ever, where one of them
    waits for a sum over all GPUs.
    """

    def run(plan: whole.Plan, dtype: str, device: Any) -> None:
        with jax.default_device(device):
            z, h, c, kernel = (jnp.asarray(value, dtype) for value in example(2, whole.ROWS, plan.units))
            z = z.reshape(*z.shape[:2], plan.units, 4)

            def both_ways(*given: Array) -> Any:
                return whole.lstm_whole(*given, plan), jax.grad(lambda *g: whole.lstm_whole(*g, plan)[0].sum(), (0, 3))(*given)

            jax.block_until_ready(jax.jit(both_ways)(z, h, c, kernel))

    kernels = {(whole.plan_for(units, batch, dtype), dtype) for units, dtype in layers for batch in (1, rows)}
    jobs = [(plan, dtype, device) for plan, dtype in kernels if plan is not None for device in devices]
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
        wrong = difference(plan, dtype)
        if not wrong <= TOLERANCE[dtype]:
            return Answer(refused=f"it differs by {wrong:.1e}")
        z, h, c, kernel = (jnp.asarray(value, dtype) for value in example(STEPS, rows + -rows % whole.ROWS, plan.units))
        turn = unroll_for(STEPS, unroll)
        by_unit = z.reshape(*z.shape[:2], 4, plan.units).swapaxes(2, 3)
        kernel_time = _seconds(lambda z, h, c: whole.lstm_whole(z, h, c, kernel, plan), by_unit, h, c)
        loop_time = _seconds(lambda z, h, c: recurrent.lstm_loop(z, h, c, kernel, None, turn), z, h, c)
    return Answer(round(1e6 * kernel_time / STEPS, 2), round(1e6 * loop_time / STEPS, 2))


def _seconds(layer: Callable[..., Any], z: Array, h: Array, c: Array) -> float:
    """Of one layer: a call runs it `CALLS` times on the device, since to start a call takes as long as a kernel."""

    def calls(z: Array, h: Array, c: Array) -> Any:
        # all outputs are carried along: those that nobody reads would not be computed
        return lax.fori_loop(0, CALLS, lambda _, before: layer(z, *before[1:]), layer(z, h, c))

    calls = jax.jit(calls)
    jax.block_until_ready(calls(z, h, c))
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        jax.block_until_ready(calls(z, h, c))
        times.append((time.perf_counter() - start) / (CALLS + 1))
    return min(times)


# -- right?
def difference(plan: whole.Plan, dtype: str) -> float:
    """The largest relative difference of outputs and gradients to those in float64, for a small case."""
    # what float64 computes with is what the kernel is given: rounded to its type
    example_values = example(STEPS, CHECKED_ROWS, plan.units)
    z, h, c, kernel = (np.asarray(jnp.asarray(value, dtype), "float64") for value in example_values)
    weights = np.random.default_rng(1).normal(size=(STEPS, CHECKED_ROWS, plan.units))
    by_unit = z.reshape(STEPS, CHECKED_ROWS, 4, plan.units).swapaxes(2, 3)

    def loss(*given: Array) -> tuple[Array, Array]:
        hs, h, c = whole.lstm_whole(*given, plan)
        return (hs.astype("float32") * weights.astype("float32")).sum() + (h + c).astype("float32").sum(), hs

    given = [jnp.asarray(value, dtype) for value in (by_unit, h, c, kernel)]
    gradients, hs = jax.jit(jax.grad(loss, argnums=(0, 1, 2, 3), has_aux=True))(*given)
    of_z = np.asarray(gradients[0], "float64").swapaxes(2, 3).reshape(z.shape)
    found = [np.asarray(hs, "float64"), of_z, *(np.asarray(value, "float64") for value in gradients[1:])]
    right = by_hand(z, h, c, kernel, weights)
    return max(float(np.linalg.norm(a - b) / np.linalg.norm(b)) for a, b in zip(found, right, strict=True))


def example(steps: int, rows: int, units: int) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Gates from the inputs (T, B, 4H), states (B, H), recurrent kernel (H, 4H)."""
    random = np.random.default_rng(0)
    z, h, c = (random.normal(size=size) for size in ((steps, rows, 4 * units), (rows, units), (rows, units)))
    return z, 0.5 * h, c, random.normal(size=(units, 4 * units)) / units**0.5


def by_hand(z: Numbers, h0: Numbers, c0: Numbers, kernel: Numbers, weights: Numbers) -> list[Numbers]:
    """All outputs, and the gradients of sum(weights * outputs) + sum(last states) with respect to z, h0, c0 and kernel."""
    h, c, saved, hs = h0, c0, [], []
    for gates in z:
        i, f, a, o = np.split(gates + h @ kernel, 4, axis=-1)
        i, f, a, o = 1 / (1 + np.exp(-i)), 1 / (1 + np.exp(-f)), np.tanh(a), 1 / (1 + np.exp(-o))
        before, c = (h, c), f * c + i * a
        h = o * np.tanh(c)
        saved.append((i, f, a, o, *before, np.tanh(c)))
        hs.append(h)
    d_h, d_c, d_kernel, d_z = np.ones_like(h), np.ones_like(c), np.zeros_like(kernel), np.zeros_like(z)
    for step in reversed(range(len(z))):
        i, f, a, o, earlier_h, earlier_c, tanh_c = saved[step]
        d_h = d_h + weights[step]
        d_c = d_c + d_h * o * (1 - tanh_c**2)
        parts = d_c * a * i * (1 - i), d_c * earlier_c * f * (1 - f), d_c * i * (1 - a**2), d_h * tanh_c * o * (1 - o)
        d_z[step] = np.concatenate(parts, axis=-1)
        d_kernel += earlier_h.T @ d_z[step]
        d_h, d_c = d_z[step] @ kernel.T, d_c * f
    return [np.stack(hs), d_z, d_h, d_c, d_kernel]
