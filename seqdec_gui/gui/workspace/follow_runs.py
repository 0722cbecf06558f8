"""The search for active runs soon after the start of the window: of the open design, and of others."""

from __future__ import annotations

from importlib import import_module

from seqdec_gui.domain.document import id_in
from seqdec_gui.gui.look import preferences
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.workspace.workspace import Notice, PageName, Workspace
from seqdec_gui.runs import known
from seqdec_gui.runs.active import ActiveRun, active_runs

TOPIC = "still_training"
"""The topic of the notice about runs that were found active; its button is `message_bar_show`."""


def follow_runs(workspace: Workspace) -> None:
    """Follow a run of the open design that is active, so that the window asks about it before it closes; tell of all others.

    NumPy, which takes most of the time, is imported in a thread. Nothing of Qt may be imported there: PyQt crashes when a
    module of it is first imported in one thread while another thread is inside Qt.
    """
    background.run(lambda: import_module("numpy"), lambda _numpy: _begin_session(workspace), owner=workspace)


def _begin_session(workspace: Workspace) -> None:
    from seqdec_gui.gui.workspace.launch import runs_places
    from seqdec_gui.gui.workspace.training_session import session_of

    session = session_of(workspace)
    path, recent = workspace.document.path, preferences.recent_designs()

    def look() -> list[ActiveRun]:
        known.remember_designs([(design, id_in(design)) for design in recent])
        return active_runs(runs_places(path))

    background.run(look, lambda found: _tell(workspace, found), owner=workspace)
    session.active_changed.connect(lambda: None if session.active else workspace.notice.emit(Notice(TOPIC)))


def _tell(workspace: Workspace, found: list[ActiveRun]) -> None:
    """Say which runs go on, with a button that shows them, unless a window of this program has said so or has started them."""
    from seqdec_gui.gui.workspace.training_session import seen

    fresh = [active for active in found if active.run.path not in seen]
    seen.update(active.run.path for active in fresh)
    if len(fresh) == 1:
        text = f"{fresh[0].name} is still training."
        actions = {"show": ("Show", lambda: _show(workspace, fresh[0]))}
        workspace.notice.emit(Notice(TOPIC, text, actions))
    elif fresh:
        text = f"{len(fresh)} runs are still training: {', '.join(active.name for active in fresh)}."
        actions = {"show": ("Show", lambda: _show_all(workspace))}
        workspace.notice.emit(Notice(TOPIC, text, actions))


def _show_all(workspace: Workspace) -> None:
    workspace.page_requested.emit(PageName.RUNS)  # which then exists, and hears the next
    workspace.all_runs_requested.emit("active")


def _show(workspace: Workspace, active: ActiveRun) -> None:
    """Show the curves of a run, in the tab of its design."""
    from seqdec_gui.gui.workspace.launch import design_key
    from seqdec_gui.gui.workspace.training_session import session_of

    if design_key(workspace.document).owns(active.run.path, active.design_id, active.design_path):
        session_of(workspace).show(active.run, active.name)
        workspace.page_requested.emit(PageName.TRAIN)
    else:
        workspace.design_of_run_requested.emit(active.run.path)
