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
    return view
