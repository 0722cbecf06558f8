"""The step that keeps keys and values: equal to the teacher-forced stack and to the step of plain layers, and it saves work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from seqdec_gui.data.symbols import Symbols
from seqdec_gui.domain.codegen import step_of
from seqdec_gui.domain.decoding import GREEDY, Beam, Sampling, Strategy
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.shapes import infer
from tests.runner import designs

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
Array = npt.NDArray[Any]
SYMBOLS, BEGIN, END = 10, 1, 2

KINDS: dict[str, dict[str, Any]] = {
    "before, sinusoidal, a memory": {},
    "after, learned, a memory, masks": {"normalization": "after", "positions": "learned", "mask_padding": True},
    "before, learned, two memories": {"positions": "learned", "memories": 2},
    "after, sinusoidal, prefix, masks": {"normalization": "after", "prefix": True, "mask_padding": True},
    "before, no positions, dropout of attention": {"positions": "none", "attention_dropout": 0.2, "mask_padding": True},
    "before, sinusoidal, no memory": {"memories": 0},
    "after, learned, no memory, RMS": {
        "memories": 0, "normalization": "after", "positions": "learned", "normalization_layer": "RMSNormalization",
    },
}  # fmt: skip


def made(parameters: dict[str, Any]) -> Design:
    if parameters.get("memories", 1) == 0:
        return designs.attentive_language(**parameters)
    return designs.transformer("ids", None, parameters)


class Stack:
    """A design with random weights, and random rows for its inputs: ragged ids, padded with 0, and numbers."""

    def __init__(self, design: Design, folder: Path, rows: int) -> None:
        from seqdec_gui.runner.program import load_build

        self.design, self.inference = design, infer(design)
        self.models = load_build(designs.write_script(design, folder))()
        random = np.random.default_rng(3)
        for name, model in self.models.items():
            if name != "full":
                model.set_weights([0.4 * random.normal(size=weight.shape) for weight in model.weights])
        self.decoder = next(block.id for block in design.blocks if block.parameters.feeds_back)
        self.fed = design.into(_inputs_of(self.decoder)).source.block  # type: ignore[union-attr]
        self.rows: dict[str, Array] = {}
        for tensor in self.models["full"].inputs:
            if tensor.name == self.fed:
                continue
            if "int" in str(tensor.dtype):
                ids = random.integers(2, SYMBOLS, (rows, tensor.shape[1]))
                ends = random.integers(1, tensor.shape[1] + 1, rows)
                self.rows[tensor.name] = np.where(np.arange(tensor.shape[1]) < ends[:, None], ids, 0).astype(np.int32)
            else:
                self.rows[tensor.name] = random.normal(size=(rows, *tensor.shape[1:])).astype(np.float32)
        self.count, self.steps = rows, 9

    def step_decoder(self, caches: bool) -> Any:
        from seqdec_gui.runner.decoding.step import StepDecoder

        encoding = "ids" if "int" in str(self._input(self.fed).dtype) else "one_hot"
        return StepDecoder(self.design, self.inference, self.models, self.decoder, encoding, SYMBOLS, caches)

    def _input(self, name: str) -> Any:
        return next(tensor for tensor in self.models["full"].inputs if tensor.name == name)

    def teacher_forced(self, ids: Array) -> Array:
        """Sums of the log-probabilities of `ids`, up to the first end symbol."""
        fed = np.concatenate([np.full((len(ids), 1), BEGIN), ids[:, :-1]], axis=1)
        given = fed.astype(np.int32) if len(self._input(self.fed).shape) == 2 else np.eye(SYMBOLS, dtype=np.float32)[fed]
        inputs = [given if t.name == self.fed else self.rows[t.name][: len(ids)] for t in self.models["full"].inputs]
        predicted = np.asarray(self.models["full"].predict_on_batch(inputs if len(inputs) > 1 else inputs[0]), np.float64)
        logs = np.log(np.take_along_axis(predicted, ids[..., None], axis=-1)[..., 0])
        counts = np.cumsum(ids == END, axis=1) - (ids == END) == 0
        return (logs * counts).sum(axis=1)

    def search(self, decoder: Any) -> Any:
        from seqdec_gui.runner.decoding.search import Search

        may = np.arange(SYMBOLS) >= END
        return Search(Symbols(BEGIN, END, self.steps, may, np.arange(SYMBOLS), str, True), SYMBOLS, decoder)

    def found(
        self, decoder: Any, search: Any, strategy: Strategy, per_row: int = 1, told: Array | None = None, largest: int = 16
    ) -> list[tuple[list[int], float]]:
        """All sequences, with fewer together than there are: places are taken over, and beams are reordered."""
        from seqdec_gui.runner.decoding.search import Items

        rows = np.repeat(np.arange(self.count), per_row)
        items = Items(rows, np.tile(np.arange(per_row), self.count), told)

        def states_of(which: Array) -> list[Any]:
            return list(decoder.initial_states({name: each[which] for name, each in self.rows.items()}, len(which)))

        parts = search.find(items, states_of, strategy, 7, np.arange(SYMBOLS) >= END, 0, largest)
        return [(one.ids.tolist(), one.log_probability) for part in parts for _, several in part for one in several]


def _inputs_of(decoder: str) -> Any:
    from seqdec_gui.domain.design import Port

    return Port(decoder, "inputs")


@pytest.mark.parametrize("name", KINDS)
def test_steps_equal_the_teacher_forced_stack_for_every_batch(name: str, tmp_path: Path) -> None:
    stack = Stack(made(KINDS[name]), tmp_path, 256)
    decoder = stack.step_decoder(caches=True)
    search, random = stack.search(decoder), np.random.default_rng(1)
    for rows in (1, 7, 256):
        stack.count = rows
        ids = random.integers(END, SYMBOLS, (rows, stack.steps)).astype(np.int32)
        told = stack.found(decoder, search, GREEDY, told=ids, largest=256)
        sums = [log for _, log in told]
        assert sums == pytest.approx(stack.teacher_forced(ids), abs=1e-4)


STRATEGIES: dict[str, Strategy] = {
    "greedy": GREEDY,
    "filters": Sampling(0.8, top_k=6, top_p=0.9, min_p=0.02),
    "beam": Beam(4, 0.6, 3),
    "groups": Beam(4, 0.0, 2, 2, 0.7),
}


@pytest.mark.parametrize(
    "name", ["after, sinusoidal, prefix, masks", pytest.param("before, learned, two memories", marks=pytest.mark.long)]
)
def test_all_strategies_find_what_the_step_of_plain_layers_finds(name: str, tmp_path: Path) -> None:
    stack = Stack(made(KINDS[name]), tmp_path, 37)
    kept, plain = stack.step_decoder(caches=True), stack.step_decoder(caches=False)
    searches = stack.search(kept), stack.search(plain)
    prefix = np.full((37, stack.steps), -1, np.int32)
    prefix[::2, 0] = 5
    for strategy in STRATEGIES.values():
        per_row = 3 if isinstance(strategy, Sampling) else 1
        for told in (None, prefix) if strategy is GREEDY or strategy == STRATEGIES["groups"] else (None,):
            ours, theirs = (
                stack.found(decoder, search, strategy, per_row, told)
                for decoder, search in zip((kept, plain), searches, strict=True)
            )
            assert [ids for ids, _ in ours] == [ids for ids, _ in theirs]
            assert [log for _, log in ours] == pytest.approx([log for _, log in theirs], abs=1e-4)


@pytest.mark.parametrize("form", ["luong_general", "bahdanau", "multi_head"])
def test_a_recurrent_decoder_projects_its_memory_once_for_each_row(form: str, tmp_path: Path) -> None:
    from seqdec_gui.runner.decoding.cached_step import plan_of

    design = designs.attentive(form)
    plan = plan_of(step_of(design, infer(design), "decoder"))
    assert plan is not None
    every_step = {node.name for node in plan.steps}
    once = {node.name for node in plan.first} | {f"{node.name}'s keys" for node in plan.shared}
    assert once & {"Attention_Keys", "Attention_Heads's keys"}
    assert "Attention_Keys" not in every_step
    stack = Stack(design, tmp_path, 7)
    decoder = stack.step_decoder(caches=True)
    ids = np.random.default_rng(2).integers(END, SYMBOLS, (7, stack.steps)).astype(np.int32)
    sums = [log for _, log in stack.found(decoder, stack.search(decoder), GREEDY, told=ids)]
    assert sums == pytest.approx(stack.teacher_forced(ids), abs=1e-4)


def test_a_step_of_a_transformer_projects_one_row_and_no_memory() -> None:
    from seqdec_gui.runner.decoding.cached_step import plan_of

    design = designs.transformer("ids", None, {"memories": 2, "prefix": True, "mask_padding": True})
    plan = plan_of(step_of(design, infer(design), "decoder"))
    assert plan is not None
    assert {node.name for node in plan.grown} == {"Decoder_Self_Attention_0", "Decoder_Self_Attention_1"}
    assert len(plan.shared) == 4  # two layers attend to two memories
    assert not any("Kept" in node.name or "Added" in node.name for node in plan.steps)


def test_a_decoder_without_attention_keeps_its_plain_step() -> None:
    from seqdec_gui.runner.decoding.cached_step import plan_of

    design = designs.stack()
    assert plan_of(step_of(design, infer(design), "model_2")) is None


@pytest.mark.long
def test_the_jax_backend_finds_the_same(tmp_path: Path) -> None:
    pytest.importorskip("jax")
    chosen = "every_batch and two"  # compiling for JAX takes seconds per variant
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", __file__, "-k", chosen],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "1 passed" in done.stdout
