"""A prior of REINVENT 4: an embedding, layers of LSTM or GRU and a linear layer over the tokens of SMILES.

The file holds a dictionary: `model_type`, `version`, `vocabulary`, `tokenizer`, `max_sequence_length`, `network_params`,
`network` (names of PyTorch to tensors) and `metadata`. `$`, the end of a string, is also what fills rows up; `^` begins them.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seqdec_gui.domain.types import CellName
from seqdec_gui.runner.reinvent import torch_reading, torch_writing
from seqdec_gui.runner.reinvent.metadata import Metadata, metadata_of, with_hash
from seqdec_gui.runner.reinvent.plain_pickle import Record

Array = npt.NDArray[Any]

MODEL_TYPE, VERSION = "Reinvent", 1
END, BEGIN = "$", "^"
USUAL_LENGTH = 256
"""The `max_sequence_length` of a prior that does not say another."""
MOST_TOKENS, LONGEST_TOKEN, MOST_LAYERS = 65_536, 256, 64
_GATES: dict[str, int] = {"LSTM": 4, "GRU": 3}
_PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
_OTHERS = {"_embedding.weight", "_linear.weight", "_linear.bias"}


class RecurrentLayer(NamedTuple):
    """The weights of a layer as PyTorch has them, gate after gate in the first axis: i, f, g, o, or r, z, n."""

    kernel: Array
    recurrent: Array
    bias: Array
    recurrent_bias: Array


@dataclass(frozen=True)
class Prior:
    """What a prior holds. `tokens` are in the order of their ids: `$`, `^`, then those of SMILES."""

    tokens: tuple[str, ...]
    cell: CellName
    embedding: Array
    layers: tuple[RecurrentLayer, ...]
    kernel: Array
    bias: Array
    dropout: float = 0.0
    longest: int = USUAL_LENGTH
    metadata: Metadata = field(default_factory=Metadata)

    @property
    def units(self) -> int:
        return int(self.layers[0].recurrent.shape[1])

    @property
    def charset(self) -> tuple[str, ...]:
        """The tokens of SMILES, in the order of their ids, the first of which is 2."""
        return self.tokens[2:]

    @property
    def parameters(self) -> int:
        arrays = (self.embedding, self.kernel, self.bias, *(array for layer in self.layers for array in layer))
        return sum(array.size for array in arrays)


class _Unfit(Exception):
    """Why a file is no prior that can be opened, as the end of a sentence."""


# -- reading
def read(path: Path) -> Prior:
    """Read a prior; nothing in the file is run. Raises InvalidInput with the reason where it cannot be opened, OSError."""
    content = torch_reading.read(path)
    try:
        return _prior_of(content)
    except _Unfit as error:
        raise torch_reading.unreadable(path, str(error)) from None


def _prior_of(content: Any) -> Prior:
    if not isinstance(content, dict):
        raise _Unfit("it holds no dictionary, as a prior of REINVENT does")
    kind = content.get("model_type", MODEL_TYPE if "network" in content else None)
    if kind != MODEL_TYPE:
        what = f"it is a model of type {str(kind)[:40]!r}" if kind else "it is no model of REINVENT"
        raise _Unfit(f"{what}, and only de-novo models (type 'Reinvent') can be opened")
    tokens, order = _vocabulary(content.get("vocabulary"))
    parameters = content.get("network_params") or {}
    state = content.get("network")
    if not isinstance(state, dict) or not isinstance(parameters, dict):
        raise _Unfit("its network is no dictionary")
    if parameters.get("layer_normalization"):
        raise _Unfit("its network normalises over whole sequences (layer_normalization), which no block does")
    layers, cell = _layers(state, parameters)
    embedding, kernel, bias = (_array(state, name) for name in ("_embedding.weight", "_linear.weight", "_linear.bias"))
    units = layers[0].recurrent.shape[1]
    _expect(embedding, (len(tokens), layers[0].kernel.shape[1]), "_embedding.weight")
    _expect(kernel, (len(tokens), units), "_linear.weight")
    _expect(bias, (len(tokens),), "_linear.bias")
    for name, found in (("layer_size", units), ("embedding_layer_size", embedding.shape[1]), ("num_layers", len(layers))):
        if parameters.get(name, found) != found:
            raise _Unfit(f"its {name} is {str(parameters[name])[:20]}, and its weights have {found}")
    dropout, longest = parameters.get("dropout", 0.0), content.get("max_sequence_length", USUAL_LENGTH)
    if not isinstance(dropout, int | float) or not 0 <= dropout < 1:
        raise _Unfit("its dropout is no rate")
    if not isinstance(longest, int) or not 2 <= longest <= 1_000_000:
        raise _Unfit("its max_sequence_length is no length")
    return Prior(
        tokens, cell, embedding[order], layers, kernel[order], bias[order], float(dropout), longest,
        metadata_of(content.get("metadata")),
    )  # fmt: skip


def _vocabulary(vocabulary: Any) -> tuple[tuple[str, ...], list[int]]:
    """Return the tokens, `$` and `^` first, and for each the row that it has in the file."""
    if isinstance(vocabulary, Record):
        named = vocabulary.state.get("_tokens")
    else:
        named = vocabulary.get("tokens") if isinstance(vocabulary, dict) else None
    if not isinstance(named, dict):
        raise _Unfit("it has no vocabulary")
    ids = {token: number for token, number in named.items() if isinstance(token, str)}
    if not 2 < len(ids) <= MOST_TOKENS or any(not token or len(token) > LONGEST_TOKEN for token in ids):
        raise _Unfit("its vocabulary is empty or damaged")
    if not all(isinstance(number, int) for number in ids.values()) or sorted(ids.values()) != list(range(len(ids))):
        raise _Unfit("the ids of its vocabulary are not 0, 1, 2, ...")
    if ids.get(END) != 0 or BEGIN not in ids:
        raise _Unfit(f"its vocabulary has no {END!r} with id 0, or no {BEGIN!r}")
    others = [token for token in sorted(ids, key=ids.__getitem__) if token not in (END, BEGIN)]
    tokens = (END, BEGIN, *others)
    return tokens, [ids[token] for token in tokens]


def _layers(state: Mapping[Any, Any], parameters: Mapping[Any, Any]) -> tuple[tuple[RecurrentLayer, ...], CellName]:
    count = sum(str(name).startswith("_rnn.weight_ih_l") for name in state)
    if not 1 <= count <= MOST_LAYERS:
        raise _Unfit(f"its network has {count} recurrent layers")
    expected = {f"_rnn.{part}_l{number}" for number in range(count) for part in _PARTS} | _OTHERS
    if others := [str(name)[:60] for name in state if name not in expected]:
        raise _Unfit(f"its network has {others[0]!r}, which networks of REINVENT do not have")
    layers = tuple(RecurrentLayer(*(_array(state, f"_rnn.{part}_l{number}") for part in _PARTS)) for number in range(count))
    units = layers[0].recurrent.shape[-1]
    gates = layers[0].recurrent.shape[0] // max(units, 1)
    cell: CellName = "LSTM" if gates == _GATES["LSTM"] else "GRU"
    if str(parameters.get("cell_type", cell)).upper() != cell:
        raise _Unfit(f"its cell_type is {str(parameters['cell_type'])[:20]!r}, and its weights are those of {cell}")
    rows, width = _GATES[cell] * units, layers[0].kernel.shape[-1]
    for number, layer in enumerate(layers):
        shapes = ((rows, units if number else width), (rows, units), (rows,), (rows,))
        for part, array, shape in zip(_PARTS, layer, shapes, strict=True):
            _expect(array, shape, f"_rnn.{part}_l{number}")
    return layers, cell


def _array(state: Mapping[Any, Any], name: str) -> Array:
    array = state.get(name)
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
        raise _Unfit(f"its network has no weights {name}")
    if not np.isfinite(array).all():
        raise _Unfit(f"its weights {name} are not finite")
    return np.asarray(array, np.float32)


def _expect(array: Array, shape: tuple[int, ...], name: str) -> None:
    if array.shape != shape or not math.prod(shape):
        raise _Unfit(f"its weights {name} have the shape {array.shape}, expected {shape}")


# -- writing
def write(prior: Prior, path: Path) -> None:
    """Write the prior as REINVENT does, with the hash of its content. Raises OSError."""
    state = OrderedDict({"_embedding.weight": prior.embedding})
    for number, layer in enumerate(prior.layers):
        state |= {f"_rnn.{part}_l{number}": array for part, array in zip(_PARTS, layer, strict=True)}
    state |= {"_linear.weight": prior.kernel, "_linear.bias": prior.bias}
    content = {
        "model_type": MODEL_TYPE,
        "version": VERSION,
        "metadata": prior.metadata.as_dict(),
        "vocabulary": {
            "tokens": {token: number for number, token in enumerate(prior.tokens)},
            "pad_token": 0, "bos_token": 1, "eos_token": 2, "unk_token": None,
        },
        "max_sequence_length": prior.longest,
        "network": state,
        "network_params": {
            "dropout": prior.dropout,
            "layer_size": prior.units,
            "num_layers": len(prior.layers),
            "cell_type": prior.cell.lower(),
            "embedding_layer_size": int(prior.embedding.shape[1]),
            "layer_normalization": False,
        },
    }  # fmt: skip
    torch_writing.write(path, content)
    torch_writing.write(path, with_hash(content, torch_reading.read(path)))
