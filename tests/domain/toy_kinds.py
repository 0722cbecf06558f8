"""Kinds of somebody else's: a plain one, and one that generates. Run as a script this is a child that knows them.

With the folder of a run it is the child that trains it, without arguments the child of a task.
"""

from __future__ import annotations

import sys
from typing import Annotated, ClassVar

from msgspec import Meta

from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.graph import Submodel, SubmodelBuilder
from seqdec_gui.domain.kinds import base
from seqdec_gui.domain.kinds.inputs import TokenSequence, Vector
from seqdec_gui.domain.kinds.loss import Loss
from seqdec_gui.domain.layers.layer import layer
from seqdec_gui.domain.types import PortType, TensorType


class NormalisedDense(base.Kind, frozen=True, tag="toy_normalised_dense"):
    """Dense, then LayerNormalization: a plain part of the model."""

    title: ClassVar[str] = "Normalised dense"
    summary: ClassVar[str] = "A vector to a code, normalised."
    category: ClassVar[base.Category] = "Encoders"
    icon: ClassVar[str] = "duck"

    units: Annotated[base.Units, Meta(description="Width of the code.")] = 6
    normalised: Annotated[bool, Meta(description="LayerNormalization of the code.")] = True
    noise: Annotated[float, Meta(ge=0, le=10, description="Deviation of the noise on a normalised code while training.")] = 0.0
    trainable: base.Trainable = True

    def is_relevant(self, name: str) -> bool:
        return self.normalised if name == "noise" else True

    def inputs(self) -> tuple[base.InPort, ...]:
        return (base.InPort("inputs", "a vector (None, features)"),)

    def outputs(self) -> tuple[base.OutPort, ...]:
        return (base.OutPort("code", "the code (None, units)"),)

    def check_port(self, port: str, received: PortType) -> None:
        base.fail_unless_tensor(port, received, "a vector (None, features)", 1)

    def submodel(self, input_types: base.InputTypes) -> Submodel:
        builder = SubmodelBuilder("Vector to a normalised code.")
        vector = base.fail_unless_tensor("inputs", input_types["inputs"], "a vector (None, features)", 1)
        x = builder.input("toy_inputs", "Toy_Inputs", vector)
        x = builder.call("x", base.dense("Toy_Dense", self.units, "tanh"), x)
        if self.normalised:
            x = builder.call("x", layer("LayerNormalization", "Toy_Normalization"), x)
            if self.noise:
                x = builder.call("x", layer("GaussianNoise", "Toy_Noise", stddev=self.noise), x)
        return builder.build(code=x)


class WindowDecoder(base.Kind, frozen=True, tag="toy_window_decoder"):
    """Predicts each step from a code and the last `window` symbols, by a causal convolution: nothing is recurrent here."""

    title: ClassVar[str] = "Window decoder"
    summary: ClassVar[str] = "A code and the last few symbols to a prediction per step."
    category: ClassVar[base.Category] = "Decoders"

    window: Annotated[int, Meta(ge=2, le=100, description="Steps that a prediction sees.")] = 3
    units: Annotated[base.Units, Meta(description="Filters of the convolution.")] = 12
    symbols: Annotated[base.Units, Meta(description="Symbols predicted per step.")] = 10
    trainable: base.Trainable = True

    @property
    def feeds_back(self) -> bool:
        return True

    @property
    def width_parameter(self) -> str:
        return "symbols"

    def inputs(self) -> tuple[base.InPort, ...]:
        return (base.InPort("inputs", "the true sequence, one step behind"), base.InPort("code", "the code (None, features)"))

    def outputs(self) -> tuple[base.OutPort, ...]:
        return (base.OutPort("outputs", "a prediction per step (None, steps, symbols)"),)

    def check_port(self, port: str, received: PortType) -> None:
        base.fail_unless_tensor(port, received, "a sequence" if port == "inputs" else "a code", 2 if port == "inputs" else 1)

    def submodel(self, input_types: base.InputTypes) -> Submodel:
        return self._build(input_types, one_step=False)

    def step_submodel(self, input_types: base.InputTypes) -> Submodel:
        return self._build(input_types, one_step=True)

    def _build(self, input_types: base.InputTypes, one_step: bool) -> Submodel:
        """One step takes the symbol, the code, and the `window - 1` symbols before, which zeros stand for at the beginning."""
        builder = SubmodelBuilder("One step of the decoder." if one_step else "Code and symbols to predictions.")
        sequence = base.fail_unless_tensor("inputs", input_types["inputs"], "a sequence", 2)
        steps, features = (1, sequence.shape[1]) if one_step else sequence.shape
        x = builder.input("symbols", "Toy_Symbols", TensorType((steps, features)))
        code = builder.input("code", "Toy_Code", base.fail_unless_tensor("code", input_types["code"], "a code", 1))
        carried = (code,)
        if one_step:
            past = builder.input("past", "Toy_Past", TensorType((self.window - 1, features)))
            x = builder.call("seen", layer("Concatenate", "Toy_Seen", axis=1), past, x)
            carried = (code, builder.call("next_past", layer("Cropping1D", "Toy_Next_Past", cropping=(1, 0)), x))
        padding = "valid" if one_step else "causal"
        convolution = layer("Conv1D", "Toy_Conv", filters=self.units, kernel_size=self.window, padding=padding)
        x = builder.call("x", convolution, x)
        x = builder.call("x", base.batch_normalization("Toy_BN", 0.9), x)
        repeated = builder.call("repeated", layer("RepeatVector", "Toy_Repeat", n=steps or 1), code)
        x = builder.call("x", layer("Concatenate", "Toy_Joined", axis=-1), x, repeated)
        x = builder.call("x", base.dense("Toy_Hidden", self.units, "relu"), x)
        outputs = builder.call("outputs", base.dense("Toy_Outputs", self.symbols, "softmax"), x)
        return builder.build(outputs=outputs, states=carried) if one_step else builder.build(outputs=outputs)


TOYS: dict[str, type[base.Kind]] = {kind.kind(): kind for kind in (NormalisedDense, WindowDecoder)}


def stack_of_toys() -> Design:
    """A vector to a code to a sequence of symbols, each by a kind that the program does not know."""
    wires = {
        "latent.output": "encoder.inputs",
        "encoder.code": "decoder.code",
        "decoder_inputs.output": "decoder.inputs",
        "decoder.outputs": "loss.predictions",
    }
    return Design(
        (
            Block("latent", Vector(width=3)),
            Block("decoder_inputs", TokenSequence(length=9, symbols=10)),
            Block("encoder", NormalisedDense()),
            Block("decoder", WindowDecoder()),
            Block("loss", Loss()),
        ),
        tuple(Link(Port.parse(source), Port.parse(target)) for source, target in wires.items()),
    )


if __name__ == "__main__":
    KINDS.update(TOYS)
    if sys.argv[1:]:
        from seqdec_gui.runner.__main__ import main as train

        sys.exit(train(sys.argv[1:]))
    from seqdec_gui.runner.task import main as do_task

    do_task()
