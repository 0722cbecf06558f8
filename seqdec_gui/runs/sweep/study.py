"""The study of a sweep: the only module that knows Optuna, which takes seconds to import. Its storage is one SQLite file.

Every step can be repeated: a trial that was asked for and has not all its values gets the others, and one whose result was not
stored is told again. So whatever is killed, no trial is lost and none is counted twice.
"""

from __future__ import annotations

import warnings
from typing import Any, Literal

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs.sweep.folder import SweepFolder, SweepSpec
from seqdec_gui.runs.sweep.space import Axis, Value, grid

STARTUP_TRIALS = 5
"""Trials that have to end before the median prunes any."""
LEAST_FOR_IMPORTANCE = 4
"""Finished trials from which on it is computed how much each parameter matters."""


class Study:
    """The trials of a sweep in Optuna's storage. Raises SeqdecError where Optuna is missing or the file is damaged."""

    def __init__(self, sweep: SweepFolder, spec: SweepSpec) -> None:
        try:
            import optuna
        except ImportError as error:
            raise SeqdecError(f"A sweep needs Optuna: pip install 'seqdec-gui[sweep]'. ({error})") from None
        self._optuna = optuna
        self._spec = spec
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        direction: Literal["minimize", "maximize"] = "maximize" if spec.maximize else "minimize"
        try:
            self._storage = optuna.storages.RDBStorage(f"sqlite:///{sweep.study}")
            self._study = optuna.create_study(
                storage=self._storage, study_name="sweep", direction=direction, load_if_exists=True,
                pruner=self._pruner(),
            )  # fmt: skip
            self._id = self._storage.get_study_id_from_name("sweep")
        except Exception as error:  # of SQLAlchemy, whose exceptions are many
            raise SeqdecError(f"The storage of the sweep {sweep.study} cannot be opened: {error}.") from error

    def _pruner(self) -> Any:
        pruners = self._optuna.pruners
        if self._spec.prune == "median":
            return pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS)
        if self._spec.prune == "halving":
            return pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
        return pruners.NopPruner()

    def _sampler(self, seed: int) -> Any:
        """Return a sampler that draws the same for the same seed, whatever was asked before in this process."""
        samplers = self._optuna.samplers
        if self._spec.sampler == "tpe":
            return samplers.TPESampler(seed=seed, constant_liar=True)
        return samplers.RandomSampler(seed=seed)

    # -- trials
    @property
    def trials(self) -> list[Any]:
        """All trials, in their order; those that only wait for their values are left out."""
        waiting = self._optuna.trial.TrialState.WAITING
        return [trial for trial in self._study.get_trials(deepcopy=False) if trial.state != waiting]

    @property
    def most(self) -> int:
        """How many trials there are to be: as many as were asked for, or as the grid has."""
        return min(self._spec.trials, len(grid(self._spec.axes))) if self._spec.sampler == "grid" else self._spec.trials

    def ask(self) -> int:
        """Begin another trial, and return its number, from 0. It has no values yet."""
        number = len(self.trials)
        if self._spec.sampler == "grid" and len(self._study.get_trials(deepcopy=False)) == number:
            self._study.enqueue_trial(grid(self._spec.axes)[number])
        self._study.sampler = self._sampler(self._seed(number, 0))
        return int(self._study.ask().number)

    def values(self, trial: Any) -> dict[str, Value]:
        """Return the values of a trial, the missing ones drawn now."""
        live = self._live(trial)
        for place, axis in enumerate(self._spec.axes):
            self._study.sampler = self._sampler(self._seed(trial.number, place))
            _suggest(live, axis)
        return dict(live.params)

    def _seed(self, number: int, place: int) -> int:
        return (self._spec.seed * 1_000_003 + number * 101 + place) % 2**32

    def _live(self, trial: Any) -> Any:
        number = self._storage.get_trial_id_from_study_id_trial_number(self._id, trial.number)
        return self._optuna.trial.Trial(self._study, number)

    def is_open(self, trial: Any) -> bool:
        return bool(trial.state == self._optuna.trial.TrialState.RUNNING)

    def state(self, trial: Any) -> str:
        """Return `finished`, `pruned`, `failed`, or empty for one that is open."""
        states = self._optuna.trial.TrialState
        return {states.COMPLETE: "finished", states.PRUNED: "pruned", states.FAIL: "failed"}.get(trial.state, "")

    def report(self, trial: Any, reports: dict[int, float]) -> bool:
        """Store new reports of a trial, by number; returns whether it should be pruned."""
        live = self._live(trial)
        prune = False
        for number in sorted(reports):
            if number not in trial.intermediate_values:
                live.report(reports[number], number)
                prune = prune or live.should_prune()
        return prune

    def note(self, trial: Any, name: str, value: object) -> None:
        """Keep something about an open trial in the storage."""
        self._live(trial).set_user_attr(name, value)

    def tell(self, trial: Any, state: str, value: float | None) -> None:
        """Store how a trial ended: `finished` with its value, `pruned` or `failed`."""
        states = self._optuna.trial.TrialState
        if state == "finished" and value is not None:
            self._study.tell(trial.number, value)
        else:
            self._study.tell(trial.number, state=states.PRUNED if state == "pruned" else states.FAIL)

    def importance(self) -> dict[str, float]:
        """Return how much of the goal's variance each parameter explains (PED-ANOVA), as shares; empty while unknown."""
        finished = [trial for trial in self.trials if self.state(trial) == "finished"]
        if len(finished) < LEAST_FOR_IMPORTANCE or len({trial.value for trial in finished}) < 2:
            return {}
        evaluator = self._optuna.importance.PedAnovaImportanceEvaluator()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = self._optuna.importance.get_param_importances(self._study, evaluator=evaluator)
        except (ValueError, RuntimeError, ImportError):
            return {}
        return {name: float(share) for name, share in found.items()}


def _suggest(live: Any, axis: Axis) -> None:
    """Have a parameter drawn, unless it was."""
    if axis.kind == "list":
        live.suggest_categorical(axis.name, list(axis.texts))
    elif axis.integer:
        live.suggest_int(axis.name, int(axis.low), int(axis.high), step=int(axis.step) or 1, log=axis.log)
    else:
        live.suggest_float(axis.name, axis.low, axis.high, step=axis.step or None, log=axis.log)
