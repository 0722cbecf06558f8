"""Blocks, ports, frames and notes of the canvas for screen readers: for each an invisible button over its picture.

Qt tells assistive programs about widgets, not about the items of a graphics view, and PyQt has no way to add to that. So while
such a program listens (`look.assistive`), the canvas has a button for every block, and on it one for every port, and for every
frame and note, which say what is drawn there. They paint nothing and let every mouse event through; keys stay with the canvas.
They lie in a group with the canvas's name: Qt gives a graphics view itself no role but that of something which fills a place.
"""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QObject, QRect, Qt, QTimer, pyqtSlot
from PyQt5.QtGui import QPaintEvent
from PyQt5.QtWidgets import QGroupBox, QPushButton, QWidget

from seqdec_gui.domain.design import Design, Link
from seqdec_gui.domain.link_judge import End
from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look.assistive import Assistance
from seqdec_gui.gui.pages.design.block_item import BlockItem
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.pages.design.editor import DesignEditor

FOLLOW_MS = 150
"""The time after the last repaint of the canvas before the buttons follow it, in milliseconds."""
PORT_SIZE = 16
"""The side of the button of a port, in pixels."""


class SpokenGroup(QGroupBox):
    """A group over the whole canvas that is heard and not seen; its name says how much there is."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("spoken_canvas")
        self.setFocusPolicy(Qt.NoFocus)
        self.setAttribute(Qt.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WA_NoSystemBackground)

    def paintEvent(self, _event: QPaintEvent) -> None:
        pass

    def show_for(self, design: Design, room: QRect) -> None:
        """Cover `room`, and be called by what the design has."""
        parts = (counted(len(design.blocks), "block"), counted(len(design.links), "wire"))
        name = f"Canvas, {' and '.join(parts)}" if design.blocks else "Canvas, empty"
        if self.accessibleName() != name:
            self.setAccessibleName(name)
        if self.geometry() != room:
            self.setGeometry(room)
        if self.isHidden():
            self.show()
            self.lower()


class SpokenItem(QPushButton):
    """A button that is heard and not seen."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setFocusPolicy(Qt.NoFocus)
        self.setAttribute(Qt.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WA_NoSystemBackground)

    def paintEvent(self, _event: QPaintEvent) -> None:
        pass

    def show_at(self, place: QRect, name: str, description: str = "") -> None:
        if self.accessibleName() != name:
            self.setAccessibleName(name)
        if self.accessibleDescription() != description:
            self.setAccessibleDescription(description)
        if self.geometry() != place:
            self.setGeometry(place)
        if self.isHidden():
            self.show()


class CanvasAccessibility(QObject):
    """Keeps a `SpokenItem` (`spoken_<id>`, `spoken_<block>.<port>`) for each of them while somebody listens."""

    def __init__(self, view: CanvasView, editor: DesignEditor, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view, self._editor = view, editor
        self._group: SpokenGroup | None = None
        self._blocks: dict[str, SpokenItem] = {}
        self._ports: dict[End, SpokenItem] = {}
        self._annotations: dict[str, SpokenItem] = {}
        self._timer = QTimer(self, interval=FOLLOW_MS, singleShot=True)
        self._timer.timeout.connect(self._on_timer_timeout)
        self._assistance = Assistance(self)
        self._assistance.began.connect(self._begin)
        if self._assistance.active:
            self._begin()
        else:
            self._assistance.ask()

    @pyqtSlot()
    def _begin(self) -> None:
        self._view.viewport().installEventFilter(self)
        self._timer.start()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Paint:
            self._timer.start()
        return False

    @pyqtSlot()
    def _on_timer_timeout(self) -> None:
        blocks = self._view.design_scene.blocks
        design = self._editor.design
        group = self._group = self._group or SpokenGroup(self._view.viewport())
        group.show_for(design, self._view.viewport().rect())
        shown = [(block, blocks[block.id]) for block in design.blocks if block.id in blocks]
        self._forget({block.id for block, _ in shown}, {end for _, item in shown for end in item.rows})
        for block, item in shown:
            spoken = self._blocks.get(block.id)
            if spoken is None:
                spoken = self._blocks[block.id] = SpokenItem(f"spoken_{block.id}", group)
                spoken.clicked.connect(lambda _checked, block_id=block.id: self._choose(block_id))
            place = self._view.mapFromScene(item.sceneBoundingRect()).boundingRect()
            spoken.show_at(place, _name(item), item.description())
            for end, row in item.rows.items():
                self._show_port(end, spoken, str(row.port_type or ""), design.links)
        self._show_annotations(group)

    def _show_annotations(self, group: SpokenGroup) -> None:
        layer = self._view.design_scene.annotations
        for gone in self._annotations.keys() - layer.items.keys():
            self._annotations.pop(gone).deleteLater()
        for annotation_id, item in layer.items.items():
            spoken = self._annotations.get(annotation_id)
            if spoken is None:
                spoken = self._annotations[annotation_id] = SpokenItem(f"spoken_{annotation_id}", group)
                spoken.clicked.connect(lambda _checked, one=annotation_id: layer.select([one]))
            spoken.show_at(self._view.mapFromScene(item.sceneBoundingRect()).boundingRect(), item.description())

    def _show_port(self, end: End, block: SpokenItem, port_type: str, links: tuple[Link, ...]) -> None:
        spoken = self._ports.get(end)
        if spoken is None:
            spoken = self._ports[end] = SpokenItem(f"spoken_{end.port}", block)
            spoken.clicked.connect(lambda _checked, block_id=end.port.block: self._choose(block_id))
        anchor = self._view.design_scene.anchor(end)
        if anchor is None:
            return
        at = block.mapFrom(self._view.viewport(), self._view.mapFromScene(anchor))
        half = PORT_SIZE // 2
        others = [link.target if end.is_output else link.source for link in links if end.port in (link.source, link.target)]
        side = "output" if end.is_output else "input"
        wired = f"connected with {', '.join(map(str, others))}" if others else "not connected"
        name = f"{side} {end.port.port}, {port_type}, {wired}".replace(", ,", ",")
        spoken.show_at(QRect(at.x() - half, at.y() - half, PORT_SIZE, PORT_SIZE), name)

    def _forget(self, blocks: set[str], ends: set[End]) -> None:
        for end in [end for end in self._ports if end not in ends]:
            self._ports.pop(end).deleteLater()
        for block_id in [block_id for block_id in self._blocks if block_id not in blocks]:
            self._blocks.pop(block_id).deleteLater()

    def _choose(self, block_id: str) -> None:
        self._editor.document.select([block_id])
        self._view.setFocus()


def _name(item: BlockItem) -> str:
    """Return what is said first of a block: its kind, its id, and whether something is wrong with it."""
    wrong = ", has problems" if item.error_texts() else ""
    return f"{item.block.parameters.title} {item.block.id}{wrong}"
