"""Bundles: what is generated from one is what the run generates, and a hostile one does nothing."""

from __future__ import annotations

import csv
import json
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.fitted import Fitted, FittedPort
from seqdec_gui.data.number_codecs import FittedNumbers
from seqdec_gui.domain.decoding import Sampling
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runner import bundle_file, bundle_rows
from seqdec_gui.runs.task_results import Exported, Generated
from seqdec_gui.runs.tasks import ExportTask, GenerateTask, run_task
from tests.runner import designs
from tests.runner.real_runs import Runs

ROOT = Path(__file__).resolve().parents[2]


# -- the archive
def written(path: Path, files: dict[str, bytes], **changes: Any) -> Path:
    """A bundle with these files; `changes` are fields of its contents."""
    folder = path.with_suffix(".folder")
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    fields = {"name": "mine", "created": 0.0, "product_version": "0", "checkpoint": "best"} | changes
    bundle_file.pack(path, bundle_file.Contents(**fields), folder, files)
    return path


def refused(path: Path, tmp_path: Path, words: str) -> None:
    target = tmp_path / "unpacked"
    target.mkdir()
    with pytest.raises(InvalidInput, match=words) as caught:
        bundle_file.unpack(path, target)
    assert [problem.code for problem in caught.value.problems] == ["damaged_bundle"]


def test_what_was_packed_is_unpacked(tmp_path: Path) -> None:
    files = {"README.md": b"# Mine\n", "models/encoder.keras": os.urandom(5000)}
    path = written(tmp_path / "a.zip", files)
    assert bundle_file.is_bundle(path)
    (tmp_path / "to").mkdir()
    contents = bundle_file.unpack(path, tmp_path / "to")
    assert contents.name == "mine"
    assert {name: (tmp_path / "to" / name).read_bytes() for name in files} == files


@pytest.mark.parametrize(
    "name", ["../evil.txt", "/evil.txt", "models/../../evil.txt", "a/b/c.txt", "other/x.keras", "..\\evil.txt", "C:evil.txt"]
)
def test_a_name_that_leads_out_of_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", {"README.md": b"x"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"evil")
    refused(path, tmp_path, "leads to another place")
    assert not (tmp_path / "evil.txt").exists()
    assert list((tmp_path / "unpacked").iterdir()) == []


def test_a_link_a_bomb_and_a_name_that_stands_twice_are_refused(tmp_path: Path) -> None:
    for number, words in enumerate(("is a link", "claims", "twice", "files")):
        path = written(tmp_path / f"{number}.zip", {"README.md": b"x"})
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            entry = zipfile.ZipInfo("models/x.keras")
            if words == "is a link":
                entry.external_attr = (stat.S_IFLNK | 0o777) << 16
                archive.writestr(entry, b"/etc/passwd")
            elif words == "claims":
                archive.writestr("models/x.keras", bytes(50 << 20))
            elif words == "twice":
                archive.writestr("readme.MD", b"y")
            else:
                for each in range(bundle_file.MOST_FILES):
                    archive.writestr(f"{each}.txt", b"")
        (tmp_path / str(number)).mkdir()
        refused(path, tmp_path / str(number), words)


def test_another_content_than_was_packed_and_a_newer_format_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zip", {"README.md": b"x"})
    with zipfile.ZipFile(path) as archive:
        contents = archive.read("bundle.json")
    for name, text, words in (
        ("b.zip", contents, "README.md in it is not what was packed"),
        ("c.zip", contents.replace(b'"format": 1', b'"format": 9'), "Update seqdec-gui"),
        ("d.zip", b"{", "is damaged"),
    ):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("bundle.json", text)
            archive.writestr("README.md", b"y")
        (tmp_path / name[0]).mkdir()
        refused(tmp_path / name, tmp_path / name[0], words)
    with zipfile.ZipFile(tmp_path / "g.zip", "w") as archive:
        archive.writestr("bundle.json", contents)
    (tmp_path / "g").mkdir()
    refused(tmp_path / "g.zip", tmp_path / "g", "README.md in it is missing")
    (tmp_path / "e.zip").write_bytes(path.read_bytes()[:-30])
    assert not bundle_file.is_bundle(tmp_path / "e.zip")
    assert not bundle_file.is_bundle(tmp_path)


# -- rows
def fit_of_columns() -> Fitted:
    """What was fitted to three columns of numbers for `latent`, and to one of text for `hint`."""
    numbers = FittedNumbers((3,))
    text = FittedText(("a", "b"), 2)
    ports = (
        FittedPort("latent", "latent.output", "input", ("mass", "logp", "tpsa"), numbers),
        FittedPort("hint", "hint.output", "input", ("name",), text),
    )
    return Fitted(ports, ())


def test_rows_are_taken_by_input_by_column_and_from_a_data_frame() -> None:
    class Frame:
        columns = ("mass", "logp", "tpsa", "name", "id")

        def to_dicts(self) -> list[dict[str, Any]]:
            return [row]

    row = {"mass": "1.5", "logp": 2, "tpsa": -3.0, "name": "ab", "id": "m1"}
    inputs = ("latent", "hint")
    by_name = {"latent": [1.5, 2, -3], "hint": "ab"}
    given = [row, by_name, {"latent.output": [1.5, 2, -3], "name": "ab"}]
    encoded = bundle_rows.encoded(given, fit_of_columns(), inputs, "")
    assert np.allclose(encoded["latent"], [[1.5, 2, -3]] * 3)
    assert (encoded["hint"] == encoded["hint"][0]).all()
    assert bundle_rows.as_list(Frame()) == [row]
    for wrong in (row, "ab"):
        with pytest.raises(InvalidInput, match=r"Expected a list of rows.*generate\(\[row\]\)"):
            bundle_rows.as_list(wrong)


def test_a_missing_or_wrong_value_is_named_with_its_column() -> None:
    fitted, inputs = fit_of_columns(), ("latent", "hint")
    row = {"mass": 1, "logp": 2, "tpsa": 3, "name": "ab"}
    cases = [
        ({**row, "logp": "abc"}, "Row 1 has 'abc' in logp"),
        ({"mass": 1, "name": "a"}, r"no value for input latent.*Give its columns too: logp, tpsa"),
        ({"name": "a"}, r"no value for input latent.*under the name latent, or by the columns mass, logp, tpsa"),
        ({**row, "name": "xyz"}, "xyz|'x'"),
        (5, "Row 1 is no mapping; expected values for latent, hint"),
    ]
    for bad, words in cases:
        with pytest.raises(InvalidInput, match=words):
            bundle_rows.encoded([bad], fitted, inputs, "")
    found = bundle_rows.encoded_where_good([row, *[bad for bad, _ in cases], row], fitted, inputs, "")
    assert sorted(found.reasons) == [1, 2, 3, 4, 5]
    assert "Row 2 has 'abc' in logp" in found.reasons[1]
    assert found.good.tolist() == [0, 6]
    assert np.array_equal(found.arrays["latent"][[0, 6]], [[1, 2, 3]] * 2)
    assert bundle_rows.encoded_where_good([5], fitted, inputs, "").good.tolist() == []


# -- whole bundles
@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """Run and bundle of two designs: text from a standardised vector, and a language model."""
    runs = Runs(tmp_path_factory.mktemp("bundles"))
    made = {}
    for name, wanted in (("stack", designs.stack()), ("language", designs.language())):
        run = runs.finish(name, runs.spec(wanted)).run
        target = runs.folder / f"{name}.zip"
        result = run_task(ExportTask(run=str(run.path), format="bundle", output=str(target), raw_inputs=True))
        assert isinstance(result, Exported)
        assert result.difference <= 1e-6
        made[name] = (run.path, target)
    return made


ROWS = ({"latent": [3, 1, 2]}, {"latent": [5, 0, 1]}, {"latent": [2, 2, 0]})


def from_task(run: Path, output: Path, rows: Any) -> list[dict[str, str]]:
    task = GenerateTask(run=str(run), output=str(output), rows=rows, count=3, strategy=Sampling(0.9), seed=7)
    assert isinstance(run_task(task), Generated)
    with output.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
@pytest.mark.parametrize("backend", [pytest.param("tensorflow", marks=pytest.mark.long), "jax"])
def test_a_bundle_generates_what_the_run_does_without_the_data_and_without_qt(
    backend: str, bundled: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    run, bundle = bundled["stack"]
    expected = [(line["row"], line["sample"], line["text"]) for line in from_task(run, tmp_path / "a.csv", ROWS)]
    code = f"""
import json, sys
sys.modules["PyQt5"] = None
import seqdec_gui
bundle = seqdec_gui.load_bundle({str(bundle)!r})
made = bundle.generate({json.dumps([row["latent"] for row in ROWS])}, n=3, temperature=0.9, seed=7)
print(json.dumps([[str(each.row), str(each.sample), each.text] for each in made]))
print(json.dumps([sorted(bundle.models), bundle.inputs, bundle.card[:2], {backend!r} in sys.modules]))
"""
    environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=200
    )
    assert done.returncode == 0, done.stderr
    samples, facts = done.stdout.strip().splitlines()[-2:]
    assert [tuple(each) for each in json.loads(samples)] == expected
    assert json.loads(facts) == [["full", "model_1", "model_2"], ["latent"], "# ", True]


@pytest.mark.slow
def test_the_command_generates_from_a_bundle_as_from_the_run(bundled: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    for name, rows in (("stack", ROWS), ("language", ())):
        run, bundle = bundled[name]
        lines = [from_task(place, tmp_path / f"{name}{i}.csv", rows) for i, place in enumerate((run, bundle))]
        assert lines[0] == lines[1]
        assert any(line["text"] for line in lines[0])


@pytest.mark.slow
def test_a_bundle_says_what_it_is_and_gives_away_no_path(bundled: dict[str, tuple[Path, Path]]) -> None:
    run, bundle = bundled["stack"]
    with zipfile.ZipFile(bundle) as archive:
        names = set(archive.namelist())
        texts = {name: archive.read(name).decode() for name in names if not name.endswith(".keras")}
    assert {"README.md", "design.seqdec", "model.py", "data.json", "models/model_1.keras", "models/one-step.keras"} <= names
    assert not any(str(run.parent) in text for text in texts.values())
    card = texts["README.md"]
    for words in ("2 epochs", "rows for training", "| val_loss |", "load_bundle", "keras", "standardised"):
        assert words in card
    symbols = json.loads(texts["bundle.json"])["recorded"]["symbols"]
    assert "".join(symbols["texts"]) == designs.LETTERS


@pytest.mark.slow
def test_code_in_a_bundle_is_never_run_and_weights_have_to_fit(bundled: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    _, bundle = bundled["stack"]
    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if name != "bundle.json"}
        contents = msgspec.json.decode(archive.read("bundle.json"))
    fields = {name: contents[name] for name in ("created", "checkpoint")}
    fields |= {"recorded": msgspec.convert(contents["recorded"], bundle_file.Recorded)}
    files["model.py"] = f"open({str(tmp_path / 'evil')!r}, 'w')\n".encode()
    changed = written(tmp_path / "changed.zip", files, **fields)
    assert from_task(changed, tmp_path / "a.csv", ROWS) == from_task(bundle, tmp_path / "b.csv", ROWS)
    assert not (tmp_path / "evil").exists()
    other = files | {"models/model_1.keras": files["models/model_2.keras"]}
    wrong = written(tmp_path / "wrong.zip", other, **fields)
    with pytest.raises(InvalidInput, match="weights of model_1 do not fit the design"):
        from_task(wrong, tmp_path / "c.csv", ROWS)
    count = len(contents["recorded"]["symbols"]["fed_next"])
    for number, change in enumerate(({"fed_next": (-5,) * count}, {"begin": 10**6}, {"steps": 10**9}, {"steps": -1})):
        symbols = msgspec.structs.replace(fields["recorded"].symbols, **change)
        recorded = msgspec.structs.replace(fields["recorded"], symbols=symbols)
        with pytest.raises(InvalidInput, match="does not go with its alphabet"):
            from_task(
                written(tmp_path / f"ids{number}.zip", files, **fields | {"recorded": recorded}), tmp_path / "d.csv", ROWS
            )


@pytest.mark.slow
def test_weights_and_a_fit_that_are_none_are_refused_in_a_sentence(
    bundled: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    import io

    import h5py

    from seqdec_gui.runner.opened_bundle import open_bundle

    _, bundle = bundled["stack"]
    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if name != "bundle.json"}
        contents = msgspec.json.decode(archive.read("bundle.json"))
    fields = {"recorded": msgspec.convert(contents["recorded"], bundle_file.Recorded)}
    with zipfile.ZipFile(io.BytesIO(files["models/model_2.keras"])) as archive:
        inner = {name: archive.read(name) for name in archive.namelist()}
    weights = io.BytesIO(inner["model.weights.h5"])
    with h5py.File(weights, "r+") as file:
        file.visititems(lambda name, item: item.write_direct(np.full(item.shape, np.nan, item.dtype))
                        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f" else None)  # fmt: skip
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w") as archive:
        for name, content in (inner | {"model.weights.h5": weights.getvalue()}).items():
            archive.writestr(name, content)
    cases = [
        ({**files, "models/model_2.keras": changed.getvalue()}, "weights .* of model_2 have values that are no numbers"),
        ({**files, "data.json": b"{}"}, "data.json in it is not what a run writes"),
        ({name: content for name, content in files.items() if name != "data.json"}, "data.json is missing"),
        ({**files, "design.seqdec": b"[]"}, "design.seqdec in it cannot be read: Expected a design"),
    ]
    for number, (given, words) in enumerate(cases):
        scratch = tmp_path / str(number)
        scratch.mkdir()
        path = written(tmp_path / f"{number}.zip", given, **fields)
        with pytest.raises(InvalidInput, match=f"{number}.zip is not opened as a bundle: .*{words}"):
            open_bundle(path, scratch).fitted()
