"""The reports of a run as a sweep needs them: the goal at each, by number, as far as they count."""

from __future__ import annotations

from seqdec_gui.runs.events import Epoch, Metrics, Started
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.reader import EventTail


class Reports:
    """Follows the events of one run. `values` are those of the goal by the number of the report, from 1."""

    def __init__(self, run: RunFolder, goal: str) -> None:
        self._tail = EventTail(run.events)
        self._goal = goal
        self._found: dict[int, tuple[int, Metrics]] = {}

    def read(self) -> None:
        """Read what is new. What a resumed run takes back counts no more. Raises UnreadableLine, OSError."""
        while events := self._tail.read():
            for event in events:
                if isinstance(event, Started):
                    self._found = {number: pair for number, pair in self._found.items() if pair[0] <= event.first_step}
                elif isinstance(event, Epoch):
                    self._found[(event.epoch - 1) * event.parts + event.part] = (event.step, event.metrics)

    @property
    def values(self) -> dict[int, float]:
        """The goal at every report that has a finite one."""
        pairs = ((number, metrics.get(self._goal)) for number, (_, metrics) in self._found.items())
        return {number: value for number, value in pairs if value is not None}

    @property
    def count(self) -> int:
        return max(self._found, default=0)

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics that were reported."""
        return tuple(dict.fromkeys(name for _, metrics in self._found.values() for name in metrics))

    def best(self, maximize: bool) -> tuple[float | None, Metrics]:
        """Return the best value of the goal, and the metrics of that report."""
        values = self.values
        if not values:
            return None, {}
        number = (max if maximize else min)(values, key=lambda each: values[each])
        return values[number], self._found[number][1]
