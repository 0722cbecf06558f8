"""The user's preferences, which are kept between starts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from PyQt5.QtCore import QSettings, QStandardPaths

MAX_RECENT = 10
"""The number of recent designs that are remembered."""


def settings() -> QSettings:
    """Return the stored settings: `window/...` geometry, `recent/...`, `appearance/...`, `editing/...`, `canvas/...`,
    `runs/...`, `session/...`.
    """
    folder = QStandardPaths.writableLocation(QStandardPaths.GenericConfigLocation)
    return QSettings(f"{folder}/seqdec-gui/window.ini", QSettings.IniFormat)


def autosave_is_on() -> bool:
    """Return whether changes are written to a recovery file two seconds after the last edit."""
    return bool(settings().value("editing/autosave", True, type=bool))


def set_autosave(on: bool) -> None:
    settings().setValue("editing/autosave", on)


def minimap_is_shown() -> bool:
    """Return whether the design view has a mini-map."""
    return bool(settings().value("canvas/minimap", True, type=bool))


def set_minimap(on: bool) -> None:
    settings().setValue("canvas/minimap", on)


def run_folder() -> Path | None:
    """Return the folder for all new runs. None means the folder `runs` beside each design."""
    text = str(settings().value("runs/folder", "") or "")
    return Path(text) if text else None


def set_run_folder(folder: Path | None) -> None:
    settings().setValue("runs/folder", "" if folder is None else str(folder))


def devices() -> str:
    """Return the devices chosen last, in the notation of `--devices`: `auto`, `cpu:2`, `gpu:0,gpu:1`."""
    return str(settings().value("runs/devices", "auto") or "auto")


def device_host() -> str:
    """Return the host whose devices were chosen last; empty for this machine."""
    return str(settings().value("runs/host", "") or "")


def set_device_host(name: str) -> None:
    settings().setValue("runs/host", name)


def set_devices(wish: str) -> None:
    settings().setValue("runs/devices", wish)


def warm_workers_are_on() -> bool:
    """Return whether processes are kept ready for the next run and the next task."""
    return bool(settings().value("runs/warm_workers", True, type=bool))


def set_warm_workers(on: bool) -> None:
    settings().setValue("runs/warm_workers", on)


def hidden_run_columns() -> frozenset[str]:
    """Return the titles of the columns that are hidden in the table of runs."""
    stored = settings().value("runs/hidden_columns", []) or []
    return frozenset([stored] if isinstance(stored, str) else stored)


def set_hidden_run_columns(titles: Iterable[str]) -> None:
    settings().setValue("runs/hidden_columns", sorted(titles))


def run_column_widths() -> dict[str, int]:
    """Return the widths that the user gave to columns of the table of runs, in pixels, by the column's title."""
    stored = settings().value("runs/column_widths", {}) or {}
    return {str(title): int(width) for title, width in stored.items()} if isinstance(stored, dict) else {}


def set_run_column_widths(widths: Mapping[str, int]) -> None:
    settings().setValue("runs/column_widths", dict(widths))


def recent_designs() -> tuple[Path, ...]:
    """Return the designs that were opened or saved last, the newest first, without those that no longer exist."""
    stored = settings().value("recent/designs", []) or []
    paths = [Path(text) for text in ([stored] if isinstance(stored, str) else stored)]
    return tuple(path for path in paths if path.is_file())


def remember_design(path: Path) -> None:
    path = path.resolve()
    others = [other for other in recent_designs() if other != path]
    settings().setValue("recent/designs", [str(design) for design in [path, *others][:MAX_RECENT]])


def forget_designs() -> None:
    settings().remove("recent/designs")


def last_session() -> tuple[Path, ...]:
    """Return the designs that were open when the program last ended; none while another window has them open."""
    if _session_owner() != 0:
        return ()
    stored = settings().value("session/designs", []) or []
    paths = [Path(text) for text in ([stored] if isinstance(stored, str) else stored)]
    return tuple(path for path in paths if path.is_file())


def keep_session(paths: Iterable[Path]) -> None:
    """Remember which designs are open, unless another window that was started earlier does so."""
    if _session_owner() in (0, os.getpid()):
        stored = settings()
        stored.setValue("session/designs", [str(path.resolve()) for path in paths])
        stored.setValue("session/process", os.getpid())


def end_session() -> None:
    """Leave the remembered designs to the next start."""
    if _session_owner() == os.getpid():
        settings().setValue("session/process", 0)


def _session_owner() -> int:
    """Return the process whose designs are remembered, 0 if it has ended."""
    try:
        owner = int(settings().value("session/process", 0) or 0)
        if owner > 0:
            os.kill(owner, 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return 0
    except PermissionError:
        pass
    return max(owner, 0)


def first_minute_was_seen() -> bool:
    """Return whether the first minute has been shown, which comes by itself only once."""
    return bool(settings().value("help/first_minute_seen", False, type=bool))


def set_first_minute_seen() -> None:
    settings().setValue("help/first_minute_seen", True)


def recent_commands() -> tuple[str, ...]:
    """Return the names of the actions that were run from the command palette last, the newest first."""
    stored = settings().value("recent/commands", []) or []
    return tuple([stored] if isinstance(stored, str) else stored)


def remember_command(name: str) -> None:
    others = [other for other in recent_commands() if other != name]
    settings().setValue("recent/commands", [name, *others][:MAX_RECENT])


def reopens_designs() -> bool:
    """Return whether a start shows the designs of the last session as tabs."""
    return bool(settings().value("session/reopen", True, type=bool))


def set_reopens_designs(on: bool) -> None:
    settings().setValue("session/reopen", on)


def last_folder() -> Path:
    """Return the folder that file dialogs open with."""
    stored = str(settings().value("recent/folder", "") or "")
    return Path(stored) if stored and Path(stored).is_dir() else Path.home()


def remember_folder(folder: Path) -> None:
    settings().setValue("recent/folder", str(folder))
