"""A trained run, opened: its design as plain float32 models with the weights of a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.data import fitted as fitted_file
from seqdec_gui.data.dataset import Dataset, open_dataset
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.split import Parts
from seqdec_gui.data.wires import expand, one_hot
from seqdec_gui.domain.bindings import Split
from seqdec_gui.domain.dataflow import data_ports, sources_of
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.scaling import Scaling
from seqdec_gui.domain.types import tensors_of
from seqdec_gui.runner import checkpoints
from seqdec_gui.runner.export import fresh_copy
from seqdec_gui.runner.kernels import avoid_cudnn_under_masks
from seqdec_gui.runner.model_device import CPU, building_device
from seqdec_gui.runner.program import Program, load_build
from seqdec_gui.runner.script_files import write_script
from seqdec_gui.runner.wiring import model_of
from seqdec_gui.runs.folder import RunFolder, open_run
from seqdec_gui.runs.spec import RunSpec
from seqdec_gui.runs.tasks import SplitName

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]
ROWS_COMPARED = 64
STEPS_IF_UNKNOWN = 8


@dataclass(frozen=True)
class Trained:
    """`models` are what the script gives under float32, never compiled, with trained weights, where `model_device` says."""

    run: RunFolder
    spec: RunSpec
    program: Program
    models: dict[str, keras.Model]

    @property
    def design(self) -> Design:
        return self.program.design

    def fitted(self) -> Fitted:
        """What was fitted to the data. Raises InvalidInput."""
        return fitted_file.load(self.run.data)

    def dataset(self, file: Path | None = None) -> Dataset:
        """The run's data, or the same columns of another file, encoded as in the training. Raises InvalidInput."""
        source = self.design.data
        if file is not None:  # all of its rows are new: none is set apart
            source = msgspec.structs.replace(source, split=Split(validation=0.0))
        if file is not None or self.spec.data_file:
            source = msgspec.structs.replace(source, file=str(file or self.spec.data_file))
        return open_dataset(
            source, data_ports(self.design, self.program.inference), self.run.path / self.spec.folder, self.fitted()
        )

    def rows_of(self, split: SplitName, trained_on: int = 0) -> tuple[Dataset, Array]:
        """The run's data and the rows of a part of it, ascending. Raises InvalidInput: none, or the data is not what it was."""
        dataset = self.dataset()
        if trained_on and len(dataset.training) != trained_on:
            text = (
                f"The run trained on {trained_on:,} rows, and its data would now give {len(dataset.training):,}: which rows it "
                f"trained on is no longer known."
            )
            raise InvalidInput([Problem("error", "data_changed", "data", text, "Restore the file, or give one of new rows.")])
        rows: Array = getattr(dataset, split)
        if not len(rows):
            kept = [f"{len(part):,} for {name}" for name in Parts._fields if len(part := getattr(dataset, name))]
            text = f"The run has no {split} rows; it has {', '.join(kept)}."
            train = "Give a file, or train with data.split.test=0.1."
            hint = train if split == "test" else "Choose one of these, or give a file."
            raise InvalidInput([Problem("error", "no_rows", "data", text, hint)])
        return dataset, rows

    def script_sources(self) -> tuple[Path, ...]:
        """Where imported Keras files are looked for: the copies of the run before the originals."""
        return self.run.path, self.run.path / self.spec.folder


def open_trained(run: Path, checkpoint: str, scratch: Path) -> Trained:
    """The run's design with the weights of checkpoint `best` or `last`; the script is generated anew, in the folder `scratch`.

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
    checkpoints.load_weights(models, folder.checkpoint(checkpoint))
    return Trained(folder, spec, program, models)


def inputs_of_part(trained: Trained, part: str, arrays: dict[str, Array]) -> list[Array]:
    """What the model `part` takes, in its order, for rows of the full model's inputs (by input block)."""
    model = trained.models[part]
    if part == "full":
        return [arrays[tensor.name] for tensor in model.inputs]
    found: list[Array] = []
    for port in sources_of(trained.design, part):
        if port.block in arrays:
            found.append(arrays[port.block])
            continue
        before = model_of(trained.design, trained.program.inference, trained.models, [port])
        given = [arrays[tensor.name] for tensor in before.inputs]
        outputs = before.predict_on_batch(given[0] if len(given) == 1 else given)
        found += [np.asarray(output) for output in (outputs if isinstance(outputs, list | tuple) else [outputs])]
    return found


def scalings_of_part(trained: Trained, part: str, known: Sequence[Scaling]) -> list[Scaling | None]:
    """How the numbers of each input of the model `part` were standardised, in its order; None for one that takes others."""
    scaled = {scaling.name: scaling for scaling in known if scaling.role == "input"}
    if part == "full":
        return [scaled.get(tensor.name) for tensor in trained.models[part].inputs]
    found: list[Scaling | None] = []
    for port in sources_of(trained.design, part):
        tensors = tensors_of(port.port, trained.program.inference.blocks[port.block].outputs[port.port])
        found += [scaled.get(port.block)] * len(tensors)
    return found


def real_rows(trained: Trained, count: int = ROWS_COMPARED) -> dict[str, Array]:
    """Up to `count` validation rows (training rows where none validate) of the full model's inputs. Raises InvalidInput."""
    dataset = trained.dataset()
    rows = (dataset.validation if len(dataset.validation) else dataset.training)[:count]
    batch = dataset.batch(np.sort(rows))
    return {wire.name: expand(wire, batch[wire.array]) for wire in dataset.wires if wire.role == "input"}


def random_rows(trained: Trained, count: int = 8) -> dict[str, Array]:
    """Random values for the full model's inputs: for a run whose data is gone."""
    random = np.random.default_rng(0)
    found: dict[str, Array] = {}
    for port in data_ports(trained.design, trained.program.inference):
        shape = (count, *(STEPS_IF_UNKNOWN if axis is None else axis for axis in port.type.shape))
        if port.role == "target":
            continue
        if port.type.dtype == "int32":
            found[port.name] = random.integers(0, port.type.symbols or 2, shape).astype(np.int32)
        elif port.one_hot:
            found[port.name] = one_hot(random.integers(0, shape[-1], shape[:-1]), shape[-1])
        else:
            found[port.name] = random.normal(size=shape).astype(np.float32)
    return found


def check_part(trained: Trained, part: str) -> None:
    """Raises InvalidInput where the run has no model of this name."""
    if part not in trained.models:
        names = ", ".join(["full", *(name for name in trained.models if name != "full")])
        raise InvalidInput(f"There is no part {part!r} with layers to export; there are {names}.", "no_such_part", "part")
