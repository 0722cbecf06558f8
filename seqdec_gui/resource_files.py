"""Where the icons, templates and examples lie: in the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path


def path(name: str) -> Path:
    """The bundled file or folder of this name, `examples/roman.seqdec` for example. Raises FileNotFoundError.

    Real paths, since children and the data readers open files by path; the package is therefore not zip safe.
    """
    package = Path(__file__).resolve().parent
    installed = package / "resources"
    root = installed if installed.is_dir() else package.parent / "resources"
    found = root / name
    if not found.exists():
        raise FileNotFoundError(f"The bundled file {name} is missing in {root}; install seqdec-gui again.")
    return found
