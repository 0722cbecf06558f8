"""The generated script, with the Keras files that it opens beside it; it holds no weights."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from seqdec_gui.domain.codegen import generate_step
from seqdec_gui.domain.generation import stepped_decoder
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.domain.shapes import infer
from seqdec_gui.runner.exports.base import Array, Predict, Source, Writer
from seqdec_gui.runner.raw_inputs import BUILD, add_to_script
from seqdec_gui.runner.reopen import predictions
from seqdec_gui.runner.script_files import write_script
from seqdec_gui.runs.export_formats import ONE_STEP

STEP_BUILD = "build_step"
"""Name of the function in the script of one step that builds its model."""


class Script(Writer):
    """`model.py`. A fresh process runs it, calls its function, puts the trained weights in and predicts."""

    opener = "seqdec_gui.runner.exports.script:opened"

    def write(self, source: Source, path: Path, wanted: Path) -> tuple[Path, ...]:
        if source.part == ONE_STEP:
            decoder = stepped_decoder(source.design, infer(source.design))
            path.write_text(generate_step(source.design, decoder), "utf-8")
            return (path,)
        written = write_script(source.design, path, source.keras_files)
        add_to_script(path, {scaling.name: scaling for scaling in source.scalings if scaling}, source.raw_inputs)
        return written

    def not_reopened(self, source: Source, path: Path, wanted: Path, reason: str) -> Exception:
        return SeqdecError(f"The script {wanted.name} does not run by itself: {reason}")

    def options(self, source: Source) -> dict[str, str]:
        if source.part == ONE_STEP:
            return {"part": "", "build": STEP_BUILD}
        return {"part": source.part, "build": BUILD if source.raw_inputs and any(source.scalings) else "build"}

    def weights(self, source: Source) -> list[Array]:
        return list(source.model.get_weights())


def opened(path: Path, options: dict[str, str], weights: list[Array]) -> Predict:
    """The model that the script builds, with these weights."""
    spec = importlib.util.spec_from_file_location("model", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    built: Any = getattr(module, options["build"])()
    model = built[options["part"]] if options["part"] else built
    model.set_weights(weights)
    return lambda inputs: predictions(model, inputs)
