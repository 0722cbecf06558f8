"""Scoring: the log-likelihood of given sequences is that of the full model, of the steps, and of what was generated."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdec_gui.domain.decoding import Beam, Constraints, Sampling
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.tasks import GenerateTask, Notice, ScoreTask
from tests.runner import designs
from tests.runner.test_sampler import VARIANTS, Trained
from tests.runner.test_task import Here, make_run

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.mark.parametrize("name", ["LSTM, BN", "embedding, mask, encoder", "GRU, resets", "language model", "repeat"])
def test_one_pass_gives_what_the_steps_give(name: str, tmp_path: Path) -> None:
    from seqdec_gui.runner.scoring import Scorer

    made = {**VARIANTS, "GRU, resets": VARIANTS["GRU"], "repeat": designs.variational}[name]()
    trained = Trained(made, tmp_path)
    sampler, feed = trained.sampler(), trained.target_feed()
    scorer = Scorer(trained.design, trained.models, trained.dataset.fitted, sampler)
    rows = np.arange(9)
    batch = trained.dataset.batch(rows)
    scores = [score for part in scorer.scores(batch, rows) for score in part]
    targets = batch[feed.array][:, feed.first : feed.last].astype(int)
    assert [score.log_probability for score in scores] == pytest.approx(sampler.log_probabilities(batch, targets), abs=1e-4)
    assert all(score.ids[-1] == 2 and len(score.ids) == len(score.log_probabilities) for score in scores)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_what_is_generated_scores_as_it_was_reported(tmp_path: Path) -> None:
    run, here = make_run(designs.stack(), tmp_path, spread=0.2), Here()
    given = tmp_path / "rows.csv"
    given.write_text("id,latent\n" + "".join(f"q{k},{k % 3} {k} {-k}\n" for k in range(6)))
    for number, (strategy, least) in enumerate(((Sampling(1.5), 0), (Beam(5), 0), (Sampling(), 9))):
        out, scored = tmp_path / f"{number}.csv", tmp_path / f"{number}-scores.csv"
        options: Any = {"strategy": strategy, "constraints": Constraints(min_length=least), "keep": ("latent",)}
        here.do(GenerateTask(run=str(run.path), input=str(given), output=str(out), mark_unfinished=True, **options))
        result = here.do(ScoreTask(run=str(run.path), input=str(out), output=str(scored), keep=("log_probability",)))
        generated, scores = read(out), read(scored)
        assert {row["finished"] for row in generated} == ({"0"} if least else {"1"})
        for made, score in zip(generated, scores, strict=True):
            assert score["text"] == made["text"]
            assert float(score["log_probability"]) == pytest.approx(float(made["log_probability"]), abs=1e-4)
        assert result.refused == 0
        assert result.log_probability == pytest.approx(
            sum(float(score["log_probability"]) for score in scores if score["log_probability"]), abs=1e-3
        )
        assert result.symbols == sum(int(score["symbols"]) for score in scores if score["symbols"])
        assert result.perplexity == pytest.approx(np.exp(-result.log_probability / result.symbols))


def test_the_run_s_own_rows_each_symbol_and_rows_with_faults(tmp_path: Path) -> None:
    run, here = make_run(designs.stack(), tmp_path, spread=0.2), Here()
    out = tmp_path / "test.jsonl"
    result = here.do(ScoreTask(run=str(run.path), split="test", trained_on=30, output=str(out), tokens=True))
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(lines) == result.rows == 10
    for line in lines:
        assert line["symbols"] == len(line["symbol_log_probabilities"]) == len(line["text"]) + 1
        assert "".join(line["symbol_texts"]) == line["text"]
        assert sum(line["symbol_log_probabilities"]) == pytest.approx(line["log_probability"], abs=1e-4)

    given = tmp_path / "pairs.csv"
    given.write_text("latent,text,mine\n1 2 3,ab,ba\n1 2 3,xyz,b\n1 2 3,abcabcabcabc,c\n")
    result = here.do(ScoreTask(run=str(run.path), input=str(given), output=str(tmp_path / "pairs-out.csv")))
    scores = read(tmp_path / "pairs-out.csv")
    assert [score["text"] for score in scores] == ["ab", "xyz", "abcabcabcabc"]
    assert "'x'" in scores[1]["problem"]
    assert "9" in scores[2]["problem"] or "12" in scores[2]["problem"]
    assert result.refused == 2
    assert any("could not be scored" in line.text for line in here.heard if isinstance(line, Notice))
    here.do(ScoreTask(run=str(run.path), input=str(given), text="mine", output=str(tmp_path / "mine.csv")))
    assert [score["text"] for score in read(tmp_path / "mine.csv")] == ["ba", "b", "c"]
    typed: Any = ({"latent": [1, 2, 3], "mine": "ba"},)
    here.do(ScoreTask(run=str(run.path), rows=typed, text="mine", output=str(tmp_path / "typed.csv")))
    (typed_score,) = read(tmp_path / "typed.csv")
    assert typed_score == {key: read(tmp_path / "mine.csv")[0][key] for key in typed_score}
    with pytest.raises(InvalidInput, match="no column"):
        here.do(ScoreTask(run=str(run.path), input=str(given), text="yours", output=str(tmp_path / "x.csv")))
