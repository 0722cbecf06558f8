"""What can be done to the design from the canvas: every edit goes through the document and is one step back."""

from __future__ import annotations

from collections.abc import Collection

from PyQt5.QtCore import QMimeData, QPointF, pyqtSignal
from PyQt5.QtWidgets import QApplication, QWidget

from seqdec_gui.domain import block_edits as edits
from seqdec_gui.domain.adapters import Adapter, insert
from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.design import Block, Design, Link
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.shapes import infer_block
from seqdec_gui.gui.pages.design.block_item import BlockItem
from seqdec_gui.gui.pages.design.canvas import Canvas
from seqdec_gui.gui.pages.design.places import snapped
from seqdec_gui.gui.pages.design.scene import DesignScene
from seqdec_gui.gui.pages.design.style import GRID
from seqdec_gui.gui.workspace.document import DesignDocument

MIME = "application/x-seqdec-design+json"
SHIFT = 3 * GRID  # how far a copy lies from its original


class EditableCanvas(Canvas):
    """A canvas with the edits as methods, for keys, menus, the palette and the window's actions."""

    announced = pyqtSignal(str)  # what was done, for a status bar and for screen readers
    refused = pyqtSignal(str)  # why something was not done
    edit_requested = pyqtSignal(str)  # show the parameters of this block

    def __init__(self, document: DesignDocument, parent: QWidget | None = None) -> None:
        super().__init__(DesignScene(document), parent)
        self.design_scene.setParent(self)
        self.document = document
        self._pastes = 0
        self._room: dict[str, dict[str, tuple[tuple[float, float], tuple[float, float]]]] = {}

    @property
    def design(self) -> Design:
        return self.document.design

    def selected_blocks(self) -> tuple[str, ...]:
        """The selected blocks in the design's order."""
        return tuple(block_id for block_id in self.block_ids() if block_id in self.document.selection)

    def only_selected(self) -> str | None:
        """The one selected block, if it is one."""
        selected = self.selected_blocks()
        return selected[0] if len(selected) == 1 else None

    # -- adding
    def add_block(self, kind: str, at: QPointF | None = None, into: Link | None = None) -> str:
        """Add a block of this kind; returns its id. `at` is the wished top left corner in the scene, else it is the centre.

        It is moved as little as it takes to cover no other block. With `into` it is put into that wire.
        """
        block = Block(self.design.free_id(kind), KINDS[kind]())
        ghost = preview(block)
        if at is None:
            at = self.visible_rect().center() - QPointF(ghost.width / 2, ghost.height / 2)
        place = self.design_scene.free_place(ghost.width, ghost.height, at)
        block = edits.with_position(block, place.x(), place.y())
        new = self.design.with_block(block)
        if into is not None:
            new = edits.spliced(self.design, self.document.report.inference, block, into) or new
        self.document.edit(new, f"Add {block.id}", select=[block.id])
        self.reveal(block.id)
        self.announced.emit(f"Added {block.parameters.title} {block.id}.")
        return block.id

    def insert_adapter(self, link: Link, adapter: Adapter) -> str:
        """Put an adapter between the ends of a refused wire; returns the new block's id."""
        source, target = self.design_scene.blocks[link.source.block], self.design_scene.blocks[link.target.block]
        ghost = preview(Block(adapter.stem, adapter.kind))
        middle = (source.pos() + QPointF(source.width, source.height / 2) + target.pos() + QPointF(0, target.height / 2)) / 2
        at = self.design_scene.free_place(ghost.width, ghost.height, middle - QPointF(ghost.width / 2, ghost.height / 2))
        new, block_id = insert(self.design, link, adapter, (at.x(), at.y()))
        self.document.edit(new, f"Insert {block_id}", select=[block_id])
        self.reveal(block_id)
        self.announced.emit(f"Put {block_id} between {link.source} and {link.target}.")
        return block_id

    def connect_ports(self, link: Link, instead_of: Link | None = None) -> None:
        """Draw a wire that was judged good. `instead_of` is the wire that was picked up for it."""
        base = self.design if instead_of is None else self.design.unlinked([instead_of])
        self.document.edit(base.linked(link), f"Connect {link}")
        self.announced.emit(f"Connected {link.source} to {link.target}.")

    def disconnect_links(self, links: Collection[Link]) -> None:
        """Remove wires."""
        if links:
            text = f"Disconnect {next(iter(links)).target}" if len(links) == 1 else f"Remove {len(links)} wires"
            self.document.edit(self.design.unlinked(links), text)
            self.announced.emit(f"{text}.")

    # -- the selection
    def select_all(self) -> None:
        self.document.select(self.block_ids())

    def delete(self) -> None:
        """Delete the selected blocks and wires."""
        blocks, links = self.selected_blocks(), self.design_scene.selected_links
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
        self.copy()
        if self.selected_blocks():
            self.delete()

    def paste(self, at: QPointF | None = None) -> None:
        """Add the blocks of the clipboard under new ids: at this place of the scene, else beside their originals."""
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
            at = QPointF(x + SHIFT * self._pastes, y + SHIFT * self._pastes)
            if not self.visible_rect().contains(at):
                at = self.visible_rect().center() - QPointF(100, 50)
        new, names = edits.pasted(self.design, raw.decode(), (snapped(at.x()) - x, snapped(at.y()) - y))
        self.document.edit(new, f"Paste {names[0]}" if len(names) == 1 else f"Paste {len(names)} blocks", select=names)
        self.announced.emit(f"Pasted {', '.join(names)}.")

    def duplicate(self) -> None:
        """Copy the selected blocks beside themselves; wires that enter them enter the copies too."""
        blocks = self.selected_blocks()
        if blocks:
            new, names = edits.duplicated(self.design, blocks, (SHIFT, SHIFT))
            self.document.edit(new, f"Duplicate {blocks[0]}" if len(blocks) == 1 else "Duplicate", select=names)
            self.announced.emit(f"Duplicated as {', '.join(names)}.")

    def nudge(self, dx: float, dy: float) -> None:
        """Move the selected blocks; repeated nudges are one step back."""
        blocks = self.selected_blocks()
        if blocks:
            self.move_blocks(blocks, QPointF(dx, dy), merge_key=("nudge", blocks))

    def move_blocks(self, block_ids: Collection[str], by: QPointF, merge_key: tuple[object, ...] | None = None) -> None:
        positions = {}
        for block in self.design.blocks:
            if block.id in block_ids:
                positions[block.id] = (block.position[0] + by.x(), block.position[1] + by.y())
        text = f"Move {next(iter(positions))}" if len(positions) == 1 else f"Move {len(positions)} blocks"
        self.document.edit(self.design.moved(positions), text, merge_key)

    def auto_layout(self) -> None:
        """Lay all blocks out from left to right with few crossings, and show them all."""
        self.document.edit(self.design.moved(self.design_scene.arranged()), "Arrange blocks")
        self.fit()

    # -- layers inside
    def toggle_expanded(self, block_id: str) -> None:
        """Show a block's layers or hide them. Others make room, and go back if they have not been moved since."""
        item = self.design_scene.blocks[block_id]
        if not item.expanded and (item.known is None or item.known.submodel is None):
            self.refused.emit(f"{block_id} shows its layers once its inputs are connected.")
            return
        shifts = self.design_scene.set_expanded(block_id, not item.expanded)
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


def preview(block: Block) -> BlockItem:
    """An item that shows a block without wires: to measure it, or to drag it in."""
    item = BlockItem(block)
    item.show_block(block, infer_block(block, {}), (), frozenset())
    return item
