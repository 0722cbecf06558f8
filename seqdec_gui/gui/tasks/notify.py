"""Message and file dialogs: the only module that opens them.

All are non-native and non-blocking: they are opened by `open()` and call a function with the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

import msgspec
from PyQt5.QtCore import QObject, Qt
from PyQt5.QtGui import QFontMetrics
from PyQt5.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QInputDialog,
    QLabel,
    QLineEdit,
    QMessageBox,
    QWidget,
)

from seqdec_gui.data.formats.registry import file_patterns
from seqdec_gui.domain.codes import hint_in_window
from seqdec_gui.domain.form_words import label
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import breakable, shortened
from seqdec_gui.gui.look import preferences, theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.tasks.file_dialog import FileDialog
from seqdec_gui.gui.tasks.fitting_dialogs import fit_to_screen

Answer = Literal["accept", "discard", "other", "cancel"]
DESIGN_FILTER = "Designs (*.seqdec)"
"""The filter of a file dialog for design files."""

MOST_LETTERS = 90
"""The greatest length of the heading of a message; a longer one, with the name of a file, loses letters in its middle."""
LEAST_HEADING = 340
"""The least width of the heading of a message, in pixels."""
WIDEST_HEADING = 460
"""The width from which the heading of a message is in several lines, in pixels."""


def data_filter() -> str:
    """Return the filter of a file dialog for data files of every format."""
    return f"Data ({' '.join(file_patterns())})"


def window_of(thing: QObject | None) -> QWidget | None:
    """Return the window that a dialog about this object belongs to."""
    while thing is not None:
        if isinstance(thing, QWidget):
            return thing.window()
        thing = thing.parent()
    return QApplication.activeWindow()


def _box(parent: QObject | None, severity: str, title: str, text: str, name: str) -> QMessageBox:
    heading = shortened(title, MOST_LETTERS)
    box = QMessageBox(QMessageBox.NoIcon, title, f"<b>{_plain(heading)}</b>", QMessageBox.NoButton, window_of(parent))
    label = box.findChild(QLabel, "qt_msgbox_label")
    assert label is not None
    label.ensurePolished()
    drawn = QFontMetrics(theme.font("body", bold=True)).horizontalAdvance(heading)  # the label learns its font when it is shown
    width = max(label.sizeHint().width(), drawn) + 2 * theme.SPACE
    if width > WIDEST_HEADING:  # Qt wraps no heading above another text, but a table in it
        box.setText(f'<table width="{WIDEST_HEADING}" cellspacing="0" cellpadding="0"><tr><td>{box.text()}</td></tr></table>')
        width = WIDEST_HEADING
    label.setStyleSheet(f"min-width: {max(width, LEAST_HEADING)}px")  # Qt cuts the heading to the width of the text below it
    picture = {"error": "alert-circle-outline", "question": "help-circle-outline"}.get(severity, "information-outline")
    box.setIconPixmap(icon(picture, theme.current().severity(severity)).pixmap(32, 32))
    box.setObjectName(name)
    box.setTextFormat(Qt.RichText)
    box.setInformativeText(text)
    box.setAttribute(Qt.WA_DeleteOnClose)
    box.setTextInteractionFlags(Qt.TextSelectableByMouse)
    return box


def _plain(text: str) -> str:
    return breakable(text).replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")


def message(parent: QObject | None, title: str, text: str) -> QMessageBox:
    """Show a message that needs no decision."""
    box = _box(parent, "info", title, _plain(text), "message_box")
    box.addButton(QMessageBox.Ok)
    box.open()
    return box


def without_place(problem: Problem) -> str:
    """Return the sentence of a problem without its place, if the place is the data or a field of a form.

    Its hint is the one for the window where the problem's own speaks of the command line.
    """
    problem = msgspec.structs.replace(problem, hint=hint_in_window(problem.code, problem.hint))
    section, _, field = problem.where.partition(".")
    if section == "training" and field:
        return msgspec.structs.replace(problem, where=label(field)).sentence()
    return problem.sentence().removeprefix("data: ")


def failure(parent: QObject | None, error: Exception, title: str = "The action failed") -> QMessageBox:
    """Show an error: one sentence, or all its problems."""
    if isinstance(error, InvalidInput):
        text = "<br><br>".join(_plain(without_place(problem)) for problem in error.problems[:8])
        more = len(error.problems) - 8
        text += f"<br><br>and {more} more." if more > 0 else ""
    else:
        text = _plain(str(error))
    box = _box(parent, "error", title, text, "failure_box")
    box.addButton(QMessageBox.Ok)
    box.open()
    return box


def ask(
    parent: QObject | None,
    title: str,
    text: str,
    then: Callable[[Answer], None],
    accept: str = "OK",
    discard: str | None = None,
    destructive: bool = False,
    other: str | None = None,
) -> QMessageBox:
    """Ask for a decision. `then` is called with accept, discard or other (if offered) or cancel; Escape means cancel."""
    box = _box(parent, "question", title, _plain(text), "question_box")
    yes = box.addButton(accept, QMessageBox.DestructiveRole if destructive else QMessageBox.AcceptRole)
    yes.setObjectName("answer_accept")
    polish(yes, "kind", "primary")
    no = box.addButton(discard, QMessageBox.DestructiveRole) if discard else None
    if no is not None:
        no.setObjectName("answer_discard")
    third = box.addButton(other, QMessageBox.DestructiveRole) if other else None
    if third is not None:
        third.setObjectName("answer_other")
    cancel = box.addButton(QMessageBox.Cancel)
    cancel.setObjectName("answer_cancel")
    box.setDefaultButton(cancel if destructive else yes)
    box.setEscapeButton(cancel)

    def on_finished(_result: int) -> None:
        answers: dict[object, Answer] = {yes: "accept", no: "discard", third: "other"}
        then(answers.get(box.clickedButton() or cancel, "cancel"))

    box.finished.connect(on_finished)
    box.open()
    return box


def ask_text(
    parent: QObject | None, title: str, label: str, value: str, then: Callable[[str], None], password: bool = False
) -> QInputDialog:
    """Ask for a line of text. `then` is called with it, unless the user cancels."""
    dialog = QInputDialog(window_of(parent))
    dialog.setObjectName("text_dialog")
    dialog.setAttribute(Qt.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    dialog.setLabelText(label)
    dialog.setTextValue(value)
    dialog.setTextEchoMode(QLineEdit.Password if password else QLineEdit.Normal)
    dialog.textValueSelected.connect(then)
    dialog.open()
    return dialog


def _files(parent: QObject | None, title: str, filters: Iterable[str], start: Path | None) -> FileDialog:
    return FileDialog(window_of(parent), title, filters, start if start is not None else preferences.last_folder())


def choose_file(
    parent: QObject | None, title: str, filters: Iterable[str], then: Callable[[Path], None], start: Path | None = None
) -> FileDialog:
    """Ask for a file to read, and call `then` with its path."""
    dialog = _files(parent, title, filters, start)
    dialog.setFileMode(QFileDialog.ExistingFile)
    return _open_files(dialog, then)


def choose_target(
    parent: QObject | None,
    title: str,
    filters: Iterable[str],
    suffix: str,
    then: Callable[[Path], None],
    start: Path | None = None,
    replaces: Callable[[Path], bool] = Path.exists,
    complete: Callable[[FileDialog], None] | None = None,
) -> FileDialog:
    """Ask where to write a file, and call `then` with the path. `suffix` (without dot) is added to names without one.

    If `replaces` says that the file would be lost, the user is asked first, and chooses again after a No. `complete` adds to
    the dialog what else there is to choose.
    """
    dialog = _files(parent, title, filters, start if start is None or start.is_dir() else start.parent)
    dialog.setAcceptMode(QFileDialog.AcceptSave)
    dialog.setDefaultSuffix(suffix)
    if start is not None and not start.is_dir():
        dialog.selectFile(start.name)
    if complete is not None:
        complete(dialog)
    dialog.setOption(QFileDialog.DontConfirmOverwrite)  # Qt's question would block the program

    def on_chosen(path: Path) -> None:
        if not replaces(path):
            then(path)
            return

        def on_answered(answer: Answer) -> None:
            if answer == "accept":
                then(path)
            else:
                choose_target(parent, title, filters, suffix, then, path, replaces, complete)

        where = f"{path.name} exists already in {path.parent}."
        ask(parent, "Replace the file?", where, on_answered, "Replace", destructive=True)

    return _open_files(dialog, on_chosen)


def choose_folder(parent: QObject | None, title: str, then: Callable[[Path], None], start: Path | None = None) -> FileDialog:
    """Ask for a folder, and call `then` with its path."""
    dialog = _files(parent, title, (), start)
    dialog.setFileMode(QFileDialog.Directory)
    dialog.setOption(QFileDialog.ShowDirsOnly)
    return _open_files(dialog, then)


def _open_files(dialog: FileDialog, then: Callable[[Path], None]) -> FileDialog:
    def on_selected(name: str) -> None:
        path = Path(name)
        preferences.remember_folder(path if path.is_dir() else path.parent)
        then(path)

    dialog.fileSelected.connect(on_selected)
    dialog.open()
    return dialog


def present(dialog: QDialog) -> QDialog:
    """Open one of the program's own dialogs over its window. It is deleted when it is closed."""
    dialog.setAttribute(Qt.WA_DeleteOnClose)
    fit_to_screen(dialog)
    dialog.open()
    return dialog
