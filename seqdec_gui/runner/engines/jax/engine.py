"""The JAX engine: each device runs its own recurrent kernels, many steps are one call, gradients are reduced once a step."""

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

from seqdec_gui.runner.averages import averages
from seqdec_gui.runner.engines.base import Engine, Floats, Interval, Rows, Sum
from seqdec_gui.runner.engines.jax import compilation_cache, hosts, whole, whole_probe
from seqdec_gui.runner.engines.jax.cpu_sharding import cores, shards_for
from seqdec_gui.runner.engines.jax.layers import REPLICAS, accelerate_layers, whole_layer
from seqdec_gui.runner.engines.jax.memory import CHUNK_BYTES, Storage, bytes_per_row, fits
from seqdec_gui.runner.engines.jax.rematerialisation import rematerialise
from seqdec_gui.runner.engines.jax.steps import BY_ROWS, EVERYWHERE, Results, State, Steps, initialise_collectives
from seqdec_gui.runner.engines.jax.tuning import Tuning
from seqdec_gui.runner.normalization import all_layers
from seqdec_gui.runner.objective import Objective
from seqdec_gui.runner.optimizers import optimizer_for
from seqdec_gui.runner.program import FULL, Program, training_model
from seqdec_gui.runner.schedule import parts_of

if TYPE_CHECKING:
    from seqdec_gui.data.dataset import Dataset
    from seqdec_gui.runs.spec import DeviceChoice

LINES = 256
"""Most steps of one call on resident data; longer intervals are divided into several calls."""
FIXED_STEPS = 16
"""Most steps of one call where each length has to be compiled separately."""
PRECISIONS_OF_WHOLE_LAYERS = (None, "default", "fastest", "bfloat16", "tensorfloat32")
"""Values of `jax_default_matmul_precision` under which kernels for whole sequences are as exact as the loops."""
_CUDNN_MODULE = "jax.experimental.rnn"
"""The only module of JAX that calls cuDNN's recurrent kernels; Keras imports it when it uses them."""
_CUDNN_CALL = re.compile(r'custom_call_target="[^"]*cudnn[^"]*rnn[^"]*"', re.IGNORECASE)
"""A call of one of cuDNN's recurrent kernels in the text of a compiled module."""
_BACKWARD = re.compile(r"bwd|backprop|backward", re.IGNORECASE)
"""Part of the names of calls that belong to the backward pass."""


class JaxEngine(Engine):
    """Trains with `shard_map` over the devices that this process sees (`runs.environment`)."""

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
        """As `Engine`; `storage` says where the rows are stored, `keep_compiled` whether to use the compilation cache."""
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
            initialise_collectives(self._mesh)
        # on the CPU, because XLA would compile the dozens of small functions that draw weights for a GPU one by one
        with jax.default_device(jax.local_devices(backend="cpu")[0]):
            self._build()

    def _build(self) -> None:
        self.models = self.program.build_models()
        self.training_model = training_model(self.models, self.program)
        self.optimizer = optimizer_for(self.program, self.models, self.training_model)
        if self.program.training.rematerialise:
            rematerialise(self.models, self.program.inference)
        accelerate_layers(
            self.models[FULL],
            global_statistics=self.program.global_statistics,
            replicas=self.replicas,
            shards=len(self._devices),
            cudnn=self._tuning.cudnn,
            unroll=self._tuning.unroll_on(self._devices[0].platform),
            whole_layers=self._whole_layers(),
        )

    def _whole_layers(self) -> set[whole.Layer]:
        """Return which recurrent layers run as one kernel each (`whole`)."""
        device, wanted = self._devices[0], self._tuning.whole
        if (
            self.processes > 1
            or not self._tuning.tries_whole_layers(self.replicas)
            or self._tuning.cudnn
            or not whole_probe.suits(device)
        ):
            return set()
        if jax.config.jax_default_matmul_precision not in PRECISIONS_OF_WHOLE_LAYERS:
            return set()
        layers = {suited for layer in all_layers(self.models[FULL]) if (suited := whole_layer(layer)) is not None}
        rows, unroll = self.program.training.rows_at_once // self.replicas, self._tuning.unroll_on(device.platform)
        kept = compilation_cache.cache_folder() if self._keep_compiled else None
        taken = layers if wanted else whole_probe.whole_layers(layers, rows, device, unroll, kept)
        if taken and self.replicas > 1:
            whole_probe.load(taken, rows, self._devices)
        return taken

    def _configure(self) -> None:
        # Keras finds out in many places whether TensorFlow is installed by importing it, which takes seconds and much memory
        module_utils.tensorflow._available = False
        if self._keep_compiled:
            compilation_cache.enable()

    def _available_devices(self) -> list[Any]:
        """Return one device per replica, process by process; for a single CPU as many virtual ones as `shards_for` says."""
        count = self.devices.replicas
        if self.devices.kind == "cpu":
            count = shards_for(self.program, cores()) if count == 1 and self.processes == 1 else count
            with contextlib.suppress(RuntimeError):  # an earlier engine of this process has set it
                jax.config.update("jax_num_cpu_devices", count)
        return hosts.everywhere(count, self.processes)

    def start(self, dataset: Dataset) -> None:
        self._dataset = dataset
        own = [device for device in self._devices if device.process_index == jax.process_index()]
        resident = self._storage == "resident" or (self._storage == "auto" and fits(dataset.arrays, own))
        self._resident = hosts.on_every_host(resident)
        self._objective = Objective(self.program, dataset.feeds)
        self._prepare()
        self.load()

    def renew(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._put_data()

    def _put_data(self) -> None:
        self._data = hosts.placed(dict(self._dataset.arrays), self._sharding(EVERYWHERE)) if self.resident else {}

    def _prepare(self) -> None:
        """Put the data on the devices of the mesh if it is resident, and make the steps for the mesh."""
        self._put_data()
        self._steps = self._steps_on(self._mesh)
        self._unreduced_steps: Steps | None = None

    def _steps_on(self, mesh: Mesh, rows: P = BY_ROWS) -> Steps:
        """Return the compiled functions for a mesh; `rows` is the partition of a batch."""
        return Steps(
            self.training_model, self.optimizer, self._objective, self._dataset.feeds, mesh,
            resident=self.resident, global_statistics=self.program.global_statistics, fixed=self._fixed, rows=rows,
            micro_batches=self.program.training.micro_batches,
        )  # fmt: skip

    @property
    def _fixed(self) -> bool:
        """Whether the number of steps of a training call is fixed when it is compiled (see `steps`)."""
        if self._tuning.fixed is not None:
            return self._tuning.fixed
        return self._devices[0].platform == "gpu" and self._mesh.devices.size > 1

    def _fit_mesh_to(self, batch: int) -> None:
        """Make the mesh smaller where it does not divide the rows that are computed at once.

        Only the shards of a single CPU can become fewer.
        """
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
        self._state: State = hosts.placed(hosts.from_process_zero(values), self._sharding(EVERYWHERE))

    def sync(self) -> None:
        model = self.training_model
        all_variables = (model.trainable_variables, model.non_trainable_variables, self.optimizer.variables)
        for variables, values in zip(all_variables, self._state, strict=True):
            for variable, value in zip(variables, jax.device_get(values), strict=True):
                variable.assign(value)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        numbers = {id(variable): i for i, variable in enumerate(self.optimizer.variables)}
        trained = self._state
        averaged = [trained.slots[numbers[id(average)]] for _, average in averages(self.optimizer)]
        self._state = trained._replace(trainable=averaged)
        try:
            yield
        finally:
            self._state = self._state._replace(trainable=trained.trainable)

    # -- work
    def train(self, rows: Rows, learning_rates: Floats, kl_weights: Floats) -> Interval:
        self._fit_mesh_to(self.rows_at_once(rows.shape[1]))
        self._compile(rows.shape[1], [len(rows)])
        rates = np.asarray(learning_rates, "float32")
        factors = np.asarray(kl_weights, "float32").reshape(len(rows), -1)
        calls: list[tuple[int, Results]] = []
        for first, count, lines, data in self._chunks(rows, self._lengths(rows.shape[1])):
            part = slice(first, first + count)
            size = len(lines)
            numbers = self._numbers(np.int32(count), _padded(rates[part], size), _padded(factors[part], size))
            self._state, results = self._steps.train(self._state, data, self._split(lines), *numbers)
            calls.append((count, results))
            self._wait_for_all_but_last(calls)
        losses = np.concatenate([np.asarray(results.losses)[:count] for count, results in calls])
        return Interval(losses, self._sums([np.asarray(results.fractions)[:count] for count, results in calls]))

    def evaluate(self, rows: Rows, weights: Floats) -> Mapping[str, Sum]:
        self._fit_mesh_to(rows.shape[1])
        calls: list[tuple[int, Any]] = []
        for first, count, lines, data in self._chunks(rows):
            line_weights = _padded(np.asarray(weights[first : first + count], "float32"), len(lines))
            split = self._split(lines), self._split(line_weights)
            calls.append((count, self._steps.evaluate(self._state, data, *split, *self._numbers(np.int32(count)))))
            self._wait_for_all_but_last(calls)
        return self._sums([np.asarray(fractions)[:count] for count, fractions in calls])

    def predict(self, rows: Rows) -> list[npt.NDArray[np.float32]]:
        size = self.program.training.rows_at_once
        size += -size % self._mesh.devices.size
        lines = _padded(rows, len(rows) + -len(rows) % size).reshape(-1, size)
        batches = []
        for line in lines:
            data = self._data if self.resident else self._sent(line[None], 1)
            outputs = self._steps.predict(self._state, data, self._split(_int32(line[None])))
            batches.append([hosts.gathered(output) for output in outputs])
        full = len(self.models[FULL].outputs)  # further outputs are those of the KL terms
        return [np.concatenate([outputs[i] for outputs in batches])[: len(rows)] for i in range(full)]

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
        """Count the custom calls in the compiled module."""
        if self.devices.kind == "cpu" or _CUDNN_MODULE not in sys.modules:
            return 0  # without reading the compiled module, which would take a quarter of a second
        return count_cudnn_calls(self._compiled_text(rows, learning_rates, kl_weights))

    def _compiled_text(self, rows: Rows, learning_rates: Floats, kl_weights: Floats) -> str:
        """Return the text of the compiled module of the first call that `train` would make."""
        (_, count, lines, data), *_ = self._chunks(rows, self._lengths(rows.shape[1]))
        rates, factors = (_padded(values[:count], len(lines)) for values in (learning_rates, kl_weights))
        return self._steps.compiled_text(self._state, data, lines, np.int32(count), rates, factors)

    @contextmanager
    def without_reductions(self) -> Iterator[None]:
        """As `Engine`: trains on a mesh whose axis of replicas has length 1, so that reductions over it do nothing."""
        if self._unreduced_steps is None:
            mesh = Mesh(self._mesh.devices.reshape(1, -1), (REPLICAS, "unreduced"))
            self._unreduced_steps = self._steps_on(mesh, P(None, (REPLICAS, "unreduced")))
        with_reductions = self._steps
        self._steps = self._unreduced_steps
        try:
            yield
        finally:
            self._steps = with_reductions

    # -- compilation
    def compile_ahead(self) -> None:
        batch = self.program.training.batch_size
        self._fit_mesh_to(self.rows_at_once(batch))
        self._compile(batch, self._steps_of_epoch_parts())

    def make_ready(self, steps: int, meanwhile: Callable[[], None] = lambda: None) -> bool:
        batch = self.program.training.batch_size
        self._fit_mesh_to(self.rows_at_once(batch))
        self._compile(batch, [steps])
        self._steps.wait(meanwhile)
        return True

    @property
    def fewest_steps(self) -> int:
        return next(iter(self._lengths(self.program.training.batch_size)), 1)

    def _lengths(self, batch: int) -> tuple[int, ...]:
        """Return the lengths of training calls to compile where lengths are fixed, longest first; otherwise none.

        The steps that the longest call leaves over at the end of a part of an epoch are a length of their own.
        """
        if not self._fixed:
            return ()
        longest = min(FIXED_STEPS, self._lines(batch))
        remainders = {steps % longest for steps in self._steps_of_epoch_parts()}
        return longest, *sorted(remainders - {0, 1}, reverse=True), 1

    def _steps_of_epoch_parts(self) -> list[int]:
        """Return the number of steps of each part of an epoch (mini-epoch)."""
        training = self.program.training
        ends = parts_of(max(1, len(self._dataset.training) // training.batch_size), training.mini_epochs)
        return [end - begin for begin, end in itertools.pairwise([0, *ends])]

    def _compile(self, batch: int, intervals: Iterable[int]) -> None:
        """Start to compile the calls into which intervals of these numbers of steps are divided."""
        lengths = self._lengths(batch)
        most = self._lines(batch)
        kl_terms = len(self.program.kl_terms)

        def like(shape: tuple[int, ...], dtype: Any, spec: Any = None) -> Any:
            return jax.ShapeDtypeStruct(shape, dtype, sharding=None if spec is None else self._sharding(spec))

        def call(size: int) -> tuple[Any, ...]:
            arrays = self._dataset.arrays.items()
            sent = {name: like((size, batch, *array.shape[1:]), array.dtype, BY_ROWS) for name, array in arrays}
            whole, split = (None, None) if self.processes == 1 else (EVERYWHERE, BY_ROWS)
            numbers = like((), "int32", whole), like((size,), "float32", whole), like((size, kl_terms), "float32", whole)
            return self._state, self._data if self.resident else sent, like((size, batch), "int32", split), *numbers

        sizes: set[int] = set()
        for steps in intervals:
            while steps > 0:
                sizes.add(size := _call_length(lengths, steps, most))
                steps -= size * max(1, steps // size)
        self._steps.compile_ahead(call(size) for size in sorted(sizes, reverse=True))

    # -- rows
    def _chunks(self, rows: Rows, lengths: tuple[int, ...] = ()) -> Iterator[tuple[int, int, npt.NDArray[np.int32], Any]]:
        """Yield (first line, number of lines, lines padded to the size of the call, data) for each call.

        The calls have one size, with the last one padded; or with `lengths` exactly these sizes, the longest that fits first.
        """
        most = self._lines(rows.shape[1])
        first = 0
        while first < len(rows):
            left = len(rows) - first
            size = _call_length(lengths, left, most)
            part = rows[first : first + size]
            data = self._data if self.resident else self._sent(part, size)
            yield first, len(part), _int32(_padded(part, size)), data
            first += len(part)

    def _lines(self, batch: int) -> int:
        """Return the most lines (batches) of one call."""
        if self.resident:
            return LINES
        return int(np.clip(CHUNK_BYTES // max(1, batch * bytes_per_row(self._dataset.arrays.values())), 1, LINES))

    def _sent(self, lines: Rows, size: int) -> Any:
        """Start to copy the rows to the devices, (size, batch, ...), each batch split among them; returns the arrays."""
        own = hosts.rows_of_this_process(lines)
        arrays = self._dataset.batch(own.ravel())
        shaped = {name: _padded(a.reshape(*own.shape, *a.shape[1:]), size) for name, a in arrays.items()}
        return hosts.parts_of_all(shaped, self._sharding(BY_ROWS))

    def _split(self, lines: npt.NDArray[Any]) -> Any:
        """Return an array (steps, batch) as a compiled function takes it: one process leaves it to JAX to split it."""
        if self.processes == 1:
            return lines
        return hosts.parts_of_all(hosts.rows_of_this_process(lines), self._sharding(BY_ROWS))

    def _numbers(self, *numbers: Any) -> tuple[Any, ...]:
        """Return arrays that every device takes whole as a compiled function takes them."""
        return numbers if self.processes == 1 else tuple(hosts.placed(numbers, self._sharding(EVERYWHERE)))

    @staticmethod
    def _wait_for_all_but_last(calls: list[tuple[int, Any]]) -> None:
        """Wait until the devices have at most one call to do, so that the next rows are prepared while they compute."""
        if len(calls) > 1:
            jax.block_until_ready(calls[-2][1])

    # -- results
    def _sums(self, fractions: list[npt.NDArray[np.float32]]) -> dict[str, Sum]:
        totals = np.concatenate(fractions).astype("float64").sum(0)
        return {name: Sum(float(totals[i, 0]), float(totals[i, 1])) for i, name in enumerate(self._objective.names)}

    def _sharding(self, spec: Any) -> NamedSharding:
        return NamedSharding(self._mesh, spec)


def count_cudnn_calls(hlo: str) -> int:
    """Return the number of forward calls of cuDNN's recurrent kernels in the text of a compiled module."""
    return sum(not _BACKWARD.search(call) for call in _CUDNN_CALL.findall(hlo))


def _call_length(lengths: tuple[int, ...], left: int, most: int) -> int:
    """Return the steps of the next call: the first of `lengths` that is not more than `left` and `most`, otherwise `most`."""
    return next((length for length in lengths if length <= min(left, most)), most)


def _int32(rows: Rows) -> npt.NDArray[np.int32]:
    return rows.astype("int32")


def _padded(array: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    """Return the array with its last line repeated until it has `size` lines."""
    missing = size - len(array)
    return array if missing <= 0 else np.concatenate([array, np.repeat(array[-1:], missing, axis=0)])


__all__ = ["JaxEngine"]
