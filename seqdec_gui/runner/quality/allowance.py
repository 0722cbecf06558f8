"""Decides at which reports quality is measured, so that it takes no more than a share of the training's time."""

from __future__ import annotations

import math

FIRST_S = 5.0
"""Seconds that the first measurement is taken to need, compilation included, before it is made."""
STEADY_PART = 0.05
"""The part of the first measurement's time that the second is taken to need."""


class Allowance:
    """The time that measuring may take: `share` of the whole training, whose length is judged by what is done of it.

    The first measurement compiles, which costs most in a short training. Where that is too dear, quality is measured at the
    last report alone. Later ones are spread over the training.
    """

    def __init__(self, share: float, needed: bool = False) -> None:
        """`needed` says that the first report has to measure, whatever it costs."""
        self._share, self._needed = share, needed
        self.first_s, self.later_s, self._last_s = 0.0, 0.0, 0.0
        self.count, self.left_out = 0, 0

    @property
    def spent_s(self) -> float:
        """The seconds that all measurements have taken."""
        return self.first_s + self.later_s

    def spend(self, seconds: float) -> None:
        """Count a measurement that was made."""
        if self.count:
            self.later_s += seconds
            self._last_s = seconds
        else:
            self.first_s = seconds
            self._last_s = STEADY_PART * seconds
        self.count += 1

    def permits(self, elapsed_s: float, done: float, last: bool) -> bool:
        """Return whether to measure now, `elapsed_s` seconds after the start, when the share `done` of the start is done."""
        permitted = last or (self._needed and not self.count) or self._affordable(elapsed_s, done)
        self.left_out += not permitted
        return permitted

    def _affordable(self, elapsed_s: float, done: float) -> bool:
        if self._share >= 1:
            return True
        training_s = max(0.0, elapsed_s - self.spent_s) / max(done, 1e-9)
        allowed_s = self._share / (1 - self._share) * training_s
        if not self.count:
            return allowed_s >= FIRST_S
        return self.later_s + self._last_s <= max(0.0, allowed_s - self.first_s) * done

    def share_of(self, elapsed_s: float) -> float:
        """Return the share of the time since the start that measuring took."""
        return self.spent_s / elapsed_s if elapsed_s > 0 else math.nan
