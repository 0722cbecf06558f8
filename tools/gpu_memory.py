"""Print what a GPU's memory holds before, during and after runs that finish, are stopped, paused and killed.

    python tools/gpu_memory.py [--engine jax] [--device gpu:0] [--design resources/examples/molecules.seqdec]

The parent asks the driver for the memory of the device, and for that of the run's process where the driver tells them apart
(not in most containers). After each end the memory has to be what it was before, within `SLACK_MIB`, or the exit status is 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from seqdec_gui.domain import document  # noqa: E402
from seqdec_gui.runs import process  # noqa: E402
from seqdec_gui.runs.events import Epoch, Step  # noqa: E402
from seqdec_gui.runs.folder import RunFolder  # noqa: E402
from seqdec_gui.runs.salvage import events_of  # noqa: E402
from seqdec_gui.runs.spec import DeviceChoice, RunSpec  # noqa: E402

SLACK_MIB = 64
"""What the driver may keep, or another program take meanwhile."""
TRAINS_S = 5.0
"""How long a run trains before it is ended, after its first report."""
LONGEST_S = 180.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default="jax", choices=("jax", "tensorflow"))
    parser.add_argument("--device", type=int, default=0, help="number of the GPU (default: 0)")
    parser.add_argument("--design", type=Path, default=ROOT / "resources" / "examples" / "molecules.seqdec")
    arguments = parser.parse_args()
    arguments.design = arguments.design.resolve()
    ends: dict[str, Callable[[process.RunProcess], object]] = {
        "finish": lambda _run: None,
        "stop": lambda run: run.stop(),
        "pause": lambda run: run.pause(),
        "kill -9": lambda run: run.kill(),
    }
    kept = True
    with tempfile.TemporaryDirectory(prefix="gpu-memory-") as folder:
        for what, end in ends.items():
            run = RunFolder(Path(folder) / what.split()[0])
            kept = measure(run, spec_of(arguments, 1 if what == "finish" else 10_000), arguments.device, what, end) and kept
    sys.exit(0 if kept else 1)


def spec_of(arguments: argparse.Namespace, epochs: int) -> RunSpec:
    design = document.load(arguments.design)
    design = design.with_training(msgspec.structs.replace(design.training, epochs=epochs, early_stopping_patience=0))
    return RunSpec(
        design=document.to_builtins(design), design_path=str(arguments.design), folder=str(arguments.design.parent),
        data_file=str(arguments.design.parent / str(design.data.file)), engine=arguments.engine,
        devices=DeviceChoice("gpu", gpus=(arguments.device,)),
    )  # fmt: skip


def measure(run: RunFolder, spec: RunSpec, device: int, what: str, end: Callable[[process.RunProcess], object]) -> bool:
    """Train, end the run in one way, and print the memory on the way; returns whether it was free again afterwards."""
    before = used(device)
    going = process.start(run, spec, listed=False)
    pid, until = going.pid, time.monotonic() + LONGEST_S
    while not (events_of(run.events, Step) or events_of(run.events, Epoch)) and going.running() and time.monotonic() < until:
        time.sleep(0.05)
    most, own = used(device), of_process(pid)
    trained = time.monotonic()
    while going.running() and time.monotonic() < trained + TRAINS_S:
        most, own = max(most, used(device)), max(own, of_process(pid))
        time.sleep(0.2)
    asked = time.monotonic()
    end(going)
    status = going.wait(LONGEST_S)
    seconds, at_end = time.monotonic() - asked, used(device)
    time.sleep(2.0)
    after = used(device)
    free = after - before <= SLACK_MIB
    state = "did not end" if status is None else status.state
    print(
        f"{what:8} before {before:6} MiB, during {most:6} (of its process {own or 'unknown'}), at the end of the process "
        f"{at_end:6}, 2 s later {after:6}  {'free' if free else 'NOT FREE'}  ({state}, {seconds:.1f} s)",
        flush=True,
    )
    if what == "finish" and status is not None and status.state != "finished":
        print(f"  {status.text}")
        return False
    going.kill()
    return free and status is not None


def used(device: int) -> int:
    """Return the memory of a GPU that is in use, in MiB."""
    return int(_smi(f"--id={device}", "--query-gpu=memory.used")[0])


def of_process(pid: int | None) -> int:
    """Return the GPU memory of a process in MiB; 0 where the driver does not say."""
    rows = [row.split(", ") for row in _smi("--query-compute-apps=pid,used_memory")]
    return sum(int(row[1]) for row in rows if row[0] == str(pid) and row[1:] and row[1].isdigit())


def _smi(*query: str) -> list[str]:
    command = ["nvidia-smi", *query, "--format=csv,noheader,nounits"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.splitlines()


if __name__ == "__main__":
    main()
