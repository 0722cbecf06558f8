"""What is done with a trained run on its host, and what is brought back."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from seqdec_gui import cli
from seqdec_gui.domain import document
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.hosts import book
from seqdec_gui.runs.hosts.book import Host
from seqdec_gui.runs.hosts.session import Session
from tests.hosts.sshd import Server
from tests.runner import designs
from tests.runs.run_folders import finished_run

pytestmark = pytest.mark.slow


def test_only_commands_that_read_a_trained_run_are_run_for_others(lab: Host) -> None:
    with Session(lab) as session:
        for words in (["train", "x"], ["hosts", "list"], []):
            session.send("task", msgspec.json.encode(words))
            with pytest.raises(InvalidInput, match="Expected one of export, generate"):
                session.answer()
        session.send("task", msgspec.json.encode(["score", "--help"]))
        frames = list(session.until_answer())
        assert "likely" in b"".join(frame.data for frame in frames if frame.kind == "said").decode()
        assert frames[-1].fields["status"] == 0


def test_a_run_of_this_machine_is_not_looked_for_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = finished_run(tmp_path / "run")
    assert cli.main(["evaluate", str(run.path), "--there", "--split", "validation"]) == 2
    assert "was trained on this machine" in capsys.readouterr().err


@pytest.mark.timeout(900)  # it starts TensorFlow five times
def test_what_is_computed_there_is_what_is_computed_here(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.configure()
    book.add(Host("lab", "there", str(server.home / "real work"), server.python("real python", numbers=False)))
    monkeypatch.chdir(tmp_path)
    data = designs.write_rows(tmp_path, 120)
    document.save(designs.bound(designs.stack(), data, batch_size=24, epochs=1), tmp_path / "mine.seqdec")
    assert cli.main(["train", "mine.seqdec", "--on", "lab:cpu", "--run", "run", "--engine", "tensorflow"]) == 0
    capsys.readouterr()
    assert cli.main(["evaluate", "run", "--split", "validation", "--json"]) == 0
    here = capsys.readouterr().out
    assert cli.main(["evaluate", "run", "--split", "validation", "--json", "--there"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out) == msgspec.json.decode(here)
    assert cli.main(["export", "run", "--format", "h5", "-o", "out file.h5", "--there"]) == 0
    assert "largest difference" in capsys.readouterr().out
    assert (tmp_path / "out file.h5").stat().st_size > 1000
    assert not list((server.home / "real work" / "results").iterdir())
