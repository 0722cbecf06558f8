"""Steps in compiled loops: compiled once, whatever their number, and each with its rate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np

from seqdec_gui.runner.engines.jax import JaxEngine, engine, memory
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


def what_is_compiled_ahead_serves_the_training(folder: Path) -> None:
    for fixed, longest in ((False, engine.LINES), (True, engine.FIXED_LINES[0])):
        there, dataset = made("stack", folder, 2)
        there.__class__ = type("Chosen", (JaxEngine,), {"_fixed": fixed})
        there._prepare()
        there.compile_ahead()
        assert max(shape[0] for shape in there._steps._ahead) == longest
        train(there, some_rows(dataset, longest + 1))
        with compilations() as found:
            train(there, some_rows(dataset, longest + 3))
        assert found == [], found


def tuning_changes_no_results(folder: Path) -> None:
    found = []
    for tuning in (Tuning(), Tuning(per_turn=3)):
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
