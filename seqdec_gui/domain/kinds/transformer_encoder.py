"""A sequence to a memory for a decoder, to another sequence, or to a code, by layers of attention."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from seqdec_gui.domain.graph import Submodel, SubmodelBuilder, Tensor
from seqdec_gui.domain.kinds import base
from seqdec_gui.domain.kinds.transformer import LARGE, SEQUENCE, Parts, Transformer, fail_unless_steps
from seqdec_gui.domain.types import MemoryType, PortType
from seqdec_gui.domain.wording import listed

EncoderOutput = Literal["memory", "sequence", "code"]


class TransformerEncoder(Transformer, frozen=True, tag="transformer_encoder"):
    """Layers of attention over a whole sequence."""

    title: ClassVar[str] = "Transformer encoder"
    summary: ClassVar[str] = "Layers of attention over a sequence; gives a memory for a decoder, a sequence, or a code."
    category: ClassVar[base.Category] = "Encoders"
    icon: ClassVar[str] = "arrow-collapse-right"

    mask_padding: Annotated[bool, Meta(description="Attend to no padding: id 0, or steps of zeros.")] = True
    output: Annotated[
        tuple[EncoderOutput, ...],
        Meta(
            min_length=1, max_length=3, description="What leaves the block: memory (with its padding), sequence, code (pooled)."
        ),
    ] = ("memory",)
    pooling: Annotated[
        Literal["average", "first"], Meta(description="How a sequence becomes a code: the mean of its steps, or the first.")
    ] = "average"
    trainable: base.Trainable = True
    learning_rate_factor: base.LearningRateFactor = 1.0

    def is_relevant(self, name: str) -> bool:
        return "code" in self.output if name == "pooling" else super().is_relevant(name)

    def inputs(self) -> tuple[base.InPort, ...]:
        return (base.InPort("inputs", SEQUENCE),)

    def outputs(self) -> tuple[base.OutPort, ...]:
        gives = {
            "memory": "what a decoder attends to (None, steps, width), and its padding",
            "sequence": "a vector per step (None, steps, width)",
            "code": "the code (None, width)",
        }
        return tuple(base.OutPort(name, gives[name]) for name in gives if name in self.output)

    def faults(self) -> Iterator[tuple[str, str]]:
        yield from super().faults()
        if len(set(self.output)) != len(self.output):
            yield "output", f"each output can be named once, got {', '.join(self.output)}."

    def check_port(self, port: str, received: PortType) -> None:
        fail_unless_steps(port, received)

    def output_types(self, input_types: base.InputTypes, submodel: Submodel | None) -> dict[str, PortType]:
        types = super().output_types(input_types, submodel)
        if "memory" in types:
            types["memory"] = MemoryType(
                fail_unless_steps("inputs", input_types["inputs"]).shape[0], self.width, self.mask_padding
            )
        return types

    def submodel(self, input_types: base.InputTypes) -> Submodel:
        builder = SubmodelBuilder(f"Sequence to {listed(self.output)}.")
        parts = Parts(self, builder, "Encoder")
        source = builder.input("encoder_inputs", "Encoder_Inputs", fail_unless_steps("inputs", input_types["inputs"]))
        seen = parts.seen(source) if self.mask_padding else None
        keys = None if seen is None else parts.call("keys", "RepeatVector", "Keys", seen, n=1)
        x = parts.at_places(parts.embedded(source), source, "inputs")
        for i in range(self.layers):

            def part(y: Tensor, i: int = i) -> Tensor:
                return parts.attended(f"Self_Attention_{i}", y, y, keys)

            x = parts.around(x, f"Self_Attention_{i}", part)
            x = parts.feed_forward(x, i)
        x = parts.last(x)
        results: dict[str, Tensor | tuple[Tensor, ...]] = {"memory": (x,) if seen is None else (x, seen), "sequence": x}
        if "code" in self.output:
            results["code"] = self._code(parts, x, seen)
        return builder.build(**{port.name: results[port.name] for port in self.outputs()})

    def _code(self, parts: Parts, x: Tensor, seen: Tensor | None) -> Tensor:
        if self.pooling == "first":
            steps = x.type.shape[0]
            if steps is None:
                raise base.PortError("the first step needs a known length", "inputs", "Set the length of the input block.")
            first = parts.call("code", "Cropping1D", "First", x, cropping=(0, steps - 1))
            return parts.call("code", "Flatten", "Code", first)
        if seen is None:
            return parts.call("code", "GlobalAveragePooling1D", "Code", x)
        weights = parts.call("weights", "Rescaling", "Unseen", seen, scale=LARGE, offset=-LARGE)
        weights = parts.call("weights", "Softmax", "Weights", weights)
        return parts.call("code", "Dot", "Code", weights, x, axes=1)
