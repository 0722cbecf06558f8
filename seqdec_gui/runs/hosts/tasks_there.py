"""Runs a command with a trained run on the machine of that run, for another one, and tells what it prints. Runs on the host."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.environment import with_package
from seqdec_gui.runs.hosts.frames import Frame

Send = Callable[..., None]
END_S = 10.0
"""Seconds that a command gets to end when the other side has left."""


def run_command(frame: Frame, folder: Path, allowed: Sequence[str], send: Send, arrived: queue.Queue[Frame | None]) -> None:
    """Run `seqdec-gui` with the words of a message, tell its output line by line, then the files that it wrote.

    A word `@out/NAME` stands for a file in a new folder, which is removed once the other side has it. Raises InvalidInput.
    """
    words = msgspec.json.decode(frame.data, type=list[str])
    if not words or words[0] not in allowed:
        raise InvalidInput(f"Expected one of {', '.join(allowed)}, received {' '.join(words[:1])!r:.80}.", "task_there")
    results = folder / "results"
    results.mkdir(parents=True, exist_ok=True)
    out = Path(tempfile.mkdtemp(dir=results))
    try:
        argv = [f"{out}/{word.removeprefix('@out/')}" if word.startswith("@out/") else word for word in words]
        status = _told(argv, send, arrived)
        if status is None:
            return
        paths = sorted(path for path in out.rglob("*") if path.is_file())
        listed = [(str(path.relative_to(out)), str(path), path.stat().st_size) for path in paths]
        send("done", msgspec.json.encode(listed), status=status)
        has_all = _serve(send, arrived)
    finally:
        shutil.rmtree(out, ignore_errors=True)
    if has_all:
        send("done")  # nothing is left here


def _told(argv: list[str], send: Send, arrived: queue.Queue[Frame | None]) -> int | None:
    """Run the command and return its exit status; None if the other side left, which ends it."""
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "seqdec_gui", *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=with_package(os.environ),
    )
    threads = [
        threading.Thread(target=_tell, args=(stream, name, send), daemon=True)
        for name, stream in (("out", child.stdout), ("err", child.stderr))
    ]
    for thread in threads:
        thread.start()
    status: int | None = None
    try:
        while (status := child.poll()) is None:
            with contextlib.suppress(queue.Empty):
                if arrived.get(timeout=0.1) is None:
                    arrived.put(None)
                    return None
    finally:
        if child.poll() is None:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(END_S)
            child.kill()
            child.wait()
        for thread in threads:
            thread.join(END_S)
    return status


def _tell(stream: object, name: str, send: Send) -> None:
    for line in stream:  # type: ignore[attr-defined]
        with contextlib.suppress(OSError):
            send("said", line[: 1 << 20], stream=name)


def _serve(send: Send, arrived: queue.Queue[Frame | None]) -> bool:
    """Send the files that are asked for, and return whether the other side has them all; it may have left before."""
    while (frame := arrived.get()) is not None:
        if frame.kind != "fetch":
            return True
        with Path(frame.text("path")).open("rb") as file:
            file.seek(frame.integer("at"))
            while piece := file.read(1 << 20):
                send("piece", piece)
        send("done")
    arrived.put(None)
    return False
