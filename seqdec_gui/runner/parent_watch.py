"""Ends a process, and those that it started, when nobody is left to whom it could answer."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from seqdec_gui.data.row_file import remove_begun
from seqdec_gui.runs.export_scratch import remove_own

_scratch: list[str] = []
"""The folders for temporary files of what is being done."""


def end_without_reader(pipe: int) -> None:
    """End this process's group as soon as the other end of a pipe has gone, whatever is being computed.

    Does nothing where the system has no `poll`, or where this process does not lead its group.
    """
    if hasattr(select, "poll") and os.getpgrp() == os.getpid():
        watch(os.dup(pipe), 0)  # `pipe` itself will be closed, or given to the log


def watch(file: int, events: int) -> None:
    """Wait in a thread until a pipe or socket hangs up, and then end the process group.

    Temporary files are removed, and what is half-written beside a file that was asked for.
    """

    def wait() -> None:
        hung_up = select.poll()
        hung_up.register(file, events)
        hung_up.poll()
        for folder in _scratch:
            shutil.rmtree(folder, ignore_errors=True)
        remove_own()
        remove_begun()
        os.killpg(0, 9)

    threading.Thread(target=wait, daemon=True, name="watch the parent").start()


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder in which all temporary files of this process lie until the context ends, and remove it then."""
    with tempfile.TemporaryDirectory(prefix="seqdec-gui-task-") as name, temporary_files_in(name):
        yield Path(name)


@contextlib.contextmanager
def temporary_files_in(folder: str) -> Iterator[None]:
    """Make temporary files in this folder until the context ends."""
    before = tempfile.tempdir
    _scratch.append(folder)
    tempfile.tempdir = folder
    try:
        yield
    finally:
        tempfile.tempdir = before
        _scratch.remove(folder)
