"""The lists of blocks over the canvas: to add one at a place, at the end of a wire, or into a wire."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from PyQt5.QtCore import QObject, QPoint, QPointF, Qt, pyqtSlot
from PyQt5.QtWidgets import QGraphicsPathItem

from seqdec_gui.domain import document as design_file
from seqdec_gui.domain.block_offers import BlockOffer, insertions, offers
from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.design import Block, Link
from seqdec_gui.domain.link_judge import End
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.gui.dialogs.connect import starts_of
from seqdec_gui.gui.look import canvas_style
from seqdec_gui.gui.pages.design.block_search import BlockSearch, Entry
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.pages.design.draw_wire import loose_wire
from seqdec_gui.gui.pages.design.editor import DesignEditor
from seqdec_gui.gui.workspace.files import Template, templates

NEXT_COLUMN = 80.0
"""The space between a block and a block that is added behind it by keyboard, in scene units."""


class Adding(QObject):
    """Opens the lists; at most one is open. A choice is one undo step."""

    def __init__(self, view: CanvasView, editor: DesignEditor, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view, self._editor, self._scene = view, editor, view.design_scene
        self.list: BlockSearch | None = None
        """The list that is open."""
        self._wire: QGraphicsPathItem | None = None
        editor.wire_dropped.connect(self.offer_for_wire)
        editor.document.design_changed.connect(self._on_document_design_changed)

    def search(self, at: QPointF | None = None) -> None:
        """Open the list of all blocks, to add one at this place of the scene; None means the middle of the view."""
        place = self._view.visible_rect().center() if at is None else at
        entries = [
            Entry(kind.title, kind.summary, kind.icon, kind.category, name, partial(self._add, name, at))
            for name, kind in KINDS.items()
        ]
        entries += [
            Entry(template.title, f"Template: {template.summary}", "content-copy", "Layers", template.path.stem,
                  partial(self._add_template, template, place))
            for template in templates()
            if template.path.stem != "blank"
        ]  # fmt: skip
        self._open("Add a block", entries, "", place)

    def offer_for_wire(self, start: End, at: QPointF) -> None:
        """Open the list of blocks that a wire from this port could lead to, which is dropped at this place of the scene."""
        anchor = self._scene.anchor(start)
        if anchor is None:
            return
        found = offers(self._editor.design, self._editor.document.report.inference, start)
        self._open(f"Connect {start.port} to a new block", self._offered(start, found, at), f"No block fits {start.port}.", at)
        self._wire = QGraphicsPathItem(loose_wire(anchor, at, start.is_output))
        self._wire.setPen(canvas_style.pen(canvas_style.current().accent, 2.6))
        self._wire.setZValue(5)
        self._scene.addItem(self._wire)

    def offer_for_block(self, block_id: str) -> None:
        """Open the list of blocks that the open ports of a block could lead to, for users of the keyboard."""
        document, item = self._editor.document, self._scene.blocks[block_id]
        entries: list[Entry] = []
        for start in starts_of(document, block_id):
            anchor = self._scene.anchor(start)
            if anchor is not None:
                at = anchor + QPointF(NEXT_COLUMN if start.is_output else -NEXT_COLUMN, 0)
                entries += self._offered(start, offers(document.design, document.report.inference, start), at, far=True)
        self._open(
            f"Connect {block_id} to a new block", entries, f"No block fits {block_id}.", item.pos() + item.body.topRight()
        )

    def offer_for_insertion(self, link: Link, at: QPointF | None = None) -> None:
        """Open the list of blocks that can be put into a wire."""
        place = self._scene.wires[link].path.pointAtPercent(0.5) if at is None else at
        found = insertions(self._editor.design, self._editor.document.report.inference, link)
        entries = [
            Entry(offer.title, offer.kind.summary, offer.kind.icon, offer.kind.category, offer.stem,
                  partial(self._insert, link, offer))
            for offer in found
        ]  # fmt: skip
        self._open(f"Insert into {link}", entries, "No block fits into this wire.", place)

    def close(self) -> None:
        """Close the list that is open, without a choice."""
        if self.list is not None:
            self.list.close_list()

    # -- what a choice does
    def _add(self, kind: str, at: QPointF | None) -> None:
        self._editor.add_block(kind, at)

    def _add_template(self, template: Template, at: QPointF) -> None:
        try:
            design = design_file.load(template.path)
        except SeqdecError as error:
            self._editor.refused.emit(str(error))
            return
        self._editor.merge_design(design, at, f"Add {template.title}")
        self._editor.announced.emit(f"Added {len(design.blocks)} blocks: {template.title}.")
        self._view.show_rect(self._scene.bounds(self._editor.selected_blocks()) | self._view.visible_rect())

    def _insert(self, link: Link, offer: BlockOffer) -> None:
        self._editor.insert_into(link, Block(self._editor.design.free_id(offer.stem), offer.kind))

    def _offered(self, start: End, found: Iterable[BlockOffer], at: QPointF, far: bool = False) -> list[Entry]:
        """Return entries for offers. `at` is where the port of the new block comes to lie."""
        return [
            Entry(
                offer.title
                if offer.adapter is None
                else f"{offer.title}, through {offer.adapter.title[:1].lower()}{offer.adapter.title[1:]}",
                offer.detail if far or offer.adapter is not None else f"{offer.kind.summary}",
                offer.kind.icon,
                offer.kind.category,
                f"{offer.stem} {offer.detail}",
                partial(self._editor.add_offered, start, offer, at),
            )
            for offer in found
        ]

    # -- the list
    def _open(self, title: str, entries: list[Entry], empty: str, at: QPointF) -> None:
        self.close()
        self.list = BlockSearch(title, entries, empty, self._view)
        self.list.closed.connect(self._on_list_closed)
        place = self._view.viewport().mapTo(self._view, self._view.mapFromScene(at))
        self.list.open_at(QPoint(place))

    @pyqtSlot()
    def _on_list_closed(self) -> None:
        self.list = None
        if self._wire is not None:
            self._scene.removeItem(self._wire)
            self._wire = None
        self._view.setFocus(Qt.OtherFocusReason)

    @pyqtSlot(object, object)
    def _on_document_design_changed(self, _old: object, _new: object) -> None:
        self.close()
