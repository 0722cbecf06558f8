"""Whether exact engines are exact: a few steps on one GPU against the CPU, with TensorFloat-32 off and on.

`python tools/exact_on_gpu.py [DEVICE] [DESIGN...]` (gpu:0; the molecules). Two lines per design and engine that can be used:
`exact` is what a certificate runs, `usual` what a training runs. Each gives the framework's flag and the largest differences
of predictions (relative above 1) and weights from the CPU. Exit status 1 where an exact engine has TensorFloat-32 on.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from seqdec_gui.domain import document
from seqdec_gui.runs import devices
from seqdec_gui.runs.comparison import Differences
from seqdec_gui.runs.engine_choice import usable_engines
from seqdec_gui.runs.spec import DeviceChoice
from seqdec_gui.runs.task_results import Trained
from seqdec_gui.runs.tasks import CertifyTask, run_task

EXAMPLE = Path(__file__).resolve().parents[1] / "resources" / "examples" / "molecules.seqdec"
STEPS = 5
FLAG_FILE = "SEQDEC_GUI_TF32_FLAG"
"""Names the file to which the child writes whether its framework may use TensorFloat-32."""


def child(mode: str) -> None:
    """The child of a certificate whose engine is made `exact` or, against its will, as `usual`."""
    if mode == "usual":
        for name in ("NVIDIA_TF32_OVERRIDE", "JAX_DEFAULT_MATMUL_PRECISION"):
            os.environ.pop(name, None)
    from seqdec_gui.runner import engines, task

    create = engines.create

    def create_and_tell(placement: Any, program: Any, *, exact: bool = False) -> Any:
        engine = create(placement, program, exact=exact and mode == "exact")
        Path(os.environ[FLAG_FILE]).write_text(tensor_float_32(engine.name), encoding="utf-8")
        return engine

    engines.create = create_and_tell
    task.main()


def tensor_float_32(name: str) -> str:
    """`on` or `off`, as the framework says."""
    if name == "tensorflow":
        import tensorflow as tf

        return "on" if tf.config.experimental.tensor_float_32_execution_enabled() else "off"
    import jax

    return "off" if jax.config.jax_default_matmul_precision == "highest" else "on"


class Training(NamedTuple):
    """What a child trained, its arrays, and whether TensorFloat-32 was on in it."""

    trained: Trained
    arrays: Path
    flag: str


def train(path: Path, engine: str, where: DeviceChoice, mode: str, scratch: Path) -> Training:
    """A few steps of the design in a child of its own."""
    name = f"{where} {mode}"
    arrays, flag = scratch / f"{name}.npz", scratch / f"{name}.txt"
    os.environ[FLAG_FILE] = str(flag)
    task = CertifyTask(
        design=document.to_builtins(document.load(path)), folder=str(path.parent), devices=where, engine=engine,
        output=str(arrays), steps=STEPS,
    )  # fmt: skip
    trained = run_task(task, None, where, engine, argv=(sys.executable, __file__, "--child", mode))
    assert isinstance(trained, Trained)
    return Training(trained, arrays, flag.read_text(encoding="utf-8"))


def compare(path: Path, engine: str, choice: DeviceChoice) -> bool:
    """Prints both lines of a design and an engine; returns whether the exact one was exact."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        cpu = train(path, engine, DeviceChoice("cpu"), "exact", scratch)
        flags = []
        for mode in ("exact", "usual"):
            one = train(path, engine, choice, mode, scratch)
            found = Differences.read(document.load(path), cpu.trained, one.trained, cpu.arrays, one.arrays)
            weights, weight = found.weights()
            differ = f"predictions differ from the CPU by {found.predictions():.1e}, weights by {weights:.1e} ({weight})"
            print(f"{path.stem} {engine} {mode}: TensorFloat-32 {one.flag}; {differ}", flush=True)
            flags.append(one.flag)
    return flags[0] == "off"


def main(device: str, *designs: str) -> int:
    choice, _ = devices.parse_devices(device, devices.list_devices())
    paths = [Path(design) for design in designs] or [EXAMPLE]
    exact = [compare(path, engine, choice) for path in paths for engine in usable_engines(choice)]
    return 0 if all(exact) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2])
    else:
        sys.exit(main(*(sys.argv[1:] or ["gpu:0"])))
