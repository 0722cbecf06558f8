"""What `verdict` says of every wire that could begin at one port: asked once a port, remembered while the design stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from seqdec_gui.domain.adapters import Adapter, propose
from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.shapes import Inference
from seqdec_gui.domain.validation import Verdict, downstream, verdict


class End(NamedTuple):
    """A port and its side: an output may have the name of an input."""

    port: Port
    is_output: bool


def ends_of(block: Block) -> Iterator[End]:
    """The inputs of a block, then its outputs."""
    kind = block.parameters
    yield from (End(Port(block.id, port.name), False) for port in kind.inputs())
    yield from (End(Port(block.id, port.name), True) for port in kind.outputs())


class Judge:
    """Judges wires from `start`.

    A wire concerns two blocks and what already ends at them, so the rule book is asked about a design of just these; only
    circles need the whole, and those are known from one walk.
    """

    def __init__(self, design: Design, inference: Inference, start: End) -> None:
        self.design, self.inference, self.start = design, inference, start
        self._blocks = {block.id: block for block in design.blocks}
        self._into: dict[str, list[Link]] = {}
        for link in design.links:
            self._into.setdefault(link.target.block, []).append(link)
        self._beyond = _upstream(design, start.port.block) if start.is_output else downstream(design, start.port.block)
        self._known: dict[Port, Verdict] = {}
        self._adapters: dict[Port, tuple[Adapter, ...]] = {}

    def link(self, other: End) -> Link | None:
        """The wire between the start and the other end; None where both are outputs, or both inputs."""
        if other.is_output == self.start.is_output:
            return None
        return Link(self.start.port, other.port) if self.start.is_output else Link(other.port, self.start.port)

    def verdict(self, other: End) -> Verdict:
        link = self.link(other)
        if link is None:
            side = "Outputs" if other.is_output else "Inputs"
            return Verdict(False, f"{side} cannot be connected with each other: draw from an output to an input.")
        known = self._known.get(other.port)
        if known is None:
            known = self._known[other.port] = self._judge(link, other)
        return known

    def adapters(self, other: End) -> tuple[Adapter, ...]:
        """What could stand between, where the wire itself is refused."""
        link = self.link(other)
        if link is None or other.port.block in self._beyond or self.verdict(other).ok:
            return ()
        found = self._adapters.get(other.port)
        if found is None:
            found = self._adapters[other.port] = propose(self.design, link, self.inference)
        return found

    def candidates(self) -> Iterator[End]:
        """Every port on the other side, in the design's order, the start's own block left out."""
        for block in self.design.blocks:
            if block.id != self.start.port.block:
                yield from (end for end in ends_of(block) if end.is_output != self.start.is_output)

    def _judge(self, link: Link, other: End) -> Verdict:
        if other.port.block in self._beyond or link.source.block not in self._blocks or link.target.block not in self._blocks:
            return verdict(self.design, link, self.inference)  # refused: the whole design says why
        both = (self._blocks[link.source.block], self._blocks[link.target.block])
        return verdict(Design(both, tuple(self._into.get(link.target.block, ()))), link, self.inference)


def _upstream(design: Design, start: str) -> set[str]:
    """The block and everything that it depends on."""
    fed: dict[str, list[str]] = {}
    for link in design.links:
        fed.setdefault(link.target.block, []).append(link.source.block)
    seen, todo = {start}, [start]
    while todo:
        for source in fed.get(todo.pop(), ()):
            if source not in seen:
                seen.add(source)
                todo.append(source)
    return seen
