"""A child that starts and ends fast."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Iterator, Sequence, Set
from importlib.abc import MetaPathFinder
from types import ModuleType
from typing import NoReturn

from seqdec_gui.runs.engines import of_backend

LEFT_OUT = ("matplotlib", "pandas", "sklearn")
"""Keras imports them wherever they are installed, for pictures, tables and wrappers of its own that no child here uses."""


def leave_out() -> None:
    """Have `import` refuse them in this process as if they were not installed; call it before Keras is imported.

    Saves a second, or several. (`importlib.util.find_spec` raises ModuleNotFoundError for them, where it would give None.)
    """
    info = of_backend(os.environ.get("KERAS_BACKEND", ""))
    sys.meta_path.insert(0, _LeavesOut({*LEFT_OUT, *(info.unused_packages if info is not None else ())}))


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Without looking for garbage: importing, building and tracing make objects by the hundred thousand, nearly all to stay.

    Saves a tenth of a start. What there is afterwards is never looked through again, or all of it would be at once.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


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

    def __init__(self, names: Set[str]) -> None:
        self._names = names

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if name in self._names:
            raise ModuleNotFoundError(f"{name} is left out", name=name)
