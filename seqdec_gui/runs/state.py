"""Derives the state of a run from its lock and its events."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import BinaryIO, Literal

import msgspec

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.wording import counted
from seqdec_gui.runs import lock
from seqdec_gui.runs.crash import explain, log_tail
from seqdec_gui.runs.data_record import read_record
from seqdec_gui.runs.events import (
    FINAL,
    MOST_SEARCHED,
    Checkpoint,
    Continued,
    Epoch,
    Event,
    Failed,
    FinalEvent,
    Finished,
    Metrics,
    ParameterCount,
    Paused,
    Started,
    Step,
    Stopped,
    UnreadableLine,
    end_of_lines,
)
from seqdec_gui.runs.files import opener
from seqdec_gui.runs.hosts import record as copied
from seqdec_gui.runs.run_files import RunFiles
from seqdec_gui.runs.salvage import LONGEST_LINE, Salvage
from seqdec_gui.runs.spec import RunSpec
from seqdec_gui.runs.task_names import WeightsInUse

State = Literal["unfinished", "running", "paused", "finished", "stopped", "failed", "crashed", "unreadable"]
MOST_BYTES = 128 << 20
"""The part of a file of events that is read for a summary, in bytes: the end of the latest start, the begin of earlier ones.

A run writes some 20 MB in a day.
"""
HEAD_BYTES = 1 << 20
"""The part of the latest start that is read even if the file is longer, in bytes: it says what was started."""
ENDED: tuple[State, ...] = ("finished", "stopped", "failed", "crashed")


class RunStatus(msgspec.Struct, frozen=True):
    """`text` is a sentence; `final` is the last event, made up by the reader where the run could not write one.

    unfinished: never started, or started on another host whose lock cannot be seen from here. paused: ended, to be resumed
    later, or held alive (then without `final`).
    """

    state: State
    text: str
    final: FinalEvent | None = None

    @property
    def ended(self) -> bool:
        return self.state in ENDED or self.final is not None


class RunSummary(msgspec.Struct, frozen=True):
    """One line of a table of runs. Times in seconds since 1970, None where not reached; `metrics` of the last epoch.

    `design` is the name of the design, `design_path` its file when the run was started (empty if it had none), `design_id` its
    identity (empty in runs of designs without one). `best_epoch` and `last_epoch` are those of the two checkpoints, 0 without.
    Of a forked run `started` is its own first start, and `parent` the folder of the run that it was forked from.
    `data` is the checksum of the numbers that it read: runs that have it in common trained on the same rows and columns,
    encoded alike; it is empty in runs of versions that left the codecs out. `data_files` are the checksums of the files alone.
    Both are empty until they are known. `weights` says which weights
    the run uses if it keeps a moving average, and is None if it keeps none.
    """

    run: str
    design: str
    state: State
    text: str
    created: float | None = None
    started: float | None = None
    ended: float | None = None
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    metrics: Metrics = {}
    best: Metrics = {}
    best_epoch: int = 0
    last_epoch: int = 0
    devices: tuple[str, ...] = ()
    engine: str = ""
    parameters: ParameterCount = ParameterCount()
    design_path: str = ""
    design_id: str = ""
    data: str = ""
    data_files: tuple[str, ...] = ()
    weights: WeightsInUse | None = None
    parent: str = ""


class _History(msgspec.Struct, frozen=True):
    """The milestones of a run (no steps but the last): `events` of all starts, `current` those of the latest."""

    held: bool
    record: lock.LockRecord | None
    events: tuple[Event, ...]
    current: tuple[Event, ...]
    damage: str = ""
    """What was lost of the events, as a sentence; empty if nothing was."""


def status(run: RunFiles) -> RunStatus:
    """Return what the run is doing or how it ended. Never raises for damaged files."""
    try:
        return _status(run, _history(run))
    except UnreadableLine as error:
        return RunStatus("unreadable", str(error))
    except OSError as error:
        return RunStatus("unreadable", _unread(error))


def summary(run: RunFiles) -> RunSummary:
    """Return the entry of the run in a table of runs. Never raises for damaged files."""
    try:
        asked = run.read_spec()
    except InvalidInput as error:
        return RunSummary(str(run.path), "", "unreadable", str(error), created=_made(run))
    try:
        history = _history(run)
    except UnreadableLine as error:
        return _unreadable(run, asked, str(error))
    except OSError as error:
        return _unreadable(run, asked, _unread(error))
    return _summary(run, asked, history)


def final_of(events: Sequence[Event]) -> FinalEvent | None:
    """Return the final event among the events of one start; None if there is none."""
    return next((event for event in reversed(events) if isinstance(event, FINAL)), None)


def crash_of(run: RunFiles, record: lock.LockRecord) -> Failed:
    """Return the final event for a run that ended without one, with the time of its last change of a file."""
    failed = explain(record.exit_status, log_tail(run.log, record.log_offset), out_of_memory=record.out_of_memory)
    return msgspec.structs.replace(failed, time=max(_modified(run), record.started))


def silent_end(run: RunFiles, record: lock.LockRecord) -> Failed | None:
    """Return the final event for a run that is not alive and wrote none; None where it may be alive elsewhere.

    Raises InvalidInput for the copy of a run on a host that does not say what became of it.
    """
    if copied.is_copy(run.path):
        return None if copied.goes_on(run.path) else copied.verdict(run.path)
    return crash_of(run, record) if record.host == socket.gethostname() else None


def ended(final: FinalEvent) -> RunStatus:
    """Return the status that corresponds to a final event."""
    match final:
        case Finished():
            early = " (early stopping)" if final.reason == "early_stopping" else ""
            return RunStatus("finished", f"Finished after {counted(final.epoch, 'epoch')}{early}.", final)
        case Stopped(paused=True):
            where = f"in epoch {final.epoch}" if final.step else "before the first step"
            return RunStatus("paused", f"Paused {where}; its devices are free, and it can be resumed anywhere.", final)
        case Stopped():
            when = f"in epoch {final.epoch}" if final.step else "before the first step"
            return RunStatus("stopped", f"Stopped by the user {when}.", final)
        case Failed():
            return RunStatus("failed", final.sentence, final)


def _history(run: RunFiles) -> _History:
    """Read lock and events. The lock comes first: if the run ends in between, its final event is then already written."""
    held = lock.is_held(run.lock)
    record = lock.read_record(run.lock)
    salvage = Salvage(run.events)
    earlier: tuple[Event, ...] = ()
    current: tuple[Event, ...] = ()
    try:
        with open(run.events, "rb", opener=opener) as file:
            offset = record.events_offset if record else 0
            size = end_of_lines(file.fileno(), MOST_SEARCHED)  # blocks that were never written may follow
            earlier = _milestones(file, min(offset, MOST_BYTES), salvage)
            _skip(file, offset)
            current = _milestones(file, HEAD_BYTES, salvage)
            _skip(file, size - MOST_BYTES)
            current = (*current, *_milestones(file, None, salvage))
            if record is not None and size < record.events_offset:
                salvage.skip(f"the file has {size:,} bytes, and had {record.events_offset:,} when the run was last started.")
    except FileNotFoundError:
        pass
    damage = " ".join(filter(None, (salvage.sentence(), run.damage())))
    return _History(held, record, (*earlier, *current), current, damage)


def _skip(file: BinaryIO, place: int) -> None:
    """Go to the first line that begins at this place or behind it; never back."""
    if file.tell() < place:
        file.seek(place - 1)
        while (part := file.readline(LONGEST_LINE)) and not part.endswith(b"\n"):
            continue


def _milestones(file: BinaryIO, size: int | None, salvage: Salvage) -> tuple[Event, ...]:
    """Return the complete events, without device loads and all steps but the last. Raises UnreadableLine.

    Line by line, at most `size` bytes: other threads, above all one that paints, get their turn. Damaged lines are left out.
    """
    lines: list[bytes] = []
    last_step = -1
    while (size is None or size > 0) and (line := file.readline(LONGEST_LINE)):
        size = None if size is None else size - len(line)
        if not line.endswith(b"\n"):
            if len(line) < LONGEST_LINE or not _ends(file):  # still being written, or what a crash left at the end
                break
            salvage.skip(f"a line is longer than {LONGEST_LINE:,} bytes.")
            continue
        if line.startswith(_STEP):
            if last_step >= 0:
                del lines[last_step]
            last_step = len(lines)
        elif line.startswith(_DEVICE) or not line.strip():
            continue
        lines.append(line)
    return tuple(event for line in lines if (event := salvage.decode(line)) is not None)


def _ends(file: BinaryIO) -> bool:
    """Go behind the end of a line; returns whether it has one, as far as one looks for it."""
    until = file.tell() + MOST_SEARCHED
    while file.tell() < until and (part := file.readline(LONGEST_LINE)):
        if part.endswith(b"\n"):
            return True
    return False


_STEP = b'{"type":"step"'
_DEVICE = b'{"type":"device"'


def _status(run: RunFiles, history: _History) -> RunStatus:
    status = _undamaged(run, history)
    if not history.damage:
        return status
    return msgspec.structs.replace(status, text=f"{status.text} {history.damage}")


def _undamaged(run: RunFiles, history: _History) -> RunStatus:
    final = final_of(history.current)
    if final is not None:
        return ended(final)
    if copied.is_copy(run.path):
        return _copied(run, history)
    if history.held:
        return _alive(history.current)
    if history.record is None:
        if not history.events or _has_only_inherited(run):
            return RunStatus("unfinished", "The run was never started.")
        text = f"How the run ended is not known: {run.lock.name}, which would say it, is damaged or gone. Resume it to go on."
        return RunStatus("crashed", text, Failed(kind="crashed", sentence=text, time=_modified(run)))
    if history.record.host != socket.gethostname():
        where = history.record.host
        return RunStatus("unfinished", f"The run was started on {where}; whether it still runs cannot be seen from here.")
    failed = crash_of(run, history.record)
    return RunStatus("crashed", failed.sentence, failed)


def _has_only_inherited(run: RunFiles) -> bool:
    """Whether all events are those that a fork took over from its parent: it was never started itself."""
    try:
        fork = run.read_spec().fork
        return fork is not None and run.events.stat().st_size == fork.events_bytes
    except (InvalidInput, OSError):
        return False


def _copied(run: RunFiles, history: _History) -> RunStatus:
    """Return the status of the copy of a run on a host that has no final event."""
    try:
        known = copied.read(run.path)
        if known is None or known.over:
            final = copied.verdict(run.path)
            return RunStatus("crashed", final.sentence, final)
    except InvalidInput as error:
        return RunStatus("unreadable", str(error))
    if not history.held:
        text = f"It trains on {known.host}, as far as is known here: `seqdec-gui attach {run.path}` looks again."
        return RunStatus("unfinished", text)
    now = _alive(history.current)
    return msgspec.structs.replace(now, text=f"{now.text} {copied.read_link(run.path).sentence(known.host)}".strip())


def _alive(current: Sequence[Event]) -> RunStatus:
    turn = next((event for event in reversed(current) if isinstance(event, (Paused, Continued))), None)
    if isinstance(turn, Paused):
        return RunStatus("paused", f"Held in epoch {turn.epoch}, with its process and memory.")
    last = next((event for event in reversed(current) if isinstance(event, (Step, Epoch))), None)
    started = next((event for event in reversed(current) if isinstance(event, Started)), None)
    if started is None:
        return RunStatus("running", "Starting.")
    epoch = last.epoch if last is not None else started.first_epoch
    return RunStatus("running", f"Epoch {epoch} of {started.epochs}.")


def _unreadable(run: RunFiles, asked: RunSpec, why: str) -> RunSummary:
    return RunSummary(
        str(run.path), asked.name, "unreadable", why, created=asked.created, design_path=asked.design_path,
        design_id=asked.design_id,
    )  # fmt: skip


def _summary(run: RunFiles, asked: RunSpec, history: _History) -> RunSummary:
    now = _status(run, history)
    starts = [event for event in history.events if isinstance(event, Started)]
    last = next((event for event in reversed(history.events) if isinstance(event, (Step, Epoch, Finished, Stopped))), None)
    epoch = next((event for event in reversed(history.events) if isinstance(event, Epoch)), None)
    best, saved = (_checkpoint(history.events, name) for name in ("best", "last"))
    latest = starts[-1] if starts else None
    own = starts[asked.fork.starts :] if asked.fork is not None else starts
    read = read_record(run.dataset)
    return RunSummary(
        run=str(run.path),
        design=asked.name,
        state=now.state,
        text=now.text,
        created=asked.created,
        started=own[0].time if own else None,
        ended=now.final.time if now.final else None,
        epoch=last.epoch if last else 0,
        epochs=latest.epochs if latest else 0,
        step=last.step if last else 0,
        metrics=epoch.metrics if epoch else {},
        best=best.metrics if best else {},
        best_epoch=best.epoch if best else 0,
        last_epoch=saved.epoch if saved else 0,
        devices=latest.devices if latest else (),
        engine=latest.engine if latest else "",
        parameters=latest.parameters if latest else ParameterCount(),
        design_path=asked.design_path,
        design_id=asked.design_id,
        data=read.known_sha256 if read is not None else "",
        data_files=tuple(file.sha256 for file in read.files) if read is not None else (),
        weights=asked.weights_in_use,
        parent=asked.fork.run if asked.fork is not None else "",
    )


def _checkpoint(events: Sequence[Event], name: str) -> Checkpoint | None:
    """Return the event of the latest checkpoint of this name."""
    return next((event for event in reversed(events) if isinstance(event, Checkpoint) and event.name == name), None)


def _unread(error: OSError) -> str:
    return f"{error.filename} cannot be read: {(error.strerror or str(error)).lower()}."


def _made(run: RunFiles) -> float | None:
    """Return when a run folder was last changed, for one whose specification cannot be read."""
    try:
        return run.path.stat().st_mtime
    except OSError:
        return None


def _modified(run: RunFiles) -> float:
    times = (path.stat().st_mtime for path in (run.events, run.log) if path.exists())
    return max(times, default=0.0)
