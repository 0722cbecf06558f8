import importlib.metadata
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest

from seqdec_gui.domain.decoding import Sampling
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runs import devices, engine_choice, jax_environment
from seqdec_gui.runs.devices import Device
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.spec import DeviceChoice, Placement, RunSpec
from seqdec_gui.runs.spec import write as write_spec
from seqdec_gui.runs.task_results import Evaluated
from seqdec_gui.runs.tasks import (
    Cancelled,
    EvaluateTask,
    ExportTask,
    GenerateTask,
    InspectTask,
    Notice,
    Progress,
    Task,
    run_task,
)

FAKE_TASK = Path(__file__).with_name("fake_task.py")
TASK = EvaluateTask(run="/run", data="/data.csv")


def do(mode, **options):
    return run_task(TASK, argv=(sys.executable, str(FAKE_TASK), mode), **options)


def test_a_child_that_is_slow_to_die_does_not_hold_up_its_result(monkeypatch):
    reaped = []
    wait = subprocess.Popen.wait

    def slowly(child, timeout=None):
        if timeout is not None:
            raise subprocess.TimeoutExpired(child.args, timeout)
        time.sleep(0.5)
        reaped.append(wait(child))

    monkeypatch.setattr(subprocess.Popen, "wait", slowly)
    assert do("done").rows == 7
    assert reaped == []
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "wait for a killed task"]
    thread.join(20)
    assert reaped == [-signal.SIGKILL]


def test_a_task_on_gpus_compiles_in_haste(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "0.11.2")
    told = []
    do("flags", on_event=told.append, devices=DeviceChoice("gpu", gpus=(0, 1)), engine="jax")
    assert jax_environment._FEW_TILINGS in told[-1].text.split()


@pytest.mark.parametrize(("gpus", "expected"), [((0, 1), ["jax", "1", "0"]), ((0,), ["tensorflow", "-1", ""])])
def test_an_evaluation_takes_the_gpu_of_its_run_and_says_where_it_cannot(gpus, expected, tmp_path, monkeypatch):
    listed = tuple(Device(f"gpu:{i}", "gpu", "a GPU") for i in gpus)
    monkeypatch.setattr(devices, "list_devices", lambda: listed)
    monkeypatch.setattr(engine_choice, "find_spec", lambda name: object())
    placement = Placement(DeviceChoice("gpu", gpus=(1,)), "jax")
    write_spec(RunSpec(design={}, placement=placement), RunFolder(tmp_path).spec)
    told = []
    task = EvaluateTask(run=str(tmp_path))
    run_task(task, told.append, argv=(sys.executable, str(FAKE_TASK), "devices"))
    assert told[-1].text.split(",") == expected
    assert ("computed on the CPU" in told[0].text) == (expected[1] == "-1")


@pytest.mark.parametrize(
    "task",
    [
        TASK,
        ExportTask(run="/run", format="h5", output="/x.h5", part="model_1", checkpoint="last"),
        GenerateTask(run="/run", output="/x.csv", rows=({"latent": [1.0, 2.0], "name": "x"},), count=3, strategy=Sampling(0.5)),
        InspectTask(path="/x.keras"),
    ],
    ids=lambda task: type(task).__name__,
)
def test_tasks_survive_the_line(task):
    assert msgspec.json.decode(msgspec.json.encode(task), type=Task) == task


def test_a_result_comes_at_once_and_progress_before_it():
    seen = []
    began = time.monotonic()
    result = do("done", on_event=seen.append)
    assert result == Evaluated(metrics={"loss": None, "accuracy": 0.5}, rows=7)
    assert seen == [Progress(done=1, total=2, text="EvaluateTask"), Notice(text="tensorflow")]
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("mode", "error", "words"),
    [
        ("fail", SeqdecError, "It cannot be done."),
        ("invalid", InvalidInput, "x: First.\ny: Second."),
        ("bug", SeqdecError, "Main memory ran out"),
        ("segv", SeqdecError, "The job crashed (SIGSEGV)."),
        ("garbage", SeqdecError, "where a result was expected"),
        ("grandchild", SeqdecError, "The job ended with exit status 4"),
    ],
)
def test_a_failed_task_is_the_childs_sentence_or_how_it_died(mode, error, words):
    with pytest.raises(error) as raised:
        do(mode)
    assert words in str(raised.value)
    assert raised.value.exit_status == error.exit_status


def test_a_task_can_be_given_up():
    began = time.monotonic()
    with pytest.raises(Cancelled):
        do("slow", cancelled=lambda: time.monotonic() - began > 0.5)
    assert time.monotonic() - began < 5


def test_a_cancelled_export_leaves_nothing_beside_its_file(tmp_path):
    (tmp_path / ".seqdec-gui-1-of-another").mkdir()
    begun = []
    task = ExportTask(run="/r", format="keras", output=str(tmp_path / "m.keras"))
    with pytest.raises(Cancelled):
        run_task(
            task,
            on_event=lambda event: begun.append(event),
            cancelled=lambda: len(begun) == 3,
            argv=(sys.executable, str(FAKE_TASK), "exports"),
        )
    assert [path.name for path in tmp_path.iterdir()] == [".seqdec-gui-1-of-another"]
