"""Runs a sweep: asks for trials, puts their runs into the queue, follows their reports, prunes, and stores results.

It may be killed between any two lines, and so may the queue's scheduler and the runs: whoever goes on finds in the storage
which trials are open, and in their run folders what became of them. Every step is such that it may be repeated.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from seqdec_gui.domain.document import to_builtins
from seqdec_gui.domain.problems import InvalidInput, SeqdecError, errors
from seqdec_gui.domain.validation import check
from seqdec_gui.runs import known, spec
from seqdec_gui.runs.control import command
from seqdec_gui.runs.events import UnreadableLine
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.queue.job import Job
from seqdec_gui.runs.queue.store import Queue
from seqdec_gui.runs.queue.worker import ensure_worker
from seqdec_gui.runs.state import RunStatus
from seqdec_gui.runs.sweep.folder import SweepFolder, SweepSpec, Table, Trial, TrialState
from seqdec_gui.runs.sweep.reports import Reports
from seqdec_gui.runs.sweep.space import with_values
from seqdec_gui.runs.sweep.study import Study

POLL_S = 0.5
"""Seconds between two looks at the runs."""
MOST_STARTS = 3
"""How often the run of a trial is started at most: a machine that was switched off must not cost a trial."""
_STARTS = "starts"
"""The note of a trial in the storage how often its run was put into the queue."""
_PRUNED = "pruned_at"
"""The note of a trial in the storage that it is to be stopped, with the number of the report."""


class Controller:
    """Works on one sweep until all trials have ended. Only with the sweep's lock held."""

    def __init__(self, sweep: SweepFolder, queue: Queue | None = None, poll_s: float = POLL_S) -> None:
        self.sweep = sweep
        self.spec: SweepSpec = sweep.read_spec()
        self._queue = queue or Queue()
        self._poll_s = poll_s
        self._study = Study(sweep, self.spec)
        self._design = self.spec.run.load_design()
        self._reports: dict[int, Reports] = {}
        self._rows: dict[int, Trial] = {}
        self._importance: tuple[int, dict[str, float]] = (-1, {})
        self._table: Table | None = None

    def work(self, told: Callable[[Table], None] = lambda _table: None, stop: Callable[[], bool] = lambda: False) -> Table:
        """Work until every trial has ended, or `stop()`; `told` is called with every new table. Raises SeqdecError."""
        while True:
            done = self.step()
            table = self._write_table()
            if table is not None:
                told(table)
            if done or stop():
                return self._table or Table()
            ensure_worker(self._queue)
            time.sleep(self._poll_s)

    def step(self) -> bool:
        """Look at every open trial once, and begin others; returns whether all have ended."""
        jobs = {job.run: job for job in self._queue.read().jobs}
        trials = self._study.trials
        still_open = 0
        for trial in trials:
            if self._study.is_open(trial):
                still_open += self._advance(trial, jobs)
            elif trial.number not in self._rows or self._rows[trial.number].state in ("waiting", "running", "paused"):
                self._rows[trial.number] = self._ended_row(trial)
        while still_open < self.spec.parallel and len(self._study.trials) < self._study.most:
            number = self._study.ask()
            trial = next(each for each in self._study.trials if each.number == number)
            still_open += self._advance(trial, jobs)
        return still_open == 0 and len(self._study.trials) >= self._study.most

    # -- one trial
    def _advance(self, trial: Any, jobs: dict[str, Job]) -> bool:
        """Do what is to be done next about an open trial; returns whether it is still open."""
        run = self.sweep.run(trial.number + 1)
        values = self._study.values(trial)
        try:
            if not run.exists:
                self._make(run, values)
            status, starts = run.status(), trial.user_attrs.get(_STARTS, 0)
            job = jobs.get(str(run.path))
            if job is not None and job.outcome == "refused":
                raise InvalidInput(job.text, "run_folder")
            wanted = status.state == "unfinished" or (status.state == "crashed" and starts < MOST_STARTS)
            if wanted and (job is None or job.outcome):  # `crashed`: it goes on from its last checkpoint
                self._study.note(trial, _STARTS, starts + 1)
                self._queue.add(run, self.spec.run.devices, self.spec.width, self.spec.priority)
        except (SeqdecError, UnreadableLine) as error:
            return self._close(trial, run, values, "failed", None, str(error), 0)
        return self._follow(trial, run, values, status, starts, job is not None and not job.outcome)

    def _make(self, run: RunFolder, values: dict[str, Any]) -> None:
        """Write the folder of a trial's run. Raises InvalidInput where its values do not go together, SeqdecError."""
        design, assignments = with_values(self._design, self.spec.axes, values)
        if wrong := errors(check(design).problems):
            raise InvalidInput(wrong)
        asked = msgspec.structs.replace(
            self.spec.run, design=to_builtins(design), created=time.time(),
            overrides=(*self.spec.run.overrides, *assignments),
        )  # fmt: skip
        try:
            run.path.mkdir(parents=True, exist_ok=True)
            spec.write(asked, run.spec)
        except OSError as error:
            raise SeqdecError(f"{run.path} cannot be written: {error.strerror}.") from error
        known.remember_run(run.path)

    def _follow(
        self, trial: Any, run: RunFolder, values: dict[str, Any], status: RunStatus, starts: int, queued: bool
    ) -> bool:  # fmt: skip
        """Store the reports of a trial, and its result once its run has ended; returns whether it is still open.

        `queued`: whether the queue has still to start the run, or to see that it has ended.
        """
        reports = self._reports.setdefault(trial.number, Reports(run, self.spec.goal))
        try:
            reports.read()
        except (OSError, UnreadableLine) as error:
            return self._close(trial, run, values, "failed", None, str(error), starts)
        pruned = _PRUNED in trial.user_attrs
        if self._study.report(trial, reports.values) and not pruned and status.state == "running":
            self._study.note(trial, _PRUNED, reports.count)
            pruned = True
        value, metrics = reports.best(self.spec.maximize)
        state: TrialState = "running"
        match status.state:
            case "finished" if value is None:
                text = f"Its reports have no {self.spec.goal}; they have {', '.join(reports.names) or 'nothing'}."
                return self._close(trial, run, values, "failed", None, text, starts)
            case "finished":
                return self._close(trial, run, values, "finished", value, status.text, starts)
            case "stopped":
                at = trial.user_attrs.get(_PRUNED)
                text = f"Pruned after report {at}." if pruned and at else status.text
                return self._close(trial, run, values, "pruned", value, text, starts)
            case "failed" | "unreadable":
                return self._close(trial, run, values, "failed", value, status.text, starts)
            case "crashed" if starts >= MOST_STARTS and not queued:
                return self._close(trial, run, values, "failed", value, status.text, starts)
            case "unfinished" | "crashed":
                state = "waiting"
            case "paused":
                state = "paused"
            case _ if pruned:
                run.send(command("stop"))
        self._rows[trial.number] = Trial(
            number=trial.number + 1, values=values, state=state, value=value, report=reports.count, metrics=metrics,
            run=str(run.path), text=status.text, starts=starts,
        )  # fmt: skip
        return True

    def _close(
        self, trial: Any, run: RunFolder, values: dict[str, Any], state: TrialState, value: float | None, text: str, starts: int
    ) -> bool:
        """Store how a trial ended. The sentence comes first, so that it is there whatever is killed."""
        self._study.note(trial, "text", text)
        self._study.note(trial, "value", value)
        self._study.tell(trial, state, value)
        reports = self._reports.pop(trial.number, None)
        self._rows[trial.number] = Trial(
            number=trial.number + 1, values=values, state=state, value=value, run=str(run.path), text=text, starts=starts,
            report=reports.count if reports else 0, metrics=reports.best(self.spec.maximize)[1] if reports else {},
        )  # fmt: skip
        return False

    def _ended_row(self, trial: Any) -> Trial:
        """Return the line of a trial that ended in an earlier life of this program."""
        run = self.sweep.run(trial.number + 1)
        reports = Reports(run, self.spec.goal)
        try:
            reports.read()
        except (OSError, UnreadableLine):
            reports = Reports(run, self.spec.goal)
        state = self._study.state(trial)
        return Trial(
            number=trial.number + 1, values=dict(trial.params), state=state,  # type: ignore[arg-type]
            value=trial.user_attrs.get("value"), report=reports.count, metrics=reports.best(self.spec.maximize)[1],
            run=str(run.path), text=trial.user_attrs.get("text", ""), starts=trial.user_attrs.get(_STARTS, 1),
        )  # fmt: skip

    # -- the table
    def _write_table(self) -> Table | None:
        """Write the table if it has changed, and return it then."""
        trials = tuple(self._rows[number] for number in sorted(self._rows))
        finished = [trial for trial in trials if trial.state == "finished" and trial.value is not None]
        if self._importance[0] != len(finished):
            self._importance = (len(finished), self._study.importance())
        table = Table(trials=trials, best=_best(finished, self.spec.maximize), importance=self._importance[1])
        if table == self._table:
            return None
        try:
            self.sweep.write_table(table)
        except OSError as error:
            raise SeqdecError(f"The table of the sweep cannot be written: {error.strerror}.") from error
        self._table = table
        return table


def _best(finished: list[Trial], maximize: bool) -> int:
    """Return the number of the best trial; 0 while none has finished."""
    pairs = [(trial.value, trial.number) for trial in finished if trial.value is not None]
    if not pairs:
        return 0
    return max(pairs, key=lambda pair: (pair[0], -pair[1]))[1] if maximize else min(pairs)[1]
