"""A copy of the program with the toys in it: rows inserted into the registries, modules put beside those that are there.

Children of the program find the copy as it does, by its own place, so that nothing of the program is patched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import seqdec_gui

PACKAGE = Path(seqdec_gui.__file__).resolve().parent
TOYS = Path(__file__).parent


class Row(NamedTuple):
    """Lines that are inserted into a file of the package behind the only line that reads `behind`."""

    file: str
    behind: str
    lines: str


class Module(NamedTuple):
    """A file of this folder that is copied into the package."""

    file: str
    source: str


ADDITIONS: dict[str, tuple[Row | Module, ...]] = {
    "loss": (
        Row(
            "domain/losses.py",
            "LOSSES: dict[str, LossSpec] = {",
            '    "log_cosh": LossSpec(title="log-cosh error", compares="numbers", metrics=("mean_absolute_error",)),',
        ),
        Row(
            "runner/objective.py",
            "FORMULAS: dict[str, Formula] = {",
            '    "log_cosh": lambda predictions, targets, sparse: ops.mean(ops.log(ops.cosh(predictions - targets)), axis=-1),',
        ),
    ),
    "data format": (
        Module("data/formats/toy_rows.py", "json_lines.py"),
        Row(
            "data/formats/registry.py",
            "    for row in (",
            '        DataFormat(name="toyrows", title="Toy rows", suffixes=(".toyrows",), row_per_line=True, holds="numbers",\n'
            '                   table="seqdec_gui.data.formats.toy_rows:JsonLinesTable"),',
        ),
    ),
    "export format": (
        Module("runner/exports/weights_archive.py", "weights_archive.py"),
        Row(
            "runs/export_formats.py",
            "    for row in (",
            '        ExportFormat(name="toy", title="Toy archive", help="For a test.", suffixes=(".toy",),\n'
            '                     writer="seqdec_gui.runner.exports.weights_archive:WeightsArchive",\n'
            '                     holds="all", opened_with="-"),',
        ),
    ),
}


class Checkout:
    """The copy in `folder`, and commands that run in it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        self.package = self.root / "seqdec_gui"
        shutil.copytree(PACKAGE, self.package)
        for name in ("resources", "docs"):
            (self.root / name).symlink_to(PACKAGE.parent / name)
        for addition in (each for several in ADDITIONS.values() for each in several):
            self._add(addition)

    def _add(self, addition: Row | Module) -> None:
        path = self.package / addition.file
        if isinstance(addition, Module):
            assert not path.exists()
            shutil.copyfile(TOYS / addition.source, path)
            return
        lines = path.read_text(encoding="utf-8").split("\n")
        (at,) = [number for number, line in enumerate(lines) if line == addition.behind]
        path.write_text("\n".join([*lines[: at + 1], addition.lines, *lines[at + 1 :]]), encoding="utf-8")

    def python(self, *arguments: str | Path, timeout: float = 60) -> str:
        """What Python prints in the copy, which it imports. Fails with the errors that it printed."""
        environment = os.environ | {"PYTHONPATH": str(self.root), "QT_QPA_PLATFORM": "offscreen", "PYTHONSAFEPATH": "1"}
        done = subprocess.run(
            [sys.executable, *map(str, arguments)], env=environment, cwd=self.root.parent, capture_output=True, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def command(self, *arguments: str | Path, timeout: float = 60) -> str:
        """What a command of the program prints."""
        return self.python("-m", "seqdec_gui", *arguments, timeout=timeout)
