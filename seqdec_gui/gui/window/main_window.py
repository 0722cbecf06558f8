"""The main window: actions, tool bar and status bar around the tabs of the open designs. It owns neither a design nor a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QByteArray, QMimeData, QSize, Qt, QTimer, QUrl, pyqtSlot
from PyQt5.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QIcon
from PyQt5.QtWidgets import QApplication, QMainWindow, QToolButton, QWidget

from seqdec_gui import resource_files
from seqdec_gui.data.formats.registry import format_of
from seqdec_gui.domain.document import SUFFIX
from seqdec_gui.gui.look import preferences, theme
from seqdec_gui.gui.look.preferences import settings
from seqdec_gui.gui.widgets.focus import KeepsFocus
from seqdec_gui.gui.widgets.tab_order import TabsByPart
from seqdec_gui.gui.widgets.undo_keys import UndoKeys
from seqdec_gui.gui.window import dialogs, pages
from seqdec_gui.gui.window.actions import Actions
from seqdec_gui.gui.window.anticipation import Anticipation
from seqdec_gui.gui.window.canvas_actions import CanvasActions
from seqdec_gui.gui.window.design_tab import DesignTab
from seqdec_gui.gui.window.design_tabs import DesignTabs
from seqdec_gui.gui.window.file_menus import follow_bundles, follow_recents
from seqdec_gui.gui.window.open_run import open_designs_of_runs, show_all_runs
from seqdec_gui.gui.window.shell import Panels
from seqdec_gui.gui.window.status_bar import StatusBar
from seqdec_gui.gui.window.subscriptions import Subscriptions
from seqdec_gui.gui.window.toolbar import ToolBar
from seqdec_gui.gui.window.welcome import Welcome
from seqdec_gui.gui.workspace import autosave
from seqdec_gui.gui.workspace.devices import DeviceSelection
from seqdec_gui.gui.workspace.readiness import Readiness
from seqdec_gui.gui.workspace.workspace import PageName, Workspace

if TYPE_CHECKING:
    from seqdec_gui.gui.pages.design.design_view import DesignView
    from seqdec_gui.gui.panels.inspector.panel import Inspector
    from seqdec_gui.gui.panels.problems import ProblemsPanel
    from seqdec_gui.gui.window.page_stack import Pages
    from seqdec_gui.gui.window.preload import Preload
    from seqdec_gui.gui.window.shell import BottomPanel, Shell
    from seqdec_gui.gui.workspace.document import DesignDocument

MODEL_SUFFIXES = (".keras", ".prior")
"""The endings of files that are imported as models when they are dropped."""
PANELS = {"show_left": "left", "show_right": "right", "show_bottom": "bottom"}
"""The panels beside the pages, by the action that shows them."""
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
    if path is None:
        window.current.show_welcome()
    window.show()
    if path is not None:
        window.files.open(Path(path))
        window.current.take_focus()  # Qt gave the keys to the first control of the window
    else:
        window.welcome.setFocus()
        window.look_for_recovery()
        if not preferences.first_minute_was_seen():
            window.show_first_minute()
    window.restore_session()
    return window


class MainWindow(KeepsFocus, TabsByPart, QMainWindow):
    """The main window. Scripts and tests rely on the object names in it."""

    def __init__(self, rows: Sequence[pages.Page] = pages.PAGES) -> None:
        super().__init__()
        self.setObjectName("main_window")
        UndoKeys(self)
        self._rows = tuple(rows)
        self._devices = DeviceSelection(self)
        self._panels = Panels()
        self._panels.restore(settings(), self._rows)
        self._current = Subscriptions()
        self._anticipation = Anticipation(self)
        self._closing = self._asking = False
        self.actions_by_name = Actions(self, self.menuBar())
        self.designs = DesignTabs(self._make_tab)
        self.actions_by_name.follow(self.designs.undo_group)
        self.setCentralWidget(self.designs)
        self._canvas_actions = CanvasActions(self.actions_by_name, self.designs)
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
        self._on_designs_current_changed()
        self._on_theme_changed()
        QTimer.singleShot(0, self._devices.refresh)

    # -- the design in front
    @property
    def current(self) -> DesignTab:
        """Return the tab in front, with the design that the window's actions are about."""
        return self.designs.current

    @property
    def files(self) -> DesignTabs:
        """Return what opens and saves designs."""
        return self.designs

    @property
    def document(self) -> DesignDocument:
        return self.current.document

    @property
    def workspace(self) -> Workspace:
        return self.current.workspace

    @property
    def design_view(self) -> DesignView:
        return self.current.design_view

    @property
    def pages(self) -> Pages:
        return self.current.pages

    @property
    def problems(self) -> ProblemsPanel:
        return self.current.problems

    @property
    def inspector(self) -> Inspector:
        return self.current.inspector

    @property
    def bottom(self) -> BottomPanel:
        return self.current.bottom

    @property
    def shell(self) -> Shell:
        return self.current.shell

    def tab_parts(self) -> list[QWidget]:
        return [self._toolbar, *self.shell.reading_order]

    @property
    def welcome(self) -> Welcome:
        return self.current.welcome

    @property
    def preload(self) -> Preload:
        return self.current.preload

    # -- building
    def _make_tab(self) -> DesignTab:
        """Return an empty tab, yet to be built. Its design is of no interest to the window until it is in front."""
        corner = [self._panel_button(name) for name in PANELS]
        tab = DesignTab(self._rows, self._devices, self._panels, self.actions_by_name.menu("examples"), corner)
        tab.welcome_made.connect(self._on_welcome_made)
        tab.import_requested.connect(self._on_import_requested)
        open_designs_of_runs(tab.workspace, lambda: self.designs, self._on_design_opened)
        return tab

    def _panel_button(self, action_name: str) -> QToolButton:
        """Return a button for an action that shows a panel, for the row of the pages' tabs."""
        button = QToolButton(objectName=f"button_{action_name}")
        button.setProperty("kind", "small")
        button.setDefaultAction(self.actions_by_name[action_name])
        button.setFocusPolicy(Qt.TabFocus)
        return button

    def _connect(self) -> None:
        handlers = {
            "new": self._on_new, "open": lambda: self.files.open(then=self._on_design_opened), "save": self.files.save,
            "save_as": self.files.save_as, "new_tab": self.designs.new_tab, "close_tab": self.designs.close_current,
            "reopen_tab": self.designs.reopen_closed,
            "next_design": lambda: self.designs.step(1), "previous_design": lambda: self.designs.step(-1),
            "import_keras": self._on_import_requested, "export": lambda: dialogs.export(self.workspace),
            "export_h5": lambda: dialogs.export(self.workspace, "h5"),
            "settings": lambda: dialogs.settings(self.workspace, self), "close": self.close,
            "quit": self._on_quit, "rename": lambda: self.current.edit_name(),
            "train": self._on_train_button_clicked, "devices": self.device_picker.open_list, "measure": self._on_measure,
            "all_runs": lambda: show_all_runs(self.workspace),
            "next_page": lambda: self.pages.step(1), "previous_page": lambda: self.pages.step(-1),
            "guide": lambda: dialogs.guide(self), "about": lambda: dialogs.about(self), "full_screen": self._on_full_screen,
            "palette": self._on_palette, "shortcuts": self._on_shortcuts,
            "first_minute": self.show_first_minute,
            "undo": lambda: self._step_back(False), "redo": lambda: self._step_back(True),
        }  # fmt: skip
        for name, handler in handlers.items():
            self.actions_by_name[name].triggered.connect(lambda _checked, handler=handler: handler())
        for place, page in enumerate(self._rows):
            self.actions_by_name.add_page(page, place).triggered.connect(lambda _checked, at=place: self.pages.show_place(at))
        for name, part in PANELS.items():
            self.actions_by_name[name].triggered.connect(lambda on, part=part: self._show_panel(part, on))
        self.train_button.clicked.connect(self._on_train_button_clicked)
        follow_recents(self.actions_by_name.menu("recent"), self.files, self._on_design_opened)
        follow_bundles(self.actions_by_name.menu("examples"), self.files, self._on_design_opened)
        self.designs.current_changed.connect(self._on_designs_current_changed)
        self.designs.described.connect(self._show_title)
        self.designs.emptied.connect(self.close)
        self.train_button.readiness_changed.connect(self._on_train_button_readiness_changed)
        theme.notifier.changed.connect(self._on_theme_changed)

    @pyqtSlot(Welcome)
    def _on_welcome_made(self, welcome: Welcome) -> None:
        self.designs.recents_changed.connect(welcome.refresh_recents)
        welcome.new_requested.connect(self._on_new)
        welcome.open_requested.connect(lambda: self.files.open(then=self._on_design_opened))
        welcome.template_chosen.connect(lambda path: self.files.new_from(path, self._on_design_opened))
        welcome.design_chosen.connect(lambda path: self.files.open(path, self._on_design_opened))

    @pyqtSlot()
    def _on_designs_current_changed(self) -> None:
        """Follow the design that is in front now."""
        document, workspace, current = self.document, self.workspace, self._current
        current.drop()
        current.add(document.selection_changed, self._canvas_actions.enable)
        current.add(document.path_changed, self._show_title)
        current.add(document.clean_changed, self._show_title)
        current.add(self.pages.page_shown, self._on_page_shown)
        current.add(self.shell.panels_changed, self._show_panel_choice)
        current.add(self.design_view.commands.abilities_changed, self._canvas_actions.enable)
        current.add(self.design_view.overlays.minimap_shown, self.actions_by_name["minimap"].setChecked)
        self.design_view.overlays.show_minimap(preferences.minimap_is_shown())  # as another tab may have chosen
        current.add(workspace.status_message, self._status.tell)
        self._status.follow(workspace)
        self.train_button.follow(workspace)
        self._anticipation.follow(workspace, self.pages)
        self._show_title()
        self._on_page_shown(self.pages.current)

    def _restore_state(self) -> None:
        geometry = settings().value("window/geometry")
        if not isinstance(geometry, QByteArray) or not self.restoreGeometry(geometry):
            room = QApplication.primaryScreen().availableGeometry().size()
            self.resize(DEFAULT_SIZE.boundedTo(room - FRAME))

    # -- the design
    @pyqtSlot()
    def _on_new(self) -> None:
        self.files.new(then=self._on_design_opened)

    def _on_design_opened(self) -> None:
        self.current.present()

    @pyqtSlot()
    def _show_title(self, _changed: object = None) -> None:
        name = self.designs.current_name if self.document.path is None else self.document.name
        self.setWindowTitle(f"{name}[*] – seqdec-gui")
        self.setWindowModified(not self.document.clean)
        self.setWindowFilePath(str(self.document.path or ""))

    def look_for_recovery(self) -> None:
        """Offer the recovery files of designs without a file that a window left which ended without closing."""
        recoveries = autosave.left_behind_unsaved()
        if not recoveries:
            return
        count = len(recoveries)
        which = "an unsaved design" if count == 1 else f"{count} unsaved designs"

        def restore() -> None:
            for recovery in recoveries:
                self.files.restore(recovery)

        def discard() -> None:
            for recovery in recoveries:
                recovery.remove()

        self.shell.bar.tell(
            f"The last session ended unexpectedly and left {which}, {autosave.age(recoveries[0])}.",
            restore=("Restore", restore),
            discard=("Discard", discard),
        )

    def restore_session(self) -> None:
        """Show tabs for the designs that were open when the program last ended, and remember what is open from now on."""
        if preferences.reopens_designs():
            self.designs.reopen(preferences.last_session())
        self.designs.follow_session()

    # -- pages
    @pyqtSlot(str)
    def _on_page_shown(self, _name: str) -> None:
        self._canvas_actions.enable()
        self._show_panel_choice()

    def _show_panel(self, part: str, on: bool) -> None:
        self.shell.show_panel(part, on)
        self._show_panel_choice()

    @pyqtSlot()
    def _show_panel_choice(self) -> None:
        """Show which panels are beside the page in front, and which could be."""
        row = self.pages.row
        for name, part in PANELS.items():
            self.actions_by_name.enable(name, part in row.panels, f"Not on the {row.title} page")
            self.actions_by_name[name].setChecked(part in self.shell.shown)

    def _step_back(self, forward: bool) -> None:
        if self.current.idle:
            stack = self.document.undo_stack
            stack.redo() if forward else stack.undo()

    # -- training and commands
    @pyqtSlot(Readiness)
    def _on_train_button_readiness_changed(self, state: Readiness) -> None:
        to_mend = self.document.design.blocks and not self.workspace.training.running  # a run that trains is no fault
        self._status.reason.setText(state.reason if to_mend else "")
        self.actions_by_name.enable("train", state.ready, state.reason)
        self.actions_by_name["train"].setText(state.text)

    @pyqtSlot()
    def _on_train_button_clicked(self) -> None:
        self.pages.show_page(PageName.TRAIN)
        self.workspace.train_requested.emit()

    def _on_measure(self) -> None:
        self.pages.show_page(PageName.TRAIN)
        self.workspace.advice_requested.emit()

    # -- menus and dialogs
    @pyqtSlot()
    def _on_import_requested(self) -> None:
        dialogs.import_keras(self.workspace)

    def _on_palette(self) -> None:
        from seqdec_gui.gui.window.commands import commands

        dialogs.command_palette(self, commands(self.actions_by_name, self.designs, self._on_design_opened))

    def _on_shortcuts(self) -> None:
        from seqdec_gui.gui.pages.design.keys import KEY_WORDS
        from seqdec_gui.gui.window.commands import sheet

        dialogs.shortcuts({**sheet(self.actions_by_name), "On the canvas": KEY_WORDS}, self)

    def show_first_minute(self) -> None:
        """Point at the next thing to do, from the welcome page on."""
        from seqdec_gui.gui.window.first_minute import FirstMinute

        for former in self.findChildren(FirstMinute):
            former.end()
        if self.welcome.isHidden():
            self.designs.new_tab()
        FirstMinute(self, self.designs, self.train_button)

    def _on_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowFullScreen)

    def _on_quit(self) -> None:
        QApplication.closeAllWindows()

    # -- the theme
    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self.actions_by_name.recolour()
        for tab in self.designs.tabs:
            tab.recolour()
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
        elif suffix in MODEL_SUFFIXES:
            dialogs.import_keras(self.workspace, path)
        else:
            self.pages.show_page(PageName.DATA)
            self.workspace.data_file_offered.emit(path)

    # -- closing
    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._closing:
            self._asking = True  # a close() from inside would be swallowed by Qt
            self.designs.ask_to_close_all(self._close_now)
            self._asking = False
        event.setAccepted(self._closing)
        if self._closing:
            self._keep_state()

    def _close_now(self) -> None:
        self._closing = True
        if not self._asking:
            self.close()

    def _keep_state(self) -> None:
        stored = settings()
        stored.setValue("window/geometry", self.saveGeometry())
        self._panels.save(stored)
        self.shell.save(stored)
        self.designs.end_session()
        for tab in self.designs.tabs:
            tab.workspace.closing.emit()
            tab.files.autosave.forget()


def _dropped(mime: QMimeData | None) -> Path | None:
    """Return the first dropped local file that the window can open."""
    for url in mime.urls() if mime is not None else ():
        path = Path(QUrl(url).toLocalFile())
        if path.suffix.lower() in (SUFFIX, *MODEL_SUFFIXES) or format_of(path) is not None:
            return path
    return None
