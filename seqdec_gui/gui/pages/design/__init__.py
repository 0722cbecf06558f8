"""The Design page: a canvas on which blocks are placed and connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdec_gui.gui.pages.design.column_chips import ColumnChips
from seqdec_gui.gui.pages.design.column_drop import ColumnDrop
from seqdec_gui.gui.pages.design.design_view import DesignView

if TYPE_CHECKING:
    from seqdec_gui.gui.workspace.workspace import Workspace

__all__ = ["DesignView", "create_page"]


def create_page(workspace: Workspace) -> DesignView:
    """Return the view of the workspace's design, with its messages and requests connected to the workspace."""
    view = DesignView(workspace.document)
    view.column_target = ColumnDrop(view, view.editor, view.overlays, workspace)
    ColumnChips(view, workspace)
    view.column_target.hovered.connect(view.interaction.cancel_gesture)
    view.editor.announced.connect(workspace.status_message)
    view.editor.refused.connect(workspace.status_message)
    view.editor.edit_requested.connect(lambda _block_id: workspace.field_requested.emit(""))
    workspace.whole_design_requested.connect(view.show_all)
    view.editor.split_requested.connect(lambda block_id: _split(workspace, block_id))
    view.editor.weights_requested.connect(lambda block_id: _choose_weights(workspace, block_id))
    return view


def _split(workspace: Workspace, block_id: str) -> None:
    from seqdec_gui.gui.dialogs.split_model import split_model

    split_model(workspace, block_id)


def _choose_weights(workspace: Workspace, block_id: str) -> None:
    from seqdec_gui.gui.dialogs.block_weights import choose_weights

    choose_weights(workspace, block_id)
