"""`.h5` and `.keras`: architecture and weights in one file that plain Keras opens."""

from __future__ import annotations

import errno
import logging
import math
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdec_gui.data.storage import not_written
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runner.exports.base import Array, Predict, Source, Writer
from seqdec_gui.runner.reopen import predictions

if TYPE_CHECKING:
    import keras

_HEADERS_BYTES = 65_536
"""Room for what a file holds besides its weights."""


class KerasFile(Writer):
    """One file, written by `keras.Model.save`."""

    opener = "seqdec_gui.runner.exports.keras_file:opened"

    def write(self, source: Source, path: Path, wanted: Path) -> tuple[Path, ...]:
        self.save(source.model, path, wanted)
        return (path,)

    def not_reopened(self, source: Source, path: Path, wanted: Path, reason: str) -> Exception:
        fail_if_no_room(source.model, path, wanted)
        return self._cannot_carry(source.part, reason)

    def save(self, model: keras.Model, path: Path, wanted: Path) -> None:
        """`model.save` without an optimizer, so that an .h5 can never touch the model's own.

        `wanted` is the path that errors name. Raises InvalidInput, SeqdecError.
        """
        absl = logging.getLogger("absl")
        level = absl.level
        try:
            if path.suffix == ".keras":
                model.save(path)
            else:
                absl.setLevel(logging.ERROR)  # ".h5 is considered legacy"
                model.save(path, include_optimizer=False)
        except OSError as error:
            raise not_written(wanted, error) from error
        except (ValueError, RuntimeError, TypeError, KeyError) as error:
            fail_if_no_room(model, path, wanted)
            raise self._cannot_carry(model.name, f"{type(error).__name__}: {error}") from error
        finally:
            absl.setLevel(level)

    def try_out(self, model: keras.Model, folder: Path) -> None:
        import keras

        suffix = self.format.suffixes[0]
        path = folder / f"model{suffix}"
        self.save(model, path, path)
        try:
            reopened = keras.models.load_model(path, compile=False, safe_mode=True)
            names = [weight.path for weight in model.weights]
            for name, before, after in zip(names, model.get_weights(), reopened.get_weights(), strict=True):
                if not np.array_equal(before, after):
                    raise ValueError(f"{name} comes back with other values")
        except (ValueError, RuntimeError, TypeError, KeyError) as error:
            raise self._cannot_carry("full", f"{type(error).__name__}: {error}") from error

    def _cannot_carry(self, part: str, reason: str) -> InvalidInput:
        """Known limits in words, others as Keras says them."""
        name = self.format.name
        why, hint = f"Keras says: {reason.splitlines()[0][:300]}", "Export as .keras." if name == "h5" else ""
        if "NotEqual" in reason or "'Any'" in reason:
            why = "it skips padding by a mask (mask_padding), and plain Keras could not open the file again."
            hint = "Export as .keras, or switch mask_padding off."
        elif operation := re.search(r"Unknown layer: '(\w+)'", reason):
            why = f"it has the operation {operation[1]}, which is no layer, and plain Keras could not open the file again."
        elif "name already exists" in reason:
            why = "two of its layers or weights have the same name."
            hint = "Export as .keras, or rename the layers of the imported model."
        text = f"{'An' if name == 'h5' else 'A'} .{name} file cannot carry {part}: {why}"
        return InvalidInput([Problem("error", f"not_in_{self.format.code_name}", "" if part == "full" else part, text, hint)])


def opened(path: Path, options: dict[str, str], weights: list[Array]) -> Predict:
    """Exactly what a receiver does: no custom objects, nothing that may run code from the file."""
    import keras

    model: Any = keras.models.load_model(path, compile=False, safe_mode=True)
    return lambda inputs: predictions(model, inputs)


def fail_if_no_room(model: keras.Model, path: Path, wanted: Path) -> None:
    """Raise SeqdecError about `wanted` if there was no room for the weights at `path`, which HDF5 says in its own words."""
    needed = sum(math.prod(weight.shape) for weight in model.weights) * 4 + _HEADERS_BYTES
    written = path.stat().st_size if path.exists() else 0
    if shutil.disk_usage(path.parent).free + written < needed:
        raise not_written(wanted, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
