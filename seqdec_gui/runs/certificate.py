"""The parallelism certificate: an experiment that shows whether N devices train the same model as one.

May be called from any thread. Both train the same few steps from the same seed on the same rows, without random layers and in
full float32; then predictions, weights and metrics are compared.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from seqdec_gui import __version__
from seqdec_gui.domain import document
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runs.advice import divisible_batch
from seqdec_gui.runs.engine_choice import choose_engine, usable_engines
from seqdec_gui.runs.engine_names import EngineChoice, EngineName
from seqdec_gui.runs.files import pretty_json, read_bytes, write_atomically
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.probe import IsCancelled, OnProgress, fail_unless_sound, why_no_rows
from seqdec_gui.runs.probe_cache import machine_of, versions
from seqdec_gui.runs.spec import DeviceChoice, RunSpec
from seqdec_gui.runs.task_results import Trained
from seqdec_gui.runs.tasks import CertifyTask, Event, Progress, run_task

if TYPE_CHECKING:
    from seqdec_gui.runs.comparison import Differences

FORMAT = 1
TOLERANCE = 1e-5
"""Largest difference of a prediction p that counts as equal, relative to max(1, |p|)."""
STEPS = 5
"""Training steps that are compared."""


class BlockDifference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The largest difference among the weights of a block (None: not a number), and the path of that weight."""

    block: str
    difference: float | None
    weight: str = ""


class Certificate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The result of a comparison of two trainings.

    `passed`: every prediction p lies within `tolerance * max(1, |p|)` of that of one device; `prediction_difference` is the
    largest |p - q| / max(1, |p|), None where one is not a number. Weights differ by `weight_difference` at most, at `weight`;
    `neutral_difference` is that of the weights `neutral`, which change no prediction. `metric_differences` are those of loss
    and metrics over the steps. A failure names the block `culprit` where it begins, and `repair`, an assignment such as
    `training.batch_statistics=global` that would mend it, if one is known. `data` says whether both trained on the design's own
    rows ("real") or on random ones, and `data_reason` why on random ones.
    """

    format: int = FORMAT
    passed: bool
    engine: EngineName
    devices: DeviceChoice
    reference: DeviceChoice
    batch_size: int
    steps: int
    seed: int
    data: Literal["real", "random"]
    data_reason: str = ""
    prediction_difference: float | None
    tolerance: float = TOLERANCE
    weight_difference: float | None
    weight: str = ""
    neutral_difference: float | None = 0.0
    neutral: tuple[str, ...] = ()
    blocks: tuple[BlockDifference, ...] = ()
    metric_differences: dict[str, float | None]
    switched_off: tuple[str, ...] = ()
    culprit: str = ""
    cause: str = ""
    repair: str = ""
    repair_text: str = ""
    machine: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    created: float = 0.0
    product_version: str = __version__

    @property
    def rows_sentence(self) -> str:
        """The rows on which both trained, and the reason if these are not the design's own."""
        if self.data == "real":
            return "Compared on the design's own rows."
        return f"Compared on random rows{f': {self.data_reason}' if self.data_reason else '.'}"

    @property
    def sentence(self) -> str:
        """The result in words: whether both are equal, and if not, the cause and what to do."""
        what = f"{self.devices} and {self.reference}, {self.engine}, {self.steps} steps of batch {self.batch_size}"
        count = len(self.switched_off)
        off = f" with {count} random layer{'s' * (count > 1)} switched off" if count else ""
        size = "not a number" if self.prediction_difference is None else f"{self.prediction_difference:.1e}"
        if self.passed:
            return f"Equal: {what}{off}; predictions differ by {size} at most (allowed {self.tolerance:.0e})."
        where = f" It begins in block {self.culprit}: {self.cause}" if self.culprit else f" {self.cause}"
        advice = f" {self.repair_text}" if self.repair_text else ""
        return f"Not equal: {what}{off}; predictions differ by {size} (allowed {self.tolerance:.0e}).{where}{advice}"


def certify(
    design: Design,
    folder: Path,
    devices: DeviceChoice,
    *,
    engine: EngineChoice = "auto",
    steps: int = STEPS,
    on_progress: OnProgress | None = None,
    cancelled: IsCancelled | None = None,
) -> Certificate:
    """Train on `devices` (two or more, resolved) and on the first of them alone, and compare the trainings.

    The design's relative paths begin at `folder`. The rows are the design's own; if these are not bound or cannot be read, they
    are random ones of the same shapes, and the certificate gives the reason. Takes two short trainings, and two more if the
    first two differ. Raises InvalidInput, Cancelled, SeqdecError (a training failed).
    """
    if devices.replicas < 2:
        text = f"Expected two or more devices to compare with one, received {devices}; choose for example cpu:2."
        raise InvalidInput(text, "one_device", "devices")
    fail_unless_sound(design)
    name, _ = choose_engine(engine, devices, design)
    training = design.training
    batch = divisible_batch(training.batch_size, devices.replicas * training.micro_batches)
    divisible = design.with_training(msgspec.structs.replace(training, batch_size=batch))
    reference = devices.first
    reason = why_no_rows(design, folder)

    def compared(of: Design, count: int) -> Differences:
        return _compared(of, folder, name, devices, reference, count, not reason, on_progress, cancelled)

    try:
        differences = compared(divisible, steps)
    except InvalidInput as error:
        if reason:
            raise
        reason = error.problems[0].text
        differences = compared(divisible, steps)  # on random rows; raises again if the rows are not the reason
    difference = differences.predictions()
    passed = difference is not None and difference <= TOLERANCE
    worst, weight = differences.weights()
    certificate = Certificate(
        passed=passed,
        engine=name,
        devices=devices,
        reference=reference,
        batch_size=batch,
        steps=steps,
        seed=training.seed,
        data="random" if reason else "real",
        data_reason=reason,
        prediction_difference=difference,
        weight_difference=worst,
        weight=weight,
        neutral_difference=differences.neutral_difference(),
        neutral=differences.neutral,
        blocks=tuple(BlockDifference(*each) for each in differences.blocks()),
        metric_differences=differences.metrics(),
        switched_off=differences.one.switched_off,
        machine=machine_of(devices),
        versions=versions(),
        created=time.time(),
    )
    return certificate if passed else explained(certificate, divisible, differences, lambda of: compared(of, 1))


def explained(
    certificate: Certificate, design: Design, differences: Differences, one_step: Callable[[Design], Differences]
) -> Certificate:
    """Return a failed certificate with culprit, cause and repair.

    Statistics after the first step show where the forward pass differs first. If they are equal, one step of plain gradient
    descent shows whose gradients differ: a wrong one spoils those of all blocks before it, so the last such block is named.
    """
    replace = msgspec.structs.replace
    order = differences.order
    if differences.one.initial != differences.many.initial:
        return replace(certificate, cause="The trainings began from different weights.")
    culprit = next((block for block in order if block in differences.statistics()), "")
    if culprit:
        local = design.training.batch_statistics == "local"
        text = "its BatchNormalization takes statistics of each device's rows." if local else "its statistics differ."
        repair = "training.batch_statistics=global" if local else ""
        advice = "Set training.batch_statistics=global: it costs next to nothing." if local else ""
        return replace(certificate, culprit=culprit, cause=text, repair=repair, repair_text=advice)
    training = replace(design.training, optimizer="sgd", learning_rate=1.0, momentum=0.0, clip_norm=0.0)
    wrong = one_step(design.with_training(training)).gradients()
    culprit = next((block for block in reversed(order) if block in wrong), "")
    if culprit:
        others = [name for name in usable_engines(certificate.devices) if name != certificate.engine]
        text = "its gradients, or those of the loss after it, differ from the first step on."
        advice = f"Try the engine {' or '.join(others)}, and report this design." if others else "Report this design."
        return replace(certificate, culprit=culprit, cause=text, repair_text=advice)
    text = "Statistics and gradients of the first step are equal; the difference grows over the steps."
    advice = "A lower learning rate, or fewer steps, show whether it is more than rounding."
    return replace(certificate, cause=text, repair_text=advice)


def _compared(
    design: Design,
    folder: Path,
    engine: EngineName,
    devices: DeviceChoice,
    reference: DeviceChoice,
    steps: int,
    real: bool,
    on_progress: OnProgress | None,
    cancelled: IsCancelled | None,
) -> Differences:
    from seqdec_gui.runs.comparison import Differences

    def hear(event: Event) -> None:
        if isinstance(event, Progress) and on_progress is not None:
            on_progress(event)

    results: list[Trained] = []
    with tempfile.TemporaryDirectory(prefix="seqdec-gui-certificate-") as scratch:
        files = [Path(scratch) / f"{number}.npz" for number in range(2)]
        for choice, file in zip((reference, devices), files, strict=True):
            task = CertifyTask(
                design=document.to_builtins(design), folder=str(folder.absolute()), devices=choice, engine=engine,
                output=str(file), steps=steps, real_rows=real,
            )  # fmt: skip
            result = run_task(task, hear, choice, engine, cancelled)
            if not isinstance(result, Trained):
                raise SeqdecError(f"The child process answered with {type(result).__name__}; this is a bug.")
            results.append(result)
        return Differences.read(design, results[0], results[1], files[0], files[1])


def design_of(spec: RunSpec) -> tuple[Design, Path]:
    """Return a run's design with the path of its data file, and the folder where other paths begin. Raises InvalidInput."""
    design = spec.load_design()
    if spec.data_file:
        design = design.with_data(msgspec.structs.replace(design.data, file=spec.data_file))
    return design, Path(spec.folder or ".")


def write(certificate: Certificate, run: RunFolder) -> Path:
    """Store `certificate.json` in a run. Raises SeqdecError."""
    path = run.certificate
    try:
        write_atomically(path, pretty_json(certificate))
    except OSError as error:
        raise SeqdecError(f"The certificate cannot be written to {path}: {error.strerror}.") from error
    return path


def read(run: RunFolder) -> Certificate | None:
    """Return the certificate of a run; None if it has none, or one that this version cannot read."""
    try:
        certificate = msgspec.json.decode(read_bytes(run.certificate), type=Certificate)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return certificate if certificate.format == FORMAT else None
