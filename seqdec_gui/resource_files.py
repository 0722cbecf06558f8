"""Locates icons, templates, examples and the documentation: in the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path


def docs(name: str) -> Path:
    """Return the path of a page or picture of the documentation, such as `guide/index.md`. Raises FileNotFoundError."""
    package = Path(__file__).resolve().parent
    root = package / "docs" if (package / "docs").is_dir() else package.parent / "docs"
    page = root / name
    if not page.exists():
        raise FileNotFoundError(f"The page {name} is missing in {root}; install seqdec-gui again.")
    return page


def path(name: str) -> Path:
    """Return the path of a bundled file or folder, such as `examples/roman.seqdec`. Raises FileNotFoundError.

    The path must exist on disk, since children and data readers open files by path; so the package is not zip safe.
    """
    package = Path(__file__).resolve().parent
    installed = package / "resources"
    root = installed if installed.is_dir() else package.parent / "resources"
    resource = root / name
    if not resource.exists():
        raise FileNotFoundError(f"The bundled file {name} is missing in {root}; install seqdec-gui again.")
    return resource
