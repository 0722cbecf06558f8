"""Columns of the data file dropped on the canvas: the ports that take them glow, and a drop binds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PyQt5.QtCore import QPoint
from PyQt5.QtWidgets import QToolTip, QWidget

from seqdec_gui.data.column_fit import Offer, offer, port_at, refusal
from seqdec_gui.domain import data_edits as edits
from seqdec_gui.domain.dataflow import DataPort, data_ports
from seqdec_gui.domain.design import Port
from seqdec_gui.domain.link_judge import End
from seqdec_gui.gui.pages.design.view import DesignView
from seqdec_gui.gui.workspace.workspace import Workspace

if TYPE_CHECKING:
    from seqdec_gui.data.formats.base import Column


class DesignPage(DesignView):
    """The design view of a window: a `ColumnTarget` of the Data page's columns (`gui.pages.data.column_drag`)."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(workspace.document, parent)
        self._workspace = workspace
        self._glowing = False
        self._tip = ""

    def columns_hovered(self, columns: tuple[str, ...], place: QPoint) -> bool:
        """Columns are held over `place` (global): mark what takes them, say what a drop would do. Returns whether it would."""
        found = self._columns(columns)
        if not found or not self.design.blocks:
            return False
        if not self._glowing:
            self._glowing = True
            self.cancel_gesture()
            self.offer_bar.hide()
            self._glow(found)
        block_id, end, offered = self._offer(found, place)
        self.design_scene.hover(block_id, None)
        self.design_scene.heat(end)
        self._show_tip(place, offered)
        return offered is not None and offered.ok

    def columns_left(self) -> None:
        """The columns are somewhere else."""
        self._glowing = False
        self.design_scene.glow(None)
        self.design_scene.hover(None, None)
        self.design_scene.heat(None)
        self._show_tip(QPoint(), None)

    def columns_dropped(self, columns: tuple[str, ...], place: QPoint) -> None:
        """Bind them, or say why not."""
        found = self._columns(columns)
        block_id, end, offered = self._offer(found, place)
        if offered is None or block_id is None:
            return
        if not offered.ok:
            self.refused.emit(offered.text)
            self.offer_bar.offer(offered.text, ())
            return
        ports = self._ports()
        port = port_at(self.design, ports, block_id, end.port.port if end is not None else "")
        assert port is not None
        words = f"Bind {', '.join(columns[:3])} to {edits.shown_name(port)}"
        self.document.edit(edits.with_columns(self.design, ports, port, columns), words, select=[block_id])
        self.announced.emit(f"{words}.")

    # --
    def _columns(self, names: Sequence[str]) -> list[Column]:
        known = {column.name: column for column in self._workspace.columns}
        return [known[name] for name in names if name in known]

    def _ports(self) -> tuple[DataPort, ...]:
        return data_ports(self.design, self.document.report.inference)

    def _offer(self, columns: Sequence[Column], place: QPoint) -> tuple[str | None, End | None, Offer | None]:
        """The block and the port under the mouse, and what a drop there would do; no offer over the empty canvas."""
        at = self.viewport().mapFromGlobal(place)
        point = self.mapToScene(at)
        end = self.design_scene.port_at(point)
        block_id = end.port.block if end is not None else self.design_scene.block_at(point)
        if block_id is None or not columns or not self.viewport().rect().contains(at):
            return None, None, None
        ports, name = self._ports(), end.port.port if end is not None else ""
        port = port_at(self.design, ports, block_id, name)
        if port is None:
            return block_id, end, Offer(False, refusal(self.design, block_id, name))
        return block_id, end, offer(self.design, ports, port, columns)

    def _glow(self, columns: Sequence[Column]) -> None:
        """Let glow what takes these columns; a loss has no port for its targets, so all of it stays bright."""
        ports = self._ports()
        allowed: dict[str, dict[End, bool]] = {}
        for port in ports:
            if not offer(self.design, ports, port, columns).ok:
                continue
            allowed.setdefault(port.name, {})
            for name in (port.port, *(alias for alias in port.aliases if "." in alias)):
                block_id, _, port_name = name.partition(".")
                is_output = block_id == port.name and port.role == "input"
                end = End(Port(block_id, port_name), is_output)
                if self.design_scene.anchor(end) is not None:
                    allowed.setdefault(block_id, {})[end] = True
        self.design_scene.glow(allowed)

    def _show_tip(self, place: QPoint, offered: Offer | None) -> None:
        text = "" if offered is None else f"{'✓' if offered.ok else '✗'} {offered.text}"
        if text == self._tip:
            return
        self._tip = text
        if text:
            QToolTip.showText(place + QPoint(12, 34), text, self.viewport())
        else:
            QToolTip.hideText()
