"""What is generated is as likely as it is said to be: for every kind of decoder, strategy and constraint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdec_gui.domain.decoding import GREEDY, UNCONSTRAINED, Beam, Constraints, Sampling, Strategy
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput
from tests.runner import designs
from tests.runner.test_sampler import VARIANTS, Trained

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
KINDS: dict[str, Callable[[], Design]] = {**VARIANTS, "a repeated code": designs.variational}
WAYS: tuple[tuple[Strategy, Constraints], ...] = (
    (GREEDY, UNCONSTRAINED),
    (GREEDY, Constraints(prefix="ba", min_length=4)),
    (Sampling(1.4), UNCONSTRAINED),
    (Sampling(0.7, top_k=6, top_p=0.9, min_p=0.01), Constraints(min_length=8)),
    (Sampling(2.0, top_k=5), Constraints(forbid="c")),
    (Beam(4, n_best=3), Constraints(prefix="g", allow="abdg")),
    (Beam(4, length_penalty=0.8, n_best=4, groups=2, diversity=0.5), UNCONSTRAINED),
)
"""Settings that share a compiled loop stand side by side: compiling is what takes long."""


@pytest.mark.parametrize("name", KINDS)
def test_what_is_generated_scores_as_it_is_reported(name: str, tmp_path: Path) -> None:
    from seqdec_gui.runner.scoring import Scorer

    trained = Trained(KINDS[name](), tmp_path)
    sampler, feed, codec = trained.sampler(), trained.target_feed(), trained.dataset.fitted.text()
    scorer = Scorer(trained.design, trained.models, trained.dataset.fitted, sampler)
    rows = 3 if sampler.inputs else 1
    arrays = trained.dataset.batch(np.arange(rows))
    samples: list[Any] = []
    for number, (strategy, constraints) in enumerate(WAYS):
        count = 3 if isinstance(strategy, Sampling) else 1
        unique = number == 2
        found = [
            sample for part in sampler.generate(arrays, rows, count, strategy, number, constraints, unique) for sample in part
        ]
        assert {sample.row for sample in found} == set(range(rows))
        assert all(sample.text.startswith(constraints.prefix) for sample in found)
        assert all(len(sample.text) >= constraints.min_length for sample in found)
        samples += found
    assert any(sample.finished for sample in samples)
    assert name != "a repeated code" or not all(sample.finished for sample in samples)
    assert len({sample.text for sample in samples}) > 5

    if sampler.symbols.mark is not None:  # it begins each sequence, and is no symbol of it
        assert all(
            found.ids[0] == sampler.symbols.mark for part in sampler.greedy(arrays, np.arange(rows)) for _, found in part
        )
        assert all(len(sample.text) == sampler.symbols.room for sample in samples if not sample.finished)
    with pytest.raises(InvalidInput, match=f"min_length up to {sampler.symbols.room}"):
        next(sampler.generate(arrays, rows, constraints=Constraints(min_length=sampler.symbols.room + 1)))
    stored = np.zeros((len(samples), *arrays[feed.array].shape[1:]), arrays[feed.array].dtype)
    for place, sample in enumerate(samples):
        ids = [codec.charset.index(letter) + codec.first_symbol for letter in sample.text]
        ids = [*([codec.begin_id] if codec.begin_id is not None else []), *ids, codec.end_id]
        stored[place, : len(ids)] = ids[: stored.shape[1]]
    of_rows = {key: array[[sample.row for sample in samples]] for key, array in arrays.items()} | {feed.array: stored}
    scores = [score for part in scorer.scores(of_rows, np.arange(len(samples))) for score in part]
    assert [score.log_probability for score in scores] == pytest.approx([each.log_probability for each in samples], abs=1e-4)
