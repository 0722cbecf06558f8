"""The file of what a run generates for some rows: appended, cut after a checkpoint, and never larger than it may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqdec_gui.commands.shown_samples import ShownSamples
from seqdec_gui.runs.events import Epoch
from seqdec_gui.runs.quality import samples
from seqdec_gui.runs.quality.samples import Sampled, SampledRow


def report(step: int, *texts: str) -> Sampled:
    return Sampled(epoch=1, step=step, rows=tuple(SampledRow(k, f"in {k}", "ab", text) for k, text in enumerate(texts)))


def test_reports_are_read_as_they_were_written_and_a_resumed_run_takes_the_later_ones_back(tmp_path: Path) -> None:
    file = tmp_path / "samples.jsonl"
    assert samples.read_last(file) is None
    samples.drop_after(file, 0)
    written = [report(step, "ab", "a") for step in (5, 10, 15)]
    for each in written:
        samples.append(file, each)
    with file.open("ab") as open_file:
        open_file.write(b'{"epoch": 2, "st')  # the process was killed
    assert samples.read_all(file) == written
    assert samples.read_last(file) == written[-1]
    samples.drop_after(file, 10)
    samples.append(file, report(12, "b"))
    assert [each.step for each in samples.read_all(file)] == [5, 10, 12]


def test_the_file_keeps_the_latest_reports_once_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "MOST_BYTES", 4000)
    file = tmp_path / "samples.jsonl"
    for step in range(200):
        samples.append(file, report(step, "abc" * 20))
        assert file.stat().st_size <= 4000
    kept = [each.step for each in samples.read_all(file)]
    assert kept == list(range(200 - len(kept), 200))
    assert len(kept) > 5


def test_a_damaged_line_hides_no_other(tmp_path: Path) -> None:
    file = tmp_path / "samples.jsonl"
    written = report(1, "ab")
    samples.append(file, written)
    with file.open("ab") as open_file:
        open_file.write(b"\xff\xfe not JSON\n[1]\n")
    assert samples.read_last(file) == written


def test_long_texts_are_cut() -> None:
    assert samples.shortened("a" * 500) == "a" * 500
    assert samples.shortened("a" * 501) == "a" * 499 + "…"


def test_the_terminal_shows_the_rows_of_a_report_that_measured(tmp_path: Path) -> None:
    file = tmp_path / "samples.jsonl"
    samples.append(file, report(5, "ab", "a", "abc"))
    shown = ShownSamples(file, 2)
    assert shown(Epoch(epoch=1, step=5, metrics={"val_free_exact_match": 0.3})) == [
        "  = in 0 -> ab",
        "  x in 1 -> a  (target ab)",
    ]
    assert shown(Epoch(epoch=1, step=5, metrics={"val_loss": 0.3})) == []
    assert shown(Epoch(epoch=2, step=9, metrics={"val_free_exact_match": 0.3})) == []  # an older report is not shown again
    assert ShownSamples(file, 0)(Epoch(epoch=1, step=5, metrics={"val_free_exact_match": 0.3})) == []
