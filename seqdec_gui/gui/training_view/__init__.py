"""The Train page: starts runs in the background and shows them live. pyqtgraph is imported when the page is first shown."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PyQt5.QtWidgets import QWidget

    from seqdec_gui.gui.workspace import Workspace


def create_page(workspace: Workspace) -> QWidget:
    """The page of the Train tab."""
    from seqdec_gui.gui.training_view.page import TrainingPage

    return TrainingPage(workspace)


def follow_runs(workspace: Workspace) -> None:
    """After the start of the window: attach to a run of the open design that goes on, and ask about it before closing.

    The imports, those of the plots too, are done in a thread: the window is in use already.
    """
    from seqdec_gui.gui import background

    background.run(_warm_up, lambda make_session: make_session(workspace), owner=workspace)


def _warm_up() -> Callable[[Workspace], object]:
    import_module("seqdec_gui.gui.training_view.page")
    session = import_module("seqdec_gui.gui.training_view.session")
    make_session: Callable[[Workspace], object] = session.session_of
    return make_session
