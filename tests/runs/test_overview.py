"""A long file of events read in part: what an overview leaves out, and what it must not."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from seqdec_gui.runs import overview
from seqdec_gui.runs.events import Checkpoint, DeviceLoad, Epoch, EventWriter, Finished, Message, Started, Step
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.history import RunHistory, read_history
from seqdec_gui.runs.overview import is_long, read_overview
from tests.runs.test_history import marks, said

STEPS = 3000


def loss(step: int) -> float:
    return 1 / step


def written(path: Path, epoch_steps: int = 500) -> RunFolder:
    """A run of 3,000 reports with a resumption in the middle, which makes void what follows step 1,500."""
    path.mkdir()
    run = RunFolder(path)
    began = {"epochs": 6, "steps_per_epoch": epoch_steps, "batch_size": 8, "devices": ("cpu:0",), "engine": "jax"}
    with EventWriter(run.events) as events:
        events.write(Started(time=0.0, **began))
        for step in [*range(1, 1701), *range(1501, STEPS + 1)]:
            if step == 1501 and events_written(run) > 1000:
                events.write(Started(time=float(step), first_step=1500, first_epoch=4, **began))
            events.write(Step(time=float(step), epoch=1, step=step, metrics={"loss": loss(step)}))
            if step % 10 == 0:
                events.write(DeviceLoad(time=float(step), id="cpu:0", memory_used=step, memory_total=10_000))
            if step % epoch_steps == 0:
                metrics: dict[str, float | None] = {"loss": loss(step), "val_loss": loss(step)}
                events.write(Epoch(time=float(step), epoch=step // epoch_steps, step=step, metrics=metrics))
                events.write(Checkpoint(time=float(step), name="best", epoch=1, step=step, path="best", metrics=metrics))
        events.write(Message(time=3000.0, text='It says {"type":"step" and "quotes".'))
        events.write(Finished(time=3001.0, epoch=6, step=STEPS))
    return run


def events_written(run: RunFolder) -> int:
    return run.events.read_bytes().count(b"\n")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes with which a run of 3,000 steps is a long one."""
    for name, value in {"LONG_BYTES": 1000, "CHUNK_BYTES": 30_000, "REPORTS": 300, "END_BYTES": 3000}.items():
        monkeypatch.setattr(overview, name, value)


def test_an_overview_has_a_part_of_the_reports_and_everything_else(small: None, tmp_path: Path) -> None:
    run = written(tmp_path / "run")
    part, whole = read_overview(run), read_history(run)
    assert is_long(run)
    assert (part.thinned, whole.thinned) == (True, False)
    assert 100 < part.reports["loss"].count < 800 < whole.reports["loss"].count
    assert np.all(np.isin(part.reports["loss"].steps, whole.reports["loss"].steps))
    assert part.reports["loss"].values == pytest.approx([loss(int(step)) for step in part.reports["loss"].steps])
    assert list(part.epochs["val_loss"].values) == list(whole.epochs["val_loss"].values)
    assert (marks(part), said(part), part.final) == (marks(whole), said(whole), whole.final)
    assert (part.step, part.epoch, part.latest, part.steps_per_s) == (whole.step, whole.epoch, whole.latest, whole.steps_per_s)


def test_reports_are_taken_at_even_distances(small: None, tmp_path: Path) -> None:
    steps = read_overview(written(tmp_path / "run")).reports["loss"].steps
    assert np.all(np.diff(steps) > 0)
    assert np.diff(steps).max() < 60
    assert steps[-1] == STEPS


def test_of_very_many_epochs_a_part_is_shown(small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "MOST_RARE", 200)
    run = written(tmp_path / "run", epoch_steps=2)
    part, whole = read_overview(run), read_history(run)
    assert 50 < part.epochs["val_loss"].count < 600 < whole.epochs["val_loss"].count
    assert part.final == whole.final


def test_damage_is_left_to_who_reads_the_whole(small: None, tmp_path: Path) -> None:
    run = written(tmp_path / "run")
    data = bytearray(run.events.read_bytes())
    for at in range(40_000, 180_000, 9_001):
        data[at : at + 40] = bytes(40)
    data[90_000:150_000] = data[90_000:150_000].replace(b"\n", b" ")  # a line longer than what is read at once
    run.events.write_bytes(bytes(data) + b'{"type":"step","time":1')
    part, whole = read_overview(run), read_history(run)
    assert part.step == whole.step
    assert np.all(np.isin(part.reports["loss"].steps, whole.reports["loss"].steps))


def test_a_file_larger_than_any_disk_is_not_searched(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.events.touch()
    os.truncate(run.events, 1 << 40)
    assert not is_long(run)
    os.truncate(run.events, 100 << 20)  # zeros, as a crash leaves them
    assert is_long(run)
    assert read_overview(run).step == 0
    run.events.unlink()
    os.mkfifo(run.events)
    assert not is_long(run)


def test_a_history_becomes_another_and_goes_on(small: None, tmp_path: Path) -> None:
    run = written(tmp_path / "run")
    history = RunHistory()
    history.become(read_overview(run))
    history.become(read_history(run))
    count = history.reports["loss"].count
    history.take([Step(time=4000.0, epoch=7, step=3001, metrics={"loss": 5.0})])
    assert (history.thinned, history.reports["loss"].count, history.latest["loss"]) == (False, count + 1, 5.0)
