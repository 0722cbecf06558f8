"""Starts the other processes of a run on several hosts, from the host of process 0."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs.cluster.choice import Cluster
from seqdec_gui.runs.cluster.join import command, environment_of
from seqdec_gui.runs.environment import with_package, working_folder


class Started(NamedTuple):
    """A process that this one has started, for the processes of these numbers."""

    process: subprocess.Popen[bytes]
    numbers: tuple[int, ...]


def start(cluster: Cluster, where: str, at: Sequence[str], log: IO[bytes] | None = None) -> list[Started]:
    """Start what starts processes 1 to N - 1; what they print goes into the log of the run.

    `where` are the devices of each, `at` addresses of process 0. Raises SeqdecError where a program is missing.
    """
    if cluster.started_outside or cluster.processes < 2:
        return []
    others = tuple(range(1, cluster.processes))
    if cluster.kind == "local":
        variables = environment_of(where, os.environ)
        each = [command(at, number, cluster.processes, where) for number in others]
        return [_started(argv, (number,), variables, log) for argv, number in zip(each, others, strict=True)]
    argv = command(at, 0, cluster.processes, where)
    if cluster.kind == "slurm":
        place = argv.index("--number")
        return [_started([*_srun(cluster.processes, os.environ), *argv[:place], *argv[place + 2 :]], others, os.environ, log)]
    helper = [sys.executable, "-P", "-m", "seqdec_gui.runs.cluster.on_ray", cluster.address, str(cluster.processes), *argv[1:]]
    return [_started(helper, others, os.environ, log)]


def join_alone(argv: Sequence[str], log: Path) -> None:
    """Start a process that takes part in a run of another host and outlives this one. Raises OSError."""
    with log.open("ab") as file:
        child = subprocess.Popen(
            list(argv), stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=with_package(os.environ), cwd=working_folder(),
            start_new_session=True,
        )  # fmt: skip
    child.returncode = 0  # nobody waits for it, and Popen would warn that it still runs


def _srun(processes: int, environment: Mapping[str, str]) -> list[str]:
    """Return the command of SLURM that starts all processes but the first, on the nodes behind the first if there are more."""
    nodes = int(environment.get("SLURM_JOB_NUM_NODES") or environment.get("SLURM_NNODES") or 1)
    words = ["srun", f"--ntasks={processes - 1}", "--export=ALL", "--overlap", "--kill-on-bad-exit=1"]
    if nodes > 1:
        return [*words, "--relative=1", f"--nodes={min(nodes - 1, processes - 1)}"]
    return [*words, "--nodes=1"]


def _started(argv: Sequence[str], numbers: tuple[int, ...], environment: Mapping[str, str], log: IO[bytes] | None) -> Started:
    try:
        process = subprocess.Popen(list(argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(environment))
    except FileNotFoundError:
        raise SeqdecError(f"There is no program {argv[0]!r} here, which starts the other processes of the run.") from None
    return Started(process, numbers)
