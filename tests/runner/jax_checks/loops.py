"""Steps in compiled loops: compiled once, whatever their number, and each with its rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np

from seqdec_gui.runner.engines.jax import engine, memory, steps
from seqdec_gui.runner.engines.jax.engine import JaxEngine
from seqdec_gui.runner.engines.jax.tuning import Tuning
from tests.runner.jax_checks.engines import BATCH, difference, made, some_rows, train


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
            for count in (1, 7, 2, engine.LINES + 3):
                assert len(train(there, some_rows(dataset, count)).losses) == count
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
        with shorter(4):
            rows = some_rows(dataset, 5)
            one, other = train(usual, rows), train(fixed, rows)
            np.testing.assert_allclose(one.losses, other.losses, rtol=1e-5)
            assert {key: value.count for key, value in one.metrics.items()} == {k: v.count for k, v in other.metrics.items()}
            with compilations() as found:
                assert len(train(fixed, some_rows(dataset, 10)).losses) == 10
            assert found == [], found


@contextmanager
def shorter(length: int) -> Iterator[None]:
    """Compiled loops of fixed length that are shorter than usual, for epochs that are."""
    usual, engine.FIXED_STEPS = engine.FIXED_STEPS, length
    try:
        yield
    finally:
        engine.FIXED_STEPS = usual


def what_is_compiled_ahead_serves_the_epochs(folder: Path) -> None:
    """Their ends too: what is left of a part of an epoch is a call of its own."""
    for fixed, parts, lengths in ((False, [10], {engine.LINES}), (True, [10], {4, 2}), (True, [3, 4, 3], {4, 3})):
        there, dataset = made("stack", folder, 2, batch_size=4, mini_epochs=len(parts))
        there.__class__ = type("Chosen", (JaxEngine,), {"_fixed": fixed})
        there._prepare()
        with shorter(4):
            there.compile_ahead()
            train(there, some_rows(dataset, parts[0])[:, :4])  # whatever else is small
            with compilations() as found:
                for part in parts:
                    assert len(train(there, some_rows(dataset, part)[:, :4]).losses) == part
            assert {shape[0] for shape in there._steps._ahead} == lengths
            assert found == [], found
            assert there.make_ready(parts[0])
            assert {shape[0] for shape in there._steps._ahead} == lengths


def who_waits_for_a_compilation_may_look_around_and_leave(folder: Path) -> None:
    there, _ = made("stack", folder, 2, batch_size=4)
    going_on = threading.Event()
    there._steps._ahead[(0,)] = steps._COMPILER.submit(going_on.wait)
    looks = []

    def meanwhile() -> None:
        looks.append(time.monotonic())
        if len(looks) == 3:
            going_on.set()

    assert there.make_ready(1, meanwhile)
    assert len(looks) >= 3

    going_on.clear()
    there._steps._ahead[(0,)] = steps._COMPILER.submit(going_on.wait)
    try:
        there.make_ready(1, lambda: 1 // 0)
    except ZeroDivisionError:
        assert not there._steps._ahead[(0,)].done()
    else:
        raise AssertionError("what it raises is lost")
    finally:
        going_on.set()


def kernels_that_all_fail_are_tried_once_more(_: Path) -> None:
    chance = "INTERNAL: Autotuning failed for HLO: %gemm_fusion_dot. All configs failed during profiling."

    def compiling(*errors: str) -> tuple[Any, list[str]]:
        left = list(errors)

        def call(value: int) -> int:
            if left:
                raise jax.errors.JaxRuntimeError(left.pop(0))
            return value

        return steps._retry_autotuning(call), left

    assert compiling(chance)[0](7) == 7
    for errors in ([chance, chance], ["RESOURCE_EXHAUSTED: Out of memory"]):
        call, left = compiling(*errors)
        try:
            call(7)
        except jax.errors.JaxRuntimeError:
            assert not left
        else:
            raise AssertionError(errors)


def tuning_changes_no_results(folder: Path) -> None:
    found = []
    for tuning in (Tuning(), Tuning(unroll=3)):
        for name in ("masked", "masked between layers"):
            there, dataset = made(name, folder, 1, tuning=tuning)
            found.append(train(there, some_rows(dataset, 5)).losses)
    assert difference(found[0], found[2]) < 1e-5
    assert difference(found[1], found[3]) < 1e-5


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
