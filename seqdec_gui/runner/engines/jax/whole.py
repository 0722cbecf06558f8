"""LSTM and GRU over a sequence as one CUDA kernel each way (`kernels/lstm.cu`), for GPUs of compute capability 9 (Hopper).

The recurrent weights stay in registers and shared memory for the whole sequence, where the loops of `recurrent` read them at
every step and start a kernel for every product (docs/decisions/0039-whole-sequence-kernels.md). The kernels are compiled at run
time, and started through the custom call with which JAX starts Triton's kernels: it takes PTX of any origin.

Shapes: B rows, T steps, H units. Gates of a unit stand side by side: (T, B, H, 4), an LSTM's in Keras's order. A GRU's are
update, reset, the candidate's part from the state and its part from the inputs: it is computed like an LSTM.
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
CELLS = ("LSTM", "GRU")
MASKED = 1e30
"""What an LSTM's forget gate, or a GRU's update gate, gets from the inputs at a masked step; above 1e29 in the kernel."""
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
    cell: str = "LSTM"

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


class Layer(NamedTuple):
    """What of a recurrent layer decides whether the kernels suit it; `cell` is one of `CELLS`."""

    cell: str
    units: int
    dtype: str

    def plan(self, rows: int) -> Plan | None:
        return plan_for(self.units, rows, self.dtype, self.cell)


def plan_for(units: int, rows: int, dtype: str, cell: str = "LSTM") -> Plan | None:
    """The fastest division measured for layers of this size; None where the weights do not fit."""
    padded = next((width for width in WIDTHS if width >= units), None)
    if padded is None or dtype not in DTYPES:
        return None
    # a warp has 8 units: 4 warps make small blocks, many of which work side by side; 8 warps fill a multiprocessor
    small = padded // 32 <= 8 and -(-rows // ROWS) * (padded // 32) <= 2 * PROCESSORS
    warps = 4 if small or padded < 64 else 8
    cluster = padded // (8 * warps)
    plan = Plan(padded, cluster, warps, PIECES // 2, 0, cell)
    return plan._replace(kept_back=max(1, PIECES // plan.tiles))


def lstm(
    inputs: Array,
    h: Array,
    c: Array,
    kernel: Array,
    recurrent_kernel: Array,
    bias: Array,
    plan: Plan,
    mask: Array | None = None,
) -> Outputs:
    """As `recurrent.lstm`: inputs (B, T, F), states (B, H), mask (B, T). Rows and units are padded with zeros to fit."""
    rows, units = h.shape
    h, c = (_padded(state, plan) for state in (h, c))
    gates = _gates(inputs, kernel.reshape(-1, 4, units), bias.reshape(4, units), plan)
    if mask is not None:
        gates = _hold(gates, mask, 1)
    sequence, h, c = lstm_whole(gates, h, c, _wide(recurrent_kernel.reshape(units, 4, units), plan), plan, mask is not None)
    return Outputs(sequence[:, :rows, :units].swapaxes(0, 1), (h[:rows, :units], c[:rows, :units]))


def gru(
    inputs: Array, h: Array, kernel: Array, recurrent_kernel: Array, bias: Array, plan: Plan, mask: Array | None = None
) -> Outputs:
    """As `recurrent.gru` with the reset gate after the product. Rows and units are padded with zeros to fit."""
    rows, units = h.shape
    kernel, recurrent_kernel = kernel.reshape(-1, 3, units), recurrent_kernel.reshape(units, 3, units)
    of_inputs, of_state = bias.reshape(2, 3, units)
    kernel = jnp.stack([kernel[:, 0], kernel[:, 1], jnp.zeros_like(kernel[:, 2]), kernel[:, 2]], 1)
    biases = jnp.stack([of_inputs[0] + of_state[0], of_inputs[1] + of_state[1], of_state[2], of_inputs[2]])
    gates = _gates(inputs, kernel, biases, plan)
    if mask is not None:
        gates = _hold(gates, mask, 0)
    recurrent_kernel = jnp.pad(recurrent_kernel, ((0, 0), (0, 1), (0, 0)))
    sequence, h = gru_whole(gates, _padded(h, plan), _wide(recurrent_kernel, plan), plan)
    return Outputs(sequence[:, :rows, :units].swapaxes(0, 1), (h[:rows, :units],))


def _padded(state: Array, plan: Plan) -> Array:
    rows, units = state.shape
    return jnp.pad(state, ((0, -rows % ROWS), (0, plan.units - units)))


def _gates(inputs: Array, kernel: Array, bias: Array, plan: Plan) -> Array:
    """The part of the gates that comes from the inputs, (T, B, H, 4); kernel (F, 4, units), bias (4, units)."""
    inputs = jnp.pad(inputs, ((0, -len(inputs) % ROWS), (0, 0), (0, 0)))
    flat = project(inputs, _by_unit(kernel, plan), _by_unit(bias[None], plan)[0])
    return flat.reshape(*flat.shape[:2], plan.units, 4)


def _by_unit(weights: Array, plan: Plan) -> Array:
    """(n, 4, units), gate by gate, as (n, 4H), unit by unit."""
    wider = plan.units - weights.shape[2]
    return jnp.pad(weights, ((0, 0), (0, 0), (0, wider))).swapaxes(1, 2).reshape(len(weights), -1)


def _wide(recurrent_kernel: Array, plan: Plan) -> Array:
    """(units, 4, units) as (H, 4H)."""
    wider = plan.units - len(recurrent_kernel)
    return jnp.pad(recurrent_kernel, ((0, wider), (0, 0), (0, wider))).reshape(plan.units, 4 * plan.units)


def _hold(gates: Array, mask: Array, gate: int) -> Array:
    """Gates (T, B, H, 4) with `MASKED` in the place of `gate` where the mask (rows, T) is False."""
    valid = jnp.pad(mask.astype(bool).T, ((0, 0), (0, gates.shape[1] - len(mask))), constant_values=True)[..., None, None]
    held = jnp.zeros(4, gates.dtype).at[gate].set(MASKED)
    return jnp.where(valid, gates, held)


# -- with derivatives
@functools.partial(jax.custom_vjp, nondiff_argnums=(4, 5))
def lstm_whole(z: Array, h: Array, c: Array, kernel: Array, plan: Plan, masked: bool = False) -> tuple[Array, Array, Array]:
    """As `recurrent.lstm_loop`, but z is (T, B, H, 4), and holds the mask (`MASKED`); kernel (H, 4H) as Keras has it."""
    hs, cs, _ = _forward(z, h, c, kernel, plan, masked, saves=False)
    return hs, hs[-1], cs[-1]


def _forward(z: Array, h: Array, c: Array, kernel: Array, plan: Plan, masked: bool, saves: bool) -> list[Array]:
    states = jax.ShapeDtypeStruct(z.shape[:-1], z.dtype)
    none = jax.ShapeDtypeStruct((1,), z.dtype)
    gates = jax.ShapeDtypeStruct(z.shape, z.dtype) if saves else none
    outputs = (states, none if plan.cell == "GRU" else states, gates)
    weights = pack_forward(kernel, z.dtype)
    return run("lstm_forward", plan, saves, masked, outputs, z, h.astype(z.dtype), c.astype(z.dtype), weights)


def _lstm_saving(z: Array, h: Array, c: Array, kernel: Array, plan: Plan, masked: bool) -> tuple[Any, Any]:
    hs, cs, gates = _forward(z, h, c, kernel, plan, masked, saves=True)
    return (hs, hs[-1], cs[-1]), (h, c, kernel, hs, cs, gates)


def _lstm_backward(plan: Plan, masked: bool, saved: Any, gradients: Any) -> tuple[Array, Array, Array, Array]:
    h0, c0, kernel, hs, cs, gates = saved
    dtype = hs.dtype
    d_hs, d_h, d_c = (gradient.astype(dtype) for gradient in gradients)
    states = jax.ShapeDtypeStruct(h0.shape, dtype)
    weights = pack_backward(kernel, dtype, plan.cluster)
    outputs = (jax.ShapeDtypeStruct(gates.shape, dtype), states, states)
    given = (gates, cs, c0.astype(dtype), d_hs, d_h, d_c, weights)
    d_z, d_h0, d_c0 = run("lstm_backward", plan, True, masked, outputs, *given)
    return d_z, d_h0.astype(h0.dtype), d_c0.astype(c0.dtype), _of_kernel(h0, hs, d_z, kernel)


lstm_whole.defvjp(_lstm_saving, _lstm_backward)


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def gru_whole(z: Array, h: Array, kernel: Array, plan: Plan) -> tuple[Array, Array]:
    """Return all outputs (T, B, H) and the last; z is (T, B, H, 4), the kernel (H, 4H) with zeros for the last gate."""
    hs = _forward(z, h, h, kernel, plan, masked=False, saves=False)[0]
    return hs, hs[-1]


def _gru_saving(z: Array, h: Array, kernel: Array, plan: Plan) -> tuple[Any, Any]:
    hs, _, gates = _forward(z, h, h, kernel, plan, masked=False, saves=True)
    return (hs, hs[-1]), (h, kernel, hs, gates)


def _gru_backward(plan: Plan, saved: Any, gradients: Any) -> tuple[Array, Array, Array]:
    h0, kernel, hs, gates = saved
    dtype = hs.dtype
    d_hs, d_h = (gradient.astype(dtype) for gradient in gradients)
    weights = pack_backward(kernel, dtype, plan.cluster)
    outputs = [jax.ShapeDtypeStruct(shape, dtype) for shape in (gates.shape, h0.shape, (1,))]
    given = (gates, hs, h0.astype(dtype), d_hs, d_h, d_h, weights)
    d_z, d_h0, _ = run("lstm_backward", plan, True, False, tuple(outputs), *given)
    return d_z, d_h0.astype(h0.dtype), _of_kernel(h0, hs, d_z, kernel)


gru_whole.defvjp(_gru_saving, _gru_backward)


def _of_kernel(h0: Array, hs: Array, d_z: Array, kernel: Array) -> Array:
    """The gradient of the recurrent kernel (H, 4H)."""
    units = hs.shape[-1]
    found = outer(h0, hs, d_z.reshape(*hs.shape[:2], 4 * units)).reshape(units, units, 4).swapaxes(1, 2)
    return found.reshape(kernel.shape).astype(kernel.dtype)


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
def run(name: str, plan: Plan, saves: bool, masked: bool, outputs: tuple[Any, ...], *inputs: Array) -> list[Array]:
    """Starts a kernel of `kernels/lstm.cu`. Its parameters are the inputs, steps and rows, and the outputs."""
    from jaxlib import gpu_triton

    steps, rows = inputs[0].shape[:2]
    dtype = inputs[0].dtype
    memory = plan.forward_bytes() if name == "lstm_forward" else plan.backward_bytes()
    kernel = gpu_triton.TritonKernel(
        name, plan.warps, plan.cluster, memory, _ptx(name, plan, dtype.name, saves, masked), "", CAPABILITY
    )
    parameters = [
        *(gpu_triton.create_array_parameter(0, 16) for _ in inputs),
        *(gpu_triton.create_scalar_parameter(size, "i32") for size in (steps, rows)),
        *(gpu_triton.create_array_parameter(0, 16) for _ in outputs),
    ]
    started = gpu_triton.TritonKernelCall(kernel, rows // ROWS, 1, 1, parameters)
    return list(jax.ffi.ffi_call(CALL, outputs)(*inputs, opaque=zlib.compress(started.to_proto(name, b""))))


@functools.cache
def _ptx(name: str, plan: Plan, dtype: str, saves: bool, masked: bool) -> str:
    macros = {
        name.upper(): 1, "UNITS": plan.units, "CLUSTER": plan.cluster, "WARPS": plan.warps, "TILES": ROWS // 8,
        "KEPT": plan.kept if name == "lstm_forward" else plan.kept_back,
        "BFLOAT": int(dtype == "bfloat16"), "SAVES": int(saves), "MASKED": int(masked), "GRU": int(plan.cell == "GRU"),
    }  # fmt: skip
    options = [
        f"--gpu-architecture=compute_{CAPABILITY}a",
        "--std=c++17",
        *(f"-D{key}={value}" for key, value in macros.items()),
    ]
    return compiled(SOURCE.read_text(encoding="utf-8"), options)
