"""Measure weak and strong scaling of one run over processes of this machine, and the share of the reductions.

`python tools/measure_cluster.py` prints a table for docs/cluster.md. Each process computes with one thread. Strong: a step has
256 rows, divided; weak: each process has 64 rows. The reductions are timed as the
difference to steps that sum nothing. The quickest of several rounds counts: other programs only add to a time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from seqdec_gui.domain.document import load
from seqdec_gui.runs.environment import child_environment
from seqdec_gui.runs.spec import DeviceChoice, Placement

ROOT = Path(__file__).resolve().parent.parent
DESIGN = ROOT / "resources" / "examples" / "roman.seqdec"
PLACEMENT = Placement(DeviceChoice("cpu"), "jax")
STEPS, ROUNDS = 10, 12


def main() -> None:
    print("| processes | rows a step | ms a step | without reductions | share of the reductions | rows/s |")
    print("|" + " --- |" * 6)
    for name, sizes in {"strong": ((1, 256), (2, 256), (4, 256)), "weak": ((1, 64), (2, 128), (4, 256))}.items():
        for processes, batch in sizes:
            found = _in_a_child(processes, batch)
            whole, without = found["step_s"], found["without_s"]
            share = f"{max(0.0, 1 - without / whole):.0%}" if processes > 1 else ""
            shown = f"{1e3 * without:.1f}" if processes > 1 else ""
            row = (processes, f"{batch} ({name})", f"{1e3 * whole:.1f}", shown, share, f"{batch / whole:,.0f}")
            print("| " + " | ".join(map(str, row)) + " |", flush=True)
    print(f"A step sums {found['bytes']:,} bytes of gradients.")


def _in_a_child(processes: int, batch: int) -> dict[str, float]:
    environment = child_environment(PLACEMENT, os.environ | {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"})
    command = [sys.executable, __file__, str(processes), str(batch)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(processes: int, batch: int) -> dict[str, float]:
    """Return the seconds of a step, with reductions and without, and the bytes of the gradients."""
    import numpy as np

    from seqdec_gui.data.dataset import open_dataset
    from seqdec_gui.domain.dataflow import data_ports
    from seqdec_gui.runner.cluster import Party
    from seqdec_gui.runner.engines import create
    from seqdec_gui.runner.program import Program
    from seqdec_gui.runner.script_files import write_script
    from seqdec_gui.runs.cluster.choice import Cluster
    from seqdec_gui.runs.events import EventWriter

    design = load(DESIGN)
    design = msgspec.structs.replace(design, training=msgspec.structs.replace(design.training, batch_size=batch))
    with tempfile.TemporaryDirectory() as folder, EventWriter(Path(folder) / "events.jsonl") as events:
        party = None
        if processes == 1:
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # or the batch would be divided between two cores
        else:
            party = Party(Cluster("local", processes, one_host=True), PLACEMENT.devices, events, folder)
            party.begin()
        dataset = open_dataset(design.data, data_ports(design), DESIGN.parent)
        script = Path(folder) / "model.py"
        write_script(design, script, (DESIGN.parent,))
        engine = create(PLACEMENT, Program.of(design, script), leads=party)
        engine.build()
        engine.start(dataset)
        rows = np.resize(dataset.training, (STEPS, batch))
        rates, weights = np.full(STEPS, 1e-3, np.float32), np.zeros((STEPS, 0), np.float32)

        def seconds() -> float:
            times = []
            for _ in range(ROUNDS + 1):
                began = time.perf_counter()
                engine.train(rows, rates, weights)
                times.append((time.perf_counter() - began) / STEPS)
            return min(times[1:])

        whole = seconds()
        with engine.without_reductions():
            without = seconds()
        size = sum(int(np.prod(variable.shape)) * 4 for variable in engine.training_model.trainable_variables)
        if party is not None:
            party.end()
        return {"step_s": whole, "without_s": without, "bytes": size}


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(int(sys.argv[1]), int(sys.argv[2]))), flush=True)
        os._exit(0)
    main()
