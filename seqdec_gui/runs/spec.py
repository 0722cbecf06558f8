"""What a run is asked to do: `spec.json`, written by whoever starts the run, read by the run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from seqdec_gui import __version__
from seqdec_gui.domain.json_lines import repetition
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.wording import shortened
from seqdec_gui.runs import copies
from seqdec_gui.runs.cluster.choice import Cluster
from seqdec_gui.runs.engine_names import EngineChoice, EngineName
from seqdec_gui.runs.events import Seconds
from seqdec_gui.runs.files import pretty_json, read_bytes
from seqdec_gui.runs.task_names import CheckpointName, WeightsInUse

if TYPE_CHECKING:
    from seqdec_gui.domain.design import Design

FORMAT = 1
FitChoice = Literal["initial", "anew"]
CHECKPOINT_EVERY_S = 120.0
"""Seconds after which a run writes checkpoint `last` again, unless it is told otherwise: what a crash costs at most."""


class DeviceChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to train: `auto`, `count` (virtual) CPU devices, or the GPUs of these indices."""

    kind: Literal["auto", "cpu", "gpu"] = "auto"
    count: Annotated[int, Meta(ge=1)] = 1
    gpus: tuple[Annotated[int, Meta(ge=0)], ...] = ()

    @property
    def replicas(self) -> int:
        """How many devices share a batch; 1 for `auto`, which is not decided yet."""
        return len(self.gpus) if self.kind == "gpu" else self.count

    @property
    def first(self) -> DeviceChoice:
        """The first of these devices alone."""
        return DeviceChoice("gpu", gpus=self.gpus[:1]) if self.kind == "gpu" else DeviceChoice("cpu")

    @property
    def names(self) -> tuple[str, ...]:
        """One name per device that trains: `cpu:0`, `cpu:1` or `gpu:0`, `gpu:3`."""
        if self.kind == "auto":
            return ("auto",)
        if self.kind == "gpu":
            return tuple(f"gpu:{index}" for index in self.gpus)
        return tuple(f"cpu:{index}" for index in range(self.count))

    def __str__(self) -> str:
        """As written on the command line: `auto`, `cpu`, `cpu:2`, `gpu:0,gpu:3`."""
        if self.kind == "cpu":
            return "cpu" if self.count == 1 else f"cpu:{self.count}"
        return ",".join(self.names)


class Placement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was made of the wishes when the run was started: never `auto`. `why` is a sentence about the engine."""

    devices: DeviceChoice
    engine: EngineName
    why: str = ""


class Fork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a run was forked from another one: it goes on from a copy of that run's checkpoint, under other settings.

    `run` is the folder of that run, `checkpoint` the name of the file, `epoch` and `step` how far it was, in the counting of
    this run. The first `events_bytes` bytes of `events.jsonl`, with `starts` starts, are the curve of that run up to there.
    `keeps_optimizer`: the slots of the optimizer are gone on with; otherwise they begin anew, since another optimizer has
    others. `keeps_best`: the best value so far still counts; otherwise it was of another measure, or its weights are not here.
    """

    run: str
    checkpoint: str
    epoch: int
    step: int
    starts: int = 0
    events_bytes: int = 0
    keeps_optimizer: bool = True
    keeps_best: bool = True


class RunSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that a run needs.

    `design` is the design's document (the JSON object of a `.seqdec` file) with all overrides applied; `overrides` only
    records them. `design_name` is what a design without a file is called. `data_file` is absolute ("" where the design has no
    data); other relative paths of the design are relative to `folder`. `initial_run` names a run folder whose weights
    (checkpoint `initial_checkpoint`) the training begins with; `fit` says whether the alphabets, lengths, labels and scalers of
    that run are kept with them ("initial") or fitted anew to this run's data ("anew").
    `fork` says which run this one goes on from, in a run that began as a fork.
    `placement` is filled in by `runs.process.start`; with `cluster`, several processes share the run, each on such devices.
    `report_every_s` is the longest time between two looks at the commands,
    `checkpoint_every_s` about the longest between two checkpoints `last`, also within an epoch.
    """

    format: int = FORMAT
    design: dict[str, Any]
    design_path: str = ""
    design_name: str = ""
    folder: str = ""
    data_file: str = ""
    devices: DeviceChoice = DeviceChoice()
    engine: EngineChoice = "auto"
    overrides: tuple[str, ...] = ()
    initial_run: str = ""
    initial_checkpoint: CheckpointName = "best"
    fit: FitChoice = "initial"
    resume: bool = False
    fork: Fork | None = None
    placement: Placement | None = None
    cluster: Cluster | None = None
    report_every_s: Annotated[float, Meta(gt=0, le=60)] = 1.0
    checkpoint_every_s: Annotated[float, Meta(gt=0, le=1e6)] = CHECKPOINT_EVERY_S
    created: Seconds = msgspec.field(default_factory=time.time)
    product_version: str = __version__

    @property
    def design_text(self) -> str:
        """The design as the text of a `.seqdec` file."""
        return pretty_json(self.design).decode()

    def load_design(self) -> Design:
        """Return the design. Raises InvalidInput."""
        from seqdec_gui.domain.document import from_builtins

        return from_builtins(self.design)

    @property
    def design_id(self) -> str:
        """The identity of the design; empty where its file had none when the run was started."""
        return str(self.design.get("id") or "")

    @property
    def weights_in_use(self) -> WeightsInUse | None:
        """Which weights the run uses if it keeps a moving average of them; None if it keeps none."""
        training = self.design.get("training")
        settings = training if isinstance(training, dict) else {}
        if not settings.get("average_decay"):
            return None
        return "trained" if settings.get("use_weights") == "trained" else "averaged"

    @property
    def placed_devices(self) -> DeviceChoice:
        """Where the run trains; before its start what was wished."""
        return self.placement.devices if self.placement else self.devices

    @property
    def shared_by(self) -> DeviceChoice:
        """As many devices as share a batch, those of all processes together; only their number counts."""
        return of_all(self.placed_devices, self.cluster)

    @property
    def placed_engine(self) -> EngineChoice:
        """What trains the run; before its start what was wished."""
        return self.placement.engine if self.placement else self.engine

    @property
    def name(self) -> str:
        """The design's name: that of its file, or what it was called before it had one."""
        return Path(self.design_path).stem if self.design_path else self.design_name or "untitled"


def of_all(devices: DeviceChoice, cluster: Cluster | None) -> DeviceChoice:
    """Return as many devices as all processes of a cluster have, each of them these; only their number counts."""
    return devices if cluster is None else DeviceChoice("cpu", count=devices.replicas * cluster.processes)


def write(spec: RunSpec, path: Path) -> None:
    """Write `spec.json` and its copy. Raises OSError."""
    copies.write(path, pretty_json(spec))


def read(path: Path, as_it_is: bool = False) -> RunSpec:
    """Read `spec.json`, or its copy where the file is not what was written. Raises InvalidInput: missing, damaged, newer.

    `as_it_is`: for a run that is started by hand, whose file may be written by hand too.
    """
    try:
        data = read_bytes(path) if as_it_is else copies.read(path)[0]
    except OSError as error:
        raise InvalidInput(
            f"Expected a run's spec.json at {path}, but it cannot be read: {error.strerror}.", "no_spec"
        ) from None
    try:
        version = msgspec.json.decode(data, type=_Version).format
        if version > FORMAT:
            raise InvalidInput(
                f"{path} has format {version}, this version reads up to {FORMAT}: upgrade seqdec-gui to read the run.",
                "newer_spec",
            )
        spec = msgspec.json.decode(data, type=RunSpec)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} is damaged: {shortened(str(error), 200)}.", "damaged_spec") from None
    if found := repetition(data.decode()):
        raise InvalidInput(f"{path} is damaged: {found}.", "damaged_spec")
    for name in ("design_path", "folder", "data_file", "initial_run"):
        if "\0" in getattr(spec, name):
            raise InvalidInput(f"{path} is damaged: {name} is no path.", "damaged_spec")
    return spec


class _Version(msgspec.Struct):
    format: int
