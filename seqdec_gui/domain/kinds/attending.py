"""Attention over a memory, made of plain layers: which steps a query takes, and the mean of the memory that it gives.

Sources: Bahdanau, Cho and Bengio 2015 (arXiv:1409.0473), appendix A.1.2; Luong, Pham and Manning 2015 (arXiv:1508.04025),
section 3; Vaswani et al. 2017 (arXiv:1706.03762), section 3.2. Padding gets `PADDING_SCORE` added to its score, so that its
weight is zero; where a whole memory is padding, all its steps weigh the same.

In sums of tensors with other axes the one with fewer numbers comes first. Keras takes a second one that has only one axis other
than 1 for a bias, and with TensorFlow may add it along another axis, without a word (Keras 3.15, `add` in
`keras/src/backend/tensorflow/numpy.py`: a single row whose sequences have equal lengths).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from seqdec_gui.domain.graph import SubmodelBuilder, Tensor
from seqdec_gui.domain.kinds import base
from seqdec_gui.domain.layers.layer import layer

Attention = Literal["none", "luong_dot", "luong_general", "bahdanau", "multi_head"]

PADDING_SCORE = 1e9
"""What is taken from the score of padding: more than any score, and finite, so that no weight is NaN."""


WEIGHTS = "Attention_Weights"
"""The layer that gives the weights of Luong's and Bahdanau's attention."""

SMALLEST = 1e-30
"""The smallest number that makes a step of numbers more than padding."""


class Memory(NamedTuple):
    """The sequence that is attended to, `(None, steps, width)`, and 1 for its steps, 0 for its padding; None if all count."""

    sequence: Tensor
    seen: Tensor | None = None


def seen_steps(builder: SubmodelBuilder, x: Tensor, prefix: str) -> Tensor:
    """Return 1 for each step of a sequence and 0 for its padding, `(None, steps)`: id 0, or a step of zeros.

    Numbers below `SMALLEST` count as zeros.
    """
    if x.type.dtype == "int32":
        size = builder.call("seen", layer("Rescaling", f"{prefix}_Ids", scale=1.0), x)
    else:
        negative = builder.call("seen", layer("Rescaling", f"{prefix}_Negative", scale=-1.0), x)
        size = builder.call("seen", layer("Maximum", f"{prefix}_Size"), x, negative)
        size = builder.call("seen", layer("Permute", f"{prefix}_Turned", dims=(2, 1)), size)
        size = builder.call("seen", layer("GlobalMaxPooling1D", f"{prefix}_Largest"), size)
        size = builder.call("seen", layer("Rescaling", f"{prefix}_Enlarged", scale=1 / SMALLEST), size)
    return builder.call("seen", layer("ReLU", f"{prefix}_Seen", max_value=1.0), size)


def without_padding(builder: SubmodelBuilder, x: Tensor, seen: Tensor, prefix: str) -> Tensor:
    """Return the sequence with zeros for its padding, and without the mask that Keras hands on with it.

    A mask would reach layers of other blocks while a model runs, and not while it is built.
    """
    column = builder.call("seen_column", layer("Reshape", f"{prefix}_Seen_Column", target_shape=(-1, 1)), seen)
    return builder.call("x", layer("Multiply", f"{prefix}_Memory"), x, column)


def zeros(builder: SubmodelBuilder, memory: Tensor, width: int) -> Tensor:
    """Return zeros `(None, width)`, with a row for each row of the memory: layers have no other way to say how many."""
    largest = builder.call("zeros", layer("GlobalMaxPooling1D", "Decoder_Largest"), memory)
    column = layer("Reshape", "Decoder_Largest_Column", target_shape=(memory.type.shape[-1] or 1, 1))
    largest = builder.call(
        "zeros", layer("GlobalMaxPooling1D", "Decoder_Largest_Of_All"), builder.call("zeros", column, largest)
    )
    nothing = builder.call("zeros", layer("Rescaling", "Decoder_Zero", scale=0.0), largest)
    repeated = builder.call("zeros", layer("RepeatVector", "Decoder_Zeros", n=width), nothing)
    return builder.call("zeros", layer("Reshape", "Decoder_Zero_Vector", target_shape=(width,)), repeated)


class Attender:
    """Attends to one memory, for one query or for several one after the other, with the same layers.

    What depends on the memory alone (its projection, its padding) is computed once, when the attender is made.
    """

    def __init__(self, builder: SubmodelBuilder, memory: Memory, form: Attention, query_width: int, units: int, heads: int):
        self._builder = builder
        self._memory = memory
        self._form = form
        self._units, self._heads = units, heads
        self._keys = memory.sequence
        self._padding: Tensor | None = None
        if form == "luong_general":
            keys = layer("Dense", "Attention_Keys", units=query_width, use_bias=False)
            self._keys = builder.call("keys", keys, memory.sequence)
        elif form == "bahdanau":
            self._keys = builder.call("keys", base.dense("Attention_Keys", units, "linear"), memory.sequence)
        if form != "multi_head":
            builder.weighs(WEIGHTS)
        if memory.seen is not None and form == "multi_head":
            self._padding = builder.call("seen_steps", layer("RepeatVector", "Attention_Seen", n=1), memory.seen)
        elif memory.seen is not None:
            penalty = layer("Rescaling", "Attention_Padding", scale=PADDING_SCORE, offset=-PADDING_SCORE)
            padding = builder.call("padding", penalty, memory.seen)
            shape = (1, -1, 1) if form == "bahdanau" else (1, -1)
            self._padding = builder.call("padding", layer("Reshape", "Attention_Padding_Steps", target_shape=shape), padding)

    def context(self, query: Tensor) -> Tensor:
        """Return the context of every step of the query, `(None, steps, width)`."""
        match self._form:
            case "multi_head":
                heads = layer(
                    "MultiHeadAttention", "Attention_Heads", num_heads=self._heads, key_dim=self._units // self._heads
                )
                options = {} if self._padding is None else {"attention_mask": self._padding}
                return self._builder.call("context", heads, query, self._memory.sequence, **options)
            case "bahdanau":
                return self._additive(query)
        scores = self._builder.call("scores", layer("Dot", "Attention_Scores", axes=(2, 2)), query, self._keys)
        if self._padding is not None:
            scores = self._builder.call("scores", layer("Add", "Attention_Padded_Scores"), self._padding, scores)
        weights = self._builder.call("weights", layer("Softmax", WEIGHTS), scores)
        return self._builder.call("context", layer("Dot", "Attention_Context", axes=(2, 1)), weights, self._memory.sequence)

    def _additive(self, query: Tensor) -> Tensor:
        """Return the context by scores `v tanh(W query + U memory)`, with an axis for the steps of each."""
        call = self._builder.call
        asked = call("asked", base.dense("Attention_Query", self._units, "linear"), query)
        asked = call("asked", layer("Reshape", "Attention_Query_4D", target_shape=(-1, 1, self._units)), asked)
        hidden = call("scores", layer("Add", "Attention_Hidden"), self._keys, asked)  # keys get an axis for the queries
        hidden = call("scores", layer("Activation", "Attention_Tanh", activation="tanh"), hidden)
        scores = call("scores", base.dense("Attention_Score", 1, "linear"), hidden)
        if self._padding is not None:
            scores = call("scores", layer("Add", "Attention_Padded_Scores"), self._padding, scores)
        weights = call("weights", layer("Softmax", WEIGHTS, axis=2), scores)
        context = call("context", layer("Dot", "Attention_Context", axes=(2, 1)), weights, self._memory.sequence)
        width = self._memory.sequence.type.shape[-1]
        assert width is not None
        return call("context", layer("Reshape", "Attention_Context_3D", target_shape=(-1, width)), context)
