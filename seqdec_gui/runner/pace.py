"""How many steps make an interval, and how fast the training is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

FASTEST_GROWTH = 8


class Pace:
    """Sizes intervals so that each takes about `target_s`. The first call of all, which compiles, is not counted."""

    def __init__(self, target_s: float) -> None:
        self._target_s = target_s
        self._steps = 1
        self._warm = False
        self._counted_steps = 0
        self._counted_s = 0.0
        self.first_call_s: float | None = None
        self.last_rate: float | None = None
        """Steps per second of the last call."""

    def steps(self, most: int) -> int:
        """Steps of the next interval, at most `most`."""
        return max(1, min(self._steps, most))

    @contextmanager
    def timed(self, steps: int) -> Iterator[None]:
        """Measures a call of so many steps."""
        start = time.monotonic()
        yield
        seconds = max(time.monotonic() - start, 1e-9)
        if not self._warm:
            self._warm, self.first_call_s = True, seconds
            return
        self.last_rate = steps / seconds
        self._counted_steps += steps
        self._counted_s += seconds
        wanted = int(self._target_s * steps / seconds)
        self._steps = max(1, min(wanted, FASTEST_GROWTH * steps))

    def take_rate(self) -> float | None:
        """Steps per second since the last call of this; None where nothing was measured."""
        steps, seconds = self._counted_steps, self._counted_s
        self._counted_steps, self._counted_s = 0, 0.0
        return steps / seconds if seconds else None
