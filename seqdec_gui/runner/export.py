"""Trained models as files that plain Keras opens, each reopened and compared before it is handed over.

What is written is a fresh build of the generated script under float32 with the weights copied in: nothing of devices, mixed
precision or optimizer is left in the file. docs/export.md says what each format holds.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import math
import os
import random
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.data.storage import not_written
from seqdec_gui.domain.problems import InvalidInput, Problem, SeqdecError
from seqdec_gui.runner.model_device import building_device
from seqdec_gui.runner.reopen import FreshProcess, NotReopened, predictions

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]
ModelFormat = Literal["h5", "keras"]
TOLERANCE = 1e-5
"""Largest difference of a prediction p, as a part of max(1, |p|)."""
_HEADERS_BYTES = 65_536
SUFFIXES: dict[str, tuple[str, ...]] = {"h5": (".h5", ".hdf5"), "keras": (".keras",), "script": (".py",)}


class Saved(NamedTuple):
    """Files written; the largest `|p' - p| / max(1, |p|)` of the reopened model, over `rows` rows."""

    paths: tuple[Path, ...]
    difference: float
    rows: int


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
def export_model(
    models: Mapping[str, keras.Model],
    part: str,
    format: ModelFormat,
    output: Path,
    inputs: Sequence[Array],
    process: FreshProcess | None = None,
) -> Saved:
    """Write one of `models` and prove the file: reopened by a fresh process, it predicts what `models[part]` does.

    `models` is a fresh copy that was never compiled; `inputs` are rows for `models[part]`, in its order. The file appears under
    its name when it has passed. Raises InvalidInput (path, format that cannot carry the model), Differs, SeqdecError.
    """
    output = checked_output(output, format)
    model = models[part]
    expected = predictions(model, list(inputs))
    with _temporary(output) as partial:
        try:
            save(model, partial, format, output)
            with _own_or(process) as fresh:
                found = fresh.predict(partial, list(inputs))
        except NotReopened as error:
            fail_if_no_room(model, partial, output)
            raise _cannot_carry(format, part, error.reason) from error
        difference = compare(expected, found, output.name)
        _rename(partial, output)
    return Saved((output,), difference, len(inputs[0]))


def export_script(
    models: Mapping[str, keras.Model],
    write: Callable[[Path], tuple[Path, ...]],
    output: Path,
    inputs: Sequence[Array],
    process: FreshProcess | None = None,
    build: str = "build",
) -> Saved:
    """Write `model.py`, and the Keras files that it opens, into the folder `output`, or under the name `output` (`.py`).

    `write(script)` writes them, the script first. A fresh process runs the script, calls its function `build`, puts the
    weights in and must predict what the trained model does. Raises InvalidInput, Differs, SeqdecError.
    """
    script = checked_output(output, "script")
    with _as_sentence(script.parent):
        script.parent.mkdir(exist_ok=True)
    full = models["full"]
    with _as_sentence(script), tempfile.TemporaryDirectory(prefix=".seqdec-gui-", dir=script.parent) as folder:
        written = write(Path(folder) / script.name)
        try:
            with _own_or(process) as fresh:
                found = fresh.predict(written[0], list(inputs), "full", full.get_weights(), build)
        except NotReopened as error:
            raise SeqdecError(f"The script {script.name} does not run by itself: {error.reason}") from error
        difference = compare(predictions(full, list(inputs)), found, script.name)
        targets = tuple(script.with_name(path.name) for path in written)
        for source, target in reversed(list(zip(written, targets, strict=True))):  # the script last: it needs the others
            source.replace(target)
    return Saved(targets, difference, len(inputs[0]))


def _own_or(process: FreshProcess | None) -> contextlib.AbstractContextManager[FreshProcess]:
    return FreshProcess() if process is None else contextlib.nullcontext(process)


def save(model: keras.Model, path: Path, format: ModelFormat, wanted: Path) -> None:
    """`model.save` without an optimizer, so that an .h5 can never touch the model's own. `wanted` is the path that errors name.

    Raises InvalidInput, SeqdecError.
    """
    advice = logging.getLogger("absl")
    level = advice.level
    try:
        if format == "h5":
            advice.setLevel(logging.ERROR)  # ".h5 is considered legacy"
            model.save(path, include_optimizer=False)
        else:
            model.save(path)
    except OSError as error:
        raise not_written(wanted, error) from error
    except (ValueError, RuntimeError, TypeError, KeyError) as error:
        fail_if_no_room(model, path, wanted)
        raise _cannot_carry(format, model.name, f"{type(error).__name__}: {error}") from error
    finally:
        advice.setLevel(level)


def fail_if_no_room(model: keras.Model, path: Path, wanted: Path) -> None:
    """Raise SeqdecError about `wanted` if there was no room for the weights at `path`, which HDF5 says in its own words."""
    needed = sum(math.prod(weight.shape) for weight in model.weights) * 4 + _HEADERS_BYTES
    written = path.stat().st_size if path.exists() else 0
    if shutil.disk_usage(path.parent).free + written < needed:
        raise not_written(wanted, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))


def compare(expected: Sequence[Array], found: Sequence[Array], name: str) -> float:
    """The largest `|found - expected| / max(1, |expected|)`. Raises Differs above `TOLERANCE`, or where one is not finite."""
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
    if not worst <= TOLERANCE:  # NaN as well
        raise Differs(
            f"{name}, reopened, differs from the trained model by {worst:.2g}; at most {TOLERANCE:g} was expected. "
            "The file was not kept."
        )
    return worst


# -- before the training
def dry_run(
    build: Callable[[], dict[str, keras.Model]], folder: Path, formats: Sequence[ModelFormat] = ("h5", "keras")
) -> tuple[tuple[ModelFormat, ...], tuple[Problem, ...]]:
    """Save and reopen what `build` gives, untrained, in this process: the formats that carry it, and a warning for each other.

    For the first second of a run: call it outside every strategy's scope. Nothing stays in `folder`, the models that train are
    not touched, nor is the random state. Raises InvalidInput where no format carries the model, SeqdecError (disk).
    """
    import keras

    good: list[ModelFormat] = []
    problems: list[Problem] = []
    with plain_float32():
        model = build()["full"]
        for format in formats:
            path = folder / f".dry-run-{secrets.token_hex(4)}{SUFFIXES[format][0]}"
            try:
                save(model, path, format, path.with_name(f"model{SUFFIXES[format][0]}"))
                reopened = keras.models.load_model(path, compile=False, safe_mode=True)
                for name, before, after in zip(_names(model), model.get_weights(), reopened.get_weights(), strict=True):
                    if not np.array_equal(before, after):
                        raise ValueError(f"{name} comes back with other values")
                good.append(format)
            except InvalidInput as error:
                problems += error.problems
            except (ValueError, RuntimeError, TypeError, KeyError) as error:
                problems += _cannot_carry(format, "full", f"{type(error).__name__}: {error}").problems
            finally:
                path.unlink(missing_ok=True)
    if not good:
        raise InvalidInput(problems)
    return tuple(good), tuple(msgspec.structs.replace(problem, severity="warning") for problem in problems)


def _names(model: keras.Model) -> list[str]:
    return [weight.path for weight in model.weights]


# -- paths
def checked_output(output: Path, format: str) -> Path:
    """The absolute path of the file, if one of this format can be written there; a script may be given as a folder.

    Raises InvalidInput, SeqdecError (permission).
    """
    output = output.absolute()
    folder = output.parent
    if format == "script" and output.suffix != ".py":
        folder = output if output.is_dir() else folder
        output = output / "model.py"
    if output.suffix.lower() not in SUFFIXES[format]:
        wanted = " or ".join(SUFFIXES[format])
        raise InvalidInput(f"Expected a file name that ends with {wanted}, got {output.name}.", "bad_suffix", "output")
    if output.is_dir() or (output.exists() and not output.is_file()):
        what = "a folder" if output.is_dir() else "no ordinary file"
        raise InvalidInput(f"{output} is {what}; expected the name of a file.", "is_a_folder", "output")
    if not folder.is_dir():
        raise InvalidInput(f"The folder {folder} does not exist; make it, or choose another.", "no_folder", "output")
    if not os.access(folder, os.W_OK):
        raise not_written(output, PermissionError(13, "Permission denied"))
    return output


@contextlib.contextmanager
def _temporary(output: Path) -> Iterator[Path]:
    """A name in the same folder with the same suffix; whatever is there in the end is removed."""
    partial = output.with_name(f".{output.stem}.{secrets.token_hex(4)}{output.suffix}")
    try:
        yield partial
    finally:
        partial.unlink(missing_ok=True)


def _rename(partial: Path, output: Path) -> None:
    with _as_sentence(output):
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(output)


@contextlib.contextmanager
def _as_sentence(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise not_written(path, error) from error


# -- formats
def _cannot_carry(format: str, part: str, reason: str) -> InvalidInput:
    """Known limits in words, others as Keras says them."""
    why, hint = f"Keras says: {reason.splitlines()[0][:300]}", "Export as .keras." if format == "h5" else ""
    if "NotEqual" in reason or "'Any'" in reason:
        why = "it skips padding by a mask (mask_padding), and plain Keras could not open the file again."
        hint = "Export as .keras, or switch mask_padding off."
    elif "name already exists" in reason:
        why = "two of its layers or weights have the same name."
        hint = "Export as .keras, or rename the layers of the imported model."
    text = f"{'An' if format == 'h5' else 'A'} .{format} file cannot carry {part}: {why}"
    return InvalidInput([Problem("error", f"not_in_{format}", "" if part == "full" else part, text, hint)])
