"""The design view: the canvas view of a document with everything that belongs to it."""

from __future__ import annotations

from PyQt5.QtCore import QPointF, Qt, pyqtSlot
from PyQt5.QtWidgets import QWidget

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.drawing.routing import Rect
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.design.adding import Adding
from seqdec_gui.gui.pages.design.annotating import Annotating
from seqdec_gui.gui.pages.design.canvas_accessibility import CanvasAccessibility
from seqdec_gui.gui.pages.design.canvas_overlays import CanvasOverlays
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.pages.design.column_drop import ColumnDrop
from seqdec_gui.gui.pages.design.commands import CanvasCommands
from seqdec_gui.gui.pages.design.editor import DesignEditor
from seqdec_gui.gui.pages.design.interaction import CanvasInteraction
from seqdec_gui.gui.pages.design.scene import DesignScene
from seqdec_gui.gui.workspace.document import DesignDocument


class DesignView(CanvasView):
    """Puts the parts of the canvas together: it has no behaviour of its own but to show a new design whole.

    The view itself zooms, pans, fits and tells where things are; `editor` edits the design and has the signals `announced`,
    `refused` and `edit_requested`; `annotating` edits frames and notes; `adding` opens the lists of blocks; `interaction`
    handles mouse and keyboard; `overlays` are the widgets over the canvas; `commands` are what the window's actions call;
    `templates_requested` is emitted by the button of the empty canvas, which is shown once something is connected to it.
    """

    def __init__(self, document: DesignDocument, parent: QWidget | None = None) -> None:
        super().__init__(DesignScene(document), parent)
        self.setObjectName("design_view")
        self.setAccessibleName("Design")
        self.setAccessibleDescription(
            "Blocks and the wires between them. Tab moves between blocks, C connects, Enter edits, Ctrl+B adds."
        )
        self.setFocusPolicy(Qt.StrongFocus)
        self.setAcceptDrops(False)
        self.design_scene.setParent(self)
        self.editor = DesignEditor(document, self, self)
        self.annotating = Annotating(self, self.editor, self)
        self.adding = Adding(self, self.editor, self)
        self.overlays = CanvasOverlays(self, self.editor, self)
        self.templates_requested = self.overlays.empty_state.templates_requested
        self.interaction = CanvasInteraction(self, self.editor, self.annotating, self.adding, self.overlays, self)
        self.set_input(self.interaction)
        self.accessibility = CanvasAccessibility(self, self.editor, self)
        self.commands = CanvasCommands(self, self.editor, self.annotating, self.adding, self.overlays, self)
        self.column_target: ColumnDrop | None = None
        """Takes the columns of a data file that are dropped on the view; None where there is no data."""
        document.design_changed.connect(self._on_document_design_changed)
        document.replaced.connect(self._on_document_replaced)
        theme.notifier.changed.connect(self._on_theme_changed)

    @pyqtSlot(object, object)
    def _on_document_design_changed(self, old: Design, _new: Design) -> None:
        self.refits_on_resize = False
        self._follow_blocks(old)

    def _follow_blocks(self, old: Design) -> None:
        """Scroll to the nearest block where an edit took away all that was seen, as when a paste is undone."""
        seen, rects = self.visible_rect(), self.design_scene.router.blocks.rects
        shown = Rect(seen.left(), seen.top(), seen.right(), seen.bottom())
        were_there = any(seen.contains(QPointF(*block.position)) for block in old.blocks)
        if were_there and rects and not any(shown.meets(rect) for rect in rects.values()):
            self.reveal(min(rects, key=lambda block_id: shown.distance(rects[block_id])))

    @pyqtSlot()
    def _on_document_replaced(self) -> None:
        """Show all of another design, and go on doing so while the window finds its size."""
        blocks = self.editor.design.blocks
        if len(blocks) > 1 and len({block.position for block in blocks}) == 1:  # made by a script that gave no places
            self.editor.auto_layout()
        self.fit()
        self.refits_on_resize = True

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self.resetCachedContent()
        self.viewport().update()
