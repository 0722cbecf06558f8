"""What can be done with the runs that are selected in the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from PyQt5.QtCore import QObject, QUrl, pyqtSignal
from PyQt5.QtGui import QDesktopServices
from PyQt5.QtWidgets import QWidget

from seqdec_gui.domain.design import Design
from seqdec_gui.gui.dialogs.begin_from_weights import ask_what_to_keep
from seqdec_gui.gui.pages.runs.trash import move_to_trash
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.workspace.training_session import session_of
from seqdec_gui.gui.workspace.workspace import PageName, Workspace
from seqdec_gui.runs import known, listing
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.listing import Entry
from seqdec_gui.runs.notes import Note, read_note, tags_of, write_note


class RunActs(QObject):
    """The functions behind the actions, by the names in `tools.ACTIONS`; each takes the runs `selected`."""

    changed = pyqtSignal()  # something about a run was changed on the disk

    def __init__(self, workspace: Workspace, page: QWidget, selected: Callable[[], list[Entry]]) -> None:
        super().__init__(page)
        self._workspace = workspace
        self._session = session_of(workspace)
        self._page = page
        self._selected = selected
        self.by_name: dict[str, Callable[[], None]] = {
            "show": self.show_curves, "overlay": self.overlay, "generate": self.generate, "export": self.export,
            "begin": self.begin, "fork": self.fork, "certify": self.certify, "errors": self.errors, "reuse": self.reuse,
            "as_it_was": self.open_as_it_was, "rename": self.rename, "tag": self.tag, "folder": self.open_folder,
            "forget": self.forget, "trash": self.trash,
        }  # fmt: skip

    def show_curves(self) -> None:
        """Open the first selected run on the Train page."""
        if chosen := self._selected():
            self._workspace.page_requested.emit(PageName.TRAIN)
            self._session.show(RunFolder(chosen[0].path), chosen[0].name)

    def overlay(self) -> None:
        """Draw the curves of the selected runs beside those of the run on the Train page."""
        chosen = self._selected()
        if chosen and self._session.shown is None:
            self._session.show(RunFolder(chosen[0].path), chosen[0].name)
        shown = self._session.shown.run.path if self._session.shown and self._session.shown.run else None
        for entry in chosen:
            if entry.path != shown:
                self._session.overlay(entry.path, entry.name)
        self._workspace.page_requested.emit(PageName.TRAIN)

    def generate(self) -> None:
        if chosen := self._selected():
            self._workspace.page_requested.emit(PageName.GENERATE)
            self._workspace.run_requested.emit(chosen[0].path)

    def export(self) -> None:
        if chosen := self._selected():
            from seqdec_gui.gui.dialogs.export import open_export_of

            open_export_of(self._workspace, chosen[0].path)

    def begin(self) -> None:
        """Train the open design from the weights of the selected run, after asking which fitted values to keep."""
        if chosen := self._selected():
            ask_what_to_keep(self._session, chosen[0].path, chosen[0].name)

    def fork(self) -> None:
        """Ask from which checkpoint of the run, and with which settings, a new run goes on."""
        if chosen := self._selected():
            from seqdec_gui.gui.dialogs.fork_run import open_fork

            open_fork(self._workspace, chosen[0].path)

    def certify(self) -> None:
        """Open the dialog of the run's certificate."""
        if chosen := self._selected():
            from seqdec_gui.gui.dialogs.certificate.dialog import open_certificate

            open_certificate(self._workspace, chosen[0].path)

    def errors(self) -> None:
        """Open the dialog of the run's errors."""
        if chosen := self._selected():
            from seqdec_gui.gui.dialogs.errors.dialog import open_errors

            open_errors(self._workspace, chosen[0].path)

    def reuse(self) -> None:
        """Replace the open design by that of the run. This can be undone."""
        if chosen := self._selected():
            entry = chosen[0]
            background.run(lambda: RunFolder(entry.path).read_spec().load_design(), lambda d: self._use(d, entry), owner=self)

    def _use(self, design: Design, entry: Entry) -> None:
        self._workspace.document.edit(design, f"Use the settings of {entry.name}")
        self._workspace.status_message.emit(f"The design now has the settings of {entry.name}; Undo restores the former ones.")
        self._workspace.page_requested.emit(PageName.DESIGN)

    def open_as_it_was(self) -> None:
        """Open the design of the run as it was trained."""
        if chosen := self._selected():
            self._workspace.design_as_it_was_requested.emit(chosen[0].path)

    def open_folder(self) -> None:
        if chosen := self._selected():
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(chosen[0].path)))

    def rename(self) -> None:
        """Change the displayed name of the run. The folder keeps its name, for scripts and processes that use it."""
        if chosen := self._selected():
            entry = chosen[0]
            then = lambda name: self.keep(entry.path, name=name.strip())  # noqa: E731
            notify.ask_text(self._page, "Rename run", "Name", entry.name, then)

    def tag(self) -> None:
        """Add tags to all selected runs."""
        chosen = self._selected()
        if not chosen:
            return

        def then(text: str) -> None:
            for entry in chosen:
                self._change(entry.path, lambda note: tagged(note, text))

        which = chosen[0].name if len(chosen) == 1 else f"{len(chosen)} runs"
        notify.ask_text(self._page, f"Tag {which}", "Tags to add, with commas between them", "", then)

    def forget(self) -> None:
        """Take runs whose folders are gone off the list."""
        paths = [entry.path for entry in self._selected() if entry.missing]

        def drop() -> None:
            listing.shared().forget(paths)
            known.forget(paths)

        background.run(drop, lambda _none: self.changed.emit(), owner=self)

    def trash(self) -> None:
        """Ask, then move the selected runs to the trash."""
        chosen = self._selected()
        if not chosen:
            return
        paths = [entry.path for entry in chosen]
        which = chosen[0].name if len(chosen) == 1 else f"{len(chosen)} runs"

        def move() -> None:
            try:
                move_to_trash(paths)
            finally:
                listing.shared().forget(path for path in paths if not path.exists())

        def then(answer: notify.Answer) -> None:
            if answer == "accept":
                for path in paths:
                    self._session.forget(path)
                background.run(move, lambda _none: self.changed.emit(), self._on_trash_failed, self)

        notify.ask(
            self._page,
            f"Move {which} to the trash?",
            "Curves, weights and exports are moved too. They can be restored from the trash.",
            then,
            accept="Move to trash",
            destructive=True,
        )

    def _on_trash_failed(self, error: Exception) -> None:
        notify.failure(self._page, error, "Not deleted")
        self.changed.emit()

    def keep(self, path: Path, **changes: object) -> None:
        """Save a changed name, note or tags of the run, in a thread."""
        self._change(path, lambda note: msgspec.structs.replace(note, **changes))

    def _change(self, path: Path, change: Callable[[Note], Note]) -> None:
        background.run(lambda: write_note(path, change(read_note(path))), lambda _none: self.changed.emit(), owner=self)


def tagged(note: Note, text: str) -> Note:
    """Return the note with more tags."""
    return msgspec.structs.replace(note, tags=tags_of(", ".join((*note.tags, text))))
