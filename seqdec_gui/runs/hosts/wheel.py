"""Makes a wheel of the program that runs here, installed or in a checkout, to be installed on a host."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import seqdec_gui
from seqdec_gui import __version__, resource_files
from seqdec_gui.domain.problems import SeqdecError

NAME = "seqdec-gui"
_LEFT_OUT = ("__pycache__", ".mypy_cache", ".ruff_cache")
_TIME = (2020, 1, 1, 0, 0, 0)
"""The time of every file in the wheel, so that the same program gives the same wheel."""


def make_wheel(folder: Path) -> Path:
    """Write the wheel into a folder and return it: modules, resources, documentation, and what pip needs to know.

    Raises SeqdecError where the program has no description, because it was never installed.
    """
    path = folder / f"seqdec_gui-{__version__}-py3-none-any.whl"
    info = f"seqdec_gui-{__version__}.dist-info"
    lines = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in [*_modules(), *_described(info)]:
            wheel.writestr(zipfile.ZipInfo(name, _TIME), data, zipfile.ZIP_DEFLATED)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            quoted = f'"{name}"' if "," in name else name
            lines.append(f"{quoted},sha256={digest},{len(data)}")
        lines.append(f"{info}/RECORD,,")
        wheel.writestr(zipfile.ZipInfo(f"{info}/RECORD", _TIME), "\n".join(lines) + "\n")
    return path


def _modules() -> Iterator[tuple[str, bytes]]:
    package = Path(seqdec_gui.__file__).resolve().parent
    yield from _files(package, "seqdec_gui", "**/*")
    for name, folder, patterns in (
        ("resources", resource_files.path(""), ("**/*",)),
        ("docs", resource_files.docs(""), ("*.md", "guide/*.md", "guide/images/*")),
    ):
        if not folder.is_relative_to(package):  # in a checkout they lie beside the package
            for pattern in patterns:
                yield from _files(folder, f"seqdec_gui/{name}", pattern)


def _files(folder: Path, prefix: str, pattern: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.glob(pattern)):
        if path.is_file() and not any(part in _LEFT_OUT for part in path.parts):
            yield f"{prefix}/{path.relative_to(folder).as_posix()}", path.read_bytes()


def _described(info: str) -> Iterator[tuple[str, bytes]]:
    try:
        described = metadata.distribution(NAME)
    except metadata.PackageNotFoundError:
        text = "The program here was never installed, so it does not say what it needs: pip install -e . in its checkout."
        raise SeqdecError(text) from None
    about = described.read_text("METADATA") or described.read_text("PKG-INFO") or ""
    if described.version != __version__:
        text = f"What is installed here says {described.version} and is {__version__}: install it anew (pip install -e .)."
        raise SeqdecError(text)
    yield f"{info}/METADATA", about.encode()
    yield f"{info}/WHEEL", b"Wheel-Version: 1.0\nGenerator: seqdec-gui\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    yield f"{info}/entry_points.txt", (described.read_text("entry_points.txt") or "").encode()


def extras() -> tuple[str, ...]:
    """Return the extras that the program has."""
    try:
        return tuple(metadata.metadata(NAME).get_all("Provides-Extra") or ())
    except metadata.PackageNotFoundError:
        return ()
