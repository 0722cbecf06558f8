"""Scores of sequences that are given apart from their rows, with candidates, and under another model beside."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqdec_gui
from seqdec_gui.domain.decoding import Sampling
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.task_results import Scored
from seqdec_gui.runs.tasks import GenerateTask, Notice, ScoreTask
from tests.runner import designs
from tests.runner.test_task import Here, make_run

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_generated_sequences_are_scored_where_they_belong_and_beside_a_prior(tmp_path: Path) -> None:
    for name in ("tuned", "prior", "free"):
        (tmp_path / name).mkdir()
    tuned, here = make_run(designs.stack(), tmp_path / "tuned", spread=0.2), Here()
    prior = make_run(designs.stack(), tmp_path / "prior", spread=0.1)
    free = make_run(designs.language(), tmp_path / "free", spread=0.2)
    rows = tmp_path / "rows.csv"
    rows.write_text("latent\n1 2 3\n1 2\n-1 0 9000\n")
    out, scored = tmp_path / "made.csv", tmp_path / "scored.jsonl"
    where: Any = {"run": str(tuned.path), "input": str(rows)}
    here.do(GenerateTask(output=str(out), count=3, strategy=Sampling(1.3), **where))
    warned = [line.text for line in here.heard if isinstance(line, Notice)]
    assert any("latent 3 9000 (training rows" in text for text in warned)
    written = read(out)
    assert [bool(row["outside_training"]) for row in written if row["row"] == "2"] == [True] * 3
    assert not any(row["outside_training"] for row in written if row["row"] == "1")  # it could not be read

    made = [row for row in written if not row["problem"]]
    given = tuple((int(row["row"]), row["text"]) for row in reversed(made))
    result = here.do(
        ScoreTask(output=str(scored), given=given, candidates=3, against=str(prior.path), **where)
    )  # fmt: skip
    assert isinstance(result, Scored)
    assert (result.rows, result.compared) == (6, 6)
    for row, line in zip(reversed(made), lines(scored), strict=True):
        assert (line["row"], line["text"]) == (int(row["row"]), row["text"])
        assert line["log_probability"] == pytest.approx(float(row["log_probability"]), abs=1e-4)
        steps = line["candidates"]
        assert len(steps) == line["symbols"]
        assert sum(np.log(step["probability"]) for step in steps) == pytest.approx(line["log_probability"], abs=1e-3)
        assert all(len(step["candidates"]) == 3 for step in steps)
        assert line["difference"] == pytest.approx(line["log_probability"] - line["log_probability_against"], abs=1e-5)
    theirs = tmp_path / "theirs.csv"
    here.do(ScoreTask(run=str(prior.path), input=str(rows), given=given, output=str(theirs)))
    expected = [float(row["log_probability"]) for row in read(theirs)]
    assert [line["log_probability_against"] for line in lines(scored)] == pytest.approx(expected, abs=1e-5)

    # A split of the run's own data, under a prior without inputs and under one that reads the same rows
    for other in (free, prior):
        options: Any = {"split": "test", "trained_on": 30, "against": str(other.path)}
        result = here.do(ScoreTask(run=str(tuned.path), output=str(scored), **options))
        alone = here.do(ScoreTask(run=str(other.path), split="test", trained_on=30, output=str(theirs)))
        assert isinstance(result, Scored)
        assert isinstance(alone, Scored)
        assert result.compared == 10
        assert result.against_log_probability == pytest.approx(alone.log_probability, abs=1e-3)

    model, other = seqdec_gui.open_run(tuned.path), seqdec_gui.open_run(free.path)
    scores = seqdec_gui.score(model, split="test", against=other, candidates=2)
    assert sum(score.log_probability for score in scores) == pytest.approx(result.log_probability, abs=1e-3)
    assert all(score.against is not None and len(score.steps) == len(score.log_probabilities) for score in scores)

    here.do(ScoreTask(run=str(free.path), given=((0, "ab"), (0, "xyz")), output=str(theirs)))
    first, second = read(theirs)
    assert first["log_probability"]
    assert "'x'" in second["problem"]
    with pytest.raises(InvalidInput, match="JSON Lines"):
        here.do(ScoreTask(run=str(free.path), given=((0, "ab"),), candidates=2, output=str(theirs)))
    with pytest.raises(InvalidInput, match="There are 3 rows"):
        here.do(ScoreTask(output=str(theirs), given=((3, "ab"),), **where))
