"""A SLURM of one node from the distribution's packages: a run inside `sbatch`, and one that `srun` starts by hand.

Needs root and `apt install slurmctld slurmd slurm-client munge`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from seqdec_gui.domain import document
from seqdec_gui.runs.cluster.addresses import free_port
from seqdec_gui.runs.events import Started
from seqdec_gui.runs.folder import RunFolder
from tests.runner import designs
from tests.runner.real_runs import events

NEEDED = ("slurmctld", "slurmd", "srun", "sbatch", "munge", "munged")
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
MISSING = "" if os.getuid() == 0 and all(shutil.which(name, path=PATH) for name in NEEDED) else "needs root, SLURM and munge"
pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.skipif(bool(MISSING), reason=MISSING)]
ROOT = Path(__file__).resolve().parents[2]
LONGEST_S = 200.0


@pytest.fixture
def slurm(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment in which commands reach the SLURM."""
    name, folder, begun = socket.gethostname(), tmp_path / "slurm", []
    for part in ("state", "spool"):
        (folder / part).mkdir(parents=True)
    (folder / "slurm.conf").write_text(
        f"ClusterName=test\nSlurmctldHost={name}(127.0.0.1)\nAuthType=auth/munge\nSlurmUser=root\nMpiDefault=none\n"
        f"StateSaveLocation={folder}/state\nSlurmdSpoolDir={folder}/spool\nSlurmctldPidFile={folder}/ctld.pid\n"
        f"SlurmdPidFile={folder}/d.pid\nSlurmctldPort={free_port()}\nSlurmdPort={free_port()}\nReturnToService=2\n"
        "ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nSelectType=select/cons_tres\nSelectTypeParameters=CR_Core\n"
        f"NodeName={name} NodeAddr=127.0.0.1 CPUs=1 State=UNKNOWN\nPartitionName=main Nodes={name} Default=YES State=UP\n"
    )
    environment = os.environ | {"PATH": PATH, "SLURM_CONF": str(folder / "slurm.conf"), "PYTHONPATH": str(ROOT)}
    if subprocess.run(["munge", "-n"], env=environment, capture_output=True, check=False).returncode:
        Path("/run/munge").mkdir(exist_ok=True)
        shutil.chown("/run/munge", "munge")
        begun.append(["su", "-s", "/bin/sh", "munge", "-c", "exec munged --foreground"])
    begun += [["slurmctld", "-D"], ["slurmd", "-D"]]
    processes = []
    try:
        with (folder / "log").open("wb") as log:
            for command in begun:
                processes.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True))
                time.sleep(1.0)  # each needs the one before
        end = time.monotonic() + 30.0
        while "idle" not in _said(["sinfo", "-h"], environment):
            assert time.monotonic() < end, (folder / "log").read_text()[-2000:]
            time.sleep(0.2)
        yield environment
    finally:
        for process in reversed(processes):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 15)
            process.wait(20)


def _said(command: list[str], environment: dict[str, str]) -> str:
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("way", ["sbatch", "srun by hand"])
def test_a_job_of_two_tasks_is_one_run(slurm: dict[str, str], tmp_path: Path, way: str) -> None:
    data = designs.write_rows(tmp_path, 240)
    design = tmp_path / "job.seqdec"
    document.save(designs.bound(designs.stack(units=(6,)), data, batch_size=24, epochs=1, learning_rate=1e-2), design)
    train = [
        sys.executable,
        "-P",
        "-m",
        "seqdec_gui",
        "train",
        str(design),
        "--cluster",
        "slurm",
        "--run",
        str(tmp_path / "run"),
    ]
    if way == "sbatch":
        script = tmp_path / "job.sh"
        script.write_text("#!/bin/bash\nexec " + " ".join(f"'{word}'" for word in train) + "\n")
        command = ["sbatch", "--wait", "-n", "2", "--overcommit", "-o", str(tmp_path / "said"), str(script)]
    else:
        command = ["srun", "-n", "2", "--overcommit", "-o", str(tmp_path / "said"), *train]
    done = subprocess.run(command, env=slurm, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    assert done.returncode == 0, done.stderr + (tmp_path / "said").read_text()[-2000:]
    (started,) = events(RunFolder(tmp_path / "run"), Started)
    assert started.devices == ("local.0/cpu:0", "local.1/cpu:0")
    assert RunFolder(tmp_path / "run").status().state == "finished"
