"""The training loop: epochs and their parts, reports, checkpoints, commands; independent of the framework."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from seqdec_gui.data.dataset import Dataset
from seqdec_gui.data.order import epoch_order
from seqdec_gui.domain.quality import larger_is_better, measure_of
from seqdec_gui.domain.wording import counted, listed
from seqdec_gui.runner import checkpoints
from seqdec_gui.runner.checkpoints import Progress
from seqdec_gui.runner.commands import Commands, StopRequested
from seqdec_gui.runner.device_load import DeviceWatch
from seqdec_gui.runner.engines.base import Engine, Interval, Rows, Sum
from seqdec_gui.runner.metrics import monitored, reported
from seqdec_gui.runner.pace import Pace
from seqdec_gui.runner.quality.reports import QualityReports
from seqdec_gui.runner.row_orders import RowOrders
from seqdec_gui.runner.schedule import after_plateau, kl_weights, learning_rates, padded, parts_of, rescaled
from seqdec_gui.runs import kept_checkpoints
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
from seqdec_gui.runs.files import DISK_FULL
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.spec import CHECKPOINT_EVERY_S

MAX_INTERVAL_S = 0.2
"""About the longest time between two looks at the commands, in seconds, unless a step takes longer."""
MIN_STEP_EVENT_INTERVAL_S = 0.25
"""Fewest seconds between two `step` events."""
MIN_CHECKPOINT_INTERVAL_S = 5.0
"""Fewest seconds between two checkpoints `last` after a report."""
SHARE_OF_CHECKPOINTS = 0.02
"""Most of the time that checkpoints within an epoch may take: a slow disk makes them rarer."""
replace = msgspec.structs.replace


class Diverged(Exception):
    """A loss or a weight is no longer a finite number; the message says which."""


class Loop:
    """Trains an engine on a dataset, and reports the training as events. Carries out commands (`CommandHandler`).

    The order of rows is that of `data.order.epoch_order`; an epoch leaves out the rows at its end that fill no batch.
    """

    def __init__(
        self, engine: Engine, dataset: Dataset, run: RunFolder, events: EventWriter, commands: Commands, progress: Progress,
        report_every_s: float = 1.0, checkpoint_every_s: float = CHECKPOINT_EVERY_S,
        saved_step: int | None = None,
    ) -> None:  # fmt: skip
        """Train `engine`, which has been built and started, from `progress` on.

        `saved_step` is the step of the checkpoint `last` that is there already; None if there is none, or none that is whole.

        Looks at the commands every `report_every_s` seconds, and writes a checkpoint every `checkpoint_every_s`, also within
        an epoch.
        """
        self._engine = engine
        self._dataset = dataset
        self._run = run
        self._events = events
        self._commands = commands
        self._program = engine.program
        self._training = engine.program.training
        self._keep = self._training.keep_checkpoints
        self._progress = progress
        self._steps_per_epoch = progress.steps_per_epoch
        self._pace = Pace(min(report_every_s, MAX_INTERVAL_S), engine.fewest_steps)
        self._validation_pace = Pace(min(report_every_s, MAX_INTERVAL_S))
        self._device_watch = DeviceWatch(engine.devices, events)
        self._monitor = monitored(self._program, self._training, len(dataset.validation) > 0)
        self._interval_sums: dict[str, Sum] = {}
        self._interval_losses: list[float] = []
        self._step_event_s = -1e9
        self._saved_s = -1e9
        self._last_step: int | None = saved_step
        self._checkpoint_every_s = checkpoint_every_s
        self._next_checkpoint_s = time.monotonic() + checkpoint_every_s
        self._hold_began_s = 0.0
        self._held_s = 0.0
        self._not_finite: set[str] = set()
        self.quality: QualityReports | None = None
        """Measures what is generated, at reports; None where nothing is measured."""
        self.orders: RowOrders | None = None
        """Writes the rows of each epoch anew; None where they stay as they are."""
        self._compiled = False

    # -- the whole training
    def run(self) -> FinalEvent:
        """Train to the end, and return the final event, which is not written yet."""
        try:
            while not self._progress.ended:
                self._epoch()
            self._save("last")
            if self.quality is not None:
                self.quality.tell_cost()
            now = self._progress
            return Finished(epoch=now.epoch, step=now.total_steps, metrics=now.metrics, reason=now.ended or "epochs")
        except StopRequested as request:
            return self._stopped(request.paused)
        except Diverged as error:
            return self._diverged(str(error))

    def _stopped(self, paused: bool) -> FinalEvent:
        try:
            self._save("last")
        except Diverged as error:
            return self._diverged(str(error))
        now = self._progress
        return Stopped(epoch=now.epoch, step=now.total_steps, metrics=now.metrics, paused=paused)

    def _diverged(self, what: str) -> Failed:
        saved = [name for name in ("best", "last") if self._run.checkpoint(name).exists()]
        checkpoint = f"The last good checkpoint is kept ({listed(saved)})." if saved else "No checkpoint had been written yet."
        sentence = (
            f"The training diverged in epoch {self._progress.epoch}: {what}. {checkpoint} "
            "Lower the learning rate, or set training.clip_norm (1 is a good start)."
        )
        return Failed(kind="diverged", sentence=sentence, epoch=self._progress.epoch, step=self._progress.total_steps)

    # -- an epoch
    def _epoch(self) -> None:
        """Train the rest of the current epoch, which may have begun before the run was resumed."""
        if self.orders is not None:
            anew = self.orders.of_epoch(self._progress.epoch, self._training.epochs)
            self._dataset = self._dataset.with_arrays(anew)
            self._engine.renew(self._dataset)
        batch, steps = self._training.batch_size, self._steps_per_epoch
        training = self._dataset.training
        order = epoch_order(self._training.seed, self._progress.epoch, len(training))[: steps * batch]
        rows = training[order].reshape(steps, batch)
        ends = parts_of(steps, self._training.mini_epochs)
        for part in range(self._progress.part, len(ends)):
            start, self._held_s = time.monotonic(), 0.0
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
        """Carry out commands, take `count` steps, and report them."""
        self._obey()
        began, held_s = time.monotonic(), self._held_s
        if not self._compiled:
            self._compiled = True
            self._write_message("Compiling the training step; the first one takes longest.", "compiling")
        ready = self._engine.make_ready(count, self._obey)
        now, first = self._progress, self._progress.total_steps  # a command may have changed the rate
        rates = learning_rates(self._training, self._steps_per_epoch, first, count, now.scale)
        weights = kl_weights(self._program.kl_terms, self._steps_per_epoch, first, count)
        with self._pace.timed(count, ready):
            interval = self._engine.train(rows[now.step : now.step + count], rates.astype(np.float32), weights)
        self._commands.training_has_begun()
        if not np.isfinite(interval.losses).all():
            bad = int(np.flatnonzero(~np.isfinite(interval.losses))[0])
            raise Diverged(f"the loss of step {first + bad + 1} is not a finite number")
        if first == 0:
            what = "step" if count == 1 else f"{count} steps"
            seconds = time.monotonic() - began - (self._held_s - held_s)
            self._write_message(f"The first {what} took {seconds:.1f} s, waiting for the compilation included.", "first_step")
        self._add_results(interval, count)
        self._write_step(float(rates[-1]))
        self._device_watch.report_if_due()
        if time.monotonic() >= self._next_checkpoint_s:
            self._save("last")

    def _obey(self) -> None:
        self._commands.obey(self)

    def _add_results(self, interval: Interval, count: int) -> None:
        """Add the losses and sums of an interval to those of the next report and of the next `step` event."""
        now = self._progress
        total = float(np.sum(interval.losses, dtype=np.float64))
        losses = (now.losses[0] + total, now.losses[1] + count)
        self._progress = replace(now, step=now.step + count, sums=_added(now.sums, interval.metrics), losses=losses)
        self._interval_sums = _added(self._interval_sums, interval.metrics)
        self._interval_losses += [float(loss) for loss in interval.losses]

    def _write_step(self, rate: float) -> None:
        """Write a `step` event, unless the last one is less than `MIN_STEP_EVENT_INTERVAL_S` seconds old."""
        if time.monotonic() - self._step_event_s < MIN_STEP_EVENT_INTERVAL_S:
            return
        now = self._progress
        metrics = self._named(self._interval_sums, float(np.mean(self._interval_losses)))
        metrics |= {"learning_rate": rate, "samples_per_s": self._per_second(self._pace.last_rate)}
        self._events.write(Step(epoch=now.epoch, step=now.total_steps, metrics=metrics))
        self._interval_sums, self._interval_losses = {}, []
        self._step_event_s = time.monotonic()

    # -- reports
    def _report(self, part: int, parts: int, start: float) -> None:
        """Validate, write the `epoch` event, save the best weights, and decide whether the training goes on."""
        now = self._progress
        rate = self._pace.take_rate()
        metrics = self._named(now.sums, now.losses[0] / max(now.losses[1], 1)) | self._validated()
        metrics["learning_rate"] = float(self._rate(max(now.total_steps - 1, 0)))
        metrics["samples_per_s"] = self._per_second(rate)
        self._warn_about_non_finite(metrics)
        last = part + 1 == parts and now.epoch == self._training.epochs
        if self.quality is not None:
            steps = self._training.epochs * self._steps_per_epoch
            with self._weights_in_use():
                metrics |= self.quality.at_report(now.epoch, now.total_steps, steps, last)
        self._interval_sums, self._interval_losses = {}, []
        seconds = time.monotonic() - start - self._held_s
        self._events.write(
            Epoch(epoch=now.epoch, step=now.total_steps, part=part + 1, parts=parts, seconds=seconds, metrics=metrics)
        )
        self._step_event_s = time.monotonic()
        self._progress = replace(self._progress, part=part + 1, sums={}, losses=(0.0, 0), metrics=metrics)
        unknown = self._monitor not in metrics and measure_of(self._monitor)  # it is not measured at every report
        if not unknown and self._update_monitor(metrics.get(self._monitor), last):
            self._save("best")
        if not self._progress.ended and time.monotonic() - self._saved_s > MIN_CHECKPOINT_INTERVAL_S:
            self._save("last")

    def _update_monitor(self, value: float | None, last: bool) -> bool:
        """Update best value, early stopping and plateau with the monitored metric; returns whether it is the best so far.

        `last` is whether this is the last report of the training.
        """
        now, training, larger = self._progress, self._training, larger_is_better(self._monitor)
        best = now.best.after(value, larger)
        stopping = now.stopping.after(value, larger, training.early_stopping_delta)
        plateau, scale = now.plateau.after(value, larger, training.early_stopping_delta), now.scale
        if training.schedule == "plateau":
            plateau, scale = after_plateau(training, plateau, scale)
            if scale < now.scale:
                waited = counted(training.plateau_patience, "report")
                text = f"{self._monitor} has not improved for {waited}: the learning rate falls."
                self._write_message(text, "plateau")
        patience = training.early_stopping_patience
        ended: Literal["", "early_stopping"] = ""
        if patience and stopping.waited >= patience and not last:
            ended = "early_stopping"
            waited = counted(patience, "report")
            self._write_message(f"{self._monitor} has not improved for {waited}: stopping early.", "early_stopping")
        self._progress = replace(now, best=best, stopping=stopping, plateau=plateau, scale=scale, ended=ended)
        return best.waited == 0

    def _weights_in_use(self) -> AbstractContextManager[None]:
        """Return a context with the weights of which reports are: the moving average, if the training has one and uses it."""
        return self._engine.averaged() if self._training.validates_averages else nullcontext()

    def _validated(self) -> Metrics:
        """Return the metrics of the validation rows, each counted once; commands are carried out in between."""
        if not len(self._dataset.validation):
            return {}
        rows, weights = padded(self._dataset.validation, self._training.rows_at_once)
        sums: dict[str, Sum] = {}
        first = 0
        while first < len(rows):
            count = self._validation_pace.steps(len(rows) - first)
            with self._validation_pace.timed(count), self._weights_in_use():  # a command in between saves the trained ones
                more = self._engine.evaluate(rows[first : first + count], weights[first : first + count])
            sums = _added(sums, more)
            first += count
            if first < len(rows):
                self._obey()
        full_weights = [term.weight for term in self._program.kl_terms]  # so that losses are comparable during the warm-up
        return reported(self._program, sums, full_weights, prefix="val_")

    def _named(self, sums: Mapping[str, Sum], loss: float) -> Metrics:
        return reported(self._program, sums, [term.weight for term in self._program.kl_terms], loss=loss)

    def _warn_about_non_finite(self, metrics: Metrics) -> None:
        """Write a warning for each metric that is not a finite number for the first time."""
        for name, value in metrics.items():
            if value is not None and not np.isfinite(value) and name not in self._not_finite:
                self._not_finite.add(name)
                self._write_message(f"{name} is not a finite number in epoch {self._progress.epoch}.", "not_finite", "warning")

    def _write_message(self, text: str, code: str, severity: Literal["info", "warning"] = "info") -> None:
        self._events.write(Message(text=text, code=code, severity=severity))

    # -- checkpoints and commands
    def _save(self, name: Literal["best", "last"]) -> None:
        """Write a checkpoint and its event. Raises Diverged, OSError."""
        began = time.monotonic()
        self._engine.sync()
        now, path = self._progress, self._run.checkpoint(name)
        if name == "last" and self._last_step is not None and self._last_step < now.total_steps and self._keep > 1:
            kept_checkpoints.set_aside(self._run, self._last_step)
        self._write_checkpoint(path)
        where = str(path.relative_to(self._run.path))
        self._events.write(Checkpoint(name=name, epoch=now.epoch, step=now.total_steps, path=where, metrics=now.metrics))
        if name == "last":
            self._last_step = now.total_steps
            kept_checkpoints.thin_out(self._run, now.total_steps, self._keep)
            self._saved_s = ended = time.monotonic()
            self._next_checkpoint_s = ended + max(self._checkpoint_every_s, (ended - began) / SHARE_OF_CHECKPOINTS)

    def _write_checkpoint(self, path: Path) -> None:
        """Write a checkpoint; where the disk is full, earlier ones make room for it. Raises Diverged, OSError."""
        try:
            checkpoints.save(path, self._engine.models, self._engine.optimizer, self._progress, self._training.use_weights)
        except FloatingPointError as error:
            raise Diverged(f"{error} after the update") from None
        except OSError as error:
            if error.errno not in DISK_FULL or not kept_checkpoints.earlier(self._run):
                raise
            kept_checkpoints.thin_out(self._run, 0, 1)
            checkpoints.save(path, self._engine.models, self._engine.optimizer, self._progress, self._training.use_weights)
            text = "The disk is full: earlier checkpoints were removed to write this one. Free some space."
            self._write_message(text, "earlier_checkpoints_removed", "warning")

    def save_checkpoint(self) -> str:
        self._save("last")
        return f"Written to {self._run.checkpoint('last').relative_to(self._run.path)}."

    def set_learning_rate(self, value: float) -> str:
        scale = rescaled(self._training, self._steps_per_epoch, self._progress.total_steps, value)
        self._progress = replace(self._progress, scale=scale)
        if self._progress.total_steps + 1 < self._training.warmup_steps:
            return f"The learning rate grows to {value:g} by step {self._training.warmup_steps}, the end of its warm-up."
        schedule = " The schedule goes on from there." if self._training.schedule != "constant" else ""
        return f"The learning rate is {value:g} from step {self._progress.total_steps + 1} on.{schedule}"

    def _rate(self, step: int) -> float:
        return float(learning_rates(self._training, self._steps_per_epoch, step, 1, self._progress.scale)[0])

    def _per_second(self, steps_per_s: float | None) -> float | None:
        return None if steps_per_s is None else steps_per_s * self._training.batch_size

    def hold_began(self) -> None:
        now = self._progress
        self._save("last")
        self._hold_began_s = time.monotonic()
        self._events.write(Paused(epoch=now.epoch, step=now.total_steps))

    def hold_ended(self) -> None:
        now = self._progress
        self._held_s += time.monotonic() - self._hold_began_s
        self._events.write(Continued(epoch=now.epoch, step=now.total_steps))


def _added(sums: Mapping[str, Sum], more: Mapping[str, Sum]) -> dict[str, Sum]:
    """Return the sums of `more`, each added to the one of that name in `sums`."""
    return {name: part.plus(sums[name]) if name in sums else part for name, part in more.items()}
