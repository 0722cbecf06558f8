"""Curves of a run in the files of TensorBoard and MLflow, read back by these tools themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from seqdec_gui import cli
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs import lock, spec
from seqdec_gui.runs.events import DeviceLoad, Epoch, EventWriter, Finished, Step
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.mirrors.base import Mirror, Place, mirror
from tests.runs.run_folders import DESIGN, begun

ROOT = Path(__file__).resolve().parent.parent.parent
Curve = list[tuple[int, float]]


def run_with(path: Path, epochs: int, ended: bool = True) -> RunFolder:
    """A run as a training leaves it, of steps, epochs and loads of a device."""
    run = RunFolder(path)
    run.checkpoints.mkdir(parents=True)
    spec.write(spec.RunSpec(design=DESIGN, design_name="words", created=1000.5), run.spec)
    run.lock.write_bytes(msgspec.json.encode(lock.LockRecord(1, "another host", 1000.0)))
    with EventWriter(run.events) as events:
        events.write(begun(epochs))
    append(run, 1, epochs, ended)
    return run


def append(run: RunFolder, first: int, last: int, ended: bool) -> None:
    with EventWriter(run.events) as events:
        for epoch in range(first, last + 1):
            moment = 2000.0 + epoch
            for step in range(10 * epoch - 9, 10 * epoch + 1):
                events.write(Step(epoch=epoch, step=step, metrics={"loss": 1 / step, "odd": None}, time=moment + step / 100))
            events.write(DeviceLoad(id="cpu:0", load=0.5, memory_used=1 << 30, time=moment))
            metrics = {"loss": 1 / epoch, "val_loss": 2 / epoch}
            events.write(Epoch(epoch=epoch, step=10 * epoch, metrics=metrics, seconds=1.5, time=moment + 0.5))
        if ended:
            events.write(Finished(epoch=last, step=10 * last, metrics={}))


def expected(last: int) -> dict[str, Curve]:
    epochs = range(1, last + 1)
    return {
        "step/loss": [(step, 1 / step) for step in range(1, 10 * last + 1)],
        "epoch/loss": [(10 * epoch, 1 / epoch) for epoch in epochs],
        "epoch/val_loss": [(10 * epoch, 2 / epoch) for epoch in epochs],
        "epoch/seconds": [(10 * epoch, 1.5) for epoch in epochs],
        "device/cpu_0 load": [(10 * epoch, 0.5) for epoch in epochs],
        "device/cpu_0 memory GiB": [(10 * epoch, 1.0) for epoch in epochs],
    }


READERS = {
    "tensorboard": (
        "import sys, json\n"
        "from tensorboard.backend.event_processing.event_accumulator import EventAccumulator\n"
        "read = EventAccumulator(sys.argv[1] + '/' + sys.argv[2], size_guidance={'scalars': 0})\nread.Reload()\n"
        "print(json.dumps({name.replace('cpu:', 'cpu_'): [(each.step, each.value) for each in read.Scalars(name)]"
        " for name in read.Tags()['scalars']}))"
    ),
    "mlflow": (
        "import sys, json\nfrom mlflow.tracking import MlflowClient\n"
        "client = MlflowClient(tracking_uri='sqlite:///' + sys.argv[1] + '/mlflow.db')\n"
        "(run,) = client.search_runs([client.get_experiment_by_name('words').experiment_id])\n"
        "print(json.dumps({name: sorted((each.step, each.value) for each in client.get_metric_history(run.info.run_id, name))"
        " for name in run.data.metrics}))"
    ),
}
"""Programs that print the curves that the reader of a tool finds."""


def read_back(tool: str, folder: Path, name: str = "run") -> dict[str, Curve]:
    """The curves that the tool's own reader finds, in a process of its own: it imports much."""
    done = subprocess.run(
        [sys.executable, "-c", READERS[tool], folder, name], capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr
    return {
        name: [tuple(point) for point in curve] for name, curve in msgspec.json.decode(done.stdout.splitlines()[-1]).items()
    }


def write(tool: str, run: RunFolder, folder: Path, *more: str, kill_at: int = 0) -> None:
    """Mirror a run in a process of its own; with `kill_at` it dies without a word in the middle of its n-th write."""
    code = (
        "import os, sys\nfrom seqdec_gui.runs.mirrors import base\nfrom seqdec_gui import cli\n"
        "base.PART_BYTES = 700\n"
        f"left, original = [{kill_at}], base.write_atomically\n"
        "def note(*arguments):\n"
        "    left[0] -= 1\n"
        "    if left[0] == 0: os._exit(9)\n"
        "    original(*arguments)\n"
        "base.write_atomically = note\n"
        "sys.exit(cli.main(sys.argv[1:]))"
    )
    words = ["mirror", str(run.path), "--to", tool, "--folder", str(folder), *more]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False, cwd=ROOT, timeout=200
    )
    assert done.returncode == (9 if kill_at else 0), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["tensorboard", pytest.param("mlflow", marks=pytest.mark.long)])
def test_a_run_is_mirrored_and_goes_on_after_a_kill_without_doubles(tool: str, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard" if tool == "tensorboard" else "mlflow")
    run, folder = run_with(tmp_path / "run", 3, ended=False), tmp_path / "shown"
    write(tool, run, folder, "--once", kill_at=2)
    write(tool, run, folder, "--once")
    append(run, 4, 5, ended=True)
    write(tool, run, folder, kill_at=1)
    write(tool, run, folder)
    write(tool, run, folder)  # nothing is left to write
    found = read_back(tool, folder)
    wanted = expected(5)
    assert found.keys() == wanted.keys()
    for name, curve in wanted.items():
        assert [step for step, _ in found[name]] == [step for step, _ in curve], name
        assert [value for _, value in found[name]] == pytest.approx([value for _, value in curve], rel=1e-6), name


class Written(Mirror):
    title = "a list"

    def begin(self, asked: object, place: Place) -> None:
        self.points: list[object] = []

    def write(self, points: list[object]) -> None:  # type: ignore[override]
        self.points += points

    def started(self, event: object) -> None:
        pass

    def kept(self) -> dict[str, int | str]:
        return {}

    def end(self, state: str) -> None:
        self.state = state


def test_a_mirror_reads_each_event_once(tmp_path: Path) -> None:
    run = run_with(tmp_path / "run", 2)
    first, second = Written(tmp_path / "shown", "run"), Written(tmp_path / "shown", "run")
    assert mirror(run, first) == sum(map(len, expected(2).values()))
    assert mirror(run, second) == 0
    assert first.state == "finished"


def test_two_mirrors_do_not_write_one_folder(tmp_path: Path) -> None:
    run = run_with(tmp_path / "run", 1)
    made = Written(tmp_path / "shown", "run")
    made.folder.mkdir()
    with lock.acquire(made.folder / ".seqdec-gui-run.json.lock"), pytest.raises(SeqdecError, match="Another program writes"):
        mirror(run, made)


def test_a_damaged_place_is_not_guessed(tmp_path: Path) -> None:
    run = run_with(tmp_path / "run", 1)
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown" / ".seqdec-gui-run.json").write_text("{")
    with pytest.raises(SeqdecError, match="Choose an empty folder"):
        mirror(run, Written(tmp_path / "shown", "run"))


@pytest.mark.parametrize("tool", ["tensorboard", "mlflow"])
def test_a_tool_that_is_not_installed_is_named(
    tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("tensorboard", "tensorboard.compat.proto", "mlflow", "mlflow.entities"):
        monkeypatch.setitem(sys.modules, name, None)
    run = run_with(tmp_path / "run", 1)
    assert cli.main(["mirror", str(run.path), "--to", tool]) == 2
    assert f"pip install 'seqdec-gui[{tool}]'" in capsys.readouterr().err
