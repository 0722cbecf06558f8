"""The process of a run that trains nothing: it notes each start in its folder, and finishes. argv: SECONDS RUN."""

import os
import sys
import time

from seqdec_gui.runs import lock
from seqdec_gui.runs.events import Epoch, EventWriter, Finished, Started
from seqdec_gui.runs.folder import RunFolder

run = RunFolder(sys.argv[2])
held = lock.adopt(run.lock)
with (run.path / "starts.txt").open("a") as starts:
    starts.write(f"{os.getpid()}\n")
given = run.read_spec().placement
assert given is not None
with EventWriter(run.events) as events:
    names = given.devices.names
    events.write(Started(epochs=1, steps_per_epoch=1, batch_size=1, devices=names, engine="none", pid=os.getpid()))
    time.sleep(float(sys.argv[1]))
    events.write(Epoch(epoch=1, step=1, metrics={"val_loss": 0.5}))
    events.write(Finished(epoch=1, step=1, metrics={}))
