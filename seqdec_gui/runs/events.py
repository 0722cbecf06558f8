"""The events that a run writes: one JSON object a line in `events.jsonl`, documented in docs/run_folder.md.

The run appends with `EventWriter`; everybody else reads (`seqdec_gui.runs.reader`).
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args

import msgspec
from msgspec import Meta
from msgspec.structs import force_setattr

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs.file_lock import read_at
from seqdec_gui.runs.files import open_to_write, opener

Metrics: TypeAlias = dict[str, float | None]
Count = Annotated[int, Meta(ge=0, le=2**53)]
"""A whole number that is exact as a float, which plots need."""
Seconds = Annotated[float, Meta(ge=0, le=253_402_300_799)]
"""A time since 1970 before the year 10000, which calendars end with."""
LARGEST = 1e300
"""The largest metric. Beyond it the ranges of plots overflow, which ends the window."""
FailureKind = Literal["invalid", "diverged", "out_of_memory", "disk_full", "killed", "crashed"]


class UnreadableLine(SeqdecError):
    """A line of a run folder's file is none that this version can read."""


class DamagedLine(UnreadableLine):
    """A line that is no event. Those around it may be."""


class ParameterCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers of weights of the full model."""

    total: Count = 0
    trainable: Count = 0


class RowCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers of rows of the dataset's parts."""

    training: Count = 0
    validation: Count = 0


class _Event(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True, repr_omit_defaults=True, gc=False
):
    """`time` is in seconds since 1970 (UTC)."""

    time: Seconds = msgspec.field(default_factory=time.time)


class _Measured(_Event, frozen=True, kw_only=True):
    """An event with metrics. A metric that is not finite, or beyond `LARGEST`, becomes None, in the object and on the line."""

    metrics: Metrics = {}

    def __post_init__(self) -> None:
        for value in self.metrics.values():
            if type(value) is not float or not -LARGEST <= value <= LARGEST:
                force_setattr(self, "metrics", {name: _finite(value) for name, value in self.metrics.items()})
                return


class Started(_Event, frozen=True, kw_only=True, tag="started"):
    """The model is built, the data is open, the first step follows.

    `first_epoch` and `first_step` are where this start begins: (1, 0), or where a resumed run goes on; whatever was reported
    beyond `first_step` by an earlier start is void.
    """

    epochs: Count
    steps_per_epoch: Count
    batch_size: Count
    devices: tuple[str, ...]
    engine: str
    precision: str = "float32"
    mini_epochs: Count = 1
    parameters: ParameterCount = ParameterCount()
    rows: RowCount = RowCount()
    versions: dict[str, str] = {}
    pid: Count = 0
    host: str = ""
    first_epoch: Count = 1
    first_step: Count = 0

    @property
    def resumed(self) -> bool:
        return self.first_step > 0

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self.epochs * self.steps_per_epoch


class Step(_Measured, frozen=True, kw_only=True, tag="step"):
    """Progress within an epoch, at most a few a second: `step` counts optimizer steps from the start of training.

    The metrics are means since the last report.
    """

    epoch: Count
    step: Count


class Epoch(_Measured, frozen=True, kw_only=True, tag="epoch"):
    """An epoch (from 1) ended, or part `part` of `parts` of it (mini-epochs). `seconds` includes the validation."""

    epoch: Count
    step: Count
    part: Count = 1
    parts: Annotated[int, Meta(ge=1, le=2**53)] = 1
    seconds: Annotated[float, Meta(ge=-1, le=1e12)] = 0.0

    @property
    def position(self) -> float:
        """Epochs done so far, the place on an axis of epochs."""
        return self.epoch - 1 + self.part / self.parts


class Checkpoint(_Measured, frozen=True, kw_only=True, tag="checkpoint"):
    """Weights were written; `path` is relative to the run folder."""

    name: Literal["best", "last"]
    epoch: Count
    step: Count
    path: str


class DeviceLoad(_Event, frozen=True, kw_only=True, tag="device"):
    """What a device is doing: bytes of memory, load from 0 to 1; None where it is not known."""

    id: str
    memory_used: Count | None = None
    memory_total: Count | None = None
    load: float | None = None

    def __post_init__(self) -> None:
        force_setattr(self, "load", _finite(self.load))


class Message(_Event, frozen=True, kw_only=True, tag="message"):
    """A sentence for the user; `code` is stable and lower_snake_case, for programs."""

    text: str
    severity: Literal["info", "warning", "error"] = "info"
    code: str = ""


class CommandAnswer(_Event, frozen=True, kw_only=True, tag="command"):
    """The command of this id in `commands.jsonl` was obeyed, or why it was not."""

    id: str
    command: str
    ok: bool = True
    text: str = ""


class Paused(_Event, frozen=True, kw_only=True, tag="paused"):
    """The run waits for `continue` (or `stop`), with its process and its memory: it was told to `hold`."""

    epoch: Count = 0
    step: Count = 0


class Continued(_Event, frozen=True, kw_only=True, tag="continued"):
    """The run goes on after a `hold`."""

    epoch: Count = 0
    step: Count = 0


class Finished(_Measured, frozen=True, kw_only=True, tag="finished"):
    """The training came to its end: all epochs, or early stopping. `metrics` are those of the last epoch."""

    epoch: Count = 0
    step: Count = 0
    reason: Literal["epochs", "early_stopping"] = "epochs"


class Stopped(_Measured, frozen=True, kw_only=True, tag="stopped"):
    """The user stopped the run; what was trained is in checkpoint `last`, which there may not be before the first step.

    `paused`: the user means to resume it, and wanted its devices back until then.
    """

    epoch: Count = 0
    step: Count = 0
    paused: bool = False


class Failed(_Event, frozen=True, kw_only=True, tag="failed"):
    """The run failed. `sentence` is for the user: expected, received, what to do; `details` a traceback or the log's end."""

    kind: FailureKind
    sentence: str
    details: str = ""
    epoch: Count = 0
    step: Count = 0


Event: TypeAlias = (
    Started
    | Step
    | Epoch
    | Checkpoint
    | DeviceLoad
    | Message
    | CommandAnswer
    | Paused
    | Continued
    | Finished
    | Stopped
    | Failed
)
FinalEvent: TypeAlias = Finished | Stopped | Failed
FINAL = (Finished, Stopped, Failed)
TYPES: dict[str, type[Event]] = {cls.__struct_config__.tag: cls for cls in get_args(Event)}

_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_encoder = msgspec.json.Encoder()


def _finite(value: float | None) -> float | None:
    if value is None:
        return None
    number = float(value)
    return number if abs(number) <= LARGEST else None


def encode(event: Event) -> bytes:
    """Return an event as one line of JSON, without the newline."""
    return _encoder.encode(event)


def decode(line: bytes | str) -> Event:
    """Return the event of a line. Raises UnreadableLine, which says whether the line is damaged or of a newer version."""
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _complaint(line, error) from None


class _Kind(msgspec.Struct):
    type: str


def _complaint(line: bytes | str, error: Exception) -> UnreadableLine:
    shown = line[:80].decode("utf-8", "replace") if isinstance(line, bytes) else line[:80]
    try:
        kind = msgspec.json.decode(line, type=_Kind).type[:40]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return DamagedLine(f"Expected an event (a JSON object with a type), found {shown!r}.")
    why = str(error)[:200]
    if kind not in TYPES:
        return UnreadableLine(
            f"Event of type {kind!r}: this version knows {', '.join(TYPES)}. "
            "The run was written by a newer seqdec-gui; upgrade to read it."
        )
    if "unknown field" in why:
        return UnreadableLine(f"Event {kind!r}: {why}. The run was written by a newer seqdec-gui; upgrade to read it.")
    return DamagedLine(f"Event {kind!r} is damaged: {why}.")


class EventWriter:
    """Appends events to a file, each with one write, so that a reader never sees two halves mixed.

    A half line that a crash left at the end of the file is cut off first. Threads may share a writer.
    """

    def __init__(self, path: Path) -> None:
        self._file = open_to_write(path, os.O_RDWR | os.O_APPEND)
        self._lock = threading.Lock()
        cut_half_line(self._file)

    def write(self, event: Event) -> None:
        """Append one event. Raises OSError (disk full); then nothing of the event is in the file."""
        with self._lock:
            self._append(event)

    def write_last(self, event: FinalEvent) -> None:
        """Append the final event of a process that ends now: threads that would write another wait forever. Raises OSError."""
        self._lock.acquire()
        self._append(event)

    def _append(self, event: Event) -> None:
        line = encode(event) + b"\n"
        start = os.fstat(self._file).st_size
        written = 0
        try:
            while written < len(line):
                written += os.write(self._file, line[written:])
        except OSError:
            os.ftruncate(self._file, start)
            raise
        if isinstance(event, FINAL):
            os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)

    def __enter__(self) -> EventWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def cut_half_line(file: int) -> None:
    """Truncate an open file after its last newline."""
    end = end_of_lines(file)
    if end < os.fstat(file).st_size:
        os.ftruncate(file, end)


def complete_bytes(path: Path) -> int:
    """Return the size of a file without an incomplete last line, where the next event will be written. Raises OSError."""
    try:
        with open(path, "rb", opener=opener) as file:
            return end_of_lines(file.fileno())
    except FileNotFoundError:
        return 0


MOST_SEARCHED = 2 << 30
"""How far the end of a line is looked for by readers, in bytes: files may be made to be larger than any disk."""


def end_of_lines(file: int, most: int | None = None) -> int:
    """Return where the last complete line of an open file ends; its size if that is more than `most` bytes before its end."""
    size = end = os.fstat(file).st_size
    while end > 0:
        if most is not None and size - end > most:
            return size
        start = max(0, end - (1 << 20))
        newline = read_at(file, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0
