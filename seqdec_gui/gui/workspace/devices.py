"""The devices of this machine and of the user's hosts, and the choice of those that the next run trains on."""

from __future__ import annotations

import time
from functools import partial

import msgspec
from PyQt5.QtCore import QObject, QThreadPool, pyqtSignal

from seqdec_gui.domain.problems import InvalidInput, Problem, SeqdecError
from seqdec_gui.gui.look import preferences
from seqdec_gui.gui.tasks import background
from seqdec_gui.runs.devices import Device, check_choice, list_devices, parse_devices, resolve
from seqdec_gui.runs.hosts import book
from seqdec_gui.runs.spec import DeviceChoice

HOSTS_AGAIN_S = 15.0
"""Seconds after which hosts are asked again for their devices while the list is looked at."""


class HostDevices(msgspec.Struct, frozen=True):
    """What is known of a host: its devices, or why there are none. Both are empty while it is being asked the first time."""

    devices: tuple[Device, ...] = ()
    trouble: str = ""


class DeviceSelection(QObject):
    """The chosen devices, kept between starts. A choice that this machine cannot provide becomes `auto`.

    `host` is the machine they belong to, empty for this one; `devices` are those of this machine.
    """

    devices_changed = pyqtSignal()
    choice_changed = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.devices: tuple[Device, ...] = ()
        self.hosts: dict[str, HostDevices] = {}
        self.choice = DeviceChoice()
        self.host = ""
        self._asked: background.Operation | None = None
        self._hosts_asked: dict[str, background.Operation] = {}
        self._hosts_due = 0.0

    @property
    def known(self) -> bool:
        """Return whether the devices have been listed yet."""
        return bool(self.devices)

    @property
    def listed(self) -> tuple[Device, ...]:
        """Return the devices of the machine that the choice is for, as far as they are known."""
        return self.hosts.get(self.host, HostDevices()).devices if self.host else self.devices

    @property
    def resolved(self) -> DeviceChoice:
        """Return the choice, with `auto` replaced by the devices that are idle now; a host decides that itself."""
        return self.choice if self.host else resolve(self.choice, self.devices)

    @property
    def here(self) -> DeviceChoice:
        """Return devices of this machine for what is measured here: those that are chosen, or where a host is, idle ones."""
        return resolve(DeviceChoice() if self.host else self.choice, self.devices)

    @property
    def label(self) -> str:
        """Return the devices in words: `CPU`, `2 CPU devices`, `GPU 1`, `2 GPUs`, `2 GPUs of lab`, `lab`."""
        chosen = self.resolved
        if chosen.kind == "auto":
            return self.host or "CPU"
        if chosen.kind == "gpu":
            words = f"GPU {chosen.gpus[0]}" if len(chosen.gpus) == 1 else f"{len(chosen.gpus)} GPUs"
        else:
            words = "CPU" if chosen.replicas == 1 else f"{chosen.replicas} CPU devices"
        return f"{words} of {self.host}" if self.host else words

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Return warnings about the chosen devices, such as busy GPUs."""
        if self.host and not self.listed:
            return ()
        try:
            return check_choice(self.resolved, self.listed)
        except InvalidInput as error:
            return error.problems

    def choose(self, choice: DeviceChoice, host: str = "") -> None:
        """Train on these devices from now on."""
        if (choice, host) != (self.choice, self.host):
            self.choice, self.host = choice, host
            preferences.set_devices(str(choice))
            preferences.set_device_host(host)
            self.choice_changed.emit()

    def refresh(self) -> None:
        """List the devices again in a thread, as the driver may take some time. Only one listing runs at a time."""
        if self._asked is None:
            self._asked = background.run(list_devices, self._on_devices_listed, self._on_devices_not_listed, self)

    def refresh_hosts(self, now: bool = False) -> None:
        """Ask the hosts for their devices, each in a thread, unless they were asked a moment ago."""
        if not now and time.monotonic() < self._hosts_due:
            return
        self._hosts_due = time.monotonic() + HOSTS_AGAIN_S
        background.run(book.read, self._on_hosts_read, self._on_hosts_not_read, self)

    def _on_hosts_read(self, hosts: tuple[book.Host, ...]) -> None:
        self.hosts = {host.name: self.hosts.get(host.name, HostDevices()) for host in hosts}
        if self.host and self.host not in self.hosts:
            self.choose(DeviceChoice())
        for name in self.hosts:
            if name not in self._hosts_asked:
                answered = partial(self._on_host_answered, name)
                self._hosts_asked[name] = background.run(partial(_devices_of, name), answered, owner=self)
        self.devices_changed.emit()

    def _on_hosts_not_read(self, error: Exception) -> None:
        if not isinstance(error, SeqdecError):
            raise error
        self.hosts = {}
        self.devices_changed.emit()

    def _on_host_answered(self, name: str, found: HostDevices) -> None:
        self._hosts_asked.pop(name, None)
        if name in self.hosts:
            before = self.hosts[name]
            self.hosts[name] = found if found.devices else msgspec.structs.replace(before, trouble=found.trouble)
            self.devices_changed.emit()

    def _on_devices_listed(self, devices: tuple[Device, ...]) -> None:
        self._asked = None
        first, self.devices = not self.devices, devices
        if first and preferences.device_host():
            self.host = preferences.device_host()
            self.refresh_hosts()
        wish = preferences.devices() if first else str(self.choice)
        try:
            self.choice = _parsed(wish) if self.host else parse_devices(wish, devices)[0]
        except InvalidInput:
            self.choice = DeviceChoice()
        self.devices_changed.emit()

    def _on_devices_not_listed(self, error: Exception) -> None:
        self._asked = None
        if not isinstance(error, OSError):
            raise error


def _devices_of(name: str) -> HostDevices:
    """Reach a host and return its devices, or why it cannot be used. Runs in a thread."""
    from seqdec_gui.runs.hosts.starting import look

    pool = QThreadPool.globalInstance()
    pool.releaseThread()  # this thread only waits, for a minute if the host does not answer: others may go on meanwhile
    try:
        return HostDevices(look(name).devices)
    except SeqdecError as error:
        return HostDevices(trouble=str(error).removeprefix(f"{name}: "))
    finally:
        pool.reserveThread()


def _parsed(wish: str) -> DeviceChoice:
    """Return a choice of devices of a host, which is not asked whether it has them. Raises InvalidInput."""
    indices = range(64)
    return parse_devices(wish, tuple(Device(f"gpu:{index}", "gpu", "") for index in indices))[0]
