"""The window: panels, pages, actions and what connects them. It owns neither the design nor a run."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QByteArray, QMimeData, QSize, Qt, QTimer, QUrl, pyqtSlot
from PyQt5.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QIcon
from PyQt5.QtWidgets import QApplication, QMainWindow, QToolButton

from seqdec_gui import resource_files
from seqdec_gui.data.formats.registry import format_of
from seqdec_gui.domain.codes import about
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.document import SUFFIX
from seqdec_gui.domain.problems import Problem
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.preferences import settings
from seqdec_gui.gui.panels.inspector import Inspector
from seqdec_gui.gui.panels.problems import ProblemsPanel
from seqdec_gui.gui.panels.program_log import LogView
from seqdec_gui.gui.tasks import notify
from seqdec_gui.gui.widgets.focus import KeepsFocus
from seqdec_gui.gui.window import pages
from seqdec_gui.gui.window.actions import Actions
from seqdec_gui.gui.window.file_menus import follow_bundles, follow_recents
from seqdec_gui.gui.window.preload import Warming
from seqdec_gui.gui.window.shell import BottomPanel, Overlay, Pages, Panel, Shell
from seqdec_gui.gui.window.status_bar import StatusBar
from seqdec_gui.gui.window.toolbar import ToolBar
from seqdec_gui.gui.window.welcome import Welcome
from seqdec_gui.gui.workspace import autosave
from seqdec_gui.gui.workspace.document import DesignDocument
from seqdec_gui.gui.workspace.files import DesignFiles
from seqdec_gui.gui.workspace.readiness import Readiness
from seqdec_gui.gui.workspace.workspace import CloseGuard, Workspace

KERAS_SUFFIXES = (".keras",)
FOLLOW_RUNS_MS = 150  # when the window is in use
DEFAULT_SIZE = QSize(1280, 800)


def open_window(path: Path | str | None = None) -> MainWindow:
    """A window, shown: with the design at `path`, or with the welcome page. The caller keeps it."""
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        raise RuntimeError("open_window needs a QApplication")
    theme.install(application)
    window = MainWindow()
    window.show()
    if path is not None:
        window.files.open(Path(path))
    else:
        window.welcome.setFocus()
        window.look_for_recovery()
    return window


class MainWindow(KeepsFocus, QMainWindow):
    """Object names are part of the contract with scripts and tests."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.document = DesignDocument(parent=self)
        self.workspace = Workspace(self.document, self)
        self.files = DesignFiles(self.document, self)
        self.actions_by_name = Actions(self, self.menuBar(), self.document.undo_stack)
        self._closing = self._asking = False
        self._build_shell()
        self._toolbar = ToolBar(self.actions_by_name, self.workspace)
        self.device_picker, self.train_button = self._toolbar.device_picker, self._toolbar.train_button
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
        self.warming = Warming(self.pages)

    # -- building
    def _build_shell(self) -> None:
        self.pages = Pages(lambda page: pages.build(page, self.workspace))
        self.problems = ProblemsPanel(self.workspace)
        self.inspector = Inspector(self.workspace)
        self.bottom = BottomPanel()
        self.bottom.addTab(self.problems, "Problems")
        self.bottom.addTab(LogView(), "Program log")
        self.design_view = self.pages.page("design")
        self.pages.page("code")
        palette, outline = (
            pages.create(factory, "puzzle-outline", title, "Not part of this version yet.", self.workspace, self.design_view)
            for title, factory in pages.SIDE
        )
        self._templates = QToolButton(objectName="templates_button", text="Templates", popupMode=QToolButton.InstantPopup)
        self._templates.setToolTip("Start from a template or an example")
        self._templates.setMenu(self.actions_by_name.menu("examples"))
        left = (Panel("BLOCKS", palette, self._templates), Panel("OUTLINE", outline))
        self.shell = Shell(left, self.pages, self.inspector, self.bottom)
        self.setCentralWidget(self.shell)
        self.welcome = Welcome()
        self._overlay = Overlay(self.welcome, self.design_view)

    def _connect(self) -> None:
        handlers = {
            "new": self._on_new, "open": self.files.open, "save": self.files.save, "save_as": self.files.save_as,
            "import_keras": lambda: self._run_command("import_keras"), "export": lambda: self._run_command("export", ""),
            "export_h5": lambda: self._run_command("export", "h5"), "settings": self._on_settings, "close": self.close,
            "quit": self._on_quit, "rename": self.inspector.edit_id, "train": self._on_train_button_clicked,
            "devices": self.device_picker.open_list, "measure": self._on_measure, "next_page": lambda: self.pages.step(1),
            "previous_page": lambda: self.pages.step(-1), "guide": self._on_guide, "about": self._on_about,
            "full_screen": self._on_full_screen, "undo": lambda: self._step_back(False), "redo": lambda: self._step_back(True),
        }  # fmt: skip
        for name, handler in handlers.items():
            self.actions_by_name[name].triggered.connect(lambda _checked, handler=handler: handler())
        for name in self.actions_by_name.canvas:
            self.actions_by_name[name].triggered.connect(lambda _checked, name=name: self._call_canvas(name))
        for name, part in (("show_left", "left"), ("show_right", "right"), ("show_bottom", "bottom")):
            self.actions_by_name[name].toggled.connect(lambda on, part=part: getattr(self.shell, part).setVisible(on))
        self.train_button.clicked.connect(self._on_train_button_clicked)
        self.bottom.close_requested.connect(lambda: self.actions_by_name["show_bottom"].setChecked(False))
        follow_recents(self.actions_by_name.menu("recent"), self.files, self._on_design_opened)
        follow_bundles(self.actions_by_name.menu("examples"), self.files, self._on_design_opened)
        document, workspace = self.document, self.workspace
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
        templates_requested = getattr(self.design_view, "templates_requested", None)
        if templates_requested is not None:
            templates_requested.connect(self._on_templates_requested)
        self.pages.page_shown.connect(self._on_page_shown)
        self.problems.counted.connect(self._on_problems_counted)
        self.problems.problem_chosen.connect(self._on_problem_chosen)
        workspace.page_requested.connect(self.pages.show_page)
        workspace.block_requested.connect(self._on_block_requested)
        workspace.status_told.connect(self._status.tell)
        self.train_button.told.connect(self._on_train_button_told)
        theme.notifier.changed.connect(self._on_theme_changed)

    def _restore_state(self) -> None:
        stored = settings()
        geometry = stored.value("window/geometry")
        if not isinstance(geometry, QByteArray) or not self.restoreGeometry(geometry):
            room = QApplication.primaryScreen().availableGeometry().size()
            self.resize(DEFAULT_SIZE.boundedTo(room))
        self.shell.restore(stored)
        for name, part in (("show_left", "left"), ("show_right", "right"), ("show_bottom", "bottom")):
            self.actions_by_name[name].setChecked(not getattr(self.shell, part).isHidden())
        for name in ("import_keras", "export", "export_h5"):
            command = "import_keras" if name == "import_keras" else "export"
            if not pages.installed(pages.COMMANDS[command]):
                self.actions_by_name[name].setEnabled(False)
                self.actions_by_name[name].setStatusTip("Not part of this version yet.")
        self._on_page_shown("design")
        self._on_document_selection_changed(frozenset())

    # -- the design
    @pyqtSlot()
    def _on_new(self) -> None:
        self.files.new(then=self._on_design_opened)

    @pyqtSlot()
    def _on_templates_requested(self) -> None:
        """Show the welcome page over the empty canvas again."""
        self.welcome.show()
        self.welcome.raise_()
        self.welcome.setFocus()

    def _on_design_opened(self) -> None:
        self.welcome.hide()
        self.pages.show_page("design")
        self._call_canvas("fit")
        self.design_view.setFocus()

    @pyqtSlot(object, object)
    def _on_document_design_changed(self, _old: Design, new: Design) -> None:
        if new.blocks and not self.welcome.isHidden():
            self.welcome.hide()

    @pyqtSlot(object)
    def _on_document_selection_changed(self, selection: frozenset[str]) -> None:
        self.actions_by_name["rename"].setEnabled(len(selection) == 1)
        self._enable_canvas_actions()

    @pyqtSlot()
    def _show_title(self, _changed: object = None) -> None:
        self.setWindowTitle(f"{self.document.name}[*] – seqdec-gui")
        self.setWindowModified(not self.document.clean)
        self.setWindowFilePath(str(self.document.path or ""))

    def look_for_recovery(self) -> None:
        """Offer what a window that did not close in peace left."""
        recovery = autosave.left_behind()
        if recovery is not None:
            self._on_recovery_found(recovery)

    @pyqtSlot(object)
    def _on_recovery_found(self, recovery: autosave.Recovery) -> None:
        which = "an unsaved design" if recovery.design is None else f"unsaved changes to {recovery.design.stem}"
        self.shell.bar.tell(
            f"The last session ended early and left {which}, {autosave.age(recovery)}.",
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
        """What a run says stands in the bottom panel, in front while the Train page is."""
        log = getattr(self.pages.page("train"), "log", None) if self.pages.current == "train" else None
        if log is not None and self.bottom.indexOf(log) < 0:
            self.bottom.insertTab(1, log, "Run log")
            log.filled.connect(self._show_run_log)
        if log is not None and log.has_run:
            self.bottom.bring(log)
        else:
            self.bottom.take_back()

    def _enable_canvas_actions(self) -> None:
        """On other pages their keys belong to tables and texts."""
        shown = self.pages.current == "design"
        for name in self.actions_by_name.canvas:
            needs_selection = name in ("cut", "copy", "duplicate")
            self.actions_by_name[name].setEnabled(shown and (not needs_selection or bool(self.document.selection)))

    def _step_back(self, forward: bool) -> None:
        interaction = getattr(self.design_view, "interaction", None)
        if interaction is None or interaction.gesture is None:
            stack = self.document.undo_stack
            stack.redo() if forward else stack.undo()

    def _call_canvas(self, name: str) -> None:
        """Call a method of the design view, unless a drag is under way: an edit could remove what it holds."""
        view = self.design_view
        if hasattr(view, "interaction") and view.interaction.gesture is None:
            getattr(view if name in ("zoom_in", "zoom_out", "zoom_reset", "fit") else view.editor, name)()

    @pyqtSlot(str)
    def _on_block_requested(self, block_id: str) -> None:
        self.pages.show_page("design")
        self.document.select([block_id])
        if hasattr(self.design_view, "reveal"):
            self.design_view.reveal(block_id)

    @pyqtSlot(object)
    def _on_problem_chosen(self, problem: Problem) -> None:
        first, _, field = problem.where.partition(".")
        if first == "training":
            self.document.select([])
            self.workspace.field_requested.emit(field)
        elif problem in self.workspace.checking.problems:
            self.pages.show_page("data")
            self.workspace.port_requested.emit(problem.where)
        elif first == "data" or about(problem.code) == "binding":
            self.pages.show_page("data")
        elif self.document.design.has(first):
            self._on_block_requested(first)
            self.workspace.field_requested.emit(field)
        else:
            self.pages.show_page("design")

    @pyqtSlot(int, int)
    def _on_problems_counted(self, errors: int, warnings: int) -> None:
        count = errors + warnings
        self.bottom.setTabText(0, f"Problems  {count}" if count else "Problems")

    # -- training and commands
    @pyqtSlot(object)
    def _on_train_button_told(self, found: Readiness) -> None:
        self._status.reason.setText(found.reason if self.document.design.blocks else "")
        self.actions_by_name["train"].setEnabled(found.ready)
        self.actions_by_name["train"].setText(found.text)

    @pyqtSlot()
    def _on_train_button_clicked(self) -> None:
        self.pages.show_page("train")
        self.workspace.train_requested.emit()

    def _on_measure(self) -> None:
        self.pages.show_page("train")
        self.workspace.advice_requested.emit()

    @pyqtSlot()
    def _on_follow_runs_timeout(self) -> None:
        self._run_command("follow_runs")

    def _run_command(self, name: str, *arguments: object) -> None:
        if pages.installed(pages.COMMANDS[name]):
            pages.resolve(pages.COMMANDS[name])(self.workspace, *arguments)

    # -- menus and dialogs
    def _on_settings(self) -> None:
        from seqdec_gui.gui.dialogs.settings import SettingsDialog

        notify.present(SettingsDialog(self.workspace, self))

    def _on_about(self) -> None:
        from seqdec_gui.gui.dialogs.about import AboutDialog

        notify.present(AboutDialog(self))

    def _on_guide(self) -> None:
        from seqdec_gui.gui.dialogs.guide import open_guide

        open_guide(self)

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
        """Open a design, offer a data file to the Data page, or import a Keras model: by the suffix."""
        suffix = path.suffix.lower()
        if suffix == SUFFIX:
            self.files.open(path, self._on_design_opened)
        elif suffix in KERAS_SUFFIXES:
            self._run_command("import_keras", path)
        else:
            self.pages.show_page("data")
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
        """Ask one after the other whether the window may close; each may answer later."""
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
    """The first dropped local file that the window can take."""
    for url in mime.urls() if mime is not None else ():
        path = Path(QUrl(url).toLocalFile())
        if path.suffix.lower() in (SUFFIX, *KERAS_SUFFIXES) or format_of(path) is not None:
            return path
    return None
