"""Stands in for the task process. argv: MODE, one of those below; each answers, fails or dies in its own way."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from seqdec_gui.domain.problems import Problem
from seqdec_gui.runs.export_scratch import scratch_prefix
from seqdec_gui.runs.task_results import Evaluated, TaskFailed
from seqdec_gui.runs.tasks import Notice, Progress, TaskChannel

mode = sys.argv[1]
channel = TaskChannel()
task = channel.read_task()
print("chatter of Python")
os.system("echo chatter of C")
channel.send(Progress(done=1, total=2, text=type(task).__name__))
channel.send(Notice(text=os.environ["KERAS_BACKEND"]))
if mode == "done":
    channel.send(Evaluated(metrics={"loss": float("nan"), "accuracy": 0.5}, rows=7))
    time.sleep(60)  # a framework that is slow to go must not hold up the result
elif mode == "flags":
    channel.send(Notice(text=os.environ.get("XLA_FLAGS", "")))
    channel.send(Evaluated(metrics={}, rows=0))
elif mode == "devices":
    names = ("KERAS_BACKEND", "CUDA_VISIBLE_DEVICES", "NVIDIA_TF32_OVERRIDE")
    channel.send(Notice(text=",".join(os.environ.get(name, "") for name in names)))
    channel.send(Evaluated(metrics={}, rows=0))
elif mode == "fail":
    channel.send(TaskFailed(sentence="It cannot be done.", details="Traceback ..."))
elif mode == "invalid":
    problems = (Problem("error", "a", "x", "First."), Problem("error", "b", "y", "Second."))
    channel.send(TaskFailed(sentence="", problems=problems, exit_status=2))
elif mode == "bug":
    raise MemoryError
elif mode == "segv":
    os.kill(os.getpid(), signal.SIGSEGV)
elif mode == "garbage":
    os.write(channel._out, b"Epoch 1/3\n")
    time.sleep(60)
elif mode == "grandchild":
    subprocess.Popen(["sleep", "60"], pass_fds=(channel._out,))
    os._exit(4)
elif mode == "exports":
    folder = Path(task.output).parent / f"{scratch_prefix(os.getpid())}x"
    folder.mkdir()
    (folder / "model.keras").touch()
    channel.send(Progress(text="half"))
    time.sleep(60)
elif mode == "slow":
    time.sleep(60)
