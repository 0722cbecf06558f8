"""A sequence to states, to a code, or to another sequence, by a stack of recurrent layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from seqdec_gui.domain.graph import Submodel, SubmodelBuilder, Tensor
from seqdec_gui.domain.kinds import base
from seqdec_gui.domain.kinds.attending import seen_steps, without_padding
from seqdec_gui.domain.kinds.recurrent import DropoutPerLayer, dropout_faults, input_dropout, slow_kernels
from seqdec_gui.domain.layers.layer import Layer, Value, layer
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.types import CellName, MemoryType, PortType, StatesType, TensorType
from seqdec_gui.domain.wording import listed

EncoderOutput = Literal["states", "code", "sequence", "memory"]


class RecurrentEncoder(base.Kind, frozen=True, tag="recurrent_encoder"):
    """LSTM or GRU layers over a sequence."""

    title: ClassVar[str] = "Recurrent encoder"
    summary: ClassVar[str] = "LSTM or GRU layers, one or two directions; gives states for a decoder, a code, or a sequence."
    category: ClassVar[base.Category] = "Encoders"
    icon: ClassVar[str] = "arrow-collapse-right"

    cell: Annotated[CellName, Meta(description="Recurrent cell.")] = "LSTM"
    units: Annotated[tuple[base.Units, ...], Meta(min_length=1, max_length=64, description="Width of each layer.")] = (128,)
    bidirectional: Annotated[
        bool, Meta(description="Read in both directions; outputs and states are forward and backward side by side.")
    ] = False
    embedding: Annotated[int, Meta(ge=0, le=65_536, description="Width of the vector of a token id; 0: no embedding.")] = 0
    mask_padding: Annotated[bool, Meta(description="Skip padding: id 0 of an embedding, or steps of zeros.")] = False
    dropout: Annotated[base.Rate, Meta(description="Dropout on the inputs of each layer.")] = 0.0
    dropout_per_layer: DropoutPerLayer = ()
    output_dropout: Annotated[
        base.Rate, Meta(description="Dropout after the last layer, on the code and the sequence; states are left alone.")
    ] = 0.0
    recurrent_dropout: Annotated[
        base.Rate, Meta(description="Dropout on the recurrent state; takes the slower of the loops on GPUs.")
    ] = 0.0
    batch_normalization: Annotated[bool, Meta(description="BatchNormalization between the layers.")] = False
    momentum: base.Momentum = 0.9
    reset_after: Annotated[bool, Meta(description="GRU: apply the reset gate after the matrix product (cuDNN's form).")] = True
    output: Annotated[
        tuple[EncoderOutput, ...],
        Meta(
            min_length=1,
            max_length=4,
            description="What leaves the block: states, code (last output), sequence (all outputs), memory (all outputs and "
            "which of them are padding, for a decoder to attend to).",
        ),
    ] = ("states",)
    split_states: Annotated[bool, Meta(description="One output per state tensor (h_0, c_0, ...) instead of one wire.")] = False
    trainable: base.Trainable = True
    learning_rate_factor: base.LearningRateFactor = 1.0

    def is_relevant(self, name: str) -> bool:
        match name:
            case "momentum":
                return self.batch_normalization
            case "reset_after":
                return self.cell == "GRU"
            case "split_states":
                return "states" in self.output
            case "dropout":
                return not self.dropout_per_layer
            case "output_dropout":
                return self.output != ("states",)
        return True

    def advice(self, padded_left: bool) -> Iterator[Problem]:
        return slow_kernels(self, padded_left)

    def inputs(self) -> tuple[base.InPort, ...]:
        return (base.InPort("inputs", "a sequence (None, steps, features), or token ids with an embedding"),)

    def outputs(self) -> tuple[base.OutPort, ...]:
        ports: list[base.OutPort] = []
        if "states" in self.output and self.split_states:
            ports += [base.OutPort(name, f"state {name}") for name, _ in self._states().tensors]
        elif "states" in self.output:
            ports.append(base.OutPort("states", "the final states of every layer"))
        if "code" in self.output:
            ports.append(base.OutPort("code", "the last output (None, units)"))
        if "sequence" in self.output:
            ports.append(base.OutPort("sequence", "all outputs (None, steps, units)"))
        if "memory" in self.output:
            ports.append(base.OutPort("memory", "all outputs, and which of them are padding, to attend to"))
        return tuple(ports)

    def faults(self) -> Iterator[tuple[str, str]]:
        if len(set(self.output)) != len(self.output):
            yield "output", f"each output can be named once, got {', '.join(self.output)}."
        if self.batch_normalization and len(self.units) == 1:
            yield "batch_normalization", "BatchNormalization stands between layers, and there is one layer; switch it off."
        yield from dropout_faults(self)
        if self.output_dropout and self.output == ("states",):
            yield "output_dropout", "the states are left alone; set output_dropout = 0, or let a code or a sequence leave."

    def check_port(self, port: str, received: PortType) -> None:
        base.fail_unless_sequence(port, received, self.embedding)

    def _states(self) -> StatesType:
        widths = tuple(units * 2 for units in self.units) if self.bidirectional else self.units
        return base.states_type(self.cell, widths)

    def output_types(self, input_types: base.InputTypes, submodel: Submodel | None) -> dict[str, PortType]:
        types = super().output_types(input_types, submodel)
        if isinstance(sequence := types.get("memory"), TensorType):
            types["memory"] = MemoryType(sequence.shape[0], sequence.shape[1] or 0, padded=self.mask_padding)
        return types

    def states_ports(self) -> dict[str, StatesType]:
        return {"states": self._states()} if "states" in self.output and not self.split_states else {}

    def _layer(self, i: int, units: int, sequences: bool, states: bool) -> Layer:
        arguments: dict[str, Value] = {"units": units}
        arguments |= {"return_sequences": True} if sequences else {}
        arguments |= {"return_state": True} if states else {}
        arguments |= {"dropout": rate} if (rate := input_dropout(self, i)) else {}
        arguments |= {"recurrent_dropout": self.recurrent_dropout} if self.recurrent_dropout else {}
        arguments |= {"reset_after": False} if self.cell == "GRU" and not self.reset_after else {}
        recurrent = layer(self.cell, f"Encoder_{self.cell}_{i}", **arguments)
        return layer("Bidirectional", f"Encoder_Bidirectional_{i}", recurrent) if self.bidirectional else recurrent

    def _apply(self, builder: SubmodelBuilder, i: int, recurrent: Layer, x: Tensor, states: dict[str, Tensor]) -> Tensor:
        """One layer; its final states are added to `states` if it returns them."""
        if not (recurrent.inner or recurrent).flag("return_state", False):
            return builder.call("x", recurrent, x)
        letters = "hc" if self.cell == "LSTM" else "h"
        if not self.bidirectional:
            x, *final = builder.call_many(("x", *(f"{letter}_{i}" for letter in letters)), recurrent, x)
            states.update(zip((f"{letter}_{i}" for letter in letters), final, strict=True))
            return x
        # Keras gives the forward layer's states first, then the backward layer's
        names = [f"{direction}_{letter}_{i}" for direction in ("forward", "backward") for letter in letters]
        x, *final = builder.call_many(("x", *names), recurrent, x)
        for k, letter in enumerate(letters if "states" in self.output else "h"):  # the code is h alone
            joint = layer("Concatenate", f"Encoder_State_{letter}_{i}", axis=-1)
            states[f"{letter}_{i}"] = builder.call(f"{letter}_{i}", joint, final[k], final[k + len(letters)])
        return x

    def _dropped(self, builder: SubmodelBuilder, x: Tensor, port: str) -> Tensor:
        """Add the dropout after the last layer."""
        if not self.output_dropout:
            return x
        return builder.call(port, layer("Dropout", f"Dropout_Encoder_{port.capitalize()}", rate=self.output_dropout), x)

    def submodel(self, input_types: base.InputTypes) -> Submodel:
        builder = SubmodelBuilder(f"Sequence to {listed(self.output)}.")
        inputs = base.fail_unless_sequence("inputs", input_types["inputs"], self.embedding)
        x = builder.input("encoder_inputs", "Encoder_Inputs", inputs)
        seen = seen_steps(builder, x, "Encoder") if "memory" in self.output and self.mask_padding else None
        x = base.embed(builder, x, "Encoder", self.embedding, self.mask_padding)
        states: dict[str, Tensor] = {}
        wants_states = "states" in self.output
        wants_sequence = bool({"sequence", "memory"} & set(self.output))
        last = len(self.units) - 1
        for i, units in enumerate(self.units):
            sequences = i < last or wants_sequence
            # a layer that returns all its outputs still gives its last one as the state h
            needs_state = wants_states or (i == last and wants_sequence and "code" in self.output)
            x = self._apply(builder, i, self._layer(i, units, sequences, needs_state), x, states)
            if self.batch_normalization and i < last:
                x = builder.call("x", base.batch_normalization(f"BN_Encoder_{i}", self.momentum), x)
        result: dict[str, Tensor | tuple[Tensor, ...]] = {}
        if wants_states:
            result |= states if self.split_states else {"states": tuple(states.values())}
        if "code" in self.output:
            result["code"] = self._dropped(builder, states[f"h_{last}"] if wants_sequence else x, "code")
        if wants_sequence:
            x = self._dropped(builder, x, "sequence")
        if "sequence" in self.output:
            result["sequence"] = x
        if "memory" in self.output:
            result["memory"] = (x,) if seen is None else (without_padding(builder, x, seen, "Encoder"), seen)
        return builder.build(**result)
