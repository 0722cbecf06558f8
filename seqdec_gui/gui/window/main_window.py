"""The main window: panels, pages and actions, and the connections between them. It owns neither the design nor a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QByteArray, QMimeData, QSize, Qt, QTimer, QUrl, pyqtSlot
from PyQt5.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QIcon
from PyQt5.QtWidgets import QApplication, QMainWindow, QToolButton

from seqdec_gui import resource_files
from seqdec_gui.data.formats.registry import format_of
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.document import SUFFIX
from seqdec_gui.domain.problem_place import mended_at
from seqdec_gui.domain.problems import Problem
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.preferences import settings
from seqdec_gui.gui.pages.design.design_view import DesignView
from seqdec_gui.gui.panels.inspector.panel import Inspector
from seqdec_gui.gui.panels.outline import Outline
from seqdec_gui.gui.panels.palette import Palette
from seqdec_gui.gui.panels.problems import ProblemsPanel
from seqdec_gui.gui.panels.program_log import LogView
from seqdec_gui.gui.widgets.empty_state import EmptyState
from seqdec_gui.gui.widgets.focus import KeepsFocus
from seqdec_gui.gui.window import dialogs, pages
from seqdec_gui.gui.window.actions import Actions
from seqdec_gui.gui.window.file_menus import follow_bundles, follow_recents
from seqdec_gui.gui.window.preload import Preload
from seqdec_gui.gui.window.shell import BottomPanel, Overlay, Pages, Panel, Shell
from seqdec_gui.gui.window.status_bar import StatusBar
from seqdec_gui.gui.window.toolbar import ToolBar
from seqdec_gui.gui.window.welcome import Welcome
from seqdec_gui.gui.workspace import autosave
from seqdec_gui.gui.workspace.anticipation import Anticipation
from seqdec_gui.gui.workspace.document import DesignDocument
from seqdec_gui.gui.workspace.files import DesignFiles
from seqdec_gui.gui.workspace.follow_runs import follow_runs
from seqdec_gui.gui.workspace.readiness import Readiness
from seqdec_gui.gui.workspace.workspace import CloseGuard, PageName, Workspace

if TYPE_CHECKING:
    from seqdec_gui.gui.pages.train.run_log import LogPanel

KERAS_SUFFIXES = (".keras",)
"""The endings of files that are imported as Keras models when they are dropped."""
FOLLOW_RUNS_MS = 150
"""The time from the start of the window to the search for an active run, in milliseconds."""
DEFAULT_SIZE = QSize(1280, 800)
"""The size of the window at the first start, in pixels."""
FRAME = QSize(16, 48)
"""Room for the title bar and the borders that a window manager puts around the window."""


def open_window(path: Path | str | None = None, rows: Sequence[pages.Page] = pages.PAGES) -> MainWindow:
    """Return a visible window with the design at `path`, or with the welcome page. `rows` are its tabs.

    The caller must keep a reference.
    """
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        raise RuntimeError("open_window needs a QApplication")
    theme.install(application)
    window = MainWindow(rows)
    window.show()
    if path is not None:
        window.files.open(Path(path))
    else:
        window.welcome.setFocus()
        window.look_for_recovery()
    return window


class MainWindow(KeepsFocus, QMainWindow):
    """The main window. Scripts and tests rely on the object names in it."""

    def __init__(self, rows: Sequence[pages.Page] = pages.PAGES) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.document = DesignDocument(parent=self)
        self.workspace = Workspace(self.document, self)
        self._anticipation = Anticipation(self.workspace)
        self.files = DesignFiles(self.document, self)
        self.actions_by_name = Actions(self, self.menuBar(), self.document.undo_stack)
        self._closing = self._asking = False
        self._build_shell(rows)
        self._toolbar = ToolBar(self.actions_by_name, self.workspace)
        self.device_picker = self._toolbar.device_picker
        self.train_button = self._toolbar.train_button
        self.addToolBar(self._toolbar)
        self._status = StatusBar(self.workspace)
        self.setStatusBar(self._status)
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(False)
        self.setContextMenuPolicy(Qt.NoContextMenu)
        self._connect()
        self._restore_state()
        self._on_theme_changed()
        self._show_title()
        self.train_button.refresh()
        QTimer.singleShot(0, self.workspace.devices.refresh)
        QTimer.singleShot(FOLLOW_RUNS_MS, self._on_follow_runs_timeout)
        self.preload = Preload(self.pages)

    # -- building
    def _build_shell(self, rows: Sequence[pages.Page]) -> None:
        self.design_view: DesignView = pages.design_page(self.workspace)
        self.pages = Pages(rows, self.workspace, {PageName.DESIGN: self.design_view})
        self.problems = ProblemsPanel(self.workspace)
        self.inspector = Inspector(self.workspace)
        self.bottom = BottomPanel()
        self.bottom.addTab(self.problems, "Problems")
        self.bottom.addTab(LogView(), "Program log")
        self.pages.page(PageName.CODE)
        self._palette = Palette(self.design_view)
        self._templates = QToolButton(objectName="templates_button", text="Templates", popupMode=QToolButton.InstantPopup)
        self._templates.setToolTip("Start from a template or an example")
        self._templates.setMenu(self.actions_by_name.menu("examples"))
        left = (Panel("BLOCKS", self._palette, self._templates), Panel("OUTLINE", Outline(self.design_view)))
        self.shell = Shell(left, self.pages, self.inspector, self.bottom)
        self.setCentralWidget(self.shell)
        self.welcome = Welcome()
        self._overlay = Overlay(self.welcome, self.design_view)

    def _connect(self) -> None:
        workspace = self.workspace
        handlers = {
            "new": self._on_new, "open": self.files.open, "save": self.files.save, "save_as": self.files.save_as,
            "import_keras": self._on_import_requested, "export": lambda: dialogs.export(workspace),
            "export_h5": lambda: dialogs.export(workspace, "h5"), "settings": lambda: dialogs.settings(workspace, self),
            "close": self.close, "quit": self._on_quit, "rename": self.inspector.edit_id,
            "train": self._on_train_button_clicked, "devices": self.device_picker.open_list, "measure": self._on_measure,
            "next_page": lambda: self.pages.step(1), "previous_page": lambda: self.pages.step(-1),
            "guide": lambda: dialogs.guide(self), "about": lambda: dialogs.about(self), "full_screen": self._on_full_screen,
            "undo": lambda: self._step_back(False), "redo": lambda: self._step_back(True),
        }  # fmt: skip
        for name, handler in handlers.items():
            self.actions_by_name[name].triggered.connect(lambda _checked, handler=handler: handler())
        on_canvas = self._canvas_handlers()
        for name in self.actions_by_name.canvas:
            handler = on_canvas[name]
            self.actions_by_name[name].triggered.connect(lambda _checked, handler=handler: self._call_canvas(handler))
        for name, part in (("show_left", "left"), ("show_right", "right"), ("show_bottom", "bottom")):
            self.actions_by_name[name].toggled.connect(lambda on, part=part: self.shell.parts[part].setVisible(on))
        self.train_button.clicked.connect(self._on_train_button_clicked)
        self.bottom.close_requested.connect(lambda: self.actions_by_name["show_bottom"].setChecked(False))
        follow_recents(self.actions_by_name.menu("recent"), self.files, self._on_design_opened)
        follow_bundles(self.actions_by_name.menu("examples"), self.files, self._on_design_opened)
        document = self.document
        document.design_changed.connect(self._on_document_design_changed)
        document.selection_changed.connect(self._on_document_selection_changed)
        document.path_changed.connect(self._show_title)
        document.clean_changed.connect(self._show_title)
        document.repaired.connect(lambda sentence: self.shell.bar.tell(sentence))
        self.files.recovery_found.connect(self._on_recovery_found)
        self.files.recents_changed.connect(self.welcome.refresh_recents)
        self.welcome.new_requested.connect(self._on_new)
        self.welcome.open_requested.connect(lambda: self.files.open(then=self._on_design_opened))
        self.welcome.template_chosen.connect(lambda path: self.files.new_from(path, self._on_design_opened))
        self.welcome.design_chosen.connect(lambda path: self.files.open(path, self._on_design_opened))
        self.design_view.templates_requested.connect(self._on_templates_requested)
        self._palette.import_requested.connect(self._on_import_requested)
        self.pages.page_shown.connect(self._on_page_shown)
        self.pages.page_shown.connect(self._anticipation.show_page)
        self.problems.counted.connect(self._on_problems_counted)
        self.problems.problem_chosen.connect(self._on_problem_chosen)
        workspace.page_requested.connect(self.pages.show_page)
        workspace.block_requested.connect(self._on_block_requested)
        workspace.status_message.connect(self._status.tell)
        self.train_button.readiness_changed.connect(self._on_train_button_readiness_changed)
        theme.notifier.changed.connect(self._on_theme_changed)

    def _restore_state(self) -> None:
        stored = settings()
        geometry = stored.value("window/geometry")
        if not isinstance(geometry, QByteArray) or not self.restoreGeometry(geometry):
            room = QApplication.primaryScreen().availableGeometry().size()
            self.resize(DEFAULT_SIZE.boundedTo(room - FRAME))
        self.shell.restore(stored)
        for name, part in (("show_left", "left"), ("show_right", "right"), ("show_bottom", "bottom")):
            self.actions_by_name[name].setChecked(not self.shell.parts[part].isHidden())
        self._on_page_shown(PageName.DESIGN)
        self._on_document_selection_changed(frozenset())

    # -- the design
    @pyqtSlot()
    def _on_new(self) -> None:
        self.files.new(then=self._on_design_opened)

    @pyqtSlot()
    def _on_templates_requested(self) -> None:
        """Show the welcome page over the empty canvas."""
        self.welcome.show()
        self.welcome.raise_()
        self.welcome.setFocus()

    def _on_design_opened(self) -> None:
        self.welcome.hide()
        self.pages.show_page(PageName.DESIGN)
        self._call_canvas(self.design_view.fit)
        self.design_view.setFocus()

    @pyqtSlot(Design, Design)
    def _on_document_design_changed(self, _old: Design, new: Design) -> None:
        if new.blocks and not self.welcome.isHidden():
            self.welcome.hide()

    @pyqtSlot(frozenset)
    def _on_document_selection_changed(self, selection: frozenset[str]) -> None:
        self.actions_by_name["rename"].setEnabled(len(selection) == 1)
        self._enable_canvas_actions()

    @pyqtSlot()
    def _show_title(self, _changed: object = None) -> None:
        self.setWindowTitle(f"{self.document.name}[*] – seqdec-gui")
        self.setWindowModified(not self.document.clean)
        self.setWindowFilePath(str(self.document.path or ""))

    def look_for_recovery(self) -> None:
        """Offer the recovery file of a window that ended without closing."""
        recovery = autosave.left_behind()
        if recovery is not None:
            self._on_recovery_found(recovery)

    @pyqtSlot(object)
    def _on_recovery_found(self, recovery: autosave.Recovery) -> None:
        which = "an unsaved design" if recovery.design is None else f"unsaved changes to {recovery.design.stem}"
        self.shell.bar.tell(
            f"The last session ended unexpectedly and left {which}, {autosave.age(recovery)}.",
            restore=("Restore", lambda: self.files.restore(recovery)),
            discard=("Discard", recovery.remove),
        )

    # -- pages and places
    @pyqtSlot(str)
    def _on_page_shown(self, _name: str) -> None:
        self.pages.recolour()
        self._enable_canvas_actions()
        self._show_run_log()

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

    def _enable_canvas_actions(self) -> None:
        """Enable the actions on the design view on the Design page only: on others their keys belong to tables and texts."""
        shown = self.pages.current == PageName.DESIGN
        for name in self.actions_by_name.canvas:
            needs_selection = name in ("cut", "copy", "duplicate")
            self.actions_by_name[name].setEnabled(shown and (not needs_selection or bool(self.document.selection)))

    def _step_back(self, forward: bool) -> None:
        if self.design_view.interaction.gesture is None:
            stack = self.document.undo_stack
            stack.redo() if forward else stack.undo()

    def _canvas_handlers(self) -> dict[str, Callable[[], None]]:
        """Return the methods that the actions on the design view call, by the action's name."""
        view, editor = self.design_view, self.design_view.editor
        return {
            "cut": editor.cut,
            "copy": editor.copy,
            "paste": editor.paste,
            "duplicate": editor.duplicate,
            "delete": editor.delete,
            "select_all": editor.select_all,
            "zoom_in": view.zoom_in,
            "zoom_out": view.zoom_out,
            "zoom_reset": view.zoom_reset,
            "fit": view.fit,
            "auto_layout": editor.auto_layout,
        }

    def _call_canvas(self, handler: Callable[[], None]) -> None:
        """Call a method of the design view, unless a drag is in progress: an edit could remove what is being dragged."""
        if self.design_view.interaction.gesture is None:
            handler()

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
                self.workspace.field_requested.emit(field)
            case "data":
                self.pages.show_page(PageName.DATA)
                self.workspace.port_requested.emit(problem.where)
            case "block":
                self._on_block_requested(first)
                self.workspace.field_requested.emit(field)
            case "design":
                self.pages.show_page(PageName.DESIGN)

    @pyqtSlot(int, int)
    def _on_problems_counted(self, errors: int, warnings: int) -> None:
        count = errors + warnings
        self.bottom.setTabText(0, f"Problems  {count}" if count else "Problems")

    # -- training and commands
    @pyqtSlot(Readiness)
    def _on_train_button_readiness_changed(self, state: Readiness) -> None:
        self._status.reason.setText(state.reason if self.document.design.blocks else "")
        self.actions_by_name["train"].setEnabled(state.ready)
        self.actions_by_name["train"].setText(state.text)

    @pyqtSlot()
    def _on_train_button_clicked(self) -> None:
        self.pages.show_page(PageName.TRAIN)
        self.workspace.train_requested.emit()

    def _on_measure(self) -> None:
        self.pages.show_page(PageName.TRAIN)
        self.workspace.advice_requested.emit()

    @pyqtSlot()
    def _on_follow_runs_timeout(self) -> None:
        follow_runs(self.workspace)

    # -- menus and dialogs
    @pyqtSlot()
    def _on_import_requested(self) -> None:
        dialogs.import_keras(self.workspace)

    def _on_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowFullScreen)

    def _on_quit(self) -> None:
        QApplication.closeAllWindows()

    # -- the theme
    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self.actions_by_name.recolour()
        self.pages.recolour()
        self.bottom.recolour()
        self._toolbar.show_shortcuts()
        try:
            self.setWindowIcon(QIcon(str(resource_files.path("icons/seqdec-gui-256.png"))))
        except FileNotFoundError:
            return

    # -- files dropped on the window
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = _dropped(event.mimeData())
        if path is None:
            return
        event.acceptProposedAction()
        self.take_file(path)

    def take_file(self, path: Path) -> None:
        """Open a design, open a data file on the Data page, or import a Keras model, depending on the suffix."""
        suffix = path.suffix.lower()
        if suffix == SUFFIX:
            self.files.open(path, self._on_design_opened)
        elif suffix in KERAS_SUFFIXES:
            dialogs.import_keras(self.workspace, path)
        else:
            self.pages.show_page(PageName.DATA)
            self.workspace.data_file_offered.emit(path)

    # -- closing
    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._closing:
            self._asking = True  # a close() from inside would be swallowed by Qt
            self._ask_guards(list(self.workspace.close_guards))
            self._asking = False
        event.setAccepted(self._closing)
        if self._closing:
            self._keep_state()

    def _ask_guards(self, guards: list[CloseGuard]) -> None:
        """Ask one guard after the other whether the window may close; each may answer later."""
        while guards:
            guard = guards.pop(0)
            if not guard(lambda: self._ask_guards(guards)):
                return
        self.files.after_asking(self._close_now)

    def _close_now(self) -> None:
        self._closing = True
        if not self._asking:
            self.close()

    def _keep_state(self) -> None:
        stored = settings()
        stored.setValue("window/geometry", self.saveGeometry())
        self.shell.save(stored)
        self.files.autosave.forget()


def _dropped(mime: QMimeData | None) -> Path | None:
    """Return the first dropped local file that the window can open."""
    for url in mime.urls() if mime is not None else ():
        path = Path(QUrl(url).toLocalFile())
        if path.suffix.lower() in (SUFFIX, *KERAS_SUFFIXES) or format_of(path) is not None:
            return path
    return None
