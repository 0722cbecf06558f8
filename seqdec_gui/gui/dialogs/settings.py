"""The settings dialog. Every change takes effect at once; there is nothing to confirm."""

from __future__ import annotations

from PyQt5.QtCore import pyqtSlot
from PyQt5.QtGui import QShowEvent
from PyQt5.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain.paths import expanded
from seqdec_gui.gui.dialogs.hosts import open_hosts
from seqdec_gui.gui.look import preferences, theme
from seqdec_gui.gui.tasks import notify, warm_workers
from seqdec_gui.gui.widgets.focus import KeepsFocus
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs.spec import DeviceChoice

THEMES = {
    "system": "Like the system",
    "light": "Light",
    "dark": "Dark",
    "light_contrast": "Light, high contrast",
    "dark_contrast": "Dark, high contrast",
}
"""The words of the theme choices, by the value that is kept."""
WIDTH = 600
"""The least width of the dialog, in pixels."""


class SettingsDialog(KeepsFocus, QDialog):
    """The dialog of the program's settings.

    Object name `settings_dialog`; controls `setting_theme`, `setting_autosave`, `setting_reopen`, `setting_run_folder`,
    `setting_devices`, `setting_hosts`, `setting_warm_workers`.
    """

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("settings_dialog")
        self.setWindowTitle("Settings")
        self._workspace = workspace
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(4 * theme.SPACE)
        self._grid.setVerticalSpacing(theme.SPACE)
        self._grid.setColumnStretch(1, 1)
        self._add_section("Appearance")
        self._add("Theme", self._theme_box(), "On Linux, the system's choice is read from the desktop portal.")
        self._add_section("Editing")
        self._add("Autosave", self._autosave_box(), "Writes a recovery file two seconds after a change.")
        self._add("Tabs", self._session_box(), "They are read when you click their tabs.")
        self._add_section("Runs")
        self._add("Run folder", self._folder_row(), "If empty, runs are written to the folder runs beside the design.")
        self._add("Devices", self._devices_box(), "The devices that runs train on, unless others are chosen in the toolbar.")
        self._add("Hosts", self._hosts_row(), "Other machines to train on, reached through ssh.")
        text = "Training, generating and exporting begin at once. Takes up to 2 GB of memory, none while little is left."
        self._add("Start", self._warm_box(), text)
        self._add_section("Privacy")
        self._add("Telemetry", QLabel("None. Only what you train on a host leaves this machine."))
        buttons = QDialogButtonBox(QDialogButtonBox.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*4 * (6 * theme.SPACE,))
        layout.setSpacing(4 * theme.SPACE)
        layout.addLayout(self._grid)
        layout.addStretch(1)
        layout.addWidget(buttons)
        self.setMinimumWidth(WIDTH)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Take the height that the wrapped texts need at this width, which Qt's own guess does not give."""
        super().showEvent(event)
        if self.layout().hasHeightForWidth():  # not where it scrolls
            self.setMinimumHeight(self.layout().heightForWidth(self.width()))

    def _add_section(self, title: str) -> None:
        heading = QLabel(title.upper())
        heading.setProperty("role", "section")
        row = self._grid.rowCount()
        self._grid.setRowMinimumHeight(row, 2 * theme.SPACE if row > 1 else 0)
        self._grid.addWidget(heading, row + 1, 0, 1, 2)

    def _add(self, label: str, control: QWidget, help_text: str = "") -> None:
        row = self._grid.rowCount()
        name = QLabel(label)
        name.setBuddy(control)
        self._grid.addWidget(name, row, 0)
        if isinstance(control, QCheckBox):  # a click beside its text would do nothing
            control.setSizePolicy(QSizePolicy.Maximum, QSizePolicy.Preferred)
        self._grid.addWidget(control, row, 1)
        if help_text:
            words = QLabel(help_text, wordWrap=True)
            words.setProperty("role", "small")
            self._grid.addWidget(words, row + 1, 1)
            self._grid.setRowMinimumHeight(row + 2, theme.SPACE)

    def _theme_box(self) -> QComboBox:
        self._theme = QComboBox(objectName="setting_theme")
        for mode, text in THEMES.items():
            self._theme.addItem(text, mode)
        self._theme.setCurrentIndex(self._theme.findData(theme.mode()))
        self._theme.currentIndexChanged.connect(self._on_theme_box_changed)
        return self._theme

    def _autosave_box(self) -> QCheckBox:
        box = QCheckBox("Keep unsaved changes safe", objectName="setting_autosave")
        box.setChecked(preferences.autosave_is_on())
        box.toggled.connect(preferences.set_autosave)
        return box

    def _session_box(self) -> QCheckBox:
        box = QCheckBox("Show tabs for the designs that were open", objectName="setting_reopen")
        box.setChecked(preferences.reopens_designs())
        box.toggled.connect(preferences.set_reopens_designs)
        return box

    def _folder_row(self) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * theme.SPACE)
        folder = preferences.run_folder()
        self._folder = QLineEdit(str(folder) if folder else "", objectName="setting_run_folder")
        self._folder.setAccessibleName("Run folder")
        self._folder.setPlaceholderText("runs, beside the design")
        self._folder.textChanged.connect(self._on_folder_text_changed)
        choose = QPushButton("Choose…", objectName="setting_run_folder_choose")
        choose.clicked.connect(
            lambda: notify.choose_folder(self, "Folder for runs", lambda path: self._folder.setText(str(path)), folder)
        )
        row.addWidget(self._folder, 1)
        row.addWidget(choose)
        return holder

    def _devices_box(self) -> QComboBox:
        self._devices = QComboBox(objectName="setting_devices")
        devices = self._workspace.devices
        gpus = tuple(device.index for device in devices.devices if device.kind == "gpu")
        choices = [DeviceChoice(), DeviceChoice("cpu"), DeviceChoice("cpu", count=2)]
        choices += [DeviceChoice("gpu", gpus=(index,)) for index in gpus]
        choices += [DeviceChoice("gpu", gpus=gpus)] if len(gpus) > 1 else []
        choices += [] if devices.choice in choices or devices.host else [devices.choice]
        for choice in choices:
            self._devices.addItem("Automatic: idle GPUs, otherwise the CPU" if choice.kind == "auto" else str(choice), choice)
        self._devices.setCurrentIndex(-1 if devices.host else choices.index(devices.choice))
        self._devices.setPlaceholderText(f"Those of {devices.host}, as chosen in the toolbar")
        self._devices.currentIndexChanged.connect(lambda index: devices.choose(self._devices.itemData(index)))
        return self._devices

    def _hosts_row(self) -> QPushButton:
        button = QPushButton("Hosts…", objectName="setting_hosts")
        button.setSizePolicy(QSizePolicy.Maximum, QSizePolicy.Preferred)
        button.clicked.connect(lambda: open_hosts(self._workspace, self))
        return button

    def _warm_box(self) -> QCheckBox:
        box = QCheckBox("Keep a process ready for what comes next", objectName="setting_warm_workers")
        box.setChecked(preferences.warm_workers_are_on())
        box.toggled.connect(self._on_warm_box_toggled)
        return box

    @pyqtSlot(bool)
    def _on_warm_box_toggled(self, on: bool) -> None:
        preferences.set_warm_workers(on)
        if on:
            warm_workers.begin()
        else:
            warm_workers.end()

    @pyqtSlot(int)
    def _on_theme_box_changed(self, index: int) -> None:
        theme.set_mode(self._theme.itemData(index))

    @pyqtSlot(str)
    def _on_folder_text_changed(self, text: str) -> None:
        preferences.set_run_folder(expanded(text) if text.strip() else None)
