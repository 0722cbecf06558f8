"""The edits that the canvas offers. Each goes through the document as one undo step."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PyQt5.QtCore import QMimeData, QObject, QPointF, QRectF, pyqtSignal
from PyQt5.QtWidgets import QApplication

from seqdec_gui.domain import block_edits as edits
from seqdec_gui.domain.adapters import Adapter, insert
from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.design import Block, Design, Link
from seqdec_gui.domain.drawing.places import GRID_STEP, snapped
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.gui.dialogs.connect import Choice
from seqdec_gui.gui.pages.design.block_item import block_preview
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.workspace.document import DesignDocument

MIME = "application/x-seqdec-design+json"
"""The clipboard format of copied blocks: the text of a design file."""

PASTE_CHARACTERS = 100_000
"""The part of a text on the clipboard that is searched for blocks, in characters."""

COPY_OFFSET = 3 * GRID_STEP
"""How far right of and below its original a copy lies, in scene units."""


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

    repairs_proposed = pyqtSignal(str, object, object)
    """A refused wire: the reason, the Link or None, and the adapters (Sequence[Adapter]) that would make it possible."""

    def __init__(self, document: DesignDocument, view: CanvasView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.scene = view.design_scene
        self._view = view
        self._pastes = 0
        self._room: dict[str, dict[str, tuple[tuple[float, float], tuple[float, float]]]] = {}

    @property
    def design(self) -> Design:
        """The present design."""
        return self.document.design

    def selected_blocks(self) -> tuple[str, ...]:
        """Return the ids of the selected blocks in the design's order."""
        return tuple(block_id for block_id in self._view.block_ids() if block_id in self.document.selection)

    def only_selected(self) -> str | None:
        """Return the id of the selected block if exactly one is selected, else None."""
        selected = self.selected_blocks()
        return selected[0] if len(selected) == 1 else None

    # -- adding
    def add_block(self, kind: str, at: QPointF | None = None, into: Link | None = None) -> str:
        """Add a block of this kind and return its id.

        `at` is the wished top left corner; the block is moved as little as needed to cover no other block. With None it is
        added in the middle of the view. `into` is a wire that the block is put into. The view scrolls to the block
        only if it would be wholly outside.
        """
        block = Block(self.design.free_id(kind), KINDS[kind]())
        preview = block_preview(block)
        wished = at
        if wished is None:
            wished = self._view.visible_rect().center() - QPointF(preview.width / 2, preview.height / 2)
        place = self.scene.free_place(preview.width, preview.height, wished)
        block = edits.with_position(block, place.x(), place.y())
        new = self.design.with_block(block)
        if into is not None:
            new = edits.spliced(self.design, self.document.report.inference, block, into) or new
        self.document.edit(new, f"Add {block.id}", select=[block.id])
        shown = self._view.visible_rect().intersects(QRectF(place.x(), place.y(), preview.width, preview.height))
        if at is None or not shown:  # scrolling would move all other blocks under the mouse
            self._view.reveal(block.id)
        self.announced.emit(f"Added {block.parameters.title} {block.id}.")
        return block.id

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
        """Select all blocks."""
        self.document.select(self._view.block_ids())

    def go_to(self, block_id: str) -> None:
        """Select a block and scroll to it."""
        self.document.select([block_id])
        self._view.reveal(block_id)

    def delete(self) -> None:
        """Delete the selected blocks and wires."""
        blocks, links = self.selected_blocks(), self.scene.selected_links
        if not blocks:
            self.disconnect_links(links)
            return
        text = f"Delete {blocks[0]}" if len(blocks) == 1 else f"Delete {len(blocks)} blocks"
        self.document.edit(edits.without(self.design, blocks, links), text)
        self.announced.emit(f"{text}.")

    def copy(self) -> None:
        """Put the selected blocks and the wires among them on the clipboard, as the text of a design file."""
        blocks = self.selected_blocks()
        if not blocks:
            return
        text, content = edits.copied(self.design, blocks), QMimeData()
        content.setData(MIME, text.encode())
        content.setText(text)
        QApplication.clipboard().setMimeData(content)
        self._pastes = 0
        self.announced.emit(f"Copied {len(blocks)} block{'s' * (len(blocks) > 1)}.")

    def cut(self) -> None:
        """Copy the selected blocks to the clipboard and delete them."""
        self.copy()
        if self.selected_blocks():
            self.delete()

    def can_paste(self) -> bool:
        """Return whether the clipboard holds blocks, or a text that may describe some."""
        content = QApplication.clipboard().mimeData()
        if content is None:
            return False
        return content.hasFormat(MIME) or (content.hasText() and '"blocks"' in content.text()[:PASTE_CHARACTERS])

    def paste(self, at: QPointF | None = None) -> None:
        """Add the blocks of the clipboard under new ids, with their top left corner at `at`, or beside their originals."""
        content = QApplication.clipboard().mimeData()
        raw = b""
        if content is not None:  # None where no program owns the clipboard
            raw = bytes(content.data(MIME)) if content.hasFormat(MIME) else content.text().encode()
        try:
            clip, _ = edits.pasted(Design(), raw.decode(), (0.0, 0.0))
        except (InvalidInput, UnicodeDecodeError):
            self.refused.emit("The clipboard holds no blocks: copy some in a design first.")
            return
        if not clip.blocks:
            return
        x, y = edits.extents(clip, [block.id for block in clip.blocks])
        if at is None:
            self._pastes += 1
            at = QPointF(x + COPY_OFFSET * self._pastes, y + COPY_OFFSET * self._pastes)
            if not self._view.visible_rect().contains(at):
                at = self._view.visible_rect().center() - QPointF(100, 50)
        new, names = edits.pasted(self.design, raw.decode(), (snapped(at.x()) - x, snapped(at.y()) - y))
        self.document.edit(new, f"Paste {names[0]}" if len(names) == 1 else f"Paste {len(names)} blocks", select=names)
        self.announced.emit(f"Pasted {', '.join(names)}.")

    def duplicate(self) -> None:
        """Copy the selected blocks to a place beside them; wires that enter them also enter the copies."""
        blocks = self.selected_blocks()
        if blocks:
            new, names = edits.duplicated(self.design, blocks, (COPY_OFFSET, COPY_OFFSET))
            self.document.edit(new, f"Duplicate {blocks[0]}" if len(blocks) == 1 else "Duplicate", select=names)
            self.announced.emit(f"Duplicated as {', '.join(names)}.")

    def nudge(self, dx: float, dy: float) -> None:
        """Move the selected blocks by (dx, dy); consecutive nudges are one undo step."""
        blocks = self.selected_blocks()
        if blocks:
            self.move_blocks(blocks, QPointF(dx, dy), merge_key=("nudge", blocks))

    def move_blocks(self, block_ids: Collection[str], by: QPointF, merge_key: tuple[object, ...] | None = None) -> None:
        """Move these blocks; consecutive moves with equal `merge_key` are one undo step."""
        positions = {}
        for block in self.design.blocks:
            if block.id in block_ids:
                positions[block.id] = (block.position[0] + by.x(), block.position[1] + by.y())
        text = f"Move {next(iter(positions))}" if len(positions) == 1 else f"Move {len(positions)} blocks"
        self.document.edit(self.design.moved(positions), text, merge_key)

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
