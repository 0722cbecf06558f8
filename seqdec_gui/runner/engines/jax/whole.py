"""LSTM over a whole sequence as one CUDA kernel each way (`kernels/lstm.cu`), for GPUs of compute capability 9 (Hopper).

The recurrent weights stay in registers and shared memory for the whole sequence, where the loops of `recurrent` read them at
every step and start a kernel for every product (docs/decisions/0039-whole-sequence-kernels.md). The kernels are compiled at run
time, and started through the custom call with which JAX starts Triton's kernels: it takes PTX of any origin.

Shapes: B rows, T steps, H units. Gates of a unit stand side by side, in Keras's order: (T, B, H, 4).
"""

from __future__ import annotations

import functools
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from seqdec_gui.runner.engines.jax.nvrtc import compiled
from seqdec_gui.runner.engines.jax.recurrent import Outputs, outer, project

Array = Any
SOURCE = Path(__file__).with_name("kernels") / "lstm.cu"
CALL = "triton_kernel_call_ffi"
"""The custom call of JAX that starts a kernel from PTX."""
CAPABILITY = 90
"""Compute capability of the GPUs that the kernels are for: 9.0."""
PROCESSORS = 132
"""Streaming multiprocessors of an H100 or H200."""
WIDTHS = (32, 64, 128, 256, 512)
"""Units that fit: the weights of a block have its registers and its shared memory, and a cluster has at most 8 blocks."""
DTYPES = ("float32", "bfloat16")
OPERAND = 2
"""Bytes of what products multiply: bfloat16, or for float32 float16, which has as many digits as TensorFloat-32."""
ROWS = 8
"""Rows of the batch that a cluster computes."""
PIECES = 16
"""How many pieces of the weights, of 32 bytes, a thread keeps in registers: 128 of its 255."""


class Plan(NamedTuple):
    """How a layer is divided: a cluster of `cluster` blocks with `warps` warps for 8 rows, `units` (padded) in all. `kept` and
    `kept_back` are how many pieces of each of its tiles of weights a thread keeps in registers, on the way forth and back.
    """

    units: int
    cluster: int
    warps: int
    kept: int
    kept_back: int

    def forward_bytes(self) -> int:
        """Shared memory of a block on the way forth, as `kernels/lstm.cu` divides it."""
        blocks = self.units * OPERAND // 64
        return 64 + 2 * ROWS * (self.units * OPERAND + 64) + self.warps * 2 * max(0, blocks - self.kept) * 1024

    def backward_bytes(self) -> int:
        """Shared memory of a block on the way back."""
        own, halves, tiles = self.units // self.cluster, self.halves, self.tiles
        blocks = 4 * own * OPERAND // 64 // halves
        exchanged = 2 * ROWS * (4 * own * OPERAND + 64) + (2 * self.cluster * halves * own + self.warps) * ROWS * 4
        return 64 + exchanged + self.warps * tiles * max(0, blocks - self.kept_back) * 1024

    @property
    def halves(self) -> int:
        """On the way back: how many warps share the inner dimension of a tile."""
        return max(1, self.warps // (self.units // 16))

    @property
    def tiles(self) -> int:
        """On the way back: tiles of 16 units that a warp computes."""
        return self.units // 16 * self.halves // self.warps


def plan_for(units: int, rows: int, dtype: str) -> Plan | None:
    """The fastest division measured for layers of this size; None where the weights do not fit."""
    padded = next((width for width in WIDTHS if width >= units), None)
    if padded is None or dtype not in DTYPES:
        return None
    # a warp has 8 units: 4 warps make small blocks, many of which work side by side; 8 warps fill a multiprocessor
    small = padded // 32 <= 8 and -(-rows // ROWS) * (padded // 32) <= 2 * PROCESSORS
    warps = 4 if small or padded < 64 else 8
    cluster = padded // (8 * warps)
    plan = Plan(padded, cluster, warps, PIECES // 2, 0)
    return plan._replace(kept_back=max(1, PIECES // plan.tiles))


def lstm(inputs: Array, h: Array, c: Array, kernel: Array, recurrent_kernel: Array, bias: Array, plan: Plan) -> Outputs:
    """As `recurrent.lstm` without a mask: inputs (B, T, F), states (B, H). Rows and units are padded with zeros to fit."""
    rows, units = h.shape
    more, wider = -rows % ROWS, plan.units - units
    inputs = jnp.pad(inputs, ((0, more), (0, 0), (0, 0)))
    h, c = (jnp.pad(state, ((0, more), (0, wider))) for state in (h, c))
    gates = project(inputs, _by_unit(kernel, wider), _by_unit(bias[None], wider)[0])
    recurrent_kernel = jnp.pad(recurrent_kernel.reshape(units, 4, units), ((0, wider), (0, 0), (0, wider)))
    sequence, h, c = lstm_whole(
        gates.reshape(*gates.shape[:2], plan.units, 4), h, c, recurrent_kernel.reshape(plan.units, 4 * plan.units), plan
    )
    return Outputs(sequence[:, :rows, :units].swapaxes(0, 1), (h[:rows, :units], c[:rows, :units]))


def _by_unit(weights: Array, wider: int) -> Array:
    """(n, 4H), gate by gate, as (n, 4 (H + wider)), unit by unit."""
    gates = weights.reshape(len(weights), 4, -1)
    return jnp.pad(gates, ((0, 0), (0, 0), (0, wider))).swapaxes(1, 2).reshape(len(weights), -1)


@functools.partial(jax.custom_vjp, nondiff_argnums=(4,))
def lstm_whole(z: Array, h: Array, c: Array, kernel: Array, plan: Plan) -> tuple[Array, Array, Array]:
    """As `recurrent.lstm_loop` without a mask, but z is (T, B, H, 4); kernel (H, 4H) as Keras has it."""
    hs, cs, _ = _forward(z, h, c, kernel, plan, saves=False)
    return hs, hs[-1], cs[-1]


def _forward(z: Array, h: Array, c: Array, kernel: Array, plan: Plan, saves: bool) -> list[Array]:
    states = jax.ShapeDtypeStruct(z.shape[:-1], z.dtype)
    gates = jax.ShapeDtypeStruct(z.shape if saves else (1,), z.dtype)
    weights = pack_forward(kernel, z.dtype)
    return run("lstm_forward", plan, saves, (states, states, gates), z, h.astype(z.dtype), c.astype(z.dtype), weights)


def _forward_saving(z: Array, h: Array, c: Array, kernel: Array, plan: Plan) -> tuple[Any, Any]:
    hs, cs, gates = _forward(z, h, c, kernel, plan, saves=True)
    return (hs, hs[-1], cs[-1]), (h, c, kernel, hs, cs, gates)


def _backward(plan: Plan, saved: Any, gradients: Any) -> tuple[Array, Array, Array, Array]:
    h0, c0, kernel, hs, cs, gates = saved
    dtype, units = hs.dtype, plan.units
    d_hs, d_h, d_c = (gradient.astype(dtype) for gradient in gradients)
    states = jax.ShapeDtypeStruct(h0.shape, dtype)
    weights = pack_backward(kernel, dtype, plan.cluster)
    outputs = (jax.ShapeDtypeStruct(gates.shape, dtype), states, states)
    d_z, d_h0, d_c0 = run("lstm_backward", plan, True, outputs, gates, cs, c0.astype(dtype), d_hs, d_h, d_c, weights)
    d_kernel = outer(h0, hs, d_z.reshape(*hs.shape[:2], 4 * units)).reshape(units, units, 4).swapaxes(1, 2)
    return d_z, d_h0.astype(h0.dtype), d_c0.astype(c0.dtype), d_kernel.reshape(kernel.shape).astype(kernel.dtype)


lstm_whole.defvjp(_forward_saving, _backward)


# -- weights in the order in which the threads of a kernel read them
def pack_forward(kernel: Array, dtype: Any) -> Array:
    """(H, 4H) as (H / 8, 2, blocks, 2, 8, 4, numbers): eight units, gates two by two, blocks of the inner dimension."""
    units = kernel.shape[0]
    each = 16 // OPERAND
    parts = _operand(kernel, dtype).T.reshape(2, 2, units // 8, 8, units // (4 * each), 4, each)
    return parts.transpose(2, 0, 4, 1, 3, 5, 6)


def pack_backward(kernel: Array, dtype: Any, cluster: int) -> Array:
    """(H, 4H) as (cluster, H / 16, blocks, 2, 8, 4, numbers): the inner dimension is a block's units with four gates each."""
    units = kernel.shape[0]
    each = 16 // OPERAND
    own = _operand(kernel, dtype).reshape(units, 4, cluster, units // cluster).transpose(2, 0, 3, 1)
    parts = own.reshape(cluster, units // 16, 2, 8, units // cluster // each, 4, each)
    return parts.transpose(0, 1, 4, 2, 3, 5, 6)


def _operand(kernel: Array, dtype: Any) -> Array:
    """As the products take them."""
    return kernel.astype("float16" if dtype == jnp.float32 else dtype)


# -- starting
def run(name: str, plan: Plan, saves: bool, outputs: tuple[Any, ...], *inputs: Array) -> list[Array]:
    """Starts a kernel of `kernels/lstm.cu`. Its parameters are the inputs, steps and rows, and the outputs."""
    from jaxlib import gpu_triton

    steps, rows = inputs[0].shape[:2]
    dtype = inputs[0].dtype
    memory = plan.forward_bytes() if name == "lstm_forward" else plan.backward_bytes()
    kernel = gpu_triton.TritonKernel(
        name, plan.warps, plan.cluster, memory, _ptx(name, plan, dtype.name, saves), "", CAPABILITY
    )
    parameters = [
        *(gpu_triton.create_array_parameter(0, 16) for _ in inputs),
        *(gpu_triton.create_scalar_parameter(size, "i32") for size in (steps, rows)),
        *(gpu_triton.create_array_parameter(0, 16) for _ in outputs),
    ]
    started = gpu_triton.TritonKernelCall(kernel, rows // ROWS, 1, 1, parameters)
    return list(jax.ffi.ffi_call(CALL, outputs)(*inputs, opaque=zlib.compress(started.to_proto(name, b""))))


@functools.cache
def _ptx(name: str, plan: Plan, dtype: str, saves: bool) -> str:
    macros = {
        name.upper(): 1, "UNITS": plan.units, "CLUSTER": plan.cluster, "WARPS": plan.warps, "TILES": ROWS // 8,
        "KEPT": plan.kept if name == "lstm_forward" else plan.kept_back,
        "BFLOAT": int(dtype == "bfloat16"), "SAVES": int(saves),
    }  # fmt: skip
    options = [
        f"--gpu-architecture=compute_{CAPABILITY}a",
        "--std=c++17",
        *(f"-D{key}={value}" for key, value in macros.items()),
    ]
    return compiled(SOURCE.read_text(encoding="utf-8"), options)
