import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from seqdec_gui import cli
from seqdec_gui.domain.document import load

ARCHETYPE = {"model_1": 8_192, "model_2": 224_022}


def test_the_archetype_has_its_published_parameters(run_command, tmp_path):
    design = tmp_path / "seed.seqdec"
    status, out, _ = run_command("new", "latent-to-sequence", "-o", design)
    assert status == 0
    assert "232,214 parameters" in out
    status, out, _ = run_command("check", design, "--json")
    report = json.loads(out)
    assert status == 0
    assert report["ok"] is True
    assert report["parameters"] == {"total": 232_214, "trainable": 230_678}
    assert {b["id"]: b["parameters"] for b in report["blocks"] if b["parameters"]} == ARCHETYPE
    assert [b["id"] for b in report["blocks"]] == ["latent", "decoder_inputs", "model_1", "model_2", "loss"]
    assert set(report["blocks"][0]) == {"id", "kind", "parameters", "trainable", "inputs", "outputs"}
    assert report["blocks"][2]["outputs"] == {"states": "states[LSTM 128, LSTM 128]"}


def test_new_sets_parameters_and_shows_what_no_longer_fits(run_command, tmp_path):
    design = tmp_path / "seed.seqdec"
    status, out, _ = run_command("new", "latent-to-sequence", "-o", design, "--set", "model_2.units=[64, 64]")
    assert status == 0
    assert "states[LSTM 64, LSTM 64]" in out
    assert load(design).block("model_2").parameters.units == (64, 64)


def test_new_never_replaces_a_file_unasked(run_command, tmp_path):
    design = tmp_path / "seed.seqdec"
    design.write_text("mine")
    status, _, err = run_command("new", "blank", "-o", design)
    assert (status, design.read_text()) == (2, "mine")
    assert "--force" in err
    assert run_command("new", "blank", "-o", design, "--force")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("latent-to-sequense",), "Did you mean 'latent-to-sequence'?"),
        (("latent-to-sequence", "--set", "model_2.unit=3"), "Did you mean 'units'?"),
        (("latent-to-sequence", "--set", "model_2"), "Expected block.parameter=value"),
    ],
)
def test_new_refuses_with_a_sentence_and_writes_nothing(run_command, tmp_path, arguments, words):
    status, _, err = run_command("new", *arguments, "-o", tmp_path / "x.seqdec")
    assert status == 2
    assert words in err
    assert list(tmp_path.iterdir()) == []


def test_every_template_is_listed_and_can_be_written_and_checked(run_command, tmp_path):
    _, out, _ = run_command("templates", "--json")
    names = [template["name"] for template in json.loads(out)]
    expected = (
        "latent-to-sequence sequence-to-sequence sequence-to-sequence-with-attention translator sequence-autoencoder "
        "image-to-sequence language-model conditional-language-model blank"
    )
    assert names == expected.split()
    assert all(name in run_command("templates")[1] for name in names)
    for name in names:
        assert run_command("new", name, "-o", tmp_path / f"{name}.seqdec")[0] == 0
        assert run_command("check", tmp_path / f"{name}.seqdec")[0] == (2 if name == "blank" else 0)


def test_check_lists_every_problem_and_exits_2(run_command, tmp_path):
    design = tmp_path / "x.seqdec"
    run_command("new", "latent-to-sequence", "-o", design, "--set", "model_2.units=64,64", "--set", "latent.width=7")
    plain = json.loads(design.read_text())
    plain["links"] = plain["links"][1:]
    design.write_text(json.dumps(plain))
    status, out, _ = run_command("check", design)
    assert status == 2
    assert "to mend before training" in out
    status, out, _ = run_command("check", design, "--json")
    assert status == 2
    report = json.loads(out)
    assert report["ok"] is False
    assert {"severity", "code", "where", "text", "hint"} == set(report["problems"][0])


@pytest.mark.parametrize("content", [None, "", "{", '{"format": 99}', '{"format": 1, "blocks": [{"id": "a", "kind": "lstn"}]}'])
def test_a_design_that_cannot_be_read_is_a_sentence_also_as_json(run_command, tmp_path, content):
    design = tmp_path / "x.seqdec"
    if content is not None:
        design.write_text(content)
    status, out, err = run_command("check", design)
    assert (status, out) == (2, "")
    assert err.strip()
    status, out, _ = run_command("check", design, "--json")
    report = json.loads(out)
    assert status == 2
    assert report["ok"] is False
    assert report["problems"]


def test_the_catalog_describes_every_kind(run_command):
    kinds = json.loads(run_command("catalog", "--json")[1])
    assert {"vector", "dense_states", "recurrent_decoder", "loss"} <= set(kinds)
    assert kinds["recurrent_decoder"]["parameters"][0].keys() >= {"name", "type", "default", "help"}
    assert "recurrent_decoder.units" in run_command("catalog", "recurrent_decoder")[1]
    assert run_command("catalog", "lstm")[0] == 2


def test_devices_are_listed_with_ids(run_command):
    devices = json.loads(run_command("devices", "--json")[1])["devices"]
    assert devices[0]["id"] == "cpu"
    assert devices[0]["cores"] >= 1
    assert run_command("devices")[1].startswith("device")


@pytest.mark.parametrize("command", [[], *([name] for name in cli.COMMANDS)])
def test_every_command_has_help(run_command, command):
    status, out, _ = run_command(*command, "--help")
    assert status == 0
    assert out.startswith("usage: seqdec-gui")


def test_bad_arguments_exit_2(run_command):
    assert run_command("train")[0] == 2
    assert run_command("train", "x", "--teleport")[0] == 2
    status, _, err = run_command("trian")
    assert status == 2
    assert "Did you mean 'train'?" in err
    assert run_command("--version") == (0, "seqdec-gui 0.1.0\n", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("generate", "RUN", "-o", "x", "-n", "0"), "argument -n: expected a whole number from 1 to 1,000,000, received '0'."),
        (("generate", "RUN", "-o", "x", "-n", "10000000000000000000000"), "from 1 to 1,000,000"),
        (("generate", "RUN", "-o", "x", "--seed", "-1"), "--seed: expected a whole number from 0 to 2,147,483,647"),
        (("generate", "RUN", "-o", "x", "--seed", "2147483648"), "from 0 to 2,147,483,647"),
        (("generate", "RUN", "-o", "x", "--beam", "0"), "--beam: expected a whole number from 1"),
        (("generate", "RUN", "-o", "x", "--temperature", "-0.1"), "--temperature: expected a number from 0 to"),
        (("generate", "RUN", "-o", "x", "--temperature", "nan"), "--temperature: expected a number from 0 to"),
        (("generate", "RUN", "-o", "x", "--temperature", "hot"), "received 'hot'."),
        (("train", "DESIGN", "--nice", "40"), "--nice: expected a whole number from 0 to 19, received '40'."),
        (("resume", "RUN", "--nice", "-1"), "--nice: expected a whole number from 0 to 19, received '-1'."),
        (("stop", "RUN", "--grace", "-5"), "--grace: expected a number from 0 to"),
        (("stop", "RUN", "--grace", "inf"), "--grace: expected a number from 0 to"),
        (("stop", "RUN", "--terminate", "nan"), "--terminate: expected a number from 0 to"),
        (("advise", "DESIGN", "--budget", "0"), "--budget: expected a number from 0.1 to"),
        (("certify", "DESIGN", "--steps", "0"), "--steps: expected a whole number from 1"),
        (("bench", "--rounds", "0"), "--rounds: expected a whole number from 1 to 1,000,"),
        (("bench", "--steps", "1.5"), "--steps: expected a whole number from 1"),
        (("bench", "--per-device-batch", "0"), "--per-device-batch: expected a whole number from 1"),
    ],
)
def test_numbers_outside_of_their_range_are_refused_before_anything_is_opened(run_command, arguments, words):
    status, out, err = run_command(*arguments)
    assert (status, out) == (2, "")
    assert words in err.splitlines()[-1]


def test_without_qt_the_window_is_one_sentence(tmp_path):
    code = "import sys; sys.modules['PyQt5'] = None; from seqdec_gui.cli import main; sys.exit(main([]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == "The window needs PyQt5: pip install 'seqdec-gui[gui]'. The commands work without.\n"


def test_without_a_screen_the_window_is_one_sentence(run_command, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    status, _, err = run_command()
    assert status == 2
    assert err.startswith("There is no screen for the window")


def test_a_name_that_is_no_text_in_the_locale_is_one_sentence(run_command, tmp_path):
    status, _, err = run_command("check", tmp_path / "d\udce4.seqdec")
    assert status == 2
    assert "Rename the file, or choose a UTF-8 locale" in err


def test_letters_that_the_terminal_lacks_are_no_reason_to_fail(tmp_path):
    code = "import sys; from seqdec_gui import cli; cli.main(['--version']); sys.stdout.write('ä→')"
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"seqdec-gui 0.1.0\n\xe4\\u2192")


@pytest.mark.parametrize("arguments", [("runs",), ("evaluate", "run", "--split", "test"), ("export", "run", "--format", "h5")])
def test_a_deleted_working_directory_is_one_sentence(run_command, tmp_path, monkeypatch, arguments):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    status, out, err = run_command(*arguments)
    assert (status, out) == (1, "")
    assert err == "The working directory has been deleted: change to a folder that exists (cd), and try again.\n"


def test_a_file_that_cannot_be_used_is_named(run_command, monkeypatch):
    def refused():
        raise OSError(errno.EIO, "Input/output error", "/proc/driver")

    monkeypatch.setattr("seqdec_gui.commands.devices.list_devices", refused)
    assert run_command("devices") == (1, "", "/proc/driver cannot be used: Input/output error.\n")


def test_a_bug_is_one_sentence_and_a_file_with_the_traceback(run_command, monkeypatch):
    def bug(*_):
        raise ZeroDivisionError("seven")

    monkeypatch.setattr("seqdec_gui.commands.devices.list_devices", bug)
    status, _, err = run_command("devices")
    assert status == 1
    (sentence,) = err.splitlines()
    path = Path(sentence.rpartition("the details are in ")[2].removesuffix("."))
    assert "ZeroDivisionError: seven" in path.read_text()


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    command = f"{sys.executable} -m seqdec_gui catalog | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
