"""One step of a decoder, and the states that it starts from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqdec_gui.domain.codegen import generate_step, step_of
from seqdec_gui.domain.dataflow import inputs_behind, sources_of
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.generation import Encoding
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.domain.shapes import Inference
from seqdec_gui.runner.decoding.compiled import Function, compiled
from seqdec_gui.runner.decoding.symbol_loop import Step
from seqdec_gui.runner.wiring import model_of

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]


class StepDecoder:
    """A trained decoder, cut from its stack, that takes one symbol at a time.

    Its states are what the kind carries from step to step (`Kind.step_submodel`): h and c of every layer, for example. Where
    the step would compute something again that it has computed before, they are those of `CachedStep`, except without `caches`.
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
        caches: bool = True,
    ) -> None:
        from seqdec_gui.runner.decoding.cached_step import CachedStep, plan_of
        from seqdec_gui.runner.decoding.step_layers import use_short_steps
        from seqdec_gui.runner.export import plain_float32

        submodel = step_of(design, inference, decoder)
        carried = submodel.inputs[1:]
        self._shapes = [tuple(axis or 0 for axis in tensor.type.shape) for tensor in carried]
        sources = sources_of(design, decoder, leave_out=("inputs",))
        self.inputs = inputs_behind(design, sources)
        """The input blocks that determine the initial states of a row."""
        encoder = model_of(design, inference, models, sources, "encoder") if sources else None
        self._encode = None if encoder is None else compiled(encoder, lambda call: lambda *inputs: call(list(inputs)))
        self._trained = models[decoder]
        self._plain = build_step(design, self._trained, decoder)
        use_short_steps(self._plain)
        self._plan = plan_of(submodel) if caches else None
        self._first_states: Function | None = None
        self.model = self._plain
        if self._plan is not None:
            with plain_float32():
                self.model = CachedStep(self._plan, self._plain)
        self._encoding, self._depth = encoding, depth

    @property
    def state_bytes(self) -> int:
        """Bytes of the states of a sequence, at least 1."""
        shapes = self._shapes if self._plan is None else self._plan.state_shapes(self._plain)
        return max(1, sum(4 * math.prod(shape) for shape in shapes))

    @property
    def unchanged(self) -> int:
        """How many of the first states are those of the row, the same at every step."""
        return 0 if self._plan is None else self._plan.unchanged

    def follow_weights(self) -> None:
        """Copy the weights of the trained decoder again; compiled steps use them from now on."""
        copy_weights(self._trained, self._plain)

    def initial_states(self, inputs: Mapping[str, Array], rows: int) -> list[Any]:
        """Return the states before the first step, each with `rows` rows: what the encoder gives, else zeros.

        The framework compiles each number of rows separately, so use few different ones. States stay on the device.
        """
        states: list[Any] = []
        if self._encode is not None:
            states = list(self._encode(*[inputs[name] for name in self.inputs]))
        return self.with_zeros(states, rows)

    def with_zeros(self, states: Sequence[Any], rows: int) -> list[Any]:
        """Return the states before the first step, each with `rows` rows: what the encoder side gives, and zeros."""
        if self._plan is not None:
            if self._first_states is None:
                self._first_states = self._compiled_first_states(len(states))
            return list(self._first_states(*(states or [np.zeros((rows, 1), np.float32)])))
        return [*states, *(np.zeros((rows, *shape), np.float32) for shape in self._shapes[len(states) :])]

    def _compiled_first_states(self, given: int) -> Function:
        from seqdec_gui.runner.decoding.cached_step import FirstStates
        from seqdec_gui.runner.export import plain_float32

        assert self._plan is not None
        with plain_float32():
            first = FirstStates(self._plan, self._plain, given)
        return compiled(first, lambda call: lambda *inputs: call(list(inputs)))

    def of_symbols(self, call: Any) -> Step:
        """Return one step on ids, for the loop that is compiled; `call` runs `model`."""
        from keras import ops

        from seqdec_gui.runner.decoding.step_layers import first_lstm

        first = first_lstm(self._plain) if self._encoding == "one_hot" else None

        def step(fed: Any, at: Any, states: list[Any]) -> tuple[Any, list[Any]]:
            if first is not None:
                first.symbols = fed
            if self._encoding == "one_hot":
                fed = ops.one_hot(fed, self._depth, dtype="float32")
            outputs, *after = call([ops.expand_dims(fed, 1), *states])
            if first is not None:
                first.symbols = None
            assert len(after) == len(states)
            return outputs[:, 0], after

        return step

    def of_values(self, call: Any) -> Function:
        """Return one step on numbers `(rows, features)` and states, for the loop that is compiled; `call` runs `model`."""
        from keras import ops

        def step(fed: Any, *states: Any) -> tuple[Any, ...]:
            outputs, *after = call([ops.expand_dims(fed, 1), *states])
            return (outputs[:, 0], *after)

        return step


def build_step(design: Design, trained: keras.Model, decoder: str) -> keras.Model:
    """Return the model of `codegen.generate_step` in float32, with the weights of the trained decoder's layers by name."""
    from seqdec_gui.runner.export import plain_float32

    namespace: dict[str, Any] = {"__name__": "decoder_step"}
    exec(compile(generate_step(design, decoder), f"<one step of {decoder}>", "exec"), namespace)
    with plain_float32():
        step: keras.Model = namespace["build_step"]()
    weighted = {layer.name for layer in trained.layers if layer.weights}
    if weighted != {layer.name for layer in step.layers if layer.weights}:
        raise SeqdecError(f"The layers of {decoder} and of its one step differ; this is a bug.")
    copy_weights(trained, step)
    for layer in step.layers:
        if hasattr(layer, "unroll"):
            layer.unroll = True  # a loop over one step costs more than the step
    return step


def copy_weights(trained: keras.Model, step: keras.Model) -> None:
    """Give the layers of a decoder's one step the weights of the trained decoder's layers of the same names."""
    for layer in step.layers:
        if layer.weights:
            layer.set_weights([np.asarray(weight, np.float32) for weight in trained.get_layer(layer.name).get_weights()])
