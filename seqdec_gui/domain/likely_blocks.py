"""Which of the blocks that fit at a loose wire people nearly always mean: the order of the list that a dropped wire opens.

A model is read from its inputs over an encoder and a decoder to a loss, and a wire is drawn one step along this way or back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.kinds.base import Kind
from seqdec_gui.domain.link_judge import End, upstream
from seqdec_gui.domain.shapes import Inference
from seqdec_gui.domain.types import StatesType, TensorType

Test = Callable[[Kind], bool]
"""Whether a kind is of the sort that is looked for."""


def _judges(kind: Kind) -> bool:
    return kind.judge is not None


def _decodes(kind: Kind) -> bool:
    return kind.feeds_back


def _gives_states(kind: Kind) -> bool:
    return bool(kind.states_ports()) and not kind.feeds_back


def _encodes(kind: Kind) -> bool:
    return kind.category == "Encoders"


def _enters(kind: Kind) -> bool:
    return kind.role == "input"


def _enters_as_symbols(kind: Kind) -> bool:
    return _enters(kind) and kind.gives_one_hot


def _enters_as_vector(kind: Kind) -> bool:
    return _enters(kind) and not kind.length_parameter


def likely_after(design: Design, inference: Inference, start: End) -> tuple[Test, ...]:
    """Return the sorts of blocks that an output leads to, the most probable first."""
    block = start.port.block
    carried = inference.blocks[block].outputs.get(start.port.port)
    if isinstance(carried, StatesType):
        return (_decodes,)
    decoded = any(design.block(one).parameters.feeds_back for one in (block, *upstream(design, block)))
    if decoded:
        judged = any(link.source == start.port and _judges(design.block(link.target.block).parameters) for link in design.links)
        return (_decodes,) if judged else (_judges,)
    if isinstance(carried, TensorType) and carried.has_steps:
        encoded = any(_encodes(one.parameters) for one in design.blocks)
        return (_decodes, _gives_states) if encoded else (_gives_states, _decodes)
    return (_gives_states, _encodes)


def likely_before(design: Design, inference: Inference, start: End) -> tuple[Test, ...]:
    """Return the sorts of blocks that an input is fed by, the most probable first."""
    kind = design.block(start.port.block).parameters
    wanted = kind.wanted_at(start.port.port, inference.blocks[start.port.block].inputs)
    if _judges(kind):
        return (_decodes,)
    if isinstance(wanted, StatesType):
        return (_gives_states,)
    if kind.feeds_back or _takes_steps(kind):
        return (_enters_as_symbols, _enters)
    return (_enters_as_vector, _enters)


def likeliest_first(kinds: Sequence[Kind], tests: Sequence[Test]) -> list[int]:
    """Return the places of `kinds`, those that pass an earlier test first, and otherwise in the order that they have."""
    ranks = [next((rank for rank, test in enumerate(tests) if test(kind)), len(tests)) for kind in kinds]
    return sorted(range(len(kinds)), key=lambda place: ranks[place])


def _takes_steps(kind: Kind) -> bool:
    return any(isinstance(example, TensorType) and example.has_steps for example in kind.example_inputs().values())
