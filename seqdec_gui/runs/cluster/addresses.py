"""Under which names and numbers the hosts of a run reach each other."""

from __future__ import annotations

import contextlib
import socket

LOOPBACK = "127.0.0.1"


def free_port(address: str = "") -> int:
    """Return a port on which nobody listens now."""
    with socket.socket() as found:
        found.bind((address, 0))
        return int(found.getsockname()[1])


def own_addresses() -> tuple[str, ...]:
    """Return names and numbers under which other hosts may reach this one, the likeliest first; none of loopback."""
    name = socket.gethostname()
    found = [socket.getfqdn(), name]
    with contextlib.suppress(OSError):
        found += [str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:  # sends nothing: asks which interface leads outside
        try:
            asked.connect(("192.0.2.1", 9))
            found.append(str(asked.getsockname()[0]))
        except OSError:
            pass
    return tuple(dict.fromkeys(each for each in found if not is_loopback(each)))


def is_loopback(address: str) -> bool:
    """Whether an address or a name of one means the own machine to everybody."""
    return address in ("localhost", "localhost.localdomain") or address.startswith(("127.", "::1", "0.", "fe80"))


def name_that_misleads() -> str:
    """Return why other hosts would not reach this one, what to do included; empty where they may.

    Sums over CPUs go between the addresses that the hosts' own names mean to themselves (gloo).
    """
    name = socket.gethostname()
    try:
        means = sorted({str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)})
    except OSError:
        return f"The name of this host, {name}, means no address to itself: add a line with its own address to /etc/hosts."
    if all(is_loopback(each) for each in means):
        return (
            f"The name of this host, {name}, means {' and '.join(means)} to itself, and the other hosts would be told that "
            "address: give the name the address of the network in /etc/hosts."
        )
    return ""
