"""What the product does outside the run folder, the chosen path and the user's own folders: nothing; and no sockets.

Every Python process of a training, an export, an import, generating, the notebook's API and the window writes down what it
opens (`sitecustomize`); sockets of libraries without Python are looked for in the process itself at its end.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from seqdec_gui.resource_files import path as resource

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
HERE = Path(__file__).parent
COMMAND = [sys.executable, "-m", "seqdec_gui"]
HARMLESS = ("socket.bind\t(('::1', 0),)",)
"""urllib3, which Keras imports, looks whether the machine has IPv6: a port of its own that nobody connects to."""
WINDOW = """
import sys
from seqdec_gui.gui.app import create_application
application = create_application()
from PyQt5.QtCore import QTimer
QTimer.singleShot(3000, application.quit)
from seqdec_gui.cli import main
main(sys.argv[1:])
"""
NOTEBOOK = "import sys, seqdec_gui; print(seqdec_gui.generate(seqdec_gui.open_run(sys.argv[1]), ['1987']))"


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where everything was done once, and `log` tells what the processes opened."""
    folder = tmp_path_factory.mktemp("audited")
    for name in ("home", "tmp", "runs", "chosen"):
        (folder / name).mkdir(mode=0o700)
    names = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")
    python_path = os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH"))))
    more = {"PYTHONPATH": python_path, "SEQDEC_GUI_AUDIT": str(folder / "log"), "TMPDIR": str(folder / "tmp")}
    environment = os.environ | dict.fromkeys(names, str(folder / "home")) | more
    design, run = str(resource("examples/roman.seqdec")), str(folder / "runs" / "run")

    def begin(*command: str) -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, env=environment, cwd=folder / "chosen", umask=0o027, text=True, **pipes)

    def ended(begun: subprocess.Popen[str]) -> None:
        said, _ = begun.communicate(timeout=280)
        assert begun.returncode == 0, said

    ended(begin(*COMMAND, "train", design, "--devices", "cpu:2", "--engine", "jax", "--epochs", "1", "--run", run))
    beside = [
        begin(*COMMAND, "export", run, "--format", "keras", "-o", "out.keras"),
        begin(*COMMAND, "generate", run, "--split", "validation", "-o", "out.csv"),
        begin(sys.executable, "-c", WINDOW, design),
    ]
    for each in beside:
        ended(each)
    beside = [begin(*COMMAND, "import", "out.keras", "-o", "imported.seqdec"), begin(sys.executable, "-c", NOTEBOOK, run)]
    for each in beside:
        ended(each)
    return folder


def told(folder: Path) -> list[tuple[str, str]]:
    """Return what was told, each event with its path or address."""
    lines = (folder / "log").read_text(encoding="utf-8", errors="replace").splitlines()
    return [(event, what) for _pid, event, what in (line.split("\t", 2) for line in lines)]


def test_no_process_opens_a_socket(audited: Path) -> None:
    sockets = [f"{event}\t{what}" for event, what in told(audited) if event.startswith("socket.")]
    assert [each for each in sockets if each not in HARMLESS] == []


def test_nothing_is_written_elsewhere(audited: Path) -> None:
    """Only the run folder, the chosen path, the user's folders, and a folder for what is temporary, empty in the end."""
    written = {what for event, what in told(audited) if not event.startswith("socket.")}
    assert any(what.startswith(str(audited / "runs" / "run")) for what in written)  # the hook was there, in children too
    mine = tuple(f"{audited / name}" for name in ("home", "tmp", "runs", "chosen"))
    outside = {what for what in written if not what.startswith((*mine, "/dev/", "/proc/self/")) and "__pycache__" not in what}
    assert outside == set()
    assert sorted(child.name for child in (audited / "chosen").iterdir()) == ["imported.seqdec", "out.csv", "out.keras"]
    assert sorted(child.name for child in (audited / "tmp").iterdir()) == []


def test_files_carry_the_users_umask(audited: Path) -> None:
    made = [path for name in ("runs", "chosen") for path in (audited / name).rglob("*")]
    assert len(made) > 10
    assert [f"{path}: {path.stat().st_mode & 0o777:o}" for path in made if path.stat().st_mode & 0o027] == []
    readable = [path for path in made if path.is_file() and path.name != "lock"]
    assert [str(path) for path in readable if path.stat().st_mode & 0o777 != 0o640] == []
