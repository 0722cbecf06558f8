"""The node view: our own canvas over the Qt-free design."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdec_gui.gui.pages.design.column_drop import DesignPage
from seqdec_gui.gui.pages.design.view import DesignView

if TYPE_CHECKING:
    from seqdec_gui.gui.workspace.workspace import Workspace

__all__ = ["DesignView", "create_page"]


def create_page(workspace: Workspace) -> DesignView:
    """The view of the workspace's design; what it says goes to the status bar, what it asks for to the inspector."""
    view = DesignPage(workspace)
    view.announced.connect(workspace.status_told)
    view.refused.connect(workspace.status_told)
    view.edit_requested.connect(lambda _block_id: workspace.field_requested.emit(""))
    return view
