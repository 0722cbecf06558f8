"""One step of a decoder that computes nothing twice: keys and values of attention are kept, and a row's own are computed once.

The step of a kind (`Kind.step_submodel`) is plain layers, which project all that they attend to at every step. Here its
calls are divided. Those that depend on unchanging values alone (a memory, its projection, its mask) are made once for each row,
by `FirstStates`. A MultiHeadAttention that attends to such a value keeps the keys and values of it; one that attends to the
steps so far (`Submodel.caches`) keeps keys and values of these, to which a step adds a row. All other calls are made at every
step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from seqdec_gui.domain.graph import Submodel
from seqdec_gui.runner.decoding.layer_calls import Calls, Node, needed_for

Tensor = Any
LOWEST = -1e30
"""The score of what is not attended to; where nothing is, all steps weigh the same, as in Keras."""


class StepPlan:
    """Which calls of a step are made when, and what is carried from step to step.

    States are, in this order: values of a row that do not change (`carried`), keys and values of attention on such values
    (`shared`), keys and values of the steps so far (`grown`) and their number, and what else changes from step to step
    (`varying`: the values before and after a step).
    """

    def __init__(self, submodel: Submodel) -> None:
        self.calls = calls = Calls(submodel)
        self.predictions, *after = calls.outputs
        before = calls.inputs[1:]
        rows_of = {name: calls.input(variable) for name, variable in submodel.caches}
        unchanged = {value for value, new in zip(before, after, strict=True) if value == new}
        fixed, self.alike = calls.following(unchanged), _alike(calls)
        self.grown = [node for node in calls.nodes if node.name in rows_of]
        self.rows_of = {node.outputs[0]: rows_of[node.name] for node in self.grown}
        kept = unchanged | set(self.rows_of.values())
        self.varying = [(value, new) for value, new in zip(before, after, strict=True) if value not in kept]
        settled = fixed | self.alike

        def used(node: Node) -> Sequence[int]:
            if node.outputs[0] in self.rows_of or (node.attends and fixed.issuperset(node.inputs[1:])):
                return (node.inputs[0], *(value for _, value in node.named))
            return node.used

        ends = [self.predictions, *(new for _, new in self.varying)]
        self.steps, needed = needed_for([node for node in calls.nodes if node.outputs[0] not in settled], ends, used)
        grown = {node.outputs[0] for node in self.grown}
        self.shared = [
            node for node in self.steps if node.attends and node.outputs[0] not in grown and fixed.issuperset(node.inputs[1:])
        ]
        self.same, _ = needed_for(calls.nodes, needed & self.alike, lambda node: node.inputs if not _is_constant(node) else ())
        self.same = [node for node in self.same if node.outputs[0] in self.alike]
        self.carried = sorted((needed & fixed) - self.alike)
        wanted = {value for node in self.shared for value in node.inputs[1:]} | set(self.carried)
        self.first, _ = needed_for([node for node in calls.nodes if node.outputs[0] in fixed], wanted, lambda node: node.used)

    @property
    def saves(self) -> bool:
        """Whether anything is computed once that a step of plain layers computes again; masks of Keras are not carried."""
        masks = any(node.call.layer.type == "Masking" or node.call.layer.flag("mask_zero", False) for node in self.first)
        return bool(self.first or self.shared or self.grown) and not masks

    @property
    def unchanged(self) -> int:
        """How many of the first states do not change from step to step."""
        return len(self.carried) + 2 * len(self.shared)

    def state_shapes(self, step: keras.Model) -> list[tuple[int, ...]]:
        """Return the shapes of the states of one row; lengths that are not known count as 0."""

        def known(value: int) -> tuple[int, ...]:
            return tuple(axis or 0 for axis in self.calls.types[value].shape)

        shapes = [known(value) for value in (*self.carried, *(value for value, _ in self.varying))]
        for nodes, steps_of in (
            (self.shared, lambda node: node.inputs[1]),
            (self.grown, lambda node: self.rows_of[node.outputs[0]]),
        ):
            for node in nodes:
                layer = step.get_layer(node.name)
                shapes += [(layer.num_heads, known(steps_of(node))[0], width) for width in _widths(layer)]
        return shapes


def plan_of(submodel: Submodel) -> StepPlan | None:
    """Return how a step is divided, or None where that saves nothing."""
    plan = StepPlan(submodel)
    return plan if plan.saves else None


class FirstStates(keras.Model):
    """The states before the first step, from the step's inputs but the first: `[*given] -> [*states]`.

    Of these inputs, as many are given as the encoder side has; the others are zeros.
    """

    def __init__(self, plan: StepPlan, step: keras.Model, given: int) -> None:
        super().__init__(name=f"{step.name}_first_states")
        self._plan, self._step_model, self._given = plan, step, given
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> list[Tensor]:
        plan, given = self._plan, list(inputs) if isinstance(inputs, list | tuple) else [inputs]
        rows = ops.shape(given[0])[0]
        values = dict(zip(plan.calls.inputs[1:], given[: self._given], strict=False))
        for node in plan.first:
            node.keep(node.run(self._step_model, values), values)
        states = [values[value] for value in plan.carried]
        for node in plan.shared:
            states += _keys_and_values(self._step_model.get_layer(node.name), [values[value] for value in node.inputs[1:]])
        for node in plan.grown:
            layer, steps = self._step_model.get_layer(node.name), plan.calls.types[plan.rows_of[node.outputs[0]]].shape[0]
            states += [ops.zeros((rows, layer.num_heads, steps, width), "float32") for width in _widths(layer)]
        states += [ops.zeros((rows,), "int32") for _ in plan.grown[:1]]
        for value, _ in plan.varying:
            shape = plan.calls.types[value].shape
            states.append(values[value] if value in values else ops.zeros((rows, *shape), "float32"))
        return states


class CachedStep(keras.Model):
    """A model of one step, `[fed, *states] -> [predictions, *states]`, that begins with `FirstStates`."""

    def __init__(self, plan: StepPlan, step: keras.Model) -> None:
        super().__init__(name=f"{step.name}_cached")
        self._plan, self._step_model = plan, step
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> list[Tensor]:
        plan, (fed, *states) = self._plan, list(inputs)
        carried, rest = states[: len(plan.carried)], states[len(plan.carried) :]
        values = {0: fed} | dict(zip(plan.carried, carried, strict=True))
        kept = {node.outputs[0]: rest[2 * i : 2 * i + 2] for i, node in enumerate([*plan.shared, *plan.grown])}
        unchanged, rest = rest[: 2 * len(plan.shared)], rest[2 * len(kept) :]
        at = rest.pop(0) if plan.grown else None
        values |= {value: state for (value, _), state in zip(plan.varying, rest, strict=True)}
        same: dict[int, Tensor] = {}
        for node in plan.same:
            if _is_constant(node):
                zeros = ops.zeros((1, *plan.calls.types[node.inputs[0]].shape), "float32")
                node.keep(self._step_model.get_layer(node.name)(zeros), same)
            else:
                node.keep(node.run(self._step_model, same), same)
        for node in plan.steps:
            node.keep(self._run(node, values, same, kept, at), values)
        grown = [state for node in plan.grown for state in kept[node.outputs[0]]]
        counted = [] if at is None else [at + 1]
        predictions = self._value(plan.predictions, values, same, fed)
        after = [self._value(new, values, same, fed) for _, new in plan.varying]
        return [predictions, *carried, *unchanged, *grown, *counted, *after]

    def _run(
        self, node: Node, values: dict[int, Tensor], same: dict[int, Tensor], kept: dict[int, list[Tensor]], at: Tensor
    ) -> Any:
        """Return what a call of the step gives; where it attends to the steps so far, `kept` gets the new one."""
        if _multiplies_with_one_table(node, same):
            first, second = node.inputs
            return ops.matmul(values[first], same[second][0])  # one product, in place of one for each row
        for value in node.used:
            if value in same and value not in values:
                values[value] = self._value(value, values, same, values[0])
        if node.outputs[0] not in kept:
            return node.run(self._step_model, values)
        layer, query = self._step_model.get_layer(node.name), values[node.inputs[0]]
        keys, worth = kept[node.outputs[0]]
        if node.outputs[0] in self._plan.rows_of:
            new = _keys_and_values(layer, [query])
            kept[node.outputs[0]] = keys, worth = [
                _with_row(old, row[:, :, -1], at) for old, row in zip((keys, worth), new, strict=True)
            ]
            if query.shape[1] > 1:  # the rows before are the same at every step
                keys, worth = (
                    ops.concatenate([row[:, :, :-1], all_of], axis=2) for row, all_of in zip(new, (keys, worth), strict=True)
                )
        mask = next((values[value] for name, value in node.named if name == "attention_mask"), None)
        return attend(layer, query, keys, worth, mask)

    def _value(self, value: int, values: dict[int, Tensor], same: dict[int, Tensor], fed: Tensor) -> Tensor:
        if value in values:
            return values[value]
        return ops.repeat(same[value], ops.shape(fed)[0], axis=0)


def attend(layer: Any, query: Tensor, keys: Tensor, worth: Tensor, mask: Tensor | None) -> Tensor:
    """Return what a MultiHeadAttention gives for a query `(rows, queries, width)` and projected `(rows, heads, steps, width)`.

    `mask`, `(rows, queries or 1, steps)`, is 0 for what is not attended to.
    """
    asked = ops.transpose(layer.query_dense(query), (0, 2, 1, 3))
    scores = ops.matmul(asked, ops.transpose(keys, (0, 1, 3, 2))) * layer.key_dim**-0.5
    if mask is not None:
        mask = ops.expand_dims(ops.cast(mask, "bool"), 1)
        scores = ops.where(mask, scores, LOWEST)
    weights = ops.exp(scores - ops.max(scores, axis=-1, keepdims=True))  # the softmax of Keras warns of a single step
    weights = weights / ops.sum(weights, axis=-1, keepdims=True)
    if mask is not None and layer.dropout:  # Keras leaves its fused kernel then, and a query that sees nothing gets zeros
        weights = ops.where(mask, weights, 0.0)
    mixed = ops.transpose(ops.matmul(weights, worth), (0, 2, 1, 3))
    return layer.output_dense(mixed)


def _keys_and_values(layer: Any, inputs: list[Tensor]) -> list[Tensor]:
    """Return keys and values `(rows, heads, steps, width)` of a value, or of a value and a key of their own."""
    projected = layer.key_dense(inputs[-1]), layer.value_dense(inputs[0])
    return [ops.transpose(each, (0, 2, 1, 3)) for each in projected]


def _widths(layer: Any) -> tuple[int, int]:
    return layer.key_dim, layer.value_dim


def _with_row(kept: Tensor, row: Tensor, at: Tensor) -> Tensor:
    """Return `(rows, heads, steps, width)` with `(rows, heads, width)` at the step of each row, or at the last one."""
    rows = ops.arange(ops.shape(kept)[0], dtype="int32")
    heads = ops.arange(kept.shape[1], dtype="int32")
    at = ops.minimum(at, kept.shape[2] - 1)
    nothing = ops.zeros_like(at)
    places = ops.stack(
        [
            ops.expand_dims(rows, 1) + ops.expand_dims(0 * heads, 0),
            ops.expand_dims(nothing, 1) + ops.expand_dims(heads, 0),
            ops.expand_dims(at, 1) + ops.expand_dims(0 * heads, 0),
        ],
        axis=-1,
    )
    return ops.scatter_update(kept, ops.reshape(places, (-1, 3)), ops.reshape(row, (-1, kept.shape[3])))


def _is_constant(node: Node) -> bool:
    """Whether a call gives the same for every input: a scale of 0."""
    return node.call.layer.type == "Rescaling" and dict(node.call.layer.arguments).get("scale") == 0.0


def _alike(calls: Calls) -> set[int]:
    """Return the values that are the same in all rows, whatever is fed: the tables that a scale of 0 makes."""
    found: set[int] = set()
    for node in calls.nodes:
        known = all(axis is not None for value in (*node.inputs, *node.outputs) for axis in calls.types[value].shape)
        if known and ((_is_constant(node)) or (node.used and found.issuperset(node.used))):
            found |= set(node.outputs)
    return found


def _multiplies_with_one_table(node: Node, same: dict[int, Tensor]) -> bool:
    """Whether a call is the product of `(rows, steps)` with a table `(steps, width)` that all rows share."""
    layer = node.call.layer
    if layer.type != "Dot" or dict(layer.arguments).get("axes") != 1 or dict(layer.arguments).get("normalize"):
        return False
    first, second = node.inputs
    return first not in same and second in same and len(same[second].shape) == 3
