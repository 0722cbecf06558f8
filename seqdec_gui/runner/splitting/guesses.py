"""Guesses which block kinds could make the layers of a graph. A guess is only a proposal: `graphs.matched` decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from seqdec_gui.domain.kinds import layer_stack as stack
from seqdec_gui.domain.kinds.base import Kind
from seqdec_gui.domain.kinds.dense_states import DenseStates
from seqdec_gui.domain.kinds.layer_stack import LayerStack
from seqdec_gui.domain.kinds.merge import Add, Concatenate
from seqdec_gui.domain.kinds.recurrent_decoder import RecurrentDecoder
from seqdec_gui.domain.kinds.recurrent_encoder import RecurrentEncoder
from seqdec_gui.runner.splitting.graphs import Graph

_CELLS = ("LSTM", "GRU")
_DENSE = ("Dense", "TimeDistributed")


def guesses(graph: Graph, gives_states: bool = False) -> Iterator[Kind]:
    """Yield kinds that may make this graph, the most telling first.

    `gives_states`: what it makes are initial states of recurrent layers. One tensor that is none does not come from a block
    that makes states.
    """
    states = gives_states or len(graph.outputs) > 1
    for guess in (_decoder, *([_dense_states] if states else []), _encoder, _merge, _stack):
        try:
            yield from guess(graph)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            continue  # the layers have a form that this kind never makes


def _classes(graph: Graph) -> list[str]:
    return [type(call.layer).__name__ for call in graph.calls]


def _decoder(graph: Graph) -> Iterator[Kind]:
    layers = [call.layer for call in graph.calls]
    recurrent = [layer for layer in layers if type(layer).__name__ in _CELLS]
    if not recurrent or graph.inputs > 1 + 2 * len(recurrent):
        return
    last = layers[-1].layer if type(layers[-1]).__name__ == "TimeDistributed" else layers[-1]
    repeats = next((layer for layer in layers if type(layer).__name__ == "RepeatVector"), None)
    states = any(call.states for call in graph.calls)
    mode: Any = "repeat_vector" if repeats is not None else "teacher_forced" if states else "free_running"
    squeezed = [layer.layer for layer in layers[:-1] if type(layer).__name__ == "TimeDistributed"]
    end = max(place for place, layer in enumerate(layers) if layer in recurrent)
    head = [layer for layer in layers[end:-1] if type(layer).__name__ == "Dense"]
    drops = [layer for layer in layers[end:] if type(layer).__name__ == "Dropout"]
    dense = [place for place, layer in enumerate(layers) if place > end and type(layer).__name__ in _DENSE]
    if not dense:
        return  # an encoder: a decoder ends in its output layer
    first_dense = dense[0]
    before = [layer for layer in drops if layers.index(layer) < first_dense]
    inside = [layer for layer in drops if layer not in before]
    yield RecurrentDecoder(
        mode=mode,
        output_dropout=before[0].rate if before else 0.0,
        head=tuple(layer.units for layer in head),
        head_activation=_activation(head[0]) if head else "relu",
        head_dropout=inside[0].rate if inside else 0.0,
        **_recurrent(recurrent),
        **_embedding(layers),
        **_normalization(layers, default=0.9),
        length=repeats.n if repeats is not None else 33,
        squeeze_units=squeezed[0].units if squeezed else 0,
        output_units=last.units,
        output_activation=_activation(last),
    )


def _recurrent(layers: list[Any]) -> dict[str, Any]:
    first = layers[0]
    cell = type(first).__name__
    rates = tuple(float(layer.dropout) for layer in layers)
    return {
        "cell": cell,
        "units": tuple(layer.units for layer in layers),
        "dropout": first.dropout if len(set(rates)) == 1 else 0.0,
        "dropout_per_layer": () if len(set(rates)) == 1 else rates,
        "recurrent_dropout": first.recurrent_dropout,
        "reset_after": first.reset_after if cell == "GRU" else True,
    }


def _embedding(layers: list[Any]) -> dict[str, Any]:
    embedding = next((layer for layer in layers if type(layer).__name__ == "Embedding"), None)
    masks = any(type(layer).__name__ == "Masking" for layer in layers)
    if embedding is None:
        return {"embedding": 0, "mask_padding": masks}
    return {"embedding": embedding.output_dim, "mask_padding": bool(embedding.mask_zero)}


def _normalization(layers: list[Any], default: float) -> dict[str, Any]:
    norm = next((layer for layer in layers if type(layer).__name__ == "BatchNormalization"), None)
    return {"batch_normalization": norm is not None, "momentum": norm.momentum if norm is not None else default}


def _dense_states(graph: Graph) -> Iterator[Kind]:
    dense = [call for call in graph.calls if type(call.layer).__name__ == "Dense"]
    if graph.inputs != 1 or not dense:
        return
    users: dict[int, int] = {}
    for call in graph.calls:
        for value in call.inputs:
            if value.call >= 0:
                users[value.call] = users.get(value.call, 0) + 1
    norms = any(name == "BatchNormalization" for name in _classes(graph))
    heads = dense[-len(graph.outputs) :]
    trunk = dense[: -len(graph.outputs)]
    drop = next((call.layer.rate for call in graph.calls if type(call.layer).__name__ == "Dropout"), 0.0)
    for cell, letters in (("LSTM", 2), ("GRU", 1)):
        if len(heads) % letters == 0:
            ends = [_width(graph, i) for i in range(0, len(graph.outputs), letters)]
            yield DenseStates(
                cell=cell,  # type: ignore[arg-type]
                units=tuple(ends),
                activation=_activation(heads[0].layer),
                trunk=tuple(call.layer.units for call in trunk),
                trunk_activation=_activation(trunk[0].layer) if trunk else "relu",
                dropout=drop,
                **{**_normalization([call.layer for call in graph.calls], 0.9), "batch_normalization": norms},
            )


def _width(graph: Graph, output: int) -> int:
    value = graph.outputs[output]
    while type(graph.calls[value.call].layer).__name__ != "Dense":
        (value,) = graph.calls[value.call].inputs
    return int(graph.calls[value.call].layer.units)


def _encoder(graph: Graph) -> Iterator[Kind]:
    layers = [call.layer for call in graph.calls]
    both = [layer for layer in layers if type(layer).__name__ == "Bidirectional"]
    recurrent = [layer.forward_layer for layer in both] or [layer for layer in layers if type(layer).__name__ in _CELLS]
    if graph.inputs != 1 or not recurrent or any(call.states for call in graph.calls):
        return
    common = {
        "bidirectional": bool(both), **_recurrent(recurrent), **_embedding(layers), **_normalization(layers, 0.9),
    }  # fmt: skip
    drops = [layer.rate for layer in layers if type(layer).__name__ == "Dropout"]
    if drops:
        common["output_dropout"] = drops[0]
    for output in (("code",), ("sequence",), ("states",), ("states", "sequence"), ("code", "sequence"), ("states", "code")):
        yield RecurrentEncoder(output=output, **common)


def _merge(graph: Graph) -> Iterator[Kind]:
    if _classes(graph) == ["Add"] and graph.inputs > 1:
        yield Add(count=graph.inputs)
    if _classes(graph) == ["Concatenate"] and graph.inputs > 1:
        yield Concatenate(count=graph.inputs)


def _stack(graph: Graph) -> Iterator[Kind]:
    if graph.inputs == 1 and len(graph.outputs) == 1:
        yield LayerStack(layers=tuple(_ROWS[type(call.layer).__name__](call.layer) for call in graph.calls))


def _activation(layer: Any) -> Any:
    name = layer.activation.__name__
    return "silu" if name == "swish" else name


def _size(value: Any) -> int:
    sizes = value if isinstance(value, list | tuple) else (value,)
    return int(sizes[0])


def _of_recurrent(layer: Any) -> stack.Recurrent:
    return stack.Recurrent(cell=type(layer).__name__, units=layer.units, return_sequences=layer.return_sequences)  # type: ignore[arg-type]


def _of_bidirectional(layer: Any) -> stack.Recurrent:
    import msgspec

    return msgspec.structs.replace(_of_recurrent(layer.forward_layer), bidirectional=True)


def _of_steps(layer: Any) -> stack.Dense:
    return stack.Dense(layer.layer.units, _activation(layer.layer), per_step=True)


def _of_convolution(layer: Any) -> stack.Conv1D:
    return stack.Conv1D(layer.filters, _size(layer.kernel_size), _size(layer.strides), layer.padding, _activation(layer))


_ROWS: dict[str, Callable[[Any], stack.AnyStackLayer]] = {
    "Activation": lambda layer: stack.ActivationLayer(_activation(layer)),
    "AveragePooling1D": lambda layer: stack.Pooling1D("average", _size(layer.pool_size)),
    "BatchNormalization": lambda layer: stack.BatchNormalization(layer.momentum),
    "Bidirectional": _of_bidirectional,
    "Conv1D": _of_convolution,
    "Cropping1D": lambda layer: stack.Crop(*layer.cropping),
    "Dense": lambda layer: stack.Dense(layer.units, _activation(layer)),
    "Dropout": lambda layer: stack.Dropout(layer.rate),
    "Embedding": lambda layer: stack.Embedding(layer.input_dim, layer.output_dim, bool(layer.mask_zero)),
    "Flatten": lambda layer: stack.Flatten(),
    "GRU": _of_recurrent,
    "GaussianNoise": lambda layer: stack.GaussianNoise(layer.stddev),
    "GlobalAveragePooling1D": lambda layer: stack.GlobalPooling1D("average"),
    "GlobalMaxPooling1D": lambda layer: stack.GlobalPooling1D("max"),
    "LSTM": _of_recurrent,
    "LayerNormalization": lambda layer: stack.LayerNormalization(),
    "Masking": lambda layer: stack.Masking(),
    "MaxPooling1D": lambda layer: stack.Pooling1D("max", _size(layer.pool_size)),
    "Permute": lambda layer: stack.SwapAxes(),
    "RepeatVector": lambda layer: stack.RepeatVector(layer.n),
    "Reshape": lambda layer: stack.Reshape(tuple(layer.target_shape)),
    "SpatialDropout1D": lambda layer: stack.SpatialDropout1D(layer.rate),
    "TimeDistributed": _of_steps,
    "UpSampling1D": lambda layer: stack.UpSampling1D(_size(layer.size)),
    "ZeroPadding1D": lambda layer: stack.Pad(*layer.padding),
}
"""A row of a layer stack for each class of layer; what the row cannot say is found when the layers are compared."""
