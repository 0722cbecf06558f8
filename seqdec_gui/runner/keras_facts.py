"""What a configuration of Keras 3 says about the ends of a model: which ids enter it, and how its predictions are activated."""

from __future__ import annotations

from typing import Any

Config = dict[str, Any]
_PASSES = ("Dropout", "SpatialDropout1D", "Reshape", "Flatten", "RepeatVector", "Identity")


def embedded_inputs(model: Config) -> list[int | None]:
    """Return for each input of a model how many ids its Embedding knows; None for an input that is not embedded.

    `model` is `{"class_name", "config"}`. Where several layers embed the same ids, the smallest counts.
    """
    config = model["config"]
    if model["class_name"] == "Sequential":
        rows = [row for row in config["layers"] if row["class_name"] != "InputLayer"]
        return [_room(rows[0], 0)] if rows else [None]
    rooms: dict[str, int] = {}
    for row in config["layers"]:
        for node in row["inbound_nodes"]:
            for position, tensor in enumerate(tensors_in(node["args"])):
                room = _room(row, position)
                if room is not None:
                    name = str(tensor[0])
                    rooms[name] = min(room, rooms.get(name, room))
    return [rooms.get(str(end[0])) for end in ends(config["input_layers"])]


def known_ids(model: Any) -> list[int | None]:
    """Return for each input of a Keras model how many ids its Embedding knows; Nones where it cannot be said."""
    import keras

    try:
        return embedded_inputs(keras.saving.serialize_keras_object(model))
    except (KeyError, IndexError, TypeError, ValueError):
        return [None] * len(model.inputs)


def output_activations(model: Config) -> list[str | None]:
    """Return the activation of every output of a model; None where it cannot be said."""
    config = model["config"]
    if model["class_name"] == "Sequential":
        return [_activation(config["layers"], len(config["layers"]) - 1)]
    rows = config["layers"]
    numbers = {row["name"]: number for number, row in enumerate(rows)}
    return [_of_output(rows, numbers, str(end[0]), int(end[2])) for end in ends(config["output_layers"])]


def tensors_in(value: Any) -> list[list[Any]]:
    """Return the references to tensors in an argument, `[layer, call, output]` each, in their order."""
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return [list(value["config"]["keras_history"])]
        return [found for item in value.values() for found in tensors_in(item)]
    if isinstance(value, list | tuple):
        return [found for item in value for found in tensors_in(item)]
    return []


def ends(value: Any) -> list[list[Any]]:
    """Return inputs or outputs of a functional configuration as a list; one alone is written without a list around it."""
    if value and isinstance(value[0], str):
        return [list(value)]
    return [list(item) for item in value]


def _room(row: Config, position: int) -> int | None:
    if row["class_name"] in ("Embedding", "ReversibleEmbedding"):
        return int(row["config"]["input_dim"])
    if row["class_name"] in ("Functional", "Sequential"):
        rooms = embedded_inputs(row)
        return rooms[position] if position < len(rooms) else None
    return None


def _of_output(rows: list[Config], numbers: dict[str, int], name: str, output: int) -> str | None:
    row = rows[numbers[name]]
    if row["class_name"] in ("Functional", "Sequential"):
        inner = output_activations(row)
        return inner[output] if output < len(inner) else None
    if row["class_name"] in _PASSES and row["inbound_nodes"]:
        before = tensors_in(row["inbound_nodes"][0]["args"])
        return _of_output(rows, numbers, str(before[0][0]), int(before[0][2])) if before else None
    return _own_activation(row)


def _activation(rows: list[Config], last: int) -> str | None:
    row = rows[last]
    if row["class_name"] in ("Functional", "Sequential"):
        return output_activations(row)[0]
    if row["class_name"] in _PASSES and last:
        return _activation(rows, last - 1)
    return _own_activation(row)


def _own_activation(row: Config) -> str | None:
    config = row["config"]
    if row["class_name"] == "TimeDistributed":
        return _own_activation(config["layer"])
    if row["class_name"] == "ReversibleEmbedding":
        return "linear"
    if row["class_name"] == "Softmax":
        return "softmax"
    if row["class_name"] in ("Dense", "Conv1D", "Activation"):
        value = config.get("activation", "linear")
        return value if isinstance(value, str) else None
    return None
