"""List the devices to train on, as the driver sees them."""

from __future__ import annotations

import argparse

from seqdec_gui.commands.console import say, say_json, say_table
from seqdec_gui.runs.devices import Device, list_devices


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help='as JSON: {"devices": [...]}, memory in bytes, load from 0 to 1')


def run(arguments: argparse.Namespace) -> int:
    devices = list_devices()
    if arguments.json:
        say_json({"devices": devices})
        return 0
    rows = [("device", "name", "memory used", "load")]
    rows += [(device.id, _name(device), _memory(device), _load(device)) for device in devices]
    say_table(rows, right=(2, 3))
    if not any(device.kind == "gpu" for device in devices):
        say("No GPU: there is none, or its driver does not answer.")
    return 0


def _name(device: Device) -> str:
    cores = f", {device.cores} cores" if device.cores and not device.virtual else ""
    return f"{device.name}{cores}{' (busy)' if device.busy else ''}"


def _memory(device: Device) -> str:
    if device.memory_total is None or device.memory_used is None:
        return ""
    return f"{device.memory_used / 2**30:.1f} of {device.memory_total / 2**30:.1f} GiB"


def _load(device: Device) -> str:
    return "" if device.load is None else f"{device.load:.0%}"
