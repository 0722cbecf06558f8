"""What is built from the checkout is whole: the sdist, the wheel, and the program that the wheel alone installs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from seqdec_gui import __version__, resource_files

ROOT = Path(__file__).resolve().parent.parent
SKIP = shutil.ignore_patterns("__pycache__", "*.py[cod]", ".*")
FILES = ("setup.cfg", "setup.py", "pyproject.toml", "MANIFEST.in", "Makefile", "constraints.txt")
PAPERS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE")
FOLDERS = ("seqdec_gui", "resources", "docs", "tests", "tools")
BUILD_SDIST = "from setuptools import build_meta; build_meta.build_sdist('dist')"
SHOW_WINDOW = """
import sys
from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QApplication
from seqdec_gui.gui import app

def open_and_close():
    kept = [app.create_application()]  # until `main` has it

    def close_when_shown():
        kept.clear()
        shown = [window for window in QApplication.topLevelWidgets() if window.isWindow() and window.isVisible()]
        if shown:
            timer.stop()
            print(*(window.windowTitle() for window in shown))
            QApplication.closeAllWindows()

    timer = QTimer(interval=50, timeout=close_when_shown)
    timer.start()
    return app.main(sys.argv[1])

sys.exit(open_and_close())
"""


class Installed(NamedTuple):
    """An environment that has the wheel and no checkout."""

    folder: Path
    outside: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def site(self) -> Path:
        return Path(sysconfig.get_path("purelib", "venv", vars={"base": str(self.folder)}))

    def run(self, *command: object) -> str:
        """The standard output of a command of this environment, run outside of the checkout; it must succeed."""
        return run(*command, cwd=self.outside).stdout


def run(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    # conftest.py puts the checkout on PYTHONPATH, where everything would be found that the wheel lacks
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    arguments = [str(part) for part in command]
    done = subprocess.run(arguments, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source distribution of this checkout, built in a copy so that no build folder is left in it."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in FILES + PAPERS:
        shutil.copy(ROOT / name, copy)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=SKIP)
    run(sys.executable, "-c", BUILD_SDIST, cwd=copy)
    return next((copy / "dist").glob("*.tar.gz"))


@pytest.fixture(scope="module")
def wheel(sdist: Path) -> Path:
    """A wheel of the source distribution, so what that lacks is missing here too."""
    # --no-cache-dir: pip keeps wheels by the path of the source distribution, whatever that holds
    build = ("pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--no-cache-dir", "-w", ".", sdist)
    run(sys.executable, "-m", *build, cwd=sdist.parent)
    return next(sdist.parent.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A fresh environment with the wheel alone; what the wheel requires comes from the environment of the tests."""
    installed = Installed(tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("outside"))
    venv.create(installed.folder, with_pip=False, symlinks=True)
    pip = (sys.executable, "-m", "pip", "--python", installed.python)
    run(*pip, "install", "--no-deps", "--no-index", "--quiet", wheel, cwd=installed.outside)
    # only now, or pip would see the package that is being tested as installed
    dependencies = [entry for entry in sys.path if Path(entry).name == "site-packages"]
    (installed.site / "dependencies.pth").write_text("\n".join(dependencies), encoding="utf-8")
    return installed


def visible(folder: str) -> set[str]:
    """The files of a folder of the checkout, relative to the checkout."""
    files = (path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file())
    kept = (path for path in files if "__pycache__" not in path.parts and not any(part[0] == "." for part in path.parts))
    return {str(path) for path in kept}


@pytest.mark.slow
def test_the_sdist_holds_what_is_needed_to_build_and_to_test(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {*FILES, *PAPERS}.union(*map(visible, FOLDERS))
    assert wanted - packed == set()
    assert {name for name in packed if "__pycache__" in name or name.startswith("build/")} == set()


@pytest.mark.slow
def test_the_wheel_holds_every_module_and_every_bundled_file_and_no_test(wheel: Path) -> None:
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    modules = {name for name in visible("seqdec_gui") if name.endswith((".py", ".pyi", ".cu", "py.typed"))}
    bundled = {f"seqdec_gui/{name}" for name in visible("resources")}
    pages = {*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "guide").rglob("*.*")}
    documentation = {f"seqdec_gui/{path.relative_to(ROOT)}" for path in pages}
    assert packed == modules | bundled | documentation


@pytest.mark.slow
def test_an_installed_wheel_is_found_without_the_checkout(installed: Installed) -> None:
    code = "import seqdec_gui; from seqdec_gui import resource_files as files; files.docs('guide/index.md')"
    places = installed.run(installed.python, "-c", f"{code}; print(seqdec_gui.__file__); print(files.path('.'))").split()
    assert places == [str(installed.site / "seqdec_gui" / name) for name in ("__init__.py", "resources")]
    assert installed.run(installed.folder / "bin" / "seqdec-gui", "--version").split()[-1] == __version__


@pytest.mark.slow
def test_an_installed_wheel_opens_the_window(installed: Installed) -> None:
    example = installed.site / "seqdec_gui" / "resources" / "examples" / "roman.seqdec"
    assert "roman" in installed.run(installed.python, "-c", SHOW_WINDOW, example)


@pytest.mark.slow
def test_an_installed_wheel_trains_the_example(installed: Installed) -> None:
    example = installed.site / "seqdec_gui" / "resources" / "examples" / "roman.seqdec"
    folder = installed.outside / "run"
    program = installed.folder / "bin" / "seqdec-gui"
    small = ("--set", "encoder.units=8", "--set", "decoder.units=8")
    settings = ("--epochs", 1, "--batch-size", 512, "--engine", "tensorflow", "--devices", "cpu", *small)
    printed = installed.run(program, "train", example, *settings, "--run", folder)
    assert printed.splitlines()[-1] == f"run: {folder}"
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    assert events[-1]["type"] == "finished"


def test_a_bare_checkout_finds_its_bundled_files() -> None:
    assert resource_files.path(".") == ROOT / "resources"
    assert resource_files.docs("guide/index.md") == ROOT / "docs" / "guide" / "index.md"


def test_a_missing_bundled_file_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"icons/none\.svg is missing in .*resources; install seqdec-gui again"):
        resource_files.path("icons/none.svg")
