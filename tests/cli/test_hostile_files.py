"""Designs and runs of foreign origin at the command line: nothing of them is executed, and nothing commands the terminal."""

import json
import os
from pathlib import Path

import msgspec
import numpy as np
import pytest

from seqdec_gui.commands.progress import LiveBar
from seqdec_gui.domain.document import load, save, to_builtins
from seqdec_gui.domain.wording import printable
from seqdec_gui.runs.events import Epoch, EventWriter, Failed, Message, Started
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.lock import LockRecord
from seqdec_gui.runs.spec import DeviceChoice, RunSpec, write
from tests.domain.designs import archetype, block, design

ESCAPES = "\x1b[2J\x1b]0;title\x07\x9b31m\r\u202e"
PAYLOAD = 'x"]; open("pwned", "w") #\''


def commands_terminal(text: str) -> bool:
    return any(letter in text for letter in "\x1b\x07\x9b\r\u202e")


def foreign_run(folder: Path) -> RunFolder:
    """A run that crashed, with escape sequences in every text that its files hold."""
    run = RunFolder(folder / f"run{ESCAPES[:4]}")
    run.path.mkdir()
    spec = RunSpec(
        design=to_builtins(archetype()), design_path=f"/x/{ESCAPES}.seqdec", initial_run=ESCAPES, devices=DeviceChoice("cpu")
    )
    write(spec, run.spec)
    run.lock.write_bytes(msgspec.json.encode(LockRecord(1, f"elsewhere{ESCAPES}", 0.0)) + b"\n")
    with EventWriter(run.events) as events:
        events.write(Started(epochs=2, steps_per_epoch=1, batch_size=1, devices=(ESCAPES,), engine=f"[red]{ESCAPES}"))
        events.write(Epoch(epoch=1, step=1, metrics={f"loss{ESCAPES}": 1.0}))
        events.write(Message(text=f"[link=file:///etc]{ESCAPES}", severity="warning"))
        events.write(Failed(kind="crashed", sentence=f"Broken{ESCAPES}", details=ESCAPES))
    return run


@pytest.mark.parametrize(
    ("name", "options"),
    [("runs", []), ("runs", ["--json"]), ("attach", []), ("attach", ["--json"]), ("stop", []), ("resume", [])],
)
def test_texts_of_a_run_do_not_command_the_terminal(name, options, run_command, tmp_path):
    run = foreign_run(tmp_path)
    _, out, err = run_command(name, tmp_path if name == "runs" else run.path, *options)

    assert out + err
    assert not commands_terminal(out + err)
    if name == "runs" and options:
        assert json.loads(out)[0]["text"] == f"Broken{ESCAPES}"


def test_message_of_an_export_does_not_command_the_terminal(run_command, tmp_path):
    status, _, err = run_command("export", foreign_run(tmp_path).path, "--format", "h5", "-o", tmp_path / "x.h5")

    assert status == 2
    assert "has no checkpoint" in err
    assert not commands_terminal(err)


def test_names_of_a_design_do_not_command_the_terminal(run_command, tmp_path):
    path = tmp_path / "a.seqdec"
    save(archetype().renamed("latent", f"latent{ESCAPES}"), path)
    for options in ([], ["--json"]):
        status, out, err = run_command("check", path, *options)
        assert status == 2
        assert not commands_terminal(out + err)
    assert json.loads(out)["blocks"][0]["id"] == f"latent{ESCAPES}"


def test_live_bar_shows_markup_as_text(capsys):
    bar = LiveBar()
    bar.show(Started(epochs=2, steps_per_epoch=1, batch_size=1, devices=("[red]cpu[/red]",), engine=":smile:"))
    bar.show(Message(text="[link=file:///etc]here[/link] \x1b[2J :smile:"))
    bar.close()
    out = capsys.readouterr().out

    assert "[red]cpu[/red]" in out
    assert ":smile:" in out
    assert "[link=file:///etc]here[/link]" in out
    assert "\x1b[2J" not in out


def test_control_characters_are_written_as_in_json():
    assert printable("a\n\tb\x1b[0m\x7f\u202e") == "a\n\tb\\u001b[0m\\u007f\\u202e"
    assert printable("a\n\tb", one_line=True) == "a\\n\\tb"
    assert printable("größe 氏 \U0001f600 a\u00a0b") == "größe 氏 \U0001f600 a\u00a0b"


@pytest.mark.parametrize("file", ["m.py", "m.keras\n.py", 'm.h5"', "m", "m.\x00keras", f"{'m' * 300}.keras"])
def test_file_that_is_no_keras_file_is_refused(file, run_command, tmp_path):
    path = tmp_path / "a.seqdec"
    trained = block("trained", "keras_model", file=file, model_inputs=[{"name": "x", "shape": [3]}],
                    model_outputs=[{"name": "y", "shape": [3]}])  # fmt: skip
    links = ["numbers.output -> trained.x", "trained.y -> loss.predictions"]
    loss = block("loss", "loss", loss="mean_squared_error", metrics=[])
    save(design([block("numbers", "vector", width=3), trained, loss], links), path)
    (tmp_path / "m.py").write_text(f"open({str(tmp_path / 'pwned')!r}, 'w')")
    status, out, _ = run_command("check", path)
    trained_status, _, err = run_command("train", path, "--devices", "cpu", "--engine", "tensorflow")

    assert (status, trained_status) == (2, 2)
    assert "trained.file: expected" in out
    assert "trained.file: expected" in err
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("file", ["~nobody-of-this-name/x.csv", "x\0.csv", f"{'x' * 300}.csv", "pipe.csv", "pipe.npz"])
def test_data_file_that_cannot_be_one_is_refused_in_a_sentence(file, run_command, roman, tmp_path):
    for name in ("pipe.csv", "pipe.npz"):
        os.mkfifo(tmp_path / name)
    wanted = load(roman)
    save(wanted.with_data(msgspec.structs.replace(wanted.data, file=file)), roman)
    status, _, err = run_command("train", roman, "--devices", "cpu", "--engine", "tensorflow")

    assert status == 2
    assert "data" in err
    assert "bug" not in err


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_design_with_code_in_its_strings_is_trained_measured_and_exported_as_text(run_command, tmp_path, monkeypatch):
    """Real children: an imported model whose port is called like code, and blocks called like functions of the script."""
    import keras

    monkeypatch.chdir(tmp_path)
    inputs = keras.Input((3,))
    keras.Model(inputs, keras.layers.Dense(3)(inputs)).save(tmp_path / "m.keras")
    np.savez(tmp_path / "rows.npz", numbers=np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32))
    wanted = design(
        [
            block("numbers", "vector", width=3),
            block("match", "keras_model", file="m.keras", model_inputs=[{"name": PAYLOAD, "shape": [3]}],
                  model_outputs=[{"name": PAYLOAD, "shape": [3]}], parameter_count=12, trainable_count=12),
            block("build_match", "layer_stack", layers=[{"layer": "Dense", "units": 3}]),
            block("loss", "loss", loss="mean_squared_error", metrics=[]),
        ],
        ["build_match.outputs -> loss.predictions"],
    )  # fmt: skip
    plain = to_builtins(wanted)
    plain["links"] += [
        {"from": "numbers.output", "to": f"match.{PAYLOAD}"},
        {"from": f"match.{PAYLOAD}", "to": "build_match.inputs"},
    ]
    plain["data"] = {
        "file": "rows.npz",
        "bindings": [{"port": "numbers", "column": "numbers"}, {"port": "loss", "column": "numbers"}],
    }
    plain["training"] = {"epochs": 1, "batch_size": 16}
    path = tmp_path / "a.seqdec"
    path.write_text(json.dumps(plain))
    where = ("--devices", "cpu", "--engine", "tensorflow")

    status, _, err = run_command("train", path, "--run", tmp_path / "run", *where)
    assert status == 0, err
    status, _, err = run_command("advise", path, *where, "--batch", "16", "--budget", "20")
    assert status == 0, err
    status, _, err = run_command("export", tmp_path / "run", "--format", "script", "-o", tmp_path / "exported.py")
    assert status == 0, err
    assert "build_match_" in (tmp_path / "exported.py").read_text()
    assert not list(tmp_path.rglob("pwned"))
    assert not Path("pwned").exists()
