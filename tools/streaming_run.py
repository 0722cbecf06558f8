"""Stands in for the process of a run: its lock, and reports at a steady pace. argv: REPORTS_PER_S SECONDS RUN."""

from __future__ import annotations

import math
import os
import sys
import time

from seqdec_gui.runs import lock
from seqdec_gui.runs.events import DeviceLoad, Epoch, EventWriter, Started, Step
from seqdec_gui.runs.folder import RunFolder

EPOCH_S = 20


def main() -> None:
    pace, seconds, run = int(sys.argv[1]), float(sys.argv[2]), RunFolder(sys.argv[3])
    held = lock.adopt(run.lock)
    until, number, per_epoch = time.monotonic() + seconds, 0, pace * EPOCH_S
    with EventWriter(run.events) as events:
        events.write(
            Started(epochs=1000, steps_per_epoch=per_epoch, batch_size=64, devices=("cpu:0",), engine="jax", pid=os.getpid())
        )
        while time.monotonic() < until:
            number += 1
            loss = math.exp(-number / 3e3) + 0.05 * math.sin(number * 1.7) + 0.1
            metrics = {
                "loss": loss,
                "token_accuracy": 1 - loss / 2,
                "learning_rate": 1e-3,
                "samples_per_s": 5000.0 + number % 7,
            }
            events.write(Step(epoch=(number - 1) // per_epoch + 1, step=number, metrics=metrics))
            if number % per_epoch == 0:
                epoch = metrics | {"val_loss": loss, "val_token_accuracy": 1 - loss / 2}
                events.write(Epoch(epoch=number // per_epoch, step=number, metrics=epoch, seconds=EPOCH_S))
            if number % pace == 0:
                events.write(DeviceLoad(id="cpu:0", memory_used=(1 << 30) + number, memory_total=8 << 30, load=0.9))
            time.sleep(1 / pace)
    held.close()


if __name__ == "__main__":
    main()
