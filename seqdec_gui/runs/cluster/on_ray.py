"""`python -m seqdec_gui.runs.cluster.on_ray ADDRESS PROCESSES WORDS...`: start processes 1 to N - 1 of a run through Ray.

A process of its own, beside process 0: Ray is imported nowhere else. It reserves a placement group with one bundle on each of N
nodes, this one among them, and runs `python WORDS... --number I` on the others, until all of them have ended.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

WAIT_S = 150
"""Seconds that Ray has to reserve the nodes."""


def main(words: Sequence[str]) -> int:
    address, count, argv = words[0], int(words[1]), list(words[2:])
    try:
        ray: Any = import_module("ray")
        groups: Any = import_module("ray.util.placement_group")
        strategies: Any = import_module("ray.util.scheduling_strategies")
    except ImportError:
        sys.stderr.write("Ray is not installed: pip install 'seqdec-gui[ray]'.\n")
        return 1
    ray.init(address=_address(address), log_to_driver=True, include_dashboard=False)
    here = ray.get_runtime_context().get_node_id()
    gpus = _gpus(argv)
    bundle = {"CPU": 1.0} | ({"GPU": float(gpus)} if gpus else {})
    group = groups.placement_group([bundle] * count, strategy="STRICT_SPREAD")
    try:
        ray.get(group.ready(), timeout=WAIT_S)
    except ray.exceptions.GetTimeoutError:
        sys.stderr.write(f"Ray has not given {count} nodes with {bundle} each within {WAIT_S} seconds (ray status).\n")
        return 1
    nodes = groups.placement_group_table(group)["bundles_to_node_id"]
    others = [index for index in range(count) if nodes[index] != here]
    if len(others) != count - 1:
        sys.stderr.write("This machine is no node of the Ray cluster: start the run on one of its nodes (ray job submit).\n")
        return 1

    @ray.remote(num_cpus=1, num_gpus=gpus, max_retries=0)  # type: ignore[untyped-decorator]
    def take_part(number: int) -> int:
        place = argv.index("--number")
        own = [sys.executable, *argv[:place], "--number", str(number), *argv[place + 2 :]]
        return subprocess.run(own, check=False).returncode

    def at(index: int) -> Any:
        return strategies.PlacementGroupSchedulingStrategy(placement_group=group, placement_group_bundle_index=index)

    started = [take_part.options(scheduling_strategy=at(index)).remote(n) for n, index in enumerate(others, 1)]
    try:
        statuses: list[int] = ray.get(started)
    except ray.exceptions.RayError as error:
        sys.stderr.write(f"Ray has lost a process of the run: {error}\n")
        return 1
    finally:
        groups.remove_placement_group(group)
    return max(map(abs, statuses))


def _address(address: str) -> str:
    """Return an address as Ray takes it: a bare one is that of the head node, an empty one this machine's cluster."""
    return address or "auto"


def _gpus(argv: Sequence[str]) -> int:
    where = argv[argv.index("--devices") + 1]
    return where.count("gpu:")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
