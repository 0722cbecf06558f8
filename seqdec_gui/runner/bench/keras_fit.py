"""Plain Keras as its users write it: `model.fit` on one-hot NumPy arrays, on ids for a Transformer.

TensorFlow: MirroredStrategy with synchronised BatchNormalization on several devices. JAX: `keras.distribution.DataParallel`.
"""

from __future__ import annotations

import contextlib
from typing import Any

import keras
import msgspec
import numpy as np

from seqdec_gui.runner.bench.peer import given, measure, tell, write_model
from seqdec_gui.runner.bench.work import Job, Translator, arrays
from seqdec_gui.runner.normalization import all_layers
from seqdec_gui.runner.probe import process_age_s
from seqdec_gui.runner.program import load_build


def main() -> None:
    job, folder = given()
    scope = _scope(job)
    build = load_build(write_model(job, folder))
    if job.precision == "bfloat16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    with scope:
        model = build()["full"]
        if job.devices.replicas > 1 and keras.config.backend() == "tensorflow":
            _synchronise(model)
        ids = isinstance(job.network, Translator)
        loss = keras.losses.SparseCategoricalCrossentropy() if ids else keras.losses.CategoricalCrossentropy()
        model.compile(keras.optimizers.Adam(1e-3), loss)
    inputs, targets = _rows(job)
    first = _FirstStep()

    def epoch() -> float:
        callbacks = [first] if first.age_s is None else []
        return float(model.fit(inputs, targets, batch_size=job.batch, verbose=0, callbacks=callbacks).history["loss"][0])

    found = measure(job, epoch)
    tell(msgspec.structs.replace(found, first_step_s=first.age_s or found.first_step_s))


def _rows(job: Job) -> tuple[list[Any], Any]:
    """Return inputs and targets as `fit` takes them."""
    rows = arrays(job.network, job.rows)
    if isinstance(job.network, Translator):
        return [rows["source"].astype("int32"), rows["inputs"].astype("int32")], rows["targets"].astype("int32")
    inputs = [rows["latent"], np.eye(job.shape.inputs, dtype="float32")[rows["inputs"]]]
    return inputs, np.eye(job.shape.outputs, dtype="float32")[rows["targets"]]


class _FirstStep(keras.callbacks.Callback):
    age_s: float | None = None

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.age_s = self.age_s or process_age_s()


def _scope(job: Job) -> Any:
    """Within it the model is built. Sets up the devices."""
    count = job.devices.replicas
    if keras.config.backend() == "jax":
        if count > 1:
            devices = keras.distribution.list_devices()[:count]
            keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
        return contextlib.nullcontext()
    import tensorflow as tf

    kind = "GPU" if job.devices.kind == "gpu" else "CPU"
    if kind == "CPU" and count > 1:
        (cpu,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    names = [f"{kind}:{i}" for i in range(count)]
    return tf.distribute.MirroredStrategy(names).scope() if count > 1 else contextlib.nullcontext()


def _synchronise(model: keras.Model) -> None:
    for layer in all_layers(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True


if __name__ == "__main__":
    main()
