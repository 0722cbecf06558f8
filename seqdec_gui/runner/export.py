"""Trained models as files that plain Keras opens, each reopened and compared before it is handed over.

What is written is a fresh build of the generated script under float32 with the weights copied in: nothing of devices, mixed
precision or optimizer is left in the file. docs/export.md says what each format holds.
"""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.data.storage import not_written
from seqdec_gui.domain.problems import InvalidInput, Problem, SeqdecError
from seqdec_gui.runner.model_device import building_device
from seqdec_gui.runner.reopen import FreshProcess, NotReopened, predictions
from seqdec_gui.runs.export_formats import (
    EXPORT_FORMATS,
    ExportFormat,
    export_format,
    fail_unless_installed,
    file_to_write,
)
from seqdec_gui.runs.export_scratch import scratch_beside

if TYPE_CHECKING:
    import keras

    from seqdec_gui.runner.exports.base import Source, Writer

Array = npt.NDArray[Any]
TOLERANCE = 1e-5
"""Largest difference of a prediction p, as a part of max(1, |p|)."""


class Saved(NamedTuple):
    """Files written; the largest `|p' - p| / max(1, |p|)` of the reopened model, over `rows` rows.

    `bytes` is the size of all files. `seconds` is how long the reopened model took for the rows.
    """

    paths: tuple[Path, ...]
    difference: float
    rows: int
    bytes: int = 0
    seconds: float = 0.0


class Differs(SeqdecError):
    """An exported file does not predict what the trained model does."""


# -- fresh models
@contextlib.contextmanager
def plain_float32() -> Iterator[None]:
    """Build under float32, on the CPU (or where `model_device` says), and leave policy and random state as they were."""
    import keras

    floatx, policy, state = keras.config.floatx(), keras.config.dtype_policy(), random.getstate()
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    try:
        with keras.device(building_device()):
            yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)
        random.setstate(state)


def fresh_copy(
    build: Callable[[], dict[str, keras.Model]], models: Mapping[str, keras.Model] | None = None
) -> dict[str, keras.Model]:
    """A fresh build under float32, with the weights of `models` (as built by the same script) if they are given."""
    with plain_float32():
        copies = build()
        for name, model in (models or {}).items():
            if name != "full":
                copies[name].set_weights([np.asarray(weight, np.float32) for weight in model.get_weights()])
    return copies


# -- exports
def writer_of(row: ExportFormat) -> Writer:
    """The writer of a format, imported now."""
    module, _, name = row.writer.partition(":")
    made: Writer = getattr(import_module(module), name)(row)
    return made


def export(source: Source, format: str, output: Path, process: FreshProcess | None = None) -> Saved:
    """Write a model and prove the file: opened by a fresh process, it predicts what `source.model` does.

    The files appear under their names when they have passed, the main file last since it may need the others.
    Raises InvalidInput (path, format that cannot carry the model), Differs, SeqdecError.
    """
    row = export_format(format)
    output = checked_output(output, row)
    fail_unless_installed(row)
    writer = writer_of(row)
    expected = predictions(source.model, list(source.inputs))
    with _as_sentence(output):
        output.parent.mkdir(exist_ok=True)
    with _as_sentence(output), scratch_beside(output) as folder:
        written = writer.write(source, folder / output.name, output)
        try:
            with _own_or(process, row.opened_by) as fresh:
                found = fresh.predict(
                    written[0], list(source.inputs), writer.opener, writer.options(source), writer.weights(source)
                )
                seconds = fresh.seconds
        except NotReopened as error:
            raise writer.not_reopened(source, written[0], output, error.reason) from error
        difference = compare(expected, found, output.name, writer.tolerance(source.model))
        size = sum(file.stat().st_size for path in written for file in _files_of(path))
        targets = tuple(output.with_name(path.name) for path in written)
        for path, target in reversed(list(zip(written, targets, strict=True))):
            _put(path, target)
    return Saved(targets, difference, len(source.inputs[0]), size, seconds)


def _files_of(path: Path) -> list[Path]:
    """The file, or all files of the folder."""
    return [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]


def _put(path: Path, target: Path) -> None:
    """Give a written file or folder its final name, in place of what has it now."""
    for each in _files_of(path):
        with each.open("rb") as file:
            os.fsync(file.fileno())
    if path.is_dir() and target.is_dir():
        target.rename(path.with_name(f"{path.name}.before"))
    path.replace(target)


def _own_or(process: FreshProcess | None, module: str) -> contextlib.AbstractContextManager[FreshProcess]:
    """The process that is given, if it has imported this module alone; else one of its own."""
    return FreshProcess(module) if process is None or process.module != module else contextlib.nullcontext(process)


def compare(expected: Sequence[Array], found: Sequence[Array], name: str, tolerance: float = TOLERANCE) -> float:
    """The largest `|found - expected| / max(1, |expected|)`. Raises Differs above `tolerance`, or where one is not finite."""
    shapes = [[array.shape for array in arrays] for arrays in (expected, found)]
    if shapes[0] != shapes[1]:
        raise Differs(f"{name} predicts arrays of shape {shapes[1]}, the trained model {shapes[0]}; the file was not kept.")
    if not all(np.isfinite(array).all() for array in expected):
        raise Differs("The trained model predicts values that are not finite; nothing was exported. Use an earlier checkpoint.")
    differences = [
        float((np.abs(b.astype(np.float64) - a) / np.maximum(1.0, np.abs(a))).max(initial=0.0))
        for a, b in zip(expected, found, strict=True)
    ]
    worst = float(np.max(differences, initial=0.0))
    if not worst <= tolerance:  # NaN as well
        raise Differs(
            f"{name}, reopened, differs from the trained model by {worst:.2g}; at most {tolerance:g} was expected. "
            "The file was not kept."
        )
    return worst


# -- before the training
def dry_run(
    build: Callable[[], dict[str, keras.Model]], folder: Path, formats: Sequence[str] = ()
) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """Save and reopen what `build` gives, untrained, in this process: the formats that carry it, and a warning for each other.

    Without `formats` those that are tried at the start of every run. For the first second of a run: call it outside every
    strategy's scope. Nothing stays in `folder`, the models that train are not touched, nor is the random state. Raises
    InvalidInput where no format carries the model, SeqdecError (disk).
    """
    rows = [row for row in EXPORT_FORMATS.values() if (row.name in formats if formats else row.tried_at_start)]
    good: list[str] = []
    problems: list[Problem] = []
    with plain_float32(), tempfile.TemporaryDirectory(prefix=".dry-run-", dir=folder) as scratch:
        model = build()["full"]
        for row in rows:
            try:
                writer_of(row).try_out(model, Path(scratch))
                good.append(row.name)
            except InvalidInput as error:
                problems += error.problems
    if not good:
        raise InvalidInput(problems)
    return tuple(good), tuple(msgspec.structs.replace(problem, severity="warning") for problem in problems)


# -- paths
def checked_output(output: Path, row: ExportFormat) -> Path:
    """The absolute path of the file (see `file_to_write`), if one of this format can be written there.

    Raises InvalidInput, SeqdecError (permission).
    """
    output = output.absolute()
    target = file_to_write(output, row)
    if row.marker and target.is_file():
        raise InvalidInput(f"{target} is a file; expected the name of a folder.", "bad_suffix", "output")
    inside = target.parent == output and not output.is_dir()
    folder = output.parent if inside else target.parent
    if row.marker and target.is_dir() and ((target / row.marker).is_file() or not any(target.iterdir())):
        pass  # an earlier export, or an empty folder
    elif row.marker and target.is_dir():
        text = f"{target} is a folder with other files; expected the name of a new folder."
        raise InvalidInput(text, "is_a_folder", "output")
    elif target.is_dir() or (target.exists() and not target.is_file()):
        what = "a folder" if target.is_dir() else "no ordinary file"
        raise InvalidInput(f"{target} is {what}; expected the name of a file.", "is_a_folder", "output")
    if inside and output.exists():
        raise InvalidInput(
            f"{output} is a file; expected a folder, or a name that ends with {row.suffixes[0]}.", "bad_suffix", "output"
        )
    if not folder.is_dir():
        raise InvalidInput(f"The folder {folder} does not exist; make it, or choose another.", "no_folder", "output")
    if not os.access(folder, os.W_OK):
        raise not_written(target, PermissionError(13, "Permission denied"))
    return target


@contextlib.contextmanager
def _as_sentence(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise not_written(path, error) from error
