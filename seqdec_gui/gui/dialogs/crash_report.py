"""The handling of unexpected errors: designs are saved to recovery files, and a non-modal dialog offers the details to copy."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path
from types import TracebackType

from PyQt5 import sip
from PyQt5.QtWidgets import QApplication, QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from seqdec_gui.domain import document as design_file
from seqdec_gui.gui.dialogs.about import versions
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.focus import KeepsFocus
from seqdec_gui.gui.workspace.autosave import cache_folder
from seqdec_gui.gui.workspace.document import DesignDocument

_dialogs: list[CrashReport] = []
"""The crash report that is open, at most one; the list keeps it referenced."""
_reporting = False
"""Whether a report is being made, so that an error inside `report` does not start another."""


def install() -> None:
    """Send uncaught exceptions to `report`, except KeyboardInterrupt."""
    sys.excepthook = report


def report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Log an error, save the designs of all windows and show the dialog.

    If the dialog is open already, the error is added to it.
    """
    global _reporting
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    details = "".join(traceback.format_exception(kind, error, trace))
    logging.getLogger("seqdec_gui").error("Unexpected error\n%s", details)
    if _reporting or not isinstance(QApplication.instance(), QApplication):
        sys.__excepthook__(kind, error, trace)
        return
    _reporting = True
    try:
        _show(details, save_designs())
    finally:
        _reporting = False


def save_designs() -> list[Path]:
    """Write every changed design to a file beside its own (`name.recovered.seqdec`). Return the paths written."""
    written = []
    for window in QApplication.topLevelWidgets():
        document = getattr(window, "document", None)
        if isinstance(document, DesignDocument) and not document.clean:
            target = recovered_path(document)
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                design_file.save(document.design, target)
            except Exception:  # the report itself matters more
                logging.getLogger("seqdec_gui").exception("The design could not be saved to %s", target)
            else:
                written.append(target)
    return written


def recovered_path(document: DesignDocument) -> Path:
    """Return the path that `save_designs` writes a design to."""
    if document.path is None:
        return cache_folder() / f"untitled.recovered{design_file.SUFFIX}"
    return document.path.with_name(f"{document.path.stem}.recovered{design_file.SUFFIX}")


def _show(details: str, written: list[Path]) -> None:
    _dialogs[:] = [dialog for dialog in _dialogs if not sip.isdeleted(dialog) and dialog.isVisible()]
    if _dialogs:
        _dialogs[0].add(details)
        return
    parent = QApplication.activeWindow()
    dialog = CrashReport(details, written, parent)
    _dialogs.append(dialog)
    dialog.show()


class CrashReport(KeepsFocus, QDialog):
    """The non-modal dialog with the details of errors. Object name `crash_report`; its button is `crash_copy`."""

    def __init__(self, details: str, written: list[Path], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("crash_report")
        self.setWindowTitle("Something went wrong")
        self.setModal(False)
        heading = QLabel("The program has met an unexpected error.")
        heading.setProperty("role", "title")
        names = ", ".join(map(str, written))
        saved = f"Your design was saved as {names}." if written else "Your design has no unsaved changes."
        words = QLabel(f"{saved} You can go on working. Please report the details below.", wordWrap=True)
        words.setProperty("role", "dim")
        self._details = QPlainTextEdit(objectName="crash_details", readOnly=True)
        self._details.setAccessibleName("Details of the error")
        self._details.setFont(theme.font("small", monospace=True))
        head = ", ".join(f"{name} {version}" for name, version in versions().items())
        self._details.setPlainText(f"{head}\n\n{details}")
        buttons = QDialogButtonBox(QDialogButtonBox.Close)
        copy = buttons.addButton("Copy", QDialogButtonBox.ActionRole)
        copy.setObjectName("crash_copy")
        copy.clicked.connect(lambda: QApplication.clipboard().setText(self._details.toPlainText()))
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*4 * (6 * theme.SPACE,))
        layout.setSpacing(3 * theme.SPACE)
        layout.addWidget(heading)
        layout.addWidget(words)
        layout.addWidget(self._details, 1)
        layout.addWidget(buttons)
        self.resize(680, 420)

    def add(self, details: str) -> None:
        """Append the details of another error."""
        self._details.appendPlainText(f"\n{details}")
