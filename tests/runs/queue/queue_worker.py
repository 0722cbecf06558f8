"""A process that works on a queue. argv: QUEUE SECONDS KILL; it kills itself at the KILL-th line of the program (0: never).

Its runs train nothing for SECONDS, or plain numbers where that is `numbers`.
"""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from seqdec_gui.runs import engine_choice
from seqdec_gui.runs.queue.place import ThisMachine
from seqdec_gui.runs.queue.scheduler import Scheduler
from seqdec_gui.runs.queue.store import Queue

CHILD = Path(__file__).with_name("queued_child.py")
FILES = ("scheduler.py", "store.py", "place.py", "process.py", "lock.py", "files.py")
"""The modules whose lines are counted: everything between the queue and the process of a run."""
engine_choice.missing = lambda *_: ""


def main(folder: str, seconds: str, kill: int) -> None:
    count = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        if Path(frame.f_code.co_filename).name not in FILES:
            return None
        if event == "line":
            count += 1
            if count == kill:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    numbers = (sys.executable, "-m", "tests.runner.plain_child")
    argv = numbers if seconds == "numbers" else (sys.executable, str(CHILD), seconds)
    scheduler = Scheduler(Queue(Path(folder)), ThisMachine(argv), poll_s=0.02)
    if kill:
        sys.settrace(trace)
    scheduler.work()
    sys.settrace(None)
    print(count)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
