"""The process of a run whose loss follows from its learning rate and batch size, without a training. argv: SECONDS RUN.

It notes each start, obeys `stop`, and goes on after the last report where it is resumed.
"""

import math
import os
import sys
import time

from seqdec_gui.runs import lock
from seqdec_gui.runs.control import Command, CommandReader
from seqdec_gui.runs.events import Epoch, EventWriter, Finished, Started, Stopped
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.salvage import events_of

seconds, run = float(sys.argv[1]), RunFolder(sys.argv[2])
held = lock.adopt(run.lock)
record = held.read()
with (run.path / "starts.txt").open("a") as starts:
    starts.write(f"{os.getpid()}\n")
training = run.read_spec().load_design().training
reader = CommandReader(run.commands, record.commands_offset if record else 0)
done = max((event.epoch for event in events_of(run.events, Epoch)), default=0)
with EventWriter(run.events) as events:
    events.write(
        Started(epochs=training.epochs, steps_per_epoch=1, batch_size=training.batch_size, devices=("cpu:0",), engine="none",
                pid=os.getpid(), first_epoch=done + 1, first_step=done)
    )  # fmt: skip
    final: Finished | Stopped = Finished(epoch=training.epochs, step=training.epochs, metrics={})
    for epoch in range(done + 1, training.epochs + 1):
        time.sleep(seconds)
        loss = (math.log10(training.learning_rate) + 3) ** 2 + 0.01 * (training.batch_size != 64) + 1 / epoch
        events.write(Epoch(epoch=epoch, step=epoch, metrics={"val_loss": loss, "val_token_accuracy": 1 / (1 + loss)}))
        if any(isinstance(told, Command) and told.command == "stop" for told in reader.read()):
            final = Stopped(epoch=epoch, step=epoch, metrics={})
            break
    events.write(final)
