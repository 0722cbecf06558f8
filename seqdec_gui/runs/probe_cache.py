"""A cache of measurements: a small JSON file for each machine, set of versions, design shape, choice of devices and batch.

The files are in the user's cache folder and can be deleted at any time. A file that is damaged, has another format or is too
old is ignored.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from seqdec_gui import __version__
from seqdec_gui.domain.design import Design
from seqdec_gui.runs.devices import Device, list_devices
from seqdec_gui.runs.engines import measured_distributions
from seqdec_gui.runs.files import pretty_json, write_atomically
from seqdec_gui.runs.measurement import Measurement
from seqdec_gui.runs.spec import DeviceChoice

File = TypeVar("File", bound=msgspec.Struct)
FORMAT = 1
MAX_AGE_S = 30 * 86400.0
"""Seconds for which a measurement is used."""
MAX_FAILURE_AGE_S = 3600.0
"""Seconds for which a measurement that ran out of memory is used, because the memory may be free later."""
ANY_LOAD_S = 600.0
"""Seconds for which a measurement is used whatever else the machine does meanwhile: a run follows its probe."""
BUSY_LOAD = 0.75
"""Programs that wait for a core, per core, from which a machine counts as busy."""


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The conditions of a measurement: the devices by name (and driver), not by number."""

    machine: tuple[str, ...]
    versions: tuple[str, ...]
    shape: str
    batch_size: int

    @property
    def digest(self) -> str:
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:32]


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One measurement and when it was made (unix seconds). `busy`: whether other programs kept the cores busy, if known."""

    time: float
    measurement: Measurement
    busy: bool | None = None


class Cached(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the cache."""

    format: int
    key: Key
    kept: tuple[Kept, ...] = ()


def key_of(design: Design, devices: DeviceChoice, batch_size: int, available: Sequence[Device] | None = None) -> Key:
    """Return the key of measurements of this design on these devices (not `auto`)."""
    return Key(machine_of(devices, available), versions(), shape_of(design), batch_size)


def machine_of(devices: DeviceChoice, available: Sequence[Device] | None = None) -> tuple[str, ...]:
    """Return the devices as text: `2 x AMD EPYC, 2 cores`, or one entry per GPU with its driver."""
    known = {device.id: device for device in (list_devices() if available is None else available)}
    if devices.kind == "gpu":
        gpus = [known.get(name) for name in devices.names]
        return tuple(f"{gpu.name}, driver {gpu.driver}" if gpu else "a GPU that is not there" for gpu in gpus)
    cpu = known.get("cpu")
    return (f"{devices.count} x {cpu.name}, {cpu.cores} cores" if cpu else f"{devices.count} x CPU",)


def versions() -> tuple[str, ...]:
    """Return names and versions of this program, and of the packages that decide how fast a step is."""
    names = [f"seqdec-gui {__version__}"]
    for package in measured_distributions():
        try:
            names.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    return tuple(names)


def shape_of(design: Design) -> str:
    """Return a check sum of all parts of a design that decide how long a step takes, without names, positions and data."""
    number = {block.id: i for i, block in enumerate(design.blocks)}
    links = sorted(
        (number.get(link.source.block, -1), link.source.port, number.get(link.target.block, -1), link.target.port)
        for link in design.links
    )
    training = design.training
    settings = (
        training.optimizer, training.precision, training.batch_statistics, bool(training.clip_norm), training.micro_batches,
        bool(training.clip_value), bool(training.label_smoothing), training.averages,
        *([True] if training.rematerialise else []),
    )  # fmt: skip
    content: Any = ([block.parameters for block in design.blocks], links, settings)
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


def load(key: Key, now: float | None = None, folder: Path | None = None, busy: bool | None = None) -> tuple[Measurement, ...]:
    """Return the measurements for this key that are not too old, at most one per engine. Never raises.

    With `busy` (see `cores_are_busy`) only those of a machine that was as busy, or as idle, or of the last ten minutes.
    """
    now = time.time() if now is None else now
    return tuple(kept.measurement for kept in _read(key, folder) if _is_young(kept, now) and _is_alike(kept, now, busy))


def store(
    key: Key,
    measurements: Iterable[Measurement],
    now: float | None = None,
    folder: Path | None = None,
    busy: bool | None = None,
) -> None:
    """Store measurements, which replace older ones of the same engine. A cache that cannot be written is not an error."""
    now = time.time() if now is None else now
    fresh = {each.engine: Kept(now, each, busy) for each in measurements if each.failed in ("", "out_of_memory")}
    if not fresh:
        return
    others = tuple(kept for kept in _read(key, folder) if kept.measurement.engine not in fresh)
    write_kept(_path(key, folder), Cached(FORMAT, key, (*others, *fresh.values())))


def cores_are_busy(devices: DeviceChoice) -> bool | None:
    """Return whether programs wait for the cores that a training on these devices computes on.

    None on GPUs, and where the system does not say. The average of a minute: what ended a moment ago counts.
    """
    if devices.kind != "cpu" or not hasattr(os, "getloadavg"):
        return None
    return os.getloadavg()[0] > BUSY_LOAD * (os.cpu_count() or 1)


def _read(key: Key, folder: Path | None) -> tuple[Kept, ...]:
    cached = read_kept(_path(key, folder), Cached)
    return cached.kept if cached is not None and cached.format == FORMAT and cached.key == key else ()


def read_kept(path: Path, kind: type[File]) -> File | None:
    """Read a file of the cache; None if there is none, or it is damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def write_kept(path: Path, content: msgspec.Struct) -> None:
    """Write a file of the cache. A cache that cannot be written is not an error, because measurements can be repeated."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, pretty_json(content))


def cache_folder() -> Path:
    """Return the folder of the cache."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("seqdec-gui")) / "probes"


def _path(key: Key, folder: Path | None) -> Path:
    return (folder or cache_folder()) / f"{key.digest}.json"


def _is_young(kept: Kept, now: float) -> bool:
    """Whether a measurement is not too old; one from up to a minute in the future counts as new."""
    age = now - kept.time
    return -60.0 <= age <= (MAX_FAILURE_AGE_S if kept.measurement.failed else MAX_AGE_S)


def _is_alike(kept: Kept, now: float, busy: bool | None) -> bool:
    return busy is None or kept.busy is None or kept.busy == busy or now - kept.time <= ANY_LOAD_S
