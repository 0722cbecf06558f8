"""What the writer of an export format does: write files, and say how a fresh process predicts from them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.scaling import Scaling
from seqdec_gui.runs.export_formats import EXPORT_FORMATS, STEP_PARTS, ExportFormat

if TYPE_CHECKING:
    import keras

    from seqdec_gui.domain.design import Design

Array: TypeAlias = npt.NDArray[Any]
Predict: TypeAlias = Callable[[list[Array]], list[npt.NDArray[np.float32]]]
"""The inputs of a model in its order to its outputs."""


@dataclass(frozen=True)
class Source:
    """What is exported.

    - `models`: a fresh copy in float32 that was never compiled, by block and `full`. With raw inputs `models[part]` takes
      them.
    - `part`: `full` or the id of a block.
    - `inputs`: rows for `models[part]`, in its order, on which the written file is compared with it.
    - `design`: the design that was trained, and `keras_files` the folders where the Keras files that it imports are looked for.
    - `scalings`: how the training standardised each input of `models[part]`; None for one that takes other numbers.
    - `raw_inputs`: whether the file shall standardise its inputs itself.
    - `results`: the names of what the model gives, for formats with names; without them those of the layers that give it.
    - `trained`: the run (`runner.opened_run.OpenedRun`), and `checkpoint` the one whose weights these are, for a format that
      holds more than the model.
    """

    models: Mapping[str, keras.Model]
    part: str
    inputs: Sequence[Array]
    design: Design
    keras_files: tuple[Path, ...] = ()
    scalings: Sequence[Scaling | None] = ()
    raw_inputs: bool = False
    results: Sequence[str] = ()
    trained: Any = None
    checkpoint: str = "best"

    @property
    def model(self) -> keras.Model:
        return self.models[self.part]

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the inputs, which are those of the Keras inputs, as identifiers."""
        return distinct_names(tensor.name for tensor in self.model.inputs)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names of the results, as identifiers that no input has."""
        wanted = self.results or [tensor._keras_history.operation.name for tensor in self.model.outputs]
        taken = self.input_names
        return distinct_names((*taken, *wanted))[len(taken) :]


def distinct_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names as identifiers, with a number where two would be equal."""
    made: list[str] = []
    for name in names:
        stem = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "tensor"
        stem = f"_{stem}" if stem[0].isdigit() else stem
        candidate, number = stem, 2
        while candidate in made:
            candidate, number = f"{stem}_{number}", number + 1
        made.append(candidate)
    return tuple(made)


class Writer(ABC):
    """Writes one format, and knows how its files are opened.

    `runner.export.export` calls `write` with a path in a temporary folder, has a fresh process call `opener` and predict, and
    renames the files when the predictions are those of the trained model. What is not reopened and compared is not exported.
    """

    opener: str
    """`"module:function"` of a function `(path, options, weights) -> Predict` that opens a written file as its receiver would.

    It runs in a process that has imported nothing but the format's `opened_by`. `options` and `weights` are those of the two
    methods below.
    """

    def __init__(self, format: ExportFormat) -> None:
        self.format = format

    @abstractmethod
    def write(self, source: Source, path: Path, wanted: Path) -> tuple[Path, ...]:
        """Write the model to `path` and return all files, that one first; others lie in the same folder.

        `wanted` is the path under which the user will find it, for messages. Raises InvalidInput where the format cannot carry
        the model, SeqdecError, OSError.
        """

    @abstractmethod
    def not_reopened(self, source: Source, path: Path, wanted: Path, reason: str) -> Exception:
        """The error that the file at `path` was written and could not be opened again; `reason` is what the opener raised."""

    def options(self, source: Source) -> dict[str, str]:
        """Further arguments of the opener."""
        return {}

    def tolerance(self, model: keras.Model) -> float:
        """The largest difference that is allowed for this model; see `ExportFormat.tolerance`."""
        return self.format.tolerance

    def weights(self, source: Source) -> list[Array]:
        """Weights that the opener puts into a model whose file holds none."""
        return []

    def cannot_carry(self, part: str, why: str, hint: str = "") -> InvalidInput:
        """The error that this format cannot carry the model; `why` is a sentence, or the rest of one after the colon."""
        row = self.format
        instead = f"Export as {EXPORT_FORMATS[row.instead].title}." if row.instead else ""
        text = f"The format {row.name} cannot carry {part}: {why}"
        where = "" if part in ("full", *STEP_PARTS) else part
        return InvalidInput([Problem("error", f"not_in_{row.code_name}", where, text, hint or instead)])

    def try_out(self, model: keras.Model, folder: Path) -> None:
        """Save an untrained model in `folder` and reopen it in this process, for a format that is tried at the start of a run.

        Raises InvalidInput where the format cannot carry the model, SeqdecError (disk).
        """
        raise NotImplementedError(f"{self.format.name} cannot be tried in the process that trains")
