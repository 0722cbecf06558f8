"""Where there is no trash nothing is moved: Qt would take the working folder for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.gui.pages.runs.trash import move_to_trash


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run folder, in a working folder of its own."""
    run = tmp_path / "work" / "run"
    run.mkdir(parents=True)
    (run / "spec.json").write_text("{}")
    monkeypatch.chdir(run.parent)
    return run


def test_without_a_place_for_the_trash_the_run_stays(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file" / "data"))
    with pytest.raises(SeqdecError, match=r"There is no trash, .* Not a directory"):
        move_to_trash([run])
    assert [path.name for path in run.parent.iterdir()] == ["run"]


def test_the_trash_of_a_new_user_is_made(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "nowhere" / "yet"))
    assert move_to_trash([run]) == 1
    assert list(run.parent.iterdir()) == []
    assert (tmp_path / "nowhere" / "yet" / "Trash" / "files" / "run" / "spec.json").is_file()
