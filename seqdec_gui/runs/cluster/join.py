"""`python -m seqdec_gui.runs.cluster.join`: become process NUMBER of a run on several hosts, and end with it.

Started on each host but that of process 0. It needs no file of the run: design, rows and weights come from process 0.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs import devices, environment
from seqdec_gui.runs.cluster.addresses import LOOPBACK, name_that_misleads
from seqdec_gui.runs.engine_choice import missing
from seqdec_gui.runs.engines import cluster_engine
from seqdec_gui.runs.spec import Placement

MEMBER = "seqdec_gui.runner.member"
"""The module that trains under process 0."""


def command(at: Sequence[str], number: int, processes: int, where: str, interpreter: str = sys.executable) -> list[str]:
    """Return the command that starts a process of a run; `at` are addresses of process 0, `where` the devices to use."""
    return [
        interpreter, "-P", "-m", "seqdec_gui.runs.cluster.join", "--at", ",".join(at), "--number", str(number),
        "--processes", str(processes), "--devices", where,
    ]  # fmt: skip


def environment_of(where: str, base: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process that trains on these devices of this machine. Raises InvalidInput."""
    choice, _ = devices.parse_devices(where, devices.list_devices())
    engine = cluster_engine().name
    if reason := missing(engine, choice):
        raise SeqdecError(f"This host cannot take part: {reason}")
    return environment.child_environment(Placement(choice, engine), base)


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("python -m seqdec_gui.runs.cluster.join", description=__doc__)
    parser.add_argument("--at", required=True, help="addresses of process 0, with commas: HOST:PORT")
    parser.add_argument("--number", type=int, help="of this process; by default that of SLURM plus 1")
    parser.add_argument("--processes", type=int, required=True)
    parser.add_argument("--devices", required=True)
    given = parser.parse_args(words)
    number = int(os.environ["SLURM_PROCID"]) + 1 if given.number is None else given.number
    try:
        if not given.at.startswith(LOOPBACK) and given.devices.startswith("cpu") and (why := name_that_misleads()):
            raise SeqdecError(why)
        variables = environment_of(given.devices, os.environ)
    except SeqdecError as error:
        sys.stderr.write(f"Process {number}: {error}\n")
        return error.exit_status
    os.chdir(environment.working_folder())
    argv = [sys.executable, "-P", "-m", MEMBER, given.at, str(number), str(given.processes), given.devices]
    os.execve(sys.executable, argv, variables)
    raise AssertionError("unreachable")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
