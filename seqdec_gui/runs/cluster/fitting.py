"""Which engine and which devices several processes train with."""

from __future__ import annotations

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.cluster.choice import Cluster
from seqdec_gui.runs.engine_choice import missing
from seqdec_gui.runs.engine_names import EngineChoice, EngineName
from seqdec_gui.runs.engines import cluster_engine, engine_title
from seqdec_gui.runs.spec import DeviceChoice


def engine_for(wish: EngineChoice, devices: DeviceChoice) -> EngineName:
    """Return the engine of a run on several hosts. Raises InvalidInput where another was asked for, or it is missing."""
    info = cluster_engine()
    if wish not in ("auto", info.name):
        text = f"{engine_title(wish)} trains on one host; with --cluster, expected --engine {info.name}."
        raise InvalidInput(text, "cluster_engine", "engine")
    if reason := missing(info.name, devices):
        raise InvalidInput(f"The engine {info.name} cannot be used: {reason}", "engine_missing", "engine")
    return info.name


def devices_for(cluster: Cluster, wish: DeviceChoice, chosen: DeviceChoice) -> DeviceChoice:
    """Return the devices of each process, of which `chosen` are free here. Raises InvalidInput for GPUs in `local:N`."""
    if cluster.kind != "local":
        return chosen
    if wish.kind == "gpu":
        text = "local:N tries a cluster on the CPU of this machine, and its processes cannot share a GPU"
        raise InvalidInput(f"{text}: train on several GPUs with --devices {wish} alone.", "cluster_devices", "devices")
    return chosen if wish.kind == "cpu" else DeviceChoice("cpu")
