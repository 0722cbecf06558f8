"""Paths as people write them in designs, forms and commands."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

LONGEST_NAME = 255
"""The largest number of bytes of a file name that file systems allow."""


def expanded(file: str | Path) -> Path:
    """Replace `~` or `~user` at the start of a path by the home folder; unchanged if there is no such user."""
    return Path(os.path.expanduser(file))  # noqa: PTH111 - `Path.expanduser` raises RuntimeError for an unknown user


def is_lasting(folder: Path) -> bool:
    """Return whether a folder is one to put results into: not hidden, and not for temporary files."""
    folder = folder.absolute()
    hidden = any(part.startswith(".") for part in folder.parts)
    return not hidden and not folder.is_relative_to(tempfile.gettempdir())


def path_fault(file: str) -> str:
    """Return why no file can have this path, as the rest of a sentence; empty if a file can have it."""
    if "\0" in file:
        return "holds a null character"
    longest = max(file.split("/"), key=len)
    if len(longest.encode(errors="surrogatepass")) > LONGEST_NAME:
        return f"has a name of {len(longest):,} characters, and file systems allow {LONGEST_NAME} bytes"
    return ""


def mode_of_new_files() -> int:
    """Return the permissions that the user's umask leaves to a new file."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
