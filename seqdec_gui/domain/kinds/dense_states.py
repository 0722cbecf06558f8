"""A vector to the initial states of a stack of recurrent layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from msgspec import Meta

from seqdec_gui.domain.graph import Submodel, SubmodelBuilder, Tensor
from seqdec_gui.domain.kinds import base
from seqdec_gui.domain.layers.layer import layer
from seqdec_gui.domain.types import CellName, PortType, StatesType, TensorType


class DenseStates(base.Kind, frozen=True, tag="dense_states"):
    """Per decoder layer one Dense for each state tensor, from a vector or from another encoder's states."""

    title: ClassVar[str] = "Dense to states"
    summary: ClassVar[str] = "A vector (or other states) to the initial h and c of every decoder layer, one Dense each."
    category: ClassVar[base.Category] = "Encoders"
    icon: ClassVar[str] = "call-split"

    cell: Annotated[CellName, Meta(description="Cell of the decoder that takes the states: LSTM has h and c, GRU h.")] = "LSTM"
    units: Annotated[tuple[base.Units, ...], Meta(min_length=1, max_length=64, description="Width of each decoder layer.")] = (
        128,
        128,
    )
    activation: Annotated[base.Activation, Meta(description="Activation of the state layers.")] = "relu"
    batch_normalization: Annotated[bool, Meta(description="BatchNormalization after each state layer.")] = True
    momentum: base.Momentum = 0.9
    trunk: Annotated[
        tuple[base.Units, ...], Meta(max_length=32, description="Widths of Dense layers that all states share; empty: none.")
    ] = ()
    trunk_activation: Annotated[base.Activation, Meta(description="Activation of the shared layers.")] = "relu"
    dropout: Annotated[base.Rate, Meta(description="Dropout after each shared layer.")] = 0.0
    split_states: Annotated[bool, Meta(description="One output per state tensor (h_0, c_0, ...) instead of one wire.")] = False
    trainable: base.Trainable = True
    learning_rate_factor: base.LearningRateFactor = 1.0

    def is_relevant(self, name: str) -> bool:
        match name:
            case "momentum":
                return self.batch_normalization
            case "trunk_activation" | "dropout":
                return bool(self.trunk)
        return True

    def inputs(self) -> tuple[base.InPort, ...]:
        return (base.InPort("inputs", "a vector (None, features), or states"),)

    def outputs(self) -> tuple[base.OutPort, ...]:
        if self.split_states:
            return tuple(base.OutPort(name, f"state {name}") for name, _ in self._states().tensors)
        return (base.OutPort("states", "the initial states of every decoder layer"),)

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.dropout and not self.trunk:
            yield "dropout", "dropout follows the shared layers, and there are none; set trunk or dropout = 0."

    def check_port(self, port: str, received: PortType) -> None:
        base.fail_if_memory(port, received)
        if isinstance(received, TensorType) and (len(received.shape) != 1 or received.dtype != "float32"):
            raise base.PortError(f"expected a vector (None, features) or states, got {received}", port)

    def _states(self) -> StatesType:
        return base.states_type(self.cell, self.units)

    def states_ports(self) -> dict[str, StatesType]:
        return {} if self.split_states else {"states": self._states()}

    def submodel(self, input_types: base.InputTypes) -> Submodel:
        builder = SubmodelBuilder("Vector to the initial states of the decoder.")
        source = base.joined(builder, input_types["inputs"], "latent_input", "Latent_Input", "Latent")
        for i, units in enumerate(self.trunk):
            source = builder.call("x", base.dense(f"Dense_Trunk_{i}", units, self.trunk_activation), source)
            if self.dropout:
                source = builder.call("x", layer("Dropout", f"Dropout_Trunk_{i}", rate=self.dropout), source)
        states: dict[str, Tensor] = {}
        for name, state in self._states().tensors:
            assert state.shape[0] is not None
            tensor = builder.call(name, base.dense(f"Dense_{name}", state.shape[0], self.activation), source)
            if self.batch_normalization:
                tensor = builder.call(name, base.batch_normalization(f"BN_{name}", self.momentum), tensor)
            states[name] = tensor
        return builder.build(**states) if self.split_states else builder.build(states=tuple(states.values()))
