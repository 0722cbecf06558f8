"""Masks of padding in the graph of a Keras model: the comparisons that Keras writes beside a layer that masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Node = Any


def masks_of_padding(nodes: Sequence[Node], outputs: Sequence[Any]) -> frozenset[int]:
    """Return the ids of the tensors that say which steps are padding, and of those that they are made of.

    Keras writes `NotEqual(ids, 0)` into a file for the layers behind an `Embedding` with `mask_zero`, and
    `Any(NotEqual(steps, value), axis=-1)` for those behind a `Masking`, since the mask that such a layer passed on is a
    tensor of the model. Without it the layers get the same mask from the layer that made it. Tensors that are used
    otherwise than as a mask are not among them.
    """
    import keras

    of_ids: set[int] = set()
    of_steps: dict[int, float] = {}
    for node in nodes:
        if isinstance(node.operation, keras.layers.Embedding) and node.operation.mask_zero:
            of_ids |= {id(tensor) for tensor in node.input_tensors}
        elif isinstance(node.operation, keras.layers.Masking):
            of_steps |= {id(tensor): node.operation.mask_value for tensor in node.input_tensors}
    masks: set[int] = set()
    parts: set[int] = set()  # comparisons of every number of a step, of which a Masking takes the one that holds
    for node in nodes:
        given, made = node.arguments.args, id(node.output_tensors[0])
        match type(node.operation).__name__:
            case "NotEqual" if len(given) == 2 and isinstance(given[1], int | float):
                if id(given[0]) in of_ids and given[1] == 0:
                    masks.add(made)
                elif of_steps.get(id(given[0])) == given[1]:
                    parts.add(made)
            case "Any" if given and id(given[0]) in parts and _over_features(node.operation):
                masks.add(made)
    masks -= {id(tensor) for tensor in outputs} | _used_otherwise(nodes, masks)
    making = [node for node in nodes if id(node.output_tensors[0]) in masks]
    others = {id(tensor) for node in nodes if node not in making for tensor in node.input_tensors}
    return frozenset(masks | (parts - others - {id(tensor) for tensor in outputs}))


def _used_otherwise(nodes: Sequence[Node], masks: set[int]) -> set[int]:
    """Return the ids of tensors that a layer takes as something else than its mask."""
    used: set[int] = set()
    for node in nodes:
        mask = node.arguments.kwargs.get("mask")
        used |= {id(tensor) for tensor in node.input_tensors if tensor is not mask}
    return used & masks


def _over_features(operation: Any) -> bool:
    axis = operation.axis
    return list(axis if isinstance(axis, list | tuple) else [axis]) == [-1] and not operation.keepdims
