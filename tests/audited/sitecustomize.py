"""Makes every Python process that has this folder on PYTHONPATH write down which sockets it opens and what it writes.

The lines go to the file that `SEQDEC_GUI_AUDIT` names: pid, event, and the path or address. At the end of the process follow
the sockets that libraries without Python hold.
"""

import atexit
import os
import sys

LOG = os.environ.get("SEQDEC_GUI_AUDIT", "")
SOCKETS = ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname")
WRITES = {
    "os.mkdir": 0,
    "os.remove": 0,
    "os.rmdir": 0,
    "os.rename": 1,
    "os.link": 1,
    "os.symlink": 1,
    "os.truncate": 0,
    "os.chmod": 0,
}
"""The argument of each event that is the path which changes."""


def _say(event: str, what: object) -> None:
    line = f"{os.getpid()}\t{event}\t{what}\n".encode(errors="replace")
    os.write(_FILE, line)


def _look(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open":
        path, _mode, flags = arguments
        if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and not isinstance(path, int):
            _say("write", os.path.abspath(os.fsdecode(path)))  # type: ignore[arg-type]  # noqa: PTH100
    elif event in WRITES:
        path = arguments[WRITES[event]]
        folder = arguments[-1] if event in ("os.mkdir", "os.remove", "os.rmdir") else -1
        if not isinstance(path, int) and folder == -1:
            _say(event, os.path.abspath(os.fsdecode(path)))  # type: ignore[arg-type]  # noqa: PTH100
    elif event in SOCKETS:
        _say(event, arguments[1:])


def _sockets_left() -> None:
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        local = {line.split()[6] for line in file if len(line.split()) > 6}
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208
        try:
            target = os.readlink(f"/proc/self/fd/{number}")  # noqa: PTH115
        except OSError:
            continue
        if target.startswith("socket:") and target[8:-1] not in local:
            _say("socket.left", target)


if LOG:
    _FILE = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.set_inheritable(_FILE, False)
    sys.addaudithook(_look)
    atexit.register(_sockets_left)
