"""What the state and the devices of a run are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqdec_gui.runs.cluster.choice import Cluster
    from seqdec_gui.runs.spec import DeviceChoice

STATE_WORDS = {
    "starting": "Starting",
    "running": "Training",
    "paused": "Paused",
    "stopping": "Stopping",
    "ending": "Finishing",
    "reading": "Opening",
    "finished": "Finished",
    "stopped": "Stopped",
    "failed": "Failed",
    "crashed": "Crashed",
    "unfinished": "Not started",
    "elsewhere": "On another host",
    "unreadable": "Unreadable",
    "missing": "Missing",
}
"""The words for `runs.state.State`, and for what a program that follows a run knows besides."""


def device_names(devices: DeviceChoice, cluster: Cluster | None) -> tuple[str, ...]:
    """Return a name for each device that trains: `cpu:0`, `gpu:1`; on several hosts with the host before it: `lab1/gpu:1`."""
    if cluster is None:
        return devices.names
    return tuple(f"{place}/{name}" for place in cluster.places for name in devices.names)


def device_words(names: tuple[str, ...]) -> str:
    """`CPU`, `2 CPU devices`, `GPU 1`, `2 GPUs`, `16 GPUs on 2 hosts`, `3 CPU devices in 3 processes`; empty without names."""
    if not names:
        return ""
    places = {place for name in names if (place := name.rpartition("/")[0])}
    own = names[0].rpartition("/")[2]
    kind = own.partition(":")[0]
    local = all(place.startswith("local.") for place in places)
    where = f" {'in' if local else 'on'} {counted_places(len(places), local)}" if places else ""
    if len(names) > 1:
        return f"{len(names)} GPUs{where}" if kind == "gpu" else f"{len(names)} CPU devices{where}"
    return own.replace("gpu:", "GPU ") if kind == "gpu" else "CPU"


def counted_places(count: int, local: bool) -> str:
    """Return `2 hosts`, or `2 processes` where all are on one host."""
    word = "process" if local else "host"
    return f"{count} {word}" if count == 1 else f"{count} {word}{'es' if local else 's'}"
