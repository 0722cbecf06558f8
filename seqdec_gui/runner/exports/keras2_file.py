"""`.h5` of Keras 2: what `keras.models.load_model` of TensorFlow 2.15 and older opens, and the package tf_keras today."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdec_gui.data.storage import not_written
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runner.exports.base import Array, Predict, Source, Writer

if TYPE_CHECKING:
    import keras

TOLERANCE_OF_ATTENTION = 1e-5
"""1.0e-6 was seen of a design with attention (TensorFlow 2.21, tf_keras 2.21)."""


class Keras2File(Writer):
    """One file, written and opened by tf_keras without custom objects."""

    opener = "seqdec_gui.runner.exports.keras2_file:opened"

    def write(self, source: Source, path: Path, wanted: Path) -> tuple[Path, ...]:
        from seqdec_gui.runner.exports.keras2 import NotInKeras2, keras2_model
        from seqdec_gui.runner.exports.keras_file import fail_if_no_room

        try:
            made = keras2_model(source.model)
            made.save(path, save_format="h5", include_optimizer=False)
        except NotInKeras2 as error:
            raise self.cannot_carry(source.part, f"its layer {error}.") from error
        except OSError as error:
            raise not_written(wanted, error) from error
        except (ValueError, TypeError, RuntimeError, KeyError) as error:
            fail_if_no_room(source.model, path, wanted)
            reason = str(error).partition("\n")[0][:300].rstrip(".")
            raise self.cannot_carry(source.part, f"tf_keras says: {reason}.") from error
        return (path,)

    def tolerance(self, model: keras.Model) -> float:
        from seqdec_gui.runner.normalization import all_layers

        attends = any(type(layer).__name__.endswith("Attention") for layer in all_layers(model))
        return TOLERANCE_OF_ATTENTION if attends else super().tolerance(model)

    def not_reopened(self, source: Source, path: Path, wanted: Path, reason: str) -> Exception:
        return SeqdecError(f"tf_keras cannot open {wanted.name}: {reason}")


def opened(path: Path, options: dict[str, str], weights: list[Array]) -> Predict:
    """Exactly what a receiver does, without custom objects."""
    import tf_keras

    model: Any = tf_keras.models.load_model(path, compile=False)

    def predict(inputs: list[Array]) -> list[Array]:
        outputs = model.predict_on_batch(inputs[0] if len(inputs) == 1 else inputs)
        return [np.asarray(output, np.float32) for output in (outputs if isinstance(outputs, list | tuple) else [outputs])]

    return predict
