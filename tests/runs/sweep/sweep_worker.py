"""A process that works on a sweep, or on the queue, with runs that train nothing. argv: sweep DIR SECONDS | queue SECONDS."""

import sys
from pathlib import Path

from seqdec_gui.runs import engine_choice
from seqdec_gui.runs.queue import worker
from seqdec_gui.runs.queue.place import ThisMachine
from seqdec_gui.runs.queue.scheduler import Scheduler
from seqdec_gui.runs.queue.store import Queue
from seqdec_gui.runs.sweep.controller import Controller
from seqdec_gui.runs.sweep.folder import open_sweep

CHILD = Path(__file__).with_name("swept_child.py")
engine_choice.missing = lambda *_: ""

if __name__ == "__main__":
    what, seconds = sys.argv[1], sys.argv[-1]
    if what == "queue":
        Scheduler(Queue(), ThisMachine((sys.executable, str(CHILD), seconds)), poll_s=0.05).work()
    else:
        worker.COMMAND = (sys.executable, __file__, "queue", seconds)
        sweep = open_sweep(sys.argv[2])
        with sweep.alone():
            Controller(sweep, poll_s=0.05).work()
