"""How a forked run begins: from the checkpoint of its parent, with what still counts under its own settings."""

from __future__ import annotations

import msgspec

from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.training import Training
from seqdec_gui.runner.checkpoints import Progress
from seqdec_gui.runner.schedule import Watch
from seqdec_gui.runs.spec import Fork


def begun(fork: Fork, stored: Progress, training: Training) -> tuple[Progress, list[Problem]]:
    """Return the progress with which the fork begins, and messages about what begins anew."""
    replace = msgspec.structs.replace
    said: list[Problem] = []
    if stored.ended == "early_stopping":
        stored = replace(stored, ended="", stopping=Watch())
        text = "The parent was stopped early here; the fork goes on, and its patience begins anew."
        said.append(Problem("info", "fork_goes_on", "", text))
    if not fork.keeps_best:
        stored = replace(stored, best=Watch(), stopping=Watch(), plateau=Watch())
        text = "The best value so far does not count for this run, which will say its best anew at its first report."
        said.append(Problem("info", "fork_best_anew", "", text))
    if not fork.keeps_optimizer:
        text = "The state of the optimizer begins anew: with these settings it keeps other values than its parent's."
        said.append(Problem("warning", "fork_optimizer_anew", "training.optimizer", text))
    return _next_epoch(stored, training), said


def _next_epoch(stored: Progress, training: Training) -> Progress:
    """Return the progress at the beginning of the next epoch where one is whole and counts otherwise from now on."""
    whole = not stored.ended and stored.steps_per_epoch > 0 and stored.step == stored.steps_per_epoch
    if not whole or stored.batch_size == training.batch_size or stored.epoch >= training.epochs:
        return stored
    return msgspec.structs.replace(stored, epoch=stored.epoch + 1, step=0, part=0)
