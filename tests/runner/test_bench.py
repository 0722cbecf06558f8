"""The measurement beside peers: everybody trains the same model, the rows have their contract's fields, nobody is invented."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

from seqdec_gui.commands import bench, bench_chart, contenders
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.shapes import infer
from seqdec_gui.domain.validation import check
from seqdec_gui.runner.bench import work
from seqdec_gui.runs.environment import child_environment
from seqdec_gui.runs.spec import DeviceChoice, Placement

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"


def job(size: work.SizeName = "seed", **more: int) -> work.Job:
    return work.Job(size, DeviceChoice("cpu", 2), **({"per_device_batch": 8, "steps": 3, "epochs": 2} | more))


@pytest.mark.parametrize(
    ("size", "parameters"), [("seed", 232_214), ("smiles", 1_380_131), ("large", 9_548_317), ("translator", 56_436_544)]
)
def test_the_work_is_the_models_that_the_figures_are_about(size: work.SizeName, parameters: int) -> None:
    design = work.design(job(size))
    assert check(design).ok
    assert infer(design).parameters == parameters


def test_rows_repeat_and_lie_within_their_symbols() -> None:
    one, other = (work.arrays(work.SIZES["seed"], 50) for _ in range(2))
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name])
    assert one["inputs"].max() == 43
    assert one["targets"].max() == 21
    assert job().rows == 2 * 8 * 3


def test_rows_of_a_translator_have_no_padding_and_targets_are_a_step_ahead() -> None:
    rows = work.arrays(work.TRANSLATORS["tiny-translator"], 50)
    assert all(column.min() > 0 for column in rows.values())
    np.testing.assert_array_equal(rows["inputs"][:, 1:], rows["targets"][:, :-1])


def test_peers_that_have_not_written_a_model_are_left_out_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(contenders.contenders(job("tiny-translator"), "none", "prototype,torch-ddp,torch-graph")) == []
    assert capsys.readouterr().err.count("It is a stack of LSTMs") == 3


def test_unknown_engines_and_peers_are_named() -> None:
    with pytest.raises(InvalidInput, match="jax, tensorflow, got torch"):
        contenders.contenders(job(), "torch", "none")
    with pytest.raises(InvalidInput, match=r"keras-fit, torch-ddp, torch-graph, torch-compile, prototype, .*, got theano"):
        contenders.contenders(job(), "jax", "theano")


def test_who_fails_once_goes_on_and_who_fails_again_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: dict[str, int] = {"steady": 0, "moody": 0, "broken": 0}

    def contend(who: str) -> contenders.Contender:
        def measured(_: Path) -> work.Measured | None:
            tried[who] += 1
            fails = who == "broken" or (who == "moody" and tried[who] == 1)
            return None if fails else work.Measured(100.0, 1.0, 3.0)

        return measured

    monkeypatch.setattr(contenders, "contenders", lambda *_: {who: contend(who) for who in tried})
    monkeypatch.setattr(contenders, "peak", lambda *_: None)
    asked = SimpleNamespace(steps=3, precision="float32", engines="jax", peers="none", rounds=4)
    rows = bench.measure("tiny", 8, DeviceChoice("cpu"), asked)  # type: ignore[arg-type]
    assert tried == {"steady": 4, "moody": 4, "broken": 2}
    assert [(row.who, len(row.rounds)) for row in rows] == [("steady", 4), ("moody", 3)]


@pytest.mark.parametrize(
    ("peers", "found"),
    [
        ("keras-fit", ["keras-fit", "keras-fit:jax"]),
        ("keras-fit:tensorflow", ["keras-fit"]),
        ("prototype,keras-fit:jax", ["keras-fit:jax", "prototype"]),
    ],
)
def test_peers_are_asked_for_by_kind_or_by_name(peers: str, found: list[str]) -> None:
    assert list(contenders.contenders(job(), "none", peers)) == found


def test_nobody_takes_part_when_nobody_is_asked_for() -> None:
    assert contenders.contenders(job(), "none", "none") == {}


def test_a_chart_gives_every_row_a_bar_and_its_part_of_the_first_engine() -> None:
    rows = [
        {"who": who, "size": "seed", "per_device_batch": 64, "devices": "cpu", "samples_per_s": rate}
        for who, rate in (("keras-fit", 50.0), ("seqdec-gui:jax", 200.0), ("a<b", 100.0))
    ]
    drawn = ElementTree.fromstring(bench_chart.drawn(rows))
    texts = [text.text for text in drawn.iter(f"{SVG}text")]
    assert texts[0] == "seed, 64 rows per device, cpu"
    assert texts[1:] == [
        "keras-fit",
        "50 samples/s, 0.25",
        "seqdec-gui:jax",
        "200 samples/s, 1.00",
        "a<b",
        "100 samples/s, 0.50",
    ]
    widths = [float(bar.attrib["width"]) for bar in drawn.iter(f"{SVG}rect")]
    assert [width / widths[1] for width in widths] == [0.25, 1.0, 0.5]


@pytest.mark.slow
@pytest.mark.long
def test_everybody_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    file, chart = tmp_path / "rows.json", tmp_path / "rows.svg"
    command = [
        *(sys.executable, "-m", "seqdec_gui", "bench", "--size", "tiny", "--per-device-batch", "8", "--devices", "cpu:2"),
        *("--steps", "3", "--rounds", "1", "--engines", "jax", "--peers", "keras-fit,prototype", "--json", str(file)),
        *("--chart", str(chart)),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(file.read_text())
    assert [row["who"] for row in rows] == ["seqdec-gui:jax", "keras-fit", "keras-fit:jax", "prototype"], done.stderr
    for row in rows:
        assert (row["size"], row["devices"], row["per_device_batch"]) == ("tiny", "cpu:2", 8)
        assert row["samples_per_s"] > 0
        assert row["first_step_s"] > 0
        assert 0 < row["of_peak"] < 1
        assert row["loss"] == pytest.approx(rows[0]["loss"], rel=0.25)  # other first weights, the same data
    assert [text.text for text in ElementTree.parse(chart).iter(f"{SVG}text")][1::2] == [row["who"] for row in rows]
    assert "1.00x" in done.stdout


@pytest.mark.slow
@pytest.mark.long
def test_variants_differ_in_time_alone_but_for_those_that_are_apart(tmp_path: Path) -> None:
    names = ["float32", "float32-fixed1", "float32-apart", "float32-1", "float32-nonsense1"]
    wanted = json.dumps({"size": "tiny", "devices": {"kind": "cpu", "count": 2}, "per_device_batch": 8, "steps": 3})
    command = [sys.executable, "-m", "seqdec_gui.runner.bench.variants", wanted, str(tmp_path), *names]
    environment = child_environment(Placement(DeviceChoice("cpu", 2), "jax"), os.environ)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert list(found) == names
    assert "received nonsense1: change float32-nonsense1" in found["float32-nonsense1"]["error"]
    assert found["float32-fixed1"]["loss"] == pytest.approx(found["float32"]["loss"], abs=1e-5)
    assert found["float32-apart"]["loss"] != pytest.approx(found["float32"]["loss"], abs=1e-5)
    assert found["float32-1"]["samples_per_s"] > 0


def test_every_peer_has_a_module() -> None:
    for who, (module, _) in contenders.MODULES.items():
        assert (ROOT / "seqdec_gui/runner/bench" / f"{module}.py").is_file(), who


@pytest.mark.slow
def test_all_who_decode_with_a_transformer_make_the_same_tokens(tmp_path: Path) -> None:
    from seqdec_gui.runner.bench import translating
    from seqdec_gui.runner.bench.generate_work import GenerateJob

    job = GenerateJob("product", "tiny-translator", 9, DeviceChoice("cpu"))
    ours, theirs = (make(job, tmp_path)() for make in (translating.product, translating.keras_prefix))
    assert ours.shape == (9, 6)
    assert ours[:, : theirs.shape[1]].tolist() == theirs.tolist()
