"""Runs that measure what they generate: the measures are those of the written weights, and change nothing in the training."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from seqdec_gui.runs.events import Epoch, Message
from seqdec_gui.runs.quality import samples
from seqdec_gui.runs.tasks import GenerateTask
from tests.runner import designs
from tests.runner.real_runs import Runs, events, runs_in
from tests.runner.test_task import Here

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
MEASURES = ("exact_match", "token_error_rate", "chrf")


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    with runs_in(tmp_path) as made:
        yield made


def test_a_resumed_run_measures_what_its_weights_generate_and_trains_as_if_it_did_not(runs: Runs, tmp_path: Path) -> None:
    plain = runs.spec(designs.stack(), engine="jax", epochs=4, learning_rate=2e-2)
    measuring = {"quality": MEASURES, "quality_share": 1.0}
    spec = runs.spec(designs.stack(), engine="jax", epochs=2, learning_rate=2e-2, **measuring)
    more = runs.spec(designs.stack(), engine="jax", epochs=4, learning_rate=2e-2, **measuring)
    without = runs.finish("without", plain)
    runs.finish("run", spec)
    run = runs.finish("run", msgspec.structs.replace(more, resume=True))

    told, others = events(run, Epoch), events(without, Epoch)
    assert [event.metrics["val_loss"] for event in told] == [event.metrics["val_loss"] for event in others]
    assert all(f"val_free_{name}" in event.metrics for event in told for name in MEASURES)
    assert [event.code for event in events(run, Message)].count("quality_cost") == 2
    reports = samples.read_all(run.run.samples)
    assert [report.step for report in reports] == [event.step for event in told]

    out = tmp_path / "generated.csv"
    Here().do(GenerateTask(run=str(run.run.path), checkpoint="last", split="validation", output=str(out)))
    with out.open(encoding="utf-8", newline="") as file:
        generated = {int(row["row"]): row["text"] for row in csv.DictReader(file)}
    assert len(generated) == 48
    assert {row.row: row.generated for row in reports[-1].rows} == {row.row: generated[row.row] for row in reports[-1].rows}
    texts = designs.rows(240)["text"]
    right = sum(generated[row] == texts[row] for row in generated)
    assert told[-1].metrics["val_free_exact_match"] == pytest.approx(right / 48)
    assert [row.target for row in reports[-1].rows] == [str(texts[row.row]) for row in reports[-1].rows]


def test_devices_and_designs_without_inputs(runs: Runs) -> None:
    """On two devices with TensorFlow; letters are no SMILES, which is said."""
    spec = runs.spec(designs.language(), devices=2, quality=("valid", "unique"), quality_share=1.0, quality_rows=30)
    run = runs.finish("run", spec)
    (doubt,) = [event for event in events(run, Message) if event.code == "quality_of_no_molecules"]
    assert doubt.severity == "warning"
    assert [event.metrics["val_free_valid"] for event in events(run, Epoch)] == [0.0, 0.0]
    assert [event.metrics["val_free_unique"] for event in events(run, Epoch)] == [None, None]
    report = samples.read_all(run.run.samples)[-1]
    assert len(report.rows) == 20
    assert all(row.target is None for row in report.rows)
    assert len({row.generated for row in report.rows}) > 5
