"""The tasks of a child that measures how fast a design trains, or whether it trains to the same on other devices."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from seqdec_gui.runs.engine_names import EngineName
from seqdec_gui.runs.spec import DeviceChoice
from seqdec_gui.runs.task_results import Tagged

PROBE_GRACE = 1.5  # multiple of its budget after which a probe that has measured something is killed: it may be compiling


class ProbeTask(Tagged, frozen=True, kw_only=True, tag="probe"):
    """Measure training steps at each of these global batches, smallest first; each is answered by a `Measured`.

    Attributes:
        design: The design as a document; its relative paths begin at `folder`.
        real_rows: Whether to train on the design's own rows, or on random ones of the same shapes.
        shares: Whether to measure what part of a step reduction and input take.
        budget_s: Seconds of the child's life after which no further batch is begun.
        turn: Path of the lock file (`runner.measurement_lock`) by which probes at the same time measure one by one; empty for a
            probe that runs alone.
    """

    design: dict[str, Any]
    folder: str
    devices: DeviceChoice
    engine: EngineName
    batch_sizes: tuple[Annotated[int, Meta(ge=1)], ...]
    real_rows: bool = False
    shares: bool = True
    budget_s: float = 20.0
    turn: str = ""


class CertifyTask(Tagged, frozen=True, kw_only=True, tag="certify"):
    """Train `steps` steps without random layers, at the highest precision, and write the arrays to `output` (an .npz file)."""

    design: dict[str, Any]
    folder: str
    devices: DeviceChoice
    engine: EngineName
    output: str
    steps: Annotated[int, Meta(ge=1)] = 5
    real_rows: bool = False
