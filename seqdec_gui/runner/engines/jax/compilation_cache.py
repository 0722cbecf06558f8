"""A persistent cache of compiled code, in the user's cache folder, for later processes."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
from pathlib import Path
from typing import Any

import jax
import platformdirs

from seqdec_gui.runs.files import write_atomically


def enable() -> None:
    """Make JAX read compiled code from the cache in this process, and add to it what it compiles."""
    jax.config.update("jax_compilation_cache_dir", str(cache_folder()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)  # initial weights are drawn by many small functions
    with contextlib.suppress(ImportError, AttributeError):  # it is no public part of JAX
        _write_entries_atomically()


def cache_folder() -> Path:
    """Return the folder of the cache for this version of JAX, kind of processor, and XLA flags for GPUs.

    Machine code for one processor must not run on another that shares the home folder. And XLA stores its choice of kernels
    there without the flags under which it made the choice.
    """
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    processor = {line for line in lines if line.startswith(("model name", "flags", "Features"))}
    flags = [flag for flag in os.environ.get("XLA_FLAGS", "").split() if flag.startswith("--xla_gpu")]
    digest = hashlib.sha256("\n".join([*sorted(processor), *flags]).encode()).hexdigest()[:12]
    return Path(platformdirs.user_cache_dir("seqdec-gui")) / f"jax-{jax.__version__}-{digest}"


@functools.cache
def _write_entries_atomically() -> None:
    """Replace the function by which JAX writes an entry by one that writes it whole or not at all.

    JAX writes entries in place and never overwrites a file. Half an entry, left by a process that was killed, would be
    unreadable to every later process, which would compile again each time.
    """
    from jax._src import lru_cache

    suffix = lru_cache._CACHE_SUFFIX
    jax_put = lru_cache.LRUCache.put

    def put(cache: Any, key: str, value: bytes) -> None:
        if getattr(cache, "eviction_enabled", True) or not hasattr(cache, "path"):
            jax_put(cache, key, value)
        elif not (path := Path(cache.path) / f"{key}{suffix}").exists():
            write_atomically(path, value)

    lru_cache.LRUCache.put = put
