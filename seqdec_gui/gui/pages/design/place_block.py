"""The gesture that drags a block in from the palette."""

from __future__ import annotations

from PyQt5.QtCore import QPoint, QPointF, Qt

from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.design import Block
from seqdec_gui.gui.pages.design.block_item import block_preview
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.pages.design.editor import DesignEditor
from seqdec_gui.gui.pages.design.gestures import Gesture
from seqdec_gui.gui.pages.design.splicing import Splicing
from seqdec_gui.gui.pages.design.verdict_tip import VerdictTip


class Place(Gesture):
    """Drags a block in from the palette. It is added where it is dropped, and put into a wire that it is dropped on."""

    cursor = Qt.DragCopyCursor

    def __init__(self, view: CanvasView, editor: DesignEditor, at: QPoint, kind: str, tip: VerdictTip) -> None:
        super().__init__(view, editor, at)
        self.kind = kind
        block = Block(editor.design.free_id(kind), KINDS[kind]())
        self._item = block_preview(block)
        self._item.setOpacity(0.75)
        self._item.setZValue(6)
        self._item.setVisible(False)
        self.scene.addItem(self._item)
        fits = block.parameters.inputs() and block.parameters.outputs()
        self._splicing = Splicing(view, editor, block, tip) if fits else None

    def _corner(self, at: QPoint) -> QPointF:
        return self.view.mapToScene(at) - QPointF(self._item.width / 2, 24.0)

    def _inside(self, at: QPoint) -> bool:
        return bool(self.view.viewport().rect().contains(at))

    def drag(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        self._item.setVisible(self._inside(at))
        self._item.setPos(self._corner(at))
        if self._splicing is not None:
            self._splicing.look(at)

    def finish(self, at: QPoint, modifiers: Qt.KeyboardModifiers) -> None:
        if self._splicing is not None:
            self._splicing.look(at)
        corner, wire = self._corner(at), self._splicing.link if self._splicing is not None else None
        self.cancel()
        if self._inside(at):
            self.editor.add_block(self.kind, corner, wire)

    def cancel(self) -> None:
        self.scene.removeItem(self._item)
        if self._splicing is not None:
            self._splicing.end()
