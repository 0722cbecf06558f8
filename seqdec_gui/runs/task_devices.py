"""Chooses the device and the framework of a short job."""

from __future__ import annotations

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import devices as device_list
from seqdec_gui.runs.engine_choice import engine_for_models, missing
from seqdec_gui.runs.engine_names import EngineName
from seqdec_gui.runs.engines import ENGINES
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.spec import DeviceChoice, Placement

CPU = DeviceChoice("cpu")


def place_task(run: str = "", devices: DeviceChoice | None = None, engine: EngineName | None = None) -> Placement:
    """Return device and engine of a short job, and in `why` a sentence if the user may expect another device.

    `run`: a trained run with which it computes. Such a job takes the first of the GPUs that the run trained on, by the engine
    that trained it, and the CPU where that GPU cannot be used. Any other job takes the CPU. `devices` and `engine` override it.
    Raises InvalidInput where no framework can use the devices, with what to install.
    """
    trained = _placement(run) if run else None
    if devices is None and trained is not None and trained.devices.kind == "gpu":
        try:
            device_list.check_choice(trained.devices.first, device_list.list_devices())
            return Placement(trained.devices.first, engine or _engine_on(trained.devices.first, trained))
        except InvalidInput as error:
            reason = " ".join(f"{problem.text} {problem.hint}".strip() for problem in error.problems)
            why = f"The run trained on {trained.devices.first}, and this is computed on the CPU: {reason}"
            return Placement(CPU, engine or engine_for_models(CPU), why)
    devices = devices or CPU
    return Placement(devices, engine or _engine_on(devices, trained))


def _placement(run: str) -> Placement | None:
    """Return the devices and engine of a run; None if it was never started, or cannot be read (the child reports that)."""
    try:
        return RunFolder(run).read_spec().placement
    except InvalidInput:
        return None


def _engine_on(devices: DeviceChoice, trained: Placement | None) -> EngineName:
    """On a GPU the engine that trained the run on one, since its framework is known to work there."""
    knows_gpus = devices.kind == "gpu" and trained is not None and trained.devices.kind == "gpu" and trained.engine in ENGINES
    if knows_gpus and trained is not None and not missing(trained.engine, devices):
        return trained.engine
    return engine_for_models(devices)


def parse_device(text: str | None) -> tuple[DeviceChoice | None, tuple[str, ...]]:
    """Parse the device for a short job; returns it (None for None) and warnings as sentences.

    Raises InvalidInput: not understood, not there, or several.
    """
    if text is None:
        return None, ()
    available = device_list.list_devices()
    wish, warnings = device_list.parse_devices(text, available)
    choice = device_list.resolve(wish, available)
    choice = choice.first if wish.kind == "auto" else choice
    if choice.replicas > 1:
        message = f"Expected one device for this, received {choice}: choose one, for example cpu or gpu:0."
        raise InvalidInput(message, "several_devices", "devices")
    return choice, tuple(problem.sentence() for problem in warnings)
