"""The bottleneck of an autoencoder: a code, plain or variational."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from msgspec import Meta

from seqdec_gui.domain.graph import Submodel, SubmodelBuilder
from seqdec_gui.domain.kinds import base
from seqdec_gui.domain.kinds.roles import KullbackLeibler
from seqdec_gui.domain.layers.layer import layer
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.types import PortType, TensorType

MEAN_LAYER = "Z_Mean"
"""The name of the layer with the mean of a variational code."""

LOG_VARIANCE_LAYER = "Z_Log_Variance"
"""The name of the layer with the log variance of a variational code."""


class Bottleneck(base.Kind, frozen=True, tag="bottleneck"):
    """A Dense layer that computes the code; if variational, a mean and a log variance, with sampling in training.

    Sampling (Kingma and Welling 2014, arXiv:1312.6114, eq. 10): code = mean + exp(log_variance / 2) * noise. The noise comes
    from GaussianNoise on zeros, which is silent at inference, so that the exported code is the mean. The engine adds the KL
    term of each row, a sum over the units of the code, averaged over the rows of the global batch and times `kl_weight`.
    """

    title: ClassVar[str] = "Bottleneck"
    summary: ClassVar[str] = "Encoder output or states to a code vector; plain, noisy, or variational with a KL term."
    category: ClassVar[base.Category] = "Encoders"
    icon: ClassVar[str] = "arrow-collapse-vertical"

    units: Annotated[base.Units, Meta(description="Width of the code.")] = 64
    activation: Annotated[base.Activation, Meta(description="Activation of the code (a variational code is linear).")] = (
        "linear"
    )
    input_batch_normalization: Annotated[
        bool, Meta(description="BatchNormalization of what enters, before the Dense layer.")
    ] = False
    batch_normalization: Annotated[bool, Meta(description="BatchNormalization of the code.")] = False
    momentum: base.Momentum = 0.9
    noise: Annotated[float, Meta(ge=0, le=100, description="Deviation of Gaussian noise on the code while training.")] = 0.0
    variational: Annotated[bool, Meta(description="Learn a mean and a variance, and sample while training.")] = False
    kl_weight: Annotated[
        float,
        Meta(
            ge=0,
            le=1e6,
            description="Factor of the KL term in the loss (variational). The term is a sum over the units of the code, "
            "averaged over the rows: mean_rows(sum_units(0.5 * (mean^2 + exp(log_variance) - 1 - log_variance))).",
        ),
    ] = 1.0
    kl_warmup_epochs: Annotated[
        int, Meta(ge=0, le=1_000_000, description="Epochs over which the KL weight grows from 0 (variational).")
    ] = 0
    trainable: base.Trainable = True
    learning_rate_factor: base.LearningRateFactor = 1.0

    @property
    def divergence(self) -> KullbackLeibler | None:
        return self if self.variational else None

    def is_relevant(self, name: str) -> bool:
        match name:
            case "momentum":
                return self.batch_normalization or self.input_batch_normalization
            case "kl_weight" | "kl_warmup_epochs":
                return self.variational
        return True

    def advice(self, padded_left: bool) -> Iterator[Problem]:
        if self.variational and self.kl_weight == 0:
            text = "A variational code with kl_weight 0 is not pulled to a normal distribution."
            yield Problem("warning", "no_kl", "kl_weight", text)

    def inputs(self) -> tuple[base.InPort, ...]:
        return (base.InPort("inputs", "a vector (None, features), or states"),)

    def outputs(self) -> tuple[base.OutPort, ...]:
        code = base.OutPort("code", "the code (None, units)")
        if not self.variational:
            return (code,)
        return (code, base.OutPort("mean", "mean of the code"), base.OutPort("log_variance", "log variance of the code"))

    def faults(self) -> Iterator[tuple[str, str]]:
        if self.variational:
            for name in ("batch_normalization", "noise"):
                if getattr(self, name):
                    yield name, f"a variational code has its own noise and scale; set {name} to its default."
            if self.activation != "linear":
                yield "activation", f"a variational code is linear, got {self.activation}."

    def check_port(self, port: str, received: PortType) -> None:
        base.fail_if_memory(port, received)
        if isinstance(received, TensorType) and (len(received.shape) != 1 or received.dtype != "float32"):
            raise base.PortError(f"expected a vector (None, features) or states, got {received}", port)

    def submodel(self, input_types: base.InputTypes) -> Submodel:
        builder = SubmodelBuilder("Mean, log variance and a sample of the code." if self.variational else "Input to code.")
        x = base.joined(builder, input_types["inputs"], "code_inputs", "Code_Inputs", "Code")
        if self.input_batch_normalization:
            x = builder.call("x", base.batch_normalization("BN_Code_Inputs", self.momentum), x)
        if self.variational:
            mean = builder.call("mean", base.dense(MEAN_LAYER, self.units, "linear"), x)
            log_variance = builder.call("log_variance", base.dense(LOG_VARIANCE_LAYER, self.units, "linear"), x)
            half = builder.call("deviation", layer("Rescaling", "Z_Half", scale=0.5), log_variance)
            deviation = builder.call("deviation", layer("Activation", "Z_Deviation", activation="exponential"), half)
            zeros = builder.call("noise", layer("Rescaling", "Z_Zeros", scale=0.0), mean)
            noise = builder.call("noise", layer("GaussianNoise", "Z_Noise", stddev=1.0), zeros)
            shift = builder.call("noise", layer("Multiply", "Z_Scaled_Noise"), deviation, noise)
            code = builder.call("code", layer("Add", "Z_Sample"), mean, shift)
            return builder.build(code=code, mean=mean, log_variance=log_variance)
        code = builder.call("code", base.dense("Dense_Code", self.units, self.activation), x)
        if self.batch_normalization:
            code = builder.call("code", base.batch_normalization("BN_Code", self.momentum), code)
        if self.noise:
            code = builder.call("code", layer("GaussianNoise", "Noise_Code", stddev=self.noise), code)
        return builder.build(code=code)
