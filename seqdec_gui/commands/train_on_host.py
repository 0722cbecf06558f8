"""`train --on HOST`: sends design and data, starts the run there and follows its copy here."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from seqdec_gui.commands.console import load_design, report_progress, warn, warn_of
from seqdec_gui.commands.train import apply, launch_and_watch, make_spec
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import folder, known
from seqdec_gui.runs.cluster.choice import Cluster
from seqdec_gui.runs.hosts import book, starting
from seqdec_gui.runs.hosts.sending import Tell, files_of, only_there
from seqdec_gui.runs.hosts.session import Session, fail_unless_same_version
from seqdec_gui.runs.tasks import Progress


def train_on_host(arguments: argparse.Namespace) -> int:
    """Train on the host that `--on` names, and return the exit status. Raises InvalidInput."""
    name, wish = parse_place(arguments.on, arguments.devices)
    if arguments.queue:
        text = f"Runs on {name} do not wait in the queue of this machine; expected --on or --queue, not both."
        raise InvalidInput(text, "queue_there")
    host = book.find(name)
    arguments.devices = wish
    started, _ = start_there(arguments, host)
    if arguments.detach:
        warn_of(started.warnings)
    warn(f"Trains on {host.name}, which goes on if this program or the link ends.")
    return launch_and_watch(started.process, arguments)


def start_there(
    arguments: argparse.Namespace, host: book.Host, cluster: Cluster | None = None
) -> tuple[starting.Started, folder.RunFolder]:
    """Send design and data to a host and start the run; returns it with its copy here. Raises InvalidInput, SeqdecError."""
    with Session(host) as session:
        fail_unless_same_version(session)
        facts = starting.facts(session)
        design = apply(load_design(arguments.design), [], arguments.data, [])
        there = only_there(session, files_of(design, Path(arguments.design).absolute().parent))
    spec = make_spec(arguments, facts.devices, there)
    if cluster is not None:
        spec = msgspec.structs.replace(spec, cluster=cluster)
    target = folder.create(arguments.run, arguments.design)
    known.remember_designs([(Path(arguments.design), spec.design_id)])
    try:
        with telling() as tell:
            started = starting.start(target, spec, host, arguments.nice, tell)
    except BaseException:
        folder.discard_unstarted(target)
        raise
    for file in started.files:
        if file.sent:
            warn(f"Sent {Path(file.here).name} ({file.sent:,} bytes) to {host.name}.")
    return started, target


def parse_place(on: str, devices: str | None) -> tuple[str, str]:
    """Return the host and the devices of `lab`, `lab:gpu:0,1` or `lab:cpu:2`. Raises InvalidInput."""
    name, colon, wish = on.partition(":")
    if colon and devices is not None:
        text = f"The devices are named twice, by --on {on} and by --devices {devices}."
        raise InvalidInput(text, "two_places")
    if colon and not wish:
        raise InvalidInput(f"Expected devices behind the colon, as in {name}:gpu:0,1; received {on!r}.", "devices_syntax")
    return name, wish or devices or "auto"


@contextmanager
def telling() -> Iterator[Tell]:
    """Yield a function that shows on the terminal what is being sent."""
    with report_progress() as report:
        yield _in_words(report)


def _in_words(report: Callable[[Progress], None]) -> Tell:
    return lambda text, done, total: report(Progress(text=text, done=done, total=total))
