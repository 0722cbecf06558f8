import shutil
import sys
from pathlib import Path

import pytest

from seqdec_gui import cli
from seqdec_gui.runs import process

FAKE_CHILD = Path(__file__).parents[1] / "runs" / "fake_child.py"
ROMAN = Path(__file__).parents[2] / "resources" / "examples" / "roman.seqdec"


@pytest.fixture
def run_command(capsys):
    """Runs a command in this process: (exit status, standard output, standard error)."""

    def run(*arguments) -> tuple[int, str, str]:
        status = cli.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return status, captured.out, captured.err

    return run


@pytest.fixture
def fake_runner(monkeypatch):
    """Makes `train` start fake children of a mode."""
    monkeypatch.setattr("seqdec_gui.runs.engine_choice.missing", lambda *_: "")

    def use(mode: str) -> None:
        monkeypatch.setattr(process, "RUNNER", (sys.executable, str(FAKE_CHILD), mode))

    return use


@pytest.fixture
def roman(tmp_path) -> Path:
    """A complete design with its data file, in an empty folder."""
    from seqdec_gui.domain.document import load, save
    from seqdec_gui.domain.edit import set_value

    design = load(ROMAN)
    shutil.copy(ROMAN.parent / "data" / "roman.csv", tmp_path)
    path = tmp_path / "roman.seqdec"
    save(set_value(design, "data.file", "roman.csv"), path)
    return path
