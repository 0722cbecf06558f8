"""The training: epochs and their parts, reports, checkpoints, commands. Knows no framework."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Literal

import msgspec
import numpy as np

from seqdec_gui.data.dataset import Dataset
from seqdec_gui.data.order import epoch_order
from seqdec_gui.domain.wording import listed
from seqdec_gui.runner import checkpoints
from seqdec_gui.runner.checkpoints import Progress
from seqdec_gui.runner.commands import Commands, StopRequested
from seqdec_gui.runner.device_load import DeviceWatch
from seqdec_gui.runner.engines.base import Engine, Interval, Rows, Sum
from seqdec_gui.runner.metrics import monitored, reported
from seqdec_gui.runner.pace import Pace
from seqdec_gui.runner.schedule import (
    after_plateau,
    is_accuracy,
    kl_weights,
    learning_rates,
    padded,
    parts_of,
    rescaled,
)
from seqdec_gui.runs.events import (
    Checkpoint,
    Continued,
    Epoch,
    EventWriter,
    Failed,
    FinalEvent,
    Finished,
    Message,
    Metrics,
    Paused,
    Step,
    Stopped,
)
from seqdec_gui.runs.folder import RunFolder

LEAST_BETWEEN_STEPS_S = 0.25
LEAST_BETWEEN_CHECKPOINTS_S = 5.0
replace = msgspec.structs.replace


class Diverged(Exception):
    """A loss or a weight is not a number any more."""


class Loop:
    """Trains `engine` on `dataset` from `progress` on and tells about it in `events`.

    Rows are those of `data.order.epoch_order`; an epoch leaves out the last rows of its order that fill no batch.
    """

    def __init__(
        self, engine: Engine, dataset: Dataset, run: RunFolder, events: EventWriter, commands: Commands, progress: Progress,
        report_every_s: float = 1.0,
    ) -> None:  # fmt: skip
        self._engine, self._dataset, self._run, self._events, self._commands = engine, dataset, run, events, commands
        self._program, self._training = engine.program, engine.program.training
        self._progress = progress
        self._steps_per_epoch = progress.steps_per_epoch
        self._pace = Pace(min(report_every_s, 1.0), engine.fewest_steps)
        self._validation_pace = Pace(min(report_every_s, 1.0))
        self._watch = DeviceWatch(engine.devices, events)
        self._monitor = monitored(self._program, self._training, len(dataset.validation) > 0)
        self._interval_sums: dict[str, Sum] = {}
        self._interval_losses: list[float] = []
        self._step_told_s = self._saved_s = -1e9
        self._paused_at = self._paused_s = 0.0
        self._not_finite: set[str] = set()
        commands.set_rate, commands.checkpoint, commands.on_pause = self._set_rate, self._checkpoint_now, self._on_pause

    # -- the whole
    def run(self) -> FinalEvent:
        """Train to the end. The event returned is not written yet."""
        try:
            while not self._progress.ended:
                self._epoch()
            self._save("last")
            now = self._progress
            return Finished(epoch=now.epoch, step=now.total_steps, metrics=now.metrics, reason=now.ended or "epochs")
        except StopRequested:
            return self._stopped()
        except Diverged as error:
            return self._diverged(str(error))

    def _stopped(self) -> FinalEvent:
        try:
            self._save("last")
        except Diverged as error:
            return self._diverged(str(error))
        metrics = self._progress.metrics
        return Stopped(epoch=self._progress.epoch, step=self._progress.total_steps, metrics=metrics)

    def _diverged(self, what: str) -> Failed:
        kept = [name for name in ("best", "last") if self._run.checkpoint(name).exists()]
        has = f"The last good checkpoint is kept ({listed(kept)})." if kept else "No checkpoint had been written yet."
        sentence = (
            f"The training diverged in epoch {self._progress.epoch}: {what}. {has} "
            "Lower the learning rate, or set training.clip_norm (1 is a good start)."
        )
        return Failed(kind="diverged", sentence=sentence, epoch=self._progress.epoch, step=self._progress.total_steps)

    # -- an epoch
    def _epoch(self) -> None:
        """The rest of the current epoch, which may have begun before a resume."""
        batch, steps = self._training.batch_size, self._steps_per_epoch
        training = self._dataset.training
        order = epoch_order(self._training.seed, self._progress.epoch, len(training))[: steps * batch]
        rows = training[order].reshape(steps, batch)
        ends = parts_of(steps, self._training.mini_epochs)
        for part in range(self._progress.part, len(ends)):
            start, self._paused_s = time.monotonic(), 0.0
            while self._progress.step < ends[part]:
                self._train_interval(rows, self._pace.steps(ends[part] - self._progress.step))
            self._report(part, len(ends), start)
            if self._progress.ended:
                return
        if self._progress.epoch >= self._training.epochs:
            self._progress = replace(self._progress, ended="epochs")
        else:
            self._progress = replace(self._progress, epoch=self._progress.epoch + 1, step=0, part=0)

    def _train_interval(self, rows: Rows, count: int) -> None:
        self._commands.obey()
        began, paused_s = time.monotonic(), self._paused_s
        ready = self._engine.make_ready(count, self._commands.obey)
        now, first = self._progress, self._progress.total_steps  # a command may have changed the rate
        rates = learning_rates(self._training, self._steps_per_epoch, first, count, now.scale)
        weights = kl_weights(self._program.divergences, self._steps_per_epoch, first, count)
        with self._pace.timed(count, ready):
            interval = self._engine.train(rows[now.step : now.step + count], rates.astype(np.float32), weights)
        if not np.isfinite(interval.losses).all():
            bad = int(np.flatnonzero(~np.isfinite(interval.losses))[0])
            raise Diverged(f"the loss of step {first + bad + 1} is not a finite number")
        if first == 0:
            what = "step" if count == 1 else f"{count} steps"
            seconds = time.monotonic() - began - (self._paused_s - paused_s)
            self._tell(f"The first {what} took {seconds:.1f} s, waiting for the compilation included.", "first_step")
        self._collect(interval, count)
        self._tell_step(float(rates[-1]))
        self._watch.look()

    def _collect(self, interval: Interval, count: int) -> None:
        now = self._progress
        total = float(np.sum(interval.losses, dtype=np.float64))
        losses = (now.losses[0] + total, now.losses[1] + count)
        self._progress = replace(now, step=now.step + count, sums=_added(now.sums, interval.metrics), losses=losses)
        self._interval_sums = _added(self._interval_sums, interval.metrics)
        self._interval_losses += [float(loss) for loss in interval.losses]

    def _tell_step(self, rate: float) -> None:
        """A step event, if the last one is old enough."""
        if time.monotonic() - self._step_told_s < LEAST_BETWEEN_STEPS_S:
            return
        now = self._progress
        metrics = self._named(self._interval_sums, float(np.mean(self._interval_losses)))
        metrics |= {"learning_rate": rate, "samples_per_s": self._per_second(self._pace.last_rate)}
        self._events.write(Step(epoch=now.epoch, step=now.total_steps, metrics=metrics))
        self._interval_sums, self._interval_losses = {}, []
        self._step_told_s = time.monotonic()

    # -- reports
    def _report(self, part: int, parts: int, start: float) -> None:
        """Validate, tell, keep the best, and decide how to go on."""
        now = self._progress
        rate = self._pace.take_rate()
        metrics = self._named(now.sums, now.losses[0] / max(now.losses[1], 1)) | self._validated()
        metrics["learning_rate"] = float(self._rate(max(now.total_steps - 1, 0)))
        metrics["samples_per_s"] = self._per_second(rate)
        self._tell_of_numbers_that_are_none(metrics)
        self._interval_sums, self._interval_losses = {}, []
        seconds = time.monotonic() - start - self._paused_s
        self._events.write(
            Epoch(epoch=now.epoch, step=now.total_steps, part=part + 1, parts=parts, seconds=seconds, metrics=metrics)
        )
        self._step_told_s = time.monotonic()
        last = part + 1 == parts and now.epoch == self._training.epochs
        self._progress = replace(self._progress, part=part + 1, sums={}, losses=(0.0, 0), metrics=metrics)
        better = self._judge(metrics.get(self._monitor), last)
        if better:
            self._save("best")
        if not self._progress.ended and time.monotonic() - self._saved_s > LEAST_BETWEEN_CHECKPOINTS_S:
            self._save("last")

    def _judge(self, value: float | None, last: bool) -> bool:
        """Update what the monitored metric decides; returns whether it has never been better."""
        now, training, larger = self._progress, self._training, is_accuracy(self._monitor)
        best = now.best.after(value, larger)
        stopping = now.stopping.after(value, larger, training.early_stopping_delta)
        plateau, scale = now.plateau.after(value, larger, training.early_stopping_delta), now.scale
        if training.schedule == "plateau":
            plateau, scale = after_plateau(training, plateau, scale)
        patience = training.early_stopping_patience
        ended: Literal["", "early_stopping"] = ""
        if patience and stopping.waited >= patience and not last:
            ended = "early_stopping"
            self._tell(f"{self._monitor} has not improved for {patience} reports: stopping early.", "early_stopping")
        self._progress = replace(now, best=best, stopping=stopping, plateau=plateau, scale=scale, ended=ended)
        return best.waited == 0

    def _validated(self) -> Metrics:
        """Metrics of the validation rows, each counted once; commands are obeyed in between."""
        if not len(self._dataset.validation):
            return {}
        rows, weights = padded(self._dataset.validation, self._training.batch_size)
        sums: dict[str, Sum] = {}
        first = 0
        while first < len(rows):
            count = self._validation_pace.steps(len(rows) - first)
            with self._validation_pace.timed(count):
                more = self._engine.evaluate(rows[first : first + count], weights[first : first + count])
            sums = _added(sums, more)
            first += count
            if first < len(rows):
                self._commands.obey()
        full = [term.weight for term in self._program.divergences]  # so that values compare during the warm-up
        return reported(self._program, sums, full, prefix="val_")

    def _named(self, sums: Mapping[str, Sum], loss: float) -> Metrics:
        return reported(self._program, sums, [term.weight for term in self._program.divergences], loss=loss)

    def _tell_of_numbers_that_are_none(self, metrics: Metrics) -> None:
        for name, value in metrics.items():
            if value is not None and not np.isfinite(value) and name not in self._not_finite:
                self._not_finite.add(name)
                self._tell(f"{name} is not a finite number in epoch {self._progress.epoch}.", "not_finite", "warning")

    def _tell(self, text: str, code: str, severity: str = "info") -> None:
        self._events.write(Message(text=text, code=code, severity="warning" if severity == "warning" else "info"))

    # -- checkpoints and commands
    def _save(self, name: Literal["best", "last"]) -> None:
        """Write a checkpoint and tell of it. Raises Diverged, OSError."""
        self._engine.sync()
        path = self._run.checkpoint(name)
        try:
            checkpoints.save(path, self._engine.models, self._engine.optimizer, self._progress)
        except FloatingPointError as error:
            raise Diverged(f"{error} after the update") from None
        now = self._progress
        where = str(path.relative_to(self._run.path))
        self._events.write(Checkpoint(name=name, epoch=now.epoch, step=now.total_steps, path=where, metrics=now.metrics))
        if name == "last":
            self._saved_s = time.monotonic()

    def _checkpoint_now(self) -> str:
        self._save("last")
        return f"Written to {self._run.checkpoint('last').relative_to(self._run.path)}."

    def _set_rate(self, value: float) -> str:
        scale = rescaled(self._training, self._steps_per_epoch, self._progress.total_steps, value)
        self._progress = replace(self._progress, scale=scale)
        goes_on = " The schedule goes on from there." if self._training.schedule != "constant" else ""
        return f"The learning rate is {value:g} from step {self._progress.total_steps + 1} on.{goes_on}"

    def _rate(self, step: int) -> float:
        return float(learning_rates(self._training, self._steps_per_epoch, step, 1, self._progress.scale)[0])

    def _per_second(self, steps_per_s: float | None) -> float | None:
        return None if steps_per_s is None else steps_per_s * self._training.batch_size

    def _on_pause(self, paused: bool) -> None:
        now = self._progress
        if paused:
            self._save("last")
            self._paused_at = time.monotonic()
            self._events.write(Paused(epoch=now.epoch, step=now.total_steps))
        else:
            self._paused_s += time.monotonic() - self._paused_at
            self._events.write(Continued(epoch=now.epoch, step=now.total_steps))


def _added(sums: Mapping[str, Sum], more: Mapping[str, Sum]) -> dict[str, Sum]:
    return {name: part.plus(sums[name]) if name in sums else part for name, part in more.items()}
