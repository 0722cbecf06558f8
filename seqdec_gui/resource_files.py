"""Where the icons, templates, examples and the documentation lie: in the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path


def docs(name: str) -> Path:
    """The page or picture of the documentation of this name, `guide/index.md` for example. Raises FileNotFoundError."""
    package = Path(__file__).resolve().parent
    root = package / "docs" if (package / "docs").is_dir() else package.parent / "docs"
    found = root / name
    if not found.exists():
        raise FileNotFoundError(f"The page {name} is missing in {root}; install seqdec-gui again.")
    return found


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
