"""Collects the events of a run: curves, marks, progress, time left, messages."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Literal

from seqdec_gui.domain.short_numbers import value_text
from seqdec_gui.runs.curves import Axis, Curve, is_validation
from seqdec_gui.runs.events import (
    Checkpoint,
    CommandAnswer,
    Continued,
    DeviceLoad,
    Epoch,
    Event,
    Failed,
    FinalEvent,
    Finished,
    Message,
    Metrics,
    Paused,
    Started,
    Step,
    Stopped,
)
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.marks import OPEN_PAUSE, Mark, MarkKind, Marks
from seqdec_gui.runs.metric_words import in_words
from seqdec_gui.runs.reader import EventTail

MOST_MESSAGES = 1000
"""Messages that are kept; older ones are dropped."""
PACE_WINDOW_S = 90.0
"""Seconds over which the speed is averaged."""
_Points = dict[str, "array[float]"]
"""Step, epoch, seconds and value of one point after the other, by metric or device."""
TABLES = ("reports", "epochs", "memory", "memory_share", "load")


class RunHistory:
    """Takes the events of one run in order. All starts of a run make one history."""

    def __init__(self) -> None:
        self.reports: dict[str, Curve] = {}
        self.epochs: dict[str, Curve] = {}
        self.memory: dict[str, Curve] = {}
        self.memory_share: dict[str, Curve] = {}
        self.load: dict[str, Curve] = {}
        self.memory_total: dict[str, int] = {}
        self.started: Started | None = None
        self.final: FinalEvent | None = None
        self.thinned = False
        """Whether reports are left out (`runs.overview`)."""
        self.paused = False
        self.step = 0
        self.epoch = 0
        self.latest: Metrics = {}
        self.best: Checkpoint | None = None
        self.saved: Checkpoint | None = None
        self.messages: deque[Message] = deque(maxlen=MOST_MESSAGES)
        self.message_count = 0
        self.answers: deque[CommandAnswer] = deque(maxlen=64)
        self.marks = Marks()
        self.silent = ""
        """That the run gives no sign of life, and what it is doing, in a sentence; empty once it has."""
        self.compiling_since: float | None = None
        """When this start of the run began to compile its first step, in seconds since 1970; None once it has taken one."""
        self._pace: deque[tuple[float, int]] = deque()
        self._forked = ""
        """What the parent's curve ends with in a forked run, until its own first start."""
        self._zero = 0.0
        self._last_time = 0.0
        self._reported = -1
        self._last_report = -1
        self._per_epoch = 1
        self._points: dict[str, _Points] = {table: {} for table in TABLES}
        self._takers: dict[type[Event], Callable[[Any], None]] = {
            Started: self._take_started,
            Step: self._take_step,
            Epoch: self._take_epoch,
            Checkpoint: self._take_checkpoint,
            DeviceLoad: self._take_load,
            Message: self._take_message,
            CommandAnswer: self._take_answer,
            Paused: self._take_paused,
            Continued: self._take_continued,
            Finished: self._take_final,
            Stopped: self._take_final,
            Failed: self._take_final,
        }

    def take(self, events: Iterable[Event]) -> None:
        """Add events, in the order in which the run wrote them."""
        for event in events:
            self._takers[type(event)](event)
        self._flush()

    @property
    def metrics(self) -> list[str]:
        """Every metric reported so far."""
        return list({**self.reports, **self.epochs})

    def curve(self, metric: str, per_epoch: bool) -> Curve | None:
        """Return the points of a metric: one per report, or one per (part of an) epoch, which is all that validation has."""
        return self.epochs.get(metric) if per_epoch else self.reports.get(metric) or self.epochs.get(metric)

    def step_at(self, place: float, axis: Axis) -> float:
        """Return the step that a place on an axis means; that of the nearest report at or before it."""
        if axis == "step":
            return place
        if axis == "epoch":
            return place * self._per_epoch
        curve = self.reports.get("loss") or self.epochs.get("loss")
        if curve is None or not len(curve.steps):
            return 0.0
        at = int(curve.seconds.searchsorted(place, side="right")) - 1
        return float(curve.steps[at]) if at >= 0 else 0.0

    @property
    def progress(self) -> float:
        """The part of the whole training that is done, from 0 to 1."""
        total = self.started.steps if self.started else 0
        return min(1.0, self.step / total) if total else 0.0

    @property
    def steps_per_s(self) -> float | None:
        """Over the last minute and a half without pauses and without what was compiled; None until it is known."""
        if len(self._pace) < 2:
            return None
        (first_time, first_step), (last_time, last_step) = self._pace[0], self._pace[-1]
        if last_time - first_time < 0.2 or last_step <= first_step:
            return None
        return (last_step - first_step) / (last_time - first_time)

    @property
    def seconds_left(self) -> float | None:
        """Until the last epoch is done, at the pace of now; None while nobody can say."""
        pace = self.steps_per_s
        if pace is None or self.started is None or self.final is not None or self.paused:
            return None
        return max(0, self.started.steps - self.step) / pace

    @property
    def seconds(self) -> float:
        """How long the run has been at work, the time between a crash and a resume left out."""
        return max(0.0, self._last_time - self._zero) if self.started else 0.0

    def become(self, other: RunHistory) -> None:
        """Tell from now on what another history of the same run tells; that one is not used any more."""
        own = self._takers
        self.__dict__.update(other.__dict__)
        self._takers = own

    # -- one method per event
    def _take_started(self, event: Started) -> None:
        self._flush()
        if self.started is None or event.first_step == 0:
            self._zero = event.time
        else:  # as if there had been no time between the two starts
            self._zero += max(0.0, event.time - self._last_time)
        for table in TABLES:
            for curve in getattr(self, table).values():
                curve.cut_after(event.first_step)
        self.started, self.final, self.paused, self.silent = event, None, False, ""
        self._per_epoch = max(1, event.steps_per_epoch)
        self.step, self.epoch = event.first_step, event.first_epoch
        self._last_time = event.time
        self._reported = event.first_step
        self._pace.clear()  # it begins with the first report, before which the step is compiled
        self.compiling_since = event.time
        self.marks.cut_after(event.first_step)
        if event.resumed:
            self._take_resumption(event)

    def _take_resumption(self, event: Started) -> None:
        """Mark where the run goes on; after a pause that ended the process, its mark says how long it was."""
        took, on = self.marks.end_pause(event.time), ", ".join(event.devices)
        if self._forked:
            self._mark("fork", event.time, self._forked, event.first_step, said=False)
            self._forked = ""
        elif took:
            self._say(event.time, f"Continued after a pause of {took} on {on}.")
        else:
            self._mark("resume", event.time, f"Resumed after step {event.first_step:,} on {on}")

    def _take_step(self, event: Step) -> None:
        self.step, self.epoch, self._reported = event.step, event.epoch, event.step
        self._advance(event.time, event.step)
        self._add("reports", event, event.step / self._per_epoch, event.metrics)

    def _take_epoch(self, event: Epoch) -> None:
        # A quick epoch may end before its first report: its means then stand for it.
        unreported = self._reported <= event.step - max(1, self._per_epoch // event.parts)
        self.step, self.epoch = event.step, event.epoch
        self._advance(event.time, event.step)
        if unreported:
            own = {name: value for name, value in event.metrics.items() if not is_validation(name)}
            self._add("reports", event, event.position, own)
            self._reported = event.step
        if event.step == self._last_report:  # resumed from a checkpoint at this step that came before the report
            self._flush()
            for curve in self.epochs.values():
                curve.cut_after(event.step - 1)
        self._last_report = event.step
        self._add("epochs", event, event.position, event.metrics)

    def _take_checkpoint(self, event: Checkpoint) -> None:
        self.saved = event
        if event.name == "best":
            self.best = event
            name = "val_loss" if "val_loss" in event.metrics else next(iter(event.metrics), "")
            value = f": {in_words(name)} {value_text(name, event.metrics[name])}" if name else ""
            self._mark("best", event.time, f"Best weights so far{value}, epoch {event.epoch}", event.step)
        else:
            self._mark("saved", event.time, "Last checkpoint", event.step, said=False)

    def _take_answer(self, event: CommandAnswer) -> None:
        self.answers.append(event)
        if not event.ok:
            words = event.command.replace("_", " ")
            self._say(event.time, f"The run refused to {words}: {event.text or 'no reason was given'}", "warning")
        elif event.command == "set_learning_rate":
            self._mark("learning_rate", event.time, event.text or "Another learning rate")
        elif event.command == "checkpoint":
            self._mark("checkpoint", event.time, "Checkpoint written")

    def _take_load(self, event: DeviceLoad) -> None:
        self._last_time = max(self._last_time, event.time)
        place = (self.step, self.step / self._per_epoch, event.time - self._zero)
        if event.memory_total:
            self.memory_total[event.id] = event.memory_total
        if event.memory_used is not None:
            self._points["memory"].setdefault(event.id, array("d")).extend((*place, event.memory_used))
            if total := self.memory_total.get(event.id):
                self._points["memory_share"].setdefault(event.id, array("d")).extend((*place, event.memory_used / total))
        if event.load is not None:
            self._points["load"].setdefault(event.id, array("d")).extend((*place, event.load))

    def _take_message(self, event: Message) -> None:
        if event.code == "silent":
            self.silent = event.text
        if event.code == "forked":
            self._forked = event.text
        if event.code == "plateau":
            self._mark("learning_rate", event.time, event.text, said=False)
        self.messages.append(event)
        self.message_count += 1

    def _take_paused(self, event: Paused) -> None:
        self.paused = True
        self._last_time = event.time
        self._mark("pause", event.time, OPEN_PAUSE)

    def _take_continued(self, event: Continued) -> None:
        self.paused = False
        self._zero += max(0.0, event.time - self._last_time)
        self._last_time = event.time
        self._pace.clear()
        self._pace.append((event.time, self.step))
        took = self.marks.end_pause(event.time)
        self._say(event.time, f"Continued after a pause of {took}." if took else "Continued.")

    def _take_final(self, event: FinalEvent) -> None:
        self.final, self.paused, self.compiling_since, self.silent = event, False, None, ""
        self._last_time = max(self._last_time, event.time)
        if isinstance(event, (Finished, Stopped)):
            self.step, self.epoch = event.step or self.step, event.epoch or self.epoch
        if isinstance(event, Stopped) and event.paused:
            self._mark("pause", event.time, OPEN_PAUSE)

    # --
    def _mark(self, kind: MarkKind, time: float, text: str, step: int | None = None, said: bool = True) -> None:
        """Add a mark at a step, by default the present one, and say it among the messages."""
        at = self.step if step is None else step
        text = text.rstrip(".")
        self.marks.add(Mark(kind, at, at / self._per_epoch, max(0.0, time - self._zero), time, text))
        if said:
            place = "" if "step" in text or "epoch" in text else f" after step {at:,}"
            self._say(time, f"{text}{place}.")

    def _say(self, time: float, text: str, severity: Literal["info", "warning"] = "info") -> None:
        self._take_message(Message(time=time, text=text, severity=severity))

    def _advance(self, now: float, step: int) -> None:
        self._last_time = now
        self.compiling_since, self.silent = None, ""
        self._pace.append((now, step))
        while len(self._pace) > 2 and now - self._pace[1][0] > PACE_WINDOW_S:
            self._pace.popleft()
        if len(self._pace) > 4096:  # thinned, so that a flood of reports costs no memory
            self._pace = deque(list(self._pace)[::2])

    def _add(self, table: str, event: Step | Epoch, epoch: float, metrics: Metrics) -> None:
        step, seconds, points = event.step, event.time - self._zero, self._points[table]
        self.latest.update(metrics)
        for name, value in metrics.items():
            if value is not None:
                if name not in points:
                    points[name] = array("d")
                points[name].extend((step, epoch, seconds, value))

    def _flush(self) -> None:
        for table, pending in self._points.items():
            curves: dict[str, Curve] = getattr(self, table)
            for name, points in pending.items():
                if name not in curves:
                    curves[name] = Curve()
                curves[name].extend_flat(points)
            pending.clear()


def read_history(run: RunFolder, most_events: int = 5_000_000) -> RunHistory:
    """Return the whole history of a run, for a thread. Raises UnreadableLine, OSError."""
    history, tail, count = RunHistory(), EventTail(run.events), 0
    while count < most_events and (events := tail.read()):
        count += len(events)
        history.take(events)
    return history
