import errno
import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import time
import zlib
from pathlib import Path

import msgspec
import pytest

from seqdec_gui.domain.bindings import IdsCodec, TextCodec
from seqdec_gui.runs import lock, process
from seqdec_gui.runs.checkpoint_file import head
from seqdec_gui.runs.events import Checkpoint, EventWriter, Finished, Stopped, decode
from seqdec_gui.runs.folder import RunFolder, list_runs
from seqdec_gui.runs.notes import Note, write_note
from seqdec_gui.runs.process import attach
from seqdec_gui.runs.reader import read_events

pytestmark = pytest.mark.slow

FAKE_CHILD = Path(__file__).parents[1] / "runs" / "fake_child.py"
PROGRAM = f"""
import sys
from seqdec_gui import cli
from seqdec_gui.runs import engine_choice, process
engine_choice.missing = lambda *_: ""
process.RUNNER = (sys.executable, {str(FAKE_CHILD)!r}, sys.argv[1])
sys.exit(cli.main(sys.argv[2:]))
"""


def wait_for(condition, timeout_s=15.0):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "the wait was in vain"
        time.sleep(0.02)


def test_train_prints_an_epoch_a_line_and_at_last_the_run(run_command, fake_runner, roman):
    fake_runner("finish")
    status, out, err = run_command("train", roman, "--devices", "cpu", "--engine", "tensorflow")
    lines = out.splitlines()
    assert status == 0
    assert lines[0] == "232,214 parameters on cpu:0 with tensorflow, 640 rows, 64 for validation, batch 64"
    assert lines[1] == "epoch 1/3  loss 1  val loss 2  1,234 samples/s"
    assert lines[-2] == "Finished after 3 epochs."
    run = Path(lines[-1].removeprefix("run: "))
    assert run.parent == roman.parent / "runs"
    assert run.name.endswith("-roman")
    assert err == ""


def test_train_with_json_writes_the_events(run_command, fake_runner, roman):
    fake_runner("finish")
    _, out, _ = run_command("train", roman, "--json", "--run", roman.parent / "here", "--devices", "cpu")
    *events, last = out.splitlines()
    assert [decode(line) for line in events] == read_events(RunFolder(roman.parent / "here"))
    assert last == f"run: {roman.parent / 'here'}"


def test_the_spec_holds_what_was_asked_for(run_command, fake_runner, roman, tmp_path):
    fake_runner("finish")
    data = tmp_path / "other.csv"
    data.write_text("n,r\n")
    numbers = ["--epochs", "70", "--batch-size", "62", "--seed", "5"]
    options = [*numbers, "--set", "training.learning_rate=0.5", "--devices", "cpu:2"]
    bindings = ["--bind", "number=n", "--bind", "decoder_inputs.output=r"]
    status, out, err = run_command("train", roman, "--run", tmp_path / "run", "--data", data, *options, *bindings)
    assert (status, err) == (0, "")
    spec = RunFolder(tmp_path / "run").read_spec()
    assert spec.data_file == str(data)
    training = spec.load_design().training
    assert (training.epochs, training.batch_size, training.seed, training.learning_rate) == (70, 62, 5, 0.5)
    assert {binding.column for binding in spec.load_design().data.bindings} == {"n", "r"}
    assert spec.placement.devices.count == 2
    assert "training.epochs=70" in spec.overrides
    assert "on cpu:0, cpu:1 with" in out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--batch-size", "63", "--devices", "cpu:2"], "Set it to 62 or 64."),
        (["--batch-size", "2", "--devices", "cpu:3"], "Set it to 3."),
        (["--devices", "gpu:99"], "gpu:99 does not exist"),
        (["--devices", "tpu"], "Expected devices as auto"),
        (["--data", "nowhere.csv"], "There is no data file"),
        (["--devices", ""], "Expected devices as auto"),
        (["--bind", "number"], "Expected PORT=COLUMN, received 'number'."),
        (["--bind", "numbr=x"], "Did you mean 'number'?"),
        (["--epochs", "many"], "Expected a whole number, received 'many'."),
        (["--epochs", "0"], "training.epochs: Expected a whole number >= 1, received '0'."),
        (["--initial", "nowhere"], "Expected a run folder"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_a_folder_is_made(run_command, fake_runner, roman, options, words):
    fake_runner("finish")
    status, out, err = run_command("train", roman, *options)
    assert (status, out) == (2, "")
    assert words in err
    assert not (roman.parent / "runs").exists()


def test_a_port_without_a_column_is_named(run_command, fake_runner, roman):
    fake_runner("finish")
    plain = json.loads(roman.read_text())
    plain["data"]["bindings"] = plain["data"]["bindings"][1:]
    plain["data"]["file"] = ""
    roman.write_text(json.dumps(plain))
    status, _, err = run_command("train", roman)
    assert status == 2
    assert "No column feeds this port. Bind one: --bind " in err
    assert "no data file" in err


@pytest.mark.parametrize(
    ("mode", "words"), [("exit3", "the last words"), ("segv", "SIGSEGV"), ("memory", "Main memory ran out")]
)
def test_a_run_that_dies_is_exit_1_with_a_sentence_and_still_names_its_folder(run_command, fake_runner, roman, mode, words):
    fake_runner(mode)
    status, out, err = run_command("train", roman, "--devices", "cpu")
    assert status == 1
    assert words in err
    assert out.splitlines()[-1].startswith("run: ")


def start_program(mode, *arguments):
    command = [sys.executable, "-c", PROGRAM, mode, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def begun(run):
    return lambda: run.events.exists() and run.events.stat().st_size > 500


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_interrupt_stops_and_saves(roman, tmp_path, number):
    run = RunFolder(tmp_path / "run")
    program = start_program("obey", "train", roman, "--run", run.path, "--devices", "cpu")
    wait_for(begun(run))
    program.send_signal(number)
    out, err = program.communicate(timeout=20)
    assert program.returncode == 130
    assert "press Ctrl-C again" in err
    assert out.splitlines()[-1] == f"run: {run.path}"
    assert isinstance(read_events(run)[-1], Stopped)


def test_two_interrupts_kill(roman, tmp_path):
    run = RunFolder(tmp_path / "run")
    program = start_program("deaf", "train", roman, "--run", run.path, "--devices", "cpu")
    wait_for(begun(run))
    program.send_signal(signal.SIGINT)
    wait_for(lambda: run.commands.exists())
    program.send_signal(signal.SIGINT)
    program.communicate(timeout=20)
    assert program.returncode == 130
    assert not attach(run).running()


def test_the_run_survives_its_terminal_and_is_followed_and_stopped_from_another(run_command, roman, tmp_path):
    run = RunFolder(tmp_path / "run")
    program = start_program("obey", "train", roman, "--run", run.path, "--devices", "cpu")
    wait_for(begun(run))
    program.kill()
    program.communicate(timeout=20)
    assert run.status().state == "running"
    follower = start_program("obey", "attach", run.path)
    status, out, _ = run_command("stop", run.path)
    assert (status, out.startswith("Stopped by the user in epoch ")) == (0, True)
    assert "epoch 1/3" in follower.communicate(timeout=20)[0]
    assert follower.returncode == 130


def test_leaving_an_attached_run_lets_it_go_on(roman, tmp_path):
    run = RunFolder(tmp_path / "run")
    detached = start_program("obey", "train", roman, "--run", run.path, "--devices", "cpu", "--detach")
    assert detached.communicate(timeout=20)[0] == f"run: {run.path}\n"
    follower = start_program("obey", "attach", run.path)
    follower.stdout.readline()
    follower.send_signal(signal.SIGINT)
    assert "the run goes on" in follower.communicate(timeout=20)[1]
    assert attach(run).running()
    attach(run).stop()
    assert attach(run).wait(10).state == "stopped"


def test_stopping_a_run_that_has_ended_says_how_it_ended(run_command, fake_runner, roman, tmp_path):
    fake_runner("finish")
    run_command("train", roman, "--run", tmp_path / "run", "--devices", "cpu")
    status, out, _ = run_command("stop", tmp_path / "run")
    assert (status, out) == (0, "The run is not running. Finished after 3 epochs.\n")
    assert run_command("attach", tmp_path / "run")[0] == 0


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="which files a process has open cannot be seen")
@pytest.mark.parametrize("options", [("--kill",), ("--grace", "0.2", "--terminate", "0.1")])
def test_stopping_a_run_whose_lock_an_unknown_process_holds_ends_with_what_to_do(
    options, run_command, fake_runner, roman, tmp_path, monkeypatch
):
    """Without an end the command would wait as long as the other process lives."""
    monkeypatch.setattr(process, "LAST_WAIT_S", 0.2)
    fake_runner("exit3")
    run_command("train", roman, "--run", tmp_path / "run", "--devices", "cpu")
    run = RunFolder(tmp_path / "run")
    for pid, host, words in ((1 << 22, socket.gethostname(), "so it was not signalled"), (7, "elsewhere", "end it there")):
        with lock.acquire(run.lock) as held:
            held.write(msgspec.structs.replace(held.read(), pid=pid, host=host))
            status, _, err = run_command("stop", run.path, *options)
        assert (status, err.startswith("The run still runs"), words in err) == (1, True, True)


def test_a_run_is_resumed_on_other_devices(run_command, fake_runner, roman, tmp_path):
    run = RunFolder(tmp_path / "run")
    fake_runner("exit3")
    run_command("train", roman, "--run", run.path, "--devices", "cpu")
    fake_runner("finish")
    status, out, _ = run_command("resume", run.path, "--devices", "cpu:2", "--epochs", "9")
    assert status == 0
    assert "on cpu:0, cpu:1" in out
    assert run.read_spec().resume is True
    assert run.read_spec().load_design().training.epochs == 9


@pytest.mark.parametrize(
    ("schedule", "last", "epochs", "warned"),
    [
        ("cosine", 0, 9, True),
        ("exponential", 0, 9, True),
        ("cosine", 4, 9, False),
        ("constant", 0, 9, False),
        ("cosine", 0, 5, False),
    ],
)
@pytest.mark.parametrize("options", [(), ("--detach",)])
def test_a_decay_that_is_planned_anew_is_said(
    run_command, fake_runner, roman, tmp_path, schedule, last, epochs, warned, options
):
    run = RunFolder(tmp_path / "run")
    fake_runner("exit3")
    settings = (f"training.schedule={schedule}", "training.final_learning_rate=1e-6", f"training.schedule_last_epoch={last}")
    run_command("train", roman, "--run", run.path, "--devices", "cpu", "--epochs", "5", *(f"--set={each}" for each in settings))
    fake_runner("finish")
    _, _, err = run_command("resume", run.path, "--epochs", str(epochs), *options)
    assert ("decay ended with epoch 5, the last one, and now ends with epoch 9" in err) is warned


def test_a_resumed_run_sums_up_what_was_there_and_prints_only_what_is_new(run_command, fake_runner, roman, tmp_path):
    run = RunFolder(tmp_path / "run")
    fake_runner("finish")
    run_command("train", roman, "--run", run.path, "--devices", "cpu")
    with run.events.open("ab") as file:
        file.write(b'{"type":"step","time":1.0,"epo')  # a crash left half a line, which the next start cuts off
    fake_runner("go_on")
    status, out, _ = run_command("resume", run.path)
    assert status == 0
    first, *epochs, end, _ = out.splitlines()
    assert first.endswith("batch 64, going on at epoch 3 of 5, last val loss 1")  # epoch 3 came after the checkpoint
    assert [line.partition("  ")[0] for line in epochs] == ["epoch 3/5", "epoch 4/5", "epoch 5/5"]
    assert end == "Finished after 5 epochs."
    out = run_command("attach", run.path)[1]
    assert [line.split()[1] for line in out.splitlines() if line.startswith("epoch")] == [
        "1/3",
        "2/3",
        "3/3",
        "3/5",
        "4/5",
        "5/5",
    ]
    assert "going on at epoch 3 of 5, last val loss 1\n" in out


def test_a_run_whose_checkpoint_is_gone_does_not_begin_anew_unasked(run_command, fake_runner, roman, tmp_path):
    run = RunFolder(tmp_path / "run")
    fake_runner("finish")
    run_command("train", roman, "--run", run.path, "--devices", "cpu")
    assert run_command("resume", run.path)[0] == 0  # it never wrote one
    with EventWriter(run.events) as events:
        events.write(Checkpoint(name="last", epoch=3, step=30, path="checkpoints/last.weights.h5"))
        events.write(Finished(epoch=3, step=30))
    before = run.events.read_bytes()
    status, out, err = run_command("resume", run.path)
    assert (status, out) == (2, "")
    assert err.endswith("last.weights.h5 to go on from, and it is gone. Restore it from a copy, or train anew.\n")
    assert "the checkpoint of epoch 3 at" in err
    content = b"what HDF5 would hold"
    run.checkpoint("last").write_bytes(head(0) + content)
    assert "last.weights.h5 is damaged" in run_command("resume", run.path)[2]
    assert run.events.read_bytes() == before
    assert run.status().state == "finished"
    run.checkpoint("best").write_bytes(head(zlib.crc32(content)) + content)
    assert run_command("resume", run.path)[0] == 0  # from the best weights
    assert run.events.read_bytes() != before


def test_runs_are_listed(run_command, fake_runner, roman):
    assert run_command("runs", roman.parent)[1].startswith("No runs in")
    fake_runner("finish")
    run_command("train", roman, "--devices", "cpu")
    fake_runner("exit3")
    run_command("train", roman, "--devices", "cpu")
    listed = json.loads(run_command("runs", roman.parent, "--json")[1])
    assert [entry["state"] for entry in listed] == ["finished", "crashed"]
    assert listed[0]["metrics"]["val_loss"] == pytest.approx(2 / 3)
    assert len(list_runs(roman.parent)) == 2
    out = run_command("runs", roman.parent)[1]
    assert "finished" in out
    assert "the last words" in out
    assert run_command("runs", roman.parent / "nowhere")[0] == 2


def test_every_run_is_listed_wherever_it_lies(run_command, fake_runner, roman, tmp_path, monkeypatch):
    fake_runner("finish")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run_command("runs", "--all")[1] == "No runs in any folder that is known.\n"
    run_command("train", roman, "--devices", "cpu")
    run_command("train", roman, "--devices", "cpu", "--run", tmp_path / "mine")
    beside, mine = json.loads(run_command("runs", "--all", "--json")[1])
    assert Path(beside["run"]).parent == roman.parent / "runs"
    assert (mine["run"], mine["missing"], mine["tags"]) == (str(tmp_path / "mine"), False, [])
    write_note(tmp_path / "mine", Note(name="the good one", tags=("good",)))
    (found,) = json.loads(run_command("runs", "--all", "--search", "#good", "--json")[1])
    assert (found["name"], found["tags"], found["best_epoch"]) == ("the good one", ["good"], found["last_epoch"])
    shutil.rmtree(tmp_path / "mine")
    assert [line.split()[1] for line in run_command("runs", "--all")[1].splitlines()] == ["state", "finished", "missing"]
    assert run_command("runs", roman.parent, "--all")[0] == 2
    assert run_command("runs", "--search", "x")[0] == 2


def test_a_terminal_shows_a_live_bar(roman, tmp_path):
    parent, child = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    run = RunFolder(tmp_path / "run")
    arguments = ("train", str(roman), "--run", str(run.path), "--devices", "cpu")
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "finish", *arguments], stdout=child, stderr=subprocess.PIPE, env=environment
    )
    os.close(child)
    shown = b""
    while True:
        try:
            data = os.read(parent, 65536)
        except OSError:
            break
        if not data:
            break
        shown += data
    os.close(parent)
    _, err = program.communicate(timeout=20)
    assert program.returncode == 0, err
    assert b"epoch 3/3" in shown
    assert b"loss 0.3333" in shown
    assert shown.rstrip().endswith(str(run.path).encode())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("export", "RUN", "--format", "pickle"),
            "available are h5, keras, keras2-h5, savedmodel, onnx, tflite, reinvent, bundle, script",
        ),
        (
            ("export", "RUN", "--format", "h5", "--part", "encodr"),
            "there are full, encoder, decoder, one-step, initial-states.",
        ),
        (("generate", "RUN", "--beam", "3", "--temperature", "1", "-o", "x"), "--beam and --temperature do not go together"),
        (("generate", "RUN", "--beam", "3", "-n", "4", "-o", "x"), "Expected n_best from 1 to 3, the width, received 4."),
        (("generate", "RUN", "--groups", "3", "-o", "x"), "--groups is for a beam search"),
        (("generate", "RUN", "--temperature", "0", "--top-k", "3", "-o", "x"), "always takes the likeliest symbol"),
        (("generate", "RUN", "--temperature", "0", "--unique", "-o", "x"), "Only samples can repeat"),
        (("generate", "RUN", "--input", "nowhere.csv", "-o", "x"), "nothing at nowhere.csv"),
        (("evaluate", "RUN", "--data", "nowhere.csv"), "nothing at nowhere.csv"),
        (("export", "nowhere", "--format", "h5"), "Expected a run folder"),
        (("evaluate", "RUN"), "either --data FILE or --split"),
        (("evaluate", "RUN", "--data", "a.csv", "--split", "test"), "either --data FILE or --split"),
        (("generate", "RUN", "--input", "-", "--split", "test", "-o", "x"), "--input or by --split, received both"),
    ],
)
def test_tasks_refuse_what_they_cannot_do(run_command, fake_runner, roman, tmp_path, arguments, words):
    fake_runner("finish")
    run = tmp_path / "run"
    run_command("train", roman, "--run", run, "--devices", "cpu")
    (run / "checkpoints" / "best.weights.h5").write_text("")
    status, _, err = run_command(*(run if argument == "RUN" else argument for argument in arguments))
    assert status == 2
    assert words in err


def test_options_of_codecs_are_set_after_columns_are_bound(run_command, fake_runner, roman, tmp_path):
    fake_runner("finish")
    options = ["--set", "number.codec.padding=right", "--set", "loss.codec.pad_id=0", "--bind", "loss=roman"]
    status, _, err = run_command("train", roman, "--run", tmp_path / "run", "--devices", "cpu", *options)
    assert (status, err) == (0, "")
    bindings = {binding.port: binding.codec for binding in RunFolder(tmp_path / "run").read_spec().load_design().data.bindings}
    assert (bindings["loss"], bindings["number.output"]) == (IdsCodec(0), TextCodec(padding="right"))
    status, _, err = run_command("train", roman, "--devices", "cpu", "--set", "nobody.codec.pad_id=0")
    assert (status, "No column is bound to 'nobody'" in err) == (2, True)


def test_export_says_what_the_file_takes(run_command, fake_runner, roman, tmp_path, monkeypatch):
    from seqdec_gui.commands import export
    from seqdec_gui.domain.scaling import Scaling
    from seqdec_gui.runs.task_results import Exported

    asked = []

    def do(task):
        asked.append(task)
        scaling = Scaling("latent", "input", (1.5, 0.0), (0.25, 1.0))
        return Exported(paths=(task.output,), difference=0.0, rows=3, standardised=() if task.raw_inputs else (scaling,))

    monkeypatch.setattr(export, "do_task", do)
    fake_runner("finish")
    run = tmp_path / "run"
    run_command("train", roman, "--run", run, "--devices", "cpu")
    (run / "checkpoints" / "best.weights.h5").write_text("")
    status, out, _ = run_command("export", run, "--format", "h5", "-o", tmp_path / "a.h5")
    assert status == 0
    assert "Input latent expects standardised numbers, (x - mean) / deviation: mean [1.5, 0], deviation [0.25, 1]." in out
    assert "--raw-inputs" in out
    status, out, _ = run_command("export", run, "--format", "h5", "-o", tmp_path / "a.h5", "--raw-inputs")
    assert "standardised" not in out
    assert [task.raw_inputs for task in asked] == [False, True]


def test_tasks_on_the_run_s_own_rows_say_how_many_it_trained_on(run_command, fake_runner, roman, tmp_path, monkeypatch):
    from seqdec_gui.commands import evaluate, generate
    from seqdec_gui.runs.task_results import Evaluated, Generated
    from seqdec_gui.runs.tasks import EvaluateTask

    asked, devices = [], []

    def do(task, device=None):
        asked.append(task)
        devices.append(device)
        if isinstance(task, EvaluateTask):
            return Evaluated(metrics={"loss": 0.5}, rows=3)
        Path(task.output).write_text("row,sample,text,log_probability\n0,0,\u00e4,-1.0\n", encoding="utf-8")
        return Generated(path=task.output, samples=1, preview=((0, 0, "\u00e4", -1.0),))

    monkeypatch.setattr(evaluate, "do_task", do)
    monkeypatch.setattr(generate, "do_task", do)
    fake_runner("finish")
    run = tmp_path / "run"
    run_command("train", roman, "--run", run, "--devices", "cpu")
    (run / "checkpoints" / "best.weights.h5").write_text("")
    assert run_command("evaluate", run, "--split", "validation")[0] == 0
    status, out, err = run_command("generate", run, "--split", "test", "-o", "-", "--devices", "cpu")
    assert devices == [None, "cpu"]
    assert (status, out, err) == (0, "row,sample,text,log_probability\n0,0,\u00e4,-1.0\n", "")
    assert [(task.split, task.trained_on) for task in asked] == [("validation", 640), ("test", 640)]
    assert not Path(asked[1].output).exists()


def test_a_short_job_computes_on_one_device(run_command, fake_runner, roman, tmp_path):
    fake_runner("finish")
    run = tmp_path / "run"
    run_command("train", roman, "--run", run, "--devices", "cpu")
    (run / "checkpoints" / "best.weights.h5").write_text("")
    for command in (("evaluate", run, "--split", "test"), ("generate", run, "--split", "test", "-o", tmp_path / "out.csv")):
        status, _, err = run_command(*command, "--devices", "cpu:2")
        assert status == 2
        assert "Expected one device for this, received cpu:2: choose one" in err


def test_a_run_without_a_checkpoint_says_so(run_command, fake_runner, roman, tmp_path):
    fake_runner("finish")
    run_command("train", roman, "--run", tmp_path / "run", "--devices", "cpu")
    status, _, err = run_command("export", tmp_path / "run", "--format", "h5")
    assert status == 2
    assert "no checkpoint 'best' yet. Finished after 3 epochs." in err


def test_a_run_that_cannot_be_started_leaves_no_folder(run_command, fake_runner, roman, monkeypatch):
    fake_runner("finish")
    monkeypatch.setattr("seqdec_gui.runs.spec.write", full_disk)
    status, _, err = run_command("train", roman, "--devices", "cpu")
    assert status == 1
    assert "No space left on device" in err
    assert not (roman.parent / "runs").exists()


def full_disk(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_the_second_train_into_a_folder_leaves_the_first_one_s_run_alone(run_command, roman, tmp_path, monkeypatch):
    """Both have found the folder empty before either started."""
    run = RunFolder(tmp_path / "run")
    first = start_program("obey", "train", roman, "--run", run.path, "--devices", "cpu")
    wait_for(begun(run))
    monkeypatch.setattr("seqdec_gui.runs.folder.create", lambda *_: run)
    status, _, err = run_command("train", roman, "--run", run.path, "--devices", "cpu")
    assert status == 1
    assert "is being used by process" in err
    attach(run).stop()
    assert "Stopped by the user" in first.communicate(timeout=20)[1]
    status, _, err = run_command("train", roman, "--run", run.path, "--devices", "cpu")
    assert status == 2
    assert "was started before: resume it" in err
    assert run.status().state == "stopped"


def test_a_refused_run_leaves_other_runs_alone(run_command, fake_runner, roman):
    fake_runner("finish")
    run_command("train", roman, "--devices", "cpu")
    fake_runner("invalid")
    assert run_command("train", roman, "--devices", "cpu")[0] == 2
    assert len(list_runs(roman.parent)) == 1


def test_warnings_of_a_watched_run_are_left_to_the_run(run_command, fake_runner, roman, tmp_path):
    fake_runner("finish")
    masked = ["--set", "encoder.embedding=4", "--set", "number.encoding=ids", "--set", "encoder.mask_padding=true"]
    watched = run_command("train", roman, "--devices", "cpu", *masked)
    detached = run_command("train", roman, "--devices", "cpu", *masked, "--detach")
    attach(RunFolder(detached[1].splitlines()[-1].removeprefix("run: "))).wait(10)
    assert (watched[0], detached[0]) == (0, 0)
    assert "cannot carry the mask" not in watched[2]
    assert "cannot carry the mask" in detached[2]


def test_how_a_file_is_read_can_be_set_and_what_was_guessed_is_told(run_command, fake_runner, roman, tmp_path):
    fake_runner("finish")
    (tmp_path / "rows.tsv").write_text("".join(f"{i}\tM\n" for i in range(700)))
    bound = (
        "--data",
        tmp_path / "rows.tsv",
        "--bind",
        "number=column 1",
        "--bind",
        "decoder_inputs=column 2",
        "--devices",
        "cpu",
    )
    _, out, err = run_command("train", roman, *bound, "--detach", "--set", "data.header=no")
    attach(RunFolder(out.splitlines()[-1].removeprefix("run: "))).wait(10)
    assert "looks like its other lines" not in err
    assert "holds the same value in all 700 rows: 'M'" in err
    status, out, err = run_command("train", roman, *bound, "--detach")
    assert "looks like its other lines, so it is read as a row" in err
    assert status == 0
    attach(RunFolder(out.splitlines()[-1].removeprefix("run: "))).wait(10)
    status, _, err = run_command("train", roman, *bound, "--set", "data.encoding=klingon")
    assert (status, "received 'klingon'" in err) == (2, True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--batch-size", "5000"), "A batch takes 5,000 rows"),
        (("--data", "{short}"), "is empty but for the names of its columns"),
    ],
)
def test_what_nobody_would_see_of_a_detached_run_is_found_before(run_command, fake_runner, roman, tmp_path, options, words):
    fake_runner("finish")
    short = tmp_path / "short.csv"
    short.write_text("number,roman\n")
    status, out, err = run_command("train", roman, "--devices", "cpu", "--detach", *(o.format(short=short) for o in options))
    assert (status, out) == (2, "")
    assert words in err
    assert list_runs(roman.parent) == []


def test_train_binds_unbound_ports_by_itself_where_that_is_clear_and_says_so(run_command, fake_runner, roman):
    fake_runner("finish")
    run_command("new", "sequence-to-sequence", "-o", roman.parent / "pairs.seqdec")
    lines = "".join(f"{number},{number + 1}\n" for number in range(1000, 1200))
    (roman.parent / "named.csv").write_text("src,tgt\n" + lines)
    options = ("--data", roman.parent / "named.csv", "--devices", "cpu", "--engine", "tensorflow")
    status, out, err = run_command("train", roman.parent / "pairs.seqdec", *options)
    assert status == 0, err
    assert err.splitlines() == [
        "source.output is bound to src: whole numbers of at most 4 digits; its name says that it is for this side.",
        "decoder.inputs is bound to tgt: whole numbers of at most 4 digits; its name says that it is for this side.",
    ]
    run = RunFolder(Path(out.splitlines()[-1].removeprefix("run: ")))
    bindings = run.read_spec().load_design().data.bindings
    assert {binding.port: binding.column for binding in bindings} == {"source.output": "src", "decoder.inputs": "tgt"}


def test_train_refuses_to_guess_and_proposes_in_the_hint(run_command, roman):
    run_command("new", "sequence-to-sequence", "-o", roman.parent / "pairs.seqdec")
    status, out, err = run_command(
        "train", roman.parent / "pairs.seqdec", "--data", roman.parent / "roman.csv", "--devices", "cpu"
    )
    assert (status, out) == (2, "")
    assert "--bind source.output=number or --bind source.output=roman" in err
