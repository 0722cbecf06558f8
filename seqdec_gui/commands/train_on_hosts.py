"""`train --cluster hosts:lab1,lab2`: one run on several hosts, of which the first leads; its copy here is followed."""

from __future__ import annotations

import argparse
import os

from seqdec_gui.commands.console import warn, warn_of
from seqdec_gui.commands.train import launch_and_watch
from seqdec_gui.commands.train_on_host import start_there
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.wording import listed
from seqdec_gui.runs.cluster.choice import parse
from seqdec_gui.runs.hosts import book, together
from seqdec_gui.runs.spec import RunSpec


def train_on_hosts(arguments: argparse.Namespace) -> int:
    """Train on the hosts that `--cluster` names, and return the exit status. Raises InvalidInput."""
    if arguments.queue:
        text = "Runs on hosts do not wait in the queue of this machine; expected --cluster or --queue, not both."
        raise InvalidInput(text, "queue_there")
    cluster = together.meeting_place(parse(arguments.cluster, os.environ))
    started, target = start_there(arguments, book.find(cluster.hosts[0]), cluster)
    together.join(cluster, devices_there(target.read_spec()), target.name, started.process)
    if arguments.detach:
        warn_of(started.warnings)
    warn(f"Trains on {listed(list(cluster.hosts))}, which go on if this program or the link ends.")
    return launch_and_watch(started.process, arguments)


def devices_there(spec: RunSpec) -> str:
    """Return the devices that the first host has chosen, as the others are told."""
    return str(spec.placed_devices)
