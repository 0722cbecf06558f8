"""Kinds that only the registry of the child knows are trained, exported and generated with, as the bundled ones are."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.decoding import Sampling
from seqdec_gui.runs import process
from seqdec_gui.runs.events import Epoch
from seqdec_gui.runs.task_results import Exported, Generated
from seqdec_gui.runs.tasks import ExportTask, GenerateTask, run_task
from tests.domain import toy_kinds
from tests.domain.toy_kinds import TOYS, stack_of_toys
from tests.runner import designs
from tests.runner.real_runs import events, runs_in

pytestmark = pytest.mark.slow
CHILD = (sys.executable, str(Path(toy_kinds.__file__)))


def test_new_kinds_train_in_a_child_and_what_they_learnt_is_exported_and_generates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, kind in TOYS.items():
        monkeypatch.setitem(KINDS, name, kind)
    with runs_in(tmp_path) as runs:
        run = runs.start("toys", runs.spec(stack_of_toys(), epochs=1), argv=CHILD)
        assert run.wait(120)
        assert process.exit_status(run.run.status()) == 0, run.run.log.read_text()[-2000:]
    (epoch,) = events(run, Epoch)
    assert 0 < epoch.metrics["val_loss"] < 10

    folder = str(run.run.path)
    for file, form, part in (("full.keras", "keras", "full"), ("decoder.h5", "h5", "decoder")):
        exported = run_task(ExportTask(run=folder, format=form, output=str(tmp_path / file), part=part), argv=CHILD)  # type: ignore[arg-type]
        assert isinstance(exported, Exported)
        assert exported.difference is not None
        assert exported.difference < 1e-4
        assert (tmp_path / file).stat().st_size > 1000

    rows = tuple({"latent": [length, 1, 3]} for length in (2, 5, 7))
    output = tmp_path / "out.csv"
    task = GenerateTask(run=folder, rows=rows, output=str(output), count=2, strategy=Sampling(0.9), seed=7)
    generated = run_task(task, argv=CHILD)
    assert isinstance(generated, Generated)
    assert generated.samples == 6
    with output.open(newline="", encoding="utf-8") as lines:
        _, *found = csv.reader(lines)
    assert [row[0] for row in found] == ["0", "0", "1", "1", "2", "2"]
    assert all(set(row[2]) <= set(designs.LETTERS) and float(row[3]) < 0 for row in found)
    assert len({row[2] for row in found}) > 1
