"""The open designs of a window, a tab for each, and the ways in which designs are opened, changed and closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PyQt5.QtCore import QPoint, Qt, QTimer, QUrl, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QDesktopServices
from PyQt5.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QMenu,
    QStackedWidget,
    QToolButton,
    QUndoGroup,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain import document as design_file
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.gui.look import preferences, theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.tasks import notify
from seqdec_gui.gui.widgets.menu_entry import add_entry
from seqdec_gui.gui.window.design_tab import DesignTab
from seqdec_gui.gui.window.open_design import OpenDesign
from seqdec_gui.gui.window.spare_tab import SpareTab
from seqdec_gui.gui.window.tab_bar import DesignBar
from seqdec_gui.gui.workspace import autosave
from seqdec_gui.gui.workspace.autosave import Autosave
from seqdec_gui.gui.workspace.files import Then, new_design, title_of


def _open_folder(path: Path | None) -> None:
    if path is not None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))


class DesignTabs(QWidget):
    """The tabs of the open designs, of which one is in front (`current`); there is always at least one.

    The bar is hidden while there is only one. A design that is already open is not opened twice. `make` builds an empty tab.
    Object names `design_tabs` (the bar), `new_tab_button`.
    """

    current_changed = pyqtSignal()  # another design is in front
    tab_made = pyqtSignal(DesignTab)
    described = pyqtSignal()  # names and states of the designs may be others
    recents_changed = pyqtSignal()
    emptied = pyqtSignal()  # the last tab, which shows nothing, was closed

    def __init__(self, make: Callable[[], DesignTab], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._open: list[OpenDesign] = []
        self._closed: list[Path] = []
        self.undo_group = QUndoGroup(self)
        self.bar = DesignBar()
        self._new = QToolButton(objectName="new_tab_button", toolTip="New tab (Ctrl+T)")
        self._new.setAccessibleName("New tab")
        self._new.setProperty("kind", "small")
        self._new.clicked.connect(self.new_tab)
        self._row = QFrame(objectName="design_row")
        row = QHBoxLayout(self._row)
        row.setContentsMargins(0, 0, 2 * theme.SPACE, 0)
        row.setSpacing(theme.SPACE)
        row.addWidget(self.bar)
        row.addWidget(self._new)
        row.addStretch(1)
        self._stack = QStackedWidget(objectName="design_stack")
        self.spare = SpareTab(make, self._stack)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._row)
        layout.addWidget(self._stack, 1)
        self._session_timer = QTimer(self, singleShot=True, interval=0, timeout=self._keep_session)
        self._keeps_session = False
        self.bar.currentChanged.connect(self._on_bar_current_changed)
        self.bar.tabMoved.connect(self._on_bar_tab_moved)
        self.bar.tabCloseRequested.connect(self.close_tab)
        self.bar.menu_requested.connect(self._on_bar_menu_requested)
        theme.notifier.changed.connect(self.recolour)
        self._add(None, self._build())
        self.recolour()

    # -- what is open
    @property
    def current(self) -> DesignTab:
        """Return the tab in front."""
        tab = self._stack.currentWidget()
        assert isinstance(tab, DesignTab)
        return tab

    @property
    def tabs(self) -> tuple[DesignTab, ...]:
        """Return the tabs that have been built, from left to right."""
        return tuple(one.tab for one in self._open if one.tab is not None)

    @property
    def paths(self) -> tuple[Path | None, ...]:
        """Return the files of all open designs, from left to right; None for one without a file."""
        return tuple(one.path for one in self._open)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all open designs, from left to right."""
        return tuple(one.name for one in self._open)

    @property
    def index(self) -> int:
        """Return the place of the tab in front."""
        return next(index for index, one in enumerate(self._open) if one.tab is self.current)

    # -- opening
    def new(self, design: Design | None = None, then: Then | None = None, title: str = "") -> None:
        """Start an empty design, or the given one, in a tab of its own. It is called `title` until it is saved."""
        tab = self._room()
        tab.document.new(design, title)
        if then is not None:
            then()

    def new_from(self, path: Path, then: Then | None = None) -> None:
        """Start a design from the file of a template or an example, which stays unchanged."""
        try:
            design = new_design(path)
        except SeqdecError as error:
            notify.failure(self, error, "The template cannot be opened")
            return
        self.new(design, then, title_of(path))

    @pyqtSlot()
    def new_tab(self) -> None:
        """Open a tab with the welcome page, unless the one in front shows it already."""
        self._room().show_welcome()

    def open(self, path: Path | None = None, then: Then | None = None) -> None:
        """Open a design file, or show its tab if it is open; without `path` the user is asked for it."""
        if path is None:
            notify.choose_file(self, "Open design", [notify.DESIGN_FILTER], lambda chosen: self.open(chosen, then))
            return
        shown = next((one for one in self._open if one.shows(path)), None)
        if shown is not None:
            self._leave_untouched(then=lambda: self.show_tab(self._open.index(shown)))
            return
        try:
            loaded = design_file.load(path)
        except SeqdecError as error:
            notify.failure(self, error, f"{path.name} cannot be opened")
            return
        self._room().files.open(path, loaded)
        if then is not None:
            then()

    def _leave_untouched(self, then: Then) -> None:
        """Call `then`, which shows another tab, and drop the one in front if it shows nothing."""
        left = self._open[self.index]
        then()
        if left.tab is not None and left.tab.untouched and left.tab is not self.current:
            self._remove(left)

    def restore(self, recovery: autosave.Recovery) -> None:
        """Show what a recovery file holds: in the tab of its design, or in one of its own."""
        self._room().files.restore(recovery)

    def reopen(self, paths: Sequence[Path]) -> None:
        """Add tabs for designs of an earlier session behind the one in front; they are read when they are first shown."""
        for path in paths:
            if not any(one.shows(path) for one in self._open):
                self._add(path, None)

    def _room(self) -> DesignTab:
        """Return the tab in front if nothing was done in it, else a new one, which is shown."""
        if not self.current.untouched:
            self._add(None, self._build())
            self.show_tab(len(self._open) - 1)
        return self.current

    def _build(self) -> DesignTab:
        tab = self.spare.take()
        tab.begin()
        tab.files.recents_changed.connect(self.recents_changed)
        tab.files.taken = lambda path: any(one.tab is not tab and one.shows(path) for one in self._open)
        self.undo_group.addStack(tab.document.undo_stack)
        return tab

    def _add(self, path: Path | None, tab: DesignTab | None) -> None:
        one = OpenDesign(path, tab, self)
        one.changed.connect(self._on_design_changed)
        self._open.append(one)
        self.bar.blockSignals(True)
        self.bar.add()
        self.bar.blockSignals(False)
        if tab is not None:
            self._stack.addWidget(tab)
            self.tab_made.emit(tab)
        if len(self._open) == 1:
            self.show_tab(0)
        self._refresh()

    # -- the tab in front
    def show_tab(self, index: int) -> None:
        """Bring a design to the front. One of an earlier session is read now."""
        one = self._open[index]
        if one.tab is None and not self._read(one):
            return
        assert one.tab is not None
        self.spare.put_off()
        former = self._stack.currentWidget()
        if isinstance(former, DesignTab) and former is not one.tab:
            one.tab.shell.take_sizes(former.shell)
            if former.isAncestorOf(focused := QApplication.focusWidget() or self):
                focused.clearFocus()  # else Qt looks for another place for it in what is about to be hidden
        self._stack.setCurrentWidget(one.tab)
        one.tab.lower()  # scripts look for widgets by name, and find those in front first
        self.undo_group.setActiveStack(one.tab.document.undo_stack)
        self.bar.blockSignals(True)
        self.bar.setCurrentIndex(index)
        self.bar.blockSignals(False)
        if former is not None and former is not one.tab and not self.bar.hasFocus():
            one.tab.take_focus()
        self._refresh()
        self.current_changed.emit()

    def step(self, by: int) -> None:
        """Show the design `by` tabs to the right. The first follows the last."""
        self.show_tab((self.index + by) % len(self._open))

    def _read(self, one: OpenDesign) -> bool:
        """Read a design of an earlier session. If that fails its tab is dropped, and the user told why."""
        assert one.path is not None
        path = one.path
        try:
            loaded = design_file.load(path)
        except SeqdecError as error:
            notify.failure(self, error, f"{path.name} cannot be opened")
            self._remove(one)
            return False
        tab = self._build()
        one.build(tab)
        self._stack.addWidget(tab)
        self.tab_made.emit(tab)
        tab.files.open(path, loaded)
        QTimer.singleShot(0, tab.present)  # once it has its size
        return True

    @pyqtSlot(int)
    def _on_bar_current_changed(self, index: int) -> None:
        if 0 <= index < len(self._open):
            self.show_tab(index)

    @pyqtSlot(int, int)
    def _on_bar_tab_moved(self, origin: int, target: int) -> None:
        self._open.insert(target, self._open.pop(origin))
        self._refresh()

    @pyqtSlot()
    def _on_design_changed(self) -> None:
        self._refresh()

    def _refresh(self) -> None:
        """Show names and states in the bar, and remember what is open."""
        for index, one in enumerate(self._open):
            self.bar.describe(index, self._distinct_name(one), one.path, clean=one.clean, training=one.training)
        self._row.setVisible(len(self._open) > 1)
        self.described.emit()
        if self._keeps_session:
            self._session_timer.start()

    @property
    def current_name(self) -> str:
        """Return the name of the design in front as its tab shows it."""
        return self._distinct_name(self._open[self.index])

    def _distinct_name(self, one: OpenDesign) -> str:
        """Return the name of a design, with its folder or a number if another open design is called the same."""
        alike = [other for other in self._open if other.name == one.name and (other.path is None) == (one.path is None)]
        if len(alike) == 1:
            return one.name
        if one.path is not None:
            return f"{one.name} – {one.path.parent.name}"
        number = alike.index(one) + 1
        return one.name if number == 1 else f"{one.name} {number}"

    # -- closing
    @pyqtSlot(int)
    def close_tab(self, index: int) -> None:
        """Close a design, after asking about unsaved changes and a run that trains."""
        one = self._open[index]
        if one.tab is None:
            self._remove(one)
        elif len(self._open) == 1 and one.tab.untouched:
            self.emptied.emit()
        else:
            if one.tab.has_questions:
                self.show_tab(index)
            one.tab.ask_to_close(lambda: self._remove(one))

    @pyqtSlot(int, QPoint)
    def _on_bar_menu_requested(self, index: int, at: QPoint) -> None:
        one = self._open[index]
        menu = QMenu(self, objectName="design_tab_menu")
        menu.setAttribute(Qt.WA_DeleteOnClose)
        add_entry(menu, "Close", lambda: self.close_tab(self._open.index(one)), "Ctrl+W")
        add_entry(menu, "Close Others", lambda: self._close_others(one), enabled=len(self._open) > 1)
        menu.addSeparator()
        path = one.path
        add_entry(menu, "Copy Path", lambda: QApplication.clipboard().setText(str(path)), enabled=path is not None)
        add_entry(menu, "Open Folder", lambda: _open_folder(path), enabled=path is not None)
        menu.popup(at)

    def _close_others(self, kept: OpenDesign) -> None:
        """Close all other designs, asking about each that needs it."""
        others = [one for one in self._open if one is not kept]

        def close_all() -> None:
            for one in others:
                self._remove(one)

        self._ask(others, close_all)

    def reopen_closed(self) -> None:
        """Open the design again that was closed last, if its file is still there."""
        while self._closed:
            path = self._closed.pop()
            if path.is_file():
                self.open(path, lambda: self.current.present())
                return

    def close_current(self) -> None:
        """Close the design in front."""
        self.close_tab(self.index)

    def ask_to_close_all(self, then: Then) -> None:
        """Ask about each design in turn. `then` is called unless the user cancels one of the questions."""
        self._ask(list(self._open), then)

    def _ask(self, designs: Sequence[OpenDesign], then: Then) -> None:
        """Ask about all changes first, and then about all runs."""
        built = [one.tab for one in designs if one.tab is not None]
        questions = [(tab, tab.ask_about_changes, not tab.document.clean) for tab in built]
        questions += [(tab, tab.ask_about_run, tab.workspace.training.running) for tab in built]

        def ask_next() -> None:
            if not questions:
                then()
                return
            tab, question, asks = questions.pop(0)
            if asks and tab is not self.current:
                self.show_tab(next(index for index, one in enumerate(self._open) if one.tab is tab))
            question(ask_next)

        ask_next()

    def _remove(self, one: OpenDesign) -> None:
        if one not in self._open:
            return  # it was asked about twice
        if one.tab is not None and one.tab is self.current:
            self._show_instead_of(one)
        if one.path is not None:
            self._closed.append(one.path)
        index = self._open.index(one)
        del self._open[index]
        self.bar.blockSignals(True)
        self.bar.removeTab(index)
        self.bar.setCurrentIndex(self.index)
        self.bar.blockSignals(False)
        if one.tab is not None:
            self.undo_group.removeStack(one.tab.document.undo_stack)
            self._stack.removeWidget(one.tab)
            one.tab.dispose()
        one.deleteLater()
        self._refresh()

    def _show_instead_of(self, one: OpenDesign) -> None:
        """Show the design right of this one, else the nearest that can be read, else the welcome page."""
        place = self._open.index(one)
        others = [other for other in self._open if other is not one]
        for other in sorted(others, key=lambda other: abs(self._open.index(other) - place - 0.5)):
            self.show_tab(self._open.index(other))
            if one.tab is not self.current:
                return
        self._add(None, self._build())
        self.show_tab(len(self._open) - 1)
        self.current.show_welcome()

    # -- the files of the design in front
    def save(self, then: Then | None = None) -> None:
        """Save the design in front to its file; the user is asked for one if it has none."""
        self.current.files.save(then)

    def save_as(self, then: Then | None = None) -> None:
        """Ask for a file and save the design in front to it."""
        self.current.files.save_as(then)

    @property
    def autosave(self) -> Autosave:
        """Return what writes the recovery file of the design in front."""
        return self.current.files.autosave

    # -- the session
    def follow_session(self) -> None:
        """Remember from now on which designs are open, for the next start."""
        self._keeps_session = True
        self._session_timer.start()

    @pyqtSlot()
    def _keep_session(self) -> None:
        self._session_timer.stop()
        preferences.keep_session([one.path for one in self._open if one.path is not None])

    def end_session(self) -> None:
        """Write down which designs were open."""
        if self._keeps_session:
            self._keep_session()
            self._keeps_session = False
            preferences.end_session()

    @pyqtSlot()
    def recolour(self) -> None:
        self._new.setIcon(icon("plus"))
        self.bar.recolour()
        for tab in self.tabs:
            tab.recolour()
