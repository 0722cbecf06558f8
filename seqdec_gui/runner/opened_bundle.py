"""Opens a bundle as the models of its design with their weights; what generates from a run generates from it too."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from seqdec_gui.data import fitted as fitted_file
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.domain import document
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.shapes import infer
from seqdec_gui.runner.bundle_file import DESIGN, FITTED, MODELS, Contents, unpack
from seqdec_gui.runner.decoding.recorded import Recorded
from seqdec_gui.runner.keras_bounds import (
    FREE_WEIGHTS,
    NO_NUMBERS,
    fail_if_larger_than_held,
    held_by,
    model_of,
    weight_that_is_no_number,
)
from seqdec_gui.runner.keras_safety import fail_if_unsafe
from seqdec_gui.runner.script_files import write_script

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class OpenedBundle:
    """A bundle that was unpacked into `folder`, with the models of its design by block and `full`."""

    path: Path
    folder: Path
    contents: Contents
    design: Design
    models: dict[str, keras.Model]

    def fitted(self) -> Fitted:
        """Return the codecs that were fitted to the data. Raises InvalidInput."""
        if not (self.folder / FITTED).is_file():
            raise _damaged(self.path, f"{FITTED} is missing")
        try:
            return fitted_file.load(self.folder / FITTED)
        except InvalidInput as error:
            raise _damaged(self.path, f"{FITTED} in it is not what a run writes, or from a newer version") from error

    @property
    def recorded(self) -> Recorded:
        """What the sampler has to know. Raises InvalidInput where the design cannot generate."""
        if self.contents.recorded is None:
            raise InvalidInput(self.contents.cannot_generate or "This bundle cannot generate.", "cannot_generate")
        return self.contents.recorded

    def dataset(self) -> NoReturn:
        """A bundle has no rows: raises InvalidInput."""
        text = "A bundle holds no data, so it has no rows to decode."
        raise InvalidInput([Problem("error", "no_rows", "input", text, "Give a file with rows by --input.")])

    def rows_of(self, split: str, trained_on: int = 0) -> NoReturn:
        """A bundle has no rows: raises InvalidInput."""
        self.dataset()


def open_bundle(path: Path, scratch: Path) -> OpenedBundle:
    """Unpack a bundle into the empty folder `scratch`, and build its design with its weights.

    Nothing of the bundle is run: the script is generated from the design, and of the Keras files weights alone are read, or
    a model in safe mode where the design imports one. Raises InvalidInput.
    """
    from seqdec_gui.runner.export import fresh_copy
    from seqdec_gui.runner.kernels import avoid_cudnn_under_masks
    from seqdec_gui.runner.model_device import CPU, building_device
    from seqdec_gui.runner.program import load_build

    unpacked = scratch / "bundle"
    unpacked.mkdir()
    contents = unpack(path, unpacked)
    try:
        design = document.loads(_read(path, unpacked / DESIGN))
    except InvalidInput as error:
        raise _damaged(path, f"{DESIGN} in it cannot be read: {error.problems[0].text.rstrip('.')}") from error
    _fail_if_oversized(path, design, unpacked)
    script = scratch / "model.py"
    write_script(design, script, (unpacked,))
    models = fresh_copy(load_build(script))
    if building_device() != CPU:
        avoid_cudnn_under_masks(models["full"])
    _load_weights(path, models, unpacked / MODELS)
    return OpenedBundle(path, unpacked, contents, design, models)


def _fail_if_oversized(path: Path, design: Design, folder: Path) -> None:
    """Raise InvalidInput where the models of the design would have far more weights than the bundle holds."""
    for file in sorted(each for each in folder.iterdir() if each.suffix in (".keras", ".h5")):
        fail_if_unsafe(file)
        fail_if_larger_than_held(file.name, held_by(file), partial(model_of, file))
    described = infer(design).parameters or 0
    held = sum(held_by(file) for file in [*folder.glob("*.keras"), *folder.glob("*.h5"), *(folder / MODELS).glob("*.keras")])
    if described > max(held, FREE_WEIGHTS):
        raise _damaged(path, f"its design has {described:,} weights, and its models hold {held:,} numbers")


def _load_weights(path: Path, models: Mapping[str, keras.Model], folder: Path) -> None:
    for name, model in models.items():
        if name == "full" or not model.weights:
            continue
        file = folder / f"{name}.keras"
        if not file.is_file():
            raise _damaged(path, f"{MODELS}/{name}.keras is missing")
        fail_if_unsafe(file)
        try:
            model.load_weights(file)
        except (ValueError, KeyError, OSError, RuntimeError, TypeError) as error:
            reason = str(error).partition("\n")[0][:300].rstrip(".")
            raise _damaged(path, f"the weights of {name} do not fit the design: {reason}") from error
        if unfit := weight_that_is_no_number(model):
            raise _damaged(path, f"the weights {unfit} of {name} have {NO_NUMBERS}")


def _read(path: Path, file: Path) -> bytes:
    if not file.is_file():
        raise _damaged(path, f"{file.name} is missing")
    return file.read_bytes()


def _damaged(path: Path, why: str) -> InvalidInput:
    hint = "Get it again from whoever made it."
    return InvalidInput([Problem("error", "damaged_bundle", "bundle", f"{path.name} is not opened as a bundle: {why}.", hint)])


def choose_backend() -> None:
    """Let Keras, if it has not been imported yet, take a framework that is installed, unless the user has named one."""
    if "keras" not in sys.modules and "KERAS_BACKEND" not in os.environ:
        from seqdec_gui.runs.engine_choice import engine_for_models
        from seqdec_gui.runs.engines import engine_info
        from seqdec_gui.runs.spec import DeviceChoice

        os.environ["KERAS_BACKEND"] = engine_info(engine_for_models(DeviceChoice("cpu"))).backend


def no_rows(port: str) -> Any:
    """The training rows of a port, which a bundle does not have."""
    raise InvalidInput(f"A bundle holds no data, so the training rows of {port} are not known.", "no_rows")
