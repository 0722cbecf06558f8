"""TensorFlow SavedModel: a folder that TensorFlow, TensorFlow Serving and their clients in other languages load.

It has one signature, `serving_default`, whose arguments and results are named, and needs no Keras to be loaded.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdec_gui.data.storage import not_written
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runner.exports.base import Array, Predict, Source, Writer

if TYPE_CHECKING:
    import keras

SIGNATURE = "serving_default"


class SavedModel(Writer):
    """A folder, loaded by `tf.saved_model.load`."""

    opener = "seqdec_gui.runner.exports.saved_model:opened"

    def write(self, source: Source, path: Path, wanted: Path) -> tuple[Path, ...]:
        import tensorflow as tf

        fail_unless_tensorflow(self.format.name)
        module = tf.Module()
        module.trained = [variable.value for variable in source.model.variables]
        with without_cudnn(source.model):
            function = named_function(source.model, source.input_names, source.output_names)
            try:
                tf.saved_model.save(module, str(path), signatures={SIGNATURE: function})
            except OSError as error:
                raise not_written(wanted, error) from error
        return (path,)

    def not_reopened(self, source: Source, path: Path, wanted: Path, reason: str) -> Exception:
        return SeqdecError(f"TensorFlow cannot load the SavedModel {wanted.name}: {reason}")

    def options(self, source: Source) -> dict[str, str]:
        return {"inputs": "\n".join(source.input_names), "outputs": "\n".join(source.output_names)}


def fail_unless_tensorflow(name: str) -> None:
    """Raise SeqdecError where Keras computes with another framework: only TensorFlow's functions can be saved."""
    import keras

    if keras.backend.backend() != "tensorflow":
        raise SeqdecError(
            f"A model is written as {name} by Keras with TensorFlow; this process runs {keras.backend.backend()}."
        )


def named_function(model: keras.Model, inputs: Sequence[str], outputs: Sequence[str], rows: int | None = None) -> Any:
    """The model at inference as a `tf.function` whose arguments and results have names; `rows` None: any number of them."""
    import tensorflow as tf

    specs = [
        tf.TensorSpec((rows, *tensor.shape[1:]), tensor.dtype, name=name)
        for name, tensor in zip(inputs, model.inputs, strict=True)
    ]

    def call(*given: Any) -> dict[str, Any]:
        results = model(given[0] if len(given) == 1 else list(given), training=False)
        listed = results if isinstance(results, list | tuple) else [results]
        return dict(zip(outputs, listed, strict=True))

    return tf.function(call, input_signature=specs)


@contextlib.contextmanager
def without_cudnn(model: keras.Model) -> Iterator[None]:
    """Recurrent layers take the loop that every machine has, instead of cuDNN's kernels, which need the GPU of this one."""
    from seqdec_gui.runner.normalization import all_layers

    layers = [layer for layer in all_layers(model) if getattr(layer, "use_cudnn", None)]
    before = [layer.use_cudnn for layer in layers]
    for layer in layers:
        layer.use_cudnn = False
    try:
        yield
    finally:
        for layer, value in zip(layers, before, strict=True):
            layer.use_cudnn = value


def opened(path: Path, options: dict[str, str], weights: list[Array]) -> Predict:
    """The signature, called by the names of its arguments."""
    import tensorflow as tf

    loaded: Any = tf.saved_model.load(str(path))
    call = loaded.signatures[SIGNATURE]
    inputs, outputs = options["inputs"].split("\n"), options["outputs"].split("\n")

    def predict(arrays: list[Array]) -> list[Array]:
        results = call(**{name: tf.constant(array) for name, array in zip(inputs, arrays, strict=True)})
        return [np.asarray(results[name], np.float32) for name in outputs]

    predict.keep = loaded  # type: ignore[attr-defined]
    return predict
