"""Small buttons under the blocks that wait for data: the column that is proposed for the port, one click to take it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, QPoint, QTimer, pyqtSlot
from PyQt5.QtWidgets import QPushButton

from seqdec_gui.domain.data_edits import object_name, shown_name
from seqdec_gui.domain.menu_text import literal
from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.widgets.discarding import discard
from seqdec_gui.gui.workspace.workspace import PageName, Workspace

if TYPE_CHECKING:
    from seqdec_gui.data.proposals import Proposal

GAP = 6
"""The space between a block and its button, in pixels."""
LEAST_WIDTH = 70
"""The width of a block on the screen below which its button is hidden, in pixels."""
LONGEST = 24
"""The number of characters of a column's name that a button shows."""


class ColumnChips(QObject):
    """Keeps a button `chip_<port>` under each block with a proposal. A choice of several leads to the Data page."""

    def __init__(self, view: CanvasView, workspace: Workspace) -> None:
        super().__init__(view)
        self._view, self._workspace = view, workspace
        self._buttons: dict[str, QPushButton] = {}
        self._blocks: dict[str, str] = {}
        self._placing = QTimer(self, singleShot=True, interval=0, timeout=self._place)
        workspace.proposals.changed.connect(self._on_proposals_changed)
        self._watching = False
        view.resized.connect(self._on_view_moved)
        for bar in (view.horizontalScrollBar(), view.verticalScrollBar()):
            bar.valueChanged.connect(self._on_view_moved)
            bar.rangeChanged.connect(self._on_view_moved)
        theme.notifier.changed.connect(self._on_proposals_changed)

    @pyqtSlot()
    def _on_proposals_changed(self) -> None:
        """Make the buttons anew: there are a few at most, and they change only when columns or bindings do."""
        for button in self._buttons.values():
            discard(button)
        self._buttons, self._blocks = {}, {}
        for proposal in self._workspace.proposals.all:
            name = object_name(proposal.port)
            button = QPushButton(self._view.viewport(), objectName=f"chip_{name}")
            button.setProperty("kind", "chip")
            button.setText(literal(_text(proposal)))
            button.setToolTip(f"{shown_name(proposal.port)}: {proposal.reason}")
            button.setAccessibleName(f"{button.text()} to {shown_name(proposal.port)}")
            button.setIcon(icon("table-arrow-right" if proposal.taken else "table-question"))
            button.clicked.connect(lambda _checked, wish=proposal: self._take(wish))
            self._buttons[name] = button
            self._blocks[name] = proposal.port.name
        self._watch(bool(self._buttons))
        self._placing.start()

    def _watch(self, watching: bool) -> None:
        """Follow blocks that move, only as long as there are buttons: a scene whose changes are followed draws slower."""
        if watching != self._watching:
            self._watching = watching
            changed = self._view.design_scene.changed
            (changed.connect if watching else changed.disconnect)(self._on_view_moved)

    def _take(self, proposal: Proposal) -> None:
        if proposal.taken is not None:
            self._workspace.proposals.take(proposal.port, proposal.taken)
            self._workspace.status_message.emit(f"{shown_name(proposal.port)} is bound. {proposal.reason}")
            return
        self._workspace.page_requested.emit(PageName.DATA)
        self._workspace.port_requested.emit(shown_name(proposal.port))

    @pyqtSlot()
    def _on_view_moved(self, *_details: object) -> None:
        if self._buttons and not self._placing.isActive():
            self._placing.start()

    @pyqtSlot()
    def _place(self) -> None:
        """Put every button under its block, and hide those whose block is too small to be read."""
        for name, button in self._buttons.items():
            block = self._blocks[name]
            if block not in self._view.design_scene.blocks:
                button.hide()
                continue
            rect = self._view.block_rect(block)
            size = button.sizeHint()
            at = QPoint(rect.center().x() - size.width() // 2, rect.bottom() + GAP)
            if button.pos() != at or button.size() != size:
                button.resize(size)
                button.move(at)
            button.setVisible(rect.width() >= LEAST_WIDTH)


def _text(proposal: Proposal) -> str:
    if proposal.taken is None:
        count = len(proposal.choices)
        return f"{counted(count, 'column')} to choose from" if count > 1 else f"{_short(proposal.choices[0].columns)}?"
    return f"Bind {_short(proposal.taken.columns)}"


def _short(columns: tuple[str, ...]) -> str:
    text = columns[0] if len(columns) == 1 else f"{len(columns)} columns"
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
