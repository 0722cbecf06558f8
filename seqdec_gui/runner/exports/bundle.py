"""`.zip`: everything that a trained model needs to be used by somebody else, in one file without pickles.

`runner.bundle_file` says what it holds. It is opened by `seqdec_gui.load_bundle`, and its models by Keras alone.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from seqdec_gui import __version__
from seqdec_gui.data.storage import not_written
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runner.bundle_file import MODELS
from seqdec_gui.runner.exports.base import Array, Predict, Source, Writer
from seqdec_gui.runner.reopen import predictions
from seqdec_gui.runs.export_formats import ONE_STEP

if TYPE_CHECKING:
    from seqdec_gui.domain.design import Design
    from seqdec_gui.runner.bundle import Bundle
    from seqdec_gui.runner.decoding.recorded import Recorded
    from seqdec_gui.runner.opened_run import OpenedRun


class BundleFile(Writer):
    """A zip archive of submodels, one-step decoder, fit, design, script and model card."""

    opener = "seqdec_gui.runner.exports.bundle:opened"

    def write(self, source: Source, path: Path, wanted: Path) -> tuple[Path, ...]:
        from seqdec_gui.runner import bundle_file as names
        from seqdec_gui.runner.exports.model_card import facts_of, model_card
        from seqdec_gui.runner.script_files import write_script

        trained: OpenedRun | None = source.trained
        if trained is None:
            raise SeqdecError("A bundle is made of a run; this model belongs to none.")
        recorded, reason = _recorded(trained)
        facts = facts_of(trained, source.checkpoint)
        contents = names.Contents(
            name=facts.name,
            created=time.time(),
            product_version=__version__,
            checkpoint=source.checkpoint,
            versions=facts.versions,
            recorded=recorded,
            cannot_generate=reason,
        )
        try:
            with tempfile.TemporaryDirectory(prefix=".bundle-", dir=path.parent) as name:
                folder = Path(name)
                scripts = write_script(trained.design, folder / names.SCRIPT, source.keras_files)
                (folder / names.DESIGN).write_text(_as_handed_over(trained.design), "utf-8")
                trained.fitted().save(folder / names.FITTED)
                models = _save_models(trained, folder / names.MODELS, recorded)
                if facts.certificate:
                    (folder / names.CERTIFICATE).write_bytes(facts.certificate)
                (folder / names.CARD).write_text(model_card(trained, facts, recorded, reason, models), "utf-8")
                files = [names.CARD, names.DESIGN, names.FITTED, *(file.name for file in scripts)]
                files += [names.CERTIFICATE] if facts.certificate else []
                names.pack(path, contents, folder, [*files, *(f"{names.MODELS}/{name}.keras" for name in models)])
        except OSError as error:
            raise not_written(wanted, error) from error
        return (path,)

    def not_reopened(self, source: Source, path: Path, wanted: Path, reason: str) -> Exception:
        return SeqdecError(f"The bundle {wanted.name} cannot be used: {reason}")


def _recorded(trained: OpenedRun) -> tuple[Recorded | None, str]:
    """What the sampler has learnt from the rows; None with the reason where the design cannot generate."""
    from seqdec_gui.runner.sampler import Sampler

    def training_rows(port: str) -> Any:
        dataset = trained.dataset()
        return np.asarray(dataset.arrays[port][dataset.training])

    try:
        return Sampler(trained.design, trained.models, trained.fitted(), training_rows).record(), ""
    except InvalidInput as error:
        return None, str(error).partition("\n")[0]


def _as_handed_over(design: Design) -> str:
    """The design without the folders of the machine that trained it."""
    from seqdec_gui.domain import document

    return document.dumps(design.with_data(msgspec.structs.replace(design.data, file=PurePath(design.data.file).name)))


def _save_models(trained: OpenedRun, folder: Path, recorded: Recorded | None) -> list[str]:
    """Save every submodel, and the one-step decoder where there is one; returns their names."""
    from seqdec_gui.runner.export_parts import models_with

    folder.mkdir()
    models = {name: model for name, model in trained.models.items() if name != "full"}
    with contextlib.suppress(InvalidInput):  # no decoder that is run step by step
        models[ONE_STEP] = models_with(trained, ONE_STEP)[ONE_STEP]
    for name, model in models.items():
        model.save(folder / f"{name}.keras")
    return list(models)


def _fail_unless_step_agrees(bundle: Bundle) -> None:
    """Raise ValueError where the file of one step predicts something else than the decoder does."""
    import keras

    from seqdec_gui.domain.generation import stepped_decoder
    from seqdec_gui.domain.shapes import infer
    from seqdec_gui.runner.decoding.step import build_step

    file = bundle.folder / MODELS / f"{ONE_STEP}.keras"
    decoder = stepped_decoder(bundle.design, infer(bundle.design)) if file.is_file() else ""
    if not decoder:
        return
    model: Any = keras.models.load_model(file, compile=False, safe_mode=True)
    random = np.random.default_rng(0)
    inputs = [random.uniform(0, 1, (2, *tensor.shape[1:])).round().astype(str(tensor.dtype)) for tensor in model.inputs]
    step = build_step(bundle.design, bundle.models[decoder], decoder)
    for p, q in zip(predictions(step, inputs), predictions(model, inputs), strict=True):
        if not np.allclose(p, q, rtol=0, atol=1e-6):
            raise ValueError(f"{file.name} does not predict what {decoder} does")


def opened(path: Path, options: dict[str, str], weights: list[Array]) -> Predict:
    """The stacked model of the bundle, as `load_bundle` gives it; its Keras files have to say the same."""
    from seqdec_gui.runner.bundle import load_bundle

    bundle = load_bundle(path)
    _fail_unless_step_agrees(bundle)
    model = bundle.models["full"]

    def predict(inputs: list[Array]) -> list[Array]:
        assert bundle.name is not None  # the bundle's folder lives as long as this function
        return list(predictions(model, inputs))

    return predict
