"""Turns the input events of the canvas into gestures, selections, edits and menus."""

from __future__ import annotations

from PyQt5.QtCore import QObject, QPoint, QPointF, Qt, QTimer, pyqtSlot
from PyQt5.QtGui import QContextMenuEvent, QHelpEvent, QKeyEvent, QMouseEvent
from PyQt5.QtWidgets import QToolTip

from seqdec_gui.domain.design import Design
from seqdec_gui.gui.pages.design.adding import Adding
from seqdec_gui.gui.pages.design.annotating import Annotating
from seqdec_gui.gui.pages.design.block_prompts import BlockPrompts
from seqdec_gui.gui.pages.design.canvas_overlays import CanvasOverlays
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.pages.design.draw_wire import DrawWire
from seqdec_gui.gui.pages.design.editor import DesignEditor
from seqdec_gui.gui.pages.design.gestures import Gesture, Move, Pan, Resize, RubberBand
from seqdec_gui.gui.pages.design.keys import CanvasKeys
from seqdec_gui.gui.pages.design.menus import CanvasMenus
from seqdec_gui.gui.pages.design.place_block import Place

SCROLL_EDGE = 20
"""The width of the border in which a drag scrolls the canvas, in pixels."""

SCROLL_DELAY_MS = 350
"""How long the mouse rests in the border before the canvas scrolls."""

SCROLL_INTERVAL_MS = 16
"""The time between two steps of scrolling."""

SCROLL_STEP = 9
"""How far the canvas scrolls in one step, in pixels."""

WIRE_DISTANCE = 6.0
"""How near the mouse must be to a wire to mean it, in pixels."""


class CanvasInteraction(QObject):
    """The `CanvasInput` of a canvas view. At most one gesture is under way; an edit from elsewhere cancels it."""

    def __init__(
        self,
        view: CanvasView,
        editor: DesignEditor,
        annotating: Annotating,
        adding: Adding,
        overlays: CanvasOverlays,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._view, self._editor, self._annotating, self._overlays = view, editor, annotating, overlays
        self._scene = view.design_scene
        self.adding = adding
        """Opens the lists of blocks."""
        prompts = BlockPrompts(view, editor, annotating)
        self._keys = CanvasKeys(view, editor, annotating, adding, prompts, overlays)
        self._menus = CanvasMenus(view, editor, annotating, adding, prompts, overlays)
        self.gesture: Gesture | None = None
        """The gesture that is under way."""
        self._space_held = False
        self._pointing = False
        """Whether the user came to the canvas by mouse, so that Tab adds a block there; by keyboard Tab walks the blocks."""
        self._placing: Place | None = None
        self._mouse = QPoint()
        self._scrolling = QTimer(self)
        self._scrolling.timeout.connect(self._on_scrolling_timeout)
        editor.document.design_changed.connect(self._on_document_design_changed)
        editor.document.selection_changed.connect(self._on_document_selection_changed)
        self._scene.annotations.selection_changed.connect(self._on_annotations_selection_changed)

    # -- the document
    @pyqtSlot(object, object)
    def _on_document_design_changed(self, _old: Design, _new: Design) -> None:
        self.cancel_gesture()

    @pyqtSlot(object)
    def _on_document_selection_changed(self, selection: frozenset[str]) -> None:
        if selection:  # whoever selects frames and notes as well does so afterwards
            self._scene.select_links(())
            self._scene.annotations.select(())
        self._show_focus()
        only = self._editor.only_selected()
        if only is not None:
            self._view.setAccessibleDescription(self._scene.blocks[only].description())

    @pyqtSlot()
    def _on_annotations_selection_changed(self) -> None:
        if self._scene.annotations.selected:
            self._scene.select_links(())
        self._show_focus()
        only = self._editor.only_selected_annotation()
        if only is not None:
            self._view.setAccessibleDescription(self._scene.annotations.items[only].description())

    def _show_focus(self) -> None:
        """Draw the keyboard's focus round what is selected while the view has it."""
        has_focus = self._view.hasFocus()
        self._scene.focus_block(self._editor.only_selected() if has_focus else None)
        self._scene.annotations.focus(self._editor.only_selected_annotation() if has_focus else None)

    # -- dragging a block in from the palette, whose widget has the mouse meanwhile
    def begin_placing(self, kind: str) -> None:
        """Begin to drag in a block of this kind; `move_placing` and then `finish_placing` or `cancel_placing` follow."""
        self.cancel_gesture()
        self._placing = self.gesture = Place(self._view, self._editor, QPoint(-1000, -1000), kind, self._overlays.verdict_tip)
        self._overlays.hide_offer()
        self._overlays.set_placing(True)

    def move_placing(self, global_pos: QPoint) -> None:
        """Show the block at this place of the screen."""
        if self._placing is not None:
            self._placing.move(self._view.viewport().mapFromGlobal(global_pos), Qt.NoModifier)

    def finish_placing(self, global_pos: QPoint) -> None:
        """Add the block if this place of the screen is over the canvas."""
        placing, self._placing, self.gesture = self._placing, None, None
        if placing is not None:
            placing.finish(self._view.viewport().mapFromGlobal(global_pos), Qt.NoModifier)
            self._overlays.set_placing(False)

    def cancel_placing(self) -> None:
        """Drag no block in any more."""
        if self._placing is not None:
            self.cancel_gesture()

    # -- gestures
    def cancel_gesture(self) -> None:
        """End the gesture that is under way, if there is one, and leave no trace of it."""
        gesture, self.gesture = self.gesture, None
        self._scrolling.stop()
        self._show_cursor()
        if gesture is not None:
            gesture.cancel()
        if self._placing is not None:
            self._placing = None
            self._overlays.set_placing(False)

    def _gesture_for(self, event: QMouseEvent) -> Gesture | None:
        """Return the gesture that begins with this press. Presses that select or unfold something begin none."""
        view, editor, scene = self._view, self._editor, self._scene
        at, point = event.pos(), view.mapToScene(event.pos())
        adding = bool(event.modifiers() & (Qt.ShiftModifier | Qt.ControlModifier))
        if event.button() == Qt.MiddleButton or (event.button() == Qt.LeftButton and self._space_held):
            return Pan(view, editor, at)
        if event.button() != Qt.LeftButton:
            return None
        end = scene.port_at(point)
        if end is not None:
            return DrawWire(view, editor, at, end, self._overlays.verdict_tip)
        block_id = scene.block_at(point)
        if block_id is not None:
            if scene.blocks[block_id].expander_at(point, slack=True):
                editor.document.select([block_id])
                editor.toggle_expanded(block_id)
                return None
            self._select_pressed(block_id, adding)
            start = scene.blocks[block_id].block.position
            picked = block_id in editor.document.selection
            return Move(view, editor, at, start, self._overlays.verdict_tip) if picked else None
        link = scene.wire_at(point, WIRE_DISTANCE / view.zoom)
        drawn = scene.annotations.item_at(point)
        if drawn is not None and (link is None or not scene.annotations.items[drawn].is_frame):
            self._select_drawn(drawn, adding)
            if drawn not in scene.annotations.selected:
                return None
            item = scene.annotations.items[drawn]
            if item.handle_at(point):
                return Resize(view, editor, self._annotating, at, drawn)
            return Move(view, editor, at, item.annotation.position, self._overlays.verdict_tip)
        if link is not None:
            editor.document.select(())
            scene.annotations.select(())
            scene.select_links(scene.selected_links ^ {link} if adding else {link})
            return None
        return RubberBand(view, editor, at, adding)

    def _select_pressed(self, block_id: str, adding: bool) -> None:
        document, drawn = self._editor.document, self._scene.annotations.selected
        if adding:
            document.select(document.selection ^ {block_id})
            self._scene.annotations.select(drawn)
        elif block_id not in document.selection:
            self._scene.annotations.select(())
            document.select([block_id])

    def _select_drawn(self, annotation_id: str, adding: bool) -> None:
        layer = self._scene.annotations
        if adding:
            layer.select(layer.selected ^ {annotation_id})
        elif annotation_id not in layer.selected:
            self._editor.document.select(())
            layer.select([annotation_id])

    @pyqtSlot()
    def _on_scrolling_timeout(self) -> None:
        """Scroll while the mouse rests in the border during a drag."""
        if self.gesture is None:
            self._scrolling.stop()
            return
        self._scrolling.setInterval(SCROLL_INTERVAL_MS)
        room, at = self._view.viewport().rect(), self._mouse
        dx = SCROLL_STEP if at.x() < SCROLL_EDGE else -SCROLL_STEP if at.x() > room.width() - SCROLL_EDGE else 0
        dy = SCROLL_STEP if at.y() < SCROLL_EDGE else -SCROLL_STEP if at.y() > room.height() - SCROLL_EDGE else 0
        self._view.pan(dx, dy)
        self.gesture.move(at, Qt.NoModifier)

    # -- mouse
    def mouse_pressed(self, event: QMouseEvent) -> None:
        """Begin a gesture, or select what lies under the mouse."""
        self._view.refits_on_resize = False
        self._pointing = True
        self.adding.close()
        QToolTip.hideText()
        if self.gesture is not None:
            if event.buttons() != event.button():
                return
            self.cancel_gesture()  # another widget got its release
        self._overlays.hide_offer()
        self._view.setFocus(Qt.MouseFocusReason)
        self.gesture = self._gesture_for(event)
        self._show_cursor()

    def mouse_moved(self, event: QMouseEvent) -> None:
        """Go on with the gesture, or emphasise what lies under the mouse."""
        self._mouse, self._pointing = event.pos(), True
        if self.gesture not in (None, self._placing) and not event.buttons():
            self.cancel_gesture()  # another widget got its release
        if self.gesture is None:
            self._hover(event.pos())
            return
        self.gesture.move(event.pos(), event.modifiers())
        self._show_cursor()
        inner = self._view.viewport().rect().adjusted(SCROLL_EDGE, SCROLL_EDGE, -SCROLL_EDGE, -SCROLL_EDGE)
        if not inner.contains(event.pos()) and self.gesture.scrolls and self.gesture.moved:
            if not self._scrolling.isActive():
                self._scrolling.start(SCROLL_DELAY_MS)
        else:
            self._scrolling.stop()

    def mouse_released(self, event: QMouseEvent) -> None:
        """Carry out the gesture, once its last button is released."""
        if self.gesture is None or self.gesture is self._placing or event.buttons() & (Qt.LeftButton | Qt.MiddleButton):
            return
        gesture, self.gesture = self.gesture, None
        self._scrolling.stop()
        self._show_cursor()
        gesture.finish(event.pos(), event.modifiers())

    def mouse_double_clicked(self, event: QMouseEvent) -> None:
        """Ask for the parameters of a block, write in a frame or note, or search a block to add where nothing is.

        On ports and wires a double click is a second press.
        """
        point = self._view.mapToScene(event.pos())
        block_id, drawn = self._scene.block_at(point), self._scene.annotations.item_at(point)
        port, link = self._scene.port_at(point), self._scene.wire_at(point, WIRE_DISTANCE / self._view.zoom)
        if event.button() != Qt.LeftButton or self._space_held or port is not None:
            self.mouse_pressed(event)
        elif block_id is not None and not self._scene.blocks[block_id].expander_at(point):
            self.cancel_gesture()
            self._editor.edit_requested.emit(block_id)
        elif block_id is not None or (link is not None and drawn is None):
            self.mouse_pressed(event)
        elif drawn is not None:
            self.cancel_gesture()
            self._annotating.writing_requested.emit(drawn)
        else:
            self.cancel_gesture()
            self.adding.search(point)

    def mouse_left(self) -> None:
        """Emphasise nothing any more."""
        if self.gesture is None:
            self._scene.emphasise(None, None)
            self._scene.emphasise_port(None)
            self._scene.annotations.emphasise(None)

    def _hover(self, at: QPoint) -> None:
        """Emphasise the port, block or wire under the mouse."""
        scene, point = self._scene, self._view.mapToScene(at)
        end = scene.port_at(point)
        block_id = end.port.block if end is not None else scene.block_at(point)
        link = scene.wire_at(point, WIRE_DISTANCE / self._view.zoom) if block_id is None else None
        scene.emphasise(block_id, link)
        scene.emphasise_port(end)
        drawn = scene.annotations.item_at(point) if block_id is None else None
        scene.annotations.emphasise(drawn)
        over_expander = block_id is not None and scene.blocks[block_id].expander_at(point)
        over_handle = drawn is not None and scene.annotations.items[drawn].handle_at(point)
        self._show_cursor(
            Qt.CrossCursor if end is not None else Qt.PointingHandCursor if over_expander
            else Qt.SizeFDiagCursor if over_handle else None
        )  # fmt: skip

    def _show_cursor(self, shape: Qt.CursorShape | None = None) -> None:
        """Show the cursor of the gesture if there is one, else this one."""
        if self.gesture is not None:
            shape = self.gesture.cursor if self.gesture.moved else None
        elif shape is None and self._space_held:
            shape = Qt.OpenHandCursor
        viewport = self._view.viewport()
        if shape is None:
            viewport.unsetCursor()
        elif viewport.cursor().shape() != shape:
            viewport.setCursor(shape)

    # -- keyboard
    def key_pressed(self, event: QKeyEvent) -> bool:
        """Carry out the command of a key. During a gesture only Escape has one: an edit could remove what the drag holds."""
        if self.gesture is not None:
            if event.key() == Qt.Key_Escape:
                self.cancel_gesture()
            return True
        if event.key() == Qt.Key_Space and not event.modifiers() & (Qt.ControlModifier | Qt.AltModifier):
            self._space_held = True
            self._show_cursor()
            return True
        return self._keys.press(event)

    def key_released(self, event: QKeyEvent) -> None:
        """End panning with the release of Space."""
        if event.key() == Qt.Key_Space and not event.isAutoRepeat():
            self._space_held = False
            self._show_cursor()

    def tab_pressed(self, forward: bool) -> bool:
        """Select the next block in the order of the data's flow, then the next frame or note.

        Returns False past the last one, where the focus leaves. Where the user points at an empty place and nothing is
        selected, Tab searches a block to add there instead.
        """
        if forward and self._points_at_nothing():
            self.adding.search(self._view.mapToScene(self._mouse))
            return True
        order = list(self._editor.document.report.inference.order)
        drawn = [one.id for one in self._editor.design.annotations]
        only, only_drawn = self._editor.only_selected(), self._editor.only_selected_annotation()
        at = -1 if forward else len(order) + len(drawn)
        if only is not None:
            at = order.index(only)
        elif only_drawn is not None:
            at = len(order) + drawn.index(only_drawn)
        at += 1 if forward else -1
        if not 0 <= at < len(order) + len(drawn):
            return False
        if at < len(order):
            self._editor.go_to(order[at])
            self._editor.announced.emit(self._scene.blocks[order[at]].description())
        else:
            annotation_id = drawn[at - len(order)]
            self._editor.document.select(())
            self._scene.annotations.select([annotation_id])
            item = self._scene.annotations.items[annotation_id]
            self._view.reveal_rect(item.outline)
            self._editor.announced.emit(item.description())
        return True

    def _points_at_nothing(self) -> bool:
        """Return whether the mouse rests on an empty place of the canvas, and nothing is selected."""
        if not self._pointing or self._editor.document.selection or self._scene.annotations.selected:
            return False
        point = self._view.mapToScene(self._mouse)
        inside = self._view.viewport().rect().contains(self._mouse)
        return inside and self._scene.block_at(point) is None and not self._scene.selected_links

    def pointed_place(self) -> QPointF | None:
        """Return the place of the scene that the mouse is at, or None if it is elsewhere or the keyboard is used."""
        return self._view.mapToScene(self._mouse) if self._points_at_nothing() else None

    def focus_changed(self, has_focus: bool) -> None:
        """Draw the keyboard's focus round the selected block while the view has it."""
        if not has_focus:
            self._space_held = False
        self._show_focus()

    def focus_taken_by_key(self) -> None:
        """Handle that the view got the focus by Tab: from now on Tab walks the blocks."""
        self._pointing = False

    # -- menus and tips
    def menu_requested(self, event: QContextMenuEvent) -> None:
        """Open the menu of the block or wire under the mouse, or of the canvas; the menu key means the selected block."""
        if self.gesture is not None:
            return
        view, document, only = self._view, self._editor.document, self._editor.only_selected()
        drawn = self._editor.only_selected_annotation()
        if event.reason() == QContextMenuEvent.Keyboard and only is not None:
            self._menus.block_menu(only).popup(view.viewport().mapToGlobal(view.block_rect(only).center()))
            return
        if event.reason() == QContextMenuEvent.Keyboard and drawn is not None:
            middle = view.mapFromScene(self._scene.annotations.items[drawn].outline.center())
            self._menus.annotation_menu(drawn).popup(view.viewport().mapToGlobal(middle))
            return
        point = view.mapToScene(event.pos())
        block_id, link = self._scene.block_at(point), self._scene.wire_at(point, WIRE_DISTANCE / view.zoom)
        drawn = self._scene.annotations.item_at(point)
        if block_id is not None:
            if block_id not in document.selection:
                self._select_pressed(block_id, adding=False)
            menu = self._menus.block_menu(block_id)
        elif drawn is not None and (link is None or not self._scene.annotations.items[drawn].is_frame):
            self._select_drawn(drawn, adding=False)
            menu = self._menus.annotation_menu(drawn)
        elif link is not None:
            document.select(())
            self._scene.annotations.select(())
            self._scene.select_links({link})
            menu = self._menus.wire_menu(link, point)
        else:
            menu = self._menus.canvas_menu(point)
        menu.popup(event.globalPos())

    def tool_tip_requested(self, event: QHelpEvent) -> None:
        """Show the tool tip of what lies under the mouse; none during a gesture."""
        if self.gesture is not None:
            return
        text = self._tool_tip_at(event.pos())
        if text:
            QToolTip.showText(event.globalPos(), text, self._view.viewport())
        else:
            QToolTip.hideText()

    def _tool_tip_at(self, at: QPoint) -> str:
        scene, point = self._scene, self._view.mapToScene(at)
        end = scene.port_at(point)
        block_id = end.port.block if end is not None else scene.block_at(point)
        if block_id is not None:
            item = scene.blocks[block_id]
            return item.tool_tip(point - item.pos())
        link = scene.wire_at(point, WIRE_DISTANCE / self._view.zoom)
        return "" if link is None else scene.wires[link].tool_tip()
