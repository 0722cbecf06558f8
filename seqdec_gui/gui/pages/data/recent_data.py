"""The list of recently opened data files."""

from __future__ import annotations

from pathlib import Path

from seqdec_gui.gui.look.preferences import MAX_RECENT, settings

_KEY = "recent/data"
"""The key of the list in the settings."""


def recent_data() -> tuple[Path, ...]:
    """Return the recently opened data files, the newest first, without those that no longer exist."""
    stored = settings().value(_KEY, []) or []
    paths = [Path(text) for text in ([stored] if isinstance(stored, str) else stored)]
    return tuple(path for path in paths if path.is_file())


def remember_data(path: Path) -> None:
    path = path.resolve()
    others = [other for other in recent_data() if other != path]
    settings().setValue(_KEY, [str(file) for file in [path, *others][:MAX_RECENT]])
