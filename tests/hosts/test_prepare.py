"""Installing the program on a host: the wheel, what is looked at first, and every step over a real sshd."""

from __future__ import annotations

import email
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from seqdec_gui import __version__, cli
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.hosts import book, starting
from seqdec_gui.runs.hosts.book import Host
from seqdec_gui.runs.hosts.prepare import prepare
from seqdec_gui.runs.hosts.wheel import make_wheel
from tests.hosts import sshd

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_wheel_is_that_of_a_build(tmp_path: Path) -> None:
    """It has the modules, the resources, the documentation, and what pip needs to know."""
    path = make_wheel(tmp_path)
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        about = email.message_from_bytes(wheel.read(f"seqdec_gui-{__version__}.dist-info/METADATA"))
        record = wheel.read(f"seqdec_gui-{__version__}.dist-info/RECORD").decode().splitlines()
        points = wheel.read(f"seqdec_gui-{__version__}.dist-info/entry_points.txt").decode()
    assert {line.rpartition(",sha256=")[0].strip('"') or line.rstrip(",") for line in record} == names
    sources = {f"seqdec_gui/{path.relative_to(ROOT / 'seqdec_gui').as_posix()}" for path in (ROOT / "seqdec_gui").rglob("*.py")}
    assert sources <= names
    assert {"seqdec_gui/py.typed", "seqdec_gui/docs/guide/index.md", "seqdec_gui/resources/examples/roman.seqdec"} <= names
    assert {"seqdec_gui/runner/engines/jax/kernels/lstm.cu"} <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith("seqdec_gui/docs/decisions")]
    assert about["Name"] == "seqdec-gui"
    assert about["Version"] == __version__
    assert "seqdec-gui = seqdec_gui.cli:main" in points
    first = path.read_bytes()
    assert make_wheel(tmp_path).read_bytes() == first


@pytest.mark.slow
@pytest.mark.timeout(900)  # pip is slow on a busy machine
def test_a_host_is_prepared_and_then_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The host's pip installs the wheel without what it needs, which is found in this environment instead."""
    packages = next(path for path in sys.path if path.endswith("site-packages") and (Path(path) / "numpy").is_dir())
    with sshd.running(tmp_path, PIP_NO_DEPS="1", PIP_NO_INDEX="1", PYTHONPATH=packages) as server:
        book.add(Host("lab", "there", str(server.home / "a 'new' folder")))
        assert cli.main(["hosts", "prepare", "lab", "--dry-run"]) == 0
        said = capsys.readouterr().out
        assert "-m venv" in said
        assert not (server.home / "a 'new' folder" / "venv").exists()
        python = next(name for name in ("python3.13", "python3.12", "python3.11", "python3") if _fits(name))
        assert cli.main(["hosts", "prepare", "lab", "--extras", "jax", "--with-python", python]) == 0, capsys.readouterr()
        said = capsys.readouterr().out
        assert f"seqdec-gui {__version__}" in said
        assert "lab:cpu" in said
        installed = list((server.home / "a 'new' folder" / "venv").rglob("seqdec_gui/cli.py"))
        assert len(installed) == 1
        assert not list((server.home / "a 'new' folder").glob("*.whl"))
        assert starting.look("lab").folder == str(server.home / "a 'new' folder")
        installed[0].unlink()  # and it is mended by the same command
        assert cli.main(["hosts", "prepare", "lab", "--with-python", python]) == 0
        assert installed[0].exists()
        with pytest.raises(InvalidInput, match="no extras nonsense"):
            prepare(book.find("lab"), print, with_python=python, extras=("nonsense",))
        with pytest.raises(InvalidInput, match="has no /no/python"):
            prepare(book.find("lab"), print, with_python="/no/python")


def _fits(name: str) -> bool:
    look = "import ensurepip, venv, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))"
    try:
        return subprocess.run([name, "-c", look], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def test_a_python_of_the_users_own_is_left_alone() -> None:
    book.add(Host("lab", "there", python="/opt/mine/bin/python"))
    with pytest.raises(InvalidInput, match="into it by hand"):
        prepare(book.find("lab"), print)


@pytest.mark.parametrize("words", ["add lab", "remove", "list lab", "prepare a b", "list --folder x", "add a b --extras jax"])
def test_words_that_do_not_go_together_are_refused(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["hosts", *words.split()]) == 2
    assert "hosts" in capsys.readouterr().err
