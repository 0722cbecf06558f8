"""Installs the program on a host, in a virtual environment of its own, over plain ssh, and shows every step."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from seqdec_gui import __version__
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.domain.wording import format_bytes, listed
from seqdec_gui.runs.engines import ENGINES
from seqdec_gui.runs.hosts import ssh
from seqdec_gui.runs.hosts.book import Host, from_home
from seqdec_gui.runs.hosts.wheel import extras as known_extras
from seqdec_gui.runs.hosts.wheel import make_wheel
from seqdec_gui.runs.tasks import Cancelled

Say = Callable[[str], None]
PYTHONS = ("python3.13", "python3.12", "python3.11", "python3")
"""Pythons that are looked for on a host, the first that fits is taken."""
OLDEST, NEWEST = (3, 11), (3, 13)
"""The versions of Python that the program runs on."""
NEEDED = 4 << 30
"""Room on the disk that TensorFlow and JAX take, in bytes; with CUDA twice as much."""
POLL_S = 0.1
"""Seconds between two looks at whether a step has ended."""
_LOOK = """
printf 'system %s\\n' "$(uname -sm)"
mkdir -p -- {folder} && printf 'folder %s\\n' "$(cd -- {folder} && pwd)"
printf 'room %s\\n' "$(df -Pk -- {folder} | awk 'NR==2 {{print $4}}')"
command -v nvidia-smi >/dev/null && printf 'gpus %s\\n' "$(nvidia-smi -L 2>/dev/null | grep -c '^GPU')"
for python in {pythons}; do
    path=$(command -v -- "$python") || continue
    "$path" -c 'import ensurepip, venv, sys; print("python", sys.executable, *sys.version_info[:2], sep="\\t")' 2>/dev/null \\
        || printf 'novenv %s\\n' "$path"
done
true
"""
"""What is asked first; the folder is made."""


class Found(msgspec.Struct):
    """What was found on a host. `room` in bytes; `pythons` have what makes environments, `without` lack it."""

    system: str = ""
    folder: str = ""
    room: int = 0
    gpus: int = 0
    pythons: list[tuple[str, int, int]] = []
    without: list[str] = []


def prepare(
    host: Host,
    say: Say,
    with_python: str = "",
    extras: tuple[str, ...] | None = None,
    dry_run: bool = False,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Install the program of this version on a host, or upgrade it; `say` is called with each line of what happens.

    Raises InvalidInput (no Python that fits, no room, unknown extras), LinkLost, SeqdecError (a step fails),
    Cancelled.
    """
    if host.python:
        text = f"{host.name} has a Python of your own ({host.python}): install seqdec-gui {__version__} into it by hand"
        raise InvalidInput(f"{text}, or add the host without --python.", "own_python")
    say(f"{host.name}: looking at {host.address}")
    found = _look(host, with_python)
    python = _python(host, found, with_python)
    wanted = extras if extras is not None else (*_engine_extras(), *(("gpu",) if found.gpus else ()))
    if unknown := [name for name in wanted if name not in known_extras()]:
        text = f"There are no extras {listed(unknown)}; there are {', '.join(known_extras())}."
        raise InvalidInput(text, "no_such_extra")
    needed = NEEDED * (2 if "gpu" in wanted else 1)
    gpus = f"{found.gpus} NVIDIA GPU{'' if found.gpus == 1 else 's'}" if found.gpus else "no NVIDIA GPU"
    say(f"{host.name}: {found.system}, {gpus}, {format_bytes(found.room)} free in {found.folder}")
    if found.room < needed:
        say(f"warning: about {format_bytes(needed)} are needed where nothing is installed yet.")
    with tempfile.TemporaryDirectory(prefix="seqdec-gui-") as folder:
        wheel = make_wheel(Path(folder))
        there = f"{found.folder}/{wheel.name}"
        environment = f"{found.folder}/venv"
        what = f"{there}[{','.join(wanted)}]" if wanted else there
        steps = [
            [python, "-m", "venv", environment],
            [f"{environment}/bin/python", "-m", "pip", "install", "--upgrade", "pip"],
            [f"{environment}/bin/python", "-m", "pip", "install", "--upgrade", "--force-reinstall", "--no-deps", there],
            [f"{environment}/bin/python", "-m", "pip", "install", what],
            [f"{environment}/bin/seqdec-gui", "--version"],
        ]
        say(f"upload {wheel.name} ({format_bytes(wheel.stat().st_size)}) to {there}")
        if not dry_run:
            _command(host, f"cat > {shlex.quote(there)}", say, wheel, cancelled)
        for step in steps:
            line = shlex.join(step)
            say(f"{host.name}$ {line}")
            if not dry_run:
                _command(host, line, say, cancelled=cancelled)
        if not dry_run:
            _command(host, f"rm -f -- {shlex.quote(there)}", say)


def _engine_extras() -> tuple[str, ...]:
    """Return the extras that are engines."""
    return tuple(name for name in ENGINES if name in known_extras())


def _look(host: Host, with_python: str) -> Found:
    pythons = [from_home(with_python)] if with_python else PYTHONS
    script = _LOOK.format(folder=shlex.quote(from_home(host.folder)), pythons=" ".join(map(shlex.quote, pythons)))
    lines: list[str] = []
    _command(host, script, lines.append)
    found = Found()
    for line in lines:
        word, _, rest = line.partition(" ") if not line.startswith("python\t") else line.partition("\t")
        match word:
            case "system":
                found.system = rest
            case "folder":
                found.folder = rest
            case "room" if rest.strip().isdigit():
                found.room = int(rest) * 1024
            case "gpus" if rest.strip().isdigit():
                found.gpus = int(rest)
            case "python":
                path, major, minor = rest.rsplit("\t", 2)
                found.pythons.append((path, int(major), int(minor)))
            case "novenv":
                found.without.append(rest)
    if not found.folder:
        raise SeqdecError(f"{host.name}: the folder {host.folder} cannot be made there: {' '.join(lines[-1:])}")
    return found


def _python(host: Host, found: Found, with_python: str) -> str:
    for path, *version in found.pythons:
        if OLDEST <= tuple(version) <= NEWEST:
            return path
    there = [f"{path} ({major}.{minor})" for path, major, minor in found.pythons]
    there += [f"{path} (without venv: on Debian and Ubuntu apt install python3-venv)" for path in found.without]
    has = f"has {listed(there)}" if there else f"has no {with_python or 'python3'}"
    raise InvalidInput(
        f"{host.name}: Expected a Python 3.11 to 3.13 with venv; {host.address} {has}. Install one there, for example with "
        f"conda or uv, and name it: seqdec-gui hosts prepare {host.name} --with-python PATH.",
        "no_python",
    )


def _command(
    host: Host, script: str, say: Say, sent: Path | None = None, cancelled: Callable[[], bool] = lambda: False
) -> None:
    """Run a script of `sh` on a host and say what it prints. Raises LinkLost, SeqdecError."""
    argv = ssh.argv(host, ssh.quoted(["sh", "-c", script]))
    with (sent or Path(os.devnull)).open("rb") as given:
        child = subprocess.Popen(
            argv, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace"
        )
        said: list[str] = []
        threads = [
            threading.Thread(target=_read, args=(stream, told), daemon=True)
            for stream, told in ((child.stdout, say), (child.stderr, said.append))
        ]
        try:
            for thread in threads:
                thread.start()
            while (status := child.poll()) is None:
                if cancelled():
                    raise Cancelled("Cancelled.")
                time.sleep(POLL_S)
        finally:
            child.kill()
            child.wait()
            for thread in threads:
                thread.join(5)
            for stream in (child.stdout, child.stderr):
                if stream is not None:
                    stream.close()
    if status == 255:
        raise ssh.explanation(host, status, "\n".join(said))
    if status:
        raise SeqdecError(f"{host.name}: this failed with exit status {status}: {_cause(said)}")


def _read(stream: object, told: Say) -> None:
    for line in stream:  # type: ignore[attr-defined]
        told(line.rstrip("\n"))


def _cause(said: list[str]) -> str:
    """Return what to tell of the error output of a step."""
    text = "\n".join(said)
    if re.search(r"No space left on device|Disk quota exceeded", text):
        return "the disk there is full. Free some space, or choose another folder (hosts add ... --folder)."
    if re.search(r"ensurepip is not available|No module named ensurepip", text):
        return "its Python makes no environments with pip. On Debian and Ubuntu: apt install python3-venv."
    if re.search(r"Could not find a version|No matching distribution|ConnectionError|Temporary failure in name", text):
        hint = "If it has no way to a package index, set one there (pip config set global.index-url ...)."
        return f"pip finds no packages there. {hint} {' '.join(said[-2:])}"
    return " ".join(said[-3:]) or "it says nothing of why."
