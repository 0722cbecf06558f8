"""What the blocks with attention share: hyperparameters, embedding with positions, and layers with residuals around them.

Vaswani et al., "Attention is all you need" (2017); normalisation before each part: Xiong et al. (2020). Masks are numbers that
stock layers compute from the inputs, 1 for a step that counts, so that every file format carries them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Literal

from msgspec import Meta

from seqdec_gui.domain.graph import SubmodelBuilder, Tensor
from seqdec_gui.domain.kinds import base
from seqdec_gui.domain.layers.layer import Layer, Sinusoid, Value, layer
from seqdec_gui.domain.types import PortType, TensorType

EPSILON = 1e-6
"""What normalising layers add to a variance."""

LARGE = 1e9
"""What is subtracted from the weight of a step of padding before a softmax."""

SMALLEST = 1e-30
"""The smallest absolute value of a number of a step that does not count as padding, which is zeros."""

SEQUENCE = "a sequence (None, steps, features) or token ids (None, steps)"


class Transformer(base.Kind, frozen=True):
    """The hyperparameters of encoder and decoder."""

    layers: Annotated[int, Meta(ge=1, le=64, description="Layers: attention, then a feed-forward part.")] = 2
    width: Annotated[base.Units, Meta(description="Numbers per step between the layers; the width of an embedding.")] = 128
    heads: Annotated[int, Meta(ge=1, le=256, description="Heads of each attention.")] = 4
    head_width: Annotated[int, Meta(ge=0, le=65_536, description="Width of each head; 0: width divided by heads.")] = 0
    feed_forward: Annotated[base.Units, Meta(description="Width inside the feed-forward parts.")] = 512
    activation: Annotated[base.Activation, Meta(description="Activation inside the feed-forward parts.")] = "relu"
    dropout: Annotated[base.Rate, Meta(description="Dropout after the embedding and after each part of a layer.")] = 0.1
    attention_dropout: Annotated[
        base.Rate, Meta(description="Dropout on the weights of attention; fused kernels for attention are not used then.")
    ] = 0.0
    normalization: Annotated[
        Literal["before", "after"],
        Meta(
            description="Normalise before each part of a layer and after the last (trains without warm-up), or after each part."
        ),
    ] = "before"
    normalization_layer: Annotated[
        Literal["LayerNormalization", "RMSNormalization"], Meta(description="The layer that normalises.")
    ] = "LayerNormalization"
    positions: Annotated[
        Literal["sinusoidal", "learned", "none"],
        Meta(description="What says where a step is: sines and cosines, a learned vector for each step, or nothing."),
    ] = "sinusoidal"
    scale_embedding: Annotated[
        bool, Meta(description="Multiply embedded ids by the square root of the width, before positions are added.")
    ] = True

    def is_relevant(self, name: str) -> bool:
        return True

    def faults(self) -> Iterator[tuple[str, str]]:
        if not self.head_width and self.width % self.heads:
            yield "heads", f"{self.heads} heads do not divide a width of {self.width}; set head_width, or other heads."

    @property
    def key_dim(self) -> int:
        """The width of a head."""
        return self.head_width or max(1, self.width // self.heads)


def fail_unless_steps(port: str, received: PortType) -> TensorType:
    """Return the received type if it is a sequence of numbers or token ids of a known range, else raises PortError."""
    if isinstance(received, TensorType) and received.dtype == "int32" and len(received.shape) == 1:
        if received.symbols is None:
            raise base.PortError("token ids of unknown range", port, "Set symbols at the input block.")
        return received
    return base.fail_unless_tensor(port, received, SEQUENCE, 2)


class Parts:
    """Adds the layers of an encoder or a decoder to a builder. `prefix` begins their names.

    Without `trains`, layers that only training uses are left out.
    """

    def __init__(self, kind: Transformer, builder: SubmodelBuilder, prefix: str, trains: bool = True) -> None:
        self.kind = kind
        self.prefix = prefix
        self._builder = builder
        self._trains = trains

    def call(self, variable: str, type: str, name: str, *inputs: Tensor, **arguments: Value) -> Tensor:
        """Apply a layer of this class, whose name begins with the prefix."""
        return self._builder.call(variable, layer(type, f"{self.prefix}_{name}", **arguments), *inputs)

    # -- inputs
    def embedded(self, source: Tensor) -> Tensor:
        """Return the steps as vectors: ids from an embedding, numbers from a Dense layer."""
        if source.type.dtype == "int32":
            return self._builder.call("x", self.embedding(source), source)
        return self._builder.call("x", base.dense(f"{self.prefix}_Projection", self.kind.width, "linear"), source)

    def embedding(self, source: Tensor) -> Layer:
        """Return the layer that embeds token ids; one whose table predicts them too can be called in reverse."""
        arguments: dict[str, Value] = {"input_dim": source.type.symbols, "output_dim": self.kind.width}
        tied = getattr(self.kind, "tie_embeddings", False)
        return layer("ReversibleEmbedding" if tied else "Embedding", f"{self.prefix}_Embedding", **arguments)

    def scale_of(self, source: Tensor) -> float:
        """Return the factor on what `embedded` gives."""
        return float(self.kind.width**0.5) if source.type.dtype == "int32" and self.kind.scale_embedding else 1.0

    def scaled(self, x: Tensor, source: Tensor) -> Tensor:
        scale = self.scale_of(source)
        return x if scale == 1.0 else self.call("x", "Rescaling", "Scale", x, scale=scale)

    def at_places(self, x: Tensor, source: Tensor, port: str) -> Tensor:
        """Return embedded steps, scaled, with what says where they are. Raises PortError for a length that is not known."""
        steps, width = source.type.shape[0], self.kind.width
        if self.kind.positions == "none":
            return self.dropped(self.scaled(x, source), "Dropout")
        if steps is None:
            text = f"positions need a known length, got {source.type}"
            raise base.PortError(text, port, "Set the length of the input block, or positions = none.")
        if self.kind.positions == "sinusoidal":
            x = self.call("x", "Rescaling", "Positions", x, scale=self.scale_of(source), offset=Sinusoid(steps, width))
            return self.dropped(x, "Dropout")
        x = self.scaled(x, source)
        number = source if source.type.dtype == "int32" else self._one_number(source, "Place")
        ones = self.call("places", "Rescaling", "Places", number, scale=0.0, offset=1.0)
        places = self.call(
            "places", "EinsumDense", "Positions", ones, equation="bt,te->bte", output_shape=(steps, width)
        )  # fmt: skip
        return self.dropped(self.call("x", "Add", "Placed", x, places), "Dropout")

    def _one_number(self, source: Tensor, name: str) -> Tensor:
        """Return the largest number of every step, `(None, steps)`."""
        turned = self.call(name.lower(), "Permute", f"{name}_Turned", source, dims=(2, 1))
        return self.call(name.lower(), "GlobalMaxPooling1D", f"{name}_Number", turned)

    def seen(self, source: Tensor) -> Tensor:
        """Return `(None, steps)`, 1 for a step and 0 for padding: id 0, or a step of zeros."""
        if source.type.dtype == "int32":
            number = self.call("seen", "Rescaling", "Ids", source, scale=1.0)
        else:
            negative = self.call("seen", "Rescaling", "Negative", source, scale=-1.0)
            number = self._one_number(self.call("seen", "Maximum", "Absolute", source, negative), "Seen")
            number = self.call("seen", "Rescaling", "Enlarged", number, scale=1 / SMALLEST)
        return self.call("seen", "ReLU", "Seen", number, max_value=1.0)

    def with_one(self, column: Tensor, name: str, variable: str = "keys") -> Tensor:
        """Return the column of a mask, `(None, steps, 1)`, with a 1 before it."""
        rest = self.call(variable, "Rescaling", f"{name}_Rest", column, scale=-1.0, offset=1.0)
        rest = self.call(variable, "ZeroPadding1D", f"{name}_Moved", rest, padding=(1, 0))
        return self.call(variable, "Rescaling", f"{name}_With_One", rest, scale=-1.0, offset=1.0)

    # -- parts of a layer
    def normalised(self, x: Tensor, name: str, variable: str = "y") -> Tensor:
        return self.call(variable, self.kind.normalization_layer, f"Norm_{name}", x, epsilon=EPSILON)

    def dropped(self, x: Tensor, name: str) -> Tensor:
        if not self.kind.dropout or not self._trains:
            return x
        return self.call(x.variable, "Dropout", name, x, rate=self.kind.dropout)

    def around(self, x: Tensor, name: str, part: Callable[[Tensor], Tensor]) -> Tensor:
        """Return `x` with what `part` makes of it added, normalised before or after."""
        before = self.kind.normalization == "before"
        y = self.dropped(part(self.normalised(x, name) if before else x), f"Dropout_{name}")
        y = self.call("x" if before else "y", "Add", f"Add_{name}", x, y)
        return y if before else self.normalised(y, name, "x")

    def attention(self, name: str) -> Layer:
        arguments: dict[str, Value] = {"num_heads": self.kind.heads, "key_dim": self.kind.key_dim}
        arguments |= {"dropout": self.kind.attention_dropout} if self.kind.attention_dropout else {}
        return layer("MultiHeadAttention", f"{self.prefix}_{name}", **arguments)

    def attended(self, name: str, query: Tensor, value: Tensor, mask: Tensor | None, causal: bool = False) -> Tensor:
        """Return attention of `query` on `value`; `mask`, `(None, queries or 1, values)`, is 0 for what is not attended to."""
        options: dict[str, Value | Tensor] = {} if mask is None else {"attention_mask": mask}
        options |= {"use_causal_mask": True} if causal else {}
        return self._builder.call("y", self.attention(name), query, value, **options)

    def feed_forward(self, x: Tensor, i: int) -> Tensor:
        def part(y: Tensor) -> Tensor:
            y = self._builder.call("y", base.dense(f"{self.prefix}_Inner_{i}", self.kind.feed_forward, self.kind.activation), y)
            return self._builder.call("y", base.dense(f"{self.prefix}_Outer_{i}", self.kind.width, "linear"), y)

        x = self.around(x, f"Feed_Forward_{i}", part)
        self._builder.ends_segment()
        return x

    def last(self, x: Tensor) -> Tensor:
        """Return what leaves the last layer: normalised, where no layer ends with it."""
        return self.normalised(x, "Last", "x") if self.kind.normalization == "before" else x
