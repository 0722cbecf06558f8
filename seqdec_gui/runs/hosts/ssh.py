"""Starts OpenSSH's `ssh` and says what went wrong. Keys, agent, jump hosts and addresses are those of the user's configuration.

It never asks for a password (`BatchMode`), forwards nothing and opens no port. `SEQDEC_GUI_SSH` names another command than
`ssh`, with options, in the way of `GIT_SSH_COMMAND`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Sequence

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.domain.wording import shortened
from seqdec_gui.runs.hosts.book import Host, checked

COMMAND = "SEQDEC_GUI_SSH"
"""The environment variable with another command than `ssh`."""
_OPTIONS = (
    "BatchMode=yes",
    "ConnectTimeout=15",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
)
"""No questions; a dead link is noticed in 20 seconds; nothing is forwarded; no command of the configuration is in the way."""


class LinkLost(SeqdecError):
    """A host was not reached, or the link broke: it may work later, or after what the sentence says."""


class NotPrepared(SeqdecError):
    """The program is not there on a host, or not in a version that fits."""


def argv(host: Host, command: str) -> list[str]:
    """Return the arguments that run a shell command on a host. Raises InvalidInput, LinkLost if there is no ssh here."""
    given = shlex.split(os.environ.get(COMMAND, "")) or ["ssh"]
    if shutil.which(given[0]) is None:
        hint = "install OpenSSH's client (Debian, Ubuntu: apt install openssh-client; Windows: an optional feature)"
        raise LinkLost(f"There is no program {given[0]!r} here: {hint}.")
    options = [word for option in _OPTIONS for word in ("-o", option)]
    return [*given, "-T", "-a", "-x", *options, "--", checked(host).address, command]


def quoted(words: Sequence[str]) -> str:
    """Return words as a command for the login shell of a host, whatever shell that is: `sh` gets them whole."""
    inner = " ".join(map(shlex.quote, words))
    return f"exec sh -c {shlex.quote(inner)}"


_SAID: tuple[tuple[str, str], ...] = (
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED",
        "The host key of {address} is not the one that you accepted. Either the server was set up anew, or somebody stands "
        "between: ask its administrator for the fingerprint; then remove the old key (ssh-keygen -R SERVER) and connect once "
        "by hand (ssh {address}).",
    ),
    (
        r"Host key verification failed|No .* host key is known",
        "The host key of {address} is not known here yet. Connect once by hand (ssh {address}), compare the fingerprint with "
        "that of the server, and accept it.",
    ),
    (
        r"Permission denied|Too many authentication failures|No supported authentication methods",
        "{address} takes none of your keys, and no password is asked for here. Put your key there (ssh-copy-id {address}), or "
        "unlock it (ssh-add); `ssh {address}` must work without a password.",
    ),
    (r"Could not resolve hostname", "There is no server of that name: {address}. Check the spelling, or the network (a VPN?)."),
    (r"Connection refused", "{address} is there and no ssh server answers on it: is sshd running, and the port right?"),
    (
        r"timed out|No route to host|Network is unreachable|not responding",
        "{address} does not answer: is it switched on, and the network (a VPN?) connected?",
    ),
    (r"Bad owner or permissions|Bad configuration option|terminating, \d+ bad", "ssh refuses your configuration: {last}"),
)
"""What ssh says, and what the user is told."""


def explanation(host: Host, status: int | None, said: str) -> SeqdecError:
    """Return the error for an ssh that ended without a conversation; `said` is its standard error, `status` its exit status."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith("Warning: Permanently added")]
    last = shortened(lines[-1].rstrip("."), 300) if lines else ""
    if status != 255:
        return _about_the_program(host, status, said, last)
    for pattern, sentence in _SAID:
        if re.search(pattern, said, re.IGNORECASE):
            return LinkLost(f"{host.name}: {sentence.format(address=host.address, last=last)}")
    return LinkLost(f"{host.name}: the link to {host.address} broke{f': {last}' if last else ''}.")


def _about_the_program(host: Host, status: int | None, said: str, last: str) -> SeqdecError:
    prepare = f"seqdec-gui hosts prepare {host.name}"
    if status in (126, 127) or re.search(r"No module named '?seqdec_gui'?(?!\.)", said):
        return NotPrepared(f"{host.name}: seqdec-gui is not there ({host.interpreter}). Install it: {prepare}.")
    if re.search(r"invalid choice|there is no command and no file|No module named '?seqdec_gui\.", said):
        return NotPrepared(f"{host.name}: seqdec-gui there is too old to be reached from here. Upgrade it: {prepare}.")
    if "No space left on device" in said or "Disk quota exceeded" in said:
        return LinkLost(f"{host.name}: the disk there is full: free some space on it.")
    if (status is not None and status < 0) or status == 0 or not last:
        return LinkLost(f"{host.name}: the link to {host.address} broke.")
    return NotPrepared(f"{host.name}: seqdec-gui there does not start: {last} Install it anew: {prepare}.")
