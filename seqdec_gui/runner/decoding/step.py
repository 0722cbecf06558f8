"""One step of a recurrent decoder, and the states that it starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from seqdec_gui.domain.codegen import generate_step
from seqdec_gui.domain.dataflow import inputs_behind, sources_of
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.generation import Encoding
from seqdec_gui.domain.kinds.recurrent_decoder import RecurrentDecoder
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.domain.shapes import Inference
from seqdec_gui.domain.types import StatesType, tensors_of
from seqdec_gui.runner.decoding.compiled import Function, compiled
from seqdec_gui.runner.wiring import model_of

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]
NO_SYMBOL = -1
"""Fed as a row of zeros (one-hot)."""


class StepDecoder:
    """A trained decoder, cut from its stack, that takes one symbol at a time. Every layer's h and c is a value of its own.

    `models` are the trained blocks; the encoder side shares their weights, the step has a copy of the decoder's.
    """

    def __init__(
        self,
        design: Design,
        inference: Inference,
        models: Mapping[str, keras.Model],
        decoder: str,
        encoding: Encoding,
        depth: int,
    ) -> None:
        kind = cast(RecurrentDecoder, design.block(decoder).parameters)
        self.widths = tuple(tensor.shape[0] for _, tensor in tensors_of("states", _states(kind)))
        sources = sources_of(design, decoder, leave_out=("inputs",))
        self.inputs = inputs_behind(design, sources)
        """The input blocks that decide where a row starts, in the order of `initial_states`' arrays."""
        self._encoder = model_of(design, inference, models, sources, "encoder") if sources else None
        step = build_step(design, models[decoder], decoder)
        self._step = _compiled_step(step, len(self.widths), encoding, depth)

    def initial_states(self, inputs: Mapping[str, Array], rows: int) -> list[Array]:
        """The states before the first step, each `(rows, units)`: h_0, c_0, h_1, ..., from the encoder or zeros."""
        if self._encoder is None:
            return [np.zeros((rows, width or 0), np.float32) for width in self.widths]
        given = [inputs[name] for name in self.inputs]
        states = self._encoder.predict_on_batch(given[0] if len(given) == 1 else given)
        return [np.asarray(state) for state in (states if isinstance(states, list | tuple) else [states])]

    def step(self, fed: Array, states: Sequence[Any]) -> tuple[npt.NDArray[np.float32], list[Any]]:
        """What follows `fed`: predictions `(rows, output units)` and the new states, which stay on the device.

        `fed` is int32 ids `(rows,)`, or float32 `(rows, features)` where the decoder is fed with values.
        """
        outputs, *following = self._step(fed, *states)
        return np.asarray(outputs), list(following)


def _states(kind: RecurrentDecoder) -> StatesType:
    from seqdec_gui.domain.kinds.base import states_type

    return states_type(kind.cell, kind.units)


def build_step(design: Design, trained: keras.Model, decoder: str) -> keras.Model:
    """The step of `codegen.generate_step` under float32, with the weights of the trained decoder, layer by layer, by name."""
    from seqdec_gui.runner.export import plain_float32

    namespace: dict[str, Any] = {"__name__": "decoder_step"}
    exec(compile(generate_step(design, decoder), f"<one step of {decoder}>", "exec"), namespace)
    with plain_float32():
        step: keras.Model = namespace["build_step"]()
    weighted = {layer.name for layer in trained.layers if layer.weights}
    if weighted != {layer.name for layer in step.layers if layer.weights}:
        raise SeqdecError(f"The layers of {decoder} and of its one step differ; this is a bug.")
    for layer in step.layers:
        if layer.name in weighted:
            layer.set_weights([np.asarray(weight, np.float32) for weight in trained.get_layer(layer.name).get_weights()])
        if hasattr(layer, "unroll"):
            layer.unroll = True  # a loop over one step costs more than the step
    return step


def _compiled_step(step: keras.Model, states: int, encoding: Encoding, depth: int) -> Function:
    def function(call: Any) -> Function:
        from keras import ops

        def one_step(fed: Any, *before: Any) -> tuple[Any, ...]:
            if encoding == "one_hot":
                fed = ops.one_hot(fed, depth, dtype="float32")
            outputs, *after = call([ops.expand_dims(fed, 1), *before])
            assert len(after) == states
            return (outputs[:, 0], *after)

        return one_step

    return compiled(step, function)
