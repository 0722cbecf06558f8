"""The Train page: starts runs in the background and shows them live. pyqtgraph is imported when the page is first shown."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PyQt5.QtWidgets import QWidget

    from seqdec_gui.gui.workspace.workspace import Workspace


def create_page(workspace: Workspace) -> QWidget:
    """The page of the Train tab."""
    from seqdec_gui.gui.pages.train.page import TrainingPage

    return TrainingPage(workspace)


def follow_runs(workspace: Workspace) -> None:
    """After the start of the window: attach to a run of the open design that goes on, and ask about it before closing.

    NumPy, most of the time, is imported in a thread. Nothing of Qt may be: PyQt crashes when a module of it is first
    imported in one thread while another is inside Qt.
    """
    from seqdec_gui.gui.tasks import background

    background.run(lambda: import_module("numpy"), lambda _numpy: _begin_session(workspace), owner=workspace)


def _begin_session(workspace: Workspace) -> None:
    from seqdec_gui.gui.workspace.training_session import session_of

    session_of(workspace)
