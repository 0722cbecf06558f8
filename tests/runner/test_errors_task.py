"""The errors of a run are those of what it generates, and the candidates of a step are its probabilities."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.quality.edits import distance
from seqdec_gui.runs.task_results import ErrorsFound
from seqdec_gui.runs.tasks import ErrorsTask, GenerateTask, ScoreTask
from tests.runner import designs
from tests.runner.test_task import Here, make_run

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("wanted", [designs.stack, designs.variational], ids=["step by step", "in one pass"])
def test_errors_are_those_of_what_is_generated(wanted: Any, tmp_path: Path) -> None:
    run, here = make_run(wanted(), tmp_path, spread=0.2), Here()
    out, made, scored = tmp_path / "errors", tmp_path / "made.csv", tmp_path / "scored.csv"
    where: Any = {"run": str(run.path), "split": "training", "trained_on": 30}
    result = here.do(ErrorsTask(output=str(out), worst=3, candidates=4, **where))
    here.do(GenerateTask(output=str(made), **where))
    here.do(ScoreTask(output=str(scored), tokens=True, **where))
    assert isinstance(result, ErrorsFound)

    texts = designs.rows()["text"]
    generated = {int(row["row"]): row for row in table(made)}
    edits = {row: distance(str(texts[row]), each["text"]) for row, each in generated.items()}
    assert (result.rows, result.exact) == (30, sum(not each for each in edits.values()))
    assert result.error_rate == pytest.approx(sum(edits.values()) / sum(len(texts[row]) for row in edits))
    errors = json.loads((out / "errors.json").read_text())
    wrong = {row["row"]: row for row in errors["worst"]}
    assert {row: each["edits"] for row, each in wrong.items()} == {row: each for row, each in edits.items() if each}
    likelihood = {int(row["row"]): float(row["log_probability"]) for row in table(scored)}
    for row, each in wrong.items():
        assert each["generated"] == generated[row]["text"]
        assert each["target_log_probability"] == pytest.approx(likelihood[row], abs=1e-4)
        assert each["generated_log_probability"] == pytest.approx(float(generated[row]["log_probability"]), abs=1e-4)

    counted = [len(row["steps"]) for row in errors["worst"]]
    assert all(counted[:3])
    assert not any(counted[3:])
    for row in errors["worst"][:3]:
        logs = [np.log(step["probability"]) for step in row["steps"]]
        assert sum(logs) == pytest.approx(row["generated_log_probability"], abs=1e-3)
        for step in row["steps"]:
            found = [each["probability"] for each in step["candidates"]]
            assert len(found) == 4
            assert found == sorted(found, reverse=True)
            # greedy, but for the begin mark, which comes first whatever is likely
            assert step["chosen"] in ("<1>", step["candidates"][0]["symbol"])
        assert all(step["chosen"] != "<1>" for step in row["steps"][1:])
    assert [Path(path).name for path in result.paths] == [
        "errors.json", "confusion.csv", "positions.csv", "lengths.csv", "worst.csv", "candidates.csv"
    ]  # fmt: skip
    assert len(table(out / "worst.csv")) == len(wrong)
    assert len(table(out / "candidates.csv")) == 4 * sum(counted)


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    run = make_run(designs.language(), tmp_path)
    with pytest.raises(InvalidInput, match="no inputs"):
        Here().do(ErrorsTask(run=str(run.path), output=str(tmp_path / "errors.json")))
