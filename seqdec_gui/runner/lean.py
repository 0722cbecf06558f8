"""A child that starts and ends fast."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType
from typing import NoReturn

LEFT_OUT = ("matplotlib", "pandas", "sklearn")
"""Keras imports them wherever they are installed, for pictures, tables and wrappers of its own that no child here uses."""


def leave_out() -> None:
    """Have `import` refuse them in this process as if they were not installed; call it before Keras is imported.

    Saves a second, or several. (`importlib.util.find_spec` raises ModuleNotFoundError for them, where it would give None.)
    """
    sys.meta_path.insert(0, _LeavesOut())


def leave(status: int) -> NoReturn:
    """End at once; call it when everything is written.

    Python would wait for what XLA still compiles in a thread, which nobody can interrupt, and take CUDA down piece by piece.
    """
    with contextlib.suppress(OSError):  # the log's disk may be full
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


class _LeavesOut(MetaPathFinder):
    """Refuses by name. (None in `sys.modules` would do for Python, but code made by Cython takes it for the module.)"""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if name in LEFT_OUT:
            raise ModuleNotFoundError(f"{name} is left out", name=name)
