"""The Runs page: every run of the open design, what became of it, and what to do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PyQt5.QtWidgets import QWidget

    from seqdec_gui.gui.workspace.workspace import Workspace


def create_page(workspace: Workspace) -> QWidget:
    """The page of the Runs tab."""
    from seqdec_gui.gui.pages.runs.page import RunsPage

    return RunsPage(workspace)
