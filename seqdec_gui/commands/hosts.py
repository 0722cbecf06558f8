"""Machines that are reached through OpenSSH, with your configuration, keys and agent.

seqdec-gui hosts add lab user@server     remember a machine as lab
seqdec-gui hosts prepare lab             install seqdec-gui there, in a virtual environment of its own
seqdec-gui hosts check lab               reach it, compare versions, list its devices
seqdec-gui train DESIGN --on lab:gpu:0,1
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from seqdec_gui import __version__
from seqdec_gui.commands.console import say, say_json, say_table, warn
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runs.hosts import book
from seqdec_gui.runs.hosts.book import FOLDER, Host

if TYPE_CHECKING:
    from seqdec_gui.runs.hosts.starting import Facts


_TAKES = {"add": (2, 2), "list": (0, 0), "remove": (1, 1), "check": (0, 99), "prepare": (1, 1)}
"""How many names each verb takes."""
_OPTIONS = {
    "folder": ("add",),
    "python": ("add",),
    "json": ("list", "check"),
    "with_python": ("prepare",),
    "extras": ("prepare",),
    "dry_run": ("prepare",),
}
"""The verbs that each option goes with."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    text = "add NAME ADDRESS, list, remove NAME, check [NAME ...] or prepare NAME"
    parser.add_argument("verb", metavar="VERB", choices=tuple(_TAKES), help=text)
    text = "what to call the machine; ADDRESS as ssh takes it: user@server, or a name of your ssh configuration"
    parser.add_argument("words", metavar="NAME", nargs="*", help=text)
    text = f"add: the folder there for the program, what is sent and the runs (default: ~/{FOLDER})"
    parser.add_argument("--folder", metavar="DIR", help=text)
    text = "add: a Python there that has seqdec-gui (default: the one that `hosts prepare` makes)"
    parser.add_argument("--python", metavar="PATH", help=text)
    parser.add_argument("--json", action="store_true", help="list, check: as a JSON list")
    text = "prepare: a Python 3.11 to 3.13 there to make the environment with (default: the newest that is found)"
    parser.add_argument("--with-python", metavar="PATH", help=text)
    text = "prepare: extras to install, with commas (default: jax, and gpu where there are NVIDIA GPUs)"
    parser.add_argument("--extras", metavar="EXTRAS", help=text)
    parser.add_argument("--dry-run", action="store_true", help="prepare: only show what would be done there")


def run(arguments: argparse.Namespace) -> int:
    verb, names = arguments.verb, arguments.words
    _fail_unless_they_go_together(arguments)
    if verb == "add":
        book.add(Host(names[0], names[1], arguments.folder or FOLDER, arguments.python or ""))
        next_step = "check" if arguments.python else "prepare"
        say(f"{names[0]} is {names[1]}. Next: seqdec-gui hosts {next_step} {names[0]}")
    elif verb == "list":
        _list(arguments.json)
    elif verb == "remove":
        host = book.remove(names[0])
        say(f"{host.name} is forgotten. What lies there stays: {host.folder} on {host.address}.")
    elif verb == "check":
        return _check(names, arguments.json)
    else:
        return _prepare(book.find(names[0]), arguments)
    return 0


def _fail_unless_they_go_together(arguments: argparse.Namespace) -> None:
    least, most = _TAKES[arguments.verb]
    if not least <= len(arguments.words) <= most:
        wanted = {"add": "a name and an address: add lab user@server", "list": "no name"}.get(arguments.verb, "one name")
        raise InvalidInput(f"hosts {arguments.verb} expects {wanted}; received {len(arguments.words)} words.", "host_words")
    for option, verbs in _OPTIONS.items():
        if getattr(arguments, option) not in (None, False) and arguments.verb not in verbs:
            raise InvalidInput(f"--{option.replace('_', '-')} goes with hosts {' and '.join(verbs)}.", "host_words")


def _prepare(host: Host, arguments: argparse.Namespace) -> int:
    from seqdec_gui.runs.hosts.prepare import prepare

    extras = None if arguments.extras is None else tuple(filter(None, arguments.extras.split(",")))
    prepare(host, say, with_python=arguments.with_python or "", extras=extras, dry_run=arguments.dry_run)
    return 0 if arguments.dry_run else _check([host.name], False)


def _list(as_json: bool) -> None:
    hosts = book.read()
    if as_json:
        say_json(hosts)
    elif not hosts:
        say("No hosts. Add one: seqdec-gui hosts add lab user@server")
    else:
        rows = [(host.name, host.address, host.folder, host.python or "its own environment") for host in hosts]
        say_table([("host", "address", "folder", "python"), *rows])


def _check(names: list[str], as_json: bool) -> int:
    """Reach hosts and say what they are. Returns 1 if one cannot be used."""
    from seqdec_gui.runs.hosts.starting import look

    found: list[Facts] = []
    failed = False
    for name in names or [host.name for host in book.read()]:
        try:
            facts = look(name)
        except SeqdecError as error:
            warn(str(error))
            failed = True
            continue
        found.append(facts)
        if facts.version != __version__:
            warn(f"{name}: seqdec-gui is {facts.version} there and {__version__} here: seqdec-gui hosts prepare {name}.")
            failed = True
        if not as_json:
            _say(facts)
    if as_json:
        say_json(found)
    return int(failed)


def _say(facts: Facts) -> None:
    say(f"{facts.host}: {facts.sentence()}")
    for device in facts.devices:
        memory = f", {device.memory_total / 2**30:.0f} GiB" if device.memory_total else ""
        say(f"  {facts.host}:{device.id}  {device.name}{memory}{'  busy' if device.busy else ''}")
