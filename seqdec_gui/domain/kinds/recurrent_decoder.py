"""Initial states (or a code) to a sequence of predictions, by a stack of recurrent layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from seqdec_gui.domain.graph import Submodel, SubmodelBuilder, Tensor
from seqdec_gui.domain.kinds import base
from seqdec_gui.domain.kinds.attending import Attender, Attention, Memory, seen_steps, without_padding, zeros
from seqdec_gui.domain.kinds.recurrent import DropoutPerLayer, OutputDropout, dropout_faults, input_dropout, slow_kernels
from seqdec_gui.domain.layers.layer import Layer, Value, layer
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.types import CellName, MemoryType, PortType, StatesType, TensorType, tensors_of

MEMORY = "memory"
"""The port for what is attended to."""


MOST_STEPS = 200
"""The most steps of a decoder with input feeding, whose layers are called once for each."""


class RecurrentDecoder(base.Kind, frozen=True, tag="recurrent_decoder"):
    """LSTM or GRU layers that predict one step after the other.

    teacher_forced: sees the true previous symbol, starts from `initial_states`. free_running: the same without initial
    states, a language model. repeat_vector: sees the same code at every step; initial states are optional.
    """

    title: ClassVar[str] = "Recurrent decoder"
    summary: ClassVar[str] = "LSTM or GRU layers from initial states (or a repeated code) to a prediction per step."
    category: ClassVar[base.Category] = "Decoders"
    icon: ClassVar[str] = "arrow-expand-right"

    mode: Annotated[
        Literal["teacher_forced", "repeat_vector", "free_running"],
        Meta(description="Feed the true previous symbol (with initial states, or free_running without), or repeat a code."),
    ] = "teacher_forced"
    cell: Annotated[CellName, Meta(description="Recurrent cell.")] = "LSTM"
    units: Annotated[tuple[base.Units, ...], Meta(min_length=1, max_length=64, description="Width of each layer.")] = (128, 128)
    embedding: Annotated[int, Meta(ge=0, le=65_536, description="Width of the vector of a token id; 0: one-hot inputs.")] = 0
    mask_padding: Annotated[
        bool,
        Meta(
            description="Skip padding: id 0 of an embedding, or steps of zeros. Layers with initial states do not skip it: "
            "Keras passes them no mask."
        ),
    ] = False
    length: Annotated[int, Meta(ge=1, le=1_000_000, description="Steps to predict (repeat_vector).")] = 33
    batch_normalization: base.Normalised = True
    momentum: base.Momentum = 0.9
    squeeze_units: Annotated[
        int,
        Meta(
            ge=0,
            le=65_536,
            description="Width of a Dense layer that each layer passes through at every step (TimeDistributed); 0: none.",
        ),
    ] = 0
    dropout: Annotated[base.Rate, Meta(description="Dropout on the inputs of each layer.")] = 0.0
    dropout_per_layer: DropoutPerLayer = ()
    output_dropout: OutputDropout = 0.0
    recurrent_dropout: Annotated[
        base.Rate, Meta(description="Dropout on the recurrent state; takes the slower of the loops on GPUs.")
    ] = 0.0
    reset_after: Annotated[bool, Meta(description="GRU: apply the reset gate after the matrix product (cuDNN's form).")] = True
    attention: Annotated[
        Attention,
        Meta(
            description="Attend to a memory at every step, after the recurrent layers. Scores are products of state and memory "
            "(luong_dot), with a matrix between them (luong_general), by a hidden layer of both (bahdanau), or of many heads."
        ),
    ] = "none"
    attention_units: Annotated[
        base.Units, Meta(description="Width of the hidden layer of a bahdanau score, or of all heads together.")
    ] = 128
    attention_heads: Annotated[int, Meta(ge=1, le=256, description="Heads of multi_head; they share attention_units.")] = 4
    input_feeding: Annotated[
        Literal["none", "luong", "bahdanau"],
        Meta(
            description="luong: what joins context and state at a step enters the next step beside its input. bahdanau: a step "
            "attends with the state before it, and the context enters beside the input. Both need a length, and are slow."
        ),
    ] = "none"
    context_units: Annotated[
        int,
        Meta(ge=0, le=65_536, description="Width of the tanh layer that joins context and state; 0: both go on side by side."),
    ] = 128
    head: Annotated[
        tuple[base.Units, ...],
        Meta(max_length=32, description="Widths of Dense layers between the last layer and the predictions; empty: none."),
    ] = ()
    head_activation: Annotated[base.Activation, Meta(description="Activation of the layers of the head.")] = "relu"
    head_dropout: Annotated[base.Rate, Meta(description="Dropout after each layer of the head.")] = 0.0
    output_units: Annotated[base.Units, Meta(description="Symbols (or numbers) predicted per step.")] = 22
    output_activation: Annotated[base.Activation, Meta(description="softmax for symbols, linear for numbers.")] = "softmax"
    split_states: Annotated[bool, Meta(description="One input per state tensor (h_0, c_0, ...) instead of one wire.")] = False
    trainable: base.Trainable = True
    learning_rate_factor: base.LearningRateFactor = 1.0

    @property
    def feeds_back(self) -> bool:
        return self.mode != "repeat_vector"

    @property
    def width_parameter(self) -> str:
        return "output_units"

    @property
    def length_parameter(self) -> str:
        return "length" if self.mode == "repeat_vector" else ""

    def is_relevant(self, name: str) -> bool:
        match name:
            case "momentum":
                return self.batch_normalization
            case "reset_after":
                return self.cell == "GRU"
            case "length":
                return self.mode == "repeat_vector"
            case "dropout":
                return not self.dropout_per_layer
            case "attention_units":
                return self.attention in ("bahdanau", "multi_head")
            case "attention_heads":
                return self.attention == "multi_head"
            case "context_units":
                return self.attention != "none" and self.input_feeding != "bahdanau"
            case "input_feeding":
                return self.attention != "none"
            case "head_activation" | "head_dropout":
                return bool(self.head)
        return True

    def advice(self, padded_left: bool) -> Iterator[Problem]:
        return slow_kernels(self, padded_left)

    def inputs(self) -> tuple[base.InPort, ...]:
        if self.mode == "repeat_vector":
            first = base.InPort("code", "the code (None, features), repeated at every step")
        else:
            first = base.InPort(
                "inputs", "the true sequence, one step behind: one-hot, numbers, or token ids with an embedding"
            )
        memory = () if self.attention == "none" else (base.InPort(MEMORY, "what to attend to: a memory or a sequence"),)
        if self.mode == "free_running":
            return (first, *memory)
        optional = self.mode == "repeat_vector"
        if not self.split_states:
            return (first, base.InPort("initial_states", f"{self._states()}", optional), *memory)
        states = (base.InPort(name, f"state {name} {type}", optional) for name, type in self._states().tensors)
        return (first, *states, *memory)

    def outputs(self) -> tuple[base.OutPort, ...]:
        return (base.OutPort("outputs", "a prediction per step (None, steps, output_units)"),)

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.mode == "repeat_vector" and self.embedding:
            yield "embedding", "a repeated code is a vector and takes no embedding; set embedding = 0."
        if self.mode == "repeat_vector" and self.mask_padding:
            yield "mask_padding", "a repeated code has no padding; switch mask_padding off."
        yield from dropout_faults(self)
        if self.head_dropout and not self.head:
            yield "head_dropout", "dropout follows the layers of the head, and there are none; set head or head_dropout = 0."

        yield from self._feeding_faults()
        if self.attention == "multi_head" and self.attention_units % self.attention_heads:
            share = f"{self.attention_units} units cannot be shared by {self.attention_heads} heads"
            yield "attention_heads", f"{share}; set attention_units to a multiple of the heads."

    def _feeding_faults(self) -> Iterator[tuple[str, str]]:
        """Yield what cannot be done one step after the other."""
        if self.input_feeding == "none":
            return
        if self.attention == "none":
            yield "input_feeding", "there is nothing to feed without attention; set attention, or input_feeding = none."
        for name, why in (
            ("batch_normalization", "its moments are those of all steps"),
            ("mask_padding", "padding is not skipped"),
            ("dropout", "each step would drop others; use output_dropout"),
            ("dropout_per_layer", "each step would drop others; use output_dropout"),
            ("recurrent_dropout", "each step would drop others; use output_dropout"),
        ):
            if getattr(self, name):
                yield name, f"with input_feeding the layers run one step after the other, and {why}; switch {name} off."

    def in_step_with(self, port: str, input_types: base.InputTypes, submodel: Submodel | None) -> frozenset[str]:
        """Return the outputs that are in step with an input; every step attends to the whole memory, so none is with that."""
        return frozenset() if port == MEMORY else super().in_step_with(port, input_types, submodel)

    def _states(self) -> StatesType:
        return base.states_type(self.cell, self.units)

    def last_activation(self) -> base.LastActivation:
        return base.LastActivation(self.output_activation, "output_activation")

    @property
    def _query_width(self) -> int:
        """The width of what asks: the last layer, or the Dense layer behind it."""
        return self.units[-1] if self.input_feeding == "bahdanau" else self.squeeze_units or self.units[-1]

    def wanted_at(self, port: str, input_types: base.InputTypes) -> PortType | None:
        if port == MEMORY:
            return TensorType((None, self._query_width if self.attention == "luong_dot" else None))
        return self.expects(port)

    def _examples(self, port: str) -> list[PortType]:
        if port == MEMORY:
            return [TensorType((12, self._query_width))]
        return super()._examples(port)

    def _check_memory(self, received: PortType) -> None:
        """Raise PortError unless this can be attended to."""
        if isinstance(received, MemoryType):
            width: int | None = received.width
        else:
            width = base.fail_unless_tensor(MEMORY, received, "a memory, or a sequence (None, steps, features)", 2).shape[-1]
        if self.attention == "luong_dot" and width != self._query_width:
            hint = f"Set attention to luong_general, or make the memory {self._query_width} wide."
            text = f"luong_dot multiplies the state with the memory: expected a width of {self._query_width}, got {received}"
            raise base.PortError(text, MEMORY, hint)

    def expects(self, port: str) -> PortType | None:
        return self._states() if port == "initial_states" else dict(self._states().tensors).get(port)

    def check_port(self, port: str, received: PortType) -> None:
        if port == "inputs":
            base.fail_unless_sequence(port, received, self.embedding)
        elif port == "code":
            base.fail_unless_tensor(port, received, "a code (None, features)", 1)
        elif port == MEMORY:
            self._check_memory(received)
        elif received != self.expects(port):
            hint = _states_hint(received, self._states()) if port == "initial_states" else ""
            raise base.PortError(f"expected {self.expects(port)}, got {received}", port, hint)

    def _state_inputs(self, builder: SubmodelBuilder, input_types: base.InputTypes) -> list[tuple[Tensor, ...]]:
        """Add the inputs for initial states, and return the states of each layer; empty tuples if none are connected."""
        names = [name for name, _ in self._states().tensors]
        connected = names * ("initial_states" in input_types)
        if self.split_states:
            connected = [name for name in names if name in input_types]
        if connected and connected != names:
            missing = next(name for name in names if name not in connected)
            raise base.PortError("either all states are connected or none", missing)
        if not connected:
            return [()] * len(self.units)
        tensors = [builder.input(name, f"Decoder_State_{name}", type) for name, type in self._states().tensors]
        per_layer = len(tensors) // len(self.units)
        return [tuple(tensors[i * per_layer : (i + 1) * per_layer]) for i in range(len(self.units))]

    def _layer(self, i: int, return_state: bool) -> Layer:
        arguments: dict[str, Value] = {"units": self.units[i], "return_sequences": True}
        arguments |= {"return_state": True} if return_state else {}
        arguments |= {"dropout": rate} if (rate := input_dropout(self, i)) else {}
        arguments |= {"recurrent_dropout": self.recurrent_dropout} if self.recurrent_dropout else {}
        arguments |= {"reset_after": False} if self.cell == "GRU" and not self.reset_after else {}
        return layer(self.cell, f"Decoder_{self.cell}_{i}", **arguments)

    def submodel(self, input_types: base.InputTypes) -> Submodel:
        return self._build(input_types, one_step=False)

    def step_submodel(self, input_types: base.InputTypes) -> Submodel | None:
        if not self.feeds_back:
            return None
        source = input_types["inputs"]
        assert isinstance(source, TensorType)
        source = TensorType((1, *source.shape[1:]), source.dtype, source.symbols)
        states: dict[str, PortType] = dict(self._states().tensors) if self.split_states else {"initial_states": self._states()}
        memory = {MEMORY: input_types[MEMORY]} if MEMORY in input_types else {}
        return self._build({"inputs": source, **states, **memory}, one_step=True)

    def _predictions(self, builder: SubmodelBuilder, x: Tensor) -> Tensor:
        """Add what follows the recurrent layers: dropout, the head, and the output layer."""
        if self.output_dropout:
            x = builder.call("x", layer("Dropout", "Dropout_Decoder", rate=self.output_dropout), x)
        for i, units in enumerate(self.head):
            x = builder.call("x", base.dense(f"Dense_Head_{i}", units, self.head_activation), x)
            if self.head_dropout:
                x = builder.call("x", layer("Dropout", f"Dropout_Head_{i}", rate=self.head_dropout), x)
        return builder.call("outputs", base.dense("Dense_Decoder", self.output_units, self.output_activation), x)

    def _build(self, input_types: base.InputTypes, one_step: bool) -> Submodel:
        """Return the layers of the whole decoder, or of one step of it with states as further outputs."""
        builder = SubmodelBuilder("One step of the decoder." if one_step else "Initial states and inputs to predictions.")
        if self.mode == "repeat_vector":
            code = base.fail_unless_tensor("code", input_types["code"], "a code (None, features)", 1)
            x = builder.input("code", "Decoder_Code", code)
        else:
            x = builder.input(
                "decoder_inputs", "Decoder_Inputs", base.fail_unless_sequence("inputs", input_types["inputs"], self.embedding)
            )
        if one_step and self.mode == "free_running":  # its states are no ports, and come after those
            memory = self._memory_input(builder, input_types, one_step)
            initial = self._state_inputs(builder, input_types)
        else:
            initial = self._state_inputs(builder, input_types)
            memory = self._memory_input(builder, input_types, one_step)
        seen = seen_steps(builder, x, "Decoder") if memory is not None and self.mask_padding else None
        if self.mode == "repeat_vector":
            x = builder.call("x", layer("RepeatVector", "Decoder_Repeat", n=self.length), x)
        x = base.embed(builder, x, "Decoder", self.embedding, self.mask_padding)
        feeding = self.input_feeding != "none"
        fed: Tensor | None = None
        if memory is None:
            x, final = self._recurrent(builder, x, initial, one_step)
        else:
            attender = Attender(builder, memory, self.attention, self._query_width, self.attention_units, self.attention_heads)
            if feeding:
                fed = self._fed_input(builder, memory) if one_step and self.input_feeding == "luong" else None
                x, final, fed = self._step_by_step(builder, x, initial, attender, memory, fed)
            else:
                x, final = self._recurrent(builder, x, initial, one_step)
                x = without_padding(builder, x, seen, "Decoder") if seen is not None else x
                x = self._joined(builder, attender.context(x), x)
        outputs = self._predictions(builder, x)
        if not one_step:
            return builder.build(outputs=outputs)
        unchanged = () if memory is None else tuple(tensor for tensor in memory if tensor is not None)
        carried = (*unchanged, *final) if self.mode == "free_running" else (*final, *unchanged)
        if feeding and memory is not None and fed is not None:
            flat = layer("Reshape", "Decoder_Next_Fed", target_shape=(self._fed_width(memory),))
            carried = (*carried, builder.call("next_fed", flat, fed))
        return builder.build(outputs=outputs, states=carried)

    def _recurrent(
        self, builder: SubmodelBuilder, x: Tensor, initial: list[tuple[Tensor, ...]], with_states: bool, variable: str = "x"
    ) -> tuple[Tensor, list[Tensor]]:
        """Add the recurrent layers, and what follows each of them; returns their outputs, and their states if asked.

        `variable` holds the outputs.
        """
        letters = "hc" if self.cell == "LSTM" else "h"
        final: list[Tensor] = []
        for i in range(len(self.units)):
            names = (variable, *(f"next_{letter}_{i}" for letter in letters)) if with_states else (variable,)
            x, *states = builder.call_many(names, self._layer(i, return_state=with_states), x, initial_state=initial[i])
            final += states
            if self.batch_normalization:
                x = builder.call(variable, base.batch_normalization(f"BN_Decoder_{i}", self.momentum), x)
            if self.squeeze_units:
                inner = base.dense(f"Squeeze_{i}", self.squeeze_units, "linear")
                x = builder.call(variable, layer("TimeDistributed", f"Time_Distributed_{i}", inner), x)
        return x, final

    def _step_by_step(
        self,
        builder: SubmodelBuilder,
        x: Tensor,
        states: list[tuple[Tensor, ...]],
        attender: Attender,
        memory: Memory,
        fed: Tensor | None,
    ) -> tuple[Tensor, list[Tensor], Tensor | None]:
        """Run the layers and the attention one step after the other; returns all outputs, the last states and what is fed.

        `fed` `(None, 1, width)` enters the first step (`luong`); None: zeros. All steps call the same layers.
        """
        steps = x.type.shape[0]
        if steps is None or steps > MOST_STEPS:
            received = "an open length" if steps is None else f"{steps:,} steps"
            text = f"input_feeding has a call for every step: expected a length of at most {MOST_STEPS} steps, got {received}"
            raise base.PortError(text, self.inputs()[0].name, "Set the length of the input block, or input_feeding = none.")
        per_layer = 2 if self.cell == "LSTM" else 1
        ahead = self.input_feeding == "bahdanau"
        outputs: list[Tensor] = []
        final: list[Tensor] = []
        for step in range(steps):
            now = x
            if steps > 1:
                now = builder.call("now", layer("Cropping1D", f"Decoder_Step_{step}", cropping=(step, steps - 1 - step)), x)
            if ahead:
                query = states[-1][0] if states[-1] else zeros(builder, memory.sequence, self.units[-1])
                shape = layer("Reshape", "Decoder_State_Step", target_shape=(1, self.units[-1]))
                fed = attender.context(builder.call("query", shape, query))
            elif fed is None:
                width = self._fed_width(memory)
                shape = layer("Reshape", "Decoder_First_Fed", target_shape=(1, width))
                fed = builder.call("fed", shape, zeros(builder, memory.sequence, width))
            now = builder.call("now", layer("Concatenate", "Decoder_Fed", axis=-1), now, fed)
            y, final = self._recurrent(builder, now, states, with_states=True, variable=f"y_{step}")
            states = [tuple(final[i : i + per_layer]) for i in range(0, len(final), per_layer)]
            if not ahead:
                y = fed = self._joined(builder, attender.context(y), y, f"y_{step}")
            outputs.append(y)
        result = outputs[0]
        if steps > 1:
            result = builder.call("x", layer("Concatenate", "Decoder_Steps", axis=1), *outputs)
        return result, final, None if ahead else fed

    def _memory_input(self, builder: SubmodelBuilder, input_types: base.InputTypes, one_step: bool) -> Memory | None:
        """Add the inputs for the memory; None if the decoder does not attend. For one step they are called as states are."""
        if self.attention == "none":
            return None
        tensors = tensors_of("sequence", input_types[MEMORY])
        names = [f"Decoder_State_memory_{name}" if one_step else f"Decoder_Memory_{name.capitalize()}" for name, _ in tensors]
        inputs = [builder.input(f"memory_{key}", name, type) for name, (key, type) in zip(names, tensors, strict=True)]
        return Memory(*inputs)

    def _fed_input(self, builder: SubmodelBuilder, memory: Memory) -> Tensor:
        """Add the input for what the step before has fed; before the first step it is zeros."""
        width = self._fed_width(memory)
        fed = builder.input("fed_before", "Decoder_State_fed", TensorType((width,)))
        return builder.call("fed", layer("Reshape", "Decoder_First_Fed", target_shape=(1, width)), fed)

    def _fed_width(self, memory: Memory) -> int:
        """The width of what joins context and state."""
        return self.context_units or (memory.sequence.type.shape[-1] or 0) + self._query_width

    def _joined(self, builder: SubmodelBuilder, context: Tensor, state: Tensor, variable: str = "x") -> Tensor:
        """Join context and state, and add the tanh layer of Luong et al. (2015), equation 5."""
        both = builder.call(variable, layer("Concatenate", "Attention_Joined", axis=-1), context, state)
        if not self.context_units:
            return both
        return builder.call(variable, base.dense("Attention_Vector", self.context_units, "tanh"), both)


def _states_hint(received: PortType, wanted: StatesType) -> str:
    if not isinstance(received, StatesType):
        return "Connect the states of an encoder, or put a 'Dense to states' block between."
    if len(received.cells) != len(wanted.cells):
        layers = len(received.cells)
        return f"The encoder gives states for {layers} layers, the decoder has {len(wanted.cells)}: set units alike."
    return "Set cell and units of both blocks alike, or put a 'Dense to states' block between."
