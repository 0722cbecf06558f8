"""The notebook in docs/ runs, with what it asserts, and has no outputs of somebody's machine in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "api.ipynb"


def code_cells() -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_the_notebook_has_no_outputs() -> None:
    assert code_cells()
    assert not [cell for cell in code_cells() if cell["outputs"] or cell["execution_count"] is not None]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_notebook_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(NOTEBOOK.parent)
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(code_cells()):
        exec(compile("".join(cell["source"]), f"<code cell {number} of {NOTEBOOK.name}>", "exec"), names)
    assert len(names["greedy"]) == 3
    assert len(names["drawn"]) > 1
    assert names["codes"].shape[0] == 200
    assert "loss" in " ".join(names["metrics"])
    assert "MCMLXXXVII" in capsys.readouterr().out
