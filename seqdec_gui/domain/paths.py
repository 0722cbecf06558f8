"""Paths as people write them in designs, forms and commands."""

from __future__ import annotations

import os
from pathlib import Path

LONGEST_NAME = 255
"""Bytes of a name that file systems allow."""


def expanded(file: str | Path) -> Path:
    """The path with `~` or `~user` in front as that home folder; as it stands where there is no such user."""
    return Path(os.path.expanduser(file))  # noqa: PTH111 - `Path.expanduser` raises RuntimeError for an unknown user


def path_fault(file: str) -> str:
    """Why no file can have this path, as the rest of a sentence; empty if one can."""
    if "\0" in file:
        return "holds a null character"
    longest = max(file.split("/"), key=len)
    if len(longest.encode(errors="surrogatepass")) > LONGEST_NAME:
        return f"has a name of {len(longest):,} characters, and file systems allow {LONGEST_NAME} bytes"
    return ""
