"""Stands in for a warm worker: the real one without Keras. argv: SOCKET IDLE_S [MODE]; what a mode does is below."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from seqdec_gui.runner import task, worker
from seqdec_gui.runs.task_results import Evaluated, TaskFailed
from seqdec_gui.runs.tasks import EvaluateTask, Notice, TaskChannel

mode = os.environ.get("FAKE_WORKER", "")


def preload() -> None:
    print("said while importing", flush=True)
    if mode == "slow":
        time.sleep(1.5)
    elif mode == "dies":
        sys.exit(3)
    elif mode == "with_child":
        subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)


def answer() -> None:
    """Answer with what this process is like."""
    channel = TaskChannel()
    asked = channel.read_task()
    assert isinstance(asked, EvaluateTask)
    print("said while working", flush=True)
    channel.send(Notice(text=f"{os.getpid()} {os.getsid(0)} {Path.cwd()}"))
    if asked.data == "hang":
        Path(asked.run).with_name("hangs").write_text(str(os.getpid()))
        time.sleep(60)
    elif asked.data == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif asked.data == "wrong":
        channel.send(TaskFailed(sentence="That is no file.", exit_status=2))
    else:
        channel.send(Evaluated(metrics={}, rows=len(list(Path("/proc/self/fd").iterdir()))))
    channel.close()


worker.preload = preload
task.answer = answer
worker.exit_at_once(worker.main(sys.argv[1:]))
