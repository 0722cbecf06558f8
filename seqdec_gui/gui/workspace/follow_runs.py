"""The search for an active run of the open design, soon after the start of the window."""

from __future__ import annotations

from importlib import import_module

from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.workspace.workspace import Workspace


def follow_runs(workspace: Workspace) -> None:
    """Follow a run of the open design that is active, so that the window asks about it before it closes.

    NumPy, which takes most of the time, is imported in a thread. Nothing of Qt may be imported there: PyQt crashes when a
    module of it is first imported in one thread while another thread is inside Qt.
    """
    background.run(lambda: import_module("numpy"), lambda _numpy: _begin_session(workspace), owner=workspace)


def _begin_session(workspace: Workspace) -> None:
    from seqdec_gui.gui.workspace.training_session import session_of

    session_of(workspace)
