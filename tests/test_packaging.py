"""What is built from the checkout is whole: bundled files, entry point, and a module that finds them installed or not."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from seqdec_gui import resource_files

ROOT = Path(__file__).resolve().parent.parent
SKIP = shutil.ignore_patterns("__pycache__", "*.py[cod]", ".*")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this checkout, built in a copy so that no build folder is left in it."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("setup.cfg", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in ("seqdec_gui", "resources", "docs"):
        shutil.copytree(ROOT / name, copy / name, ignore=SKIP)
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", "dist", "."]
    done = subprocess.run(build, cwd=copy, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return next((copy / "dist").glob("*.whl"))


@pytest.mark.slow
def test_the_wheel_holds_every_module_and_every_bundled_file(wheel: Path) -> None:
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "seqdec_gui").rglob("*.py")} | {"seqdec_gui/py.typed"}
    visible = (path for path in (ROOT / "resources").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    bundled = {f"seqdec_gui/{path.relative_to(ROOT)}" for path in visible if not path.name.startswith(".")}
    pages = {*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "guide").rglob("*.*")}
    documentation = {f"seqdec_gui/{path.relative_to(ROOT)}" for path in pages}
    assert packed == modules | bundled | documentation


@pytest.mark.slow
def test_an_installed_wheel_finds_its_bundled_files(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = "from seqdec_gui import resource_files as files; files.docs('guide/index.md'); print(files.path('.'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "site"), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert Path(done.stdout.strip()) == tmp_path / "site" / "seqdec_gui" / "resources", done.stderr


def test_a_bare_checkout_finds_its_bundled_files() -> None:
    assert resource_files.path(".") == ROOT / "resources"
    assert resource_files.docs("guide/index.md") == ROOT / "docs" / "guide" / "index.md"


def test_a_missing_bundled_file_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"icons/none\.svg is missing in .*resources; install seqdec-gui again"):
        resource_files.path("icons/none.svg")
