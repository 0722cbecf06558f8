"""Every job of a queue is run once, whatever is killed: schedulers at any line, at random moments, and the runs."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from seqdec_gui.domain import document
from seqdec_gui.runs import lock, process, spec
from seqdec_gui.runs.events import Epoch, Started
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.queue.store import Queue
from seqdec_gui.runs.salvage import events_of
from seqdec_gui.runs.spec import DeviceChoice, RunSpec
from tests.runner import designs

WORKER = Path(__file__).with_name("queue_worker.py")
DESIGN = {"format": 1, "blocks": [], "links": [], "training": {"epochs": 1}}


def waiting_run(folder: Path, name: str) -> RunFolder:
    run = RunFolder(folder / name)
    run.path.mkdir(parents=True)
    spec.write(RunSpec(design=DESIGN, devices=DeviceChoice("cpu"), engine="tensorflow"), run.spec)
    return run


def run_of_numbers(folder: Path, name: str, data: Path) -> RunFolder:
    """A run of a few steps that trains plain numbers: everything but the framework."""
    run = RunFolder(folder / name)
    run.path.mkdir(parents=True)
    bound = designs.bound(designs.noisy(), data, batch_size=12, epochs=2, learning_rate=1e-2)
    asked = RunSpec(
        design=document.to_builtins(bound), data_file=str(data), devices=DeviceChoice("cpu"), engine="tensorflow",
        report_every_s=0.05, checkpoint_every_s=0.05,
    )  # fmt: skip
    spec.write(asked, run.spec)
    return run


def begins(run: RunFolder) -> int:
    return len(events_of(run.events, Started))


def curve(run: RunFolder) -> list[tuple[int, float | None]]:
    return [(event.step, event.metrics["val_loss"]) for event in events_of(run.events, Epoch)]


def worker(queue: Queue, kill: int = 0, seconds: str = "0") -> subprocess.Popen[str]:
    command = [sys.executable, str(WORKER), str(queue.path), seconds, str(kill)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def work_to_the_end(queue: Queue, seconds: str = "0") -> None:
    process = worker(queue, seconds=seconds)
    said = process.communicate(timeout=600)
    assert process.returncode == 0, said


def starts(run: RunFolder) -> int:
    file = run.path / "starts.txt"
    return len(file.read_text().splitlines()) if file.exists() else 0


def let_end(runs: list[RunFolder]) -> None:
    for run in runs:
        end = time.monotonic() + 30
        while lock.is_held(run.lock) and time.monotonic() < end:
            time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_scheduler_killed_at_any_line_starts_no_run_twice_and_forgets_none(tmp_path: Path) -> None:
    trial = Queue(tmp_path / "trial")
    trial.add(waiting_run(tmp_path / "trial" / "runs", "run"), DeviceChoice("cpu"))
    whole = worker(trial, kill=1_000_000)
    lines = int(whole.communicate(timeout=60)[0])
    assert lines > 200
    drawn = random.Random(5)
    places = sorted({1, *(drawn.randrange(2, lines) for _ in range(60))})
    for line in places:
        queue = Queue(tmp_path / f"queue{line}")
        run = waiting_run(queue.path / "runs", "run")
        queue.add(run, DeviceChoice("cpu"))
        killed = worker(queue, kill=line)
        killed.communicate(timeout=60)
        assert killed.returncode in (-signal.SIGKILL, 0)
        work_to_the_end(queue)
        let_end([run])
        assert (line, starts(run), run.status().state) == (line, 1, "finished")
        (job,) = queue.read().jobs
        assert job.outcome == "finished", line


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twenty_jobs_are_run_once_while_schedulers_and_runs_are_killed(tmp_path: Path) -> None:
    queue, drawn = Queue(tmp_path / "queue"), random.Random(3)
    queue.set_cpu_runs(3)
    data = designs.write_rows(tmp_path, 240)
    runs = [run_of_numbers(tmp_path / "runs", f"run{number}", data) for number in range(20)]
    for run in runs[:10]:
        queue.add(run, DeviceChoice("cpu", count=drawn.choice((1, 1, 2))))
    adding = threading.Thread(target=lambda: [queue.add(run, DeviceChoice("cpu")) for run in runs[10:]])
    adding.start()
    hurt: set[str] = set()
    for _ in range(12):
        working = [worker(queue, seconds="numbers") for _ in range(2)]  # one of them gets the lock
        time.sleep(drawn.uniform(0.2, 4.0))
        for each in working:
            each.kill()
            each.communicate()
        going = [run for run in runs if process.attach(run).pid and begins(run)]
        if going and len(hurt) < 5 and drawn.random() < 0.6:
            victim = process.attach(drawn.choice(going))
            if (pid := victim.pid) is not None:
                os.kill(pid, signal.SIGKILL)
                hurt.add(victim.run.name)
    adding.join()
    let_end(runs)
    work_to_the_end(queue, "numbers")
    state = queue.read()
    assert sorted(job.name for job in state.jobs) == sorted(run.name for run in runs)
    for run in runs:
        assert (run.name, begins(run)) == (run.name, 1)
        job = next(job for job in state.jobs if job.name == run.name)
        assert job.outcome in (("crashed", "finished") if run.name in hurt else ("finished",)), (run.name, job)
        assert job.outcome == run.status().state
        assert job.outcome == "finished" or job.text
    finished = [run for run in runs if run.status().state == "finished"]
    assert len(finished) >= 15
    assert all(curve(run) == curve(finished[0]) != [] for run in finished)


def test_two_programs_change_one_queue_and_nothing_is_lost(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "queue")
    runs = [waiting_run(tmp_path / "runs", f"run{number}") for number in range(24)]
    code = (
        "import sys\nfrom pathlib import Path\nfrom seqdec_gui.runs.folder import RunFolder\n"
        "from seqdec_gui.runs.queue.store import Queue\nfrom seqdec_gui.runs.spec import DeviceChoice\n"
        "queue = Queue(Path(sys.argv[1]))\n"
        "for name in sys.argv[2:]: queue.add(RunFolder(name), DeviceChoice('cpu')); queue.move(name, 0)\n"
    )
    many = [
        subprocess.Popen([sys.executable, "-c", code, str(queue.path), *(str(run.path) for run in runs[part::3])])
        for part in range(3)
    ]
    for each in many:
        assert each.wait(60) == 0
    assert sorted(job.run for job in queue.read().jobs) == sorted(str(run.path) for run in runs)
