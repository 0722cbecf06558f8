"""One open design: its document, its workspace, its pages and the panels beside them. Each tab of the window shows one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from PyQt5.QtCore import QTimer, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QMenu, QToolButton, QVBoxLayout, QWidget

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problem_place import mended_at
from seqdec_gui.domain.problems import Problem
from seqdec_gui.gui.look.preferences import settings
from seqdec_gui.gui.pages.design.design_view import DesignView
from seqdec_gui.gui.panels.inspector.panel import Inspector
from seqdec_gui.gui.panels.outline import Outline
from seqdec_gui.gui.panels.palette import Palette
from seqdec_gui.gui.panels.problems import ProblemsPanel
from seqdec_gui.gui.panels.program_log import LogView
from seqdec_gui.gui.widgets.empty_state import EmptyState
from seqdec_gui.gui.window import pages
from seqdec_gui.gui.window.page_stack import Pages
from seqdec_gui.gui.window.preload import Preload
from seqdec_gui.gui.window.shell import BottomPanel, Panel, Panels, Shell
from seqdec_gui.gui.window.welcome import Welcome
from seqdec_gui.gui.workspace import autosave
from seqdec_gui.gui.workspace.copies import Copies
from seqdec_gui.gui.workspace.devices import DeviceSelection
from seqdec_gui.gui.workspace.document import DesignDocument
from seqdec_gui.gui.workspace.files import DesignFiles
from seqdec_gui.gui.workspace.follow_runs import follow_runs
from seqdec_gui.gui.workspace.workspace import CloseGuard, PageName, Workspace

if TYPE_CHECKING:
    from seqdec_gui.gui.pages.train.run_log import LogPanel

FOLLOW_RUNS_MS = 150
"""The time from the opening of a design to the search for an active run of it, in milliseconds."""


class DesignTab(QWidget):
    """A design with everything that shows it. It owns the workspace, which owns document, files and the session of runs.

    It is empty at first: its parts are built by `begin`, or before that, one by one, by `take_step`.
    """

    welcome_made = pyqtSignal(Welcome)
    import_requested = pyqtSignal()

    def __init__(
        self,
        rows: Sequence[pages.Page],
        devices: DeviceSelection,
        panels: Panels,
        examples: QMenu,
        corner: Sequence[QWidget] = (),
    ) -> None:
        super().__init__()
        self.document = DesignDocument()
        self.workspace = Workspace(self.document, self, devices)
        self.files = DesignFiles(self.document, self.workspace)
        Copies(self.workspace)
        self._welcome: Welcome | None = None
        self._welcoming = False
        self._in_advance = True
        self._steps = self._build(rows, panels, examples, corner)

    def take_step(self) -> bool:
        """Build the next part, which takes the window less than a frame or two; return whether parts are left to build."""
        return next(self._steps, None) is not None

    def complete(self) -> None:
        """Build all parts that are left, without the inspector's form, which can wait until the tab is seen."""
        self._in_advance = False
        while self.take_step():
            pass

    def begin(self) -> None:
        """Complete the tab, which takes its place among the open designs, and look for runs that train."""
        self.complete()
        self.shell.restore(settings())
        self.recolour()  # the theme may have changed since a part was built
        QTimer.singleShot(FOLLOW_RUNS_MS, self._on_follow_runs_timeout)

    def _build(
        self, rows: Sequence[pages.Page], panels: Panels, examples: QMenu, corner: Sequence[QWidget]
    ) -> Iterator[Literal["more"]]:
        """Build the parts one after the other, with a pause after each."""
        self.design_view: DesignView = pages.design_page(self.workspace)
        self.pages = Pages(rows, self.workspace, {PageName.DESIGN: self.design_view})
        self.bottom = BottomPanel()
        self.shell = Shell(self.pages, self.bottom, panels, corner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.shell)
        yield "more"
        self.problems = ProblemsPanel(self.workspace)
        self.bottom.addTab(self.problems, "Problems")
        self.bottom.addTab(LogView(), "Program log")
        yield "more"
        self._palette = Palette(self.design_view)
        templates = QToolButton(objectName="templates_button", text="Templates", popupMode=QToolButton.InstantPopup)
        templates.setToolTip("Start from a template or an example")
        templates.setMenu(examples)
        self.shell.put_left((Panel("BLOCKS", self._palette, templates), Panel("OUTLINE", Outline(self.design_view))))
        yield "more"
        self.workspace.field_requested.connect(
            self._show_inspector
        )  # before the inspector, whose fields must be seen to be focused
        self.inspector = Inspector(self.workspace, self.shell.columns)
        self.shell.put_right(self.inspector)
        yield "more"
        if self._in_advance:
            self.inspector.complete()
            yield "more"
        self.pages.page(PageName.CODE)
        yield "more"
        self.recolour()
        self._connect()
        for part in (self.design_view, self.shell.left, self.inspector, self.bottom, self):
            yield "more"
            part.ensurePolished()
        self.preload = Preload(self.pages)

    def _connect(self) -> None:
        document, workspace = self.document, self.workspace
        document.design_changed.connect(self._on_document_design_changed)
        document.repaired.connect(lambda sentence: self.shell.bar.tell(sentence))
        self.files.recovery_found.connect(self._on_recovery_found)
        self.design_view.templates_requested.connect(self.show_welcome)
        self._palette.import_requested.connect(self.import_requested)
        self.pages.page_shown.connect(self._on_page_shown)
        self.problems.counted.connect(self._on_problems_counted)
        self.problems.problem_chosen.connect(self._on_problem_chosen)
        self.bottom.close_requested.connect(lambda: self.shell.show_panel("bottom", on=False))
        workspace.page_requested.connect(self.pages.show_page)
        workspace.block_requested.connect(self._on_block_requested)
        workspace.notice.connect(self.shell.bar.take)

    # -- the design
    @property
    def untouched(self) -> bool:
        """Return whether nothing was opened or made here, so that another design can take this place."""
        document = self.document
        return document.path is None and not document.design.blocks and document.undo_stack.count() == 0

    def present(self) -> None:
        """Show the whole of the design that has just been opened."""
        self.hide_welcome()
        self.pages.show_page(PageName.DESIGN)
        if self.idle:
            self.design_view.fit()
        self.design_view.setFocus()

    def take_focus(self) -> None:
        """Give the keys to the page in front, or to the welcome page over it."""
        page = self._welcome if self._welcome is not None and self._welcome.isVisible() else self.pages.page(self.pages.current)
        page.setFocus()

    @property
    def idle(self) -> bool:
        """Return whether nothing is being dragged on the canvas: an edit could remove it."""
        return self.design_view.interaction.gesture is None

    @pyqtSlot(Design, Design)
    def _on_document_design_changed(self, _old: Design, new: Design) -> None:
        if new.blocks:
            self.hide_welcome()

    @pyqtSlot(object)
    def _on_recovery_found(self, recovery: autosave.Recovery) -> None:
        which = "an unsaved design" if recovery.design is None else f"unsaved changes to {recovery.design.stem}"
        self.shell.bar.tell(
            f"The last session ended unexpectedly and left {which}, {autosave.age(recovery)}.",
            restore=("Restore", lambda: self.files.restore(recovery)),
            discard=("Discard", recovery.remove),
        )

    @pyqtSlot()
    def _on_follow_runs_timeout(self) -> None:
        follow_runs(self.workspace)

    # -- the welcome page
    @property
    def welcome(self) -> Welcome:
        """Return the welcome page, which is made, hidden, when it is first needed."""
        if self._welcome is None:
            self._welcome = Welcome()
            self.shell.cover(self._welcome)
            self._welcome.hide()
            self.welcome_made.emit(self._welcome)
        return self._welcome

    @pyqtSlot()
    def show_welcome(self) -> None:
        """Show the welcome page over the empty design."""
        self._welcoming = True
        self.welcome.refresh_recents()
        self.pages.show_page(PageName.DESIGN)
        self.welcome.show()
        self.welcome.raise_()
        self.welcome.setFocus()

    def hide_welcome(self) -> None:
        self._welcoming = False
        if self._welcome is not None and not self._welcome.isHidden():
            self._welcome.hide()

    # -- pages and places
    @pyqtSlot(str)
    def _on_page_shown(self, name: str) -> None:
        if self._welcoming:
            self.welcome.setVisible(name == PageName.DESIGN)
        self.pages.recolour()
        self._show_run_log()

    def recolour(self) -> None:
        """Show the colours of the theme in use."""
        self.pages.recolour()
        self.bottom.recolour()

    @pyqtSlot()
    def _show_run_log(self, *_changes: object) -> None:
        """Show the tab with the run's log while the Train page is in front."""
        log = self._run_log()
        if log is not None and self.bottom.indexOf(log) < 0:
            self.bottom.insertTab(1, log, "Run log")
            log.filled.connect(self._show_run_log)
        if log is not None and log.has_run:
            self.bottom.show_for_page(log)
        else:
            self.bottom.restore_tab()

    def _run_log(self) -> LogPanel | None:
        """Return the log of the run on the Train page, None unless that page is in front."""
        if self.pages.current != PageName.TRAIN:
            return None
        page = self.pages.page(PageName.TRAIN)
        if isinstance(page, EmptyState):  # its module may be what failed
            return None
        from seqdec_gui.gui.pages.train.page import TrainingPage

        return page.log if isinstance(page, TrainingPage) else None

    @pyqtSlot(str)
    def _on_block_requested(self, block_id: str) -> None:
        self.pages.show_page(PageName.DESIGN)
        self.document.select([block_id])
        self.design_view.reveal(block_id)

    @pyqtSlot(Problem)
    def _on_problem_chosen(self, problem: Problem) -> None:
        first, _, field = problem.where.partition(".")
        inference = self.document.report.inference
        of_data = problem in self.workspace.checking.problems
        match mended_at(problem, self.document.design, inference, of_data):
            case "training":
                self.document.select([])
                self._show_inspector()
                self.workspace.field_requested.emit(field)
            case "data":
                self.pages.show_page(PageName.DATA)
                self.workspace.port_requested.emit(problem.where)
            case "block":
                self._on_block_requested(first)
                self._show_inspector()
                self.workspace.field_requested.emit(field)
            case "design":
                self.pages.show_page(PageName.DESIGN)

    @pyqtSlot()
    def _show_inspector(self) -> None:
        """Show the inspector on the page in front or, if it does not act there, on the Design page."""
        if "right" not in self.pages.row.panels:
            self.pages.show_page(PageName.DESIGN)
        self.shell.show_panel("right")

    def edit_name(self) -> None:
        """Put the cursor into the name of the selected block, beside the canvas."""
        if len(self.document.selection) == 1:
            self._show_inspector()
            self.inspector.edit_id()

    @pyqtSlot(int, int)
    def _on_problems_counted(self, errors: int, warnings: int) -> None:
        count = errors + warnings
        self.bottom.setTabText(0, f"Problems  {count}" if count else "Problems")

    # -- closing
    def ask_to_close(self, then: Callable[[], None]) -> None:
        """Ask about unsaved changes and about a run that trains. `then` is called unless the user cancels."""
        self.ask_about_changes(lambda: self.ask_about_run(then))

    def ask_about_changes(self, then: Callable[[], None]) -> None:
        """Ask whether unsaved changes are to be saved or given up."""
        self.files.after_asking(then)

    def ask_about_run(self, then: Callable[[], None]) -> None:
        """Ask whether a run that trains goes on or stops, which is done when the design closes."""
        self._ask_guards(list(self.workspace.close_guards), then)

    @property
    def has_questions(self) -> bool:
        """Return whether closing this design needs an answer."""
        return not self.document.clean or self.workspace.training.running

    def _ask_guards(self, guards: list[CloseGuard], then: Callable[[], None]) -> None:
        """Ask one guard after the other whether the design may close; each may answer later."""
        while guards:
            guard = guards.pop(0)
            if not guard(lambda: self._ask_guards(guards, then)):
                return
        then()

    def dispose(self) -> None:
        """Delete the tab and everything that it owns. A run that trains goes on."""
        self.workspace.closing.emit()
        self.files.autosave.forget()
        self.hide()
        self.deleteLater()
