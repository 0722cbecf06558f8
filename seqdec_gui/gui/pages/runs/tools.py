"""The buttons above the table of runs. The same actions form its context menu and have shortcuts."""

from __future__ import annotations

from PyQt5.QtCore import QSize, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QAction, QCheckBox, QHBoxLayout, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.elided_label import ElidedLabel
from seqdec_gui.gui.look.icons import icon

_ACTIONS = (
    ("show", "Show Curves", "chart-line", "Show this run on the Train tab", Qt.Key_Return),
    ("overlay", "Overlay", "chart-multiple", "Draw the curves of the selected runs over the run on the Train tab", 0),
    ("generate", "Generate…", "creation", "Generate with this run", 0),
    ("export", "Export…", "export", "Export the trained model of this run", 0),
    ("begin", "New Run from These Weights…", "source-branch", "Train the open design, beginning with these weights", 0),
    ("certify", "Certify…", "certificate-outline", "Compare by experiment the training on the run's devices with that on one device", 0),
    ("reuse", "Reuse Settings", "restore", "Make this run's design the open one (can be undone)", 0),
    ("rename", "Rename…", "pencil-outline", "Give this run a name", Qt.Key_F2),
    ("folder", "Open Folder", "folder-open-outline", "Open the run's folder", 0),
    ("trash", "Move to Trash", "trash-can-outline", "Move the selected runs to the trash", Qt.Key_Delete),
)
"""The actions from left to right: name, text, icon, tooltip and shortcut."""
_OBJECT_NAMES = {"begin": "action_new_run_from_weights"}
"""The object names of actions that are not called `run_<name>`."""
_WITH_TEXT = ("show", "overlay", "generate", "export")
"""The actions whose buttons show their text beside the icon."""


class Tools(QWidget):
    """The actions in `actions_by_name`: show, overlay, generate, export, begin, certify, reuse, rename, folder, trash.

    Their buttons are `run_<name>`.
    """

    all_designs_toggled = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.actions_by_name: dict[str, QAction] = {}
        self._title = ElidedLabel("runs_title")
        self._title.setProperty("role", "title")
        self._all = QCheckBox("All designs in this folder", objectName="all_designs")
        self._all.toggled.connect(self._on_all_toggled)
        heading = QHBoxLayout()
        heading.addWidget(self._title, 1)
        heading.addWidget(self._all)
        bar = QHBoxLayout()
        bar.setSpacing(theme.SPACE)
        for name, text, _, tip, key in _ACTIONS:
            if name == "reuse":
                bar.addStretch(1)
            bar.addWidget(self._button(name, text, tip, key))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * theme.SPACE, 3 * theme.SPACE, 3 * theme.SPACE, 2 * theme.SPACE)
        layout.setSpacing(2 * theme.SPACE)
        layout.addLayout(heading)
        layout.addLayout(bar)
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _button(self, name: str, text: str, tip: str, key: int) -> QToolButton:
        action = QAction(text, self, objectName=_OBJECT_NAMES.get(name, ""))
        action.setToolTip(tip)
        if key:
            action.setShortcut(QKeySequence(key))
            action.setShortcutContext(Qt.WidgetShortcut)
        self.actions_by_name[name] = action
        button = QToolButton(objectName=f"run_{name}")
        button.setDefaultAction(action)
        button.setAccessibleName(text)
        button.setIconSize(QSize(16, 16))
        button.setSizePolicy(QSizePolicy.Fixed, QSizePolicy.Fixed)
        button.setToolButtonStyle(Qt.ToolButtonTextBesideIcon if name in _WITH_TEXT else Qt.ToolButtonIconOnly)
        return button

    @property
    def all_designs(self) -> bool:
        return self._all.isChecked()

    @pyqtSlot()
    def show_all_designs(self) -> None:
        self._all.setChecked(True)

    def set_count(self, shown: int, design: str, there: int) -> None:
        """Show how many of the `there` runs in the folder are in the table."""
        runs = "1 run" if shown == 1 else f"{shown} runs"
        self._title.setText(runs if self.all_designs else f"{runs} of {design}")
        self._all.setVisible(self.all_designs or there > shown)

    def show_for(self, count: int, alive: bool, trained: bool) -> None:
        """Enable the actions that are possible with this number of selected runs."""
        for name, action in self.actions_by_name.items():
            action.setEnabled(count > 0 if name in ("overlay", "trash") else count == 1)
        self.actions_by_name["trash"].setEnabled(count > 0 and not alive)
        for name in ("generate", "export", "begin"):
            self.actions_by_name[name].setEnabled(count == 1 and trained)

    @pyqtSlot(bool)
    def _on_all_toggled(self, _on: bool) -> None:
        self.all_designs_toggled.emit()

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        for name, _, picture, _, _ in _ACTIONS:
            self.actions_by_name[name].setIcon(icon(picture))
