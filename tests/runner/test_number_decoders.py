"""Decoders of numbers: the compiled loop gives what a plain loop over single steps gives, and mappings say what is fed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from seqdec_gui.data.codecs import FittedNumbers
from seqdec_gui.data.feed_map import FeedMap, as_pairs
from seqdec_gui.data.fitted import Fitted, FittedPort
from seqdec_gui.data.number_map import number_feeding
from seqdec_gui.data.tensor_feeds import TensorFeed
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput
from tests.domain.designs import block, design
from tests.runner import designs
from tests.runner.test_sampler import drawn

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
Array = npt.NDArray[Any]
STEPS = 11


def series(taken: int = 3, width: int = 3, attention: str = "none", **parameters: Any) -> Design:
    """A vector, and with attention a sequence, to a decoder that takes steps of numbers and predicts steps of numbers."""
    encoder = [
        block("seen", "float_sequence", length=4, features=2),
        block("encoder", "recurrent_encoder", units=[5], cell="GRU", output=["memory"]),
    ]
    links = ["seen.output -> encoder.inputs", "encoder.memory -> decoder.memory"]
    options: dict[str, Any] = {"units": [6, 4], "output_units": width, "output_activation": "linear", **parameters}
    states = {"cell": options["cell"]} if "cell" in options else {}
    if attention != "none":
        options["attention"] = attention
    return design(
        [
            block("code", "vector", width=2),
            block("before", "float_sequence", length=STEPS, features=taken),
            block("states", "dense_states", units=options["units"], **states),
            *(encoder if attention != "none" else []),
            block("decoder", "recurrent_decoder", **options),
            block("loss", "loss", loss="mean_squared_error", metrics=[]),
        ],
        [
            "code.output -> states.inputs", "before.output -> decoder.inputs", "states.states -> decoder.initial_states",
            *(links if attention != "none" else []), "decoder.outputs -> loss.predictions",
        ],
    )  # fmt: skip


KINDS: dict[str, Callable[[], Design]] = {
    "LSTM": series,
    "GRU, squeeze, head": lambda: series(cell="GRU", squeeze_units=5, head=[7]),
    "attention, input feeding": lambda: series(
        attention="bahdanau", attention_units=5, context_units=4, input_feeding="bahdanau", units=[6], batch_normalization=False
    ),
    "no normalisation": lambda: series(batch_normalization=False),
}


class Fit:
    """A design with weights that no initialiser would give, and numbers that are standardised on both sides."""

    def __init__(self, wanted: Design, folder: Path, taken: int = 3, width: int = 3) -> None:
        from seqdec_gui.runner.program import load_build

        self.design = wanted
        self.models = load_build(designs.write_script(wanted, folder))()
        random = np.random.default_rng(2)
        for name, model in self.models.items():
            if name != "full":
                model.set_weights([0.5 * drawn(random, weight.path, weight.shape) for weight in model.weights])
        self.before = FittedNumbers((STEPS, taken), tuple(random.normal(size=taken)), tuple(random.uniform(0.5, 2, taken)))
        self.after = FittedNumbers((STEPS, width), tuple(random.normal(size=width)), tuple(random.uniform(0.5, 2, width)))
        ports, feeds = [], []
        seen = [("seen", FittedNumbers((4, 2)), "input", 2)] if any(each.id == "seen" for each in wanted.blocks) else []
        for name, codec, role, depth in (
            ("code", FittedNumbers((2,)), "input", 2), *seen, ("before", self.before, "input", taken),
            ("loss", self.after, "target", width),
        ):  # fmt: skip
            end = "targets" if name == "loss" else "output"
            ports.append(FittedPort(name, f"{name}.{end}", role, (name,), codec, generated=name == "before"))  # type: ignore[arg-type]
            feeds.append(TensorFeed(name, role, name, depth=depth))  # type: ignore[arg-type]
        self.fitted = Fitted(tuple(ports), tuple(feeds))
        self.rows = np.zeros((6, STEPS, taken), np.float32) + np.arange(taken, dtype=np.float32)
        self.arrays = {
            "code": random.normal(size=(7, 2)).astype(np.float32), "seen": random.normal(size=(7, 4, 2)).astype(np.float32),
        }  # fmt: skip

    def sampler(self, recorded: Any = None, feed_map: FeedMap | None = None, rows: Array | None = None) -> Any:
        from seqdec_gui.runner.sampler import Sampler

        stored = self.rows if rows is None else rows
        return Sampler(self.design, self.models, self.fitted, lambda port: stored, recorded, feed_map)


def found_by(sampler: Any, arrays: dict[str, Array]) -> Array:
    return np.asarray(list(sampler._predicted_numbers(arrays, np.arange(7))))


def step_by_step(sampler: Any, arrays: dict[str, Array], begin: Array, fed_next: Callable[[Array], Array]) -> Array:
    """The loop in Python, one compiled step after the other; numbers are scaled by NumPy."""
    from seqdec_gui.runner.decoding.compiled import compiled

    decoder = sampler._decoder
    step = compiled(decoder.model, decoder.of_values)
    states, fed, found = decoder.initial_states(arrays, 7), begin.astype(np.float32), []
    for _ in range(STEPS):
        outputs, *states = step(fed, *states)
        found.append(np.asarray(outputs).astype(np.float64))
        fed = fed_next(found[-1]).astype(np.float32)
    return np.stack(found, axis=1)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("chunk", [256, 4], ids=["one call", "several calls"])
def test_the_compiled_loop_gives_exactly_what_single_steps_give(
    name: str, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqdec_gui.runner.decoding.number_loop.LONGEST_CHUNK", chunk)
    fit = Fit(KINDS[name](), tmp_path)
    sampler = fit.sampler()
    begin = np.broadcast_to(fit.rows[0, 0], (7, 3))
    expected = step_by_step(sampler, fit.arrays, begin, lambda values: fit.before.scaled(fit.after.unscaled(values)))
    found = found_by(sampler, fit.arrays)
    assert found.shape == (7, STEPS, 3)
    assert np.array_equal(found, fit.after.unscaled(expected))
    assert np.abs(np.diff(found, axis=1)).max() > 1e-3  # what is fed matters
    assert np.array_equal(found_by(sampler, fit.arrays), found)


def test_the_weights_of_a_training_are_followed(tmp_path: Path) -> None:
    fit = Fit(series(), tmp_path)
    sampler = fit.sampler()
    before = found_by(sampler, fit.arrays)
    fit.models["decoder"].set_weights([0.5 * weight for weight in fit.models["decoder"].get_weights()])
    sampler.follow_weights()
    after = found_by(sampler, fit.arrays)
    assert not np.allclose(after, before)
    assert np.array_equal(after, found_by(fit.sampler(), fit.arrays))


MAPPING = FeedMap((("1", "0"), ("=0.5", "1"), ("0", "2"), ("=first", "3")))


def test_a_mapping_says_which_numbers_are_fed(tmp_path: Path) -> None:
    fit = Fit(series(taken=4, width=2), tmp_path, taken=4, width=2)
    with pytest.raises(InvalidInput, match="takes 4 numbers per step"):
        fit.sampler()
    sampler = fit.sampler(feed_map=MAPPING)
    begin = np.broadcast_to(fit.rows[0, 0], (7, 4))
    stays = fit.before.unscaled(begin.astype(np.float64))[:, 3]

    def fed_next(values: Array) -> Array:
        units = fit.after.unscaled(values)
        return fit.before.scaled(np.stack([units[:, 1], np.full(7, 0.5), units[:, 0], stays], axis=1))

    expected = step_by_step(sampler, fit.arrays, begin, fed_next)
    found = found_by(sampler, fit.arrays)
    assert np.array_equal(found, fit.after.unscaled(expected))

    # A design that keeps the mapping, and a bundle of it, give the same without a file
    data = msgspec.structs.replace(fit.design.data, feed_map=as_pairs(MAPPING))
    fit.design = fit.design.with_data(data)
    assert np.array_equal(found_by(fit.sampler(), fit.arrays), found)
    assert np.array_equal(found_by(fit.sampler(recorded=sampler.record()), fit.arrays), found)

    # Rows that begin differently give their own first step, unless the mapping has one
    differing = fit.rows + np.arange(6, dtype=np.float32)[:, None, None]
    own = fit.sampler(rows=differing)
    assert own.first_step_from == "before"
    assert np.array_equal(found_by(own, fit.arrays | {"before": np.ascontiguousarray(begin)}), found)
    units = fit.before.unscaled(fit.rows[0, 0].astype(np.float64))
    said = msgspec.structs.replace(MAPPING, begin=" ".join(map(repr, units.tolist())))
    given = fit.sampler(feed_map=said, rows=differing)
    assert not given.first_step_from
    assert found_by(given, fit.arrays) == pytest.approx(found, abs=1e-5)


@pytest.mark.parametrize(
    ("pairs", "begin", "words"),
    [
        ((("0", "0"),), "", "what is fed as number 1, 2"),
        ((("0", "0"), ("1", "0"), ("0", "1"), ("0", "2")), "", "twice what number 0"),
        ((("2", "0"), ("0", "1"), ("0", "2")), "", "'2' as predicted; .* from 0 to 1"),
        ((("0", "3"), ("0", "1"), ("0", "2")), "", "'3' as fed; .* from 0 to 2"),
        ((("=x", "0"), ("0", "1"), ("0", "2")), "", "'x' as predicted; expected a number"),
        ((("=inf", "0"), ("0", "1"), ("0", "2")), "", "expected a number"),
        ((("0", "0"), ("0", "1"), ("=first", "2")), "1 2", "first step has 2 numbers, and 3 are fed"),
        ((("0", "0"), ("0", "1"), ("=first", "2")), "1 2 nan", "expected a number"),
    ],
)
def test_a_mapping_that_is_none_is_refused_with_what_it_lacks(pairs: Any, begin: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        number_feeding(FeedMap(pairs, begin), 2, 3)


@pytest.mark.long
def test_jax_gives_the_same() -> None:
    pytest.importorskip("jax")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", "exactly or which_numbers"],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert "9 passed" in done.stdout
