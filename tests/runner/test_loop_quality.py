"""The loop with measures of what is generated: reported beside the losses, and monitored in their own direction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from seqdec_gui.runs.events import Checkpoint, Epoch, Finished, Message, Metrics
from tests.runner.loop_bench import Bench


class Measures:
    """Answers with one value after the other; None at a report that does not measure."""

    def __init__(self, name: str, values: Sequence[float | None]) -> None:
        self.name, self.values = name, list(values)
        self.asked: list[tuple[int, int, int, bool]] = []
        self.told = 0

    def at_report(self, epoch: int, step: int, steps: int, last: bool) -> Metrics:
        self.asked.append((epoch, step, steps, last))
        value = self.values.pop(0)
        return {} if value is None else {self.name: value}

    def tell_cost(self) -> None:
        self.told += 1


def test_measures_stand_beside_the_losses_of_the_reports_that_measured(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.quality = Measures("val_free_exact_match", [0.5, None, 0.75])
    bench.run()
    assert bench.quality.asked == [(1, 3, 9, False), (2, 6, 9, False), (3, 9, 9, True)]
    assert [event.metrics.get("val_free_exact_match") for event in bench.events(Epoch)] == [0.5, None, 0.75]
    assert bench.quality.told == 1


@pytest.mark.parametrize(("name", "best"), [("val_free_exact_match", 0.6), ("val_free_token_error_rate", 0.2)])
def test_the_best_checkpoint_is_that_of_the_best_measure_in_its_direction(name: str, best: float, tmp_path: Path) -> None:
    bench = Bench(tmp_path, epochs=6, monitor=name)
    bench.quality = Measures(name, [0.4, None, 0.6, 0.2, None, 0.5])
    bench.run()
    saved = [event for event in bench.events(Checkpoint) if event.name == "best"]
    assert saved[-1].metrics[name] == best
    assert all(event.metrics.get(name) is not None for event in saved)


def test_reports_that_do_not_measure_do_not_count_for_early_stopping(tmp_path: Path) -> None:
    bench = Bench(tmp_path, epochs=20, monitor="val_free_bleu", early_stopping_patience=2)
    bench.quality = Measures("val_free_bleu", [3.0, None, None, None, 2.0, None, 1.0, *[None] * 13])
    final = bench.run()
    assert isinstance(final, Finished)
    assert (final.epoch, final.reason) == (7, "early_stopping")
    (said,) = [event.text for event in bench.events(Message) if event.code == "early_stopping"]
    assert said == "val_free_bleu has not improved for 2 reports: stopping early."


def test_the_best_measure_survives_a_resumption(tmp_path: Path) -> None:
    bench = Bench(tmp_path, epochs=3, monitor="val_free_exact_match")
    bench.quality = Measures("val_free_exact_match", [0.4, 0.9, 0.5])
    bench.at(6, "stop")
    bench.run()
    bench.quality = Measures("val_free_exact_match", [0.8])
    bench.resume()
    saved = [event.epoch for event in bench.events(Checkpoint) if event.name == "best"]
    assert saved == [1, 2]
