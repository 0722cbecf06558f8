"""One step of a Transformer decoder: what earlier steps left behind, and where the new one belongs.

For every layer the inputs of its attention on itself are kept, `(None, steps, width)`, with zeros for the steps to come, so
that a step computes one row of every other part. `filled`, `(None, steps, 1)`, is 1 for the steps that there are.
"""

from __future__ import annotations

from seqdec_gui.domain.graph import SubmodelBuilder, Tensor
from seqdec_gui.domain.kinds.transformer import Parts
from seqdec_gui.domain.layers.layer import Sinusoid
from seqdec_gui.domain.types import TensorType


class Past:
    """What is carried from step to step; zeros before the first.

    `after` are the new values, in the order of the inputs that it adds. `keys` is the mask of the attention of the step.
    """

    def __init__(self, parts: Parts, builder: SubmodelBuilder, steps: int, prefix: bool) -> None:
        self._parts = parts
        self._builder = builder
        self._prefix = prefix
        self._steps = steps
        kind = parts.kind
        column = TensorType((steps, 1))
        self._filled = builder.input("filled", "Decoder_Filled", column)
        masks = bool(getattr(kind, "mask_padding", False))
        self._valid = builder.input("valid", "Decoder_Valid", column) if masks else None
        width = TensorType((steps, kind.width))
        self._kept = [builder.input(f"kept_{i}", f"Decoder_Kept_{i}", width) for i in range(kind.layers)]
        self._place: Tensor | None = None
        self.keys: Tensor | None = None
        self.after: list[Tensor] = []

    def begin(self, seen: Tensor | None) -> None:
        """Find the place of the step: the first that is not filled. `seen`, `(None, 1)`, is 0 if the step is padding."""
        call = self._parts.call
        rest = call("rest", "Rescaling", "Rest", self._filled, scale=-1.0, offset=1.0)
        rest = call("rest", "ZeroPadding1D", "Rest_Moved", rest, padding=(1, 0))
        rest = call("rest", "Cropping1D", "Rest_Cut", rest, cropping=(0, 1))
        filled = call("next_filled", "Rescaling", "Next_Filled", rest, scale=-1.0, offset=1.0)
        self._place = call("place", "Subtract", "Place", filled, self._filled)
        self.after = [filled]
        counted = filled
        if self._valid is not None and seen is not None:
            one = call("seen", "RepeatVector", "Seen_Step", seen, n=1)
            one = call("seen", "Multiply", "Seen_Place", self._place, one)
            counted = call("next_valid", "Add", "Next_Valid", self._valid, one)
            self.after.append(counted)
        if not self._prefix:
            self.keys = call("keys", "Permute", "Keys", counted, dims=(2, 1))
            return
        nothing = call("nothing", "Rescaling", "Nothing", counted, scale=0.0)
        of_prefix = self._parts.with_one(nothing, "Prefix_Keys", "nothing")
        of_step = self._parts.with_one(counted, "Step_Keys", "keys")
        both = call("keys", "Concatenate", "Keys_Columns", of_prefix, of_step, axis=-1)
        self.keys = call("keys", "Permute", "Keys", both, dims=(2, 1))

    def at_place(self, x: Tensor) -> Tensor:
        """Return the embedded step with what says where it is."""
        call, width = self._parts.call, self._parts.kind.width
        if self._parts.kind.positions == "none":
            return x
        assert self._place is not None
        place = call("where", "Flatten", "Where", self._place)
        if self._parts.kind.positions == "learned":
            row = call("where", "EinsumDense", "Positions", place, equation="bt,te->be", output_shape=(width,))
        else:
            table = call("table", "Rescaling", "Table", self._kept[0], scale=0.0, offset=Sinusoid(self._steps, width))
            row = call("where", "Dot", "Positions", place, table, axes=1)
        return call("x", "Add", "Placed", x, call("where", "RepeatVector", "Position", row, n=1))

    def with_step(self, y: Tensor, i: int) -> Tensor:
        """Return what layer `i` attends to: the inputs of its attention in all steps, with that of the new step."""
        call = self._parts.call
        self._builder.cached(self._parts.attention(f"Self_Attention_{i}").name, self._kept[i])
        assert self._place is not None
        step = call("step", "Cropping1D", f"Step_{i}", y, cropping=(1, 0)) if self._prefix else y
        added = call("added", "Multiply", f"Added_{i}", self._place, step)
        kept = call(f"next_kept_{i}", "Add", f"Next_Kept_{i}", self._kept[i], added)
        self.after.append(kept)
        if not self._prefix:
            return kept
        first = call("first", "Cropping1D", f"First_{i}", y, cropping=(0, 1))
        return call("all_steps", "Concatenate", f"All_Steps_{i}", first, kept, axis=1)
