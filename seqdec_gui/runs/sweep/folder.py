"""The folder of a sweep: what is searched (`sweep.json`), Optuna's storage (`study.sqlite3`), the table, and the runs."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runs import file_lock, lock
from seqdec_gui.runs.events import Metrics
from seqdec_gui.runs.files import open_to_write, pretty_json, read_bytes, write_atomically
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.spec import RunSpec
from seqdec_gui.runs.sweep.space import Axis, Value

T = TypeVar("T")
FORMAT = 1
MOST_TRIALS = 100_000
"""The most trials of a sweep."""
SamplerName = Literal["tpe", "random", "grid"]
PrunerName = Literal["none", "median", "halving"]
TrialState = Literal["waiting", "running", "finished", "pruned", "failed", "paused"]


class SweepSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is searched. `run` is the specification of every trial but for its values; `parallel` trials are open at a time.

    `goal` is a metric of the reports; the best one of a trial counts, the smallest or, with `maximize`, the largest.
    `host` is the machine whose queue runs the trials.
    """

    format: int = FORMAT
    run: RunSpec
    axes: tuple[Axis, ...]
    trials: Annotated[int, Meta(ge=1, le=MOST_TRIALS)]
    goal: str = "val_loss"
    maximize: bool = False
    sampler: SamplerName = "tpe"
    prune: PrunerName = "none"
    seed: int = 0
    width: int = 1
    priority: int = 0
    parallel: int = 1
    created: float = msgspec.field(default_factory=time.time)


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table: its number (from 1), values, state, best value of the goal, run folder, and a sentence."""

    number: int
    values: dict[str, Value] = {}
    state: TrialState = "waiting"
    value: float | None = None
    report: int = 0
    """How many reports its run has made."""
    metrics: Metrics = {}
    run: str = ""
    text: str = ""
    starts: int = 1


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """All trials in their order, the number of the best one (0: none yet), and how much each parameter matters (sum 1)."""

    trials: tuple[Trial, ...] = ()
    best: int = 0
    importance: dict[str, float] = {}


class SweepFolder:
    """The paths of a sweep. Making the object touches nothing."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).absolute()
        self.spec = self.path / "sweep.json"
        self.study = self.path / "study.sqlite3"
        self.table = self.path / "trials.json"
        self.runs = self.path / "runs"
        self.lock = self.path / "lock"
        self.log = self.path / "log.txt"

    @property
    def exists(self) -> bool:
        return self.spec.is_file()

    @property
    def worked_on(self) -> bool:
        """Whether some program asks for trials now."""
        return lock.is_held(self.lock)

    def run(self, number: int) -> RunFolder:
        """Return the run folder of a trial."""
        return RunFolder(self.runs / f"trial-{number:04d}")

    def read_spec(self) -> SweepSpec:
        """Raises InvalidInput: missing, damaged, newer."""
        return _read(self.spec, SweepSpec, "the sweep.json of a sweep")

    def write_spec(self, spec: SweepSpec) -> None:
        """Raises SeqdecError."""
        try:
            self.runs.mkdir(parents=True, exist_ok=True)
            write_atomically(self.spec, pretty_json(spec))
        except OSError as error:
            raise SeqdecError(f"The sweep cannot be written to {self.path}: {error.strerror}.") from error

    def read_table(self) -> Table:
        """Return the trials as far as they are known; none before the first. Raises InvalidInput."""
        return _read(self.table, Table, "the trials.json of a sweep") if self.table.exists() else Table()

    def write_table(self, table: Table) -> None:
        """Raises OSError."""
        write_atomically(self.table, pretty_json(table))

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock of the one program that asks for trials. Raises SeqdecError where another one does."""
        file = open_to_write(self.lock, os.O_RDWR)
        try:
            try:
                file_lock.take(file)
            except BlockingIOError:
                raise SeqdecError(f"Another program works on the sweep {self.path} already.") from None
            yield
        finally:
            os.close(file)


def open_sweep(path: Path | str) -> SweepFolder:
    """Return an existing sweep. Raises InvalidInput."""
    sweep = SweepFolder(path)
    if not sweep.exists:
        raise InvalidInput(f"Expected the folder of a sweep, found none at {path}.", "no_sweep")
    return sweep


def _read(path: Path, kind: type[T], what: str) -> T:
    try:
        return msgspec.json.decode(read_bytes(path), type=kind)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"Expected {what} at {path}: {str(error)[:200]}.", "damaged_sweep") from None
