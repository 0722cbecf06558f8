"""Shows in a terminal what a run generated for some validation rows while it trains."""

from __future__ import annotations

from pathlib import Path

from seqdec_gui.domain.quality import measure_of
from seqdec_gui.runs.events import Epoch
from seqdec_gui.runs.quality.samples import read_last


class ShownSamples:
    """Returns, for a report that has measured quality, up to `count` lines `input -> generated`, with the target if it differs.

    `file` is the run's file of samples. Right rows begin with `=`, wrong ones with `x`.
    """

    def __init__(self, file: Path, count: int) -> None:
        self._file, self._count = file, count

    def __call__(self, event: Epoch) -> list[str]:
        if not self._count or not any(map(measure_of, event.metrics)):
            return []
        sampled = read_last(self._file)
        if sampled is None or sampled.step != event.step:
            return []
        lines = []
        for row in sampled.rows[: self._count]:
            begin = f"{row.input} -> " if row.input else ""
            right = row.target is None or row.generated == row.target
            lines.append(f"  {'=' if right else 'x'} {begin}{row.generated}" + ("" if right else f"  (target {row.target})"))
        return lines
