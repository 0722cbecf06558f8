"""What `--cluster` means: `local:3`, `hosts:lab1,lab2`, `slurm` or `ray://ADDRESS?hosts=4`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.cluster.addresses import LOOPBACK

MOST = 1024
"""Most processes of one run."""
STEP_TASKS = "SLURM_STEP_NUM_TASKS"
"""The variable that SLURM sets in each task of `srun`, and not in the script of `sbatch`."""


class Cluster(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run by so many processes, one a host; process 0 leads: it alone writes the folder of the run.

    `hosts` are names of the user's hosts, in the order of the processes, for the kind "hosts". `address` is that of Ray. `at`
    are names and numbers under which the host of process 0 may be reached by the others, and `port` is where it waits for them
    (0: any free one). `started_outside`: the other processes are started by whoever started this one, not by process 0.
    `one_host`: all processes are on the host of process 0.
    """

    kind: Literal["local", "hosts", "slurm", "ray"]
    processes: Annotated[int, Meta(ge=1, le=MOST)]
    hosts: tuple[str, ...] = ()
    address: str = ""
    at: tuple[str, ...] = ()
    port: Annotated[int, Meta(ge=0, le=65535)] = 0
    started_outside: bool = False
    one_host: bool = False

    def __str__(self) -> str:
        """As written on the command line."""
        match self.kind:
            case "local":
                return f"local:{self.processes}"
            case "hosts":
                return f"hosts:{','.join(self.hosts)}"
            case "ray":
                return f"ray://{self.address}?hosts={self.processes}"
            case _:
                return "slurm"

    @property
    def places(self) -> tuple[str, ...]:
        """What the processes are called in messages and in the list of devices, in their order."""
        if self.kind == "hosts":
            return self.hosts
        word = "local" if self.one_host else self.kind
        return tuple(f"{word}.{number}" for number in range(self.processes))


def parse(text: str, environment: Mapping[str, str]) -> Cluster:
    """Return what `--cluster` asks for; `environment` tells what SLURM has given. Raises InvalidInput."""
    wish = text.strip()
    if match := re.fullmatch(r"local:(\d{1,4})", wish):
        return Cluster("local", _count(int(match[1]), text), one_host=True)
    if wish.startswith("hosts:"):
        names = tuple(name.strip() for name in wish.removeprefix("hosts:").split(","))
        if not all(names) or len(set(names)) != len(names):
            raise InvalidInput(f"Expected different hosts, as in hosts:lab1,lab2, received {text!r}.", "bad_cluster")
        return Cluster("hosts", _count(len(names), text), hosts=names)
    if match := re.fullmatch(r"ray://([^\s?]*)\?hosts=(\d{1,4})", wish):
        return Cluster("ray", _count(int(match[2]), text), address=match[1])
    if wish == "slurm":
        return _of_slurm(environment)
    raise InvalidInput(
        f"Expected local:2, hosts:lab1,lab2, slurm or ray://ADDRESS?hosts=2 (ray://?hosts=2 for the cluster of this machine), "
        f"received {text!r}.",
        "bad_cluster",
    )


def place_in_step(environment: Mapping[str, str]) -> tuple[int, int]:
    """Return the number of this process and of all, where `srun` has started one on each host; otherwise (0, 1)."""
    try:
        return int(environment["SLURM_PROCID"]), int(environment[STEP_TASKS])
    except (KeyError, ValueError):
        return 0, 1


def first_of_list(nodes: str) -> str:
    """Return the first name of a list as SLURM writes it: `lab[03-05,9],other` is `lab03`."""
    match = re.match(r"([^\[,]+)(?:\[([^\],-]+)[^\]]*\])?", nodes)
    if match is None:
        raise InvalidInput(f"SLURM names its nodes in a way that is not understood: {nodes!r:.80}.", "no_slurm")
    return match[1] + (match[2] or "")


def _of_slurm(environment: Mapping[str, str]) -> Cluster:
    if "SLURM_JOB_ID" not in environment:
        text = "This is no job of SLURM. Start it in one: sbatch with a script that calls this, or srun by hand"
        raise InvalidInput(f"{text} (docs/cluster.md).", "no_slurm")
    alone = (environment.get("SLURM_JOB_NUM_NODES") or environment.get("SLURM_NNODES")) == "1"
    _, tasks = place_in_step(environment)
    if tasks > 1:
        job = int(re.sub(r"\D", "", environment["SLURM_JOB_ID"]) or 0)
        first = first_of_list(environment.get("SLURM_STEP_NODELIST") or environment.get("SLURM_JOB_NODELIST", "localhost"))
        at = (LOOPBACK,) if alone else (first,)
        return Cluster("slurm", tasks, at=at, port=61440 + job % 4096, started_outside=True, one_host=alone)
    count = environment.get("SLURM_NTASKS") or environment.get("SLURM_JOB_NUM_NODES") or environment.get("SLURM_NNODES") or "1"
    return Cluster("slurm", _count(int(count), "slurm"), one_host=alone)


def _count(count: int, text: str) -> int:
    if not 1 <= count <= MOST:
        raise InvalidInput(f"Expected 1 to {MOST} processes, received {text!r}.", "bad_cluster")
    return count
