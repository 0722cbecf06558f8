"""A sequence, one step behind, to a prediction per step, by layers of attention on itself and on memories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, NamedTuple

import msgspec
from msgspec import Meta

from seqdec_gui.domain.graph import Submodel, SubmodelBuilder, Tensor
from seqdec_gui.domain.kinds import base
from seqdec_gui.domain.kinds.transformer import SEQUENCE, Parts, Transformer, fail_unless_steps
from seqdec_gui.domain.kinds.transformer_steps import Past
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.types import MemoryType, PortType, TensorType, tensors_of

EXAMPLE_STEPS = 12
"""The length of the token ids of an example."""


class Memory(NamedTuple):
    """What a decoder attends to: `(None, steps, features)`, and a mask of keys `(None, 1, steps)` if some are padding."""

    sequence: Tensor
    keys: Tensor | None


class TransformerDecoder(Transformer, frozen=True, tag="transformer_decoder"):
    """Layers of causal attention, and of attention on 0, 1 or several memories.

    Each memory has an attention of its own in every layer, one after the other (Libovický et al., 2018).
    """

    title: ClassVar[str] = "Transformer decoder"
    summary: ClassVar[str] = "Layers of attention on the steps before and on memories, to a prediction per step."
    category: ClassVar[base.Category] = "Decoders"
    icon: ClassVar[str] = "arrow-expand-right"

    mask_padding: Annotated[
        bool,
        Meta(
            description="Attend to no padding: id 0, or steps of zeros. Padding on the right is after all steps, "
            "so that none attends to it."
        ),
    ] = False
    memories: Annotated[int, Meta(ge=0, le=8, description="Memories to attend to; 0: a language model.")] = 1
    prefix: Annotated[bool, Meta(description="A vector of conditions as the first step, which no prediction is made for.")] = (
        False
    )
    output_units: Annotated[base.Units, Meta(description="Symbols (or numbers) predicted per step.")] = 22
    output_activation: Annotated[base.Activation, Meta(description="softmax for symbols, linear for numbers.")] = "softmax"
    tie_embeddings: Annotated[
        bool,
        Meta(
            description="Predict with the table of the embedding, without a bias, in place of weights of its own: for token "
            "ids, and as many symbols out as in."
        ),
    ] = False
    trainable: base.Trainable = True
    learning_rate_factor: base.LearningRateFactor = 1.0

    @property
    def feeds_back(self) -> bool:
        return True

    @property
    def width_parameter(self) -> str:
        return "output_units"

    def advice(self, padded_left: bool) -> Iterator[Problem]:
        if padded_left and not self.mask_padding:
            text = "Padding on the left comes before the sequence, and every step attends to it."
            yield Problem("warning", "padding_attended", "mask_padding", text, "Switch mask_padding on, or pad on the right.")

    def _memory_ports(self) -> list[str]:
        return [f"memory_{number}" if number > 1 else "memory" for number in range(1, self.memories + 1)]

    def inputs(self) -> tuple[base.InPort, ...]:
        memory = "a memory, a sequence (None, steps, features), or a vector (None, features) as one step"
        ports = [base.InPort("inputs", f"the true sequence, one step behind: {SEQUENCE}")]
        ports += [base.InPort(name, memory) for name in self._memory_ports()]
        ports += [base.InPort("prefix", "a vector of conditions (None, features)")] if self.prefix else []
        return tuple(ports)

    def example_inputs(self) -> dict[str, PortType]:
        """Return what `Kind.example_inputs` does; an embedding that predicts its symbols takes as many as it predicts."""
        if not self.tie_embeddings:
            return super().example_inputs()
        free = msgspec.structs.replace(self, tie_embeddings=False)
        return free.example_inputs() | {"inputs": TensorType((EXAMPLE_STEPS,), "int32", self.output_units)}

    def outputs(self) -> tuple[base.OutPort, ...]:
        return (base.OutPort("outputs", "a prediction per step (None, steps, output_units)"),)

    def last_activation(self) -> base.LastActivation:
        return base.LastActivation(self.output_activation, "output_activation")

    def check_port(self, port: str, received: PortType) -> None:
        if port == "inputs":
            if fail_unless_steps(port, received).shape[0] is None:
                text = f"the decoder needs a known length, got {received}"
                raise base.PortError(text, port, "Set the length of the input block.")
            if self.tie_embeddings:
                self._fail_unless_tied(port, received)
        elif port == "prefix":
            base.fail_unless_tensor(port, received, "a vector of conditions (None, features)", 1)
        elif not isinstance(received, MemoryType):
            hint = "Token ids need an encoder or an embedding." if getattr(received, "dtype", "") == "int32" else ""
            if not isinstance(received, TensorType) or received.dtype != "float32" or len(received.shape) not in (1, 2):
                raise base.PortError(f"expected a memory, a sequence or a vector, got {received}", port, hint)

    def _fail_unless_tied(self, port: str, received: PortType) -> None:
        """Raise PortError unless the table of the embedding has a row for each symbol that is predicted."""
        symbols = received.symbols if isinstance(received, TensorType) else None
        if symbols is None:
            hint = "Set encoding = ids at the input block, or switch tie_embeddings off."
            raise base.PortError(f"tied embeddings need token ids, got {received}", port, hint)
        if symbols != self.output_units:
            text = f"tied embeddings predict the symbols that they embed, got {symbols} symbols and output_units = "
            hint = f"Make output_units {symbols}, or switch tie_embeddings off."
            raise base.PortError(f"{text}{self.output_units}", port, hint)

    def submodel(self, input_types: base.InputTypes) -> Submodel:
        return self._build(input_types, one_step=False)

    def step_submodel(self, input_types: base.InputTypes) -> Submodel | None:
        return self._build(input_types, one_step=True)

    def _memory(self, parts: Parts, builder: SubmodelBuilder, port: str, type: PortType) -> tuple[Memory, list[Tensor]]:
        """Add the inputs of a memory; returns what is attended to, and the inputs themselves."""
        title = f"{parts.prefix}_{port.title()}"
        names = {"seen": (f"{port}_seen", f"{title}_Seen")}
        given = [builder.input(*names.get(name, (port, title)), tensor) for name, tensor in tensors_of("sequence", type)]
        sequence, keys, stem = given[0], None, port.title()
        if len(sequence.type.shape) == 1:
            sequence = parts.call(f"{port}_step", "RepeatVector", f"{stem}_Step", sequence, n=1)
        if len(given) > 1:
            keys = parts.call(f"{port}_keys", "RepeatVector", f"{stem}_Keys", given[1], n=1)
        return Memory(sequence, keys), given

    def _build(self, input_types: base.InputTypes, one_step: bool) -> Submodel:
        """Return the layers of the whole decoder, or of one step of it with what it carries as further outputs."""
        builder = SubmodelBuilder("One step of the decoder." if one_step else "Memories and inputs to predictions.")
        parts = Parts(self, builder, "Decoder", trains=not one_step)
        type = fail_unless_steps("inputs", input_types["inputs"])
        steps = type.shape[0]
        assert steps is not None  # `check_port`
        fed = TensorType((1, *type.shape[1:]), type.dtype, type.symbols) if one_step else type
        source = builder.input("decoder_inputs", "Decoder_Inputs", fed)
        memories: list[Memory] = []
        carried: list[Tensor] = []
        for port in self._memory_ports():
            memory, given = self._memory(parts, builder, port, input_types[port])
            memories.append(memory)
            carried += given
        first: Tensor | None = None
        if self.prefix:
            vector = base.fail_unless_tensor("prefix", input_types["prefix"], "a vector (None, features)", 1)
            carried.append(builder.input("prefix", "Decoder_Prefix", vector))
        past = Past(parts, builder, steps, self.prefix) if one_step else None
        seen = parts.seen(source) if self.mask_padding else None
        if past is None:
            x = parts.at_places(parts.embedded(source), source, "inputs")
            keys = None if seen is None else self._keys(parts, seen)
        else:
            past.begin(seen)
            x = past.at_place(parts.scaled(parts.embedded(source), source))
            keys = past.keys
        if self.prefix:
            first = builder.call("first", base.dense("Decoder_Condition", self.width, "linear"), carried[-1])
            first = parts.call("first", "RepeatVector", "First", first, n=1)
            x = parts.call("x", "Concatenate", "With_Prefix", first, x, axis=1)
        for i in range(self.layers):
            name = f"Self_Attention_{i}"

            def itself(y: Tensor, name: str = name, i: int = i) -> Tensor:
                if past is None:
                    return parts.attended(name, y, y, keys, causal=True)
                return parts.attended(name, y, past.with_step(y, i), keys)

            x = parts.around(x, name, itself)
            for number, memory in enumerate(memories, start=1):
                name = f"Cross_Attention_{i}" + (f"_{number}" if number > 1 else "")

                def other(y: Tensor, name: str = name, memory: Memory = memory) -> Tensor:
                    return parts.attended(name, y, memory.sequence, memory.keys)

                x = parts.around(x, name, other)
            x = parts.feed_forward(x, i)
        x = parts.last(x)
        if self.prefix:
            x = parts.call("x", "Cropping1D", "Without_Prefix", x, cropping=(1, 0))
        outputs = self._predicted(parts, builder, x, source)
        if past is None:
            return builder.build(outputs=outputs)
        return builder.build(outputs=outputs, states=(*carried, *past.after))

    def _predicted(self, parts: Parts, builder: SubmodelBuilder, x: Tensor, source: Tensor) -> Tensor:
        if not self.tie_embeddings:
            return builder.call("outputs", base.dense("Dense_Decoder", self.output_units, self.output_activation), x)
        outputs = builder.call("outputs", parts.embedding(source), x, reverse=True)
        if self.output_activation == "linear":
            return outputs
        return parts.call("outputs", "Activation", "Output", outputs, activation=self.output_activation)

    def _keys(self, parts: Parts, seen: Tensor) -> Tensor:
        """Return the mask of keys, `(None, 1, steps)`; a prefix counts."""
        keys = parts.call("keys", "RepeatVector", "Keys", seen, n=1)
        if not self.prefix:
            return keys
        column = parts.call("keys", "Permute", "Keys_Column", keys, dims=(2, 1))
        column = parts.with_one(column, "Keys")
        return parts.call("keys", "Permute", "Keys_Row", column, dims=(2, 1))
