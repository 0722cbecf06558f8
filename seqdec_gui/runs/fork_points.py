"""The checkpoints of a run from which a new run can go on: the points of its curve that are still there whole."""

from __future__ import annotations

from pathlib import Path

import msgspec

from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runs.checkpoint_file import USE_THE_OTHER, fail_if_damaged
from seqdec_gui.runs.events import Checkpoint, Epoch, Metrics
from seqdec_gui.runs.kept_checkpoints import earlier
from seqdec_gui.runs.run_files import RunFiles
from seqdec_gui.runs.salvage import events_of

MOST_NAMED = 12
"""The number of checkpoints that a refusal lists."""


class ForkPoint(msgspec.Struct, frozen=True):
    """A checkpoint of a run: `name` is `best`, `last`, or the step of an earlier one. Steps count from the run's start."""

    name: str
    epoch: int
    step: int
    path: Path
    metrics: Metrics = {}

    @property
    def words(self) -> str:
        """The point as a list shows it: `best: epoch 3, step 120`."""
        what = self.name if self.name in ("best", "last") else "kept"
        return f"{what}: epoch {self.epoch}, step {self.step:,}"


class StoredProgress(msgspec.Struct, frozen=True):
    """What a checkpoint says about how far its training was; as `runner.checkpoints.Progress`, which has more."""

    epoch: int = 1
    step: int = 0
    part: int = 0
    steps_per_epoch: int = 0
    batch_size: int = 0
    ended: str = ""

    def has_reported(self, event: Epoch) -> bool:
        """Whether a report belongs to what was done: a checkpoint may be written at its step, and before it."""
        return (event.epoch, event.part) <= (self.epoch, self.part)

    @property
    def total_steps(self) -> int:
        return (self.epoch - 1) * self.steps_per_epoch + self.step


def fork_points(run: RunFiles) -> tuple[ForkPoint, ...]:
    """Return the checkpoints of a run in the order of their steps; only looks at names and events. Never raises for damage."""
    written = events_of(run.events, Checkpoint)
    points: list[ForkPoint] = []
    for name in ("best", "last"):
        event = next((event for event in reversed(written) if event.name == name), None)
        if event is not None and run.checkpoint(name).is_file():
            points.append(ForkPoint(name, event.epoch, event.step, run.checkpoint(name), event.metrics))
    last = next((point.step for point in points if point.name == "last"), None)
    by_step = {event.step: event for event in written if event.name == "last"}
    for step, path in earlier(run):
        event = by_step.get(step)
        if event is not None and (last is None or step < last):  # one beyond `last` is of a start that was taken back
            points.append(ForkPoint(str(step), event.epoch, step, path, event.metrics))
    return tuple(sorted(points, key=lambda point: (point.step, point.name)))


def choose_point(run: RunFiles, wish: str) -> ForkPoint:
    """Return the checkpoint `best`, `last`, or the one of a step. Raises InvalidInput, which lists those that there are."""
    points = fork_points(run)
    if not points:
        raise InvalidInput(f"{run.path} has written no checkpoint yet, so no run can go on from it.", "no_checkpoint", "from")
    wanted = wish.strip().replace(",", "").replace("_", "")
    for point in points:
        if wanted in (point.name, str(point.step)):
            return point
    there = "; ".join(point.words for point in points[-MOST_NAMED:])
    text = f"Expected best, last or the step of a checkpoint of {run.path}, received {wish!r}. There are {there}."
    hint = "training.keep_checkpoints says how many a run keeps; a run that trains writes one when it is told `checkpoint`."
    raise InvalidInput([Problem("error", "no_such_checkpoint", "from", text, hint)])


def point_at(points: tuple[ForkPoint, ...], step: float) -> ForkPoint | None:
    """Return the latest checkpoint at or before a step of the curve; None where no checkpoint covers it."""
    return max((point for point in points if point.step <= step), key=lambda point: point.step, default=None)


def stored_progress(path: Path) -> StoredProgress:
    """Return how far the training of a checkpoint was. Imports HDF5, reads the file whole. Raises InvalidInput: damaged."""
    fail_if_damaged(path, USE_THE_OTHER)
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return msgspec.json.decode(str(file.attrs["progress"]), type=StoredProgress)
    except (OSError, KeyError, msgspec.DecodeError) as error:
        why = " ".join(str(error).split())
        raise InvalidInput(f"The checkpoint {path} cannot be read: {why}.", "damaged_checkpoint") from None
