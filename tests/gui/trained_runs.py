"""Run folders as a training leaves them, without a training: spec, fitted codecs, weights that nobody opens."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from seqdec_gui import resource_files
from seqdec_gui.data.dataset import open_dataset
from seqdec_gui.domain import document
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.runs import spec
from seqdec_gui.runs.checkpoint_file import head
from seqdec_gui.runs.folder import RunFolder

Edit = Callable[[Design], Design]


def example_in(folder: Path, name: str, edit: Edit = lambda design: design) -> Path:
    """A copy of an example and its data, with the design's path."""
    design = document.load(resource_files.path(f"examples/{name}.seqdec"))
    (folder / "data").mkdir(exist_ok=True)
    shutil.copy(resource_files.path(f"examples/{design.data.file}"), folder / design.data.file)
    document.save(edit(design), folder / f"{name}.seqdec")
    return folder / f"{name}.seqdec"


def trained(design_path: Path, run: str, created: float = 1000.0, checkpoints: tuple[str, ...] = ("best", "last")) -> RunFolder:
    """A run of this design in `runs` beside it."""
    design, folder = document.load(design_path), RunFolder(design_path.parent / "runs" / run)
    folder.checkpoints.mkdir(parents=True)
    spec.write(
        spec.RunSpec(
            design=document.to_builtins(design),
            design_path=str(design_path),
            folder=str(design_path.parent),
            data_file=str(design_path.parent / design.data.file),
            created=created,
        ),
        folder.spec,
    )
    open_dataset(design.data, data_ports(design), design_path.parent).fitted.save(folder.data)
    for name in checkpoints:
        folder.checkpoint(name).write_bytes(head(0))  # a whole file with nothing in it
    return folder


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Put the stand-in for the child of short jobs in place, in a mode; what it is asked for comes from `asked`."""
    import sys

    from seqdec_gui.gui.tasks.child_task import ChildTask

    monkeypatch.setenv("TASK_CHILD_RECORD", str(tmp_path / "asked.json"))

    def choose(mode: str) -> None:
        script = Path(__file__).with_name("task_child.py")
        monkeypatch.setattr(ChildTask, "argv", (sys.executable, str(script), mode))

    choose("do")
    return choose


@pytest.fixture
def asked(tmp_path: Path) -> Callable[[], dict]:
    """What the stand-in was asked for last."""
    return lambda: msgspec.json.decode((tmp_path / "asked.json").read_bytes())
