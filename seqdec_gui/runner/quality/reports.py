"""Measures quality at the reports of a training, as often as its share of the time permits, and says what it costs."""

from __future__ import annotations

import time

from seqdec_gui.domain.quality import measure_of
from seqdec_gui.domain.training import Training
from seqdec_gui.runner.quality.allowance import Allowance
from seqdec_gui.runner.quality.free_running import FreeRunning, timed
from seqdec_gui.runs.events import EventWriter, Message, Metrics
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.quality import samples
from seqdec_gui.runs.quality.samples import Sampled


class QualityReports:
    """Measures with `free` for the reports of one start of a run, which begins at `first_step`."""

    def __init__(self, free: FreeRunning, run: RunFolder, events: EventWriter, training: Training, first_step: int) -> None:
        self._free, self._file, self._events = free, run.samples, events
        self._share = training.quality_share
        self._allowance = Allowance(self._share, needed=bool(measure_of(training.monitor)))
        self._began_s = time.monotonic()
        self._first_step = first_step
        self._faulty = self._rarer = False
        samples.drop_after(self._file, first_step)

    def at_report(self, epoch: int, step: int, steps: int, last: bool) -> Metrics:
        """Return the measures of now, or nothing where measuring again would cost too much.

        `step` of all `steps` of the training are done; `last` is whether this is its last report.
        """
        if self._faulty:
            return {}
        done = (step - self._first_step) / max(1, steps - self._first_step)
        elapsed_s = time.monotonic() - self._began_s
        if not self._allowance.permits(elapsed_s, done, last):
            if not self._rarer:
                self._rarer = True
                text = f"Quality is not measured at every report, to take at most {self._share:.0%} of the time"
                self._tell(f"{text} (training.quality_share).", "quality_rarer")
            return {}
        answer, fault, seconds = timed(self._free)
        self._allowance.spend(seconds)
        if answer is None:
            self._faulty = True
            text = f"{fault} Quality is not measured any more in this run; the training goes on."
            self._events.write(Message(text=text, severity="warning", code="quality_failed"))
            return {}
        samples.append(self._file, Sampled(epoch=epoch, step=step, rows=answer.rows))
        return answer.metrics

    def tell_cost(self) -> None:
        """Write what measuring has cost so far."""
        cost = self._allowance
        if cost.count:
            share = cost.share_of(time.monotonic() - self._began_s)
            first = f", {cost.first_s:.1f} s of it the first time, which compiles" if cost.first_s else ""
            times = "once" if cost.count == 1 else f"{cost.count} times"
            text = f"Measuring quality {times} took {cost.spent_s:.1f} s, {share:.1%} of the time of the training{first}."
            self._tell(text, "quality_cost")

    def _tell(self, text: str, code: str) -> None:
        self._events.write(Message(text=text, code=code))
