"""Opens a trained run: its design as plain float32 models with the weights of a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.data.dataset import Dataset, open_dataset
from seqdec_gui.data.feed_map import as_pairs, read_feed_map
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.split import Parts
from seqdec_gui.data.tensor_feeds import expand, one_hot
from seqdec_gui.domain.bindings import Split
from seqdec_gui.domain.dataflow import data_ports, sources_of
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.scaling import Scaling
from seqdec_gui.domain.types import tensors_of
from seqdec_gui.runner import checkpoints
from seqdec_gui.runner.data_recorder import changes, files_of
from seqdec_gui.runner.export import fresh_copy
from seqdec_gui.runner.kernels import avoid_cudnn_under_masks
from seqdec_gui.runner.model_device import CPU, building_device
from seqdec_gui.runner.program import Program, load_build
from seqdec_gui.runner.script_files import write_script
from seqdec_gui.runner.wiring import model_of
from seqdec_gui.runs.data_record import read_record
from seqdec_gui.runs.folder import RunFolder, open_run
from seqdec_gui.runs.spec import RunSpec
from seqdec_gui.runs.task_names import WeightsInUse, weights_in
from seqdec_gui.runs.tasks import SplitName

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]
ROWS_COMPARED = 64
"""Rows on which an exported file is compared with the trained model."""
STEPS_IF_UNKNOWN = 8
"""Steps of random sequences whose length the design leaves open."""


@dataclass(frozen=True)
class OpenedRun:
    """A run, and its trained models in float32 on the device of `model_device`; they are not compiled.

    `weights` says which weights the models have, if the run has kept a moving average; otherwise it is None.
    """

    run: RunFolder
    spec: RunSpec
    program: Program
    models: dict[str, keras.Model]
    weights: WeightsInUse | None = None

    @property
    def design(self) -> Design:
        return self.program.design

    def with_feed_map(self, file: Path) -> OpenedRun:
        """Return the run with a design that keeps what a file says is fed after each prediction. Raises InvalidInput."""
        pairs = as_pairs(read_feed_map(file))
        design = self.design.with_data(msgspec.structs.replace(self.design.data, feed_map=pairs))
        return replace(self, program=msgspec.structs.replace(self.program, design=design))

    def fitted(self) -> Fitted:
        """Return the codecs that were fitted to the data. Raises InvalidInput."""
        return self.run.read_fit()

    def dataset(self, file: Path | None = None, decimal: Literal["auto", ".", ","] = "auto") -> Dataset:
        """Open the run's data, or the same columns of another file, encoded as in the training. Raises InvalidInput.

        `decimal` is the decimal mark of the other file.
        """
        source = self.design.data
        if file is not None:  # all of its rows are new, so none are kept apart
            source = msgspec.structs.replace(source, split=Split(validation=0.0))
            if decimal != "auto":
                source = msgspec.structs.replace(source, reading=msgspec.structs.replace(source.reading, decimal=decimal))
        if file is not None or self.spec.data_file:
            source = msgspec.structs.replace(source, file=str(file or self.spec.data_file))
        return open_dataset(
            source, data_ports(self.design, self.program.inference), self.run.path / self.spec.folder, self.fitted()
        )

    def changes(self) -> list[Problem]:
        """Return a warning if the run's data is no longer what it was trained on."""
        source = self.design.data
        if self.spec.data_file:
            source = msgspec.structs.replace(source, file=self.spec.data_file)
        return changes(read_record(self.run.dataset), files_of(source, self.run.path / self.spec.folder))

    def rows_of(self, split: SplitName, trained_on: int = 0) -> tuple[Dataset, Array]:
        """Return the run's data and the rows of one split, ascending. Raises InvalidInput: no rows, or the data has changed."""
        dataset = self.dataset()
        if trained_on and len(dataset.training) != trained_on:
            text = (
                f"The run trained on {trained_on:,} rows, and its data would now give {len(dataset.training):,}: which rows it "
                f"trained on is no longer known."
            )
            raise InvalidInput([Problem("error", "data_changed", "data", text, "Restore the file, or give one of new rows.")])
        rows: Array = getattr(dataset, split)
        if not len(rows):
            others = [f"{len(part):,} for {name}" for name in Parts._fields if len(part := getattr(dataset, name))]
            text = f"The run has no {split} rows; it has {', '.join(others)}."
            if split == "test":
                hint = "Give a file, or train with data.split.test=0.1."
            else:
                hint = "Choose one of these, or give a file."
            raise InvalidInput([Problem("error", "no_rows", "data", text, hint)])
        return dataset, rows

    def script_sources(self) -> tuple[Path, ...]:
        """Return the folders to search for imported Keras files: that of the run's copies before that of the originals."""
        return self.run.path, self.run.path / self.spec.folder


def open_trained(run: Path, checkpoint: str, scratch: Path) -> OpenedRun:
    """Open a run with the weights of a checkpoint (`CheckpointName`); its script is generated again, in the folder `scratch`.

    Raises InvalidInput: no run, no such checkpoint, or one that does not fit the design.
    """
    folder = open_run(run)
    spec = folder.read_spec()
    design = spec.load_design()
    script = scratch / "model.py"
    write_script(design, script, (folder.path, folder.path / spec.folder))
    program = Program.of(design, script)
    models = fresh_copy(load_build(script))
    if building_device() != CPU:
        avoid_cudnn_under_masks(models["full"])
    checkpoints.load_weights(models, folder.checkpoint(checkpoint), weights_in(checkpoint))
    weights = (weights_in(checkpoint) or design.training.use_weights) if design.training.averages else None
    return OpenedRun(folder, spec, program, models, weights)


def metrics_of(
    trained: OpenedRun,
    data: Path | None,
    split: SplitName,
    trained_on: int = 0,
    report: Callable[[int, int], None] = lambda done, total: None,
    decimal: Literal["auto", ".", ","] = "auto",
    tell: Callable[[list[Problem]], None] = lambda notes: None,
) -> tuple[dict[str, float | None], int]:
    """Return the metrics over all rows of a file, or over a split of the run's data, and the number of rows.

    `decimal` is the decimal mark of the file. What is doubtful in it, or left out of it, is told.

    Raises InvalidInput.
    """
    from seqdec_gui.runner.evaluate import evaluate
    from seqdec_gui.runner.metrics import reported

    if data is not None:
        dataset = trained.dataset(data, decimal)
        tell([problem for problem in dataset.problems if problem.where == "data"])
        rows = dataset.training  # all rows but those that are left out
    else:
        dataset, rows = trained.rows_of(split, trained_on)
    sums = evaluate(trained.program, trained.models, dataset, rows, lambda done: report(done, len(rows)))
    return dict(reported(trained.program, sums, [term.weight for term in trained.program.kl_terms])), len(rows)


def inputs_of_part(trained: OpenedRun, part: str, arrays: dict[str, Array]) -> list[Array]:
    """Return the inputs of the model `part`, in its order, for rows of the full model's inputs (by input block)."""
    model = trained.models[part]
    if part == "full":
        return [arrays[tensor.name] for tensor in model.inputs]
    inputs: list[Array] = []
    for port in sources_of(trained.design, part):
        if port.block in arrays:
            inputs.append(arrays[port.block])
            continue
        before = model_of(trained.design, trained.program.inference, trained.models, [port])
        model_inputs = [arrays[tensor.name] for tensor in before.inputs]
        outputs = before.predict_on_batch(model_inputs[0] if len(model_inputs) == 1 else model_inputs)
        inputs += [np.asarray(output) for output in (outputs if isinstance(outputs, list | tuple) else [outputs])]
    return inputs


def scalings_of_part(trained: OpenedRun, part: str, known: Sequence[Scaling]) -> list[Scaling | None]:
    """Return the scaling of each input of the model `part`, in its order; None for inputs that are not standardised."""
    scaled = {scaling.name: scaling for scaling in known if scaling.role == "input"}
    if part == "full":
        return [scaled.get(tensor.name) for tensor in trained.models[part].inputs]
    scalings: list[Scaling | None] = []
    for port in sources_of(trained.design, part):
        tensors = tensors_of(port.port, trained.program.inference.blocks[port.block].outputs[port.port])
        scalings += [scaled.get(port.block)] * len(tensors)
    return scalings


def real_rows(trained: OpenedRun, count: int = ROWS_COMPARED) -> dict[str, Array]:
    """Return up to `count` rows of the full model's inputs, validation rows if there are any. Raises InvalidInput."""
    dataset = trained.dataset()
    rows = (dataset.validation if len(dataset.validation) else dataset.training)[:count]
    batch = dataset.batch(np.sort(rows))
    return {feed.name: expand(feed, batch[feed.array]) for feed in dataset.feeds if feed.role == "input"}


def random_rows(trained: OpenedRun, count: int = 8) -> dict[str, Array]:
    """Return random values for the full model's inputs, for a run whose data cannot be read."""
    random = np.random.default_rng(0)
    rows: dict[str, Array] = {}
    for port in data_ports(trained.design, trained.program.inference):
        shape = (count, *(STEPS_IF_UNKNOWN if axis is None else axis for axis in port.type.shape))
        if port.role == "target":
            continue
        if port.type.dtype == "int32":
            rows[port.name] = random.integers(0, port.type.symbols or 2, shape).astype(np.int32)
        elif port.one_hot:
            rows[port.name] = one_hot(random.integers(0, shape[-1], shape[:-1]), shape[-1])
        else:
            rows[port.name] = random.normal(size=shape).astype(np.float32)
    return rows


def check_part(trained: OpenedRun, part: str) -> None:
    """Raise InvalidInput if the run has no model named `part`."""
    if part not in trained.models:
        names = ", ".join(["full", *(name for name in trained.models if name != "full")])
        raise InvalidInput(f"There is no part {part!r} with layers to export; there are {names}.", "no_such_part", "part")
