"""Compiled code, kept in the user's cache for later processes."""

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


def keep() -> None:
    """Have this process take compiled code from the cache, and put there what it compiles."""
    jax.config.update("jax_compilation_cache_dir", str(folder()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)  # the first weights come of many small functions
    with contextlib.suppress(ImportError, AttributeError):  # it is no public part of JAX
        _write_whole()


def folder() -> Path:
    """One per version of JAX, kind of processor, and flags for GPUs.

    Machine code for one processor must not be run on another that shares the home folder. And XLA keeps there which kernels it
    has chosen, whatever flags it chose them under.
    """
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    kind = {line for line in lines if line.startswith(("model name", "flags", "Features"))}
    flags = [flag for flag in os.environ.get("XLA_FLAGS", "").split() if flag.startswith("--xla_gpu")]
    digest = hashlib.sha256("\n".join([*sorted(kind), *flags]).encode()).hexdigest()[:12]
    return Path(platformdirs.user_cache_dir("seqdec-gui")) / f"jax-{jax.__version__}-{digest}"


@functools.cache
def _write_whole() -> None:
    """Have entries be written whole or not at all.

    JAX writes them in place, and never again where there is a file: half an entry, of a process that was killed, would be
    refused by every later one, which would compile anew.
    """
    from jax._src import lru_cache

    suffix, jax_put = lru_cache._CACHE_SUFFIX, lru_cache.LRUCache.put

    def put(cache: Any, key: str, value: bytes) -> None:
        if getattr(cache, "eviction_enabled", True) or not hasattr(cache, "path"):
            jax_put(cache, key, value)
        elif not (path := Path(cache.path) / f"{key}{suffix}").exists():
            write_atomically(path, value)

    lru_cache.LRUCache.put = put
