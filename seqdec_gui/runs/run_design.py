"""The design of a run as it was trained, to be opened again; and designs whose relative paths were made absolute. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from seqdec_gui.domain.design import Design
from seqdec_gui.runs import known
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.notes import display_name


class RunDesign(msgspec.Struct, frozen=True):
    """A design as it was trained, without a file. `file` is where the design is now, None if no file of it is known.

    If there is a file, this is an earlier state of the design in it, and begins as a design of its own, without an id. If there
    is none, this is the design itself: it has the id, and so the runs.
    """

    design: Design
    title: str
    run: str
    file: Path | None = None

    @property
    def sentence(self) -> str:
        """Return what was opened."""
        begin = f"This is the design of {self.run} as it was trained"
        if self.file is not None:
            return f"{begin}, as a new design; {self.file.name} and its runs stay as they are."
        return f"{begin}, with all of its runs. It is in no file yet: save it to keep it."


def read(run: Path) -> RunDesign:
    """Return the design of a run. Runs in a thread. Raises InvalidInput."""
    spec = RunFolder(run).read_spec()
    design = spec.load_design()
    if spec.folder:
        design = with_absolute_paths(design, Path(spec.folder))
    file = next(iter(known.files_of(design.id)), None)
    if file is None and not design.id and spec.design_path and Path(spec.design_path).is_file():
        file = Path(spec.design_path)
    return RunDesign(design if file is None else design.with_id(""), spec.name, display_name(run), file)


def with_absolute_paths(design: Design, folder: Path) -> Design:
    """Return the design with absolute paths instead of those relative to `folder`, so that it means the same everywhere."""

    def absolute(name: str) -> str:
        return str((folder / name).resolve()) if name and not Path(name).is_absolute() else name

    return with_paths(design, absolute)


def with_paths(design: Design, renamed: Callable[[str], str]) -> Design:
    """Return the design with other paths: `renamed` is called with every path in it, empty ones included."""
    replace = msgspec.structs.replace
    bindings = tuple(replace(binding, file=renamed(binding.file)) for binding in design.data.bindings)
    moved = design.with_data(replace(design.data, file=renamed(design.data.file), bindings=bindings))
    for block in design.blocks:
        if (kind := block.parameters.with_files(renamed)) != block.parameters:
            moved = moved.with_parameters(block.id, kind)
        if block.weights is not None:
            moved = moved.with_weights(block.id, replace(block.weights, file=renamed(block.weights.file)))
    return moved
