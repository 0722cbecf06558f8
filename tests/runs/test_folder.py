import shutil
import socket
import time

import msgspec
import pytest

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import folder, lock, spec
from seqdec_gui.runs.events import (
    Checkpoint,
    Epoch,
    EventWriter,
    Failed,
    Finished,
    Message,
    ParameterCount,
    Paused,
    Started,
    Step,
    Stopped,
)
from seqdec_gui.runs.folder import RunFolder, create, list_runs, open_run
from seqdec_gui.runs.spec import DeviceChoice, Placement, RunSpec

STARTED = Started(epochs=5, steps_per_epoch=10, batch_size=8, devices=("gpu:0", "gpu:1"), engine="jax", time=100.0)


@pytest.fixture
def run(tmp_path, run_spec):
    made = create(tmp_path / "run", None)
    spec.write(run_spec, made.spec)
    return made


def tell(run, *events, record=True):
    """Write events of a run that then died."""
    if record and not run.lock.exists():
        with lock.acquire(run.lock) as held:
            held.write(lock.record_of(run.path, pid=99999999))
    with EventWriter(run.events) as writer:
        for event in events:
            writer.write(event)


def test_a_run_goes_beside_its_design_and_gets_a_name_of_its_own(tmp_path):
    design = tmp_path / "my design (2).seqdec"
    now = time.mktime((2024, 2, 29, 13, 5, 9, 0, 0, -1))
    first, second = create(None, design, now), create(None, design, now)
    assert first.path == tmp_path / "runs" / "20240229-130509-my_design_2_"
    assert second.path == tmp_path / "runs" / "20240229-130509-my_design_2_-2"


def test_a_design_never_saved_has_its_runs_in_the_users_data_folder():
    made = create(None, None)
    assert "seqdec-gui/runs" in str(made.path)
    assert made.name.endswith("-untitled")


def test_a_folder_with_other_things_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(InvalidInput, match="not empty and holds no run"):
        create(tmp_path, None)


def test_a_folder_with_a_run_is_refused_and_resume_named(run):
    with pytest.raises(InvalidInput, match="already holds a run: resume it"):
        create(run.path, None)


def test_a_place_where_no_folder_can_be_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match=r"cannot be made at .*file"):
        create(tmp_path / "file", None)
    with pytest.raises(InvalidInput, match="cannot be made at"):
        create(None, tmp_path / "file" / "x.seqdec")


@pytest.mark.parametrize(("path", "words"), [("nothing", "no such folder"), (".", "a folder without spec.json")])
def test_what_is_no_run_is_not_opened(tmp_path, path, words):
    with pytest.raises(InvalidInput, match=words):
        open_run(tmp_path / path)


def test_a_run_never_started_is_unfinished(run):
    status = run.status()
    assert (status.state, status.text, status.ended) == ("unfinished", "The run was never started.", False)


@pytest.mark.parametrize(
    ("final", "state", "text"),
    [
        (Finished(epoch=5), "finished", "Finished after 5 epochs."),
        (Finished(epoch=1, reason="early_stopping"), "finished", "Finished after 1 epoch (early stopping)."),
        (Stopped(epoch=2, step=9), "stopped", "Stopped by the user in epoch 2."),
        (Stopped(epoch=1), "stopped", "Stopped by the user before the first step."),
        (Failed(kind="diverged", sentence="The loss is not finite."), "failed", "The loss is not finite."),
    ],
)
def test_a_final_event_is_the_state(run, final, state, text):
    tell(run, STARTED, final)
    assert (run.status().state, run.status().text, run.status().final) == (state, text, final)


def test_a_free_lock_without_a_final_event_is_a_crash(run):
    tell(run, STARTED, Step(epoch=1, step=3))
    assert run.status().state == "crashed"


def test_a_held_lock_is_a_running_run(run):
    tell(run, STARTED)
    with lock.acquire(run.lock):
        assert (run.status().state, run.status().text) == ("running", "Epoch 1 of 5.")
        tell(run, Epoch(epoch=2, step=20))
        assert run.status().text == "Epoch 2 of 5."
        tell(run, Paused(epoch=2, step=20))
        assert run.status().state == "paused"


def test_a_run_without_its_first_event_is_starting(run):
    with lock.acquire(run.lock) as held:
        held.write(lock.record_of(run.path, 1))
        assert (run.status().state, run.status().text) == ("running", "Starting.")


def test_a_run_of_another_host_is_not_called_crashed(run):
    tell(run, STARTED)
    record = lock.read_record(run.lock)
    with lock.acquire(run.lock) as held:
        held.write(msgspec.structs.replace(record, host="elsewhere"))
    assert run.status().state == "unfinished"
    assert "elsewhere" in run.status().text


def test_an_earlier_end_does_not_count_after_a_new_start(run):
    tell(run, STARTED, Stopped(epoch=1))
    with lock.acquire(run.lock) as held:
        held.write(lock.record_of(run.path, pid=99999999))
    assert run.status().state == "crashed"
    tell(run, STARTED, Finished(epoch=5))
    assert run.status().state == "finished"


def test_a_half_line_at_the_end_of_a_crashed_run_does_not_shift_the_next_start(run):
    tell(run, STARTED)
    with run.events.open("ab") as file:
        file.write(b'{"type":"step","ti')
    with lock.acquire(run.lock) as held:
        held.write(lock.record_of(run.path, pid=99999999))
    tell(run, STARTED, Finished(epoch=5))
    assert run.status().state == "finished"
    assert run.status().final.epoch == 5


def test_the_summary_has_the_last_figures(run):
    tell(
        run,
        msgspec.structs.replace(STARTED, parameters=ParameterCount(10, 9)),
        Step(epoch=1, step=5, metrics={"loss": 9.0}),
        Epoch(epoch=1, step=10, metrics={"loss": 2.0, "val_loss": 1.0}),
        Checkpoint(name="best", epoch=1, step=10, path="checkpoints/best.weights.h5", metrics={"val_loss": 1.0}),
        Epoch(epoch=2, step=20, metrics={"loss": 1.0, "val_loss": 3.0}),
        Checkpoint(name="last", epoch=2, step=20, path="checkpoints/last.weights.h5", metrics={"val_loss": 3.0}),
        Step(epoch=3, step=27, metrics={"loss": 7.0}),
        Finished(epoch=3, step=27, time=200.0),
    )
    summary = run.summary()
    assert summary.design == "roman"
    assert summary.metrics == {"loss": 1.0, "val_loss": 3.0}
    assert summary.best == {"val_loss": 1.0}
    assert (summary.epoch, summary.epochs, summary.step) == (3, 5, 27)
    assert (summary.started, summary.ended) == (100.0, 200.0)
    assert summary.devices == ("gpu:0", "gpu:1")
    assert summary.parameters.total == 10


def test_damaged_and_newer_runs_are_listed_as_unreadable(tmp_path, run, run_spec):
    spec.write(msgspec.structs.replace(run_spec, product_version="999.0"), run.spec)
    run.events.write_text('{"type": "teleported", "time": 1.0}\n')
    other = create(tmp_path / "other", None)
    other.spec.write_text("{")
    states = {summary.run: (summary.state, summary.text) for summary in list_runs(tmp_path)}
    assert states[str(run.path)][0] == "unreadable"
    assert "newer" in states[str(run.path)][1]
    assert states[str(other.path)][0] == "unreadable"
    assert run.status().state == "unreadable"


def test_what_is_left_of_a_run_is_listed_as_unreadable(tmp_path, run, run_spec):
    tell(run, STARTED, Finished(epoch=5))
    run.spec.unlink()
    assert [(summary.state, summary.design) for summary in list_runs(tmp_path)] == [("finished", run_spec.name)]
    assert "its copy is used" in list_runs(tmp_path)[0].text
    shutil.rmtree(run.copies)
    (tmp_path / "notes").mkdir()
    assert [(summary.run, summary.state) for summary in list_runs(tmp_path)] == [(str(run.path), "unreadable")]
    assert "spec.json" in list_runs(run.path)[0].text


@pytest.mark.parametrize("name", ["events", "lock"])
def test_a_run_whose_files_cannot_be_read_does_not_hide_the_others(tmp_path, run, run_spec, name):
    other = create(tmp_path / "other", None)
    spec.write(run_spec, other.spec)
    getattr(run, name).mkdir()
    states = {summary.run: (summary.state, summary.text) for summary in list_runs(tmp_path)}
    assert states[str(other.path)][0] == "unfinished"
    assert states[str(run.path)] == ("unreadable", f"{getattr(run, name)} cannot be read: is a directory.")
    assert run.status().state == "unreadable"


def test_only_a_folder_in_which_nothing_was_started_is_taken_back(run):
    with lock.acquire(run.lock) as held:
        folder.discard(run, started=False)
        assert run.exists
        held.write(lock.record_of(run.path, pid=99999999))
    folder.discard(run, started=False)
    assert run.exists
    folder.discard(run)
    assert not run.path.exists()
    again = create(run.path, None)
    folder.discard(again, started=False)
    assert not again.path.exists()


def test_runs_are_listed_from_a_folder_its_runs_and_itself(tmp_path, run_spec):
    design = tmp_path / "roman.seqdec"
    for created in (3.0, 1.0, 2.0):
        made = create(None, design)
        spec.write(msgspec.structs.replace(run_spec, created=created), made.spec)
    (tmp_path / "runs" / "notes").mkdir()
    assert [summary.created for summary in list_runs(tmp_path)] == [1.0, 2.0, 3.0]
    assert len(list_runs(tmp_path / "runs")) == 3
    assert len(list_runs(made.path)) == 1
    with pytest.raises(InvalidInput, match="Expected a folder"):
        list_runs(tmp_path / "nowhere")


def test_a_long_run_is_summed_up_quickly(run):
    tell(run, STARTED)
    line = b'{"type":"step","time":1.0,"metrics":{"loss":0.5,"token_accuracy":0.25},"epoch":1,"step":%d}\n'
    with run.events.open("ab") as file:
        file.writelines(line % number for number in range(50_000))
    began = time.perf_counter()
    assert run.summary().step == 49_999
    assert time.perf_counter() - began < 5


def test_a_spec_survives_the_file(tmp_path):
    original = RunSpec(
        design={"format": 1, "blocks": [{"id": "é", "position": [1.5, -2]}]},
        design_path="/a/b.seqdec",
        folder="/a",
        data_file="/a/x.csv",
        devices=DeviceChoice("gpu", gpus=(0, 3)),
        engine="jax",
        overrides=("training.epochs=3",),
        initial_run="/a/runs/1",
        initial_checkpoint="last",
        resume=True,
        placement=Placement(DeviceChoice("gpu", gpus=(0, 3)), "jax", "why"),
    )
    spec.write(original, tmp_path / "spec.json")
    assert spec.read(tmp_path / "spec.json") == original
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copies", "spec.json"]
    assert original.name == "b"
    assert msgspec.json.decode(original.design_text) == original.design


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("{", "damaged"),
        ("[]", "damaged"),
        ('{"format": 1}', "damaged"),
        ('{"format": 2, "design": {}, "teleport": true}', "upgrade"),
        ('{"format": 1, "design": {}, "teleport": true}', "teleport"),
        (b"\xff\xff", "damaged"),
    ],
)
def test_a_bad_spec_is_one_sentence(tmp_path, content, words):
    path = tmp_path / "spec.json"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InvalidInput, match=words) as raised:
        spec.read(path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("choice", "text", "names", "replicas"),
    [
        (DeviceChoice(), "auto", ("auto",), 1),
        (DeviceChoice("cpu"), "cpu", ("cpu:0",), 1),
        (DeviceChoice("cpu", count=2), "cpu:2", ("cpu:0", "cpu:1"), 2),
        (DeviceChoice("gpu", gpus=(0, 3)), "gpu:0,gpu:3", ("gpu:0", "gpu:3"), 2),
    ],
)
def test_a_device_choice_reads_as_it_is_written(choice, text, names, replicas):
    assert (str(choice), choice.names, choice.replicas) == (text, names, replicas)


def test_a_record_names_this_host(run):
    assert lock.record_of(run.path, 7).host == socket.gethostname()


def test_messages_do_not_end_a_run(run):
    tell(run, STARTED, Finished(epoch=5), Message(text="exported"))
    assert run.status().state == "finished"
    assert folder.RunFolder(run.path) == run
    assert RunFolder(run.path) in {run}
