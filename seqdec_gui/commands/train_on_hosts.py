"""`train --cluster hosts:lab1,lab2`: one run on several hosts, of which the first leads; its copy here is followed."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import msgspec

from seqdec_gui.commands.console import load_design, warn, warn_of
from seqdec_gui.commands.train import apply, launch_and_watch, make_spec
from seqdec_gui.commands.train_on_host import telling
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.wording import listed
from seqdec_gui.runs import folder, known
from seqdec_gui.runs.cluster.choice import parse
from seqdec_gui.runs.hosts import book, starting, together
from seqdec_gui.runs.hosts.sending import files_of, only_there
from seqdec_gui.runs.hosts.session import Session, fail_unless_same_version
from seqdec_gui.runs.spec import RunSpec


def train_on_hosts(arguments: argparse.Namespace) -> int:
    """Train on the hosts that `--cluster` names, and return the exit status. Raises InvalidInput."""
    if arguments.queue:
        text = "Runs on hosts do not wait in the queue of this machine; expected --cluster or --queue, not both."
        raise InvalidInput(text, "queue_there")
    cluster = together.meeting_place(parse(arguments.cluster, os.environ))
    host = book.find(cluster.hosts[0])
    with Session(host) as session:
        fail_unless_same_version(session)
        facts = starting.facts(session)
        design = apply(load_design(arguments.design), [], arguments.data, [])
        there = only_there(session, files_of(design, Path(arguments.design).absolute().parent))
    spec = msgspec.structs.replace(make_spec(arguments, facts.devices, there), cluster=cluster)
    target = folder.create(arguments.run, arguments.design)
    known.remember_designs([(Path(arguments.design), spec.design_id)])
    try:
        with telling() as tell:
            started = starting.start(target, spec, host, arguments.nice, tell)
    except BaseException:
        folder.discard_unstarted(target)
        raise
    together.join(cluster, devices_there(target.read_spec()), target.name, started.process)
    if arguments.detach:
        warn_of(started.warnings)
    warn(f"Trains on {listed(list(cluster.hosts))}, which go on if this program or the link ends.")
    return launch_and_watch(started.process, arguments)


def devices_there(spec: RunSpec) -> str:
    """Return the devices that the first host has chosen, as the others are told."""
    return str(spec.placed_devices)
