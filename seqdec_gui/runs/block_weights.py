"""Puts the weights of a file or a run into a block of a design, for the command and for the window."""

from __future__ import annotations

from pathlib import Path

from seqdec_gui.domain.design import BlockWeights, Design
from seqdec_gui.domain.document import to_builtins
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.task_results import WeightsFound
from seqdec_gui.runs.tasks import CheckpointName, WeightsTask


def weights_task(design: Design, block_id: str, path: Path, folder: Path, part: str = "") -> WeightsTask:
    """Return the task that looks for a block's weights in a file. Relative paths of the design begin at `folder`.

    Raises InvalidInput where the design has no such block.
    """
    if not design.has(block_id):
        names = ", ".join(block.id for block in design.blocks)
        raise InvalidInput(f"The design has no block {block_id!r}; it has {names}.", "weights_mismatch")
    return WeightsTask(
        design=to_builtins(design), design_folder=str(folder.absolute()), block=block_id, path=str(path.absolute()), part=part
    )


def source_file(path: Path, checkpoint: CheckpointName = "best") -> Path:
    """Return the file of weights that a path means: the checkpoint of a run, given by its folder, or the file itself."""
    run = RunFolder(path.parent if path.name == "checkpoints" else path)
    return run.checkpoint(checkpoint) if run.looks_like_a_run else path


def source_words(path: Path, part: str, epoch: int | None = None) -> str:
    """Return where weights come from in words: `run roman, best, epoch 12, block decoder`, or the file's name."""
    run = RunFolder(path.parent.parent)
    if path.parent.name == "checkpoints" and run.looks_like_a_run:
        words = [f"run {run.path.name}", path.name.partition(".")[0], f"epoch {epoch}" if epoch else ""]
    else:
        words = [path.name]
    return ", ".join(filter(None, [*words, f"block {part}" if part else ""]))


def with_found(design: Design, block_id: str, found: WeightsFound, source: str, folder: Path | None) -> Design:
    """Return the design whose block begins with weights that were written. Paths below `folder` are written relative to it."""
    file = Path(found.file)
    written = file.relative_to(folder) if folder is not None and file.is_relative_to(folder) else file
    weights = BlockWeights(written.as_posix(), block_id, found.file_sha256, found.parameters, source)
    return design.with_weights(block_id, weights)


def shapes_in_words(shapes: tuple[tuple[int, ...], ...]) -> str:
    """Return the shapes of a layer's weights: `4×24, 6×24, 24`."""
    return ", ".join("×".join(map(str, shape)) or "1" for shape in shapes)
