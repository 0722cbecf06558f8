"""How each dialog of the program is opened, for the tests that look at all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QApplication, QComboBox, QTableView, QTreeWidget, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.gui.dialogs.block_weights import choose_weights
from seqdec_gui.gui.dialogs.crash_report import CrashReport
from seqdec_gui.gui.dialogs.fork_run import ForkDialog
from seqdec_gui.gui.dialogs.hosts import open_hosts
from seqdec_gui.gui.dialogs.import_keras import ImportDialog
from seqdec_gui.gui.dialogs.split_model import SplitDialog
from seqdec_gui.gui.pages.data.several_columns import choose_columns
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.window import dialogs
from seqdec_gui.gui.window.main_window import MainWindow
from seqdec_gui.gui.workspace.workspace import PageName
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.fork_points import ForkPoint

Opener = Callable[[MainWindow], object]


def settle(qtbot: QtBot) -> None:
    """Wait until the window has drawn itself and nothing is read in the background."""
    qtbot.wait(50)
    qtbot.waitUntil(lambda: not background.busy(), timeout=20_000)


def _action(name: str) -> Opener:
    return lambda window: window.actions_by_name[name].trigger()


def _of_the_run(name: str) -> Opener:
    """Press a button of the Runs page with its first run selected."""

    def press(window: MainWindow) -> None:
        window.pages.show_page(PageName.RUNS)
        table = window.findChild(QTableView, "runs_table")
        while not table.model().rowCount():
            QApplication.processEvents()
        table.selectRow(0)
        window.findChild(QWidget, name).defaultAction().trigger()

    return press


def _connect(window: MainWindow) -> None:
    outline = window.findChild(QTreeWidget, "outline")
    outline.setCurrentItem(outline.findItems("encoder", Qt.MatchStartsWith)[0])
    outline.connect_current()


def _export_all(window: MainWindow) -> None:
    dialogs.export(window.workspace)
    formats = [box for box in window.findChildren(QComboBox, "export_format") if box.isVisible()]
    formats[-1].setCurrentIndex(formats[-1].count() - 1)


def _certificate(window: MainWindow) -> None:
    from seqdec_gui.gui.dialogs.certificate.dialog import open_certificate

    open_certificate(window.workspace, window.document.path.parent / "runs" / "first")


def _errors(window: MainWindow) -> None:
    from seqdec_gui.gui.dialogs.errors.dialog import open_errors

    open_errors(window.workspace, window.document.path.parent / "runs" / "first")


def _fork(window: MainWindow) -> None:
    """Open the fork of the first run with a checkpoint that the dialog does not open before Start."""
    run = RunFolder(window.document.path.parent / "runs" / "first")
    points = (ForkPoint("last", 2, 112, run.path),)
    notify.present(ForkDialog(window.workspace, run, window.document.design, points, parent=window))


def _import(window: MainWindow) -> None:
    notify.present(ImportDialog(window.workspace, Path("model.keras"), window))


def _split(window: MainWindow) -> None:
    notify.present(SplitDialog(window.workspace, "encoder", window))


def _close_with_changes(window: MainWindow) -> None:
    training = msgspec.structs.replace(window.document.design.training, epochs=window.document.design.training.epochs + 1)
    window.document.edit(window.document.design.with_training(training), "Train longer")
    window.close()


def _crash(window: MainWindow) -> None:
    CrashReport("Traceback (most recent call last):\n  a line of it", [], window).show()


def _failure(window: MainWindow) -> None:
    notify.failure(window, InvalidInput([Problem("error", "units", "encoder", "Too many units.", "Choose fewer.")]))


def _columns(window: MainWindow) -> None:
    choose_columns(window, "latent", ["first", "second"], ["first"], lambda _chosen: None)


DIALOGS: dict[str, Opener] = {
    "settings": lambda window: dialogs.settings(window.workspace, window),
    "hosts": lambda window: open_hosts(window.workspace, window),
    "about": dialogs.about,
    "guide": dialogs.guide,
    "shortcuts": _action("shortcuts"),
    "connect": _connect,
    "export": lambda window: dialogs.export(window.workspace),
    "export all formats": _export_all,
    "import": _import,
    "split": _split,
    "weights of a block": lambda window: choose_weights(window.workspace, "decoder"),
    "certificate": _certificate,
    "errors": _errors,
    "crash report": _crash,
    "several columns": _columns,
    "begin from weights": _of_the_run("run_begin"),
    "new run from a checkpoint": _fork,
    "rename a run": _of_the_run("run_rename"),
    "tags of a run": _of_the_run("run_tag"),
    "run to the trash": _of_the_run("run_trash"),
    "save as": lambda window: window.files.save_as(),
    "open a file": lambda window: notify.choose_file(window, "Open", [notify.DESIGN_FILTER], lambda _path: None),
    "close with changes": _close_with_changes,
    "failure": _failure,
    "message": lambda window: notify.message(window, "No runs found", "There are none in this folder."),
}
"""What opens each dialog over a window that has an example with a run `first`. The command palette is no window of its own."""


def open_dialog(name: str, window: MainWindow, qtbot: QtBot) -> QWidget:
    """Open a dialog, and return it once it is shown and has what it reads in the background."""
    before = set(QApplication.topLevelWidgets())
    DIALOGS[name](window)

    def shown() -> list[QWidget]:
        return [top for top in QApplication.topLevelWidgets() if top not in before and top.isVisible() and top.isWindow()]

    qtbot.waitUntil(lambda: len(shown()) == 1)
    (dialog,) = shown()
    QApplication.setActiveWindow(dialog)
    qtbot.waitUntil(dialog.isActiveWindow)
    settle(qtbot)
    return dialog


__all__ = ["DIALOGS", "open_dialog", "settle"]
