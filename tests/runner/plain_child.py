"""The process of a run that trains plain numbers: all that a run writes, in a second. argv: RUN."""

from __future__ import annotations

import os
import sys
import time

import numpy as np

from seqdec_gui.runner import checkpoints, forking, loop, session
from seqdec_gui.runner.commands import Commands
from seqdec_gui.runner.early_stop import EarlyStop, remove_temporary
from seqdec_gui.runner.engines.base import Floats, Interval, Rows
from seqdec_gui.runner.failures import failure
from seqdec_gui.runner.loop import Loop
from seqdec_gui.runner.program import Program
from seqdec_gui.runs import kept_checkpoints, lock
from seqdec_gui.runs.control import CommandReader
from seqdec_gui.runs.events import EventWriter, FinalEvent, Started
from seqdec_gui.runs.folder import RunFolder
from tests.runner.loop_bench import Adder, Number

BALLAST = 500_000
"""Weights that are only written and read."""
STEP_S = 0.002
"""Seconds that a step takes."""


class Numbers(Adder):
    """The loss depends on all rows that were seen and on their order. A checkpoint takes some milliseconds to write."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.ballast = Number("ballast", np.random.default_rng(0).random(BALLAST))
        self.models["block"].layers[0].variables.append(self.ballast)

    def train(self, rows: Rows, learning_rates: Floats, kl_weights: Floats) -> Interval:
        losses = []
        for line, rate, factors in zip(rows, learning_rates, kl_weights, strict=True):
            super().train(line[None], np.array([rate], np.float32), factors[None])
            losses.append(2 + np.sin(self.weight.value[0] * 1e-3))
            time.sleep(STEP_S)
        self.seen.clear()
        return Interval(np.array(losses, np.float32), self._sums(float(np.sum(losses)), len(losses)))


def train(run: RunFolder, events: EventWriter, commands: Commands) -> FinalEvent:
    spec = run.read_spec()
    design = spec.load_design()
    assert spec.placement is not None
    dataset = session._begin_reading(run, spec, design, None).result()
    session._keep_fit(run, spec, design, dataset, events)
    engine = Numbers(Program.of(design, run.model))
    batch = design.training.batch_size
    steps = len(dataset.training) // batch
    fresh = progress = checkpoints.Progress(steps_per_epoch=steps, batch_size=batch)
    saved = None
    if session._continues(run, spec):
        stored, path = session._newest(run, engine, spec.fork)
        lost = kept_checkpoints.what_was_lost(run, path)
        session._report(events, [lost] if lost is not None else [])
        if spec.fork is not None and path == run.fork_checkpoint:
            stored, said = forking.begun(spec.fork, stored, design.training)
            session._report(events, said)
        progress = session._continued(stored, fresh, design.training, events)
        saved = stored.total_steps if path == run.checkpoint("last") else None
    events.write(
        Started(epochs=design.training.epochs, steps_per_epoch=steps, batch_size=batch, devices=("cpu:0",), engine="numbers",
                pid=os.getpid(), first_epoch=progress.epoch, first_step=progress.total_steps)
    )  # fmt: skip
    training = Loop(engine, dataset, run, events, commands, progress, spec.report_every_s, spec.checkpoint_every_s, saved)
    return training.run()


def main() -> None:
    loop.SHARE_OF_CHECKPOINTS = 0.5
    run = RunFolder(sys.argv[1])
    held = lock.adopt(run.lock)
    record = held.read()
    with EventWriter(run.events) as events:
        commands = Commands(CommandReader(run.commands, record.commands_offset if record else 0), events)
        commands.listen_to_signals()
        remove_temporary(run)
        EarlyStop(run, events, commands, record.commands_offset if record else 0)
        try:
            final = train(run, events, commands)
        except Exception as error:
            final = failure(error)
        commands.training_has_begun()
        events.write(final)


if __name__ == "__main__":
    main()
