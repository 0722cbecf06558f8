"""The functions that are compiled: many training steps in a row, many validation batches, one batch of predictions.

Each runs on every device at once (`shard_map`) over its part of the rows. How many steps are wanted is an argument, not a
shape: one compilation serves intervals of every length up to `capacity`. Where `fixed` is set it is the shape that counts:
XLA's compiler for GPUs crashes on reductions between devices inside a loop whose length it does not know
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

from seqdec_gui.data.wires import Wire
from seqdec_gui.runner.engines.jax.layers import REPLICAS, are_seeds, own_seed, shared_seed
from seqdec_gui.runner.objective import Objective, expand

Array = Any
Arrays = list[Array]
EVERYWHERE, BY_ROWS = P(), P(None, REPLICAS)
_COMPILER = futures.ThreadPoolExecutor(1, "compiler")
"""One at a time, and `train` waits for all: on GPUs XLA tries kernels on the devices as it compiles, and what else runs there
spoils their times (openxla/xla, pull requests 38882 and 42415).
"""
POLL_S = 0.1


def introduce(mesh: Mesh) -> futures.Future[float]:
    """Initialise NCCL between the mesh's devices in the background (about 1 s). Returns a future of the device count.

    What is compiled ahead waits for it.
    """
    total = jax.shard_map(lambda one: lax.psum(one, REPLICAS), mesh=mesh, in_specs=EVERYWHERE, out_specs=EVERYWHERE)
    return _COMPILER.submit(lambda: float(jax.jit(total)(1.0)))


class State(NamedTuple):
    """All variables of the model and its optimizer, in Keras's order."""

    trainable: Arrays
    others: Arrays
    slots: Arrays


class Results(NamedTuple):
    """Per step, summed over the replicas: the loss (capacity,), numerators and denominators (capacity, fractions, 2)."""

    losses: Array
    fractions: Array


class Steps:
    """What is the same for all compiled functions of a run. `resident`: rows are gathered on the devices from whole arrays;
    `rows`: along which axes of the mesh a batch is split.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.Optimizer,
        objective: Objective,
        wires: Sequence[Wire],
        mesh: Mesh,
        *,
        resident: bool,
        global_statistics: bool,
        fixed: bool = False,
        rows: P = BY_ROWS,
    ) -> None:
        self._fixed = fixed
        self._model, self._optimizer, self._objective, self._wires = model, optimizer, objective, tuple(wires)
        self._mesh, self._replicas, self._resident = mesh, mesh.shape[REPLICAS], resident
        self._average_statistics = not global_statistics and self._replicas > 1
        self._is_seed = are_seeds(model)
        self._learning_rate = [v is optimizer.learning_rate for v in optimizer.variables].index(True)
        self._inputs = [tensor.name for tensor in model.inputs]
        data = EVERYWHERE if resident else rows
        given, result = (EVERYWHERE, data, rows, EVERYWHERE, EVERYWHERE, EVERYWHERE), (EVERYWHERE, EVERYWHERE)
        self._training = self._compiled(self._train, given, result, donate=(0,))
        self._ahead: dict[tuple[int, ...], futures.Future[Any]] = {}
        self.evaluate = _patient(self._compiled(self._evaluate, (EVERYWHERE, data, rows, rows, EVERYWHERE), EVERYWHERE))
        self.predict = _patient(self._compiled(self._predict, (EVERYWHERE, data, rows), P(REPLICAS)))

    def _compiled(self, function: Callable[..., Any], given: Any, result: Any, donate: tuple[int, ...] = ()) -> Any:
        mapped = jax.shard_map(function, mesh=self._mesh, in_specs=given, out_specs=result, check_vma=False)
        return jax.jit(mapped, donate_argnums=donate)

    # -- training calls: arguments are those of `_train`, and `compile_ahead` must have seen some like them
    def train(self, *given: Any) -> tuple[State, Results]:
        self.wait()
        return self._ahead[given[2].shape].result()(*given)

    def wait(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Until everything is there that was begun to be compiled, and call `meanwhile` as long as it is not.

        What failed is raised by the call that needs it.
        """
        while futures.wait(self._ahead.values(), POLL_S).not_done:
            meanwhile()

    def compile_ahead(self, calls: Iterable[tuple[Any, ...]]) -> None:
        """Compile for training calls like these in the background.

        Arguments may be `jax.ShapeDtypeStruct`; their rows tell calls apart. Returns when all are traced.
        """
        for given in calls:
            if given[2].shape not in self._ahead:
                self._ahead[given[2].shape] = _COMPILER.submit(_patient(self._training.lower(*given).compile))

    def compiled_text(self, *given: Any) -> str:
        """The compiled module that such a call runs."""
        ahead = self._ahead.get(given[2].shape)
        return str((ahead.result() if ahead else self._training.lower(*given).compile()).as_text())

    # -- compiled
    def _train(
        self, state: State, data: Mapping[str, Array], rows: Array, count: Array, rates: Array, kl_weights: Array
    ) -> tuple[State, Results]:
        """`count` steps; rows (capacity, rows of this replica), rates (capacity,), kl_weights (capacity, divergences)."""
        known = self._denominators(state, data, rows) if self._fixed else None

        def step(k: Array, carried: tuple[State, Results]) -> tuple[State, Results]:
            state, results = carried
            inputs, targets = self._batch(data, rows, k)
            given = self._own_seeds(state.others)

            def loss_of(trainable: Arrays) -> tuple[Array, tuple[Arrays, Array]]:
                outputs, others = self._model.stateless_call(trainable, given, inputs, training=True)
                fractions = self._fractions(outputs, targets, jnp.ones(rows.shape[1]))
                denominators = self._sum_of_all(fractions[:, 1]) if known is None else known[k]
                return self._loss(fractions, denominators, kl_weights[k]), (others, fractions)

            (loss, (others, fractions)), gradients = jax.value_and_grad(loss_of, has_aux=True)(state.trainable)
            gradients = self._sum_of_all(gradients)
            slots = list(state.slots)
            slots[self._learning_rate] = rates[k].astype(slots[self._learning_rate].dtype)
            trainable, slots = self._optimizer.stateless_apply(slots, gradients, state.trainable)
            kept = State(list(trainable), self._shared_seeds(others, state.others), list(slots))
            return kept, Results(results.losses.at[k].set(loss), results.fractions.at[k].set(fractions))

        begin = (state, self._no_results(rows.shape[0]))
        if self._fixed:
            (state, results), _ = lax.scan(lambda carried, k: (step(k, carried), None), begin, jnp.arange(rows.shape[0]))
        else:
            state, results = lax.fori_loop(0, count, step, begin)
        return state._replace(others=self._averaged(state.others)), lax.psum(results, REPLICAS)

    def _evaluate(
        self, state: State, data: Mapping[str, Array], rows: Array, weights: Array, count: Array
    ) -> Array:  # fractions as in Results
        def step(k: Array, found: Array) -> Array:
            inputs, targets = self._batch(data, rows, k)
            outputs, _ = self._model.stateless_call(state.trainable, state.others, inputs, training=False)
            return found.at[k].set(self._fractions(outputs, targets, weights[k]))

        found = lax.fori_loop(0, count, step, self._no_results(rows.shape[0]).fractions)
        return lax.psum(found, REPLICAS)

    def _predict(self, state: State, data: Mapping[str, Array], rows: Array) -> Arrays:
        """Outputs for one line of rows, (rows of this replica, ...)."""
        inputs, _ = self._batch(data, rows, 0)
        outputs, _ = self._model.stateless_call(state.trainable, state.others, inputs, training=False)
        return [output.astype("float32") for output in (outputs if isinstance(outputs, list | tuple) else [outputs])]

    # -- parts
    def _batch(self, data: Mapping[str, Array], rows: Array, k: Array | int) -> tuple[Arrays, dict[str, Array]]:
        """Inputs and targets of line k: gathered by row number, or line k of what was sent."""
        if self._resident:
            arrays = {name: array.at[rows[k]].get(mode="promise_in_bounds") for name, array in data.items()}
        else:
            arrays = {name: array[k] for name, array in data.items()}
        inputs, targets = expand(self._wires, arrays)
        return [inputs[name] for name in self._inputs], targets

    def _no_results(self, capacity: int) -> Results:
        return Results(jnp.zeros(capacity), jnp.zeros((capacity, len(self._objective.names), 2)))

    def _fractions(self, outputs: Any, targets: Mapping[str, Array], weights: Array) -> Array:
        """(fractions, 2) over this replica's rows, in the order of `Objective.names`."""
        terms = self._objective.terms(outputs, targets, weights)
        return jnp.stack([jnp.stack(terms[name]) for name in self._objective.names])

    def _denominators(self, state: State, data: Mapping[str, Array], rows: Array) -> Array:
        """Those of all lines, summed over the replicas, (capacity, fractions).

        They depend on the targets alone, so one message before the loop saves one per step, which the way back would wait for.
        """

        def of_line(k: Array) -> Array:
            inputs, targets = self._batch(data, rows, k)
            shapes, _ = jax.eval_shape(self._model.stateless_call, state.trainable, state.others, inputs)
            nothing = jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), shapes)
            nothing = lax.optimization_barrier(nothing)  # or XLA works out metrics of these constants, for seconds
            return self._fractions(nothing, targets, jnp.ones(rows.shape[1]))[:, 1]

        return self._sum_of_all(lax.map(of_line, jnp.arange(rows.shape[0])))

    def _loss(self, fractions: Array, denominators: Array, kl_weights: Array) -> Array:
        """This replica's part of the loss of the global batch, whose denominators are given."""
        names = self._objective.names
        denominators = lax.stop_gradient(denominators)
        terms = {name: (fractions[i, 0], fractions[i, 1]) for i, name in enumerate(names)}
        return self._objective.loss(terms, {name: denominators[i] for i, name in enumerate(names)}, kl_weights)

    def _sum_of_all(self, tree: Any) -> Any:
        """The sum over the replicas of all arrays of the tree, which travel as one vector."""
        if self._replicas == 1:
            return tree
        arrays, structure = jax.tree.flatten(tree)
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
        """Local statistics, averaged over the replicas: moving averages are linear, so once per call is enough."""
        if not self._average_statistics:
            return others
        return [lax.pmean(value, REPLICAS) if jnp.issubdtype(value.dtype, jnp.floating) else value for value in others]


def _patient(compiling: Callable[..., Any]) -> Callable[..., Any]:
    """Tried once more where every kernel that XLA tries fails, which happens by chance (openxla/xla, pull request 42197)."""

    def tried(*given: Any) -> Any:
        try:
            return compiling(*given)
        except jax.errors.JaxRuntimeError as error:
            if "Autotuning failed" not in str(error):
                raise
            return compiling(*given)

    return tried
