"""The hosts of this user: names for machines that are reached through OpenSSH, in a small file in the user's data folder."""

from __future__ import annotations

import difflib
import re

import msgspec

from seqdec_gui.domain.problems import InvalidInput, Problem, SeqdecError
from seqdec_gui.runs.files import pretty_json, read_bytes, write_atomically
from seqdec_gui.runs.known import data_folder

FILE = "hosts.json"
"""The name of the file in the user's data folder."""
FORMAT = 1
FOLDER = "seqdec-gui"
"""The folder on a host that holds the program, what was sent and the runs, in the home folder unless it is absolute."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NO_NAMES = ("auto", "cpu", "gpu")
"""Names that mean devices."""


class Host(msgspec.Struct, frozen=True):
    """A machine to train on.

    `address` is what `ssh` takes: `user@server`, a name of its configuration, or `ssh://user@server:2222`. A relative
    `folder` begins in the home folder there. `python` runs the program there; empty for the one that `prepare` makes.
    """

    name: str
    address: str
    folder: str = FOLDER
    python: str = ""

    @property
    def interpreter(self) -> str:
        """The Python that has the program there, as a path from the home folder."""
        return self.python or f"{self.folder}/venv/bin/python"


class _Book(msgspec.Struct, frozen=True):
    format: int = FORMAT
    hosts: tuple[Host, ...] = ()


def read() -> tuple[Host, ...]:
    """Return the hosts in the order in which they were added. Raises InvalidInput for a file that cannot be read."""
    path = data_folder() / FILE
    try:
        book = msgspec.json.decode(read_bytes(path), type=_Book)
        if book.format > FORMAT:
            raise InvalidInput(f"{path} has format {book.format}, this version reads up to {FORMAT}.", "newer_hosts")
        return tuple(checked(host) for host in book.hosts)
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        text = f"The list of hosts, {path}, cannot be read: {error}."
        raise InvalidInput([Problem("error", "damaged_hosts", "", text, "Remove it, and add the hosts anew.")]) from None


def find(name: str) -> Host:
    """Return the host of this name. Raises InvalidInput."""
    hosts = read()
    for host in hosts:
        if host.name == name:
            return host
    near = difflib.get_close_matches(name, [host.name for host in hosts], 1)
    known = f"there are {', '.join(host.name for host in hosts)}" if hosts else "there is none yet"
    hint = f"Did you mean {near[0]}?" if near else f"Add it: seqdec-gui hosts add {name or 'NAME'} user@server."
    raise InvalidInput([Problem("error", "no_such_host", "", f"There is no host {name!r}; {known}.", hint)])


def add(host: Host) -> None:
    """Add a host, in place of one of the same name. Raises InvalidInput, SeqdecError."""
    checked(host)
    others = [each for each in read() if each.name != host.name]
    _write((*others, host))


def remove(name: str) -> Host:
    """Take a host off the list; nothing changes there. Raises InvalidInput, SeqdecError."""
    host = find(name)
    _write(tuple(each for each in read() if each.name != name))
    return host


def checked(host: Host) -> Host:
    """Return the host. Raises InvalidInput for what ssh or the shell there would take for something else."""
    if not _NAME.fullmatch(host.name) or host.name in _NO_NAMES:
        text = f"Expected a name of letters, digits, points and hyphens that means no device, received {host.name!r}."
        raise InvalidInput(text, "host_name")
    server = host.address.removeprefix("ssh://").rpartition("@")[2]
    if host.address.startswith("-") or server.startswith("-"):  # `ssh` would take it for an option
        raise InvalidInput(f"Expected a server, received {host.address!r}: nothing that begins with a hyphen.", "host_address")
    if not server or not host.address.isprintable() or any(letter.isspace() for letter in host.address):
        text = f"Expected a server as ssh takes it, such as user@server, received {host.address!r}."
        raise InvalidInput(text, "host_address")
    for what, path in (("folder", host.folder), ("python", host.python)):
        if "\0" in path or (path.startswith("~") and not path.startswith("~/")) or (what == "folder" and not path.strip()):
            text = f"Expected a path for the {what} of a host, absolute or from the home folder, received {path!r}."
            raise InvalidInput(text, "host_path")
    return host


def from_home(path: str) -> str:
    """Return a path without `~/`: a session begins in the home folder. One that begins with a hyphen gets `./`."""
    path = path.removeprefix("~/")
    return f"./{path}" if path.startswith("-") else path


def _write(hosts: tuple[Host, ...]) -> None:
    path = data_folder() / FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, pretty_json(_Book(hosts=hosts)))
    except OSError as error:
        raise SeqdecError(f"The list of hosts, {path}, cannot be written: {error.strerror}.") from error
