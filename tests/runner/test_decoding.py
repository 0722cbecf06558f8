"""Choosing symbols: the compiled loops against plain implementations and against every sequence there is."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from seqdec_gui.data.symbols import Symbols
from seqdec_gui.domain.decoding import GREEDY, Beam, Sampling, Strategy
from seqdec_gui.domain.problems import InvalidInput
from tests.runner import reference_decoding as reference

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
Array = npt.NDArray[Any]
SYMBOLS, STEPS, END = 4, 4, 0


class Table:
    """A decoder whose predictions depend on row, step and the last two symbols: it is a table, and needs no training."""

    model = None
    unchanged = 0

    def __init__(self, seed: int, rows: int = 3, zeros: float = 0.0) -> None:
        random = np.random.default_rng(seed)
        table = random.dirichlet(np.full(SYMBOLS, 0.5), (rows, STEPS, SYMBOLS + 1, SYMBOLS + 1)).astype(np.float32)
        self.table = np.where(random.random(table.shape) < zeros, 0, table).astype(np.float32)
        self.rows = rows

    def of_symbols(self, call: Any) -> Any:
        from keras import ops

        flat = self.table.reshape(-1, SYMBOLS)

        def step(fed: Any, at: Any, states: list[Any]) -> Any:
            row, last = ops.cast(states[0][:, 0], "int32"), ops.cast(states[0][:, 1], "int32")
            place = ((row * STEPS + ops.minimum(at, STEPS - 1)) * (SYMBOLS + 1) + last) * (SYMBOLS + 1) + fed
            after = ops.stack([states[0][:, 0], ops.cast(fed, "float32")], axis=1)
            return ops.take(ops.convert_to_tensor(flat), place, axis=0), [after]

        return step

    def states(self, rows: Array) -> list[Array]:
        return [np.stack([rows, np.full_like(rows, SYMBOLS)], axis=1).astype(np.float32)]

    def predict(self, row: int) -> reference.Predict:
        def after(ids: Any) -> Array:
            fed = [SYMBOLS, SYMBOLS, *ids]
            return self.table[row, len(ids), fed[-2], fed[-1]]

        return after


def symbols(end: int | None = END, allowed: Any = None) -> Symbols:
    may = np.ones(SYMBOLS, bool) if allowed is None else np.array(allowed, bool)
    return Symbols(SYMBOLS, end, STEPS, may, np.arange(SYMBOLS), str, end is not None)


class Finder:
    """Finds with one table after the other through loops that are compiled once."""

    def __init__(self, meaning: Symbols) -> None:
        self.meaning = meaning

    def find(
        self, table: Table, strategy: Strategy, count: int = 1, seed: int = 0, min_length: int = 0, largest: int = 1024
    ) -> dict[tuple[int, int], Any]:
        from seqdec_gui.runner.decoding.search import Items, Search

        search = Search(self.meaning, SYMBOLS, table)  # type: ignore[arg-type]
        rows = np.repeat(np.arange(table.rows), count)
        items = Items(rows, np.tile(np.arange(count), table.rows))
        ready = search.find(items, table.states, strategy, seed, self.meaning.allowed, min_length, largest)
        pairs = [pair for part in ready for pair in part]
        assert [item for item, _ in pairs] == list(range(len(rows)))
        return {(item // count, item % count): found for item, found in pairs}


def as_answers(found: Any) -> list[reference.Answer]:
    return [reference.Answer(tuple(each.ids.tolist()), each.log_probability) for each in found]


@pytest.mark.parametrize(("seed", "end", "zeros"), [(0, END, 0.0), (1, None, 0.0), (2, END, 0.3)])
def test_a_beam_as_wide_as_all_sequences_finds_the_best_ones(seed: int, end: int | None, zeros: float) -> None:
    table = Table(seed, zeros=zeros)
    beam = Beam(SYMBOLS**STEPS, n_best=12)
    for min_length in (0, 2):
        found = Finder(symbols(end)).find(table, beam, min_length=min_length)
        for row in range(table.rows):
            expected = reference.every_sequence(table.predict(row), np.ones(SYMBOLS, bool), end, STEPS, min_length)[:12]
            answers = as_answers(found[row, 0])
            assert [answer.log_probability for answer in answers] == pytest.approx(
                [answer.log_probability for answer in expected], abs=1e-6
            )
            for answer in answers:
                assert answer.log_probability == pytest.approx(
                    reference.log_likelihood(table.predict(row), answer.ids), abs=1e-6
                )
            if not zeros:  # without ties
                assert [answer.ids for answer in answers] == [answer.ids for answer in expected]


@pytest.mark.parametrize("penalty", [-1.0, 0.7, 2.0])
def test_a_length_penalty_ranks_by_the_sum_over_a_power_of_the_length(penalty: float) -> None:
    table = Table(7)
    found = Finder(symbols()).find(table, Beam(SYMBOLS**STEPS, penalty, 6))
    for row in range(table.rows):
        every = reference.every_sequence(table.predict(row), np.ones(SYMBOLS, bool), END, STEPS)
        scored = sorted((-answer.log_probability / len(answer.ids) ** penalty, answer.ids) for answer in every)
        assert [answer.ids for answer in as_answers(found[row, 0])] == [ids for _, ids in scored[:6]]


def test_a_beam_is_never_worse_than_greedy_and_the_best_come_first() -> None:
    table = Table(11, rows=300)
    greedy = Finder(symbols()).find(table, GREEDY)
    better = 0
    for beam in (Beam(2), Beam(3, n_best=3), Beam(4, n_best=4, groups=2, diversity=0.5)):
        found = Finder(symbols()).find(table, beam, largest=64)
        for row in range(table.rows):
            answers = as_answers(found[row, 0])
            assert len({answer.ids for answer in answers}) == len(answers) <= beam.n_best
            sums = [answer.log_probability for answer in answers]
            assert sums == sorted(sums, reverse=True)
            assert sums[0] >= as_answers(greedy[row, 0])[0].log_probability
            better += sums[0] > as_answers(greedy[row, 0])[0].log_probability + 1e-9
    assert better > 100


def test_groups_that_lose_by_repeating_others_find_more_beginnings() -> None:
    table = Table(3, rows=60)
    together = Finder(symbols()).find(table, Beam(4, n_best=4))
    apart = Finder(symbols()).find(table, Beam(4, n_best=4, groups=4, diversity=50.0))

    def beginnings(found: Any) -> float:
        return float(np.mean([len({answer.ids[0] for answer in as_answers(found[row, 0])}) for row in range(table.rows)]))

    assert beginnings(apart) > beginnings(together) + 0.3


SAMPLINGS = [
    Sampling(),
    Sampling(0.6),
    Sampling(1.5, top_k=2),
    Sampling(top_p=0.6),
    Sampling(min_p=0.3),
    Sampling(2.0, 3, 0.9, 0.1),
]


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=str)
def test_samples_are_those_of_the_plain_implementation(sampling: Sampling) -> None:
    table = Table(5, rows=8, zeros=0.2)
    table.table[..., 3] += 0.05  # something is possible everywhere
    may = np.array([True, False, True, True])
    found = Finder(symbols(allowed=may)).find(table, sampling, count=5, seed=9)
    for (row, sample), (answer,) in found.items():
        ids: list[int] = []
        while len(ids) < STEPS and END not in ids:
            (u,) = reference.uniform(9, np.array([row]), np.array([sample]), len(ids))
            p = table.predict(row)(ids)
            ids.append(reference.draw(p, may, u, sampling.temperature, sampling.top_k, sampling.top_p, sampling.min_p))
        assert answer.ids.tolist() == ids
        assert answer.log_probability == pytest.approx(reference.log_likelihood(table.predict(row), ids), abs=1e-6)
        assert answer.ended == (ids[-1] == END)


def test_a_sample_is_the_same_in_every_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    from seqdec_gui.runner.decoding import batches

    table = Table(2, rows=90)
    finder = Finder(symbols())
    alone = {key: as_answers(found) for key, found in finder.find(table, Sampling(1.2), count=3, seed=4).items()}
    monkeypatch.setattr(batches, "FIRST_CHUNK", 1)
    for largest in (16, 64):
        again = {key: as_answers(found) for key, found in finder.find(table, Sampling(1.2), 3, 4, largest=largest).items()}
        assert again == alone


def test_rows_without_a_possible_symbol_are_answered_and_nan_is_named() -> None:
    nothing = Table(1)
    nothing.table[:] = 0
    for strategy in (GREEDY, Sampling(), Sampling(top_k=2, top_p=0.5), Beam(3, n_best=3)):
        may = np.array([True, False, True, True])
        found = Finder(symbols(allowed=may)).find(nothing, strategy, count=2 if isinstance(strategy, Sampling) else 1)
        for answers in found.values():
            for answer in as_answers(answers):
                assert 1 not in answer.ids
                assert np.isfinite(answer.log_probability)
    nothing.table[:] = np.nan
    for strategy in (GREEDY, Sampling(), Beam(3)):
        with pytest.raises(InvalidInput, match="NaN"):
            Finder(symbols()).find(nothing, strategy)


def test_drawing_leaves_out_what_has_no_weight_at_the_edges() -> None:
    from keras import ops

    from seqdec_gui.runner.decoding import choice

    if ops.convert_to_tensor(np.zeros(1, np.float64)).dtype != "float64":
        pytest.skip("64-bit numbers are only inside compiled functions")
    p = np.tile(np.array([0.0, 0.5, 0.5, 0.0], np.float32), (3, 1))
    uniforms = np.array([0.0, 0.5, 1 - 2.0**-53])
    for filtered in (False, True):
        chosen = choice.draw(p, np.ones(4, bool), choice.Filters.of(Sampling()), filtered, uniforms)
        assert np.asarray(chosen).tolist() == [1, 2, 2]


def test_jax_finds_the_same() -> None:
    pytest.importorskip("jax")
    chosen = [  # compiling for JAX takes seconds for each
        "test_a_beam_as_wide_as_all_sequences_finds_the_best_ones[2-0-0.3]",
        *[f"test_samples_are_those_of_the_plain_implementation[{sampling}]" for sampling in (SAMPLINGS[0], SAMPLINGS[-1])],
        "test_rows_without_a_possible_symbol_are_answered_and_nan_is_named",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *[f"{__file__}::{test}" for test in chosen]],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"{len(chosen)} passed" in done.stdout


def test_sequences_that_end_in_any_order_are_handed_out_in_order() -> None:
    """Of batches smaller than the number of sequences, with arrays for all of a part and one `Found` for each."""
    from seqdec_gui.runner.decoding.batches import OneEach
    from seqdec_gui.runner.decoding.search import Items, Search

    table = Table(4, rows=70)
    search = Search(symbols(), SYMBOLS, table)  # type: ignore[arg-type]
    items = Items(np.arange(70), np.zeros(70, int))
    parts = list(search.find(items, table.states, Sampling(), 3, np.ones(SYMBOLS, bool), 0, 16))
    handed = 0
    for part in parts:
        assert isinstance(part, OneEach)
        assert part.first == handed
        for place, (item, (found,)) in enumerate(part):
            assert item == handed + place == part[place][0]
            assert found.ids.tolist() == part[place][1][0].ids.tolist() == part.ids[place, : part.lengths[place]].tolist()
            expected = reference.log_likelihood(table.predict(item), found.ids.tolist())
            assert found.log_probability == pytest.approx(expected, abs=1e-6)
            assert found.log_probability == pytest.approx(expected, abs=1e-12)
            assert found.ended == (found.ids[-1] == END)
        handed += len(part)
    assert handed == 70
    assert len(parts) > 1


def test_steps_done_at_once_divide_a_call_and_go_little_beyond_its_end() -> None:
    from seqdec_gui.runner.decoding.search import chunk_of
    from seqdec_gui.runner.decoding.symbol_loop import LONGEST_CHUNK

    for steps in (1, 2, 5, 8, 33, 142, 1000):
        assert chunk_of(steps, 1) == (min(steps, LONGEST_CHUNK), 1)
        chunk, unroll = chunk_of(steps, 8)
        assert chunk % unroll == 0
        assert min(steps, LONGEST_CHUNK) <= chunk < min(steps, LONGEST_CHUNK) + 6


def test_samples_are_the_same_with_several_steps_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on GPUs, where it is not asked after each step whether a sequence goes on."""
    from seqdec_gui.runner.decoding import search

    table = Table(6, rows=50)
    once = {key: as_answers(found) for key, found in Finder(symbols()).find(table, Sampling(), 3, 8, largest=64).items()}
    monkeypatch.setattr(search, "on_gpu", lambda: True)
    monkeypatch.setattr(search, "compiles_each_size", lambda: True)
    monkeypatch.setattr(search, "STEPS_AT_ONCE", 3)
    again = {key: as_answers(found) for key, found in Finder(symbols()).find(table, Sampling(), 3, 8, largest=64).items()}
    assert again == once
