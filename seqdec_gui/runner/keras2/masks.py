"""Masks of padding that Keras 2 hands to a recurrent layer with initial states, and Keras 3 does not.

Keras 2 passes the mask of the sequence on, whatever else a layer is given. In Keras 3 a layer that is called with two tensors
(a sequence and `initial_state`) gets a mask for neither, so that the same model would read the padding. The mask is therefore
computed once more, by `NotEqual` from the ids or numbers that the masked layer was given, and passed as the argument `mask`.

Likewise for sequences with different masks that are concatenated feature by feature: in Keras 2 a step counts where it counts
in all of them, in Keras 3 where it counts in one. The concatenation becomes an operation, which has no mask, and the
layers after it are given that of Keras 2.
"""

from __future__ import annotations

from typing import Any

from seqdec_gui.runner.keras2.layers import Config, refused

_KEEP_MASK = frozenset({
    "Activation", "ActivityRegularization", "AlphaDropout", "BatchNormalization", "Dense", "Dropout", "ELU", "GaussianDropout",
    "GaussianNoise", "LayerNormalization", "LeakyReLU", "PReLU", "ReLU", "Rescaling", "Softmax", "SpatialDropout1D",
    "TimeDistributed", "UnitNormalization", "LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional",
})  # fmt: skip
"""Layers whose first output has the mask of the input."""
_RNN = ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional")


_TAKE_MASK = (*_RNN, "GlobalAveragePooling1D")
"""Layers whose result depends on the mask, and that take it as the argument `mask`."""
_USE_MASK = ("Attention", "AdditiveAttention", "MultiHeadAttention", "Softmax", "Functional", "Sequential")
"""Further layers whose result may depend on a mask."""
_MERGES = ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")
Source = tuple[str, int]
"""A layer that makes a mask, and the number of its call."""


class MaskTracer:
    """Adds the masks to the calls of one graph."""

    def completed(self, layers: list[Config]) -> list[Config]:
        """Add `mask` to every call of a recurrent layer with initial states and a masked sequence; returns layers to add."""
        by_name = {layer["name"]: layer for layer in layers}
        added: dict[str, Config] = {}
        self._carry_over_concatenations(layers, by_name, added)
        for layer in layers:
            if layer["class_name"] not in _RNN:
                continue
            for node in layer["inbound_nodes"]:
                keywords = node["kwargs"]
                if "initial_state" not in keywords or "mask" in keywords:
                    continue
                source = self._masked_by(node["args"][0], by_name)
                if source is not None:
                    keywords["mask"] = self._mask(source, by_name, added)
        return list(added.values())

    def _carry_over_concatenations(self, layers: list[Config], by_name: dict[str, Config], added: dict[str, Config]) -> None:
        """Give the layers after a concatenation of different masks the one of Keras 2. Raises InvalidInput."""
        mixed = {layer["name"]: sources for layer in layers if len(sources := self._mixed(layer, by_name))}
        for layer in layers if mixed else []:
            for node in layer["inbound_nodes"]:
                given = node["args"][0] if node["args"] else []
                for tensor in given if isinstance(given, list) else [given]:
                    after = self._after(tensor, mixed, by_name)
                    if after is None:
                        continue
                    if layer["class_name"] in _TAKE_MASK:
                        node["kwargs"].setdefault("mask", self._all(mixed[after], after, by_name, added))
                    elif layer["class_name"] in _USE_MASK + _MERGES:
                        hint = "Mask the merged sequence by a Masking layer after the merge."
                        raise refused(after, f"merges sequences with different masks, which {layer['name']} uses", hint)
        for name in mixed:
            layer = by_name[name]
            (node,) = layer["inbound_nodes"]
            layer.update(_operation("Concatenate", name, {"axis": layer["config"].get("axis", -1)}, node["args"]))

    def _mixed(self, layer: Config, by_name: dict[str, Config]) -> tuple[Source, ...]:
        """Return what makes the masks of a concatenation of features; empty where Keras 3 computes the mask of Keras 2."""
        is_one = layer["class_name"] == "Concatenate" and not str(layer.get("module", "")).startswith("keras.src.ops.")
        if not is_one or len(layer["inbound_nodes"]) != 1 or layer["config"].get("axis", -1) not in (-1, 2):
            return ()
        tensors = layer["inbound_nodes"][0]["args"][0]
        if not isinstance(tensors, list) or any(tensor["config"]["keras_history"][0] not in by_name for tensor in tensors):
            return ()
        found = [self._masked_by(tensor, by_name) for tensor in tensors]
        sources = tuple(dict.fromkeys(source for source in found if source is not None))
        return sources if len(sources) > 1 or (sources and None in found) else ()

    def _after(self, tensor: Any, mixed: dict[str, Any], by_name: dict[str, Config]) -> str | None:
        """Return the concatenation whose mask a tensor has; None for another one."""
        passed: set[tuple[str, int]] = set()
        while isinstance(tensor, dict) and "keras_history" in tensor.get("config", {}):
            name, node, output = tensor["config"]["keras_history"]
            layer = by_name[name]
            if name in mixed or (name, node) in passed:
                return name if name in mixed else None
            passed.add((name, node))
            class_name = layer["class_name"]
            keeps = class_name in _KEEP_MASK and not output and layer["inbound_nodes"]
            if not keeps or (class_name in _RNN and not _gives_sequences(layer)):
                return None
            tensor = layer["inbound_nodes"][node]["args"][0]
        return None

    def _all(self, sources: tuple[Source, ...], name: str, by_name: dict[str, Config], added: dict[str, Config]) -> Config:
        """Return the mask of the steps that count in all sources, as an argument."""
        mask = self._mask(sources[0], by_name, added)
        for number, source in enumerate(sources[1:], 1):
            label = f"{name}_mask_all_{number}"
            added.setdefault(label, _operation("LogicalAnd", label, {}, [mask, self._mask(source, by_name, added)]))
            mask = _output(label)
        return mask

    def _masked_by(self, tensor: Any, by_name: dict[str, Config]) -> tuple[str, int] | None:
        """Return the layer, and the number of its call, that makes the mask of a tensor; None without a mask."""
        passed: set[tuple[str, int]] = set()
        while True:
            name, node, output = tensor["config"]["keras_history"]
            if (name, node) in passed:
                return None  # a circle, which Keras refuses
            passed.add((name, node))
            layer = by_name[name]
            class_name = layer["class_name"]
            if str(layer.get("module", "")).startswith("keras.src.ops."):
                return None  # an operation passes no mask on, in either version
            if class_name == "Embedding":
                return (name, node) if layer["config"].get("mask_zero") else None
            if class_name == "Masking":
                return name, node
            if class_name in ("Functional", "Sequential"):
                if _may_mask(layer):
                    hint = "Build the masked layers and the recurrent layer in one model, and save that."
                    raise refused(name, "is a model that masks padding for a recurrent layer with initial states", hint)
                return None
            if class_name in _MERGES:
                inputs = layer["inbound_nodes"][node]["args"][0]
                if any(self._masked_by(item, by_name) for item in (inputs if isinstance(inputs, list) else [inputs])):
                    hint = "Mask the merged sequence by a Masking layer after the merge."
                    raise refused(name, "merges masked sequences for a recurrent layer with initial states", hint)
                return None
            if class_name not in _KEEP_MASK or output or not layer["inbound_nodes"]:
                return None
            if class_name in _RNN and not _gives_sequences(layer):
                return None
            tensor = layer["inbound_nodes"][node]["args"][0]

    def _mask(self, source: tuple[str, int], by_name: dict[str, Config], added: dict[str, Config]) -> Config:
        """Return the mask as an argument; the layers that compute it are added once."""
        name, node = source
        layer = by_name[name]
        given = layer["inbound_nodes"][node]["args"][0]
        label = f"{name}_mask" if node == 0 else f"{name}_mask_{node}"
        value = 0 if layer["class_name"] == "Embedding" else layer["config"].get("mask_value", 0.0)
        added.setdefault(label, _operation("NotEqual", label, {}, [given, value]))
        if layer["class_name"] == "Masking":
            each, label = label, f"{label}_any"
            added.setdefault(label, _operation("Any", label, {"axis": -1, "keepdims": False}, [_output(each)]))
        return _output(label)


def _operation(class_name: str, name: str, config: Config, arguments: list[Any]) -> Config:
    return {
        "module": "keras.src.ops.numpy", "class_name": class_name, "registered_name": class_name, "name": name,
        "config": config | {"name": name}, "inbound_nodes": [{"args": arguments, "kwargs": {}}],
    }  # fmt: skip


def _output(name: str) -> Config:
    config = {"shape": [], "dtype": "bool", "keras_history": [name, 0, 0]}
    return {"class_name": "__keras_tensor__", "config": config}


def _gives_sequences(layer: Config) -> bool:
    config = layer["config"].get("layer", layer)["config"]
    return bool(config.get("return_sequences"))


def _may_mask(model: Config) -> bool:
    todo: list[Any] = [model]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            if item.get("class_name") == "Masking" or item.get("mask_zero"):
                return True
            todo += item.values()
        elif isinstance(item, list):
            todo += item
    return False
