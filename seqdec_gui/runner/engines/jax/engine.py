"""Training on JAX: each device runs its own recurrent kernels, many steps are one call, gradients are summed in one message."""

from __future__ import annotations

import contextlib
import itertools
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
import numpy.typing as npt
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from keras.src.utils import module_utils

from seqdec_gui.runner.engines.base import Engine, Floats, Interval, Rows, Sum
from seqdec_gui.runner.engines.jax import kept_code, whole_probe
from seqdec_gui.runner.engines.jax.cpu_sharding import cores, parts_for
from seqdec_gui.runner.engines.jax.layers import REPLICAS, is_standard_lstm, switch
from seqdec_gui.runner.engines.jax.memory import CHUNK_BYTES, Storage, bytes_per_row, fits
from seqdec_gui.runner.engines.jax.steps import BY_ROWS, EVERYWHERE, Results, State, Steps, introduce
from seqdec_gui.runner.engines.jax.tuning import Tuning
from seqdec_gui.runner.normalization import all_layers
from seqdec_gui.runner.objective import Objective
from seqdec_gui.runner.program import FULL, Program, make_optimizer, training_model
from seqdec_gui.runner.schedule import parts_of

if TYPE_CHECKING:
    from seqdec_gui.data.dataset import Dataset
    from seqdec_gui.runs.spec import DeviceChoice

LINES = 256
"""Most steps of one call on resident data; longer intervals are several calls."""
FIXED_STEPS = 16
"""Steps of a call where each length is a compilation of its own."""
PRECISIONS_OF_WHOLE_LAYERS = (None, "default", "fastest", "bfloat16", "tensorfloat32")
"""Of products in float32: with none higher do the kernels for whole sequences compute as the loops do."""
_CALLS_CUDNN = "jax.experimental.rnn"
"""The only module of JAX that calls cuDNN's recurrent kernels; Keras imports it when it takes them."""
_CUDNN_CALL = re.compile(r'custom_call_target="[^"]*cudnn[^"]*rnn[^"]*"', re.IGNORECASE)
_BACKWARD = re.compile(r"bwd|backprop|backward", re.IGNORECASE)
"""Names of calls that belong to the backward pass."""


class JaxEngine(Engine):
    """`shard_map` over the devices that this process sees (see `runs.environment`).

    `storage` decides where the rows live. `keep_compiled` keeps compiled steps in the user's cache for later runs.
    """

    name = "jax"

    def __init__(
        self,
        program: Program,
        devices: DeviceChoice,
        *,
        exact: bool = False,
        storage: Storage = "auto",
        keep_compiled: bool = True,
        tuning: Tuning | None = None,
    ) -> None:
        super().__init__(program, devices, exact=exact)
        self._tuning = tuning or Tuning()
        self._storage = storage
        self._keep_compiled = keep_compiled
        if exact:
            jax.config.update("jax_default_matmul_precision", "highest")

    # -- life
    def build(self) -> None:
        self._configure()
        self._devices = self._available_devices()
        self._mesh = Mesh(np.array(self._devices), (REPLICAS,))
        if self.devices.kind == "gpu" and self.replicas > 1:
            introduce(self._mesh)
        # the first weights come of dozens of small functions, which XLA compiles for a GPU one by one
        with jax.default_device(jax.local_devices(backend="cpu")[0]):
            self._build()

    def _build(self) -> None:
        self.models = self.program.build_models()
        self.training_model = training_model(self.models, self.program)
        self.optimizer = make_optimizer(self.program.training)
        self.optimizer.build(self.training_model.trainable_variables)
        switch(
            self.models[FULL],
            global_statistics=self.program.global_statistics,
            replicas=self.replicas,
            parts=len(self._devices),
            cudnn=self._tuning.cudnn,
            per_turn=self._tuning.steps_per_turn(self._devices[0].platform),
            whole_layers=self._whole_layers(),
        )

    def _whole_layers(self) -> set[tuple[int, str]]:
        """Units and data types of the LSTMs that run as one kernel each (docs/decisions/0044-whole-sequence-kernels.md)."""
        device, wanted = self._devices[0], self._tuning.whole
        if not self._tuning.tries_whole_layers or self._tuning.cudnn or self.replicas > 1 or not whole_probe.suits(device):
            return set()
        if jax.config.jax_default_matmul_precision not in PRECISIONS_OF_WHOLE_LAYERS:
            return set()
        layers = [(layer.units, layer.compute_dtype) for layer in all_layers(self.models[FULL]) if is_standard_lstm(layer)]
        if wanted:
            return set(layers)
        rows, per_turn = self.program.training.batch_size, self._tuning.steps_per_turn(device.platform)
        return whole_probe.whole_layers(layers, rows, device, per_turn, kept_code.folder() if self._keep_compiled else None)

    def _configure(self) -> None:
        # Keras asks in many places whether TensorFlow is there, by importing it: seconds, and hundreds of megabytes
        module_utils.tensorflow._available = False
        if self._keep_compiled:
            kept_code.keep()

    def _available_devices(self) -> list[Any]:
        """One device per replica; a single CPU is as many as `parts.parts_for` says."""
        wanted = self.replicas
        if self.devices.kind == "cpu":
            wanted = parts_for(self.program, cores()) if wanted == 1 else wanted
            with contextlib.suppress(RuntimeError):  # set already: an engine was here before
                jax.config.update("jax_num_cpu_devices", wanted)
        return jax.devices()[:wanted]

    def start(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._resident = self._storage == "resident" or (self._storage == "auto" and fits(dataset.arrays, self._devices))
        self._objective = Objective(self.program, dataset.wires)
        self._prepare()
        self.load()

    def _prepare(self) -> None:
        """Data and steps for the mesh."""
        dataset = self._dataset
        self._data = jax.device_put(dict(dataset.arrays), self._sharding(EVERYWHERE)) if self.resident else {}
        self._steps = self._steps_on(self._mesh)
        self._steps_apart: Steps | None = None

    def _steps_on(self, mesh: Mesh, rows: P = BY_ROWS) -> Steps:
        """The compiled functions for a mesh; `rows`: along which of its axes a batch is split."""
        return Steps(
            self.training_model, self.optimizer, self._objective, self._dataset.wires, mesh,
            resident=self.resident, global_statistics=self.program.global_statistics, fixed=self._fixed, rows=rows,
        )  # fmt: skip

    @property
    def _fixed(self) -> bool:
        """Whether a compiled loop of training steps has one length (see `steps`)."""
        if self._tuning.fixed is not None:
            return self._tuning.fixed
        return self._devices[0].platform == "gpu" and self._mesh.devices.size > 1

    def _divide(self, batch: int) -> None:
        """See to it that the batch divides by the mesh: cores that share one CPU's batch may become fewer."""
        if batch % self._mesh.devices.size:
            self.sync()
            self._mesh = Mesh(np.array(self._devices[: math.gcd(batch, self._mesh.devices.size)]), (REPLICAS,))
            self._prepare()
            self.load()

    def load(self) -> None:
        model = self.training_model
        values = State(
            *([np.asarray(variable.value) for variable in variables]
              for variables in (model.trainable_variables, model.non_trainable_variables, self.optimizer.variables))
        )  # fmt: skip
        self._state: State = jax.device_put(values, self._sharding(EVERYWHERE))

    def sync(self) -> None:
        model = self.training_model
        kept = (model.trainable_variables, model.non_trainable_variables, self.optimizer.variables)
        for variables, values in zip(kept, self._state, strict=True):
            for variable, value in zip(variables, jax.device_get(values), strict=True):
                variable.assign(value)

    # -- work
    def train(self, rows: Rows, learning_rates: Floats, kl_weights: Floats) -> Interval:
        self._divide(rows.shape[1])
        self._compile(rows.shape[1], [len(rows)])
        rates, factors = np.asarray(learning_rates, "float32"), np.asarray(kl_weights, "float32").reshape(len(rows), -1)
        found: list[tuple[int, Results]] = []
        for first, count, lines, data in self._chunks(rows, self._lengths(rows.shape[1])):
            part = slice(first, first + count)
            size = len(lines)
            given = (data, lines, np.int32(count), _padded(rates[part], size), _padded(factors[part], size))
            self._state, results = self._steps.train(self._state, *given)
            found.append((count, results))
            self._wait_for(found)
        losses = np.concatenate([np.asarray(results.losses)[:count] for count, results in found])
        return Interval(losses, self._sums([np.asarray(results.fractions)[:count] for count, results in found]))

    def evaluate(self, rows: Rows, weights: Floats) -> Mapping[str, Sum]:
        self._divide(rows.shape[1])
        found: list[tuple[int, Any]] = []
        for first, count, lines, data in self._chunks(rows):
            given = _padded(np.asarray(weights[first : first + count], "float32"), len(lines))
            found.append((count, self._steps.evaluate(self._state, data, lines, given, np.int32(count))))
            self._wait_for(found)
        return self._sums([np.asarray(fractions)[:count] for count, fractions in found])

    def predict(self, rows: Rows) -> list[npt.NDArray[np.float32]]:
        size = self.program.training.batch_size
        size += -size % self._mesh.devices.size
        lines = _padded(rows, len(rows) + -len(rows) % size).reshape(-1, size)
        found = []
        for line in lines:
            data = self._data if self.resident else self._sent(line[None], 1)
            found.append([np.asarray(output) for output in self._steps.predict(self._state, data, _int32(line[None]))])
        full = len(self.models[FULL].outputs)  # further outputs are those of the KL terms
        return [np.concatenate([outputs[i] for outputs in found])[: len(rows)] for i in range(full)]

    # -- questions of the probe
    @property
    def resident(self) -> bool:
        return self._resident

    def peak_memory(self) -> int | None:
        if self.devices.kind == "cpu":
            return super().peak_memory()
        peaks = [(device.memory_stats() or {}).get("peak_bytes_in_use") for device in self._devices]
        return max((int(peak) for peak in peaks if peak is not None), default=None)

    def cudnn_layers(self, rows: Rows, learning_rates: Floats, kl_weights: Floats) -> int | None:
        """From the custom calls in the compiled module, which is read only where somebody may have made one."""
        if self.devices.kind == "cpu" or _CALLS_CUDNN not in sys.modules:
            return 0  # reading the compiled step would take a quarter of a second
        return count_cudnn_calls(self._compiled_text(rows, learning_rates, kl_weights))

    def _compiled_text(self, rows: Rows, learning_rates: Floats, kl_weights: Floats) -> str:
        """The compiled module of the first call that `train` would make."""
        (_, count, lines, data), *_ = self._chunks(rows, self._lengths(rows.shape[1]))
        rates, factors = (_padded(values[:count], len(lines)) for values in (learning_rates, kl_weights))
        return self._steps.compiled_text(self._state, data, lines, np.int32(count), rates, factors)

    @contextmanager
    def without_reductions(self) -> Iterator[None]:
        """Trains on a mesh whose axis of replicas is one device long, as often as there are devices: sums over it are none."""
        if self._steps_apart is None:
            apart = Mesh(self._mesh.devices.reshape(1, -1), (REPLICAS, "apart"))
            self._steps_apart = self._steps_on(apart, P(None, (REPLICAS, "apart")))
        with_reductions = self._steps
        self._steps = self._steps_apart
        try:
            yield
        finally:
            self._steps = with_reductions

    # -- compilation
    def compile_ahead(self) -> None:
        batch = self.program.training.batch_size
        self._divide(batch)
        self._compile(batch, self._parts_of_an_epoch())

    def make_ready(self, steps: int, meanwhile: Callable[[], None] = lambda: None) -> bool:
        batch = self.program.training.batch_size
        self._divide(batch)
        self._compile(batch, [steps])
        self._steps.wait(meanwhile)
        return True

    @property
    def fewest_steps(self) -> int:
        return next(iter(self._lengths(self.program.training.batch_size)), 1)

    def _lengths(self, batch: int) -> tuple[int, ...]:
        """Of calls with training steps where they must be exact, longest first: what is left of a part of an epoch is one."""
        if not self._fixed:
            return ()
        longest = min(FIXED_STEPS, self._lines(batch))
        rests = {steps % longest for steps in self._parts_of_an_epoch()}
        return longest, *sorted(rests - {0, 1}, reverse=True), 1

    def _parts_of_an_epoch(self) -> list[int]:
        """How many steps each has."""
        training = self.program.training
        ends = parts_of(max(1, len(self._dataset.training) // training.batch_size), training.mini_epochs)
        return [end - begin for begin, end in itertools.pairwise([0, *ends])]

    def _compile(self, batch: int, stretches: Iterable[int]) -> None:
        """Begin to compile the calls that stretches of so many steps are made of."""
        lengths, most, divergences = self._lengths(batch), self._lines(batch), len(self.program.divergences)

        def like(shape: tuple[int, ...], dtype: Any, spec: Any = None) -> Any:
            return jax.ShapeDtypeStruct(shape, dtype, sharding=None if spec is None else self._sharding(spec))

        def call(size: int) -> tuple[Any, ...]:
            arrays = self._dataset.arrays.items()
            sent = {name: like((size, batch, *array.shape[1:]), array.dtype, BY_ROWS) for name, array in arrays}
            numbers = like((), "int32"), like((size,), "float32"), like((size, divergences), "float32")
            return self._state, self._data if self.resident else sent, like((size, batch), "int32"), *numbers

        sizes: set[int] = set()
        for steps in stretches:
            while steps > 0:
                sizes.add(size := _longest(lengths, steps, most))
                steps -= size * max(1, steps // size)
        self._steps.compile_ahead(call(size) for size in sorted(sizes, reverse=True))

    # -- rows
    def _chunks(self, rows: Rows, lengths: tuple[int, ...] = ()) -> Iterator[tuple[int, int, npt.NDArray[np.int32], Any]]:
        """(first line, how many, all lines of a call, data): calls of one shape, the last one padded, or of exactly these
        lengths, the longest that fits first.
        """
        most, first = self._lines(rows.shape[1]), 0
        while first < len(rows):
            left = len(rows) - first
            size = _longest(lengths, left, most)
            part = rows[first : first + size]
            data = self._data if self.resident else self._sent(part, size)
            yield first, len(part), _int32(_padded(part, size)), data
            first += len(part)

    def _lines(self, batch: int) -> int:
        if self.resident:
            return LINES
        return int(np.clip(CHUNK_BYTES // max(1, batch * bytes_per_row(self._dataset.arrays.values())), 1, LINES))

    def _sent(self, lines: Rows, size: int) -> Any:
        """Copies of the rows on their way to the devices: (size, batch, ...), the batch split among them."""
        arrays = self._dataset.batch(lines.ravel())
        shaped = {name: _padded(a.reshape(*lines.shape, *a.shape[1:]), size) for name, a in arrays.items()}
        return jax.device_put(shaped, self._sharding(BY_ROWS))

    @staticmethod
    def _wait_for(found: list[tuple[int, Any]]) -> None:
        """Let the devices be one call behind, so that rows are prepared while they compute, and no further."""
        if len(found) > 1:
            jax.block_until_ready(found[-2][1])

    # -- results
    def _sums(self, fractions: list[npt.NDArray[np.float32]]) -> dict[str, Sum]:
        totals = np.concatenate(fractions).astype("float64").sum(0)
        return {name: Sum(float(totals[i, 0]), float(totals[i, 1])) for i, name in enumerate(self._objective.names)}

    def _sharding(self, spec: Any) -> NamedSharding:
        return NamedSharding(self._mesh, spec)


def count_cudnn_calls(hlo: str) -> int:
    """Forward calls of cuDNN's recurrent kernels in the text of a compiled module."""
    return sum(not _BACKWARD.search(call) for call in _CUDNN_CALL.findall(hlo))


def _longest(lengths: tuple[int, ...], left: int, most: int) -> int:
    """Of a call: the first of these lengths that is no longer than what is left; `most` where none is."""
    return next((length for length in lengths if length <= min(left, most)), most)


def _int32(rows: Rows) -> npt.NDArray[np.int32]:
    return rows.astype("int32")


def _padded(array: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    """With the last line repeated until there are `size`."""
    missing = size - len(array)
    return array if missing <= 0 else np.concatenate([array, np.repeat(array[-1:], missing, axis=0)])


__all__ = ["JaxEngine"]
