"""The design: blocks, the links between their ports, data and training. Frozen; every edit gives a new design."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

import msgspec

from seqdec_gui.domain.annotations import Annotation, Frame, Note, free_id
from seqdec_gui.domain.bindings import DataSource
from seqdec_gui.domain.kinds.base import Kind
from seqdec_gui.domain.names import usable_id
from seqdec_gui.domain.training import Training


class BlockWeights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The weights that a block begins with: those of `part`, a block of another time, in a file of weights or a checkpoint.

    A relative `file` begins at the design's folder. `sha256` is the check sum of the file, and empty for one that may change,
    as the checkpoint of a run. `parameters` is how many numbers it holds for the block. `source` says in words where they were
    taken from; nothing is read from there.
    """

    file: str
    part: str
    sha256: str = ""
    parameters: int = 0
    source: str = ""


class Block(msgspec.Struct, frozen=True):
    """One submodel. `id` is a Python identifier, unique in the design; `parameters` are its kind and hyperparameters.

    `weights` are what it begins with; None: new ones, or for an imported file those of the file.
    """

    id: str
    parameters: Kind
    position: tuple[float, float] = (0.0, 0.0)
    weights: BlockWeights | None = None

    @property
    def kind(self) -> str:
        return self.parameters.kind()


class Port(msgspec.Struct, frozen=True, order=True):
    """The name of a port of a block, written `block.port`."""

    block: str
    port: str

    def __str__(self) -> str:
        return f"{self.block}.{self.port}"

    @classmethod
    def parse(cls, text: str) -> Port:
        """Parse `block.port`. Raises ValueError unless the text has exactly one dot, between two names."""
        block, dot, port = text.partition(".")
        if not (block and dot and port) or "." in port:
            raise ValueError(f"expected block.port, got {text!r}")
        return cls(block, port)


class Link(msgspec.Struct, frozen=True, order=True):
    """A wire from an output port to an input port. An input takes one wire; an output feeds any number."""

    source: Port
    target: Port

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"


def new_id() -> str:
    """Return a new random id for a design, 32 hexadecimal digits."""
    return uuid.uuid4().hex


class Design(msgspec.Struct, frozen=True, eq=False):
    """Everything that a run needs except devices. Edits are methods that return a new design and never check shapes.

    `id` identifies the runs of this design; it is empty if the design file has none. It does not count in comparisons: two
    designs are equal if they describe the same training and look the same on the canvas.
    """

    blocks: tuple[Block, ...] = ()
    links: tuple[Link, ...] = ()
    data: DataSource = DataSource()
    training: Training = Training()
    id: str = ""
    frames: tuple[Frame, ...] = ()
    notes: tuple[Note, ...] = ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Design):
            return NotImplemented
        return self is other or self._meaning() == other._meaning()

    def __ne__(self, other: object) -> bool:
        return not self == other  # the method of msgspec.Struct does not call __eq__

    def __hash__(self) -> int:
        return hash(self._meaning())

    def _meaning(self) -> tuple[object, ...]:
        return self.blocks, self.links, self.data, self.training, self.frames, self.notes

    def block(self, block_id: str) -> Block:
        """Return the block with this id. Raises KeyError."""
        for block in self.blocks:
            if block.id == block_id:
                return block
        raise KeyError(block_id)

    def has(self, block_id: str) -> bool:
        return any(block.id == block_id for block in self.blocks)

    def into(self, target: Port) -> Link | None:
        """Return the link that ends at this input port; None if it is open."""
        return next((link for link in self.links if link.target == target), None)

    def free_id(self, stem: str) -> str:
        """Return `stem`, or `stem_2`, `stem_3`, ... if it is taken; an illegal stem is made legal first."""
        taken, stem = {block.id for block in self.blocks}, usable_id(stem)
        candidate, number = stem, 2
        while candidate in taken:
            candidate, number = f"{stem}_{number}", number + 1
        return candidate

    @property
    def annotations(self) -> tuple[Annotation, ...]:
        """All frames, then all notes."""
        return (*self.frames, *self.notes)

    def free_annotation_id(self, kind: type[Annotation]) -> str:
        """Return an id for a new frame or note."""
        return free_id({one.id for one in self.annotations}, kind)

    # -- edits
    def with_annotation(self, annotation: Annotation) -> Design:
        """Return the design with this frame or note, in place of the one with its id if there is one."""
        old = self.annotations
        same = any(one.id == annotation.id for one in old)
        return self.with_annotations(
            tuple(annotation if one.id == annotation.id else one for one in old) if same else (*old, annotation)
        )

    def with_annotations(self, annotations: Iterable[Annotation]) -> Design:
        """Return the design with these frames and notes and no others."""
        several = tuple(annotations)
        frames = tuple(one for one in several if isinstance(one, Frame))
        return msgspec.structs.replace(self, frames=frames, notes=tuple(one for one in several if isinstance(one, Note)))

    def without_annotations(self, ids: Iterable[str]) -> Design:
        """Return the design without the frames and notes of these ids; the blocks in a frame stay."""
        gone = frozenset(ids)
        return self.with_annotations(one for one in self.annotations if one.id not in gone)

    def with_block(self, block: Block) -> Design:
        return msgspec.structs.replace(self, blocks=(*self.blocks, block))

    def with_weights(self, block_id: str, weights: BlockWeights | None) -> Design:
        """Return the design with other weights for a block to begin with; None: new ones."""
        self.block(block_id)
        blocks = tuple(
            msgspec.structs.replace(block, weights=weights) if block.id == block_id else block for block in self.blocks
        )
        return msgspec.structs.replace(self, blocks=blocks)

    def with_parameters(self, block_id: str, parameters: Kind) -> Design:
        """Return the design with new parameters of a block, without the links at ports that no longer exist."""
        self.block(block_id)
        blocks = tuple(
            msgspec.structs.replace(block, parameters=parameters) if block.id == block_id else block for block in self.blocks
        )
        gives = {port.name for port in parameters.outputs()}
        takes = {port.name for port in parameters.inputs()}
        links = tuple(
            link
            for link in self.links
            if (link.source.block != block_id or link.source.port in gives)
            and (link.target.block != block_id or link.target.port in takes)
        )
        return msgspec.structs.replace(self, blocks=blocks, links=links)

    def without_blocks(self, block_ids: Iterable[str]) -> Design:
        """Return the design without these blocks, their links and their bindings."""
        gone = frozenset(block_ids)
        blocks = tuple(block for block in self.blocks if block.id not in gone)
        links = tuple(link for link in self.links if not gone & {link.source.block, link.target.block})
        bindings = tuple(binding for binding in self.data.bindings if binding.port.partition(".")[0] not in gone)
        data = msgspec.structs.replace(self.data, bindings=bindings)
        return msgspec.structs.replace(self, blocks=blocks, links=links, data=data)

    def renamed(self, old: str, new: str) -> Design:
        """Return the design with another id for a block, in links and bindings too."""

        def port(at: Port) -> Port:
            return Port(new, at.port) if at.block == old else at

        def bound(name: str) -> str:
            block, dot, rest = name.partition(".")
            return new + dot + rest if block == old else name

        self.block(old)
        blocks = tuple(msgspec.structs.replace(block, id=new) if block.id == old else block for block in self.blocks)
        links = tuple(Link(port(link.source), port(link.target)) for link in self.links)
        bindings = tuple(msgspec.structs.replace(binding, port=bound(binding.port)) for binding in self.data.bindings)
        data = msgspec.structs.replace(self.data, bindings=bindings)
        return msgspec.structs.replace(self, blocks=blocks, links=links, data=data)

    def moved(
        self, positions: Mapping[str, tuple[float, float]], annotations: Mapping[str, tuple[float, float]] | None = None
    ) -> Design:
        """Return the design with these blocks, and these frames and notes, at other places."""
        design = self
        if positions:
            blocks = tuple(
                msgspec.structs.replace(block, position=positions[block.id]) if block.id in positions else block
                for block in self.blocks
            )
            design = msgspec.structs.replace(self, blocks=blocks)
        if not annotations:
            return design
        return design.with_annotations(
            msgspec.structs.replace(one, position=annotations[one.id]) if one.id in annotations else one
            for one in self.annotations
        )

    def linked(self, link: Link) -> Design:
        """Return the design with this link, which replaces a link that ends at the same input."""
        kept = tuple(other for other in self.links if other.target != link.target)
        return msgspec.structs.replace(self, links=(*kept, link))

    def unlinked(self, gone: Iterable[Link]) -> Design:
        removed = frozenset(gone)
        return msgspec.structs.replace(self, links=tuple(link for link in self.links if link not in removed))

    def with_id(self, id: str) -> Design:
        return self if id == self.id else msgspec.structs.replace(self, id=id)

    def with_data(self, data: DataSource) -> Design:
        return msgspec.structs.replace(self, data=data)

    def with_training(self, training: Training) -> Design:
        return msgspec.structs.replace(self, training=training)
