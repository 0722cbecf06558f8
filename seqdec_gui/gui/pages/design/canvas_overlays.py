"""Shows, hides and places the widgets that lie over the canvas, following the design, the editor and the view."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QObject, QSize, pyqtSignal, pyqtSlot

from seqdec_gui.domain.adapters import Adapter
from seqdec_gui.domain.design import Design, Link
from seqdec_gui.gui.look import preferences
from seqdec_gui.gui.look.theme import SPACE
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.pages.design.editor import DesignEditor
from seqdec_gui.gui.pages.design.find_bar import FindBar
from seqdec_gui.gui.pages.design.minimap import MiniMap
from seqdec_gui.gui.pages.design.overlays import EmptyState, OfferBar
from seqdec_gui.gui.pages.design.verdict_tip import VerdictTip
from seqdec_gui.gui.pages.design.zoom_bar import ZoomBar

_LEAST_ROOM = 3.0
"""How many times the mini-map's width and height the canvas must have, so that it does not cover what it is the map of."""


class CanvasOverlays(QObject):
    """Owns the empty state, the repairs of a refused wire, the verdict tip, the mini-map, the zoom control and the find bar."""

    minimap_shown = pyqtSignal(bool)
    """Whether the user wants a mini-map."""

    def __init__(self, view: CanvasView, editor: DesignEditor, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view, self._editor = view, editor
        self._placing = False
        self._refused: Link | None = None
        self.empty_state = EmptyState(view.viewport())
        self.offer_bar = OfferBar(view.viewport())
        self.offer_bar.accepted.connect(self._on_offer_bar_accepted)
        self.verdict_tip = VerdictTip(view.viewport())
        self.minimap = MiniMap(view)
        self.zoom_bar = ZoomBar(view)
        self.zoom_bar.minimap_toggled.connect(self.show_minimap)
        self.find_bar = FindBar(view, editor)
        self._minimap_wanted = preferences.minimap_is_shown()
        self.zoom_bar.set_minimap(self._minimap_wanted)
        editor.repairs_proposed.connect(self._on_editor_repairs_proposed)
        editor.document.design_changed.connect(self._on_document_design_changed)
        view.resized.connect(self._on_view_resized)
        view.viewport_moved.connect(self._on_view_viewport_moved)
        self.zoom_bar.size_changed.connect(self._place_corner)
        self._show_empty_state()
        self._place_corner()

    def hide_offer(self) -> None:
        """Hide the bar with repairs."""
        self.offer_bar.hide()

    def set_placing(self, placing: bool) -> None:
        """Tell whether a block is being dragged in; meanwhile the empty state is hidden."""
        self._placing = placing
        self._show_empty_state()

    # -- the corner: mini-map and zoom control
    @property
    def minimap_wanted(self) -> bool:
        """Whether the user wants a mini-map. It is shown while the design has blocks and the canvas room for it."""
        return self._minimap_wanted

    @pyqtSlot(bool)
    def show_minimap(self, wanted: bool) -> None:
        """Show or hide the mini-map, and keep the choice for the next start."""
        self._minimap_wanted = wanted
        if wanted != preferences.minimap_is_shown():  # writing takes as long as all else when another tab is shown
            preferences.set_minimap(wanted)
        self.zoom_bar.set_minimap(wanted)
        self._place_corner()
        self.minimap_shown.emit(wanted)

    def toggle_minimap(self) -> None:
        """Show the mini-map if it is hidden, and hide it if it is shown."""
        self.show_minimap(not self._minimap_wanted)

    @pyqtSlot()
    def _place_corner(self) -> None:
        room, bar, minimap = self._view.viewport().rect(), self.zoom_bar, self.minimap
        top = room.height() - bar.height() - 2 * SPACE
        bar.move(room.width() - bar.width() - 2 * SPACE, top)
        wanted = minimap.wanted_size()
        has_room = room.width() >= _LEAST_ROOM * wanted.width() and room.height() >= _LEAST_ROOM * wanted.height()
        shown = self._minimap_wanted and has_room and bool(self._editor.design.blocks or self._editor.design.annotations)
        if shown:
            minimap.setGeometry(
                room.width() - wanted.width() - 2 * SPACE, top - wanted.height() - SPACE, wanted.width(), wanted.height()
            )
        minimap.setVisible(shown)
        covered = bar.geometry() | minimap.geometry() if shown else bar.geometry()
        self.offer_bar.keep_off(covered)
        self._view.cover_corner(QSize(room.width() - covered.x(), room.height() - covered.y()))

    # -- what is shown over the canvas
    def _show_empty_state(self) -> None:
        state, design = self.empty_state, self._editor.design
        state.setVisible(not design.blocks and not design.annotations and not self._placing)
        state.button.setVisible(state.receivers(state.templates_requested) > 0)
        state.place(self._view.viewport().rect())

    @pyqtSlot(object, object)
    def _on_document_design_changed(self, old: Design, new: Design) -> None:
        self.hide_offer()
        self._show_empty_state()
        if bool(old.blocks or old.annotations) != bool(new.blocks or new.annotations):
            self._place_corner()

    @pyqtSlot()
    def _on_view_resized(self) -> None:
        self._show_empty_state()
        self._place_corner()
        self.find_bar.place()
        if self.offer_bar.isVisible():
            self.offer_bar.place()

    @pyqtSlot()
    def _on_view_viewport_moved(self) -> None:
        """Keep in place what Qt scrolls along with the viewport, whose children these are."""
        if self.empty_state.isVisible():
            self.empty_state.place(self._view.viewport().rect())
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
