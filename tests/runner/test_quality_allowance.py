"""Measuring takes no more than its share of a training, however dear it is, and at least the last report measures."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import pytest

from seqdec_gui.runner.quality.allowance import Allowance


class Training(NamedTuple):
    share: float
    at: list[int]


def train(reports: int, report_s: float, first_s: float, later_s: float, share: float = 0.1, needed: bool = False) -> Training:
    """Return the share that measuring took, and at which reports it did."""
    allowance, elapsed, at = Allowance(share, needed), 0.0, list[int]()
    for report in range(1, reports + 1):
        elapsed += report_s
        if allowance.permits(elapsed, report / reports, report == reports):
            seconds = later_s if allowance.count else first_s
            allowance.spend(seconds)
            elapsed += seconds
            at.append(report)
    assert allowance.count == len(at)
    assert allowance.left_out == reports - len(at)
    return Training(allowance.share_of(elapsed), at)


CASES = [
    (reports, report_s, later_s)
    for reports, report_s, later_s in product([20, 100], [0.5, 3.0, 30.0], [0.05, 0.5, 1.0, 3.0, 20.0, 100.0])
    if 0.11 * reports * report_s >= 4.0 + 2 * later_s
]
"""Numbers of reports, their seconds, and those of a later measurement, for trainings that can afford two of them."""


@pytest.mark.parametrize(("reports", "report_s", "later_s"), CASES)
def test_a_training_that_can_afford_to_begin_keeps_the_share(reports: int, report_s: float, later_s: float) -> None:
    first_s = 4.0 + later_s
    found = train(reports, report_s, first_s, later_s)
    assert found.share <= 0.1 + 1.5 * later_s / (reports * report_s)  # the last report measures in any case
    assert found.at[-1] == reports
    cheap = reports * later_s < 0.05 * reports * report_s
    if cheap and first_s < 0.03 * reports * report_s:
        assert len(found.at) >= reports - 2


def test_later_measurements_are_spread_over_the_training() -> None:
    found = train(100, 10.0, 9.0, 5.0)
    assert found.at[0] == 1
    gaps = [after - before for before, after in zip(found.at, found.at[1:], strict=False)]
    assert 15 <= len(found.at) <= 22
    assert max(gaps) <= 9


def test_a_short_training_measures_at_its_end_alone() -> None:
    assert train(10, 1.0, 4.0, 0.1).at == [10]


def test_every_report_measures_where_it_is_asked_for() -> None:
    assert train(5, 0.1, 4.0, 3.0, share=1.0).at == [1, 2, 3, 4, 5]


def test_the_first_report_measures_what_is_monitored() -> None:
    assert train(10, 1.0, 4.0, 0.1, needed=True).at == [1, 10]
