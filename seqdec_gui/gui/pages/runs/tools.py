"""The buttons above the table of runs. The same actions form its context menu and have shortcuts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PyQt5.QtCore import QSize, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction, QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.pages.runs.filter_bar import FilterBar
from seqdec_gui.gui.widgets.command_reason import set_command_reason
from seqdec_gui.gui.widgets.elided_label import ElidedLabel
from seqdec_gui.gui.widgets.segments import Segments
from seqdec_gui.runs.listing import Entry

MANY = 10
"""The number of runs of one design from which on they can be filtered."""


class _Action(NamedTuple):
    """An action on runs; one that needs a `trained` run has weights to work with, and `several` may be chosen at once."""

    name: str
    text: str
    icon: str
    tip: str
    key: int = 0
    several: bool = False
    trained: bool = False
    in_bar: bool = True


ACTIONS = (
    _Action("show", "Show Curves", "chart-line", "Show this run on the Train tab", Qt.Key_Return),
    _Action(
        "overlay",
        "Overlay",
        "chart-multiple",
        "Draw the curves of the selected runs over the run on the Train tab",
        several=True,
    ),
    _Action("generate", "Generate…", "creation", "Generate with this run", trained=True),
    _Action("export", "Export…", "export", "Export the trained model of this run", trained=True),
    _Action(
        "begin",
        "New Run from These Weights…",
        "source-branch",
        "Train the open design, beginning with these weights",
        trained=True,
    ),
    _Action(
        "fork",
        "New Run from a Checkpoint…",
        "call-split",
        "Go on from a checkpoint of this run, under other settings",
        trained=True,
    ),
    _Action(
        "certify",
        "Certify…",
        "certificate-outline",
        "Compare by experiment the training on the run's devices with that on one device",
    ),
    _Action("errors", "Errors…", "magnify", "Show where this run's model goes wrong, the worst rows first", trained=True),
    _Action("reuse", "Reuse Settings", "restore", "Make this run's design the open one (can be undone)"),
    _Action("as_it_was", "Open Its Design As It Was", "file-restore-outline", "Open the design of this run as it was trained"),
    _Action("rename", "Rename…", "pencil-outline", "Give this run a name", Qt.Key_F2),
    _Action("tag", "Add Tags…", "tag-plus-outline", "Add tags to the selected runs", several=True, in_bar=False),
    _Action("folder", "Open Folder", "folder-open-outline", "Open the run's folder"),
    _Action(
        "forget",
        "Remove from List",
        "playlist-remove",
        "Take a run whose folder is gone off the list",
        several=True,
        in_bar=False,
    ),
    _Action("trash", "Move to Trash", "trash-can-outline", "Move the selected runs to the trash", Qt.Key_Delete, several=True),
)
"""The actions from left to right."""
_OBJECT_NAMES = {"begin": "action_new_run_from_weights"}
"""The object names of actions that are not called `run_<name>`."""
_WITH_TEXT = ("show", "overlay", "generate", "export")
"""The actions whose buttons show their text beside the icon."""


class Tools(QWidget):
    """The actions in `actions_by_name`, by the names in ACTIONS, with their buttons `run_<name>`.

    Above them are the choice between the open design (`runs_scope_design`) and all (`runs_scope_all`), and the button
    `add_runs_folder`; below them is the filter.
    """

    scope_changed = pyqtSignal()
    folder_requested = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.actions_by_name: dict[str, QAction] = {}
        self._title = ElidedLabel("runs_title")
        self._title.setProperty("role", "title")
        choices = (("design", "This design", "The runs of the open design"), ("all", "All runs", "Every run, of all designs"))
        self._scope = Segments(choices, "runs_scope")
        self._scope.chosen.connect(self._on_scope_chosen)
        self._add = QPushButton("Add folder…", objectName="add_runs_folder")
        self._add.setToolTip("Look for runs in a folder and those in it, and list them from now on")
        self._add.setProperty("kind", "flat")
        self._add.clicked.connect(self.folder_requested)
        self.filter_bar = FilterBar()
        heading = QHBoxLayout()
        heading.addWidget(self._title, 1)
        heading.addWidget(self._add)
        heading.addWidget(self._scope)
        bar = QHBoxLayout()
        bar.setSpacing(theme.SPACE)
        for action in ACTIONS:
            if action.name == "reuse":
                bar.addStretch(1)
            button = self._button(action)
            if action.in_bar:
                bar.addWidget(button)
            else:
                button.setParent(self)
                button.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * theme.SPACE, 3 * theme.SPACE, 3 * theme.SPACE, 2 * theme.SPACE)
        layout.setSpacing(2 * theme.SPACE)
        layout.addLayout(heading)
        layout.addWidget(self.filter_bar)
        layout.addLayout(bar)
        self.show_for(())
        self._show_scope()
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _button(self, entry: _Action) -> QToolButton:
        name, text = entry.name, entry.text
        action = QAction(text, self, objectName=_OBJECT_NAMES.get(name, ""))
        action.setToolTip(entry.tip)
        if entry.key:
            action.setShortcut(QKeySequence(entry.key))
            action.setShortcutContext(Qt.WidgetShortcut)
        self.actions_by_name[name] = action
        button = QToolButton(objectName=f"run_{name}")
        button.setDefaultAction(action)
        button.setAccessibleName(text)
        set_command_reason(button, "Select a run that has weights first" if entry.trained else "Select a run first")
        button.setIconSize(QSize(16, 16))
        button.setSizePolicy(QSizePolicy.Fixed, QSizePolicy.Fixed)
        button.setToolButtonStyle(Qt.ToolButtonTextBesideIcon if name in _WITH_TEXT else Qt.ToolButtonIconOnly)
        return button

    @property
    def all_designs(self) -> bool:
        return self._scope.value == "all"

    @pyqtSlot()
    def show_all_designs(self) -> None:
        """Choose all runs."""
        if not self.all_designs:
            self._scope.choose("all")
            self._on_scope_chosen("all")

    def set_count(self, shown: int, of: int, design: str, reading: bool = False) -> None:
        """Show how many of the runs of the chosen scope are in the table, and whether more are being read."""
        runs = counted(shown, "run") if shown == of else f"{shown:,} of {counted(of, 'run')}"
        words = runs if self.all_designs else f"{runs} of {design}"
        self._title.setText(f"{words}, reading more…" if reading else words)
        self.filter_bar.setVisible(self.all_designs or of >= MANY or self.filter_bar.filter.narrows)

    def show_for(self, chosen: Sequence[Entry]) -> None:
        """Enable the actions that are possible with the selected runs."""
        count, gone = len(chosen), any(entry.missing for entry in chosen)
        trained = any(entry.summary.epochs for entry in chosen)
        for entry in ACTIONS:
            enough = count > 0 if entry.several else count == 1
            self.actions_by_name[entry.name].setEnabled(enough and not gone and (trained or not entry.trained))
        self.actions_by_name["trash"].setEnabled(count > 0 and not gone and not any(entry.alive for entry in chosen))
        self.actions_by_name["forget"].setEnabled(count > 0 and all(entry.missing for entry in chosen))

    def _show_scope(self) -> None:
        self._add.setVisible(self.all_designs)
        self.filter_bar.set_own_only(not self.all_designs)

    @pyqtSlot(str)
    def _on_scope_chosen(self, _value: str) -> None:
        self._show_scope()
        self.scope_changed.emit()

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        for entry in ACTIONS:
            self.actions_by_name[entry.name].setIcon(icon(entry.icon))
