"""The edits that the canvas offers. Each goes through the document as one undo step."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from PyQt5.QtCore import QObject, QPointF, QRectF, pyqtSignal

from seqdec_gui.domain import block_edits as edits
from seqdec_gui.domain.adapters import Adapter, insert
from seqdec_gui.domain.annotations import Annotation, Frame
from seqdec_gui.domain.block_offers import BlockOffer, taken
from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.drawing import alignment
from seqdec_gui.domain.drawing.places import free_offset, snapped
from seqdec_gui.domain.drawing.routing import Grid, Rect
from seqdec_gui.domain.link_judge import End
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.wording import called
from seqdec_gui.gui.dialogs.connect import Choice
from seqdec_gui.gui.pages.design import clipboard
from seqdec_gui.gui.pages.design.block_item import block_preview
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.workspace.document import DesignDocument

ADAPTER_GAP = 60.0
"""The space between an adapter and the block that is added behind it, in scene units."""


class DesignEditor(QObject):
    """The edits as methods, for gestures, keys, menus, the palette and the window's actions.

    New blocks are placed where `view` shows them, and it scrolls to them. Positions are scene coordinates.
    """

    announced = pyqtSignal(str)
    """What was done, as a sentence for a status bar and for screen readers."""

    refused = pyqtSignal(str)
    """Why something was not done, as a sentence."""

    edit_requested = pyqtSignal(str)
    """The id of a block whose parameters the user wants to edit."""

    split_requested = pyqtSignal(str)
    """The id of an imported block that the user wants to divide into its submodels."""

    weights_requested = pyqtSignal(str)
    """The id of a block whose first weights the user wants to choose."""

    wire_dropped = pyqtSignal(object, QPointF)
    """The End of a wire that was dropped where nothing is, and that place in the scene."""

    repairs_proposed = pyqtSignal(str, object, object)
    """A refused wire: the reason, the Link or None, and the adapters (Sequence[Adapter]) that would make it possible."""

    def __init__(self, document: DesignDocument, view: CanvasView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.scene = view.design_scene
        self._view = view
        self._room: dict[str, dict[str, tuple[tuple[float, float], tuple[float, float]]]] = {}

    @property
    def design(self) -> Design:
        """The present design."""
        return self.document.design

    def selected_blocks(self) -> tuple[str, ...]:
        """Return the ids of the selected blocks in the design's order."""
        return tuple(block_id for block_id in self._view.block_ids() if block_id in self.document.selection)

    def selected_annotations(self) -> tuple[str, ...]:
        """Return the ids of the selected frames and notes in the design's order."""
        return tuple(one.id for one in self.design.annotations if one.id in self.scene.annotations.selected)

    def carried(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the ids of the blocks, and of the frames and notes, that are selected or lie in a selected frame."""
        annotations = set(self.selected_annotations())
        blocks, held = self.scene.annotations.inside(annotations, self.scene.blocks)
        blocks |= self.document.selection
        return (
            tuple(block_id for block_id in self._view.block_ids() if block_id in blocks),
            tuple(one.id for one in self.design.annotations if one.id in annotations | held),
        )

    def only_selected(self) -> str | None:
        """Return the id of the selected block if exactly one is selected, and nothing else, else None."""
        selected = self.selected_blocks()
        return selected[0] if len(selected) == 1 and not self.scene.annotations.selected else None

    def only_selected_annotation(self) -> str | None:
        """Return the id of the selected frame or note if exactly one is selected, and nothing else, else None."""
        selected = self.selected_annotations()
        return selected[0] if len(selected) == 1 and not self.document.selection else None

    # -- adding
    def add_block(self, kind: str, at: QPointF | None = None, into: Link | None = None) -> str:
        """Add a block of this kind and return its id.

        `at` is the wished top left corner; the block is moved as little as needed to cover no other block. With None it is
        added in the middle of the view. `into` is a wire that the block is put into. The view scrolls to the block
        only if it would be wholly outside.
        """
        return self.add(Block(self.design.free_id(kind), KINDS[kind]()), at, into)

    def add(self, block: Block, at: QPointF | None = None, into: Link | None = None) -> str:
        """Add this block as `add_block` does."""
        preview = block_preview(block)
        wished = at
        if wished is None:
            wished = self._view.visible_rect().center() - QPointF(preview.width / 2, preview.height / 2)
        place = self.scene.free_place(preview.width, preview.height, wished)
        block = edits.with_position(block, place.x(), place.y())
        new = self.design.with_block(block)
        if into is not None:
            new = edits.spliced(self.design, self.document.report.inference, block, into).design or new
        self.document.edit(new, f"Add {block.id}", select=[block.id])
        self.scene.annotations.select(())
        shown = self._view.visible_rect().intersects(QRectF(place.x(), place.y(), preview.width, preview.height))
        if at is None or not shown:  # scrolling would move all other blocks under the mouse
            self._view.reveal(block.id)
        self.announced.emit(f"Added {called(block.parameters.title, block.id)}.")
        return block.id

    def add_offered(self, start: End, offer: BlockOffer, at: QPointF) -> str:
        """Add an offered block whose port lies at this place, connected to `start`, and return its id."""
        preview = block_preview(Block(offer.stem, offer.kind))
        port = next(row for row in preview.rows.values() if row.end == End(Port(offer.stem, offer.port), not start.is_output))
        wished, places = at - port.anchor, []
        if offer.adapter is not None:
            between = block_preview(Block(offer.adapter.stem, offer.adapter.kind))
            first = self.scene.free_place(between.width, between.height, wished)
            places.append((first.x(), first.y()))
            wished = first + QPointF(between.width + ADAPTER_GAP, 0)
        place = self.scene.free_place(preview.width, preview.height, wished)
        places.append((place.x(), place.y()))
        new, block_id = taken(self.design, start, offer, tuple(places))
        self.document.edit(new, f"Add {block_id}", select=[block_id])
        self._view.reveal(block_id)
        self.announced.emit(f"Added {called(offer.kind.title, block_id)}, connected to {start.port}.")
        return block_id

    def insert_into(self, link: Link, block: Block, at: QPointF | None = None) -> str | None:
        """Put a block into a wire, and return its id, or None if it does not fit; `refused` says why.

        A block of the design moves to `at`. Another one is added there, or in the middle of the wire.
        """
        if self.design.has(block.id):
            base = self.design if at is None else self.design.moved({block.id: (at.x(), at.y())})
            text = f"Insert {block.id}"
        else:
            preview = block_preview(block)
            wished = at if at is not None else self.scene.wires[link].path.pointAtPercent(0.5) - preview.body.center()
            place = self.scene.free_place(preview.width, preview.height, wished)
            block, base = edits.with_position(block, place.x(), place.y()), self.design
            text = f"Insert {block.id}"
        result = edits.spliced(base, self.document.report.inference, block, link)
        if result.design is None:
            self.refused.emit(result.reason)
            return None
        self.document.edit(result.design, text, select=[block.id])
        self._view.reveal(block.id)
        self.announced.emit(f"Put {block.id} between {link.source} and {link.target}.")
        return block.id

    def merge_design(self, other: Design, at: QPointF, text: str) -> None:
        """Add all blocks, frames and notes of another design, with its upper left corner at `at`, and select them."""
        x, y = edits.corner(other)
        result = edits.merged(self.design, other, (snapped(at.x()) - x, snapped(at.y()) - y))
        self.document.edit(result.design, text, select=result.blocks)
        self.scene.annotations.select(result.annotations)

    def insert_adapter(self, link: Link, adapter: Adapter) -> str:
        """Put an adapter between the ends of a refused wire and return the new block's id."""
        source, target = self.scene.blocks[link.source.block], self.scene.blocks[link.target.block]
        preview = block_preview(Block(adapter.stem, adapter.kind))
        middle = (source.pos() + QPointF(source.width, source.height / 2) + target.pos() + QPointF(0, target.height / 2)) / 2
        at = self.scene.free_place(preview.width, preview.height, middle - QPointF(preview.width / 2, preview.height / 2))
        new, block_id = insert(self.design, link, adapter, (at.x(), at.y()))
        self.document.edit(new, f"Insert {block_id}", select=[block_id])
        self._view.reveal(block_id)
        self.announced.emit(f"Put {block_id} between {link.source} and {link.target}.")
        return block_id

    def connect_ports(self, link: Link, instead_of: Link | None = None) -> None:
        """Add a wire whose verdict is good. `instead_of` is a wire that it replaces."""
        base = self.design if instead_of is None else self.design.unlinked([instead_of])
        self.document.edit(base.linked(link), f"Connect {link}")
        self.announced.emit(f"Connected {link.source} to {link.target}.")

    def connect_choice(self, choice: Choice) -> None:
        """Add the wire that was chosen from a list, through its adapter if it needs one."""
        if choice.adapter is not None:
            self.insert_adapter(choice.link, choice.adapter)
        else:
            self.connect_ports(choice.link)

    def refuse(self, reason: str, link: Link | None = None, adapters: Sequence[Adapter] = ()) -> None:
        """Tell why a wire was not added, and propose the adapters that would make it possible."""
        self.refused.emit(reason)
        self.announced.emit(f"Not connected: {reason}")
        self.repairs_proposed.emit(reason, link, adapters)

    def disconnect_links(self, links: Collection[Link]) -> None:
        """Remove wires."""
        if links:
            text = f"Disconnect {next(iter(links)).target}" if len(links) == 1 else f"Remove {len(links)} wires"
            self.document.edit(self.design.unlinked(links), text)
            self.announced.emit(f"{text}.")

    # -- the selection
    def select_all(self) -> None:
        """Select everything."""
        self.document.select(self._view.block_ids())
        self.scene.annotations.select(self.scene.annotations.items)

    def select_none(self) -> None:
        """Select nothing."""
        self.document.select(())
        self.scene.select_links(())
        self.scene.annotations.select(())

    def go_to(self, block_id: str) -> None:
        """Select a block and scroll to it."""
        self.scene.annotations.select(())
        self.document.select([block_id])
        self._view.reveal(block_id)

    def delete(self) -> None:
        """Delete what is selected: blocks, wires, frames, notes. The blocks in a frame stay."""
        blocks, links, annotations = self.selected_blocks(), self.scene.selected_links, self.selected_annotations()
        if not blocks and not annotations:
            self.disconnect_links(links)
            return
        new = edits.without(self.design, blocks, links).without_annotations(annotations)
        text = f"Delete {_counted(blocks, annotations)}"
        self.document.edit(new, text)
        self.announced.emit(f"{text}.")

    def copy(self) -> None:
        """Put what is selected, and the wires among it, on the clipboard as the text of a design file.

        A frame is copied with what lies in it.
        """
        blocks, annotations = self.carried()
        if not blocks and not annotations:
            return
        clipboard.put(edits.copied(self.design, blocks, annotations))
        self.announced.emit(f"Copied {_counted(blocks, annotations)}.")

    def cut(self) -> None:
        """Copy what is selected to the clipboard and delete it, frames with what lies in them."""
        blocks, annotations = self.carried()
        self.copy()
        if blocks or annotations:
            self.document.select(blocks)
            self.scene.annotations.select(annotations)
            self.delete()

    def paste(self, at: QPointF | None = None) -> None:
        """Add what the clipboard holds under new ids, at `at` (its top left corner) or as near to its own place as is free."""
        try:
            clip = clipboard.design_on()
        except InvalidInput as error:
            self.refused.emit(str(error))
            return
        if at is None:
            at = self._free_corner(clip)
        number = len(clip.blocks) + len(clip.annotations)
        self.merge_design(clip, at, "Paste" if number == 1 else f"Paste {number} items")
        self._reveal_selected()
        self.announced.emit(f"Pasted {', '.join(self.selected_blocks()) or _counted((), clip.annotations)}.")

    def duplicate(self) -> None:
        """Copy what is selected to a place beside it; wires that enter selected blocks also enter the copies."""
        blocks, annotations = self.carried()
        if blocks or annotations:
            copied = [one for one in self.design.annotations if one.id in annotations]
            rects = [*map(self.scene.rect_of, blocks), *map(_outline, copied)]
            way = free_offset(self._taken(copied), rects)
            result = edits.duplicated(self.design, blocks, way, annotations)
            self.document.edit(result.design, f"Duplicate {_counted(blocks, annotations)}", select=result.blocks)
            self.scene.annotations.select(result.annotations)
            self._reveal_selected()
            self.announced.emit(f"Duplicated as {', '.join(result.blocks) or _counted((), annotations)}.")

    def _free_corner(self, clip: Design) -> QPointF:
        """Return the place nearest to its own for the upper left corner of a design where it covers nothing.

        One whose own place is not seen goes near the middle of the view.
        """
        x, y = edits.corner(clip)
        seen, dx, dy = self._view.visible_rect(), 0.0, 0.0
        if not seen.contains(QPointF(x, y)):
            dx, dy = snapped(seen.center().x() - 100 - x), snapped(seen.center().y() - 50 - y)
        rects = [_outline(one).moved(dx, dy) for one in clip.annotations]
        for block in clip.blocks:
            left, top = block.position
            item = block_preview(block)
            rects.append(Rect(left, top, left + item.width, top + item.height).moved(dx, dy))
        way = free_offset(self._taken(clip.annotations), rects)
        return QPointF(x + dx + way[0], y + dy + way[1])

    def _taken(self, copied: Iterable[Annotation]) -> Grid[str]:
        """Return the outlines that copies must not cover: of blocks and notes, and of frames if frames are copied."""
        framed = any(isinstance(one, Frame) for one in copied)
        taken: Grid[str] = Grid()
        for key, rect in self.scene.router.blocks.rects.items():
            taken.put(key, rect)
        for one in self.design.annotations:
            if framed or not isinstance(one, Frame):
                taken.put(f"annotation {one.id}", _outline(one))
        return taken

    def _reveal_selected(self) -> None:
        """Scroll to what is selected; blocks for which the view is too small are fitted into it."""
        blocks, annotations = self.carried()
        rect = self.scene.bounds(blocks) if blocks else QRectF()
        rect = rect | self.scene.annotations.bounds(annotations) if annotations else rect
        seen = self._view.visible_rect()
        if blocks and (rect.width() > seen.width() or rect.height() > seen.height()):
            self._view.fit(blocks)
        else:
            self._view.reveal_rect(rect)

    def nudge(self, dx: float, dy: float) -> None:
        """Move what is selected by (dx, dy); consecutive nudges are one undo step."""
        blocks, annotations = self.carried()
        if blocks or annotations:
            self.move(blocks, annotations, QPointF(dx, dy), merge_key=("nudge", blocks, annotations))

    def move_blocks(self, block_ids: Collection[str], by: QPointF, merge_key: tuple[object, ...] | None = None) -> None:
        """Move these blocks; consecutive moves with equal `merge_key` are one undo step."""
        self.move(block_ids, (), by, merge_key)

    def move(
        self,
        block_ids: Collection[str],
        annotation_ids: Collection[str],
        by: QPointF,
        merge_key: tuple[object, ...] | None = None,
    ) -> None:
        """Move these blocks, frames and notes; consecutive moves with equal `merge_key` are one undo step."""

        def moved(things: Iterable[Block | Annotation], ids: Collection[str]) -> dict[str, tuple[float, float]]:
            return {one.id: (one.position[0] + by.x(), one.position[1] + by.y()) for one in things if one.id in ids}

        blocks, drawn = moved(self.design.blocks, block_ids), moved(self.design.annotations, annotation_ids)
        self.document.edit(self.design.moved(blocks, drawn), f"Move {_counted(tuple(blocks), tuple(drawn))}", merge_key)

    # -- arranging
    def _boxes(self) -> dict[str, tuple[float, float, float, float]]:
        """Return the boxes of the selected blocks, by id."""
        blocks = ((block_id, self.scene.blocks[block_id]) for block_id in self.selected_blocks())
        return {block_id: (*item.block.position, item.width, item.height) for block_id, item in blocks}

    def align(self, side: alignment.Side) -> None:
        """Align the selected blocks at an edge, or their middles."""
        self._arrange(alignment.aligned(self._boxes(), side), "Align")

    def distribute(self, axis: alignment.Axis) -> None:
        """Make the gaps between the selected blocks equal."""
        self._arrange(alignment.distributed(self._boxes(), axis), "Distribute")

    def _arrange(self, places: alignment.Positions, verb: str) -> None:
        text = f"{verb} {len(places)} blocks"
        self.document.edit(self.design.moved(places), text)
        self.announced.emit(f"{text}.")

    def auto_layout(self) -> None:
        """Arrange all blocks from left to right with few crossings of wires, and fit the view to them."""
        self.document.edit(self.design.moved(self.scene.arranged()), "Arrange blocks")
        self._view.fit()

    # -- layers inside
    def toggle_expanded(self, block_id: str) -> None:
        """Show or hide the layers inside a block.

        Blocks in the way are moved aside, and moved back when the layers are hidden unless the user has moved them since.
        """
        item = self.scene.blocks[block_id]
        if not item.expanded and not item.has_layers:
            self.refused.emit(f"{block_id} shows its layers once its inputs are connected.")
            return
        shifts = self.scene.set_expanded(block_id, not item.expanded)
        moves: dict[str, tuple[float, float]] = {}
        if item.expanded:
            room = self._room[block_id] = {}
            for block in self.design.blocks:
                if block.id in shifts:
                    x, y = block.position
                    moves[block.id] = (x + shifts[block.id][0], y + shifts[block.id][1])
                    room[block.id] = (block.position, moves[block.id])
        else:
            for block in self.design.blocks:
                home, pushed = self._room.get(block_id, {}).get(block.id, ((0.0, 0.0), (0.0, 0.0)))
                if home != pushed and block.position == pushed:
                    moves[block.id] = home
            self._room.pop(block_id, None)
        self.document.edit(self.design.moved(moves), f"Make room for {block_id}", ("room", block_id))


def _counted(blocks: Collection[str], annotations: Collection[object]) -> str:
    """Return what there is in words: the id of a single block, else `3 blocks and 1 frame or note`."""
    if len(blocks) == 1 and not annotations:
        return next(iter(blocks))
    words = [f"{len(blocks)} blocks" if len(blocks) != 1 else "1 block"] if blocks else []
    if annotations:
        words.append(f"{len(annotations)} frames and notes" if len(annotations) != 1 else "1 frame or note")
    return " and ".join(words)


def _outline(one: Annotation) -> Rect:
    (left, top), (width, height) = one.position, one.size
    return Rect(left, top, left + width, top + height)
