"""What the user prefers, kept between starts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PyQt5.QtCore import QSettings, QStandardPaths

MOST_RECENT = 10


def settings() -> QSettings:
    """The store itself: `window/...` geometry, `recent/...`, `appearance/...`, `editing/...`, `runs/...`."""
    folder = QStandardPaths.writableLocation(QStandardPaths.GenericConfigLocation)
    return QSettings(f"{folder}/seqdec-gui/window.ini", QSettings.IniFormat)


def autosave_is_on() -> bool:
    """Whether changes are written to a recovery file two seconds after the last one."""
    return bool(settings().value("editing/autosave", True, type=bool))


def set_autosave(on: bool) -> None:
    settings().setValue("editing/autosave", on)


def run_folder() -> Path | None:
    """Where runs go; None: into `runs` beside the design."""
    text = str(settings().value("runs/folder", "") or "")
    return Path(text) if text else None


def set_run_folder(folder: Path | None) -> None:
    settings().setValue("runs/folder", "" if folder is None else str(folder))


def devices() -> str:
    """The devices chosen last, as `--devices` takes them: `auto`, `cpu:2`, `gpu:0,gpu:1`."""
    return str(settings().value("runs/devices", "auto") or "auto")


def set_devices(wish: str) -> None:
    settings().setValue("runs/devices", wish)


def hidden_run_columns() -> frozenset[str]:
    """Titles of the columns that the table of runs leaves out."""
    stored = settings().value("runs/hidden_columns", []) or []
    return frozenset([stored] if isinstance(stored, str) else stored)


def set_hidden_run_columns(titles: Iterable[str]) -> None:
    settings().setValue("runs/hidden_columns", sorted(titles))


def recent_designs() -> tuple[Path, ...]:
    """Designs opened or saved, the last one first; those that no longer exist are left out."""
    stored = settings().value("recent/designs", []) or []
    paths = [Path(text) for text in ([stored] if isinstance(stored, str) else stored)]
    return tuple(path for path in paths if path.is_file())


def remember_design(path: Path) -> None:
    path = path.resolve()
    others = [other for other in recent_designs() if other != path]
    settings().setValue("recent/designs", [str(each) for each in [path, *others][:MOST_RECENT]])


def forget_designs() -> None:
    settings().remove("recent/designs")


def last_folder() -> Path:
    """Where file dialogs begin."""
    stored = str(settings().value("recent/folder", "") or "")
    return Path(stored) if stored and Path(stored).is_dir() else Path.home()


def remember_folder(folder: Path) -> None:
    settings().setValue("recent/folder", str(folder))
