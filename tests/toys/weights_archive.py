"""`.toy`: a zip archive of the architecture as JSON and of the weights as NumPy arrays."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runner.exports.base import Array, Predict, Source, Writer
from seqdec_gui.runner.reopen import predictions


class WeightsArchive(Writer):
    """One file with `model.json` and `0.npy`, `1.npy`, ..."""

    opener = "seqdec_gui.runner.exports.weights_archive:opened"

    def write(self, source: Source, path: Path, wanted: Path) -> tuple[Path, ...]:
        weights = source.model.get_weights()
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("model.json", json.dumps({"model": source.model.to_json(), "weights": len(weights)}))
            for i, array in enumerate(weights):
                with archive.open(f"{i}.npy", "w") as file:
                    np.save(file, array)
        return (path,)

    def not_reopened(self, source: Source, path: Path, wanted: Path, reason: str) -> Exception:
        return SeqdecError(f"{wanted.name} could not be opened again: {reason}")


def opened(path: Path, options: dict[str, str], weights: list[Array]) -> Predict:
    import keras

    with zipfile.ZipFile(path) as archive:
        described = json.loads(archive.read("model.json"))
        model = keras.models.model_from_json(described["model"])
        model.set_weights([np.load(archive.open(f"{i}.npy")) for i in range(described["weights"])])
    return lambda inputs: predictions(model, inputs)
