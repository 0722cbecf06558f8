"""A program with a warm worker, to be killed. argv: RUN [DATA]: with DATA the worker is given a task with it."""

import sys
import time
from pathlib import Path

from seqdec_gui.runs import workers
from seqdec_gui.runs.tasks import EvaluateTask, run_task, task_environment

workers._memory_left = lambda: 64 << 30
task = EvaluateTask(run=sys.argv[1], data=sys.argv[2])
kept = workers.Workers((sys.executable, str(Path(__file__).with_name("fake_worker.py"))))
kept.expect(task_environment(task)[0])
print(kept.waiting[0].process.pid, flush=True)
if task.data:
    run_task(task, workers=kept)
time.sleep(60)
