"""Stands in for the training process: a real child with the run's real lock, events and commands, but no Keras.

argv: MODE RUN. Modes: finish (three epochs at once), obey (small steps until stop), flood (100,000 steps at
once, then as obey), compile (nothing for two seconds, then as obey), memory (fails for want of memory), nan
(diverges), segv (crashes).
"""

import math
import os
import signal
import sys
import time

from seqdec_gui.runs import lock
from seqdec_gui.runs.checkpoint_file import head
from seqdec_gui.runs.control import Command, CommandReader
from seqdec_gui.runs.events import (
    Checkpoint,
    CommandAnswer,
    Continued,
    DeviceLoad,
    Epoch,
    EventWriter,
    Failed,
    Finished,
    Message,
    ParameterCount,
    Paused,
    RowCount,
    Started,
    Step,
    Stopped,
)
from seqdec_gui.runs.folder import RunFolder

STEPS = int(os.environ.get("CHILD_STEPS_PER_EPOCH", "40"))
EPOCHS = int(os.environ.get("CHILD_EPOCHS", "200"))
mode, run = sys.argv[1], RunFolder(sys.argv[2])
held = lock.adopt(run.lock)
record = held.read()
spec = run.read_spec()
resumed_at = int(os.environ.get("CHILD_FIRST_STEP", "0")) if spec.resume else 0
events = EventWriter(run.events)
commands = CommandReader(run.commands, record.commands_offset)
rate = 1e-3
step = resumed_at
paused = False


def started(epochs: int) -> None:
    time.sleep(float(os.environ.get("CHILD_QUIET_S", "0")))
    devices = spec.placement.devices.names
    events.write(
        Started(
            epochs=epochs,
            steps_per_epoch=STEPS,
            batch_size=64,
            devices=devices,
            engine=spec.placement.engine,
            parameters=ParameterCount(232_214, 230_678),
            rows=RowCount(12_000, 1_200),
            pid=os.getpid(),
            host=os.uname().nodename,
            first_epoch=step // STEPS + 1,
            first_step=step,
        )
    )
    events.write(Message(text=f"{spec.placement.engine} trains on {', '.join(devices)}."))
    print("the process says hello", flush=True)


def figures(at: int) -> dict[str, float]:
    loss = 2.5 * math.exp(-at / 900) + 0.35 + 0.08 * math.sin(at * 1.7) * math.exp(-at / 3000)
    return {"loss": loss, "token_accuracy": 1 - loss / 3, "learning_rate": rate, "samples_per_s": 5200 + 300 * math.sin(at / 7)}


def measure(at: int) -> None:
    for device in spec.placement.devices.names:
        load = 0.8 + 0.15 * math.sin(at / 5 + hash(device) % 3)
        events.write(DeviceLoad(id=device, memory_used=(6 << 30) + at * 100_000, memory_total=24 << 30, load=load))


def end_epoch(number: int, at: int) -> None:
    values = figures(at)
    loss = values["loss"] * 1.1 + 0.02
    validation = {"val_loss": loss, "val_token_accuracy": 1 - loss / 3}
    exact = {"exact_accuracy": (1 - values["loss"] / 3) ** 2, "val_exact_accuracy": (1 - loss / 3) ** 2}
    events.write(Epoch(epoch=number, step=at, metrics=values | validation | exact, seconds=1.0))
    path = "checkpoints/last.weights.h5"
    run.path.joinpath("checkpoints").mkdir(exist_ok=True)
    run.path.joinpath(path).write_bytes(head(0))  # a whole file with nothing in it
    events.write(Checkpoint(name="last", epoch=number, step=at, path=path))
    events.write(Checkpoint(name="best", epoch=number, step=at, metrics=validation, path="checkpoints/best.weights.h5"))


def obey() -> None:
    global rate, paused
    for command in commands.read():
        known = isinstance(command, Command)
        if command.command == "set_learning_rate" and known:
            rate = command.value
        events.write(CommandAnswer(id=command.id, command=command.command, ok=known, text=getattr(command, "text", "")))
        if command.command == "stop":
            events.write(Stopped(epoch=step // STEPS + 1, step=step, metrics=figures(step)))
            sys.exit(0)
        if command.command == "pause":
            events.write(Stopped(epoch=step // STEPS + 1, step=step, metrics=figures(step), paused=True))
            sys.exit(0)
        if command.command == "hold":
            paused = True
            events.write(Paused(epoch=step // STEPS + 1, step=step))
        if command.command == "continue":
            paused = False
            events.write(Continued(epoch=step // STEPS + 1, step=step))


def advance(by: int, until: int) -> None:
    global step
    while step < until:
        step = min(until, step + by)
        events.write(Step(epoch=(step - 1) // STEPS + 1, step=step, metrics=figures(step)))
        if step % STEPS == 0:
            end_epoch(step // STEPS, step)
            measure(step)


if mode == "hang":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    started(EPOCHS)
    advance(4, STEPS)
    time.sleep(120)
if mode == "segv":
    started(EPOCHS)
    advance(4, STEPS * 3)
    print("Traceback (most recent call last):\n  the last words", flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)
if mode == "memory":
    started(EPOCHS)
    sentence = "The GPU ran out of memory: choose a smaller batch size, more devices, or a GPU that no other program is using."
    events.write(Failed(kind="out_of_memory", sentence=sentence, details="RESOURCE_EXHAUSTED: 12.0 GiB\n" * 3))
    sys.exit(1)
if mode == "nan":
    started(EPOCHS)
    advance(4, STEPS * 2)
    events.write(Step(epoch=3, step=step + 1, metrics={"loss": math.nan}))
    sentence = "The loss became infinite or not a number in epoch 3."
    events.write(Failed(kind="diverged", sentence=sentence, epoch=3, step=step + 1))
    sys.exit(1)
if mode == "finish":
    epochs = 3 if "CHILD_EPOCHS" not in os.environ else EPOCHS
    started(epochs)
    advance(4, STEPS * epochs)
    events.write(Finished(epoch=epochs, step=step, metrics=figures(step)))
    sys.exit(0)
started(EPOCHS)
if mode == "flood":
    advance(1, 100_000)
if mode == "compile":
    time.sleep(2)
until = time.monotonic() + 120
while time.monotonic() < until:
    obey()
    if not paused:
        advance(2, min(step + 4, STEPS * EPOCHS))
    time.sleep(0.02)
