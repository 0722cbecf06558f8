"""The Train page: starts runs in the background and shows them live. pyqtgraph is imported when the page is first shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PyQt5.QtWidgets import QWidget

    from seqdec_gui.gui.workspace import Workspace


def create_page(workspace: Workspace) -> QWidget:
    """The page of the Train tab."""
    from seqdec_gui.gui.training_view.page import TrainingPage

    return TrainingPage(workspace)


def follow_runs(workspace: Workspace) -> None:
    """At the start of the window: attach to a run of the open design that goes on, and ask about it before closing."""
    from seqdec_gui.gui.training_view.session import session_of

    session_of(workspace)
