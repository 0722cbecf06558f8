"""What a drop of a block on a wire would do: put it in, or not and why."""

from __future__ import annotations

from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtWidgets import QGraphicsPathItem

from seqdec_gui.domain import block_edits as edits
from seqdec_gui.domain.design import Block, Link
from seqdec_gui.gui.look import canvas_style
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.pages.design.editor import DesignEditor
from seqdec_gui.gui.pages.design.verdict_tip import VerdictTip


class Splicing:
    """Tells whether a block can be put into the wire under the mouse, and shows the answer while it is dragged."""

    def __init__(self, view: CanvasView, editor: DesignEditor, block: Block, tip: VerdictTip) -> None:
        self._view, self._editor, self._scene, self._block, self._tip = view, editor, view.design_scene, block, tip
        self._known: dict[Link, edits.Insertion] = {}
        self._shown: tuple[Link | None, bool] = (None, False)
        self._item: QGraphicsPathItem | None = None
        self.link: Link | None = None
        """The wire under the mouse that takes the block, or None."""

    def look(self, at: QPoint) -> None:
        """Find the wire at this place of the viewport, and show what a drop there would do."""
        point = self._view.mapToScene(at)
        covered = self._scene.block_at(point)
        link = self._scene.wire_at(point) if covered in (None, self._block.id) else None
        if link is not None and link not in self._known:
            inference = self._editor.document.report.inference
            self._known[link] = edits.spliced(self._editor.design, inference, self._block, link)
        fits = link is not None and self._known[link].design is not None
        self.link = link if fits else None
        if (link, fits) == self._shown:
            return
        self._shown = (link, fits)
        self._scene.emphasise(None, link)
        self._show_wire(link, fits)
        text = "" if link is None else f"{'✓ Insert: ' if fits else '✗ Does not fit here. '}{self._known[link].reason}"
        ends = () if link is None else (link.source.block, link.target.block)
        self._tip.show_text(text, at, [self._view.block_rect(block_id) for block_id in ends])

    def _show_wire(self, link: Link | None, fits: bool) -> None:
        """Draw the wire above the dragged block, which covers it: solid if the block fits, dashed if not."""
        if self._item is not None:
            self._scene.removeItem(self._item)
            self._item = None
        if link is not None:
            look = canvas_style.current()
            self._item = QGraphicsPathItem(self._scene.wires[link].path)
            line = Qt.SolidLine if fits else Qt.DashLine
            self._item.setPen(canvas_style.pen(look.ok if fits else look.error, 4.0, line))
            self._item.setZValue(7)
            self._scene.addItem(self._item)

    def end(self) -> None:
        """Show nothing any more."""
        self._show_wire(None, False)
        self._scene.emphasise(None, None)
        self._tip.hide()
