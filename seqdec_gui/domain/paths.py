"""Paths as people write them in designs, forms and commands."""

from __future__ import annotations

import os
from pathlib import Path

LONGEST_NAME = 255
"""The largest number of bytes of a file name that file systems allow."""


def expanded(file: str | Path) -> Path:
    """Replace `~` or `~user` at the start of a path by the home folder; unchanged if there is no such user."""
    return Path(os.path.expanduser(file))  # noqa: PTH111 - `Path.expanduser` raises RuntimeError for an unknown user


def path_fault(file: str) -> str:
    """Return why no file can have this path, as the rest of a sentence; empty if a file can have it."""
    if "\0" in file:
        return "holds a null character"
    longest = max(file.split("/"), key=len)
    if len(longest.encode(errors="surrogatepass")) > LONGEST_NAME:
        return f"has a name of {len(longest):,} characters, and file systems allow {LONGEST_NAME} bytes"
    return ""
