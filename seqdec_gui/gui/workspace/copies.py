"""The question about a design file that is a copy of another: whether both are one design, with the same runs."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSlot

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.workspace.workspace import Notice, Workspace
from seqdec_gui.runs import known

TOPIC = "copy"
"""The topic of the notice, whose buttons are `message_bar_separate` and `message_bar_share`."""


class Copies(QObject):
    """Looks for another file with the id of a design that was opened, and asks what the two are to each other."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace = workspace
        workspace.document.replaced.connect(self._on_document_replaced)

    @pyqtSlot()
    def _on_document_replaced(self) -> None:
        path, id = self._workspace.document.path, self._workspace.document.design.id
        self._workspace.notice.emit(Notice(TOPIC))
        if path is not None and id:
            background.run(lambda: original_of(path, id), lambda other: self._on_original_found(path, other), owner=self)

    def _on_original_found(self, path: Path, other: Path | None) -> None:
        if other is None or self._workspace.document.path != path:
            return
        place = other.name if other.name != path.name else str(other)
        self._workspace.notice.emit(
            Notice(
                TOPIC,
                f"{path.name} and {place} are the same design: one is a copy of the other, and both show the runs of both. "
                "As a design of its own, this one begins without runs.",
                {
                    "separate": ("Make It a Design of Its Own", self._separate),
                    "share": ("Share the Runs", lambda: self._share(path)),
                },
            )
        )

    def _separate(self) -> None:
        document = self._workspace.document
        try:
            document.separate()
        except SeqdecError as error:
            notify.failure(self._workspace, error, "The design was not saved")
            return
        if document.path is not None:
            seen = (document.path, document.design.id)
            background.run(lambda: known.remember_designs([seen]))

    def _share(self, path: Path) -> None:
        background.run(lambda: known.leave_copy(path))


def original_of(path: Path, id: str) -> Path | None:
    """Return another file that has this id now, unless the user has said that the file at `path` is to share it."""
    if str(path.absolute()) in known.read().copies:
        return None
    return next((other for other in known.files_of(id) if not _same_file(other, path)), None)


def _same_file(first: Path, second: Path) -> bool:
    try:
        return first.absolute() == second.absolute() or first.samefile(second)
    except OSError:
        return False
