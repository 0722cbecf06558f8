"""Entries of context menus."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtWidgets import QAction, QMenu


def add_entry(menu: QMenu, text: str, command: Callable[[], object], keys: str = "", enabled: bool = True) -> None:
    """Add an entry that calls `command`. `keys` is the shortcut to show, for keys that the widget handles itself."""
    action = QAction(text + (f"\t{keys}" if keys else ""), menu)
    action.setEnabled(enabled)

    def on_triggered(_checked: bool) -> None:
        command()

    action.triggered.connect(on_triggered)
    menu.addAction(action)
