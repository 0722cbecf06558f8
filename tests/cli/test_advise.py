import functools
import json
import sys
from pathlib import Path

import msgspec
import pytest

from seqdec_gui.commands.advise import parse_batches, row_of
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import certificate, probe
from seqdec_gui.runs.advice import Advice
from seqdec_gui.runs.certificate import Certificate
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.measurement import Measurement
from seqdec_gui.runs.spec import DeviceChoice, Placement, RunSpec, write
from seqdec_gui.runs.tasks import run_task

FAKE = Path(__file__).parents[1] / "runs" / "fake_probe.py"
CPU, TWO = DeviceChoice("cpu"), DeviceChoice("cpu", count=2)


@pytest.fixture
def fake_probe(monkeypatch):
    monkeypatch.setattr("seqdec_gui.runs.engine_choice.missing", lambda *_: "")

    def use(mode: str) -> None:
        monkeypatch.setattr(probe, "run_task", functools.partial(run_task, argv=(sys.executable, str(FAKE), mode)))

    return use


# -- advise
def test_advise_prints_a_table_and_one_sentence(run_command, fake_probe, roman):
    fake_probe("measure")
    status, out, err = run_command("advise", roman, "--devices", "cpu:2", "--batch", "64,256")
    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert lines[0].startswith("Engine jax. ")
    assert lines[1].split()[:4] == ["devices", "batch", "ms/step", "samples/s"]
    assert lines[2].split()[:5] == ["cpu", "64", "10", "6,400", "1.00x"]
    assert lines[5].split()[:5] == ["cpu:2", "256", "20", "12,800", "2.00x"]
    assert lines[-1] == "2 virtual CPU devices: 2x at every batch measured (64 to 256)."


def test_advise_as_json_is_the_advice(run_command, fake_probe, roman):
    fake_probe("memory")
    status, out, _ = run_command("advise", roman, "--devices", "cpu:2", "--batch", "64,256", "--engine", "jax", "--json")
    found = msgspec.json.decode(out, type=Advice)
    assert status == 0
    assert [one.failed for one in found.measurements] == ["", "out_of_memory", "", ""]
    assert found.sentence.endswith("Batch 256 runs out of memory on 2 virtual CPU devices.")


def test_advise_fails_where_nothing_could_be_measured(run_command, fake_probe, roman):
    fake_probe("slow_start")
    status, out, _ = run_command("advise", roman, "--devices", "cpu", "--batch", "64", "--budget", "0.2")
    assert status == 1
    assert "Batch 64 was not measured for want of time on the CPU." in out


@pytest.mark.parametrize(("text", "words"), [("63", "divide by 2 devices, received 63"), ("a,b", "as 256,2048"), ("0", "0")])
def test_batches_must_be_numbers_that_the_devices_share(text, words):
    with pytest.raises(InvalidInput, match=words):
        parse_batches(text, 2)
    assert parse_batches("256,64,64", 2) == (64, 256)
    assert parse_batches(None, 2) == ()


def test_cells_show_what_is_known_and_a_dash_for_what_is_not():
    gpu = DeviceChoice("gpu", gpus=(0,))
    one = Measurement(
        engine="jax", devices=gpu, batch_size=2048, step_s=0.0123, reduction_share=0.123, input_share=0.0, epoch_s=1234.5,
        peak_memory=3 << 29, cudnn_layers=1, recurrent_layers=2, compile_s=4.0,
    )  # fmt: skip
    advice = Advice(engine="jax", why="", devices=gpu, alone=gpu, batch_size=2048, measurements=(one,), sentence="")
    cells = ("gpu:0", "2,048", "12.3", "166,504", "1.00x", "12%", "0%", "1.50 GiB", "1 of 2", "4.0 s", "1,234.5 s")
    assert row_of(advice, one) == cells
    assert row_of(advice, msgspec.structs.replace(one, cudnn_layers=2))[8] == "yes"
    assert row_of(advice, msgspec.structs.replace(one, cudnn_layers=0))[8] == "own loops"
    assert row_of(advice, msgspec.structs.replace(one, cudnn_layers=0, engine="tensorflow"))[8] == "no"
    assert row_of(advice, msgspec.structs.replace(one, cudnn_layers=0, devices=DeviceChoice("cpu")))[8] == "-"
    assert row_of(advice, msgspec.structs.replace(one, step_s=1.1372))[2] == "1,140"
    for failed, words in (("out_of_memory", "out of memory"), ("time", "no time left"), ("other", "failed")):
        full = Measurement(engine="jax", devices=gpu, batch_size=64, failed=failed, failure="full")
        assert row_of(advice, full) == ("gpu:0", "64", words, *["-"] * 8)


# -- certify
@pytest.fixture
def verdict(monkeypatch):
    """Lets `certify` find this without training anything; gives what it was asked."""
    asked = []

    def use(**result):
        found = Certificate(
            **{
                "passed": True, "engine": "jax", "devices": TWO, "reference": CPU, "batch_size": 64, "steps": 5, "seed": 0,
                "data": "random", "data_reason": "The design has no data file.",
                "prediction_difference": 2e-8, "weight_difference": 1e-7,
                "metric_differences": {"loss": 1e-7, "loss/kl": None},
            }
            | result
        )  # fmt: skip

        def certify(design, folder, devices, **options):
            asked.append((design, folder, devices, options["engine"], options["steps"]))
            return found

        monkeypatch.setattr(certificate, "certify", certify)
        return asked

    return use


def test_a_passed_certificate_is_exit_0_and_one_sentence(run_command, verdict, roman):
    asked = verdict()
    status, out, err = run_command("certify", roman, "--devices", "cpu:2", "--steps", "3", "--engine", "jax")
    assert (status, err) == (0, "")
    assert out.splitlines()[-1].startswith("Equal: cpu:2 and cpu, jax")
    assert out.splitlines()[-2] == "Compared on random rows: The design has no data file."
    assert asked[0][1:] == (roman.parent, TWO, "jax", 3)


def test_a_failed_certificate_is_exit_1_with_culprit_and_repair(run_command, verdict, roman):
    repair = {"repair": "training.batch_statistics=global", "repair_text": "Set training.batch_statistics=global."}
    verdict(passed=False, prediction_difference=None, culprit="model_1", cause="its statistics differ.", **repair)
    status, out, _ = run_command("certify", roman, "--devices", "cpu:2")
    assert status == 1
    last = out.splitlines()[-1]
    assert "It begins in block model_1: its statistics differ." in last
    assert last.endswith("Set training.batch_statistics=global.")


def test_a_certificate_is_stored_in_the_run_whose_design_it_is_about(run_command, verdict, roman, tmp_path):
    asked = verdict()
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    design = json.loads(roman.read_text())
    write(RunSpec(design=design, folder=str(roman.parent), data_file=str(roman.parent / "roman.csv")), run.spec)
    status, out, _ = run_command("certify", "--run", run.path, "--devices", "cpu:2", "--json")
    assert status == 0
    assert certificate.read(run) == msgspec.json.decode(out, type=Certificate)
    assert asked[0][0].data.file == str(roman.parent / "roman.csv")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("certify",), "certify DESIGN, or certify --run RUN"),
        (("certify", "DESIGN", "--steps", "0"), "from 1 to 1,000,000, received '0'"),
        (("certify", "DESIGN", "--devices", "cpu"), "two or more devices"),
        (("certify", "DESIGN", "--devices", "cpu:2", "--run", "nowhere"), "Expected a run folder"),
        (("advise", "DESIGN", "--devices", "cpu:2", "--batch", "63"), "divide by 2 devices"),
        (("advise", "nowhere.seqdec"), "nowhere.seqdec"),
    ],
)
def test_what_cannot_be_measured_is_exit_2(run_command, roman, arguments, words):
    status, _, err = run_command(*(roman if argument == "DESIGN" else argument for argument in arguments))
    assert status == 2
    assert words in err


def test_a_runs_devices_and_engine_are_compared_unless_others_are_given(run_command, verdict, roman, tmp_path):
    asked = verdict()
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    write(RunSpec(design=json.loads(roman.read_text()), placement=Placement(TWO, "tensorflow")), run.spec)
    assert run_command("certify", "--run", run.path)[0] == 0
    assert run_command("certify", "--run", run.path, "--devices", "cpu:3", "--engine", "jax")[0] == 0
    assert [given[2:4] for given in asked] == [(TWO, "tensorflow"), (DeviceChoice("cpu", count=3), "jax")]


@pytest.mark.parametrize("command", ["certify", "advise", "check", "train"])
def test_a_runs_folder_is_no_design(command, run_command, roman, tmp_path):
    write(RunSpec(design=json.loads(roman.read_text())), tmp_path / "spec.json")
    status, _, err = run_command(command, tmp_path)
    assert status == 2
    assert "Expected a design file, received a run's folder. Give the file that it was trained from" in err
