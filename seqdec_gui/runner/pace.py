"""How many steps make an interval, and how fast the training is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

FASTEST_GROWTH = 8
MOST_PATIENCE = 4
"""An interval may take so many times as long as it should, for the sake of calls that need no further compilation."""


class Pace:
    """Sizes intervals so that each takes about `target_s`, in multiples of `fewest` steps unless these take too long.

    The first call of all, which makes things ready besides, counts for no rate, and for the next interval only where it
    compiled nothing.
    """

    def __init__(self, target_s: float, fewest: int = 1) -> None:
        self._target_s, self._fewest = target_s, fewest
        self._steps = fewest
        self._warm = False
        self._counted_steps = 0
        self._counted_s = 0.0
        self.last_rate: float | None = None
        """Steps per second of the last call."""

    def steps(self, most: int) -> int:
        """Steps of the next interval, at most `most`."""
        return max(1, min(self._steps, most))

    @contextmanager
    def timed(self, steps: int, compiled: bool = False) -> Iterator[None]:
        """Measures a call of so many steps; `compiled`: it compiles nothing."""
        start = time.monotonic()
        yield
        seconds = max(time.monotonic() - start, 1e-9)
        first, self._warm = not self._warm, True
        if first and not compiled:
            return
        if not first:
            self.last_rate = steps / seconds
            self._counted_steps += steps
            self._counted_s += seconds
        wanted = min(int(self._target_s * steps / seconds), FASTEST_GROWTH * steps)
        if self._fewest * seconds / steps <= MOST_PATIENCE * self._target_s:
            wanted = max(wanted // self._fewest, 1) * self._fewest
        self._steps = max(1, wanted)

    def take_rate(self) -> float | None:
        """Steps per second since the last call of this; None where nothing was measured."""
        steps, seconds = self._counted_steps, self._counted_s
        self._counted_steps, self._counted_s = 0, 0.0
        return steps / seconds if seconds else None
