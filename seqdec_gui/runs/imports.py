"""Turns imported Keras files, as a child has inspected them, into parameters of a block."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from seqdec_gui.domain.design import Block, Design
from seqdec_gui.domain.kinds.keras_model import KerasModel, NamedTensor
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.types import DType
from seqdec_gui.runs.tasks import ArrayDescription, Event, Inspected, InspectTask, run_task


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
                description = run_task(InspectTask(path=str(folder / expanded(imported.file))), on_event)
                assert isinstance(description, Inspected)
                kind = keras_model(description, imported.file, block.parameters.is_trainable)
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
