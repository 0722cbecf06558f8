"""New, open and save: loading and saving the design of a window, with the questions to ask before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from PyQt5.QtCore import QObject, pyqtSignal

from seqdec_gui import resource_files
from seqdec_gui.domain import document as design_file
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.gui.look import preferences
from seqdec_gui.gui.tasks import notify
from seqdec_gui.gui.workspace import autosave
from seqdec_gui.gui.workspace.document import DesignDocument

Then = Callable[[], None]


class DesignFiles(QObject):
    """Asks about unsaved changes, reports failures, and remembers recent designs."""

    recovery_found = pyqtSignal(autosave.Recovery)
    recents_changed = pyqtSignal()

    def __init__(self, document: DesignDocument, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.autosave = autosave.Autosave(document, self)

    def new(self, design: Design | None = None, then: Then | None = None) -> None:
        """Start an empty design, or the given one."""

        def begin() -> None:
            self._document.new(design)
            if then is not None:
                then()

        self.after_asking(begin)

    def new_from(self, path: Path, then: Then | None = None) -> None:
        """Start a design from the file of a template or an example, which stays unchanged."""
        try:
            design = with_absolute_paths(design_file.load(path), path.parent).with_id("")
        except SeqdecError as error:
            notify.failure(self, error, "The template cannot be opened")
            return
        self.new(design, then)

    def open(self, path: Path | None = None, then: Then | None = None) -> None:
        """Open a design file; without `path` the user is asked for it."""
        if path is None:
            self.after_asking(
                lambda: notify.choose_file(self, "Open design", [notify.DESIGN_FILTER], lambda chosen: self._open(chosen, then))
            )
        else:
            self.after_asking(lambda: self._open(path, then))

    def _open(self, path: Path, then: Then | None = None) -> None:
        try:
            self._document.open(path)
        except SeqdecError as error:
            notify.failure(self, error, "The design cannot be opened")
            return
        self._remember(path)
        if then is not None:
            then()
        recovery = autosave.left_behind(path)
        if recovery is not None:
            self.recovery_found.emit(recovery)

    def restore(self, recovery: autosave.Recovery) -> None:
        """Show the design of a recovery file as an unsaved change of the open one."""
        try:
            design = design_file.load(recovery.file)
        except SeqdecError as error:
            notify.failure(self, error, "The recovered design cannot be read")
            return
        if recovery.design is None:
            self._document.new(Design(id=design.id))
        self._document.edit(design, "Restore the unsaved changes")
        recovery.remove()

    def save(self, then: Then | None = None) -> None:
        """Save the design to its file; the user is asked for one if it has none."""
        if self._document.path is None:
            self.save_as(then)
        else:
            self._save(self._document.path, then)

    def save_as(self, then: Then | None = None) -> None:
        """Ask for a file and save the design to it."""
        start = self._document.path or preferences.last_folder() / f"design{design_file.SUFFIX}"
        notify.choose_target(
            self, "Save design", [notify.DESIGN_FILTER], design_file.SUFFIX[1:], lambda path: self._save(path, then), start
        )

    def _save(self, path: Path, then: Then | None) -> None:
        old = self._document.path
        try:
            if old != path:
                self._rebase(old, path)
            self._document.save(path)
        except SeqdecError as error:
            notify.failure(self, error, "The design was not saved")
            return
        self._remember(path)
        if then is not None:
            then()

    def _rebase(self, old: Path | None, new: Path) -> None:
        """Adjust relative paths of data files when the design moves to another folder."""
        if old is not None and old.parent != new.parent:
            design = with_absolute_paths(self._document.design, old.parent)
            self._document.edit(design, "Save in another folder")

    def after_asking(self, then: Then) -> None:
        """Call `then` after unsaved changes have been saved or discarded; do not call it if the user cancels."""
        document = self._document
        if document.clean:
            then()
            return

        def on_answered(answer: notify.Answer) -> None:
            if answer == "accept":
                self.save(then)
            elif answer == "discard":
                self.autosave.forget()
                then()

        notify.ask(
            self,
            f"Save the changes to {document.name}?",
            "They are lost otherwise.",
            on_answered,
            accept="Save",
            discard="Don't save",
        )

    def _remember(self, path: Path) -> None:
        preferences.remember_design(path)
        preferences.remember_folder(path.parent)
        self.recents_changed.emit()


def with_absolute_paths(design: Design, folder: Path) -> Design:
    """Return the design with absolute paths instead of those relative to `folder`, so that it means the same everywhere."""

    def absolute(name: str) -> str:
        return str((folder / name).resolve()) if name and not Path(name).is_absolute() else name

    replace = msgspec.structs.replace
    bindings = tuple(replace(binding, file=absolute(binding.file)) for binding in design.data.bindings)
    moved = design.with_data(replace(design.data, file=absolute(design.data.file), bindings=bindings))
    for block in design.blocks:
        if (kind := block.parameters.with_files(absolute)) != block.parameters:
            moved = moved.with_parameters(block.id, kind)
        if block.weights is not None:
            moved = moved.with_weights(block.id, replace(block.weights, file=absolute(block.weights.file)))
    return moved


class Template(msgspec.Struct, frozen=True):
    """A design to start from, with its texts on the welcome page."""

    path: Path
    title: str
    summary: str


_WORDS = {
    "latent-to-sequence": ("Latent → states → decoder", "A vector sets the initial states of a stacked LSTM decoder."),
    "sequence-to-sequence": ("Sequence to sequence", "An encoder reads one sequence, a decoder writes another."),
    "sequence-autoencoder": ("Sequence autoencoder", "A sequence through a small code and back, to learn a latent space."),
    "image-to-sequence": ("Image to sequence", "Pixels to states to a text: captions, digits, formulas."),
    "language-model": ("Language model", "Predicts the next symbol; generates without an input."),
    "blank": ("Blank design", "An empty canvas and the palette."),
    "roman": ("Roman numerals", "Numbers to Roman numerals: trains in a minute on a CPU."),
    "pronunciation": ("Pronunciation", "Spelling to phonemes, from the CMU dictionary."),
    "molecules": ("Molecules", "Descriptors to SMILES."),
    "digits": ("Digits", "Images of digits to their names."),
}
"""The title and the sentence of each bundled template and example, by the file's name."""


def templates() -> tuple[Template, ...]:
    """Return the bundled templates, the archetype first; none if the resources are missing."""
    return _bundled("templates")


def examples() -> tuple[Template, ...]:
    """Return the bundled examples with their small data files."""
    return _bundled("examples")


def _bundled(folder: str) -> tuple[Template, ...]:
    try:
        paths = sorted(resource_files.path(folder).glob(f"*{design_file.SUFFIX}"))
    except FileNotFoundError:
        return ()
    order = list(_WORDS)
    paths.sort(key=lambda path: order.index(path.stem) if path.stem in order else len(order))
    named = [(path, _WORDS.get(path.stem, (path.stem.replace("-", " ").capitalize(), ""))) for path in paths]
    return tuple(Template(path, title, summary) for path, (title, summary) in named)
