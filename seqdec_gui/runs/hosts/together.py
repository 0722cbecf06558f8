"""One run on several hosts of the user's list: the first leads it and has its folder, the others take part."""

from __future__ import annotations

import msgspec

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs.cluster.choice import Cluster
from seqdec_gui.runs.hosts import book
from seqdec_gui.runs.hosts.book import Host
from seqdec_gui.runs.hosts.session import Session, fail_unless_same_version
from seqdec_gui.runs.process import RunProcess


def meeting_place(cluster: Cluster) -> Cluster:
    """Return a cluster with where its first host waits for the others; all of them are asked whether they have the program.

    Raises InvalidInput, NotPrepared, LinkLost.
    """
    for name in reversed(cluster.hosts):  # the first host comes last
        with Session(book.find(name)) as session:
            fail_unless_same_version(session)
            said = session.ask("meet")
    names = [_server(book.find(cluster.hosts[0])), *map(str, said.get("addresses", list))]
    return msgspec.structs.replace(
        cluster, at=tuple(dict.fromkeys(names)), port=said.integer("port"), started_outside=True, address=""
    )


def join(cluster: Cluster, devices: str, run: str, leading: RunProcess) -> None:
    """Have every host but the first take part in the run of the folder name `run`, which `leading` has begun on the first.

    Where one cannot, the run is ended. Raises as `meeting_place`.
    """
    at = [f"[{name}]:{cluster.port}" if ":" in name else f"{name}:{cluster.port}" for name in cluster.at]
    try:
        for number, name in enumerate(cluster.hosts[1:], 1):
            with Session(book.find(name)) as session:
                fail_unless_same_version(session)
                session.ask(
                    "join", at=at, number=number, processes=cluster.processes, devices=devices, run=f"{run}-{number}"
                )  # fmt: skip
    except SeqdecError:
        leading.kill()
        raise


def _server(host: Host) -> str:
    """Return the server in what ssh takes as an address: without user and port."""
    return host.address.removeprefix("ssh://").rpartition("@")[2].partition(":")[0]
