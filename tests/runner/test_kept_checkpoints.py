"""The newest checkpoints that a run keeps, and which of them it goes on from."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runner import checkpoints, loop, session
from seqdec_gui.runs import kept_checkpoints
from seqdec_gui.runs.events import Checkpoint, Epoch, Finished, Message
from seqdec_gui.runs.files import write_atomically
from tests.runner.loop_bench import Adder, Bench


@pytest.fixture(autouse=True)
def _as_often_as_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SHARE_OF_CHECKPOINTS", 1e9)


def trained(folder: Path, **training: Any) -> Bench:
    """A run of 12 steps with a checkpoint after each; the best is that after the first epoch."""
    folder.mkdir(exist_ok=True)
    bench = Bench(folder, lambda step: 1.0 + step, **({"epochs": 2, "batch_size": 6} | training))
    bench.checkpoint_every_s = bench.report_every_s = 1e-6
    bench.run()
    return bench


def spoil(path: Path, at: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def newest(bench: Bench) -> tuple[Any, Path]:
    bench.engine = Adder(bench.program, bench.loss)
    return session._newest(bench.folder, bench.engine)


@pytest.mark.parametrize("keep", [1, 2, 5])
def test_as_many_checkpoints_are_kept_as_the_design_says(tmp_path: Path, keep: int) -> None:
    bench = trained(tmp_path, keep_checkpoints=keep)
    steps = [event.step for event in bench.events(Checkpoint) if event.name == "last"]
    kept = [step for step, _ in kept_checkpoints.earlier(bench.folder)]
    assert kept == sorted(set(steps), reverse=True)[1:keep]
    for step, path in kept_checkpoints.earlier(bench.folder):
        assert checkpoints.progress_of(path).total_steps == step


def test_a_run_goes_on_from_the_newest_whole_checkpoint_and_its_curve_is_the_same(tmp_path: Path) -> None:
    whole, hurt = trained(tmp_path / "whole"), trained(tmp_path / "hurt")
    order = [hurt.folder.checkpoint("last"), *(path for _, path in kept_checkpoints.earlier(hurt.folder))]
    assert len(order) == 3
    for number, path in enumerate(order[:2]):
        spoil(path, at=(-1, 700)[number])
        progress, used = newest(hurt)
        assert used == order[number + 1]
        assert progress.total_steps < 12
        problem = kept_checkpoints.what_was_lost(hurt.folder, used)
        assert problem is not None
        assert "is damaged: its check sum" in problem.text
        assert used.name in problem.text
    assert isinstance(hurt.run(msgspec.structs.replace(progress, ended="")), Finished)
    np.testing.assert_array_equal(hurt.engine.weight.value, whole.engine.weight.value)
    assert hurt.events(Epoch)[-1].metrics["val_loss"] == whole.events(Epoch)[-1].metrics["val_loss"]
    assert kept_checkpoints.newest_whole(hurt.folder) == hurt.folder.checkpoint("last")


def test_best_is_used_where_nothing_newer_is_whole_and_then_nothing(tmp_path: Path) -> None:
    bench = trained(tmp_path)
    best = bench.folder.checkpoint("best")
    bench.folder.checkpoint("last").unlink()
    for _, path in kept_checkpoints.earlier(bench.folder):
        path.write_bytes(path.read_bytes()[:1000])
    assert newest(bench)[1] == best
    problem = kept_checkpoints.what_was_lost(bench.folder, best)
    assert problem is not None
    assert "is gone" in problem.text
    spoil(best)
    with pytest.raises(InvalidInput, match=r"is damaged: .* So are the other 2\..*or train anew"):
        kept_checkpoints.newest_whole(bench.folder)
    for path in kept_checkpoints.continued_from(bench.folder):
        path.unlink()
    with pytest.raises(InvalidInput, match="it is gone"):
        kept_checkpoints.newest_whole(bench.folder)


def test_checkpoints_beyond_the_one_that_a_run_goes_on_from_are_removed(tmp_path: Path) -> None:
    bench = trained(tmp_path, keep_checkpoints=4)
    kept_checkpoints.thin_out(bench.folder, 10, 4)
    assert [step for step, _ in kept_checkpoints.earlier(bench.folder)] == [9]


def test_earlier_checkpoints_make_room_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, epochs=2, batch_size=6)
    bench.checkpoint_every_s = bench.report_every_s = 1e-6
    write = write_atomically

    def full(path: Path, data: bytes) -> None:
        if len([*path.parent.iterdir()]) >= 3:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, data)

    monkeypatch.setattr("seqdec_gui.runner.checkpoints.write_atomically", full)
    assert isinstance(bench.run(), Finished)
    assert "earlier_checkpoints_removed" in {event.code for event in bench.events(Message)}
    assert newest(bench)[0].total_steps == 12


def test_a_disk_without_second_names_keeps_checkpoints_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("os.link", link)
    bench = trained(tmp_path)
    assert [step for step, _ in kept_checkpoints.earlier(bench.folder)] == [11, 10]
    assert newest(bench)[1] == bench.folder.checkpoint("last")
