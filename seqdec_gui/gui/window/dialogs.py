"""The dialogs that the menus open. The module of a dialog is imported when it is first opened."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtWidgets import QWidget

from seqdec_gui.gui.tasks import notify, warm_workers
from seqdec_gui.gui.workspace.workspace import Workspace


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


def guide(parent: QWidget) -> None:
    """Show the user guide."""
    from seqdec_gui.gui.dialogs.guide import open_guide

    open_guide(parent)
