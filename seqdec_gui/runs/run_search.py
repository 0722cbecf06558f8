"""Finds run folders anywhere below a folder, within limits. No Qt."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec

MOST_FOLDERS = 50_000
"""The number of folders that are looked into."""
DEEPEST = 6
"""The number of folders between the first one and a run."""
PATIENCE_S = 60.0
"""The time after which a search ends with what it has found, in seconds."""


class Found(msgspec.Struct, frozen=True):
    """`folders` contain runs, `runs` is their number; `complete` is false if there was more than was looked at."""

    folders: tuple[Path, ...] = ()
    runs: int = 0
    complete: bool = True


def find_runs(top: Path) -> Found:
    """Return the folders at or below `top` that contain run folders. Symbolic links are not followed. Raises OSError for `top`.

    A run folder itself counts as found in the folder that it lies in.
    """
    if is_run(top):
        return Found((top.absolute().parent,), 1)
    os.scandir(top).close()
    until = time.monotonic() + PATIENCE_S
    folders: dict[Path, int] = {}
    waiting, looked_at, complete = [(top.absolute(), 0)], 0, True
    while waiting:
        folder, depth = waiting.pop(0)
        looked_at += 1
        if looked_at > MOST_FOLDERS or time.monotonic() > until:
            complete = False
            break
        for child in _folders(folder):
            if is_run(child):
                folders[folder] = folders.get(folder, 0) + 1
            elif depth < DEEPEST and not child.name.startswith("."):
                waiting.append((child, depth + 1))
    return Found(tuple(folders), sum(folders.values()), complete)


def is_run(folder: Path) -> bool:
    """Return whether a folder is a run, or what is left of one."""
    try:
        return (folder / "spec.json").is_file() and _is_spec_of_run(folder)
    except OSError:
        return False


def _is_spec_of_run(folder: Path) -> bool:
    """Return whether a `spec.json` is that of a run: other programs have files of this name too."""
    return any((folder / name).exists() for name in ("events.jsonl", "lock", "checkpoints", "model.py"))


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as children:
            return [Path(child.path) for child in children if child.is_dir(follow_symlinks=False)]
    except OSError:
        return []
