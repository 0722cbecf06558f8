"""How many steps an interval has, on a clock of the test's own."""

import pytest

from seqdec_gui.runner import pace
from seqdec_gui.runner.pace import Pace


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only where a test says so."""
    now = [0.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    return now


def intervals(there, clock, step_s, steps, compiled=False):
    """Lengths of the intervals of so many steps, each of which takes `step_s`; the first takes 30 s more unless compiled."""
    found = []
    while sum(found) < steps:
        found.append(there.steps(steps - sum(found)))
        with there.timed(found[-1], compiled):
            clock[0] += found[-1] * step_s + (30 if len(found) == 1 and not compiled else 0)
    return found


def test_an_interval_takes_about_as_long_as_it_should(clock):
    assert intervals(Pace(1.0), clock, 0.125, 27) == [1, 1, 8, 8, 8, 1]
    assert intervals(Pace(1.0), clock, 3.0, 3) == [1, 1, 1]
    assert intervals(Pace(1.0), clock, 1 / 256, 586) == [1, 1, 8, 64, 256, 256]


def test_intervals_are_multiples_of_what_is_compiled_but_at_the_end(clock):
    assert intervals(Pace(1.0, 16), clock, 0.01, 310) == [16, 16, 96, 96, 86]
    assert intervals(Pace(1.0, 16), clock, 0.2, 70) == [16, 16, 16, 16, 6]  # 3.2 s each: longer than wanted, but compiled


def test_steps_that_take_too_long_together_are_taken_by_themselves(clock):
    assert intervals(Pace(1.0, 16), clock, 0.4, 40) == [16, 16, 2, 2, 2, 2]


def test_a_first_call_that_compiled_nothing_tells_how_long_steps_take(clock):
    assert intervals(Pace(1.0, 16), clock, 3.0, 20, compiled=True) == [16, 1, 1, 1, 1]
    assert intervals(Pace(1.0, 16), clock, 0.01, 228, compiled=True) == [16, 96, 96, 20]


def test_after_a_short_end_it_goes_on_in_multiples(clock):
    there = Pace(1.0, 16)
    assert intervals(there, clock, 0.001, 195) == [16, 16, 128, 35]
    assert there.steps(10_000) % 16 == 0


def test_the_rate_counts_neither_the_first_call_nor_what_was_told_before(clock):
    there = Pace(1.0)
    assert there.take_rate() is None
    intervals(there, clock, 0.1, 20)
    assert there.take_rate() == pytest.approx(10)
    assert there.take_rate() is None
