"""The dialogs that the menus open. The module of a dialog is imported when it is first opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtWidgets import QWidget

from seqdec_gui.gui.tasks import notify, warm_workers
from seqdec_gui.gui.workspace.workspace import Workspace

if TYPE_CHECKING:
    from seqdec_gui.gui.dialogs.command_palette import Command


def import_keras(workspace: Workspace, path: Path | None = None) -> None:
    """Open the dialog that imports a Keras model: the file at `path`, or one that the user chooses."""
    from seqdec_gui.gui.dialogs import import_keras

    warm_workers.expect_task()
    import_keras.import_keras(workspace, path)


def export(workspace: Workspace, format: str = "") -> None:
    """Open the dialog that exports a trained run, with a format chosen if one is named."""
    from seqdec_gui.gui.dialogs.export import open_export

    warm_workers.expect_task(export=True)
    open_export(workspace, format)


def settings(workspace: Workspace, parent: QWidget) -> None:
    """Show the settings of the program."""
    from seqdec_gui.gui.dialogs.settings import SettingsDialog

    notify.present(SettingsDialog(workspace, parent))


def about(parent: QWidget) -> None:
    """Show the versions of the program and its libraries."""
    from seqdec_gui.gui.dialogs.about import AboutDialog

    notify.present(AboutDialog(parent))


def command_palette(window: QWidget, commands: Sequence[Command]) -> None:
    """Show the command palette over the window, unless it is there already."""
    from seqdec_gui.gui.dialogs.command_palette import CommandPalette

    if not any(palette.isVisible() for palette in window.findChildren(CommandPalette)):
        CommandPalette(window, commands).present()


def shortcuts(groups: Mapping[str, Sequence[tuple[str, str]]], parent: QWidget) -> None:
    """Show all keys."""
    from seqdec_gui.gui.dialogs.shortcuts import ShortcutSheet

    notify.present(ShortcutSheet(groups, parent))


def guide(parent: QWidget) -> None:
    """Show the user guide."""
    from seqdec_gui.gui.dialogs.guide import open_guide

    open_guide(parent)
