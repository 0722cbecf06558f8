"""Stands in for the child of a probe. argv: MODE. Modes: measure, memory, killed, slow, slow_start, invalid."""

import os
import signal
import sys
import time

from seqdec_gui.domain.problems import Problem
from seqdec_gui.runs.measurement import Measurement
from seqdec_gui.runs.task_results import Probed, TaskFailed
from seqdec_gui.runs.tasks import Measured, Progress, TaskChannel

mode = sys.argv[1]
channel = TaskChannel()
task = channel.read_task()
channel.send(Progress(total=len(task.batch_sizes), text=f"{task.engine} on {task.devices}"))
if mode == "invalid":
    channel.send(TaskFailed(sentence="", problems=(Problem("error", "a", "data", "The rows are wrong."),), exit_status=2))
    sys.exit()
if mode == "slow_start":
    time.sleep(60)
for number, batch in enumerate(task.batch_sizes):
    if number == 1:
        if mode == "memory":
            raise MemoryError
        if mode == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if mode == "slow":
            time.sleep(60)
    step_s = 0.01 * batch / 64 / task.devices.replicas
    channel.send(Measured(measurement=Measurement(engine=task.engine, devices=task.devices, batch_size=batch, step_s=step_s)))
channel.send(Probed())
