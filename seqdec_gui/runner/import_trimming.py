"""Measures that make a child process start and end faster: imports left out, no garbage collection, an exit at once."""

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

UNUSED_PACKAGES = ("matplotlib", "pandas", "sklearn")
"""Packages that Keras imports wherever they are installed, for plots, tables and wrappers that no child here uses."""


def refuse_unused_imports() -> None:
    """Make `import` of `UNUSED_PACKAGES` and of the engine's unused packages fail in this process, as if not installed.

    Call it before Keras is imported; it saves a second or several. `importlib.util.find_spec` raises ModuleNotFoundError for
    these packages, where it would otherwise return None.
    """
    info = of_backend(os.environ.get("KERAS_BACKEND", ""))
    sys.meta_path.insert(0, _RefusedImports({*UNUSED_PACKAGES, *(info.unused_packages if info is not None else ())}))


@contextlib.contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """Switch the garbage collector off for the context, which saves a tenth of the time of a start.

    Importing, building and tracing create hundreds of thousands of objects that nearly all stay. At the end of the context they
    are frozen, so that the collector does not search all of them at its next run.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def exit_at_once(status: int) -> NoReturn:
    """End the process without Python's own shutdown; call it when everything is written.

    Python would wait for compilations that XLA runs in threads, which cannot be interrupted, and shut CUDA down step by step.
    """
    with contextlib.suppress(OSError):  # the log's disk may be full
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


class _RefusedImports(MetaPathFinder):
    """A finder that raises ModuleNotFoundError for the packages named.

    (None in `sys.modules` would stop Python's import, but code made by Cython would take None for the module.)
    """

    def __init__(self, names: Set[str]) -> None:
        self._names = names

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if name in self._names:
            raise ModuleNotFoundError(f"{name} is left out", name=name)
