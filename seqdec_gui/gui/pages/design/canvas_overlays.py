"""Shows and hides the widgets that lie over the canvas, following the design and the editor."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QObject, pyqtSlot

from seqdec_gui.domain.adapters import Adapter
from seqdec_gui.domain.design import Design, Link
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.pages.design.editor import DesignEditor
from seqdec_gui.gui.pages.design.overlays import EmptyState, OfferBar
from seqdec_gui.gui.pages.design.verdict_tip import VerdictTip


class CanvasOverlays(QObject):
    """Owns the empty state, the bar with repairs of a refused wire, and the tip beside a wire that is being drawn."""

    def __init__(self, view: CanvasView, editor: DesignEditor, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view, self._editor = view, editor
        self._placing = False
        self._refused: Link | None = None
        self.empty_state = EmptyState(view.viewport())
        self.offer_bar = OfferBar(view.viewport())
        self.offer_bar.accepted.connect(self._on_offer_bar_accepted)
        self.verdict_tip = VerdictTip(view.viewport())
        editor.repairs_proposed.connect(self._on_editor_repairs_proposed)
        editor.document.design_changed.connect(self._on_document_design_changed)
        view.resized.connect(self._on_view_resized)
        self._show_empty_state()

    def hide_offer(self) -> None:
        """Hide the bar with repairs."""
        self.offer_bar.hide()

    def set_placing(self, placing: bool) -> None:
        """Tell whether a block is being dragged in; meanwhile the empty state is hidden."""
        self._placing = placing
        self._show_empty_state()

    def _show_empty_state(self) -> None:
        state = self.empty_state
        state.setVisible(not self._editor.design.blocks and not self._placing)
        state.button.setVisible(state.receivers(state.templates_requested) > 0)
        state.place(self._view.viewport().rect())

    @pyqtSlot(object, object)
    def _on_document_design_changed(self, _old: Design, _new: Design) -> None:
        self.hide_offer()
        self._show_empty_state()

    @pyqtSlot()
    def _on_view_resized(self) -> None:
        self._show_empty_state()
        if self.offer_bar.isVisible():
            self.offer_bar.place()

    @pyqtSlot(str, object, object)
    def _on_editor_repairs_proposed(self, reason: str, link: Link | None, adapters: Sequence[Adapter]) -> None:
        self._refused = link
        self.offer_bar.offer(reason, adapters)

    @pyqtSlot(object)
    def _on_offer_bar_accepted(self, adapter: Adapter) -> None:
        link, design = self._refused, self._editor.design
        if link is not None and design.has(link.source.block) and design.has(link.target.block):
            self._editor.insert_adapter(link, adapter)
        self._view.setFocus()
