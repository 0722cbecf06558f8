"""The design view: mouse, keyboard and menus of the canvas."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QEvent, QPoint, QRect, Qt, QTimer, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QContextMenuEvent, QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PyQt5.QtWidgets import QToolTip, QWidget

from seqdec_gui.domain.adapters import Adapter
from seqdec_gui.domain.design import Design, Link
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.design import keys, menus
from seqdec_gui.gui.pages.design.connect_dialog import Choice, ConnectDialog, starts_of
from seqdec_gui.gui.pages.design.editing import EditableCanvas
from seqdec_gui.gui.pages.design.gestures import DrawWire, Gesture, Move, Pan, Place, RubberBand
from seqdec_gui.gui.pages.design.overlays import EmptyState, OfferBar, RenameField
from seqdec_gui.gui.pages.design.style import HEADER
from seqdec_gui.gui.workspace.document import DesignDocument

EDGE = 20  # pixels from the border where a drag scrolls the canvas
REST_MS, TICK_MS, SCROLL = 350, 16, 9


class DesignView(EditableCanvas):
    """The node view. `focus_block` follows Tab; all that keys and mouse do is a method that menus and the window can call."""

    templates_requested = pyqtSignal()

    def __init__(self, document: DesignDocument, parent: QWidget | None = None) -> None:
        super().__init__(document, parent)
        self.setObjectName("design_view")
        self.setAccessibleName("Design")
        self.setAccessibleDescription("Blocks and the wires between them. Tab moves between blocks, C connects, Enter edits.")
        self.setFocusPolicy(Qt.StrongFocus)
        self.setAcceptDrops(False)
        self.gesture: Gesture | None = None
        self.panning = False  # while Space is held
        self._placing: Place | None = None
        self._offered: Link | None = None
        self._rename: RenameField | None = None
        self._pointer = QPoint()
        self._scrolling = QTimer(self)
        self._scrolling.timeout.connect(self._on_scrolling_timeout)
        self.empty_state = EmptyState(self.viewport())
        self.empty_state.templates_requested.connect(self.templates_requested)
        self.offer_bar = OfferBar(self.viewport())
        self.offer_bar.accepted.connect(self._on_offer_bar_accepted)
        document.design_changed.connect(self._on_document_design_changed)
        document.replaced.connect(self._on_document_replaced)
        document.selection_changed.connect(self._on_document_selection_changed)
        theme.notifier.changed.connect(self._on_theme_changed)
        self._show_empty_state()

    # -- the document
    @pyqtSlot(object, object)
    def _on_document_design_changed(self, _old: Design, _new: Design) -> None:
        self.cancel_gesture()
        self.offer_bar.hide()
        self._show_empty_state()
        self.fits_itself = False

    @pyqtSlot()
    def _on_document_replaced(self) -> None:
        """Another design: show all of it, and go on doing so while the window finds its size."""
        if self._is_stacked():
            self.auto_layout()
        self.fit()
        self.fits_itself = True

    def _is_stacked(self) -> bool:
        """Whether all blocks lie on one place: a script made the design and left the places out."""
        blocks = self.design.blocks
        return len(blocks) > 1 and len({block.position for block in blocks}) == 1

    @pyqtSlot(object)
    def _on_document_selection_changed(self, selection: frozenset[str]) -> None:
        if selection:
            self.design_scene.select_links(())
        only = self.only_selected()
        self.design_scene.focus_block(only if self.hasFocus() else None)
        if only is not None:
            self.setAccessibleDescription(self.design_scene.blocks[only].description())

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self.resetCachedContent()
        self.viewport().update()

    def _show_empty_state(self) -> None:
        self.empty_state.setVisible(not self.design.blocks and self._placing is None)
        self.empty_state.button.setVisible(self.receivers(self.templates_requested) > 0)
        self.empty_state.place(self.viewport().rect())

    # -- wishes
    def refuse(self, reason: str, link: Link | None = None, adapters: Sequence[Adapter] = ()) -> None:
        """Say why a wire was not drawn, and offer what would make it possible."""
        self.refused.emit(reason)
        self.announced.emit(f"Not connected: {reason}")
        self._offered = link
        self.offer_bar.offer(reason, adapters)

    @pyqtSlot(object)
    def _on_offer_bar_accepted(self, adapter: Adapter) -> None:
        link = self._offered
        if link is not None and self.design.has(link.source.block) and self.design.has(link.target.block):
            self.insert_adapter(link, adapter)
        self.setFocus()

    def go_to(self, block_id: str) -> None:
        """Select a block and scroll to it."""
        self.document.select([block_id])
        self.reveal(block_id)

    def rename_block(self, block_id: str) -> None:
        """Let the user type another name over the block's title."""
        self.reveal(block_id)
        rect = self.block_rect(block_id)
        height = max(int(HEADER * self.zoom) - 8, 28)
        place = QRect(rect.left() + 4, rect.top() + 4, max(rect.width() - 8, 140), height)
        self._rename = RenameField(self.document, block_id, place, self.viewport())
        self._rename.closed.connect(self.setFocus)

    def connect_block(self, block_id: str) -> ConnectDialog:
        """Open *Connect to...* for a block."""
        dialog = ConnectDialog(self.document, f"Connect {block_id} to", starts_of(self.document, block_id), self)
        dialog.chosen.connect(self.take_choice)
        dialog.open()
        return dialog

    @pyqtSlot(object)
    def take_choice(self, choice: Choice) -> None:
        """Draw the wire that was chosen from a list, through its adapter if it needs one."""
        if choice.adapter is not None:
            self.insert_adapter(choice.link, choice.adapter)
        else:
            self.connect_ports(choice.link)

    # -- dragging in from the palette
    def begin_place(self, kind: str) -> None:
        """A block of this kind is being dragged in; `place_at` and `place_dropped` follow, or `cancel_place`."""
        self.cancel_gesture()
        self._placing = self.gesture = Place(self, QPoint(-1000, -1000), kind)
        self.offer_bar.hide()
        self._show_empty_state()

    def place_at(self, global_pos: QPoint) -> None:
        if self._placing is not None:
            self._placing.move(self.viewport().mapFromGlobal(global_pos), Qt.NoModifier)

    def place_dropped(self, global_pos: QPoint) -> None:
        """Add the block if the mouse is over the canvas."""
        placing, self._placing, self.gesture = self._placing, None, None
        if placing is not None:
            placing.finish(self.viewport().mapFromGlobal(global_pos), Qt.NoModifier)
            self._show_empty_state()

    def cancel_place(self) -> None:
        if self._placing is not None:
            self.cancel_gesture()
            self._show_empty_state()

    # -- gestures
    def cancel_gesture(self) -> None:
        """End what the mouse is doing without a trace."""
        gesture, self.gesture, self._placing = self.gesture, None, None
        self._scrolling.stop()
        self.show_cursor()
        if gesture is not None:
            gesture.cancel()

    def _gesture_for(self, event: QMouseEvent) -> Gesture | None:
        at, point = event.pos(), self.mapToScene(event.pos())
        scene, adding = self.design_scene, bool(event.modifiers() & (Qt.ShiftModifier | Qt.ControlModifier))
        if event.button() == Qt.MiddleButton or (event.button() == Qt.LeftButton and self.panning):
            return Pan(self, at)
        if event.button() != Qt.LeftButton:
            return None
        end = scene.port_at(point)
        if end is not None:
            return DrawWire(self, at, end)
        block_id = scene.block_at(point)
        if block_id is not None:
            item = scene.blocks[block_id]
            if item.expander.adjusted(-4, -3, 4, 3).contains(point - item.pos()) and not item.expander.isEmpty():
                self.document.select([block_id])
                self.toggle_expanded(block_id)
                return None
            self._select_pressed(block_id, adding)
            return Move(self, at, block_id) if block_id in self.document.selection else None
        link = scene.wire_at(point, 6.0 / self.zoom)
        if link is not None:
            self.document.select(())
            scene.select_links(scene.selected_links ^ {link} if adding else {link})
            return None
        return RubberBand(self, at, adding)

    def _select_pressed(self, block_id: str, adding: bool) -> None:
        selection = self.document.selection
        if adding:
            self.document.select(selection ^ {block_id})
        elif block_id not in selection:
            self.document.select([block_id])

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        event.accept()
        self.fits_itself = False
        QToolTip.hideText()
        if self.gesture is not None:
            if event.buttons() != event.button():
                return
            self.cancel_gesture()  # its release went elsewhere
        self.offer_bar.hide()
        self.setFocus(Qt.MouseFocusReason)
        self.gesture = self._gesture_for(event)
        self.show_cursor()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        event.accept()
        self._pointer = event.pos()
        if self.gesture not in (None, self._placing) and not event.buttons():
            self.cancel_gesture()  # its release went elsewhere
        if self.gesture is None:
            self._hover(event.pos())
            return
        self.gesture.move(event.pos(), event.modifiers())
        self.show_cursor()
        near_edge = not self.viewport().rect().adjusted(EDGE, EDGE, -EDGE, -EDGE).contains(event.pos())
        if near_edge and self.gesture.scrolls and self.gesture.moved:
            if not self._scrolling.isActive():
                self._scrolling.start(REST_MS)
        else:
            self._scrolling.stop()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        event.accept()
        if self.gesture is None or self.gesture is self._placing or event.buttons() & (Qt.LeftButton | Qt.MiddleButton):
            return
        gesture, self.gesture = self.gesture, None
        self._scrolling.stop()
        self.show_cursor()
        gesture.finish(event.pos(), event.modifiers())

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        assert event is not None
        block_id = self.design_scene.block_at(self.mapToScene(event.pos()))
        if (
            event.button() == Qt.LeftButton
            and block_id is not None
            and self.design_scene.port_at(self.mapToScene(event.pos())) is None
        ):
            item = self.design_scene.blocks[block_id]
            if not item.expander.contains(self.mapToScene(event.pos()) - item.pos()):
                self.cancel_gesture()
                self.edit_requested.emit(block_id)
                event.accept()
                return
        self.mousePressEvent(event)

    @pyqtSlot()
    def _on_scrolling_timeout(self) -> None:
        """The mouse rests at the border during a drag: show what lies beyond."""
        if self.gesture is None:
            self._scrolling.stop()
            return
        self._scrolling.setInterval(TICK_MS)
        room, at = self.viewport().rect(), self._pointer
        dx = SCROLL if at.x() < EDGE else -SCROLL if at.x() > room.width() - EDGE else 0
        dy = SCROLL if at.y() < EDGE else -SCROLL if at.y() > room.height() - EDGE else 0
        self.pan(dx, dy)
        self.gesture.move(at, Qt.NoModifier)

    def _hover(self, at: QPoint) -> None:
        scene, point = self.design_scene, self.mapToScene(at)
        end = scene.port_at(point)
        block_id = end.port.block if end is not None else scene.block_at(point)
        link = scene.wire_at(point, 6.0 / self.zoom) if block_id is None else None
        scene.hover(block_id, link)
        scene.heat(end)
        self.show_cursor(
            Qt.CrossCursor if end is not None else Qt.PointingHandCursor if self._over_expander(block_id, at) else None
        )

    def _over_expander(self, block_id: str | None, at: QPoint) -> bool:
        if block_id is None:
            return False
        item = self.design_scene.blocks[block_id]
        return bool(item.expander.contains(self.mapToScene(at) - item.pos()))

    def show_cursor(self, wanted: Qt.CursorShape | None = None) -> None:
        """The cursor of the gesture, or else this one."""
        if self.gesture is not None:
            wanted = self.gesture.cursor if self.gesture.moved else None
        elif wanted is None and self.panning:
            wanted = Qt.OpenHandCursor
        if wanted is None:
            self.viewport().unsetCursor()
        elif self.viewport().cursor().shape() != wanted:
            self.viewport().setCursor(wanted)

    def leaveEvent(self, event: QEvent | None) -> None:
        if self.gesture is None:
            self.design_scene.hover(None, None)
            self.design_scene.heat(None)
        super().leaveEvent(event)

    # -- keyboard
    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        assert event is not None
        event.accept()
        if self.gesture is not None:  # an edit now could remove what the drag holds
            if event.key() == Qt.Key_Escape:
                self.cancel_gesture()
                self._show_empty_state()
        elif not (keys.edit(self, event) or keys.act_on_block(self, event)):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent | None) -> None:
        assert event is not None
        if event.key() == Qt.Key_Space and not event.isAutoRepeat():
            self.panning = False
            self.show_cursor()
        super().keyReleaseEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab walks the blocks in the order of the data's flow; past the last one the focus leaves the view."""
        if not self.hasFocus():  # a button over the canvas has it, or gives it up
            return bool(super().focusNextPrevChild(forward))
        order = self.document.report.inference.order
        only = self.only_selected()
        at = order.index(only) if only is not None else -1 if forward else len(order)
        at += 1 if forward else -1
        if not 0 <= at < len(order):
            return bool(super().focusNextPrevChild(forward))
        self.go_to(order[at])
        self.announced.emit(self.design_scene.blocks[order[at]].description())
        return True

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        super().focusInEvent(event)
        self.design_scene.focus_block(self.only_selected())

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        super().focusOutEvent(event)
        self.panning = False
        self.design_scene.focus_block(None)

    # -- menus, tips, size
    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:
        assert event is not None
        event.accept()
        if self.gesture is not None:
            return
        only = self.only_selected()
        if event.reason() == QContextMenuEvent.Keyboard and only is not None:
            menus.block_menu(self, only).popup(self.viewport().mapToGlobal(self.block_rect(only).center()))
            return
        point = self.mapToScene(event.pos())
        block_id, link = self.design_scene.block_at(point), self.design_scene.wire_at(point, 6.0 / self.zoom)
        if block_id is not None:
            if block_id not in self.document.selection:
                self.document.select([block_id])
            menu = menus.block_menu(self, block_id)
        elif link is not None:
            self.document.select(())
            self.design_scene.select_links({link})
            menu = menus.wire_menu(self, link)
        else:
            menu = menus.canvas_menu(self, point)
        menu.popup(event.globalPos())

    def viewportEvent(self, event: QEvent | None) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.ToolTip:
            text = "" if self.gesture is not None else self._tip_at(event.pos())
            if text:
                QToolTip.showText(event.globalPos(), text, self.viewport())
            elif self.gesture is None:
                QToolTip.hideText()
            return True
        return super().viewportEvent(event)

    def _tip_at(self, at: QPoint) -> str:
        scene, point = self.design_scene, self.mapToScene(at)
        end = scene.port_at(point)
        block_id = end.port.block if end is not None else scene.block_at(point)
        if block_id is not None:
            item = scene.blocks[block_id]
            return item.tool_tip(point - item.pos())
        link = scene.wire_at(point, 6.0 / self.zoom)
        return "" if link is None else scene.wires[link].tool_tip()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if self.fits_itself:
            self.fit()
        self.empty_state.place(self.viewport().rect())
        if self.offer_bar.isVisible():
            self.offer_bar.place()
