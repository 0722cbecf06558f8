"""Dropping columns of a data file on the canvas: the ports that accept them glow, and a drop binds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, QPoint, pyqtSignal

from seqdec_gui.data.column_fit import Offer, offer, port_at, refusal
from seqdec_gui.domain import data_edits as edits
from seqdec_gui.domain.dataflow import DataPort, data_ports
from seqdec_gui.domain.design import Port
from seqdec_gui.domain.link_judge import End
from seqdec_gui.gui.pages.design.canvas_overlays import CanvasOverlays
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.pages.design.editor import DesignEditor
from seqdec_gui.gui.workspace.workspace import Workspace

if TYPE_CHECKING:
    from seqdec_gui.data.formats.base import Column

MAX_NAMES = 3
"""How many columns the name of an undo step lists."""


class ColumnDrop(QObject):
    """The `ColumnTarget` of a canvas view for columns dragged from the Data page (`gui.pages.data.column_drag`)."""

    hovered = pyqtSignal()
    """Columns entered the canvas."""

    def __init__(self, view: CanvasView, editor: DesignEditor, overlays: CanvasOverlays, workspace: Workspace) -> None:
        super().__init__(view)
        self._view, self._scene, self._editor, self._overlays = view, view.design_scene, editor, overlays
        self._workspace = workspace
        self._inside = False

    def columns_hovered(self, columns: tuple[str, ...], place: QPoint) -> bool:
        """Emphasise the ports that accept these columns, and show what a drop at `place` (on the screen) would do.

        Returns whether a drop there would bind them.
        """
        dragged = self._columns(columns)
        if not dragged or not self._editor.design.blocks:
            return False
        if not self._inside:
            self._inside = True
            self.hovered.emit()
            self._overlays.hide_offer()
            self._show_accepting_ports(dragged)
        block_id, end, offered = self._offer(dragged, place)
        self._scene.emphasise(block_id, None)
        self._scene.emphasise_port(end)
        self._show_tip(place, block_id, offered)
        return offered is not None and offered.ok

    def columns_left(self) -> None:
        """Show the canvas as usual: the columns are elsewhere."""
        self._inside = False
        self._scene.show_ports(None)
        self._scene.emphasise(None, None)
        self._scene.emphasise_port(None)
        self._overlays.verdict_tip.hide()

    def columns_dropped(self, columns: tuple[str, ...], place: QPoint) -> None:
        """Bind the columns to the port at `place` (on the screen), or tell why that is not possible."""
        dragged = self._columns(columns)
        block_id, end, offered = self._offer(dragged, place)
        if offered is None or block_id is None:
            return
        if not offered.ok:
            self._editor.refused.emit(offered.text)
            self._overlays.offer_bar.offer(offered.text, ())
            return
        design, ports = self._editor.design, self._ports()
        port = port_at(design, ports, block_id, end.port.port if end is not None else "")
        assert port is not None
        text = f"Bind {', '.join(columns[:MAX_NAMES])} to {edits.shown_name(port)}"
        self._editor.document.edit(edits.with_columns(design, ports, port, columns), text, select=[block_id])
        self._editor.announced.emit(f"{text}.")

    def _columns(self, names: Sequence[str]) -> list[Column]:
        by_name = {column.name: column for column in self._workspace.columns}
        return [by_name[name] for name in names if name in by_name]

    def _ports(self) -> tuple[DataPort, ...]:
        return data_ports(self._editor.design, self._editor.document.report.inference)

    def _offer(self, columns: Sequence[Column], place: QPoint) -> tuple[str | None, End | None, Offer | None]:
        """Return the block and the port at a place of the screen, each None if absent, and what a drop there would do."""
        viewport = self._view.viewport()
        at = viewport.mapFromGlobal(place)
        point = self._view.mapToScene(at)
        end = self._scene.port_at(point)
        block_id = end.port.block if end is not None else self._scene.block_at(point)
        if block_id is None or not columns or not viewport.rect().contains(at):
            return None, None, None
        design, ports, name = self._editor.design, self._ports(), end.port.port if end is not None else ""
        port = port_at(design, ports, block_id, name)
        if port is None:
            return block_id, end, Offer(False, refusal(design, block_id, name))
        return block_id, end, offer(design, ports, port, columns)

    def _show_accepting_ports(self, columns: Sequence[Column]) -> None:
        """Let the ports glow that accept these columns. A loss has no port for its targets, so all of it stays bright."""
        ports = self._ports()
        allowed: dict[str, dict[End, bool]] = {}
        for port in ports:
            if not offer(self._editor.design, ports, port, columns).ok:
                continue
            allowed.setdefault(port.name, {})
            for name in (port.port, *(alias for alias in port.aliases if "." in alias)):
                block_id, _, port_name = name.partition(".")
                is_output = block_id == port.name and port.role == "input"
                end = End(Port(block_id, port_name), is_output)
                if self._scene.anchor(end) is not None:
                    allowed.setdefault(block_id, {})[end] = True
        self._scene.show_ports(allowed)

    def _show_tip(self, place: QPoint, block_id: str | None, offered: Offer | None) -> None:
        text = "" if offered is None else f"{'✓' if offered.ok else '✗'} {offered.text}"
        target = [] if block_id is None else [self._view.block_rect(block_id)]
        self._overlays.verdict_tip.show_text(text, self._view.viewport().mapFromGlobal(place), target)
