"""Rows on the device or streamed, and what the process does not load."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import jax
import numpy as np

from seqdec_gui.runner.engines.jax import compilation_cache, engine, memory
from seqdec_gui.runs import files
from tests.runner.jax_checks.engines import BATCH, made, some_rows, train


def streamed_rows_give_what_resident_rows_give(folder: Path) -> None:
    one, dataset = made("masked", folder, 2, storage="resident")
    memory_of_a_row = memory.bytes_per_row(dataset.arrays.values())
    before = engine.CHUNK_BYTES
    engine.CHUNK_BYTES = 2 * BATCH * memory_of_a_row  # two steps a chunk: five steps are three
    try:
        other, _ = made("masked", folder, 2, storage="streamed")
        assert (one.resident, other.resident) == (True, False)
        rows = some_rows(dataset, 5)
        np.testing.assert_array_equal(train(one, rows).losses, train(other, rows).losses)
        weights = (np.arange(rows.size).reshape(rows.shape) % 3 > 0).astype("float32")
        first, second = one.evaluate(rows, weights), other.evaluate(rows, weights)
        assert first == second
        assert first["loss/exact_accuracy"].count == weights.sum()
        for a, b in zip(one.predict(dataset.validation[:7]), other.predict(dataset.validation[:7]), strict=True):
            assert len(a) == 7
            np.testing.assert_array_equal(a, b)
    finally:
        engine.CHUNK_BYTES = before


def what_does_not_fit_is_streamed(folder: Path) -> None:
    arrays = {"ids": np.zeros((1000, 100), "uint8")}
    assert memory.fits(arrays, jax.devices())
    before = memory.available_host_memory
    memory.available_host_memory = lambda: 100_000 * 3 / memory.HOST_MEMORY_SHARE - 1
    try:
        assert not memory.fits(arrays, jax.devices())
        assert memory.fits(arrays, jax.devices()[:2])
    finally:
        memory.available_host_memory = before


def the_first_weights_are_made_on_the_cpu(folder: Path) -> None:
    """As on a machine with GPUs: there the devices on which arrays are made by default are others."""
    first, *_, last = jax.devices()
    with jax.default_device(last):
        there, dataset = made("masked", folder, 2)
        made_on = {device for variable in there.training_model.variables for device in variable.value.devices()}
        made_on |= {device for variable in there.optimizer.variables for device in variable.value.devices()}
        assert made_on == {first}, made_on
        train(there, some_rows(dataset, 2))
        there.sync()
        assert len(there.predict(dataset.validation[:3])[0]) == 3


def compiled_code_is_kept_whole_or_not_at_all(folder: Path) -> None:
    jax.config.update("jax_raise_persistent_cache_errors", True)
    compilation_cache.cache_folder = lambda: folder / "kept"
    compilation_cache.enable()
    full = files.os.fsync
    try:
        files.os.fsync = lambda _: 1 // 0  # ends here, when all is written but for its name
        try:
            jax.jit(lambda x: x * 3 + 1)(1.0)
        except ZeroDivisionError:
            assert list((folder / "kept").iterdir()) == []
        else:
            raise AssertionError("JAX writes in place")
    finally:
        files.os.fsync = full
    jax.jit(lambda x: x * 3 + 2)(1.0)
    assert [path.name.endswith("-cache") for path in (folder / "kept").iterdir()].count(True) >= 1


def kernels_chosen_under_other_flags_are_kept_apart(folder: Path) -> None:
    before, usual = os.environ.get("XLA_FLAGS", ""), compilation_cache.cache_folder()
    try:
        os.environ["XLA_FLAGS"] = f"{before} --xla_force_host_platform_device_count=8"
        assert compilation_cache.cache_folder() == usual
        os.environ["XLA_FLAGS"] = f"{before} --xla_gpu_autotune_level=3"
        assert compilation_cache.cache_folder() != usual
    finally:
        os.environ["XLA_FLAGS"] = before


def tensorflow_stays_out_of_the_process(folder: Path) -> None:
    there, dataset = made("masked", folder, 1)
    train(there, some_rows(dataset, 1))
    there.sync()
    there.models["full"].save(folder / "full.keras")
    there.models["full"].save(folder / "full.h5", include_optimizer=False)
    assert "tensorflow" not in sys.modules
