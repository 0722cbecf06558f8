"""Verdicts on all wires that could begin at one port of a design, each computed once."""

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
    """Yield the inputs of a block, then its outputs."""
    kind = block.parameters
    yield from (End(Port(block.id, port.name), False) for port in kind.inputs())
    yield from (End(Port(block.id, port.name), True) for port in kind.outputs())


class LinkJudge:
    """Tells which ports of a design a wire from `start` may end at, and why not at the others.

    A verdict depends on the two blocks of a wire and the wires that already end at them, so `validation.verdict` gets a design
    of just these. Only circles depend on the whole design; they are known from one walk at the beginning.
    """

    def __init__(self, design: Design, inference: Inference, start: End) -> None:
        self.design = design
        self.inference = inference
        self.start = start
        self._blocks = {block.id: block for block in design.blocks}
        self._into: dict[str, list[Link]] = {}
        for link in design.links:
            self._into.setdefault(link.target.block, []).append(link)
        self._beyond = upstream(design, start.port.block) if start.is_output else downstream(design, start.port.block)
        self._known: dict[Port, Verdict] = {}
        self._adapters: dict[Port, tuple[Adapter, ...]] = {}

    def link(self, other: End) -> Link | None:
        """Return the wire between the start and the other end, or None where both are outputs or both are inputs."""
        if other.is_output == self.start.is_output:
            return None
        return Link(self.start.port, other.port) if self.start.is_output else Link(other.port, self.start.port)

    def verdict(self, other: End) -> Verdict:
        """Return whether a wire from the start may end at this port, with the reason."""
        link = self.link(other)
        if link is None:
            side = "Outputs" if other.is_output else "Inputs"
            return Verdict(False, f"{side} cannot be connected with each other: draw from an output to an input.")
        known = self._known.get(other.port)
        if known is None:
            known = self._known[other.port] = self._judge(link, other)
        return known

    def adapters(self, other: End) -> tuple[Adapter, ...]:
        """Return the adapters that could be put between the two ports; none where the wire itself is possible."""
        link = self.link(other)
        if link is None or other.port.block in self._beyond or self.verdict(other).ok:
            return ()
        adapters = self._adapters.get(other.port)
        if adapters is None:
            adapters = self._adapters[other.port] = propose(self.design, link, self.inference)
        return adapters

    def candidates(self) -> Iterator[End]:
        """Yield the ports of other blocks on the opposite side: inputs if the start is an output, outputs if it is an input."""
        for block in self.design.blocks:
            if block.id != self.start.port.block:
                yield from (end for end in ends_of(block) if end.is_output != self.start.is_output)

    def _judge(self, link: Link, other: End) -> Verdict:
        if other.port.block in self._beyond or link.source.block not in self._blocks or link.target.block not in self._blocks:
            return verdict(self.design, link, self.inference)  # refused: the whole design says why
        both = (self._blocks[link.source.block], self._blocks[link.target.block])
        return verdict(Design(both, tuple(self._into.get(link.target.block, ()))), link, self.inference)


def upstream(design: Design, start: str) -> set[str]:
    """Return the ids of a block and of all blocks that it depends on."""
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
