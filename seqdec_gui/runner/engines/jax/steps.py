"""The compiled functions of the JAX engine: many training steps, many validation batches, one batch of predictions.

Each runs on every device at once (`shard_map`), on its part of the rows. The number of steps is an argument, not a shape, so
one compilation serves intervals of every length up to `capacity`. With `fixed` the number of steps is the shape: XLA's compiler
for GPUs crashes on reductions between devices inside a loop whose length it does not know
(docs/decisions/0012-fixed-loops-on-gpus.md).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent import futures
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras
from jax import lax
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from seqdec_gui.data.tensor_feeds import TensorFeed
from seqdec_gui.runner.engines.jax.layers import REPLICAS, are_seeds, own_seed, shared_seed
from seqdec_gui.runner.objective import Objective, expand

Array = Any
Arrays = list[Array]
EVERYWHERE = P()
"""Partition of arrays that every device holds whole."""
BY_ROWS = P(None, REPLICAS)
"""Partition of arrays (steps, batch, ...) whose batch is split among the replicas."""
_COMPILER = futures.ThreadPoolExecutor(1, "compiler")
"""The thread that compiles, one function at a time, while `train` waits.

On GPUs XLA times kernels on the devices as it compiles, and other work there would falsify the times (openxla/xla, pull
requests 38882 and 42415).
"""
POLL_S = 0.1
"""Seconds between two calls of `meanwhile` while `Steps.wait` waits for compilations."""


def initialise_collectives(mesh: Mesh) -> futures.Future[float]:
    """Initialise NCCL between the mesh's devices in the background (about 1 s). Returns a future of the device count.

    Compilations that are begun afterwards wait for it.
    """
    total = jax.shard_map(lambda x: lax.psum(x, REPLICAS), mesh=mesh, in_specs=EVERYWHERE, out_specs=EVERYWHERE)
    return _COMPILER.submit(lambda: float(jax.jit(total)(1.0)))


class State(NamedTuple):
    """All variables of the model and its optimizer, in Keras's order."""

    trainable: Arrays
    others: Arrays
    slots: Arrays


class Results(NamedTuple):
    """The results of every step, summed over the replicas.

    `losses` (capacity,); `fractions` (capacity, fractions, 2) has the numerators and the denominators of all metrics.
    """

    losses: Array
    fractions: Array


class Gradients(NamedTuple):
    """Gradients of this replica's part of the loss, the other variables afterwards, the part itself, and its fractions.

    `loss` is without the smoothing of labels; `fractions` (fractions, 2).
    """

    trainable: Arrays
    others: Arrays
    loss: Array
    fractions: Array


Batch = tuple[Arrays, dict[str, Array]]
"""The inputs in the order of the model, and the targets by name."""


def targets_rows(targets: Mapping[str, Array]) -> int:
    """Return the number of rows of the targets."""
    return int(next(iter(targets.values())).shape[0])


class Steps:
    """The compiled functions of one run, for one mesh of devices."""

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.Optimizer,
        objective: Objective,
        feeds: Sequence[TensorFeed],
        mesh: Mesh,
        *,
        resident: bool,
        global_statistics: bool,
        fixed: bool = False,
        rows: P = BY_ROWS,
        micro_batches: int = 1,
    ) -> None:
        """Prepare the functions; nothing is compiled yet.

        Args:
            model: The training model (`program.training_model`).
            optimizer: Built for `model.trainable_variables`.
            objective: The losses and metrics.
            feeds: How the stored arrays become inputs and targets.
            mesh: The devices.
            resident: Whether whole arrays lie on the devices, from which rows are gathered; otherwise batches are passed.
            global_statistics: Whether BatchNormalization takes its moments over the rows of all replicas.
            fixed: Whether the number of steps of a training call is part of its shape.
            rows: The partition of a batch: along which axes of the mesh its rows are split.
            micro_batches: In how many parts each device computes its rows of a training step, one after the other.
        """
        self._model = model
        self._optimizer = optimizer
        self._objective = objective
        self._feeds = tuple(feeds)
        self._mesh = mesh
        self._replicas = mesh.shape[REPLICAS]
        self._resident = resident
        self._fixed = fixed
        self._micro_batches = micro_batches
        self._average_statistics = not global_statistics and self._replicas > 1
        self._is_seed = are_seeds(model)
        self._learning_rate = [v is optimizer.learning_rate for v in optimizer.variables].index(True)
        self._inputs = [tensor.name for tensor in model.inputs]
        data = EVERYWHERE if resident else rows
        in_specs = (EVERYWHERE, data, rows, EVERYWHERE, EVERYWHERE, EVERYWHERE)
        self._training = self._compiled(self._train, in_specs, (EVERYWHERE, EVERYWHERE), donate=(0,))
        self._ahead: dict[tuple[int, ...], futures.Future[Any]] = {}
        """The training functions that are compiled, or being compiled, by the shape of their rows."""
        self.evaluate = _retry_autotuning(
            self._compiled(self._evaluate, (EVERYWHERE, data, rows, rows, EVERYWHERE), EVERYWHERE)
        )
        self.predict = _retry_autotuning(self._compiled(self._predict, (EVERYWHERE, data, rows), P(REPLICAS)))

    def _compiled(self, function: Callable[..., Any], in_specs: Any, out_specs: Any, donate: tuple[int, ...] = ()) -> Any:
        mapped = jax.shard_map(function, mesh=self._mesh, in_specs=in_specs, out_specs=out_specs, check_vma=False)
        return jax.jit(mapped, donate_argnums=donate)

    # -- training calls
    def train(self, *arguments: Any) -> tuple[State, Results]:
        """Run `_train` with these arguments, for whose shapes `compile_ahead` has been called."""
        self.wait()
        return self._ahead[arguments[2].shape].result()(*arguments)

    def wait(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait for all compilations that were begun, and call `meanwhile` ten times a second until they are done.

        The exception of a compilation that failed is raised by the `train` that needs it.
        """
        while futures.wait(self._ahead.values(), POLL_S).not_done:
            meanwhile()

    def compile_ahead(self, calls: Iterable[tuple[Any, ...]]) -> None:
        """Start to compile training calls in the background; returns when all are traced.

        `calls` are arguments of `_train`, or `jax.ShapeDtypeStruct` in their place. Calls whose rows have the same shape are
        compiled once.
        """
        for arguments in calls:
            shape = arguments[2].shape
            if shape not in self._ahead:
                self._ahead[shape] = _COMPILER.submit(_retry_autotuning(self._training.lower(*arguments).compile))

    def compiled_text(self, *arguments: Any) -> str:
        """Return the text of the compiled module that `train` runs with these arguments, in XLA's HLO."""
        ahead = self._ahead.get(arguments[2].shape)
        return str((ahead.result() if ahead else self._training.lower(*arguments).compile()).as_text())

    # -- functions to compile
    def _train(
        self, state: State, data: Mapping[str, Array], rows: Array, count: Array, rates: Array, kl_weights: Array
    ) -> tuple[State, Results]:
        """Take `count` training steps.

        `rows` is (capacity, rows of this replica), `rates` (capacity,), `kl_weights` (capacity, kl_terms).
        """
        summed_denominators = self._denominators(data, rows) if self._fixed else None

        def step(k: Array, carried: tuple[State, Results]) -> tuple[State, Results]:
            state, results = carried
            denominators = None if summed_denominators is None else summed_denominators[k]
            if self._micro_batches > 1:
                computed = self._accumulated(state, data, rows[k], k, denominators, kl_weights[k])
            else:
                computed = self._gradients(state, self._batch(data, rows[k], k), denominators, kl_weights[k])
            gradients, others, loss, fractions = computed
            gradients = self._sum_of_all(gradients)
            slots = list(state.slots)
            slots[self._learning_rate] = rates[k].astype(slots[self._learning_rate].dtype)
            trainable, slots = self._optimizer.stateless_apply(slots, gradients, state.trainable)
            new_state = State(list(trainable), others, list(slots))
            return new_state, Results(results.losses.at[k].set(loss), results.fractions.at[k].set(fractions))

        begin = (state, self._no_results(rows.shape[0]))
        if self._fixed:
            (state, results), _ = lax.scan(lambda carried, k: (step(k, carried), None), begin, jnp.arange(rows.shape[0]))
        else:
            state, results = lax.fori_loop(0, count, step, begin)
        return state._replace(others=self._averaged(state.others)), lax.psum(results, REPLICAS)

    def _evaluate(self, state: State, data: Mapping[str, Array], rows: Array, weights: Array, count: Array) -> Array:
        """Return the fractions of `count` batches at inference, as in `Results`; `weights` has the shape of `rows`."""

        def step(k: Array, fractions: Array) -> Array:
            inputs, targets = self._batch(data, rows[k], k)
            outputs, _ = self._model.stateless_call(state.trainable, state.others, inputs, training=False)
            return fractions.at[k].set(self._fractions(outputs, targets, weights[k]))

        fractions = lax.fori_loop(0, count, step, self._no_results(rows.shape[0]).fractions)
        return lax.psum(fractions, REPLICAS)

    def _predict(self, state: State, data: Mapping[str, Array], rows: Array) -> Arrays:
        """Return the outputs of the model for one line of rows, each (rows of this replica, ...)."""
        inputs, _ = self._batch(data, rows[0], 0)
        outputs, _ = self._model.stateless_call(state.trainable, state.others, inputs, training=False)
        return [output.astype("float32") for output in (outputs if isinstance(outputs, list | tuple) else [outputs])]

    # -- gradients
    def _gradients(self, state: State, batch: Batch, denominators: Array | None, kl_weights: Array) -> Gradients:
        """Return the gradients of the rows of one batch; without `denominators` those of this batch on all replicas count."""
        inputs, targets = batch
        others_before = self._own_seeds(state.others)

        def loss_of(trainable: Arrays) -> tuple[Array, tuple[Arrays, Array, Array]]:
            outputs, others = self._model.stateless_call(trainable, others_before, inputs, training=True)
            fractions = self._fractions(outputs, targets, jnp.ones(targets_rows(targets)))
            over = self._sum_of_all(fractions[:, 1]) if denominators is None else denominators
            return self._loss(fractions, over, kl_weights), (others, fractions, self._plain_loss(fractions, over, kl_weights))

        (_, (others, fractions, loss)), gradients = jax.value_and_grad(loss_of, has_aux=True)(state.trainable)
        return Gradients(gradients, self._shared_seeds(others, state.others), loss, fractions)

    def _accumulated(
        self, state: State, data: Mapping[str, Array], line: Array, k: Array, denominators: Array | None, kl_weights: Array
    ) -> Gradients:
        """Return the gradients of the rows `line`, computed part by part.

        They are those of the whole line, because every part is divided by the denominators of the global batch.
        """
        size = line.shape[0] // self._micro_batches

        def part(i: Array) -> Batch:
            return self._batch(data, lax.dynamic_slice_in_dim(line, i * size, size), k, i * size)

        if denominators is None:
            counts = lax.map(lambda i: self._counts(part(i)), jnp.arange(self._micro_batches))
            denominators = self._sum_of_all(counts.sum(0))

        def add(i: Array, sums: Gradients) -> Gradients:
            more = self._gradients(state._replace(others=sums.others), part(i), denominators, kl_weights)
            return Gradients(
                jax.tree.map(jnp.add, sums.trainable, more.trainable), more.others, sums.loss + more.loss,
                sums.fractions + more.fractions,
            )  # fmt: skip

        nothing = jax.tree.map(jnp.zeros_like, state.trainable)
        names = len(self._objective.names)
        begin = Gradients(nothing, state.others, jnp.zeros(()), jnp.zeros((names, 2)))
        return lax.fori_loop(0, self._micro_batches, add, begin)

    def _counts(self, batch: Batch) -> Array:
        """Return the denominators of this replica's rows, (fractions,)."""
        targets = batch[1]
        return jnp.stack(self._objective.denominators(self._model.outputs, targets, jnp.ones(targets_rows(targets))))

    # -- parts
    def _batch(self, data: Mapping[str, Array], line: Array, k: Array | int, first: Array | None = None) -> Batch:
        """Return the inputs and targets of the rows `line`, gathered by number, or from batch k of those that were passed.

        There they are those from the row `first` on (None: all of them).
        """
        if self._resident:
            arrays = {name: array.at[line].get(mode="promise_in_bounds") for name, array in data.items()}
        else:
            arrays = {name: array[k] for name, array in data.items()}
            if first is not None:
                size = line.shape[0]
                arrays = {name: lax.dynamic_slice_in_dim(array, first, size) for name, array in arrays.items()}
        inputs, targets = expand(self._feeds, arrays)
        return [inputs[name] for name in self._inputs], targets

    def _no_results(self, capacity: int) -> Results:
        return Results(jnp.zeros(capacity), jnp.zeros((capacity, len(self._objective.names), 2)))

    def _fractions(self, outputs: Any, targets: Mapping[str, Array], weights: Array) -> Array:
        """Return the fractions (fractions, 2) over this replica's rows, in the order of `Objective.names`."""
        terms = self._objective.terms(outputs, targets, weights)
        return jnp.stack([jnp.stack(terms[name]) for name in self._objective.names])

    def _denominators(self, data: Mapping[str, Array], rows: Array) -> Array:
        """Return the denominators of all lines, summed over the replicas, (capacity, fractions).

        They depend on the targets alone, so one reduction before the loop replaces one in each step, for which the backward
        pass would have to wait.
        """

        counts = lax.map(lambda k: self._counts(self._batch(data, rows[k], k)), jnp.arange(rows.shape[0]))
        return self._sum_of_all(counts)

    def _loss(self, fractions: Array, denominators: Array, kl_weights: Array) -> Array:
        """Return this replica's part of the loss of the global batch; `denominators` are summed over the replicas."""
        return self._objective.loss(*self._named(fractions, denominators), kl_weights)

    def _plain_loss(self, fractions: Array, denominators: Array, kl_weights: Array) -> Array:
        """Return what `_loss` is without the smoothing of labels."""
        return self._objective.plain_loss(*self._named(fractions, denominators), kl_weights)

    def _named(self, fractions: Array, denominators: Array) -> tuple[dict[str, tuple[Array, Array]], dict[str, Array]]:
        names = self._objective.names
        denominators = lax.stop_gradient(denominators)
        terms = {name: (fractions[i, 0], fractions[i, 1]) for i, name in enumerate(names)}
        return terms, {name: denominators[i] for i, name in enumerate(names)}

    def _sum_of_all(self, tree: Any) -> Any:
        """Return the tree with every array summed over the replicas, in one reduction of one vector."""
        arrays, structure = jax.tree.flatten(tree)
        if self._replicas == 1 or not arrays:  # none, where every block is frozen
            return tree
        vector = lax.psum(jnp.concatenate([array.ravel() for array in arrays]), REPLICAS)
        ends = list(itertools.accumulate(array.size for array in arrays))
        parts = [vector[end - array.size : end].reshape(array.shape) for end, array in zip(ends, arrays, strict=True)]
        return jax.tree.unflatten(structure, parts)

    def _own_seeds(self, others: Arrays) -> Arrays:
        return [own_seed(value) if seed else value for value, seed in zip(others, self._is_seed, strict=True)]

    def _shared_seeds(self, others: Arrays, before: Arrays) -> Arrays:
        pairs = zip(others, before, self._is_seed, strict=True)
        return [shared_seed(value, old) if seed else value for value, old, seed in pairs]

    def _averaged(self, others: Arrays) -> Arrays:
        """Return the variables with local statistics averaged over the replicas.

        Moving averages are linear, so averaging once per call is enough.
        """
        if not self._average_statistics:
            return others
        return [lax.pmean(value, REPLICAS) if jnp.issubdtype(value.dtype, jnp.floating) else value for value in others]


def _retry_autotuning(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls `function` once more if XLA's autotuning fails.

    By chance every kernel that XLA tries may fail (openxla/xla, pull request 42197).
    """

    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except jax.errors.JaxRuntimeError as error:
            if "Autotuning failed" not in str(error):
                raise
            return function(*arguments)

    return call
