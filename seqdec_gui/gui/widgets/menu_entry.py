"""Entries of context menus."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtWidgets import QAction, QMenu

from seqdec_gui.domain.menu_text import literal


def add_entry(menu: QMenu, text: str, command: Callable[[], object], keys: str = "", enabled: bool = True) -> None:
    """Add an entry that calls `command`; its text is shown as it is.

    `keys` is the shortcut to show, for keys that the widget handles itself.
    """
    action = QAction(literal(text) + (f"\t{keys}" if keys else ""), menu)
    action.setEnabled(enabled)

    def on_triggered(_checked: bool) -> None:
        command()

    action.triggered.connect(on_triggered)
    menu.addAction(action)
