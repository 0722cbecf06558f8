"""What a probe reads off an engine: kernels, memory, and the same step without its reductions.

Knows the inside of both engines. What it does not find there it gives as None, and the tests with real engines notice.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdec_gui.runner.engines.base import Engine, Floats, Rows

if TYPE_CHECKING:
    import keras

_CUDNN_CALL = re.compile(r'custom_call_target="[^"]*cudnn[^"]*rnn[^"]*"', re.IGNORECASE)
_CALLS_CUDNN = "jax.experimental.rnn"
"""The only module of JAX that makes such calls; Keras imports it when it takes this way."""
_BACKWARD = re.compile(r"bwd|backprop|backward", re.IGNORECASE)


# -- kernels
def recurrent_layers(model: keras.Model) -> int:
    """LSTM, GRU and simple recurrent layers, each direction counted."""
    import keras

    from seqdec_gui.runner.normalization import all_layers

    kinds = keras.layers.LSTM | keras.layers.GRU | keras.layers.SimpleRNN
    return sum(isinstance(layer, kinds) for layer in all_layers(model))


def cudnn_layers(engine: Engine, rows: Rows, rates: Floats, kl_weights: Floats) -> int | None:
    """How many recurrent layers the compiled training step gives to cuDNN; None where that cannot be read off.

    JAX: custom calls in the compiled HLO. TensorFlow: CudnnRNN operations in the graph with all its functions.
    """
    if engine.devices.kind != "gpu":
        return 0
    if engine.name == "jax":
        if _CALLS_CUDNN not in sys.modules:
            return 0  # reading the compiled step would take a quarter of a second
        return count_cudnn_calls(_compiled_text(engine, rows, rates, kl_weights))
    traced: Any = getattr(engine, "_train", None)
    functions: list[Any] = getattr(traced, "_list_all_concrete_functions", list)()
    return count_cudnn_operations(functions[0].graph.as_graph_def(), engine.replicas) if functions else None


def count_cudnn_calls(hlo: str) -> int:
    """Forward calls of cuDNN's recurrent kernels in the text of a compiled module."""
    return sum(not _BACKWARD.search(call) for call in _CUDNN_CALL.findall(hlo))


def count_cudnn_operations(graph: Any, replicas: int) -> int:
    """Forward operations of cuDNN in a GraphDef, per replica."""
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    count = sum(node.op.startswith("CudnnRNN") and not _BACKWARD.search(node.op) for node in nodes)
    return -(-count // replicas)


def _compiled_text(engine: Any, rows: Rows, rates: Floats, kl_weights: Floats) -> str:
    from seqdec_gui.runner.engines.jax.engine import _padded

    (_, count, lines, data), *_ = engine._chunks(rows, engine._lengths(rows.shape[1]))
    padded = [_padded(values, len(lines)) for values in (rates, kl_weights)]
    return str(engine._steps.compiled_text(engine._state, data, lines, np.int32(count), *padded))


# -- memory
def peak_memory(engine: Engine) -> int | None:
    """Most bytes in use so far: on the fullest GPU, or of this process."""
    if engine.devices.kind == "cpu":
        return peak_of_process()
    if engine.name == "jax":
        import jax

        peaks = [(device.memory_stats() or {}).get("peak_bytes_in_use") for device in jax.devices()]
    else:
        import tensorflow as tf

        devices = range(engine.replicas)
        peaks = [tf.config.experimental.get_memory_info(f"GPU:{number}")["peak"] for number in devices]
    known = [int(peak) for peak in peaks if peak is not None]
    return max(known) if known else None


def peak_of_process(status: Path = Path("/proc/self/status")) -> int | None:
    """Largest resident set of this process, from the kernel."""
    try:
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)


# -- reductions
class WithoutReduction:
    """Within it (it can be entered again and again) the engine's steps sum nothing over the devices, moments included.

    What they compute then is wrong; only their time is of use.
    """

    def __init__(self, engine: Any, wires: Any) -> None:
        from seqdec_gui.runner.normalization import GlobalBatchNormalization, all_layers

        self._engine = engine
        found = [layer for layer in all_layers(engine.training_model) if isinstance(layer, GlobalBatchNormalization)]
        self._gathers = [(layer, layer._gather) for layer in found]
        self._parts = _jax_without_sums(engine, wires) if engine.name == "jax" else _tensorflow_without_sums(engine)
        self._before: dict[str, Any] = {}

    def __enter__(self) -> None:
        for layer, _ in self._gathers:
            object.__setattr__(layer, "_gather", lambda moments: moments[None])
        self._before = {name: getattr(self._engine, name) for name in self._parts}
        for name, part in self._parts.items():
            setattr(self._engine, name, part)

    def __exit__(self, *_: object) -> None:
        for name, part in self._before.items():
            setattr(self._engine, name, part)
        for layer, gather in self._gathers:
            object.__setattr__(layer, "_gather", gather)


def _jax_without_sums(engine: Any, wires: Any) -> dict[str, Any]:
    """Steps on a mesh whose axis of replicas is one device long, as often as there are devices: sums over it are none."""
    from jax.sharding import Mesh
    from jax.sharding import PartitionSpec as P

    from seqdec_gui.runner.engines.jax.layers import REPLICAS
    from seqdec_gui.runner.engines.jax.steps import Steps

    steps = Steps(
        engine.training_model, engine.optimizer, engine._objective, wires,
        Mesh(engine._mesh.devices.reshape(1, -1), (REPLICAS, "apart")),
        resident=engine.resident, global_statistics=engine.program.global_statistics, fixed=engine._fixed,
        rows=P(None, (REPLICAS, "apart")),
    )  # fmt: skip
    return {"_steps": steps}


def _tensorflow_without_sums(engine: Any) -> dict[str, Any]:
    import tensorflow as tf

    train = tf.function(engine._train_steps, engine._train.input_signature, autograph=False)
    return {"_train": train, "_summed": lambda values: values}
