"""Many devices, shared cores, other precision: the numbers of one device, or of Keras itself."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import jax
import jax.ad_checkpoint
import keras
import msgspec
import numpy as np

from seqdec_gui.runner.engines.jax import cpu_sharding as parts
from seqdec_gui.runner.engines.jax import engine
from tests.runner import train_on
from tests.runner.jax_checks.engines import difference, made, some_rows, train, weights_of

Array = Any
COUNTS = {"stack": (3,), "masked": (2, 3), "masked between layers": (2,), "two losses": (3,), "transformer": (2,)}


def many_devices_equal_one(folder: Path, name: str) -> None:
    found = {}
    for count in (1, *COUNTS[name]):
        there, dataset = made(name, folder, count)
        found[count] = train_on.trained(there, dataset)
    for count in COUNTS[name]:
        worst = {key: difference(found[1][key], found[count][key]) for key in found[1] if train_on.is_compared(key)}
        assert {key: value for key, value in worst.items() if value > 1e-5} == {}, (count, worst)
    moving = [key for key in found[1] if "moving" in key]
    assert all(np.any(found[1][key] != (1.0 if "variance" in key else 0.0)) for key in moving)
    first, second = np.split(found[1]["losses"], 2)
    assert second.mean() < first.mean(), (first, second)
    counted = {key: value[1] for key, value in found[COUNTS[name][-1]].items() if key.endswith("/exact_accuracy")}
    assert set(counted.values()) == {10.0}, counted


def kept_arrays(there: engine.JaxEngine) -> int:
    """How many arrays JAX keeps for the backward pass of the model."""
    model = there.training_model
    weights = [[each.value for each in some] for some in (model.trainable_variables, model.non_trainable_variables)]
    inputs = [np.zeros((2, *tensor.shape[1:]), tensor.dtype) for tensor in model.inputs]

    def loss(trainable: Array) -> Array:
        return model.stateless_call(trainable, weights[1], inputs, training=True)[0][0].sum()

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        jax.ad_checkpoint.print_saved_residuals(loss, weights[0])
    return said.getvalue().count("\n")


def computing_activations_again_gives_the_same(folder: Path) -> None:
    """With dropout, whose numbers are drawn again, and on two devices."""
    from seqdec_gui.runner.engines.jax.rematerialisation import Rematerialised

    kept, dataset = made("transformer", folder, 2, silent=False)
    again, _ = made("transformer", folder, 2, silent=False, rematerialise=True)
    assert [type(again.models[name]) is Rematerialised for name in ("encoder", "decoder")] == [True, True]
    rows = some_rows(dataset, 3)
    assert difference(train(kept, rows).losses, train(again, rows).losses) < 1e-6
    for one, other in zip(weights_of(kept), weights_of(again), strict=True):
        assert difference(one, other) < 1e-5
    assert kept_arrays(again) < kept_arrays(kept) / 2
    lengths = {len(each.plan) for each in (again.models["encoder"], again.models["decoder"])}
    assert lengths == {3}  # two layers, and what comes behind them


def a_single_cpu_shares_a_batch_among_its_cores_and_gives_the_same(folder: Path) -> None:
    program, _ = train_on.prepared("masked", folder)
    assert parts.shards_for(program, 4) == 1  # too little work
    least, parts.MIN_STEP_OPERATIONS = parts.MIN_STEP_OPERATIONS, 0
    for batch, expected in ((64, 4), (24, 3), (16, 2), (9, 1), (1, 1)):
        training = msgspec.structs.replace(program.training, batch_size=batch)
        of_this_batch = msgspec.structs.replace(program, design=program.design.with_training(training))
        assert parts.shards_for(of_this_batch, 4) == expected
    parts.MIN_STEP_OPERATIONS = least
    alone, dataset = made("masked", folder, 1)
    alone._fit_mesh_to(1)
    before = engine.shards_for
    engine.shards_for = lambda program, cores: 3
    try:
        shared, _ = made("masked", folder, 1)
    finally:
        engine.shards_for = before
    assert (alone._mesh.devices.size, shared._mesh.devices.size, shared.replicas) == (1, 3, 1)
    rows = some_rows(dataset, 5)
    assert difference(train(alone, rows).losses, train(shared, rows).losses) < 1e-5
    odd = rows[:, :8]  # does not divide by 3
    assert difference(train(alone, odd).losses, train(shared, odd).losses) < 1e-5
    for one, other in zip(weights_of(alone), weights_of(shared), strict=True):
        if one.dtype == np.float32:
            assert difference(one, other) < 1e-5


def local_statistics_are_averaged(folder: Path) -> None:
    there, dataset = made("stack", folder, 2, batch_statistics="local")
    rows = some_rows(dataset, 1)
    before = [np.asarray(value) for value in there._state.others]
    train(there, rows, rate=1e-9)
    after = [np.asarray(value) for value in there._state.others]
    halves = []
    for half in (rows[:, :6], rows[:, 6:]):
        one, _ = made("stack", folder, 1)
        train(one, half, rate=1e-9)
        halves.append([np.asarray(value) for value in one._state.others])
    assert any(np.any(a != b) for a, b in zip(before, after, strict=True))
    for value, first, second in zip(after, *halves, strict=True):
        np.testing.assert_allclose(value, (first + second) / 2, rtol=2e-5, atol=2e-6)
    again = [np.asarray(part.data) for part in there._state.others[0].addressable_shards]
    np.testing.assert_array_equal(again[0], again[1])


def training_equals_keras_own(folder: Path) -> None:
    """Three steps of Adam by `train_on_batch` of a fresh model, without padding."""
    from seqdec_gui.runner.objective import expand

    there, dataset = made("stack", folder, 1, clip_norm=0.0)
    there._objective._losses = [loss.__class__(loss.term, None) for loss in there._objective._losses]
    rows = some_rows(dataset, 3)
    fresh = there.program.build_models()["full"]
    fresh.compile(keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy())
    losses = []
    for line in rows:
        inputs, targets = expand(dataset.feeds, dataset.batch(line))
        losses.append(fresh.train_on_batch([inputs[t.name] for t in fresh.inputs], targets["loss"]))
    np.testing.assert_allclose(train(there, rows).losses, losses, rtol=1e-5)
    there.sync()
    for one, other in zip(fresh.variables, there.models["full"].variables, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-3, atol=2e-5, err_msg=one.path)


def bfloat16_trains_about_as_float32_does(folder: Path) -> None:
    finals = {}
    for precision in ("float32", "bfloat16"):
        there, dataset = made("masked", folder, 2, precision=precision)
        rows = np.concatenate([some_rows(dataset, 20, seed) for seed in range(3)])
        finals[precision] = train(there, rows).losses[-10:].mean()
        assert there.predict(dataset.validation)[0].dtype == np.float32
        assert all(value.dtype == np.float32 for value in there._state.trainable)
    assert abs(finals["bfloat16"] / finals["float32"] - 1) < 0.05, finals
