"""Design stacked Keras models by connecting submodel blocks, train them on several devices, export them."""

from __future__ import annotations

from typing import Any

__all__ = ["__version__", "attention", "encode", "evaluate", "generate", "load_bundle", "open_run", "score"]

__version__ = "0.1.0"


_HOMES = {
    **dict.fromkeys(("open_run", "generate", "score", "attention", "encode", "evaluate"), "seqdec_gui.runner.api"),
    "load_bundle": "seqdec_gui.runner.bundle",
}
"""The modules of the functions for scripts, imported by name when they are first used.

All modules of this package import this one. docs/api.md describes them, and `__init__.pyi` has their types."""


def __getattr__(name: str) -> Any:
    """Return a function for scripts. They need Keras with TensorFlow or JAX, and neither the window nor, for bundles, data."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
