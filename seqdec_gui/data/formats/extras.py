"""Packages that only some files need."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from seqdec_gui.domain.problems import InvalidInput, Problem


def required(module: str, extra: str, path: Path, what: str = "") -> Any:
    """Import and return a module. Raises InvalidInput, with the line that installs it, where it is missing."""
    package = module.partition(".")[0]
    try:
        return import_module(module)
    except ImportError:
        text = (
            f"To read {what or f'a {path.suffix} file'} the package {package} is needed, which is not installed ({path.name})."
        )
        hint = f'Install it: pip install "seqdec-gui[{extra}]"'
        raise InvalidInput([Problem("error", "missing_extra", "data", text, hint)]) from None
