"""Stands in for the training process: a real child with the run's real lock, events and commands, but no Keras.

argv: MODE RUN. Modes: finish, obey (commands until stop), deaf (ignores stop and SIGTERM), sigterm (ignores stop), segv, exit3,
memory, grandchild (leaves one running), silent_exit, half (a half line, then waits), invalid
(refuses the data), go_on (from epoch 3 of 5, where the checkpoint of an earlier start was).
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from seqdec_gui.runs import lock
from seqdec_gui.runs.control import Command, CommandReader
from seqdec_gui.runs.events import (
    CommandAnswer,
    Continued,
    Epoch,
    EventWriter,
    Failed,
    Finished,
    ParameterCount,
    Paused,
    RowCount,
    Started,
    Step,
    Stopped,
)
from seqdec_gui.runs.folder import RunFolder

mode, run = sys.argv[1], RunFolder(sys.argv[2])
held = lock.adopt(run.lock)
record = held.read()
spec = run.read_spec()
if mode == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("chatter from", os.environ["KERAS_BACKEND"])
events = EventWriter(run.events)
events.write(
    Started(
        epochs=5 if mode == "go_on" else 3,
        steps_per_epoch=10,
        batch_size=64,
        devices=spec.placement.devices.names,
        engine=spec.placement.engine,
        parameters=ParameterCount(232_214, 230_678),
        rows=RowCount(640, 64),
        versions={"python": sys.version.split()[0]},
        pid=os.getpid(),
        host=os.uname().nodename,
        first_epoch=3 if mode == "go_on" else 1,
        first_step=20 if mode == "go_on" else 0,
    )
)


def epoch(number: int) -> None:
    events.write(Step(epoch=number, step=number * 10, metrics={"loss": 1 / number}))
    metrics = {"loss": 1 / number, "val_loss": 2 / number, "samples_per_s": 1234.5}
    events.write(Epoch(epoch=number, step=number * 10, metrics=metrics))


def obey(seconds: float) -> None:
    reader = CommandReader(run.commands, record.commands_offset)
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        number += 1
        epoch(number)
        for command in reader.read():
            known = isinstance(command, Command)
            events.write(CommandAnswer(id=command.id, command=command.command, ok=known, text=getattr(command, "text", "")))
            if mode == "obey" and command.command == "stop":
                events.write(Stopped(epoch=number, step=number * 10))
                sys.exit(0)
            if command.command == "pause":
                events.write(Stopped(epoch=number, step=number * 10, paused=True))
                sys.exit(0)
            if command.command == "hold":
                events.write(Paused(epoch=number, step=number * 10))
            if command.command == "continue":
                events.write(Continued(epoch=number, step=number * 10))
        time.sleep(0.05)


if mode == "finish":
    for number in (1, 2, 3):
        epoch(number)
    events.write(Finished(epoch=3, step=30, metrics={"loss": 1 / 3}))
elif mode == "go_on":
    for number in (3, 4, 5):
        epoch(number)
    events.write(Finished(epoch=5, step=50, metrics={"loss": 1 / 5}))
elif mode in ("obey", "deaf", "sigterm"):
    obey(60)
elif mode == "invalid":
    events.write(Failed(kind="invalid", sentence="The data is no good."))
    sys.exit(2)
elif mode == "segv":
    epoch(1)
    os.kill(os.getpid(), signal.SIGSEGV)
elif mode == "exit3":
    epoch(1)
    print("the last words")
    sys.exit(3)
elif mode == "memory":
    raise MemoryError("Unable to allocate 12.0 GiB for an array")
elif mode == "grandchild":
    child = subprocess.Popen(["sleep", "60"])
    Path(run.path / "grandchild").write_text(str(child.pid))
    forked = os.fork()
    if forked == 0:
        time.sleep(60)
        os._exit(0)
    os._exit(5)
elif mode == "silent_exit":
    os._exit(0)
elif mode == "half":
    with run.events.open("ab") as file:
        file.write(b'{"type":"step","time":1.0,"epo')
    time.sleep(60)
