"""Reads what Keras 2 wrote about a model into its SavedModel: a protocol buffer with JSON texts in it.

Only the wire format of protocol buffers is read (https://protobuf.dev/programming-guides/encoding); no graph is loaded, and
nothing is run. `keras_metadata.pb` (Keras 2.5 to 2.15) has `repeated SavedObject nodes = 1` with the fields `node_path = 3`,
`identifier = 4` and `metadata = 5`; before, the same text stands in `saved_model.pb`, field `metadata` of a `SavedUserObject`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LARGEST_FILE = 512 << 20
"""Most bytes of a file that is read."""
_MODELS = (b"_tf_keras_sequential", b"_tf_keras_network", b"_tf_keras_model")


def keras_metadata(folder: Path) -> dict[str, Any] | None:
    """Return class and configuration of the whole model, as in an `.h5` file; None where the folder holds none."""
    file = folder / "keras_metadata.pb"
    if file.is_file():
        for _, node in _fields(_read(file), 1):
            fields = dict(_fields(node))
            if fields.get(3) == b"root":
                return _model(fields.get(5, b""))
        return None
    return _old(folder / "saved_model.pb")


def _old(file: Path) -> dict[str, Any] | None:
    """Return the model of `saved_model.pb`: meta_graphs(2).object_graph_def(7).nodes(1)[0].user_object(4)."""
    for _, graph in _fields(_read(file), 2):
        for _, objects in _fields(graph, 7):
            for _, node in _fields(objects, 1):
                for _, user in _fields(node, 4):
                    fields = dict(_fields(user))
                    if fields.get(1) in _MODELS:
                        return _model(fields.get(3, b""))
                break  # the first node is the root
    return None


def _model(metadata: bytes) -> dict[str, Any] | None:
    try:
        described = json.loads(metadata)
    except ValueError:
        return None
    if not isinstance(described, dict) or not isinstance(described.get("config"), dict | list):
        return None
    spec = described.get("model_config") or {"class_name": described.get("class_name"), "config": described["config"]}
    shape = described.get("build_input_shape") or described.get("batch_input_shape")
    if isinstance(spec.get("config"), dict) and shape is not None:
        spec["config"].setdefault("build_input_shape", _plain(shape))
    return dict(_plain(spec))


def _plain(value: Any) -> Any:
    """Return the value without Keras's wrapping of tuples and shapes."""
    if isinstance(value, dict):
        if value.get("class_name") in ("__tuple__", "TensorShape"):
            return [_plain(item) for item in value.get("items", ())]
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _read(file: Path) -> bytes:
    if file.stat().st_size > LARGEST_FILE:
        return b""
    return file.read_bytes()


def _fields(data: bytes, wanted: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of every length-delimited field of a message; damage ends the message."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        number, kind = key >> 3, key & 7
        if kind == 0:
            _, place = _varint(data, place)
        elif kind == 1:
            place += 8
        elif kind == 5:
            place += 4
        elif kind == 2:
            length, place = _varint(data, place)
            if place + length > len(data):
                return
            if wanted is None or number == wanted:
                yield number, data[place : place + length]
            place += length
        else:
            return


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(data) and shift < 64:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
    return value, len(data)
