"""`.tflite`: the model for LiteRT (TensorFlow Lite) on phones and small devices, with LiteRT's own operators alone.

A model with recurrent layers takes one row at a time, because LiteRT needs the size of every list; others take any number.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runner.exports.base import Array, Predict, Source, Writer
from seqdec_gui.runner.exports.saved_model import SIGNATURE, fail_unless_tensorflow, named_function, without_cudnn

if TYPE_CHECKING:
    import keras


class TfLite(Writer):
    """One file, opened by the interpreter of the package ai-edge-litert."""

    opener = "seqdec_gui.runner.exports.tflite:opened"

    def write(self, source: Source, path: Path, wanted: Path) -> tuple[Path, ...]:
        fail_unless_tensorflow(self.format.name)
        with without_cudnn(source.model), _quiet() as said:
            try:
                content = _converted(source, 1 if _has_loops(source.model) else None)
            except Exception as error:  # whatever the converter raises: its classes are not public
                raise self.cannot_carry(source.part, f"the converter says: {_reason(error, said())}") from error
        path.write_bytes(content)
        return (path,)

    def not_reopened(self, source: Source, path: Path, wanted: Path, reason: str) -> Exception:
        return SeqdecError(f"LiteRT cannot run {wanted.name}: {reason}")

    def options(self, source: Source) -> dict[str, str]:
        return {
            "inputs": "\n".join(source.input_names),
            "outputs": "\n".join(source.output_names),
            "rows": "one" if _has_loops(source.model) else "any",
        }


def _has_loops(model: keras.Model) -> bool:
    """Whether a recurrent layer goes through its steps in a loop."""
    from seqdec_gui.runner.normalization import all_layers

    return any(hasattr(layer, "unroll") and not layer.unroll for layer in all_layers(model))


def _converted(source: Source, rows: int | None) -> bytes:
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    function = named_function(source.model, source.input_names, source.output_names, rows)
    concrete = function.get_concrete_function()
    frozen = convert_variables_to_constants_v2(concrete)
    names = sorted(source.output_names)  # the results of a function follow the order of their names

    def call(*given: Any) -> dict[str, Any]:
        return dict(zip(names, frozen(*given), strict=True))

    signature = tf.function(call, input_signature=function.input_signature)
    with tempfile.TemporaryDirectory(prefix="seqdec-gui-") as folder:
        no_gradients = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(tf.Module(), folder, signatures={SIGNATURE: signature}, options=no_gradients)
        return bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())


@contextlib.contextmanager
def _quiet() -> Iterator[Any]:
    """Keep what the converter writes to standard error by itself, megabytes sometimes; gives a function that returns it."""
    with tempfile.TemporaryFile() as log:
        before = os.dup(2)
        os.dup2(log.fileno(), 2)

        def said() -> str:
            log.seek(0)
            return log.read(1 << 20).decode("utf-8", "replace")

        try:
            yield said
        finally:
            os.dup2(before, 2)
            os.close(before)


def _reason(error: Exception, said: str) -> str:
    """The line of the converter that says what it cannot do."""
    lines = [line for line in f"{error}\n{said}".splitlines() if "error:" in line]
    line = lines[0].rpartition("error:")[2] if lines else str(error).partition("\n")[0]
    return f"{line.strip()[:300].rstrip('.')}."


def opened(path: Path, options: dict[str, str], weights: list[Array]) -> Predict:
    """The signature of the file, called by the names of its arguments."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter: Any = Interpreter(model_path=str(path))
    call = interpreter.get_signature_runner()
    inputs, outputs = options["inputs"].split("\n"), options["outputs"].split("\n")

    def predict(arrays: list[Array]) -> list[Array]:
        one_by_one = options["rows"] == "one"
        parts = [slice(i, i + 1) for i in range(len(arrays[0]))] if one_by_one else [slice(None)]
        results = [call(**{name: array[part] for name, array in zip(inputs, arrays, strict=True)}) for part in parts]
        return [np.concatenate([np.array(result[name], np.float32) for result in results]) for name in outputs]

    return predict
