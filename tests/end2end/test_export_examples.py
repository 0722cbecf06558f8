"""The examples in docs/export.md: every library opens its files and samples, and all of them give the same text."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seqdec_gui import resource_files
from seqdec_gui.data import fitted
from seqdec_gui.data.scaling import scalings
from seqdec_gui.runs.export_formats import EXPORT_FORMATS, not_installed
from tests.end2end.test_shell_walk import run

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example that the page speaks of, trained for a moment and exported in every format."""
    folder = tmp_path_factory.mktemp("molecules")
    design, trained = resource_files.path("examples/molecules.seqdec"), folder / "run"
    run("train", design, "--run", trained, "--devices", "cpu", "--epochs", "1", "--engine", "tensorflow")
    for part in ("initial-states", "one-step"):
        run("export", trained, "--all", "--part", part, "-o", folder)
    run("export", trained, "--format", "bundle", "-o", folder / "full.bundle.zip")
    row = np.load(resource_files.path("examples/data/molecules.npz"))["X"][0].astype(np.float64)
    (scaling,) = [each for each in scalings(fitted.load(trained / "data.json")) if each.role == "input"]
    np.save(folder / "row.npy", row)
    np.save(folder / "descriptors.npy", ((row - scaling.mean) / scaling.deviation).astype(np.float32)[None])
    return folder


def examples() -> tuple[str, dict[str, str]]:
    """The code that all examples share, and that of each library by the words in front of it."""
    page = (ROOT / "docs" / "export.md").read_text("utf-8")
    blocks = re.findall(r"\*\*([^*]+)\*\*[^\n]*:\n\n```python\n(.*?)```", page, re.DOTALL)
    shared = re.search(r"```python\n# shared\.py\n(.*?)```", page, re.DOTALL)
    assert shared is not None
    return shared[1], dict(blocks)


def test_the_page_has_an_example_for_every_format_with_weights() -> None:
    _, found = examples()
    assert list(found) == ["Bundle", "Keras 3", "Keras 2", "TensorFlow SavedModel", "ONNX", "LiteRT"]


@pytest.mark.long
def test_every_example_samples_the_same_text(exported: Path) -> None:
    shared, found = examples()
    texts = {name: run_example(f"{shared}\n{code}", exported) for name, code in found.items()}
    assert len(texts["Bundle"]) > 3
    assert set(texts.values()) == {texts["Bundle"]}


def run_example(code: str, folder: Path) -> str:
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_what_make_setup_installs_is_enough_for_every_format() -> None:
    assert [not_installed(row) for row in EXPORT_FORMATS.values() if not_installed(row)] == []


def test_all_formats_are_exported_for_every_part(exported: Path) -> None:
    for part in ("initial-states", "one-step"):
        files = {path.name for path in exported.glob(f"{part}.*")}
        blocks = {f"{part}{row.proposed_ending}" for row in EXPORT_FORMATS.values() if row.blocks}
        assert blocks <= files
