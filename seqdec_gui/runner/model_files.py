"""Opens the file of any model that Keras can describe, and writes it as a file of Keras 3 where it is none."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

from seqdec_gui.domain.kinds.keras_model import SUFFIXES
from seqdec_gui.domain.paths import path_fault
from seqdec_gui.runner.keras2.convert import Converted, build, convert, save_beside
from seqdec_gui.runner.keras2.files import Description, describe, unusable


class Opened(NamedTuple):
    """A file that Keras 3 reads, remarks on its making, and the largest difference from Keras 2 (None: not compared)."""

    path: Path
    notes: tuple[str, ...] = ()
    difference: float | None = None


def opened(path: Path, folder: Path, weights: Path | None = None) -> Opened:
    """Return the file itself if Keras 3 wrote it, else one that is made of it in the folder. Raises InvalidInput."""
    if path_fault(str(path)) or not path.exists():
        raise unusable(path, f"there is no such file in {path.parent}", "Correct the path, or put the file there.")
    if path.is_file() and path.suffix.lower() not in (*SUFFIXES, ".json", ".hdf", ".pb"):
        described = _foreign(path)
    elif path.name == "saved_model.pb":
        path = path.parent
        described = describe(path)
    else:
        described = describe(path)
    if described.is_keras2:
        made: Converted = convert(path, folder, weights)
        return Opened(made.path, made.notes, made.difference)
    if path.suffix.lower() == ".json" or weights is not None:
        return _keras3_with_weights(path, described, folder, weights)
    return Opened(path)


def _foreign(path: Path) -> Description:
    described = describe(path)  # says what it is, where the ending says so
    if described.config is None:
        raise unusable(path, f"expected a file that ends with {', '.join(SUFFIXES)}")
    return described


def _keras3_with_weights(path: Path, described: Description, folder: Path, weights: Path | None) -> Opened:
    """Build the model of a description of Keras 3, and load its weights."""
    if described.config is None:
        raise unusable(path, "it holds weights alone, and no model", "Give the file of the model, and this one with --weights.")
    if weights is None:
        hint = "Name the file with the weights as well: --weights FILE."
        raise unusable(path, "it describes a model and holds no weights", hint)
    model = build(described.config)
    try:
        with tempfile.TemporaryDirectory(prefix="seqdec-gui-") as name:
            link = Path(name) / "model.weights.h5"  # Keras insists on the ending
            link.symlink_to(weights.resolve())
            model.load_weights(link)
    except (ValueError, OSError, KeyError) as error:
        reason = str(error).strip().splitlines()[0][:300]
        hint = "Give the file that model.save_weights wrote for this model."
        raise unusable(weights, f"Keras says {reason.rstrip('.')}", hint) from error
    return Opened(save_beside(model, path, folder))
