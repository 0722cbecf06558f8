"""The button that shows which devices the next run trains on, and the list that it opens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PyQt5.QtCore import QPoint, QSize, Qt, pyqtSlot
from PyQt5.QtGui import QPainter, QPaintEvent, QShowEvent
from PyQt5.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QFrame,
    QLabel,
    QRadioButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.widgets.while_shown import WhileShown
from seqdec_gui.gui.workspace.devices import DeviceSelection
from seqdec_gui.runs.devices import Device
from seqdec_gui.runs.spec import DeviceChoice

REFRESH_MS = 2000
"""The time between two readings of the devices' load while the list is open, in milliseconds."""
GIB = 2**30
"""The bytes of a gibibyte."""
FACTS_WIDTH = 330
"""The width of the line about a host, in pixels."""
CHEVRON_SIZE = 18
"""The side of the arrow at the right of the button, in pixels."""


class DevicePicker(QToolButton):
    """Shows and changes the chosen devices.

    Object name `device_picker`; the list has a button `device_auto`, `device_cpu`, `device_cpu_2`, `device_gpu_0`, ..., and for
    a host `lab` buttons `device_lab_auto`, `device_lab_cpu`, `device_lab_gpu_0`, ...
    """

    def __init__(self, devices: DeviceSelection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("device_picker")
        self.setAccessibleName("Devices of the next run")
        self.setProperty("kind", "picker")
        self.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(18, 18))
        self._devices = devices
        self._list = DeviceList(devices, self)
        self.clicked.connect(self.open_list)
        devices.devices_changed.connect(self._on_devices_changed)
        devices.choice_changed.connect(self._on_devices_changed)
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self._on_devices_changed()

    @pyqtSlot()
    def open_list(self) -> None:
        """Open the list below the button."""
        self._list.adjustSize()
        corner = self.mapToGlobal(QPoint(self.width() - self._list.width(), self.height() + theme.SPACE))
        self._list.move(corner)
        self._list.show()

    @pyqtSlot()
    def _on_devices_changed(self) -> None:
        devices = self._devices
        if not devices.known:
            self.setText("Devices…  ")
            return
        automatic = devices.choice.kind == "auto"
        self.setText(f"{'Auto: ' if automatic else ''}{devices.label}    ")
        names = {device.id: device.name for device in devices.listed}
        used = [f"{name}: {names[name]}" for name in devices.resolved.names if name in names]
        words = used or [devices.label]
        self.setToolTip("\n".join(["The next run trains on", *words, *(problem.sentence() for problem in devices.warnings)]))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        self._chevron.paint(
            painter, self.width() - CHEVRON_SIZE - theme.SPACE, (self.height() - CHEVRON_SIZE) // 2, CHEVRON_SIZE, CHEVRON_SIZE
        )
        painter.end()

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self.setIcon(icon("memory"))
        self._chevron = icon("chevron-down")


class Row(NamedTuple):
    """A device of the list, as `--devices` takes it, and the host it belongs to; empty for this machine."""

    host: str
    device: str

    @property
    def object_name(self) -> str:
        machine = f"{self.host}_" if self.host else ""
        return f"device_{machine}{self.device.replace(':', '_')}"


class DeviceList(QFrame):
    """The list of devices with their memory and load, refreshed while it is open."""

    def __init__(self, devices: DeviceSelection, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.Popup)
        self.setObjectName("device_list")
        self.setProperty("role", "card")
        self.setMinimumWidth(340)
        self._devices = devices
        self._buttons: dict[Row, QAbstractButton] = {}
        self._facts: dict[Row, QLabel] = {}
        self._updating = False
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(*4 * (3 * theme.SPACE,))
        self._layout.setSpacing(0)
        WhileShown(self, self._look, REFRESH_MS)
        devices.devices_changed.connect(self._on_devices_changed)
        devices.choice_changed.connect(self._on_devices_changed)
        self._build()

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        chosen = next((button for button in self._buttons.values() if button.isChecked()), None)
        if chosen is not None:
            chosen.setFocus()

    def _look(self) -> None:
        self._devices.refresh()
        self._devices.refresh_hosts()

    def _build(self) -> None:
        """Make one row per device. The CPU is listed at once, so it can be chosen before the driver answers."""
        while self._layout.count():
            old = self._layout.takeAt(0).widget()
            old.hide()  # it is deleted later
            old.deleteLater()
        self._buttons = {}
        self._facts = {}
        self._add_machine("", self._devices.devices)
        for host, known in self._devices.hosts.items():
            self._add_machine(host, known.devices)
        self._update()

    def _add_machine(self, host: str, devices: Sequence[Device]) -> None:
        gpus = [device for device in devices if device.kind == "gpu"]
        cpus = [device for device in devices if device.kind == "cpu"]
        if host:
            self._add_heading(f"Host {host}")
        self._add_row(Row(host, "auto"), f"Automatic, on {host}" if host else "Automatic", QRadioButton())
        if gpus and not host:
            self._add_heading("GPUs, any number")
        for device in gpus:
            self._add_row(Row(host, device.id), f"{device.index}  {device.name}", QCheckBox())
        if not host:
            self._add_heading("Processor")
        names = {device.id: device.name for device in cpus} or ({} if host else {"cpu": "CPU", "cpu:2": "2 virtual devices"})
        for device_id, name in names.items():
            if not (host and device_id != "cpu"):
                self._add_row(Row(host, device_id), name, QRadioButton())

    def _add_heading(self, text: str) -> None:
        heading = QLabel(text)
        heading.setProperty("role", "section")
        heading.setContentsMargins(0, 2 * theme.SPACE, 0, theme.SPACE)
        self._layout.addWidget(heading)

    def _add_row(self, row: Row, text: str, button: QAbstractButton) -> None:
        button.setText(text)
        button.setAutoExclusive(False)
        button.setObjectName(row.object_name)
        button.toggled.connect(lambda on, chosen=row: self._on_button_toggled(chosen, on))
        facts = QLabel()
        if row.host and row.device == "auto":  # why the host cannot be used may be long
            facts.setWordWrap(True)
            facts.setFixedWidth(FACTS_WIDTH)
        facts.setProperty("role", "small")
        facts.setContentsMargins(22, 0, 0, theme.SPACE)
        self._layout.addWidget(button)
        self._layout.addWidget(facts)
        self._buttons[row], self._facts[row] = button, facts

    def _update(self) -> None:
        choice, host = self._devices.choice, self._devices.host
        names = choice.names if choice.kind == "gpu" else (str(choice),)
        chosen = {Row(host, name) for name in names}
        by_row = {Row("", device.id): device for device in self._devices.devices}
        for name, known in self._devices.hosts.items():
            by_row |= {Row(name, device.id): device for device in known.devices}
        self._updating = True
        for row, button in self._buttons.items():
            button.setChecked(row in chosen)
            words = self._words_of_auto(row) if row.device == "auto" else facts_of(by_row.get(row))
            self._facts[row].setText(words)
            self._facts[row].setVisible(bool(words))
            if self._facts[row].wordWrap():
                self._facts[row].setMinimumHeight(self._facts[row].heightForWidth(FACTS_WIDTH))
        self._updating = False

    def _words_of_auto(self, row: Row) -> str:
        if not row.host:
            return "All idle GPUs, otherwise the CPU"
        known = self._devices.hosts[row.host]
        return known.trouble or ("All of its idle GPUs, otherwise its CPU" if known.devices else "Asking for its devices…")

    @pyqtSlot()
    def _on_devices_changed(self) -> None:
        devices = self._devices
        listed = {Row("", "auto"), *(Row("", device.id) for device in devices.devices)}
        for name, known in devices.hosts.items():
            listed |= {Row(name, "auto"), *(Row(name, each.id) for each in known.devices if each.id != "cpu:2")}
        if devices.known and listed != set(self._buttons):
            self._build()
        else:
            self._update()
        if self.isVisible():
            self.adjustSize()

    def _on_button_toggled(self, row: Row, on: bool) -> None:
        if self._updating:
            return
        if row.device.startswith("gpu:"):
            gpus = [
                int(other.device[4:])
                for other, button in self._buttons.items()
                if other.host == row.host and other.device.startswith("gpu:") and button.isChecked()
            ]
            choice = DeviceChoice("gpu", gpus=tuple(gpus)) if gpus else DeviceChoice("auto")
        elif not on:  # a click on the one that is chosen already
            self._update()
            return
        elif row.device == "auto":
            choice = DeviceChoice("auto")
        else:
            choice = DeviceChoice("cpu", count=int(row.device.partition(":")[2] or 1))
        self._devices.choose(choice, row.host)


def facts_of(device: Device | None) -> str:
    """Return a line about a device: `3.1 of 80 GiB in use · load 12 % · 1 program`."""
    if device is None:
        return ""
    if device.virtual:
        return "The CPU split into two devices, to try parallel training"
    facts = []
    if device.cores:
        facts.append(counted(device.cores, "core"))
    if device.memory_used is not None and device.memory_total:
        facts.append(f"{device.memory_used / GIB:.1f} of {device.memory_total / GIB:.0f} GiB in use")
    if device.load is not None:
        facts.append(f"load {100 * device.load:.0f} %")
    if device.others:
        facts.append(f"in use by {counted(device.others, 'program')}")
    return "  ·  ".join(facts)
