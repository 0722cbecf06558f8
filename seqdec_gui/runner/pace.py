"""Chooses how many steps make an interval, and measures the speed of the training."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

MAX_GROWTH = 8
"""Largest factor by which an interval has more steps than the one before it."""
MAX_OVERRUN = 4
"""Multiple of the target time that an interval may take if that avoids a further compilation."""


class Pace:
    """Sizes intervals so that each takes about `target_s`, in multiples of `fewest` steps unless these take too long.

    The first call counts for no rate, because it initialises the devices too. It decides the length of the next interval only
    if it compiled nothing.
    """

    def __init__(self, target_s: float, fewest: int = 1) -> None:
        self._target_s = target_s
        self._fewest = fewest
        self._steps = fewest
        self._warm = False
        self._counted_steps = 0
        self._counted_s = 0.0
        self.last_rate: float | None = None
        """Steps per second of the last call; None before the second call."""

    def steps(self, most: int) -> int:
        """Return the number of steps of the next interval, at most `most`."""
        return max(1, min(self._steps, most))

    @contextmanager
    def timed(self, steps: int, compiled: bool = False) -> Iterator[None]:
        """Time the context as a call of `steps` steps; `compiled` says that the call compiles nothing."""
        start = time.monotonic()
        yield
        seconds = max(time.monotonic() - start, 1e-9)
        first = not self._warm
        self._warm = True
        if first and not compiled:
            return
        if not first:
            self.last_rate = steps / seconds
            self._counted_steps += steps
            self._counted_s += seconds
        wanted = min(int(self._target_s * steps / seconds), MAX_GROWTH * steps)
        if self._fewest * seconds / steps <= MAX_OVERRUN * self._target_s:
            wanted = max(wanted // self._fewest, 1) * self._fewest
        self._steps = max(1, wanted)

    def take_rate(self) -> float | None:
        """Return the steps per second since the last `take_rate`; None if nothing was timed since then."""
        steps = self._counted_steps
        seconds = self._counted_s
        self._counted_steps = 0
        self._counted_s = 0.0
        return steps / seconds if seconds else None
