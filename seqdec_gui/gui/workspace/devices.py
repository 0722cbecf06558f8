"""The devices of this machine, and the choice of those that the next run trains on."""

from __future__ import annotations

from PyQt5.QtCore import QObject, pyqtSignal

from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.gui.look import preferences
from seqdec_gui.gui.tasks import background
from seqdec_gui.runs.devices import Device, check_choice, list_devices, parse_devices, resolve
from seqdec_gui.runs.spec import DeviceChoice


class DeviceSelection(QObject):
    """The chosen devices, kept between starts. A choice that this machine cannot provide becomes `auto`."""

    devices_changed = pyqtSignal()
    choice_changed = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.devices: tuple[Device, ...] = ()
        self.choice = DeviceChoice()
        self._asked: background.Operation | None = None

    @property
    def known(self) -> bool:
        """Return whether the devices have been listed yet."""
        return bool(self.devices)

    @property
    def resolved(self) -> DeviceChoice:
        """Return the choice, with `auto` replaced by the devices that are idle now."""
        return resolve(self.choice, self.devices)

    @property
    def label(self) -> str:
        """Return the devices in words: `CPU`, `2 CPU devices`, `GPU 1`, `2 GPUs`."""
        chosen = self.resolved
        if chosen.kind == "gpu":
            return f"GPU {chosen.gpus[0]}" if len(chosen.gpus) == 1 else f"{len(chosen.gpus)} GPUs"
        return "CPU" if chosen.replicas == 1 else f"{chosen.replicas} CPU devices"

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Return warnings about the chosen devices, such as busy GPUs."""
        try:
            return check_choice(self.resolved, self.devices)
        except InvalidInput as error:
            return error.problems

    def choose(self, choice: DeviceChoice) -> None:
        """Train on these devices from now on."""
        if choice != self.choice:
            self.choice = choice
            preferences.set_devices(str(choice))
            self.choice_changed.emit()

    def refresh(self) -> None:
        """List the devices again in a thread, as the driver may take some time. Only one listing runs at a time."""
        if self._asked is None:
            self._asked = background.run(list_devices, self._on_devices_listed, self._on_devices_not_listed, self)

    def _on_devices_listed(self, devices: tuple[Device, ...]) -> None:
        self._asked = None
        first, self.devices = not self.devices, devices
        wish = preferences.devices() if first else str(self.choice)
        try:
            self.choice, _ = parse_devices(wish, devices)
        except InvalidInput:
            self.choice = DeviceChoice()
        self.devices_changed.emit()

    def _on_devices_not_listed(self, error: Exception) -> None:
        self._asked = None
        if not isinstance(error, OSError):
            raise error
