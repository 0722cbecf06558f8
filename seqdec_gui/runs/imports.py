"""Turns imported Keras files, as a child has inspected them, into parameters of a block, and into designs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import platformdirs

from seqdec_gui.domain.design import Block, Design
from seqdec_gui.domain.kinds.keras_model import KerasModel, NamedTensor
from seqdec_gui.domain.names import usable_id
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.types import DType
from seqdec_gui.runs.model_description import ArrayDescription
from seqdec_gui.runs.task_results import Inspected
from seqdec_gui.runs.tasks import Event, InspectTask, run_task

BLOCK_SPACING = 300.0
"""The horizontal distance from the rightmost block to an imported one, in scene units."""


def import_folder(source: Path, design_folder: Path | None) -> Path:
    """Return where files go that are made for an import: beside the design, beside the source, or in the user's folder."""
    for folder in filter(None, (design_folder, source.parent)):
        if os.access(folder, os.W_OK):
            return folder
    return Path(platformdirs.user_data_dir("seqdec-gui")) / "imported"


def with_keras_model(design: Design, inspected: Inspected, path: Path, folder: Path | None) -> tuple[Design, str]:
    """Return the design with a block for the inspected file to the right of all others, and the id of that block.

    Paths below `folder`, that of the design, are written relative to it.
    """
    file = Path(inspected.file) if inspected.file else path
    written = file.relative_to(folder) if folder is not None and file.is_relative_to(folder) else file
    block_id = design.free_id(usable_id(path.stem.lower(), "model"))
    across = max((block.position[0] for block in design.blocks), default=-BLOCK_SPACING) + BLOCK_SPACING
    down = min((block.position[1] for block in design.blocks), default=0.0)
    return design.with_block(Block(block_id, keras_model(inspected, written.as_posix()), (across, down))), block_id


def keras_model(description: Inspected, file: str, trainable: bool = True) -> KerasModel:
    """Return the parameters of a block for an inspected file."""
    return KerasModel(
        file=file,
        sha256=description.sha256,
        model_inputs=tuple(map(_tensor, description.inputs)),
        model_outputs=tuple(map(_tensor, description.outputs)),
        parameter_count=description.parameters,
        trainable_count=description.trainable,
        layer_names=tuple(layer.name for layer in description.layers),
        trainable=trainable,
    )


def inspected(design: Design, folder: Path, on_event: Callable[[Event], None] | None = None) -> Design:
    """Return the design with the Keras files inspected that it only names, as in a design written by hand.

    Each file needs a child process. Relative paths begin at `folder`. Raises InvalidInput with the problems of all blocks.
    """
    problems = []
    blocks: list[Block] = []
    for block in design.blocks:
        imported = block.parameters.imported
        if imported is not None and imported.file and not imported.is_inspected:
            try:
                path = folder / expanded(imported.file)
                task = InspectTask(path=str(path), folder=str(import_folder(path, folder)))
                description = run_task(task, on_event)
                assert isinstance(description, Inspected)
                kind = keras_model(description, description.file or imported.file, block.parameters.is_trainable)
                block = msgspec.structs.replace(block, parameters=kind)
            except InvalidInput as error:
                where = f"{block.id}.file"
                problems += [msgspec.structs.replace(problem, where=where) for problem in error.problems]
        blocks.append(block)
    if problems:
        raise InvalidInput(problems)
    return msgspec.structs.replace(design, blocks=tuple(blocks))


def _tensor(described: ArrayDescription) -> NamedTensor:
    dtype: DType = "int32" if described.dtype.startswith(("int", "uint")) else "float32"
    return NamedTensor(described.name, described.shape, dtype)
