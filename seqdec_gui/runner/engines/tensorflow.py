"""The TensorFlow engine: one device without a strategy, several under MirroredStrategy, many steps per call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from seqdec_gui.runner.averages import averages
from seqdec_gui.runner.decoding.compiled import Function, MakeFunction, inference_call
from seqdec_gui.runner.engines.base import Engine, Floats, Interval, Rows, Sum
from seqdec_gui.runner.kernels import avoid_cudnn_for_padding
from seqdec_gui.runner.normalization import use_global_moments
from seqdec_gui.runner.objective import Objective, expand
from seqdec_gui.runner.optimizers import optimizer_for
from seqdec_gui.runner.program import Program, training_model
from seqdec_gui.runner.randomness import seed_states

if TYPE_CHECKING:
    from seqdec_gui.data.dataset import Dataset
    from seqdec_gui.data.tensor_feeds import TensorFeed
    from seqdec_gui.runs.spec import DeviceChoice

RESIDENT_BYTES = 2 * 2**30
"""Bytes up to which a dataset is copied to every device; a larger one is sent interval by interval."""
SEED_STRIDE = 0x9E3779B1
"""Distance between the seeds of two replicas: 2**32 divided by the golden ratio keeps them far apart (Knuth, TAOCP 3, 6.4)."""

_BACKWARD = re.compile(r"backprop|backward|bwd", re.IGNORECASE)
"""Part of the names of operations that belong to the backward pass."""

Tensor = Any
Arrays = dict[str, Tensor]
ROWS = "rows"
"""Key of the row numbers in a batch of resident data."""


class Share(NamedTuple):
    """A replica's rows of a batch: their values, or their numbers among the `resident` rows."""

    feeds: Sequence[TensorFeed]
    own: Arrays
    resident: Arrays | None

    def rows(self, part: Tensor | int = 0, parts: int = 1) -> tuple[Arrays, Arrays]:
        """Return the inputs and targets of a part of the rows, by default of all."""
        own = self.own
        if parts > 1:
            size = tf.shape(next(iter(own.values())))[0] // parts
            own = {name: rows[part * size : (part + 1) * size] for name, rows in own.items()}
        arrays = own if self.resident is None else {name: tf.gather(array, own[ROWS]) for name, array in self.resident.items()}
        return expand(self.feeds, arrays)


class TensorFlowEngine(Engine):
    """Trains under `MirroredStrategy` on several GPUs or virtual CPU devices, and directly on a single device."""

    name = "tensorflow"

    def __init__(self, program: Program, devices: DeviceChoice, *, exact: bool = False) -> None:
        super().__init__(program, devices, exact=exact)
        names = _configure(devices)
        tf.config.experimental.enable_tensor_float_32_execution(not exact)
        self._strategy = tf.distribute.MirroredStrategy(names) if len(names) > 1 else None
        self._reduces = True  # False while `without_reductions` is traced and run

    # -- life
    def build(self) -> None:
        keras.utils.set_random_seed(self.program.training.seed)  # TensorFlow's own generators too
        with self._strategy.scope() if self._strategy else nullcontext():
            self.models = self.program.build_models()
            self.training_model = training_model(self.models, self.program)
            self.optimizer = optimizer_for(self.program, self.models, self.training_model)
        if self._strategy:
            # the gradients are reduced before: clipping needs the norm of all, and one reduction is faster than many
            self.optimizer._all_reduce_sum_gradients = lambda pairs: pairs
            if self.program.global_statistics:
                use_global_moments(self.training_model, self._gather)
        self.load()

    def start(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._objective = Objective(self.program, dataset.feeds)
        avoid_cudnn_for_padding(self.models, self.program.design, self.program.inference, dataset)
        self._resident: Arrays | None = None
        if not dataset.fitted.is_rewritten and sum(array.nbytes for array in dataset.arrays.values()) <= RESIDENT_BYTES:
            self._resident = {name: self._on_every_device(array) for name, array in dataset.arrays.items()}
        batches = self._batch_signature()
        self._train = self._train_function()
        self._train_apart = self._train_function()
        self._evaluate = tf.function(self._evaluate_steps, [batches, tf.TensorSpec([None, None], tf.float32)], autograph=False)
        self._predict = tf.function(self._predict_batch, [batches], autograph=False)

    def renew(self, dataset: Dataset) -> None:
        if self.resident:  # the compiled functions hold the arrays
            super().renew(dataset)
        self._dataset = dataset

    def _train_function(self) -> Any:
        """Return the training steps as one function, which is traced at its first call."""
        signature = [self._batch_signature(), tf.TensorSpec([None], tf.float32), tf.TensorSpec([None, None], tf.float32)]
        return tf.function(self._train_steps, signature, autograph=False)

    def train(self, rows: Rows, learning_rates: Floats, kl_weights: Floats) -> Interval:
        self.rows_at_once(rows.shape[1])
        train = self._train if self._reduces else self._train_apart
        results = train(self._batches(rows), tf.constant(learning_rates, tf.float32), tf.constant(kl_weights, tf.float32))
        losses, fractions = np.split(results.numpy(), [1], axis=1)
        return Interval(losses[:, 0], self._sums(fractions))

    def evaluate(self, rows: Rows, weights: Floats) -> Mapping[str, Sum]:
        with self._randomness_kept():
            return self._sums(self._evaluate(self._batches(rows), tf.constant(weights, tf.float32)).numpy())

    def predict(self, rows: Rows) -> list[npt.NDArray[np.float32]]:
        size = min(len(rows), self.program.training.rows_at_once)
        size += -size % self.replicas
        parts: list[list[npt.NDArray[np.float32]]] = []
        for first in range(0, len(rows), size):
            some = rows[first : first + size]
            whole = np.concatenate([some, np.repeat(rows[:1], size - len(some))])
            with self._randomness_kept():
                parts.append([output.numpy()[: len(some)] for output in self._predict(self._batches(whole[None]))])
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]

    def sync(self) -> None:
        """Nothing to do: the Keras variables are the ones that are trained."""

    def load(self) -> None:
        """Give each replica its own stream of random numbers; everything else is in the Keras variables already."""
        for state in seed_states(self.training_model) if self._strategy else ():
            copies = state.value.values
            seed, count = (int(number) for number in copies[0].numpy())
            for replica, copy in enumerate(copies):
                copy.assign(tf.cast([(seed + replica * SEED_STRIDE) % 2**32, count], copy.dtype))

    @contextmanager
    def averaged(self) -> Iterator[None]:
        pairs = list(averages(self.optimizer))
        trained = [tf.identity(variable.value) for variable, _ in pairs]
        for variable, average in pairs:
            variable.assign(average.value)
        try:
            yield
        finally:
            for (variable, _), value in zip(pairs, trained, strict=True):
                variable.assign(value)

    @contextmanager
    def _randomness_kept(self) -> Iterator[None]:
        """Restore the states of the random generators at the end of the context.

        Keras's recurrent layers draw a dropout mask at inference too, without using it, which would move the sequence on.
        """
        copies = [copy for state in seed_states(self.training_model) for copy in getattr(state.value, "values", [state.value])]
        before = [copy.numpy() for copy in copies]
        yield
        for copy, value in zip(copies, before, strict=True):
            copy.assign(value)

    # -- questions of the probe
    @property
    def resident(self) -> bool:
        return self._resident is not None

    def peak_memory(self) -> int | None:
        if self.devices.kind == "cpu":
            return super().peak_memory()
        names = (f"GPU:{number}" for number in range(self.replicas))
        return max(int(tf.config.experimental.get_memory_info(name)["peak"]) for name in names)

    def cudnn_layers(self, rows: Rows, learning_rates: Floats, kl_weights: Floats) -> int | None:
        """Count the CudnnRNN operations in the traced graph and its functions."""
        if self.devices.kind == "cpu":
            return 0
        return count_cudnn_operations(self._train.get_concrete_function().graph.as_graph_def(), self.replicas)

    @contextmanager
    def without_reductions(self) -> Iterator[None]:
        before, self._reduces = self._reduces, False
        try:
            yield
        finally:
            self._reduces = before

    # -- steps, inside tf.function
    def _train_steps(self, batches: Arrays, learning_rates: Tensor, kl_weights: Tensor) -> Tensor:
        """Take the training steps; returns the loss, numerators and denominators of each, (steps, 1 + 2 fractions)."""

        def step(k: Tensor) -> Tensor:
            self.optimizer.learning_rate.assign(learning_rates[k])
            return self._on_replicas(self._train_step, batches, k, kl_weights[k])[0]

        return _repeated(step, tf.shape(learning_rates)[0], 1 + 2 * len(self._objective.names))

    def _train_step(self, share: Share, kl_weights: Tensor) -> Tensor:
        weights = self.training_model.trainable_variables
        parts = self.program.training.micro_batches
        if parts == 1:
            gradients, losses, denominators = self._gradients(share.rows(), None, kl_weights)
        else:
            gradients, losses, denominators = self._accumulated(share, parts, kl_weights)
        *gradients, numerators = self._summed([*gradients, losses])
        self.optimizer.apply(gradients, weights)
        return tf.concat([numerators, denominators], 0)

    def _gradients(
        self, rows: tuple[Arrays, Arrays], denominators: Tensor | None, kl_weights: Tensor
    ) -> tuple[list[Tensor], Tensor, Tensor]:
        """Return the gradients of some rows, their loss and numerators (1 + fractions,), and the denominators (fractions,).

        Without `denominators` those of these rows on all replicas are taken. The loss is without the smoothing of labels.
        """
        weights = self.training_model.trainable_variables
        names = self._objective.names
        inputs, targets = rows
        with tf.GradientTape() as tape:
            outputs = self._call(inputs, training=True)
            terms = self._objective.terms(outputs, targets, tf.ones(tf.shape(outputs[0])[:1]))
            if denominators is None:
                (denominators,) = self._summed([tf.stack([terms[name][1] for name in names])])
            named = dict(zip(names, tf.unstack(denominators, len(names)), strict=True))
            loss = self._objective.loss(terms, named, kl_weights)
        values = [weight.value for weight in weights]
        gradients = tape.gradient(loss, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        gradients = [tf.reshape(gradient, weight.shape) for gradient, weight in zip(gradients, weights, strict=True)]
        plain = self._objective.plain_loss(terms, named, kl_weights)
        return gradients, tf.stack([plain, *(terms[name][0] for name in names)]), denominators

    def _accumulated(self, share: Share, parts: int, kl_weights: Tensor) -> tuple[list[Tensor], Tensor, Tensor]:
        """Return what `_gradients` does, computed part by part.

        It is that of all rows, because every part is divided by the denominators of the global batch.
        """
        count = 1 + len(self._objective.names)

        def counted(i: Tensor) -> Tensor:
            _, targets = share.rows(i, parts)
            weights = tf.ones(tf.shape(next(iter(targets.values())))[:1])
            return tf.stack(self._objective.denominators(self.training_model.outputs, targets, weights))

        (denominators,) = self._summed([tf.reduce_sum(_repeated(counted, tf.constant(parts), count - 1), 0)])

        def add(i: Tensor, sums: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
            gradients, losses, _ = self._gradients(share.rows(i, parts), denominators, kl_weights)
            return i + 1, [total + more for total, more in zip(sums, [*gradients, losses], strict=True)]

        nothing = [tf.zeros(weight.shape, weight.dtype) for weight in self.training_model.trainable_variables]
        _, (*gradients, losses) = tf.while_loop(
            lambda i, _: i < parts, add, (tf.constant(0), [*nothing, tf.zeros(count)]), parallel_iterations=1
        )
        return gradients, losses, denominators

    def _evaluate_steps(self, batches: Arrays, weights: Tensor) -> Tensor:
        """Return the numerators and denominators of each batch at inference, (steps, 2 fractions)."""

        def step(k: Tensor) -> Tensor:
            return self._on_replicas(self._evaluate_step, batches, k, weights[k])[0]

        return _repeated(step, tf.shape(weights)[0], 2 * len(self._objective.names))

    def _evaluate_step(self, share: Share, weights: Tensor) -> Tensor:
        inputs, targets = share.rows()
        terms = self._objective.terms(self._call(inputs, training=False), targets, self._share(weights))
        parts = [terms[name][part] for part in (0, 1) for name in self._objective.names]
        return self._summed([tf.stack(parts)])[0]

    def _predict_batch(self, batches: Arrays) -> list[Tensor]:
        parts = self._on_replicas(self._predict_step, batches, 0)
        return [tf.concat(outputs, 0) for outputs in zip(*parts, strict=True)]

    def _predict_step(self, share: Share) -> list[Tensor]:
        inputs, _ = share.rows()
        return [tf.cast(output, tf.float32) for output in self._call(inputs, training=False)[: len(self.program.losses)]]

    def _call(self, inputs: Arrays, training: bool) -> list[Tensor]:
        model = self.training_model
        outputs = model([inputs[tensor.name] for tensor in model.inputs], training=training)
        return list(outputs) if isinstance(outputs, list | tuple) else [outputs]

    # -- replicas
    def _on_replicas(self, step: Callable[..., Any], batches: Arrays, k: Tensor, *arguments: Tensor) -> Sequence[Any]:
        """Run `step` on every replica's share of batch `k`; returns one result per replica."""
        batch = {name: steps[k] for name, steps in batches.items()}

        def share_of_step(resident: Arrays | None, batch: Arrays, *arguments: Tensor) -> Any:
            own = {name: self._share(rows) for name, rows in batch.items()}
            return step(Share(self._objective.feeds, own, resident), *arguments)

        step_arguments = (self._resident, batch, *arguments)
        if not self._strategy:
            return [share_of_step(*step_arguments)]
        results = self._strategy.run(share_of_step, args=step_arguments)
        if isinstance(results, list):  # a list of distributed values becomes one list per replica
            return list(zip(*map(self._strategy.experimental_local_results, results), strict=True))
        return self._strategy.experimental_local_results(results)

    def _share(self, values: Tensor) -> Tensor:
        """Return this replica's rows of a batch, a contiguous part."""
        if not self._strategy:
            return values
        size = tf.shape(values)[0] // self.replicas
        first = tf.distribute.get_replica_context().replica_id_in_sync_group * size
        return values[first : first + size]

    def _summed(self, values: list[Tensor]) -> list[Tensor]:
        """Return every tensor summed over the replicas, in one reduction of one vector."""
        if not self._strategy or not self._reduces:
            return values
        sizes = [value.shape.num_elements() for value in values]
        joined = tf.concat([tf.reshape(value, [-1]) for value in values], 0)
        total = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, joined)
        return [tf.reshape(part, value.shape) for part, value in zip(tf.split(total, sizes), values, strict=True)]

    def _gather(self, moments: Tensor) -> Tensor:
        """Return the moments (3, channels) of all replicas, (replicas, 3, channels); outside of a replica (1, 3, channels)."""
        context = tf.distribute.get_replica_context()
        if context is None or context.num_replicas_in_sync == 1 or not self._reduces:
            return moments[None]
        slot = tf.one_hot(context.replica_id_in_sync_group, self.replicas, dtype=moments.dtype)
        return context.all_reduce(tf.distribute.ReduceOp.SUM, slot[:, None, None] * moments[None])

    # -- rows
    def _on_every_device(self, array: npt.NDArray[Any]) -> Any:
        if not self._strategy:
            return tf.constant(array)
        return self._strategy.experimental_distribute_values_from_function(lambda _: tf.constant(array))

    def _batches(self, rows: Rows) -> Arrays:
        """Return what a call takes of `rows` (steps, batch): their numbers, or the rows themselves if data is not resident."""
        if self._resident is not None:
            return {ROWS: tf.constant(rows, tf.int32)}
        return {
            name: tf.constant(array.reshape(*rows.shape, *array.shape[1:]))
            for name, array in self._dataset.batch(rows.reshape(-1)).items()
        }

    def _batch_signature(self) -> dict[str, tf.TensorSpec]:
        if self._resident is not None:
            return {ROWS: tf.TensorSpec([None, None], tf.int32)}
        return {
            name: tf.TensorSpec([None, None, *array.shape[1:]], tf.as_dtype(array.dtype))
            for name, array in self._dataset.arrays.items()
        }

    def _sums(self, fractions: npt.NDArray[np.float32]) -> dict[str, Sum]:
        """Return the sums over the steps of fractions (steps, 2 fractions)."""
        totals = fractions.astype(np.float64).sum(axis=0)
        count = len(self._objective.names)
        return {name: Sum(float(totals[i]), float(totals[count + i])) for i, name in enumerate(self._objective.names)}


def _repeated(step: Callable[[Tensor], Tensor], steps: Tensor, width: int) -> Tensor:
    """Call `step(0)`, `step(1)`, ..., one after the other; returns the results as (steps, width)."""
    results = tf.TensorArray(tf.float32, steps, element_shape=(width,))
    _, results = tf.while_loop(
        lambda k, _: k < steps, lambda k, results: (k + 1, results.write(k, step(k))), (0, results), parallel_iterations=1
    )
    return results.stack()


def count_cudnn_operations(graph: Any, replicas: int) -> int:
    """Return the number of forward operations of cuDNN's recurrent kernels in a GraphDef, per replica."""
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    count = sum(node.op.startswith("CudnnRNN") and not _BACKWARD.search(node.op) for node in nodes)
    return -(-count // replicas)


def compiled(model: keras.Model | None, function: MakeFunction, wide: bool = False) -> Function:
    """Compile `function(call)` as `decoding.compiled.compiled` does; one trace serves every number of rows."""
    traced: Function = tf.function(function(inference_call(model)), reduce_retracing=True, autograph=False)
    return traced


def _configure(devices: DeviceChoice) -> list[str]:
    """Prepare the devices, once per process and before TensorFlow uses any; returns their names."""
    if devices.kind == "gpu":
        gpus = tf.config.list_physical_devices("GPU")  # those that CUDA_VISIBLE_DEVICES leaves
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
        return [f"GPU:{number}" for number in range(len(devices.gpus))]
    if devices.count > 1:
        (cpu, *_) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * devices.count)
    return [f"CPU:{number}" for number in range(devices.count)]
