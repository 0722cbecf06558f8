"""Every action of the window in one table: name, text, icon, shortcut and menu. Its object name is `action_<name>`."""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction, QActionGroup, QMenu, QMenuBar, QUndoStack, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon

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
        Entry("open", "&Open…", "folder-open-outline", (_KEY.Open,), "Open a design file"),
        Entry("recent", "Open &Recent"),
        Entry("examples", "&Examples and Templates"),
        _LINE,
        Entry("save", "&Save", "content-save-outline", (_KEY.Save,), "Save the design"),
        Entry("save_as", "Save &As…", "", (_KEY.SaveAs, "Ctrl+Shift+S")),
        _LINE,
        Entry("import_keras", "&Import Keras Model…", "import", ("Ctrl+I",), "Turn a .keras or .h5 file into a block"),
        Entry("export_h5", "Export as .&h5…", "", (), "Write the trained model as one .h5 file"),
        Entry("export", "&Export…", "export-variant", ("Ctrl+E",), "Write the trained model in a format to choose"),
        _LINE,
        Entry("settings", "Se&ttings…", "cog-outline", (_KEY.Preferences, "Ctrl+,"), role=QAction.PreferencesRole),
        Entry("close", "&Close Window", "", (_KEY.Close,)),
        Entry("quit", "&Quit", "", (_KEY.Quit, "Ctrl+Q"), role=QAction.QuitRole),
    ),
    "&Edit": (
        Entry("undo", "&Undo", "undo", (_KEY.Undo,)),
        Entry("redo", "&Redo", "redo", (_KEY.Redo, "Ctrl+Shift+Z", "Ctrl+Y")),
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
        Entry("distribute_across", "&Distribute Across", "distribute-horizontal-center", ("Ctrl+Shift+H",), canvas=True),
        Entry("distribute_down", "Distribute Do&wn", "distribute-vertical-center", ("Ctrl+Shift+V",), canvas=True),
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
    ),
    "&Run": (
        Entry("train", "&Train", "play", ("Ctrl+R",)),
        Entry("devices", "&Choose Devices…", "memory", ("Ctrl+Shift+R",)),
        Entry("measure", "&Measure Devices…", "speedometer", (), "Measure how fast this design trains on the chosen devices"),
        _LINE,
        Entry("next_page", "&Next Tab", "", ("Ctrl+PgDown", "Ctrl+Tab")),
        Entry("previous_page", "&Previous Tab", "", ("Ctrl+PgUp", "Ctrl+Shift+Tab")),
    ),
    "&Help": (
        Entry("guide", "User &Guide", "book-open-outline", (_KEY.HelpContents, "F1")),
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

    def __init__(self, window: QWidget, bar: QMenuBar, undo_stack: QUndoStack) -> None:
        self._by_name: dict[str, QAction] = {}
        self._icons: dict[str, str] = {}
        self._menus: dict[str, QMenu] = {}
        for title, entries in MENUS.items():
            menu = bar.addMenu(title)
            for entry in entries:
                self._add(window, menu, entry)
        self._add_theme_choice(window)
        self._follow(undo_stack)
        self.recolour()

    def __getitem__(self, name: str) -> QAction:
        return self._by_name[name]

    def menu(self, name: str) -> QMenu:
        return self._menus[name]

    @property
    def canvas(self) -> list[str]:
        """Return the names of the actions on the design view."""
        return [entry.name for entries in MENUS.values() for entry in entries if entry.canvas]

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
        keys = [key for wish in entry.keys for key in _sequences(wish)]
        action.setShortcuts(list(dict.fromkeys(keys)))
        action.setShortcutContext(Qt.WindowShortcut)
        if entry.tip:
            action.setToolTip(entry.tip)
            action.setStatusTip(entry.tip)
        if entry.icon:
            self._icons[entry.name] = entry.icon
        menu.addAction(action)
        self._by_name[entry.name] = action

    def _follow(self, stack: QUndoStack) -> None:
        """Keep text and state of *Undo* and *Redo* in step with the undo stack."""
        for name, text_changed, enabled_changed, text, enabled in (
            ("undo", stack.undoTextChanged, stack.canUndoChanged, stack.undoText(), stack.canUndo()),
            ("redo", stack.redoTextChanged, stack.canRedoChanged, stack.redoText(), stack.canRedo()),
        ):
            action, verb = self._by_name[name], name.capitalize()
            text_changed.connect(lambda words, action=action, verb=verb: action.setText(f"{verb} {words}".strip()))
            enabled_changed.connect(action.setEnabled)
            action.setText(f"{verb} {text}".strip())
            action.setEnabled(enabled)

    def _add_theme_choice(self, window: QWidget) -> None:
        group = QActionGroup(window)
        for mode, text in (("system", "Like the &System"), ("light", "&Light"), ("dark", "&Dark")):
            action = self._menus["theme"].addAction(text)
            action.setObjectName(f"action_theme_{mode}")
            action.setCheckable(True)
            action.setChecked(theme.mode() == mode)
            action.triggered.connect(lambda _checked, mode=mode: theme.set_mode(mode))
            group.addAction(action)
            self._by_name[f"theme_{mode}"] = action
        self._menus["theme"].aboutToShow.connect(lambda: self._by_name[f"theme_{theme.mode()}"].setChecked(True))


def _sequences(wish: Shortcut) -> list[QKeySequence]:
    """Return the platform's keys for a standard action, or the keys as written."""
    if isinstance(wish, str):
        return [QKeySequence(wish)]
    return QKeySequence.keyBindings(wish)


def shortcut_text(action: QAction) -> str:
    """Return the text of a tooltip: `Undo (Ctrl+Z)`."""
    words = action.toolTip() if action.toolTip() else action.text()
    keys = action.shortcut().toString(QKeySequence.NativeText)
    return f"{words} ({keys})" if keys else words
