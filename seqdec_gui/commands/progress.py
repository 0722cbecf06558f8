"""Shows a run in a terminal: as a live bar, as plain lines in files and pipes, or as raw events."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, Protocol

from seqdec_gui.commands.console import say, warn
from seqdec_gui.domain.quality import MONITORS
from seqdec_gui.domain.wording import counted, printable
from seqdec_gui.runs.events import Checkpoint, Epoch, Event, Message, Metrics, Paused, Started, Step, encode
from seqdec_gui.runs.metric_words import in_words
from seqdec_gui.runs.process import RunProcess
from seqdec_gui.runs.reader import Follower
from seqdec_gui.runs.state import RunStatus

POLL_S = 0.1
"""The time between two looks at the events of a run, in seconds."""


Samples = Callable[[Epoch], list[str]]
"""Returns lines about what was generated at the report of an epoch."""


def no_samples(_event: Epoch) -> list[str]:
    """Return no lines."""
    return []


class View(Protocol):
    """Shows the events of a run. `show` is called for each event, then `close` once."""

    def show(self, event: Event) -> None: ...

    def close(self) -> None: ...


class RawEvents:
    """Writes each event as a line of JSON."""

    def show(self, event: Event) -> None:
        say(encode(event).decode())

    def close(self) -> None:
        pass


class PlainLines:
    """Writes a line per epoch, for files and pipes."""

    def __init__(self, earlier: Sequence[Epoch] = (), samples: Samples = no_samples) -> None:
        self._started: Started | None = None
        self._epochs, self._samples = list(earlier), samples

    def show(self, event: Event) -> None:
        if isinstance(event, Started):
            self._started = event
            say(describe_start(event, self._epochs))
        elif isinstance(event, Epoch):
            self._epochs.append(event)
            of = f"/{self._started.epochs}" if self._started else ""
            part = f" part {event.part}/{event.parts}" if event.parts > 1 else ""
            say(f"epoch {event.epoch}{of}{part}  {describe_metrics(event.metrics)}")
            for line in self._samples(event):
                say(line)
        elif isinstance(event, Message):
            warn(event.text if event.severity == "info" else f"{event.severity}: {event.text}")
        elif isinstance(event, Paused):
            say("paused")

    def close(self) -> None:
        pass


class LiveBar:
    """Shows a bar over all steps of the training, with the latest figures and the remaining time."""

    def __init__(self, earlier: Sequence[Epoch] = (), samples: Samples = no_samples) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[figures]}", markup=False),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            refresh_per_second=8,
        )
        self._task = self._bar.add_task("starting", total=None, figures="")
        self._metrics: Metrics = {}
        self._started: Started | None = None
        self._epochs, self._samples = list(earlier), samples
        self._bar.start()

    def show(self, event: Event) -> None:
        if isinstance(event, Started):
            self._started = event
            text = printable(describe_start(event, self._epochs))
            self._bar.console.print(text, highlight=False, markup=False, emoji=False)
            self._bar.reset(self._task, total=event.steps, completed=event.first_step, figures="")
        elif isinstance(event, Message):
            style = "" if event.severity == "info" else "yellow"
            self._bar.console.print(printable(event.text), style=style, markup=False, emoji=False)
        elif isinstance(event, (Step, Epoch)):
            self._metrics |= event.metrics
            if isinstance(event, Epoch):
                self._epochs.append(event)
                for line in self._samples(event):
                    self._bar.console.print(printable(line), highlight=False, markup=False, emoji=False, soft_wrap=True)
            self._move(event)
        elif isinstance(event, Checkpoint) and event.name == "best":
            self._metrics["best"] = event.metrics.get("val_loss", event.metrics.get("loss"))
        elif isinstance(event, Paused):
            self._bar.update(self._task, description="paused")

    def _move(self, event: Step | Epoch) -> None:
        of = f"/{self._started.epochs}" if self._started else ""
        figures = describe_metrics({name: value for name, value in self._metrics.items() if name in _LIVE})
        self._bar.update(self._task, description=f"epoch {event.epoch}{of}", completed=event.step, figures=figures)

    def close(self) -> None:
        self._bar.stop()


_LIVE = ("loss", "val_loss", "val_token_accuracy", "val_exact_accuracy", *MONITORS, "samples_per_s")
"""The metrics that the bar shows."""


def describe_start(event: Started, earlier: Sequence[Epoch] = ()) -> str:
    """Return a line with parameters, devices, engine, rows and batch; for a resumed run also the epoch and the last loss."""
    size = f"{event.parameters.total:,} parameters" if event.parameters.total else "training"
    rows = f"{event.rows.training:,} rows, {event.rows.validation:,} for validation" if event.rows.training else ""
    on = f"on {', '.join(event.devices)} with {event.engine}"
    return ", ".join(filter(None, (f"{size} {on}", rows, f"batch {event.batch_size}", _where_it_goes_on(event, earlier))))


def _where_it_goes_on(event: Started, earlier: Sequence[Epoch]) -> str:
    """Return where a resumed run continues, with its last loss; empty for a new run.

    Epochs reported after `first_step` do not count, since they came after the checkpoint.
    """
    if not event.resumed:
        return ""
    where = f"going on at epoch {event.first_epoch} of {event.epochs}"
    if event.first_step >= event.steps:
        where = f"at the end of {counted(event.epochs, 'epoch')}"
    valid = next((epoch.metrics for epoch in reversed(earlier) if epoch.step <= event.first_step), {})
    name = "val_loss" if "val_loss" in valid else "loss"
    return f"{where}, last {_metric(name, valid[name])}" if name in valid else where


def describe_metrics(metrics: Metrics) -> str:
    """Return metrics as `loss 0.123  val loss 0.2  1,234 samples/s`, with `nan` for a metric that is not finite."""
    return "  ".join(_metric(name, value) for name, value in metrics.items())


def _metric(name: str, value: float | None) -> str:
    if name == "samples_per_s":
        return "" if value is None else f"{value:,.0f} samples/s"
    return f"{in_words(name)} {'nan' if value is None else f'{value:.4g}'}"


def choose_view(raw: bool, earlier: Sequence[Epoch] = (), samples: Samples = no_samples) -> View:
    """Return the view for this terminal; `raw` asks for events as JSON.

    `earlier` are the epochs before a resumption, and `samples` returns lines to show after an epoch.
    """
    if raw:
        return RawEvents()
    return LiveBar(earlier, samples) if sys.stdout.isatty() else PlainLines(earlier, samples)


def watch(process: RunProcess, view: View, on_interrupt: Callable[[int], None], offset: int = 0) -> RunStatus:
    """Show a run, from `offset` in its file of events, until it ends.

    `on_interrupt(n)` is called at the n-th Ctrl-C (or SIGTERM); it may raise to leave.
    """
    follower = Follower(process.run, process.running, offset)
    interrupts = _Interrupts()
    seen = 0
    try:
        with interrupts:
            news = ""
            while not follower.ended:
                news = _tell_news(process, news)
                for event in follower.poll():
                    view.show(event)
                if interrupts.count > seen:
                    seen = interrupts.count
                    on_interrupt(seen)
                if not follower.ended:
                    time.sleep(POLL_S)
    finally:
        view.close()
    return process.run.status()


def _tell_news(process: RunProcess, before: str) -> str:
    """Say how the link to the host of a run is, when that has changed, and return it."""
    now = process.news()
    if bool(now) != bool(before):
        warn(now or "The link is there again.")
    return now


def stopping(process: RunProcess) -> Callable[[int], None]:
    """Return a handler of Ctrl-C: the first stops the run at the end of its interval, the second kills it."""

    def interrupt(times: int) -> None:
        if times == 1:
            warn("Stopping at the end of the interval; press Ctrl-C again to kill the run.")
            process.stop()
        else:
            process.kill()

    return interrupt


class _Interrupts:
    """Counts SIGINT and SIGTERM, which would otherwise end this process."""

    def __init__(self) -> None:
        self.count = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._on_signal)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
