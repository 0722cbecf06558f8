"""What the tests of the engine on JAX do in a child, which has three virtual CPU devices: `jax_child.py FUNCTION FOLDER`.

Each function asserts; what it prints goes with a failure.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    os.environ["KERAS_BACKEND"] = "jax"
    os.environ["JAX_PLATFORMS"] = "cpu"

import jax
from keras.src.utils import module_utils

jax.config.update("jax_num_cpu_devices", 3)

jax.devices()  # from here on they are what they are
module_utils.tensorflow._available = False  # its import takes seconds

import jax.numpy as jnp  # noqa: E402
import keras  # noqa: E402
import msgspec  # noqa: E402
import numpy as np  # noqa: E402
from jax.sharding import Mesh  # noqa: E402
from jax.sharding import PartitionSpec as P  # noqa: E402

from seqdec_gui.data.dataset import Dataset  # noqa: E402
from seqdec_gui.runner.engines.jax import JaxEngine, engine, layers, memory, parts, recurrent  # noqa: E402
from seqdec_gui.runner.engines.jax.tuning import Tuning  # noqa: E402
from seqdec_gui.runs.spec import DeviceChoice  # noqa: E402
from tests.runner import train_on  # noqa: E402

Array = Any
BATCH = 12


def made(
    name: str,
    folder: Path,
    count: int,
    silent: bool = True,
    storage: memory.Storage = "auto",
    tuning: Tuning | None = None,
    **training: Any,
) -> tuple[JaxEngine, Dataset]:
    """An engine on `count` of the devices, with its data, random layers switched off."""
    here = folder / f"{name} {count} {len(list(folder.iterdir()))}"
    here.mkdir(parents=True)
    program, dataset = train_on.prepared(name, here, **training)
    made = JaxEngine(program, DeviceChoice("cpu", count), storage=storage, keep_compiled=False, tuning=tuning)
    made.build()
    if silent:
        train_on.silence(made)
    made.start(dataset)
    return made, dataset


def some_rows(dataset: Dataset, steps: int, seed: int = 0) -> Array:
    random = np.random.default_rng(seed)
    return np.stack([random.permutation(dataset.training)[:BATCH] for _ in range(steps)])


def train(made: JaxEngine, rows: Array, rate: float = 1e-2) -> Any:
    steps = len(rows)
    return made.train(rows, np.full(steps, rate, "float32"), np.full((steps, len(made.program.divergences)), 0.1, "float32"))


def weights_of(made: JaxEngine) -> list[Array]:
    made.sync()
    return [np.asarray(variable.value) for variable in made.training_model.variables]


def difference(one: Array, other: Array) -> float:
    return float(np.max(np.abs(one - other) / np.maximum(1.0, np.abs(one)), initial=0.0))


# -- equal to one device
def many_devices_equal_one(folder: Path) -> None:
    cases = {"stack": (3,), "masked": (2, 3), "masked between layers": (2,), "two losses": (3,)}
    for name, counts in cases.items():
        found = {}
        for count in (1, *counts):
            there, dataset = made(name, folder, count)
            found[count] = train_on.trained(there, dataset)
        for count in counts:
            worst = {key: difference(found[1][key], found[count][key]) for key in found[1] if "seed_generator" not in key}
            assert {key: value for key, value in worst.items() if value > 1e-5} == {}, (name, count, worst)
        moving = [key for key in found[1] if "moving" in key]
        assert all(np.any(found[1][key] != (1.0 if "variance" in key else 0.0)) for key in moving)
        first, second = np.split(found[1]["losses"], 2)
        assert second.mean() < first.mean(), (name, first, second)
        counted = {key: value[1] for key, value in found[counts[-1]].items() if key.endswith("/exact_accuracy")}
        assert set(counted.values()) == {10.0}, counted


def a_single_cpu_shares_a_batch_among_its_cores_and_gives_the_same(folder: Path) -> None:
    program, _ = train_on.prepared("masked", folder)
    assert parts.parts_for(program, 4) == 1  # too little work
    least, parts.LEAST_WORK = parts.LEAST_WORK, 0
    for batch, expected in ((64, 4), (24, 3), (16, 2), (9, 1), (1, 1)):
        training = msgspec.structs.replace(program.training, batch_size=batch)
        of_this_batch = msgspec.structs.replace(program, design=program.design.with_training(training))
        assert parts.parts_for(of_this_batch, 4) == expected
    parts.LEAST_WORK = least
    alone, dataset = made("masked", folder, 1)
    alone._divide(1)
    before = engine.parts_for
    engine.parts_for = lambda program, cores: 3
    try:
        shared, _ = made("masked", folder, 1)
    finally:
        engine.parts_for = before
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


def moments_are_exact_far_from_zero(folder: Path) -> None:
    layer = keras.layers.BatchNormalization(momentum=0.0)
    layer.build((None, 5, 4))
    model = keras.Sequential([keras.Input((5, 4)), layer])
    layers.share_moments(model)
    random = np.random.default_rng(0)
    values = (random.normal(size=(12, 5, 4)) + 3000.0).astype("float32")
    mask = random.uniform(size=(12, 5)) < 0.6
    mask[4:8] = False  # a device without a single valid step
    mesh = Mesh(np.array(jax.devices()), (layers.REPLICAS,))
    rows = P(layers.REPLICAS)
    found = jax.shard_map(layer._moments, mesh=mesh, in_specs=(rows, rows), out_specs=P(), check_vma=False)(values, mask)
    exact = values.astype("float64")[mask]
    np.testing.assert_allclose(found[0], exact.mean(0), rtol=1e-6)
    np.testing.assert_allclose(found[1], exact.var(0), rtol=1e-3)
    found = jax.shard_map(lambda x: layer._moments(x, None), mesh=mesh, in_specs=(rows,), out_specs=P(), check_vma=False)(
        values
    )
    np.testing.assert_allclose(found[1], values.astype("float64").var((0, 1)), rtol=1e-3)


def moments_have_the_derivatives_of_the_whole_batch(folder: Path) -> None:
    random = np.random.default_rng(0)
    values, goal = (random.normal(size=(12, 5, 4)).astype("float32") for _ in range(2))
    plain, shared = keras.layers.BatchNormalization(), keras.layers.BatchNormalization()
    for layer in (plain, shared):
        layer.build((None, 5, 4))
    layers.share_moments(keras.Sequential([keras.Input((5, 4)), shared]))

    def slope(layer: Any, masked: bool, x: Array, goal: Array, mask: Array) -> Array:
        def loss(x: Array) -> Array:
            trainable, others = ([v.value for v in vs] for vs in (layer.trainable_variables, layer.non_trainable_variables))
            out, _ = layer.stateless_call(trainable, others, x, training=True, mask=mask if masked else None)
            return jnp.sum(jnp.where(mask[..., None], jnp.sin(out) * goal, 0))

        return jax.grad(loss)(x)

    mesh, rows = Mesh(np.array(jax.devices()), (layers.REPLICAS,)), P(layers.REPLICAS)
    for masked in (False, True):
        mask = random.uniform(size=(12, 5)) < 0.6
        expected = slope(plain, masked, values, goal, mask)
        part = functools.partial(slope, shared, masked)
        run = jax.shard_map(part, mesh=mesh, in_specs=(rows, rows, rows), out_specs=rows, check_vma=False)
        np.testing.assert_allclose(run(values, goal, mask), expected, rtol=1e-4, atol=1e-5)


# -- recurrent layers
def recurrent_layers_equal_those_of_keras(folder: Path) -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(5, 7, 3)).astype("float32")
    ragged = np.arange(7) < np.array([7, 3, 1, 0, 5])[:, None]
    masks = {"none": None, "right": ragged, "left": ragged[:, ::-1].copy(), "holes": random.uniform(size=(5, 7)) < 0.5}
    plain = {"return_sequences": True, "return_state": True}
    backwards, zeros = plain | {"go_backwards": True}, plain | {"zero_output_for_mask": True}
    cases: list[tuple[str, dict[str, Any]]] = [
        ("none", plain),
        ("holes", plain),
        ("right", {}),
        ("left", backwards),
        ("holes", zeros),
    ]
    for kind, more, some in (
        (keras.layers.LSTM, {}, 5),
        (keras.layers.GRU, {}, 5),
        (keras.layers.GRU, {"reset_after": False}, 3),
    ):
        for name, option in cases[-some:]:
            check_layer(kind(4, **more, **option), x, masks[name], f"{kind.__name__} {more} {option} {name}")
    check_layer(keras.layers.Bidirectional(keras.layers.LSTM(4, **plain)), x, masks["left"], "bidirectional LSTM")
    check_layer(keras.layers.Bidirectional(keras.layers.GRU(4)), x, None, "bidirectional GRU")


def check_layer(layer: Any, x: Array, mask: Array | None, what: str) -> None:
    """Outputs and all gradients, before and after the switch; the weights are given something to do first."""
    wrapped = isinstance(layer, keras.layers.Bidirectional)
    layer.build(x.shape)
    random = np.random.default_rng(2)
    for variable in layer.trainable_variables:
        variable.assign(random.normal(size=variable.shape, scale=0.5).astype("float32"))
    inner = layer.forward_layer if wrapped else layer
    states = (
        [random.normal(size=(len(x), 4)).astype("float32") for _ in np.atleast_1d(inner.state_size)] if not wrapped else None
    )
    weights = [variable.value for variable in layer.trainable_variables]

    def result(weights: list[Array], x: Array, states: Any) -> Any:
        given = {} if states is None else {"initial_state": states}
        outputs, _ = layer.stateless_call(weights, [v.value for v in layer.non_trainable_variables], x, mask=mask, **given)
        flat = jax.tree.leaves(outputs)
        return sum(jnp.sum(jnp.sin(output * (k + 1))) for k, output in enumerate(flat)), flat

    def run(*given: Any) -> Any:  # traced anew, for the layer changes in between
        return jax.jit(jax.value_and_grad(lambda *all: result(*all), argnums=(0, 1, 2), has_aux=True))(*given)

    (_, before), slopes = run(weights, x, states)
    model = keras.Sequential([keras.Input(x.shape[1:]), layer]) if wrapped else None
    holder = keras.Model()
    holder.layer = layer
    layers.switch(holder, global_statistics=True, replicas=1, parts=1, cudnn=False)
    assert type(inner) in (layers.FastLSTM, layers.FastGRU), what
    for turn in (1, 3):
        inner.steps_per_turn = turn
        (_, after), new_slopes = run(weights, x, states)
        for one, other in zip(jax.tree.leaves((before, slopes)), jax.tree.leaves((after, new_slopes)), strict=True):
            np.testing.assert_allclose(other, one, rtol=1e-4, atol=2e-5, err_msg=f"{what}, {turn} steps a turn")
    del model


def dropout_of_recurrent_layers_equals_that_of_keras(folder: Path) -> None:
    x = np.random.default_rng(0).normal(size=(4, 6, 3)).astype("float32")
    for kind in (keras.layers.LSTM, keras.layers.GRU):
        layer = kind(5, dropout=0.5, return_sequences=True, seed=7)
        layer.build(x.shape)
        state = [v.value for v in layer.non_trainable_variables]
        weights = [v.value for v in layer.trainable_variables]
        one, _ = layer.stateless_call(weights, state, x, training=True)
        holder = keras.Model()
        holder.layer = layer
        layers.switch(holder, global_statistics=True, replicas=1, parts=1, cudnn=False)
        other, drawn = layer.stateless_call(weights, state, x, training=True)
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
        assert any(np.any(np.asarray(a) != np.asarray(b)) for a, b in zip(state, drawn, strict=True))


def masks_reach_cudnn_as_lengths(folder: Path) -> None:
    """cuDNN itself is stood for by a loop that, like it, knows lengths only, and gives zeros behind them."""

    def ends_padded(x: Array, h: Array, c: Array, kernel: Array, recurrent_kernel: Array, bias: Array, lengths: Array) -> Any:
        shown = jnp.arange(x.shape[1]) < lengths[:, None]
        found = recurrent.lstm(x, h, c, shown, kernel, recurrent_kernel, bias, False)
        return jnp.where(shown[..., None], found.sequence, 0), *found.states

    random = np.random.default_rng(3)
    x, h, c = (random.normal(size=size).astype("float32") for size in ((6, 7, 3), (6, 4), (6, 4)))
    weights = [random.normal(size=size, scale=0.5).astype("float32") for size in ((3, 16), (4, 16), (16,))]
    ragged = np.arange(7) < np.array([7, 3, 1, 0, 5, 6])[:, None]

    def result(x: Array, h: Array, c: Array, weights: Any, mask: Array, cudnn: bool) -> Any:
        found = recurrent.lstm(x, h, c, mask, *weights, cudnn)
        return sum(jnp.sum(jnp.sin(value)) for value in jax.tree.leaves(found)), found

    before = recurrent.cudnn_lstm
    recurrent.cudnn_lstm = ends_padded
    try:
        for mask in (ragged, ragged[:, ::-1], random.uniform(size=(6, 7)) < 0.5, None):
            run = jax.value_and_grad(result, argnums=(0, 1, 2, 3), has_aux=True)
            one, other = run(x, h, c, weights, mask, False), run(x, h, c, weights, mask, True)
            for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    finally:
        recurrent.cudnn_lstm = before


# -- steps
@contextmanager
def compilations() -> Iterator[list[str]]:
    """What is compiled in the meantime."""
    found: list[str] = []

    def listen(event: str, _: float, **more: Any) -> None:
        if event.endswith("backend_compile_duration"):
            found.append(str(more.get("fun_name", event)))

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield found
    jax._src.monitoring.unregister_event_duration_listener(listen)


def intervals_of_any_length_are_compiled_once(folder: Path) -> None:
    storages: tuple[memory.Storage, ...] = ("resident", "streamed")
    for storage in storages:
        there, dataset = made("stack", folder, 2, storage=storage)
        validation = np.resize(dataset.validation, (3, BATCH))
        train(there, some_rows(dataset, 1))
        there.evaluate(validation, np.ones(validation.shape, "float32"))
        there.sync()
        there.load()
        with compilations() as found:
            for steps in (1, 7, 2, engine.LINES + 3):
                assert len(train(there, some_rows(dataset, steps)).losses) == steps
            there.evaluate(validation[:1], np.ones((1, BATCH), "float32"))
            there.sync()
            there.load()
            train(there, some_rows(dataset, 3))
        assert found == [], (storage, found)


def loops_of_fixed_length_give_what_open_ones_give(folder: Path) -> None:
    """As on several GPUs: an interval is put together of calls of few lengths, each compiled once."""
    for name, storage in (("masked", "resident"), ("two losses", "streamed")):
        usual, dataset = made(name, folder, 2, storage=storage)  # type: ignore[arg-type]
        fixed, _ = made(name, folder, 2, storage=storage)  # type: ignore[arg-type]
        fixed.__class__ = type("OnGPUs", (JaxEngine,), {"_fixed": True})
        fixed._prepare()
        lengths, engine.FIXED_LINES = engine.FIXED_LINES, (8, 1)
        try:
            rows = some_rows(dataset, 10)
            one, other = train(usual, rows), train(fixed, rows)
            np.testing.assert_allclose(one.losses, other.losses, rtol=1e-5)
            assert {key: value.count for key, value in one.metrics.items()} == {k: v.count for k, v in other.metrics.items()}
            with compilations() as found:
                assert len(train(fixed, some_rows(dataset, 19)).losses) == 19
            assert found == [], found
        finally:
            engine.FIXED_LINES = lengths


def tuning_changes_no_results(folder: Path) -> None:
    found = []
    for tuning in (Tuning(), Tuning(per_turn=3)):
        for name in ("masked", "masked between layers"):
            there, dataset = made(name, folder, 1, tuning=tuning)
            found.append(train(there, some_rows(dataset, 5)).losses)
    assert difference(found[0], found[2]) < 1e-5
    assert difference(found[1], found[3]) < 1e-5


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
    memory.available_host_memory = lambda: 100_000 * 3 / memory.SHARE_OF_HOST - 1
    try:
        assert not memory.fits(arrays, jax.devices())
        assert memory.fits(arrays, jax.devices()[:2])
    finally:
        memory.available_host_memory = before


def training_equals_keras_own(folder: Path) -> None:
    """Three steps of Adam by `train_on_batch` of a fresh model, without padding."""
    from seqdec_gui.runner.objective import expand

    there, dataset = made("stack", folder, 1, clip_norm=0.0)
    there._objective._judges = [j.__class__(j.judged, None) for j in there._objective._judges]
    rows = some_rows(dataset, 3)
    fresh = there.program.build_models()["full"]
    fresh.compile(keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy())
    losses = []
    for line in rows:
        inputs, targets = expand(dataset.wires, dataset.batch(line))
        losses.append(fresh.train_on_batch([inputs[t.name] for t in fresh.inputs], targets["loss"]))
    np.testing.assert_allclose(train(there, rows).losses, losses, rtol=1e-5)
    there.sync()
    for one, other in zip(fresh.variables, there.models["full"].variables, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-3, atol=2e-5, err_msg=one.path)


def rate_and_clipping_are_those_of_each_step(folder: Path) -> None:
    there, dataset = made("stack", folder, 2, optimizer="sgd", clip_norm=0.01)
    rows = some_rows(dataset, 3)
    before = [np.asarray(value) for value in there._state.trainable]
    there.train(rows, np.zeros(3, "float32"), np.zeros((3, 0), "float32"))
    for one, other in zip(before, there._state.trainable, strict=True):
        np.testing.assert_array_equal(one, other)
    there.train(rows, np.array([0.5, 0, 0], "float32"), np.zeros((3, 0), "float32"))
    moved = [np.asarray(other) - one for one, other in zip(before, there._state.trainable, strict=True)]
    # the norm over all weights of all devices together
    np.testing.assert_allclose(np.sqrt(sum(np.sum(step**2) for step in moved)), 0.5 * 0.01, rtol=1e-4)


def bfloat16_trains_about_as_float32_does(folder: Path) -> None:
    finals = {}
    for precision in ("float32", "bfloat16"):
        there, dataset = made("masked", folder, 2, precision=precision)
        rows = np.concatenate([some_rows(dataset, 20, seed) for seed in range(3)])
        finals[precision] = train(there, rows).losses[-10:].mean()
        assert there.predict(dataset.validation)[0].dtype == np.float32
        assert all(value.dtype == np.float32 for value in there._state.trainable)
    assert abs(finals["bfloat16"] / finals["float32"] - 1) < 0.05, finals


def tensorflow_stays_out_of_the_process(folder: Path) -> None:
    there, dataset = made("masked", folder, 1)
    train(there, some_rows(dataset, 1))
    there.sync()
    there.models["full"].save(folder / "full.keras")
    there.models["full"].save(folder / "full.h5", include_optimizer=False)
    assert "tensorflow" not in sys.modules


# -- random numbers
def replicas_draw_different_numbers_and_the_sequence_goes_on(folder: Path) -> None:
    there, _ = made("noisy", folder, 2, silent=False)
    model = there.models["noise"]
    seeds = layers.are_seeds(model)
    assert sum(seeds) == 3

    def draw(others: list[Array], x: Array) -> Any:
        given = [layers.own_seed(v) if seed else v for v, seed in zip(others, seeds, strict=True)]
        out, new = model.stateless_call([], given, x, training=True)
        kept = [layers.shared_seed(n, o) if seed else n for n, o, seed in zip(new, others, seeds, strict=True)]
        return out, kept

    rows = P(layers.REPLICAS)
    run = jax.shard_map(draw, mesh=there._mesh, in_specs=(P(), rows), out_specs=(rows, P()), check_vma=False)
    state = [variable.value for variable in model.non_trainable_variables]
    x = np.ones((8, 9, 10), "float32")
    first, state = run(state, x)
    second, _ = run(state, x)
    halves = [np.asarray(part) for part in (first[:4], first[4:], second[:4], second[4:])]
    assert all(np.any(a != b) for i, a in enumerate(halves) for b in halves[:i])


def a_resumed_training_goes_on_as_if_it_had_not_stopped(folder: Path) -> None:
    whole, dataset = made("noisy", folder, 2, silent=False)
    rows = some_rows(dataset, 6)
    expected = train(whole, rows).losses
    first, _ = made("noisy", folder, 2, silent=False)
    train(first, rows[:3])
    first.sync()
    second, _ = made("noisy", folder, 2, silent=False)
    for old, new in (
        (first.training_model.variables, second.training_model.variables),
        (first.optimizer.variables, second.optimizer.variables),
    ):
        for one, other in zip(old, new, strict=True):
            other.assign(one.value)
    second.load()
    np.testing.assert_array_equal(train(second, rows[3:]).losses, expected[3:])


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]))
