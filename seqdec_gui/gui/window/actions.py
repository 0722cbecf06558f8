"""Every action of the window in one table: name, text, icon, shortcut and menu. Its object name is `action_<name>`."""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from PyQt5.QtCore import QObject, Qt, pyqtSlot
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction, QActionGroup, QMenu, QMenuBar, QUndoGroup, QWidget

from seqdec_gui.domain.menu_text import literal, shown
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.window.pages import Page

Shortcut: TypeAlias = QKeySequence.StandardKey | str


class Entry(msgspec.Struct, frozen=True):
    """One action. An empty name is a separator; `canvas` marks actions on the design view."""

    name: str = ""
    text: str = ""
    icon: str = ""
    keys: tuple[Shortcut, ...] = ()
    tip: str = ""
    canvas: bool = False
    checkable: bool = False
    role: int = 0


_LINE = Entry()
"""A separator between two groups of actions."""
_KEY = QKeySequence
"""A short name for the class with the platform's standard keys."""
MENUS: dict[str, tuple[Entry, ...]] = {
    "&File": (
        Entry("new", "&New Design", "file-plus-outline", (_KEY.New,), "Start an empty design"),
        Entry("new_tab", "New &Tab", "", ("Ctrl+T",), "Open a tab with templates, examples and recent designs"),
        Entry("open", "&Open…", "folder-open-outline", (_KEY.Open,), "Open a design file"),
        Entry("recent", "Open &Recent"),
        Entry("examples", "&Examples and Templates"),
        _LINE,
        Entry("save", "&Save", "content-save-outline", (_KEY.Save,), "Save the design"),
        Entry("save_as", "Save &As…", "", (_KEY.SaveAs, "Ctrl+Shift+S")),
        _LINE,
        Entry("import_keras", "&Import Keras Model…", "import", ("Ctrl+I",), "Turn a .keras, .h5 or .prior file into a block"),
        Entry("export_h5", "Export as .&h5…", "", (), "Write the trained model as one .h5 file"),
        Entry("export", "&Export…", "export-variant", ("Ctrl+E",), "Write the trained model in a format to choose"),
        _LINE,
        Entry("settings", "Se&ttings…", "cog-outline", (_KEY.Preferences, "Ctrl+,"), role=QAction.PreferencesRole),
        Entry("reopen_tab", "Reopen C&losed Design", "", ("Ctrl+Shift+T",), "Open the design again that was closed last"),
        Entry("close_tab", "&Close Design", "", ("Ctrl+W", _KEY.Close), "Close the design in front"),
        Entry("close", "Close &Window", "", ("Ctrl+Shift+W",)),
        Entry("quit", "&Quit", "", (_KEY.Quit, "Ctrl+Q"), role=QAction.QuitRole),
    ),
    "&Edit": (
        Entry("undo", "&Undo", "undo", (_KEY.Undo,)),
        Entry("redo", "&Redo", "redo", ("Ctrl+Shift+Z", _KEY.Redo, "Ctrl+Y")),
        _LINE,
        Entry("cut", "Cu&t", "content-cut", (_KEY.Cut,), canvas=True),
        Entry("copy", "&Copy", "content-copy", (_KEY.Copy,), canvas=True),
        Entry("paste", "&Paste", "content-paste", (_KEY.Paste,), canvas=True),
        Entry("duplicate", "&Duplicate", "content-duplicate", ("Ctrl+D",), "Copy the selected blocks in place", canvas=True),
        Entry("delete", "De&lete", "trash-can-outline", (_KEY.Delete, "Backspace"), canvas=True),
        _LINE,
        Entry("select_all", "Select &All", "", (_KEY.SelectAll,), canvas=True),
        Entry("find", "&Find…", "magnify", (_KEY.Find,), "Find a block, layer, frame or note", canvas=True),
        Entry("rename", "Re&name Block", "", ("F2",), "Change the name of the selected block"),
        _LINE,
        Entry("add_block", "Add &Block…", "plus-box-outline", ("Ctrl+B",), "Search a block to add", canvas=True),
        Entry("connect_new", "C&onnect to New Block…", "", (), "Add a block that fits a port of the selected one", canvas=True),
        Entry("add_note", "Add N&ote", "note-outline", ("Ctrl+Shift+N",), "Write a note on the canvas", canvas=True),
        Entry("add_frame", "Add F&rame", "select", ("Ctrl+G",), "Draw a frame round the selected blocks", canvas=True),
    ),
    "&Arrange": (
        Entry("auto_layout", "Arrange &Blocks", "graph-outline", ("Ctrl+L",), "Lay the blocks out left to right", canvas=True),
        _LINE,
        Entry("align_left", "Align &Left", "align-horizontal-left", ("Ctrl+Shift+Left",), canvas=True),
        Entry("align_right", "Align &Right", "align-horizontal-right", ("Ctrl+Shift+Right",), canvas=True),
        Entry("align_top", "Align &Top", "align-vertical-top", ("Ctrl+Shift+Up",), canvas=True),
        Entry("align_bottom", "Align Botto&m", "align-vertical-bottom", ("Ctrl+Shift+Down",), canvas=True),
        Entry("align_column", "&Centre in a Column", "align-horizontal-center", ("Ctrl+Shift+C",), canvas=True),
        Entry("align_row", "C&entre in a Row", "align-vertical-center", ("Ctrl+Shift+E",), canvas=True),
        _LINE,
        Entry("distribute_across", "&Distribute Across", "distribute-horizontal-center", ("Ctrl+Alt+H",), canvas=True),
        Entry("distribute_down", "Distribute Do&wn", "distribute-vertical-center", ("Ctrl+Alt+V",), canvas=True),
    ),
    "&View": (
        Entry("zoom_in", "Zoom &In", "magnify-plus-outline", (_KEY.ZoomIn, "Ctrl+="), canvas=True),
        Entry("zoom_out", "Zoom &Out", "magnify-minus-outline", (_KEY.ZoomOut,), canvas=True),
        Entry("zoom_reset", "&Actual Size", "", ("Ctrl+0",), canvas=True),
        Entry("fit", "Zoom to &Fit", "fit-to-page-outline", ("Ctrl+9",), "Show the whole design", canvas=True),
        Entry("show_all", "&Whole Design", "", ("Ctrl+Shift+9",), "Show everything, however small", canvas=True),
        Entry("minimap", "&Mini-map", "map-outline", (), "Show the whole design in a corner", canvas=True, checkable=True),
        _LINE,
        Entry("show_left", "&Palette and Outline", "dock-left", ("Ctrl+1",), checkable=True),
        Entry("show_right", "&Inspector", "dock-right", ("Ctrl+2",), checkable=True),
        Entry("show_bottom", "P&roblems and Log", "dock-bottom", ("Ctrl+3",), checkable=True),
        _LINE,
        Entry("theme", "&Theme"),
        Entry("full_screen", "F&ull Screen", "", (_KEY.FullScreen, "F11"), checkable=True),
        _LINE,
        Entry("palette", "&Command Palette…", "magnify", ("Ctrl+Shift+P",), "Search all actions by name"),
    ),
    "&Go": (
        Entry("next_design", "&Next Design", "", ("Ctrl+Tab", "Ctrl+PgDown")),
        Entry("previous_design", "&Previous Design", "", ("Ctrl+Shift+Tab", "Ctrl+PgUp")),
        _LINE,
        Entry("next_page", "Next P&age", "", ("Alt+PgDown",)),
        Entry("previous_page", "Pre&vious Page", "", ("Alt+PgUp",)),
        _LINE,
    ),
    "&Run": (
        Entry("train", "&Train", "play", ("Ctrl+R",)),
        Entry("devices", "&Choose Devices…", "memory", ("Ctrl+Shift+R",)),
        Entry("measure", "&Measure Devices…", "speedometer", (), "Measure how fast this design trains on the chosen devices"),
        Entry("all_runs", "&All Runs", "history", ("Ctrl+Shift+H",), "Show every run, of all designs"),
    ),
    "&Help": (
        Entry("guide", "User &Guide", "book-open-outline", (_KEY.HelpContents, "F1")),
        Entry("first_minute", "&First Minute", "map-marker-path", (), "Follow a bubble from an example to a generated text"),
        Entry("shortcuts", "&Keyboard Shortcuts", "keyboard-outline", ("Ctrl+?", "Ctrl+/"), "Show all keys"),
        Entry("about", "&About seqdec-gui", "", role=QAction.AboutRole),
    ),
}
"""The actions of each menu, in its order; `&` marks the letter that opens a menu or runs an action."""
SUBMENUS = ("recent", "examples", "theme")
"""The names of the submenus that the window fills."""
TOOLBAR = ("new", "open", "save", "", "undo", "redo", "", "auto_layout", "fit")
"""The names of the actions in the tool bar; an empty one is a separator."""


class Actions:
    """The actions of a window, by name. `menu(name)` returns the submenus that the window fills."""

    def __init__(self, window: QWidget, bar: QMenuBar) -> None:
        self._window = window
        self._by_name: dict[str, QAction] = {}
        self._icons: dict[str, str] = {}
        self._menus: dict[str, QMenu] = {}
        self._groups: dict[str, list[str]] = {}
        self._reasons: dict[str, str] = {"undo": "Nothing to undo", "redo": "Nothing to redo"}
        for title, entries in MENUS.items():
            menu = self._menus[shown(title).lower()] = bar.addMenu(title)
            for entry in entries:
                self._add(window, menu, entry)
        self._add_theme_choice(window)
        self.recolour()

    def __getitem__(self, name: str) -> QAction:
        return self._by_name[name]

    def menu(self, name: str) -> QMenu:
        return self._menus[name]

    @property
    def canvas(self) -> list[str]:
        """Return the names of the actions on the design view."""
        return [entry.name for entries in MENUS.values() for entry in entries if entry.canvas]

    def groups(self) -> dict[str, list[tuple[str, QAction]]]:
        """Return the actions by the title of their menu, with their names, in the order of the menus."""
        return {menu: [(name, self._by_name[name]) for name in names] for menu, names in self._groups.items()}

    def enable(self, name: str, on: bool, reason: str = "") -> None:
        """Enable or disable an action; `reason` says why it cannot be run now."""
        self._by_name[name].setEnabled(on)
        self._reasons[name] = reason

    def reason(self, name: str) -> str:
        """Return why an action cannot be run now; empty if it can, or if that is not known."""
        return "" if self._by_name[name].isEnabled() else self._reasons.get(name, "")

    def recolour(self) -> None:
        """Make the icons again in the colours of the theme in use."""
        for name, icon_name in self._icons.items():
            self._by_name[name].setIcon(icon(icon_name))

    def _add(self, window: QWidget, menu: QMenu, entry: Entry) -> None:
        if not entry.name:
            menu.addSeparator()
            return
        if entry.name in SUBMENUS:
            self._menus[entry.name] = menu.addMenu(entry.text)
            self._menus[entry.name].setObjectName(f"menu_{entry.name}")
            return
        action = QAction(entry.text, window)
        action.setObjectName(f"action_{entry.name}")
        action.setMenuRole(QAction.MenuRole(entry.role) if entry.role else QAction.NoRole)
        action.setCheckable(entry.checkable)
        action.setIconVisibleInMenu(False)
        # A platform's keys for a standard action may be those of another action here: on X11 Ctrl+D also means Delete.
        own = {QKeySequence(wish) for wish in entry.keys if isinstance(wish, str)}
        keys = [key for wish in entry.keys for key in _sequences(wish) if key in own or key not in _WRITTEN_KEYS]
        action.setShortcuts(list(dict.fromkeys(keys)))
        action.setShortcutContext(Qt.WindowShortcut)
        if entry.tip:
            action.setToolTip(entry.tip)
            action.setStatusTip(entry.tip)
        if entry.icon:
            self._icons[entry.name] = entry.icon
        menu.addAction(action)
        self._by_name[entry.name] = action
        self._groups.setdefault(shown(menu.title()), []).append(entry.name)

    def add_page(self, page: Page, place: int) -> QAction:
        """Return a new action that shows a page; the first nine have keys."""
        keys = (f"Alt+{place + 1}",) if place < 9 else ()
        entry = Entry(f"page_{page.name}", f"{page.title} Page", page.icon, keys)
        self._add(self._window, self._menus["go"], entry)
        self.recolour()
        return self._by_name[entry.name]

    def follow(self, stack: QUndoGroup) -> None:
        """Keep text and state of *Undo* and *Redo* in step with the undo stack in use."""
        for name, text_changed, enabled_changed, text, enabled in (
            ("undo", stack.undoTextChanged, stack.canUndoChanged, stack.undoText(), stack.canUndo()),
            ("redo", stack.redoTextChanged, stack.canRedoChanged, stack.redoText(), stack.canRedo()),
        ):
            action, verb = self._by_name[name], name.capitalize()
            text_changed.connect(_Step(action, verb).show)
            enabled_changed.connect(action.setEnabled)
            action.setText(f"{verb} {text}".strip())
            action.setEnabled(enabled)

    def _add_theme_choice(self, window: QWidget) -> None:
        group = QActionGroup(window)
        choices = {"system": "Like the &System", "light": "&Light", "dark": "&Dark"}
        choices |= {"light_contrast": "L&ight, High Contrast", "dark_contrast": "D&ark, High Contrast"}
        for mode, text in choices.items():
            action = self._menus["theme"].addAction(text)
            action.setObjectName(f"action_theme_{mode}")
            action.setCheckable(True)
            action.setChecked(theme.mode() == mode)
            action.triggered.connect(lambda _checked, mode=mode: theme.set_mode(mode))
            group.addAction(action)
            self._by_name[f"theme_{mode}"] = action
            self._groups.setdefault("Theme", []).append(f"theme_{mode}")
        self._menus["theme"].aboutToShow.connect(lambda: self._by_name[f"theme_{theme.mode()}"].setChecked(True))


class _Step(QObject):
    """Shows in an action what it would undo or redo."""

    def __init__(self, action: QAction, verb: str) -> None:
        super().__init__(action)
        self._action = action
        self._verb = verb

    @pyqtSlot(str)
    def show(self, words: str) -> None:
        self._action.setText(literal(f"{self._verb} {words}".strip()))


_WRITTEN_KEYS = {
    QKeySequence(wish) for entries in MENUS.values() for entry in entries for wish in entry.keys if isinstance(wish, str)
}
"""The keys that stand in `MENUS` as they are."""


def _sequences(wish: Shortcut) -> list[QKeySequence]:
    """Return the platform's keys for a standard action, or the keys as written."""
    if isinstance(wish, str):
        return [QKeySequence(wish)]
    return QKeySequence.keyBindings(wish)


def shortcut_text(action: QAction) -> str:
    """Return the text of a tooltip: `Undo (Ctrl+Z)`."""
    words = action.toolTip() if action.toolTip() else action.text()
    keys = key_texts(action)
    return f"{words} ({keys[0]})" if keys else words


def key_texts(action: QAction) -> list[str]:
    """Return the keys of an action as the platform writes them, without those that keyboards have no longer.

    Qt's standard keys include those of Sun keyboards (F14 for Undo) and of media keyboards, which go on working where they are.
    """
    return [str(key.toString(QKeySequence.NativeText)) for key in action.shortcuts() if not any(map(_is_rare, key))]


def _is_rare(pressed: int) -> bool:
    key = pressed & ~int(Qt.KeyboardModifierMask)
    return Qt.Key_F13 <= key <= Qt.Key_F35 or Qt.Key_Back <= key < Qt.Key_unknown
