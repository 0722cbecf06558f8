"""The search for active runs soon after the start of the window, and the notice about them for as long as they go on."""

from __future__ import annotations

from importlib import import_module

from PyQt5.QtCore import QObject, QTimer, pyqtSlot

from seqdec_gui.domain.document import id_in
from seqdec_gui.gui.look import preferences
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.workspace.workspace import Notice, PageName, Workspace
from seqdec_gui.runs import known
from seqdec_gui.runs.active import ActiveRun, active_runs, is_alive

TOPIC = "still_training"
"""The topic of the notice about runs that were found active; its button is `message_bar_show`."""
WATCH_MS = 2000
"""The time between two looks at the runs that were told of, in milliseconds."""


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

    telling = StillTraining(workspace)
    background.run(look, telling.tell, owner=telling)
    session.active_changed.connect(telling.look)


class StillTraining(QObject):
    """Says which runs go on, with a button that shows them, for as long as they do.

    It says so of no run that a window of this program has started, or has told of already.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        self.told: list[ActiveRun] = []
        """The runs that the window has told of and that go on."""
        self._looking = False
        self._timer = QTimer(self, interval=WATCH_MS)
        self._timer.timeout.connect(self.look)

    @property
    def watching(self) -> bool:
        """Whether it looks again and again."""
        return bool(self._timer.isActive())

    def tell(self, found: list[ActiveRun]) -> None:
        """Say that these runs were found to go on."""
        from seqdec_gui.gui.workspace.training_session import seen

        self.told = [active for active in found if active.run.path not in seen]
        seen.update(active.run.path for active in self.told)
        if self.told:
            self._workspace.notice.emit(self._notice())
            self._timer.start()

    @pyqtSlot()
    def look(self, *_changes: object) -> None:
        """Look, in a thread, which of the runs that were told of still go on, and correct what is said."""
        if self._looking or not self.told:
            return
        self._looking = True
        told = self.told
        background.run(lambda: [each for each in told if is_alive(each.run)], self._on_looked, self._on_not_looked, self)

    def _on_looked(self, going: list[ActiveRun]) -> None:
        self._looking = False
        if len(going) == len(self.told):
            return
        self.told = going
        self._workspace.notice.emit(self._notice())
        if not going:
            self._timer.stop()

    def _on_not_looked(self, _error: Exception) -> None:
        self._looking = False  # the folder may be back at the next look

    def _notice(self) -> Notice:
        """Return the notice about the runs that go on; one that takes it away if none does."""
        told, workspace = self.told, self._workspace
        again = self.watching
        if not told:
            return Notice(TOPIC)
        if len(told) == 1:
            text = f"{told[0].name} is still training."
            return Notice(TOPIC, text, {"show": ("Show", lambda: _show(workspace, told[0]))}, corrects=again)
        text = f"{len(told)} runs are still training: {', '.join(active.name for active in told)}."
        return Notice(TOPIC, text, {"show": ("Show", lambda: _show_all(workspace))}, corrects=again)


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
